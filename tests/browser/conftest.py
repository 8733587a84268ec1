"""A real browser before a real server: the rendered site, served as CloudFront serves it (same headers, same paths).

Chromium comes from the system (LOOKOUT_CHROMIUM, or the usual names on PATH). Where there is none, these tests fail.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from lookout.status.pages import CSP, render_site
from lookout.status.view import Snapshot
from playwright.sync_api import Browser, Page, sync_playwright

from tests.unit.status import sample

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


class SiteServer(ThreadingHTTPServer):
    """Serves one rendered site on a free loopback port."""

    daemon_threads = True

    def __init__(self, snapshot: Snapshot) -> None:
        self.pages = {page.path: page for page in render_site(snapshot, sample.NOW)}
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: SiteServer

    def do_GET(self) -> None:
        key = self.path.partition("?")[0].lstrip("/")
        if not key or key.endswith("/"):
            key += "index.html"
        page = self.server.pages.get(key)
        self.send_response(200 if page else 404)
        page = page or self.server.pages["404.html"]
        for name, value in {
            "content-type": page.content_type,
            "cache-control": page.cache_control,
            "content-security-policy": CSP,
            "content-length": str(len(page.body)),
            "x-content-type-options": "nosniff",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(page.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
        pass


def _serve(snapshot: Snapshot) -> Iterator[SiteServer]:
    server = SiteServer(snapshot)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def busy() -> Iterator[SiteServer]:
    """Every status at once."""
    yield from _serve(sample.snapshot())


@pytest.fixture(scope="module")
def warned() -> Iterator[SiteServer]:
    """An acknowledged outage with notes, and a warning of every kind."""
    yield from _serve(sample.warned())


@pytest.fixture(scope="module")
def maintained() -> Iterator[SiteServer]:
    """One server in maintenance, more to come."""
    yield from _serve(sample.maintained())


@pytest.fixture(scope="module")
def calm() -> Iterator[SiteServer]:
    """Everything up."""
    yield from _serve(sample.calm())


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = os.environ.get("LOOKOUT_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.fail("no Chromium: install one (Debian: apt-get install chromium) or set LOOKOUT_CHROMIUM to its path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Tab:
    """A tab, and everything it complained of or asked for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture
def open_tab(browser: Browser) -> Iterator[Any]:
    """`open_tab(url, width=..., scheme=..., javascript=..., now=...)`; `now` is what the page's clock says."""
    contexts = []

    def open_(
        url: str, *, width: int = 1280, scheme: str = "light", javascript: bool = True, now: int = sample.NOW + 20
    ) -> Tab:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,  # type: ignore[arg-type]  # "light" or "dark"
            java_script_enabled=javascript,
            reduced_motion="reduce",
        )
        contexts.append(context)
        tab = Tab(context.new_page())
        tab.page.on("console", lambda message: tab.complaints.append(message.text))
        tab.page.on("pageerror", lambda error: tab.complaints.append(str(error)))
        tab.page.on("request", lambda request: tab.requests.append(request.url))
        if javascript:
            tab.page.clock.set_fixed_time(now)
        tab.page.goto(url)
        return tab

    yield open_
    for context in contexts:
        context.close()
