"""The page of the demo's receiver in a browser: on a phone, in the dark, and without JavaScript, whatever was sent."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from lookout.local.receiver import Inbox
from lookout.local.receiver_page import HEADERS, SHOWN, page
from lookout.notify.sinks.webhook import flat, payload
from standardwebhooks import Webhook

from tests.browser.test_site import CONTRAST
from tests.contract.notify.sample import EVERY, OPEN, SITE

pytestmark = pytest.mark.browser
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
NOW = 1_800_000_000


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = self.server.source.encode() if self.path == "/" else b""  # type: ignore[attr-defined]
        self.send_response(200)
        for name, value in {**HEADERS, "content-type": "text/html; charset=utf-8"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the page is served, with the newest of every notice there is, another format, and a refused one."""
    inbox = Inbox(tmp_path_factory.mktemp("inbox") / "received.jsonl", SECRET, clock=lambda: NOW)
    hostile_last = sorted(EVERY, key=lambda name: "hostile" in name)
    bodies = [*(payload(EVERY[name], SITE) for name in hostile_last), flat(OPEN, SITE), payload(OPEN, SITE)]
    for index, body in enumerate(bodies[1 - SHOWN :]):
        text = json.dumps(body)
        signature = Webhook(SECRET).sign(f"evt_{index}", datetime.fromtimestamp(NOW, UTC), text)
        headers = {"webhook-id": f"evt_{index}", "webhook-timestamp": str(NOW), "webhook-signature": signature}
        inbox.receive(headers, text.encode())
    inbox.receive({"webhook-id": "x" * 100, "webhook-timestamp": str(NOW)}, b"x")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.source = page(list(inbox.events))  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_it_does_not_scroll_sideways_nor_fetch_anything(url: str, open_tab: Any, width: int) -> None:
    tab = open_tab(url, width=width)
    assert tab.page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert {request for request in tab.requests if not request.endswith("/favicon.ico")} == {url}
    assert tab.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_its_contrast_is_aa(url: str, open_tab: Any, scheme: str) -> None:
    found = open_tab(url, scheme=scheme).page.evaluate(CONTRAST)
    assert found["seen"] > 20
    assert found["bad"] == []


def test_it_reads_without_javascript(url: str, open_tab: Any) -> None:
    text = open_tab(url, javascript=False).page.inner_text("main")
    assert "[EXTERNAL] Acme Search is DOWN from 3/3 regions" in text
    assert "✓ signature verified" in text
    assert text.index("✗ refused") < text.index("✓ signature verified")
