"""Servers that are healthy, made by others or by us: no rule calls anything in them an error."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from lookout.config.model import Server
from lookout.probe.client import probe_server
from lookout.probe.result import Era, ProbeResult
from mcp.server import MCPServer
from starlette.types import ASGIApp

from tests.servers import hostile


def official() -> MCPServer:
    """A server of the official SDK with something of everything."""
    server: MCPServer = MCPServer("official", version="1")

    @server.tool()
    def add(a: int, b: float | None = None, mode: str = "sum") -> dict[str, float]:
        """Adds."""
        return {mode: a + (b or 0)}

    @server.tool(title="Echo", structured_output=False)
    def echo(text: str) -> str:
        """Echoes."""
        return text

    @server.resource("data://one")
    def one() -> str:
        """One."""
        return "1"

    @server.resource("data://{name}")
    def named(name: str) -> str:
        """A name."""
        return name

    @server.prompt()
    def ask(topic: str) -> str:
        """Asks."""
        return topic

    return server


@contextlib.asynccontextmanager
async def running(app: ASGIApp) -> AsyncIterator[str]:
    """`http://127.0.0.1:port` of an application while the context lasts."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="error", lifespan="on", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve([listener]))
    try:
        while not server.started:  # noqa: ASYNC110 -- uvicorn offers nothing to wait for
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


def probe(where: contextlib.AbstractAsyncContextManager[str], path: str, era: Era | None, **how: Any) -> ProbeResult:
    async def go() -> ProbeResult:
        async with where as base:
            lists = ("resources", "resource_templates", "prompts")
            server = Server("x", base + path, timeout_s=10, allow_private=True, lists=lists, **how)
            deadline = asyncio.get_running_loop().time() + 20
            return await probe_server(
                server, deadline=deadline, now_ms=lambda: 1_000, known_era=era, forced=era is not None
            )

    return asyncio.run(go())


MODES = {
    f"{'stateless' if stateless else 'stateful'} {'JSON' if body else 'SSE'}": (stateless, body)
    for stateless in (False, True)
    for body in (False, True)
}


@pytest.mark.parametrize("active", [False, True])
@pytest.mark.parametrize("era", [Era.MODERN, Era.LEGACY])
@pytest.mark.parametrize("mode", MODES)
def test_the_official_sdk_breaks_nothing(mode: str, era: Era, active: bool) -> None:
    stateless, body = MODES[mode]
    app = official().streamable_http_app(stateless_http=stateless, json_response=body)
    result = probe(running(app), "/mcp", era, active_checks=active)
    assert (result.era, result.tools_count) == (era, 2), result
    assert dict(result.counts) == {"resources": 1, "resource_templates": 1, "prompts": 1}
    wrong = [each for each in result.findings if each.severity == "error"]
    assert wrong == []
    if not active:
        assert [each for each in result.findings if each.severity == "warning"] == []


def test_the_official_sdk_over_http_and_sse_breaks_nothing() -> None:
    result = probe(running(official().sse_app()), "/sse", None)
    assert (result.era, result.tools_count) == (Era.SSE, 2), result
    assert [each for each in result.findings if each.severity != "info"] == []


@pytest.mark.parametrize("script", [hostile.good_modern, hostile.good_legacy])
def test_the_healthy_servers_of_other_tests_break_nothing(script: hostile.Script) -> None:
    @contextlib.asynccontextmanager
    async def where() -> AsyncIterator[str]:
        async with hostile.serving(script) as server:
            yield server.url

    result = probe(where(), "", None)
    assert result.era is not None
    assert [each for each in result.findings if each.severity != "info"] == []
