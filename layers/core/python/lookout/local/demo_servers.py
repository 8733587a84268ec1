"""The MCP servers of the demo, made with the official Python SDK, and the ways they can be made to fail.

An SDK server of today speaks both protocol eras; `LegacyOnly` makes one behave as a server of 2025-06-18 did.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Callable
from typing import Any, Final

from mcp.server.mcpserver import MCPServer
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lookout.local.demo_drift import serve_drifted

FAULTS: Final = ("500", "hang", "refuse", "html", "drift")
LEGACY_VERSION: Final = "2025-06-18"
SLOW_S: Final = 1.6
"""How late demo-slow answers `tools/list`; the demo's lookout.yaml calls it slow after one second."""
BODY_LIMIT: Final = 1024 * 1024


def _server(name: str) -> MCPServer[Any]:
    server: MCPServer[Any] = MCPServer(name, version="1.0.0", log_level="ERROR")

    @server.tool()
    def search(query: str, limit: int = 10) -> list[str]:
        """Search the catalogue for what matches the query."""
        return [f"{query} {n}" for n in range(min(limit, 10))]

    @server.tool()
    def fetch(identifier: str) -> str:
        """Fetch one catalogue entry by its identifier."""
        return f"entry {identifier}"

    return server


class Delegating:
    """An ASGI application around another: everything but HTTP requests goes straight through."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "http":
            await self.request(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def request(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One HTTP request."""
        await self.app(scope, receive, send)


class WithMessage(Delegating):
    """Reads the JSON-RPC message of a request before it is handed on."""

    async def request(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One HTTP request, its body read whole."""
        body = bytearray()
        more = scope["method"] == "POST"
        while more:
            part = await receive()
            body += part.get("body", b"")
            more = part["type"] == "http.request" and part.get("more_body", False) and len(body) <= BODY_LIMIT
        try:
            message = json.loads(body) if body else {}
        except ValueError:
            message = {}
        await self.message(message if isinstance(message, dict) else {}, bytes(body), scope, receive, send)

    async def message(self, message: dict[str, Any], body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        """One request with its message (empty where it has none)."""
        del message
        await self.app(scope, _replay(body, receive), send)


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def again() -> Message:
        nonlocal sent
        if not sent:
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return again


class LegacyOnly(WithMessage):
    """Knows nothing after 2025-06-18: no `server/discover`, and `initialize` negotiates that version."""

    async def message(self, message: dict[str, Any], body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse what such a server would not know; have `initialize` ask for what it knows."""
        if message.get("method") == "server/discover":
            error = {"code": -32601, "message": "Method not found"}
            answer = JSONResponse({"jsonrpc": "2.0", "id": message.get("id"), "error": error}, 404)
            await answer(scope, receive, send)
            return
        params = message.get("params")
        if message.get("method") == "initialize" and isinstance(params, dict):
            body = json.dumps({**message, "params": {**params, "protocolVersion": LEGACY_VERSION}}).encode()
            length = (b"content-length", str(len(body)).encode())
            scope = {**scope, "headers": [h for h in scope["headers"] if h[0] != b"content-length"] + [length]}
        await self.app(scope, _replay(body, receive), send)


class Slow(WithMessage):
    """Answers `tools/list` late."""

    async def message(self, message: dict[str, Any], body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait, then hand on."""
        if message.get("method") == "tools/list":
            await asyncio.sleep(SLOW_S)
        await self.app(scope, _replay(body, receive), send)


class Guarded(Delegating):
    """Wants `Authorization: Bearer <token>`."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        super().__init__(app)
        self._expected = f"Bearer {token}".encode()

    async def request(self, scope: Scope, receive: Receive, send: Send) -> None:
        """401 with a challenge unless the token is right."""
        offered = dict(scope["headers"]).get(b"authorization", b"")
        if hmac.compare_digest(offered, self._expected):
            await self.app(scope, receive, send)
            return
        challenge = {"www-authenticate": 'Bearer error="invalid_token"'}
        await JSONResponse({"error": "invalid_token"}, 401, challenge)(scope, receive, send)


class Breakable(Delegating):
    """Fails on demand: `fault` is None, "500", "hang", "html" or "drift", which is to offer other tools.

    ("refuse" closes the port: see demo.Slot.)
    """

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app)
        self.fault: str | None = None

    async def request(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, answered as the present fault wants it."""
        if self.fault == "500":
            await PlainTextResponse("upstream connect error", 500)(scope, receive, send)
        elif self.fault == "html":
            await HTMLResponse("<!doctype html><title>Welcome</title><h1>It works!</h1>")(scope, receive, send)
        elif self.fault == "hang":
            while (await receive())["type"] != "http.disconnect":
                pass
        elif self.fault == "drift":
            await serve_drifted(self.app, scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _modern(name: str) -> Starlette:
    return _server(name).streamable_http_app(json_response=True, stateless_http=True)


def apps(token: str) -> dict[str, Callable[[], ASGIApp]]:
    """For each demo server, what makes its application anew: an SDK session manager runs only once."""
    return {
        "demo-modern": lambda: _modern("demo-modern"),
        "demo-sse-body": lambda: LegacyOnly(_server("demo-sse-body").streamable_http_app()),
        "demo-token": lambda: Guarded(_modern("demo-token"), token),
        "demo-slow": lambda: Slow(_modern("demo-slow")),
        "demo-flaky": lambda: _modern("demo-flaky"),
    }
