"""Servers made with the official Python SDK from 2.0 on (MCPServer): both eras at one address, and HTTP+SSE."""

from __future__ import annotations

from functools import partial
from typing import Any

import watched
from mcp.server.mcpserver import MCPServer
from mcp_types import ListToolsResult


class _Server(MCPServer[Any]):
    def __init__(self, slot: watched.Watched) -> None:
        super().__init__("real", version="1.0.0", log_level="ERROR")
        self.slot = slot

    async def _handle_list_tools(self, ctx: Any, params: Any) -> ListToolsResult:
        whole = await super()._handle_list_tools(ctx, params)
        page, cursor = await self.slot.page(whole.tools, params.cursor if params is not None else None)
        return ListToolsResult(tools=page, next_cursor=cursor)


def _server(slot: watched.Watched) -> _Server:
    server = _Server(slot)

    @server.tool()
    def search(query: str, limit: int = 10) -> str:
        """Search the catalogue for what matches the query."""
        return f"{query} {limit}"

    @server.tool()
    def fetch(identifier: str) -> str:
        """Fetch one catalogue entry by its identifier."""
        return identifier

    return server


def _streamable(**settings: bool) -> watched.Watched:
    def make(slot: watched.Watched, port: int) -> Any:
        del port
        server = _server(slot)
        app = server.streamable_http_app(**settings)
        if not settings["stateless_http"]:
            slot.sessions = watched.count(lambda: server.session_manager._server_instances)
        return app

    return watched.Watched(make)


if __name__ == "__main__":
    watched.serve(
        {
            "stateful": partial(_streamable, stateless_http=False, json_response=False),
            "stateful-json": partial(_streamable, stateless_http=False, json_response=True),
            "stateless": partial(_streamable, stateless_http=True, json_response=False),
            "stateless-json": partial(_streamable, stateless_http=True, json_response=True),
            "sse": lambda: watched.Watched(lambda slot, port: _server(slot).sse_app()),
        }
    )
