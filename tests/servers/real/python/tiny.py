"""Servers made with aiohttp-tiny-mcp, an implementation of its own that speaks every revision: on aiohttp, not ASGI.

Called, and watched, as watched.py says.
"""

import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp_tiny_mcp import Endpoint, Exchange, Registry, SseEndpoint
from pydantic import BaseModel


class Query(BaseModel):
    """What `search` takes."""

    query: str
    limit: int = 10


class Identifier(BaseModel):
    """What `fetch` takes."""

    identifier: str


def _registry() -> Registry:
    registry = Registry("real", "1.0.0")

    @registry.tool
    async def search(args: Query, ex: Exchange) -> str:
        """Search the catalogue for what matches the query."""
        return args.query

    @registry.tool
    async def fetch(args: Identifier, ex: Exchange) -> str:
        """Fetch one catalogue entry by its identifier."""
        return args.identifier

    return registry


def _application(kind: str) -> web.Application:
    registry = _registry()
    in_flight = 0
    seen: dict[str, int] = {}

    @web.middleware
    async def counted(request: web.Request, handler: Callable[[web.Request], Awaitable[Any]]) -> Any:
        nonlocal in_flight
        if request.path == "/watched":
            return await handler(request)
        seen[request.method] = seen.get(request.method, 0) + 1
        in_flight += 1
        try:
            return await handler(request)
        finally:
            in_flight -= 1

    async def look(request: web.Request) -> web.Response:
        del request
        open_ = len(registry.session_store.records)
        return web.Response(text=json.dumps({"in_flight": in_flight, "seen": seen, "open": open_}))

    app = web.Application(middlewares=[counted])
    app.router.add_get("/watched", look)
    if kind == "http":
        Endpoint(registry).setup(app, "/mcp")
    else:
        SseEndpoint(registry).setup(app, "/sse", "/messages")
    return app


async def _serve(ready: Path, kinds: list[str]) -> None:
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    ports = {}
    for kind in kinds:
        runner = web.AppRunner(_application(kind), shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ports[kind] = runner.addresses[0][1]
    fresh = ready.with_suffix(".fresh")
    fresh.write_text(json.dumps(ports), encoding="utf-8")
    fresh.replace(ready)
    await over.wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), sys.argv[2:]))
