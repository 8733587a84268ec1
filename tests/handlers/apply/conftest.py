"""CloudFormation's end of a signed URL, on the loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest


class Answers(BaseHTTPRequestHandler):
    """Keeps what was PUT, answers with `status`."""

    got: ClassVar[list[tuple[str, str, dict[str, Any]]]] = []
    status: ClassVar[int] = 200
    url: ClassVar[str] = ""

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        assert len(body) <= 4096
        self.got.append((self.path, self.headers["content-type"], json.loads(body)))
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Nothing."""


@pytest.fixture
def cloudformation() -> Iterator[type[Answers]]:
    """`url` is where to answer, `got` what was answered: (path, content type, body)."""
    Answers.got.clear()
    Answers.status = 200
    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    Answers.url = f"http://127.0.0.1:{server.server_port}/answer?signed=yes"
    yield Answers
    server.shutdown()
    thread.join()
    server.server_close()
