"""A healthy server of 2026-07-28 in a thread of its own, for tests of what has a loop or a process of its own."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

INFO = "io.modelcontextprotocol/serverInfo"


class Server(ThreadingHTTPServer):
    """What it offers may be changed while it runs. `seen` are the headers of every request, in lower case."""

    def __init__(self, tools: Sequence[Any], accepts: Callable[[Mapping[str, str]], bool], name: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.tools, self.accepts, self.name = list(tools), accepts, name
        self.prompts: list[Any] = []
        """Declared where there are any."""
        self.status = 200
        self.seen: list[dict[str, str]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/mcp"

    def result(self, rpc: str) -> dict[str, Any]:
        """What a request is answered."""
        base: dict[str, Any] = {"resultType": "complete", "ttlMs": 0, "cacheScope": "public"}
        if rpc == "server/discover":
            capabilities = {"tools": {}, **({"prompts": {}} if self.prompts else {})}
            meta = {INFO: {"name": self.name, "version": "1"}} if self.name else {}
            return {**base, "supportedVersions": ["2026-07-28"], "capabilities": capabilities, "_meta": meta}
        return {**base, "prompts": self.prompts} if rpc == "prompts/list" else {**base, "tools": self.tools}


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server: Any = self.server
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        server.seen.append(headers)
        if not server.accepts(headers):
            self.send_response(401)
            self.send_header("content-length", "0")
            self.end_headers()
            return
        data = json.dumps({"jsonrpc": "2.0", "id": body["id"], "result": server.result(body["method"])}).encode()
        self.send_response(server.status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


@contextlib.contextmanager
def threaded(
    tools: Sequence[Any] = (), *, accepts: Callable[[Mapping[str, str]], bool] = lambda _: True, name: str = ""
) -> Iterator[Server]:
    """Serve while the context lasts. `accepts` judges the headers of a request: False is answered 401."""
    server = Server(tools, accepts, name)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
