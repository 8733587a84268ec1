"""Servers made with FastMCP 2 and 4, the framework: stateful, stateless, JSON, HTTP+SSE, and with a bearer token."""

from __future__ import annotations

import gc
from functools import partial
from typing import Any

import watched
from fastmcp import FastMCP
from fastmcp.server.auth import RemoteAuthProvider
from fastmcp.server.auth.providers.jwt import StaticTokenVerifier
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

TOKEN = "a-token-of-the-tests"


def _server(**settings: Any) -> FastMCP:
    server: FastMCP = FastMCP("real", version="1.0.0", **settings)

    @server.tool
    def search(query: str, limit: int = 10) -> str:
        """Search the catalogue for what matches the query."""
        return f"{query} {limit}"

    @server.tool
    def fetch(identifier: str) -> str:
        """Fetch one catalogue entry by its identifier."""
        return identifier

    return server


def _instances(server: FastMCP) -> dict[str, Any]:
    """The transports of `server`'s session manager, which the framework keeps to itself."""
    found = {}
    for thing in gc.get_objects():
        if isinstance(thing, StreamableHTTPSessionManager) and thing.app is server._mcp_server:
            found.update(thing._server_instances)
    return found


def _http(*, auth: bool = False, **settings: Any) -> watched.Watched:
    def make(slot: watched.Watched, port: int) -> Any:
        verifier = StaticTokenVerifier({TOKEN: {"client_id": "tests", "scopes": []}})
        issuer: Any = "https://issuer.example"
        guard = RemoteAuthProvider(verifier, [issuer], f"http://127.0.0.1:{port}") if auth else None
        server = _server(auth=guard)
        if not settings.get("stateless_http") and settings["transport"] == "http":
            slot.sessions = watched.count(lambda: _instances(server))
        return server.http_app(**settings)

    return watched.Watched(make)


if __name__ == "__main__":
    watched.serve(
        {
            "stateful": partial(_http, transport="http"),
            "stateful-json": partial(_http, transport="http", json_response=True),
            "stateless": partial(_http, transport="http", stateless_http=True),
            "stateless-json": partial(_http, transport="http", stateless_http=True, json_response=True),
            "auth": partial(_http, transport="http", auth=True),
            "sse": partial(_http, transport="sse"),
        }
    )
