"""Servers made with fastapi-mcp: routes of a FastAPI application as tools, over Streamable HTTP and over HTTP+SSE."""

import gc
from functools import partial
from typing import Any

import watched
from fastapi import FastAPI
from fastapi_mcp import FastApiMCP
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager


def _instances(server: Any) -> dict[str, Any]:
    managers = [m for m in gc.get_objects() if isinstance(m, StreamableHTTPSessionManager) and m.app is server]
    return {key: transport for manager in managers for key, transport in manager._server_instances.items()}


def _application(kind: str) -> watched.Watched:
    def make(slot: watched.Watched, port: int) -> FastAPI:
        del port
        app = FastAPI(title="real", version="1.0.0")

        @app.get("/search", operation_id="search")
        async def search(query: str, limit: int = 10) -> str:
            """Search the catalogue for what matches the query."""
            return f"{query} {limit}"

        @app.get("/fetch", operation_id="fetch")
        async def fetch(identifier: str) -> str:
            """Fetch one catalogue entry by its identifier."""
            return identifier

        mcp = FastApiMCP(app)
        if kind == "http":
            mcp.mount_http()
            slot.sessions = watched.count(lambda: _instances(mcp.server))
        else:
            mcp.mount_sse()
        return app

    return watched.Watched(make)


if __name__ == "__main__":
    watched.serve({kind: partial(_application, kind) for kind in ("http", "sse")})
