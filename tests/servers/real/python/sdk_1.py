"""Servers made with the official Python SDK before 2.0 (FastMCP), from 1.2.1 on.

Annotations stay objects here: SDKs before 1.9 cannot read them as strings.
"""

from functools import partial
from typing import Any

import watched
from mcp import types
from mcp.server.fastmcp import FastMCP
from mcp.server.sse import SseServerTransport
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route


def _server(slot: watched.Watched, **settings: Any) -> FastMCP:
    server = FastMCP("real", log_level="ERROR", **settings)

    @server.tool()
    def search(query: str, limit: int = 10) -> str:
        """Search the catalogue for what matches the query."""
        return f"{query} {limit}"

    @server.tool()
    def fetch(identifier: str) -> str:
        """Fetch one catalogue entry by its identifier."""
        return identifier

    handlers = server._mcp_server.request_handlers
    whole = handlers[types.ListToolsRequest]

    async def listed(request: types.ListToolsRequest) -> types.ServerResult:
        tools = (await whole(request)).root.tools
        page, cursor = await slot.page(tools, getattr(request.params, "cursor", None))
        return types.ServerResult(types.ListToolsResult(tools=page, nextCursor=cursor))

    handlers[types.ListToolsRequest] = listed
    return server


def _streamable(**settings: bool) -> watched.Watched:
    def make(slot: watched.Watched, port: int) -> Any:
        del port
        server = _server(slot, **settings)
        app = server.streamable_http_app()
        if not settings["stateless_http"]:
            slot.sessions = watched.count(lambda: server.session_manager._server_instances)
        return app

    return watched.Watched(make)


def _sse() -> watched.Watched:
    def make(slot: watched.Watched, port: int) -> Any:
        del port
        server = _server(slot)._mcp_server
        transport = SseServerTransport("/messages/")

        async def stream(request: Request) -> Response:
            async with transport.connect_sse(request.scope, request.receive, request._send) as (read, write):
                await server.run(read, write, server.create_initialization_options())
            return Response()

        routes = [Route("/sse", stream), Mount("/messages/", app=transport.handle_post_message)]
        return Starlette(routes=routes)

    return watched.Watched(make)


if __name__ == "__main__":
    watched.serve(
        {
            "stateful": partial(_streamable, stateless_http=False, json_response=False),
            "stateful-json": partial(_streamable, stateless_http=False, json_response=True),
            "stateless": partial(_streamable, stateless_http=True, json_response=False),
            "stateless-json": partial(_streamable, stateless_http=True, json_response=True),
            "sse": _sse,
        }
    )
