"""What is compared. Each client is made once per process and then probes a URL: one call, one new connection, raising
where anything was not as it should be. `ours` is the only place that knows how Lookout's probe is called.
"""

from __future__ import annotations

import asyncio
import ssl
import time
import urllib.parse
from collections.abc import Awaitable, Callable, Mapping

TOOLS = 12
Probe = Callable[[str], Awaitable[Mapping[str, float]]]
"""URL -> the milliseconds the client reports by MCP method (empty where it reports none)."""


def ours(era: str, ca_file: str) -> Probe:
    from lookout.config.model import Server
    from lookout.probe.client import probe_server
    from lookout.probe.result import Era, Status
    from lookout.probe.rules.past import Past

    context = ssl.create_default_context(cafile=ca_file)
    known_era, past = Era(era), Past()  # what a warm process remembers of a server from minute to minute

    async def probe(url: str) -> Mapping[str, float]:
        result = await probe_server(
            Server("bench", url, allow_private=True, timeout_s=60, slow_after_ms=60_000),
            deadline=asyncio.get_running_loop().time() + 60,
            now_ms=lambda: time.time_ns() // 1_000_000,
            known_era=known_era,
            past=past,
            ssl_context=context,
        )
        if result.status is not Status.UP or result.tools_count != TOOLS or result.era is not known_era:
            raise RuntimeError(f"our probe found {result}")
        return {"tools/list": result.timings_ms["tools_list"]}

    return probe


def sdk(era: str, ca_file: str) -> Probe:
    import httpx2
    from mcp.client.client import Client
    from mcp.client.streamable_http import streamable_http_client

    context = ssl.create_default_context(cafile=ca_file)

    async def probe(url: str) -> Mapping[str, float]:
        async with httpx2.AsyncClient(verify=context, trust_env=False, timeout=60) as http:
            mode = "legacy" if era == "legacy" else "auto"
            async with Client(streamable_http_client(url, http_client=http), mode=mode) as client:
                found = await client.list_tools()
        if len(found.tools) != TOOLS:
            raise RuntimeError(f"the SDK found {len(found.tools)} tools")
        return {}

    return probe


def blackbox(address: str, _ca_file: str) -> Probe:
    """Drives the exporter at `address` (host:port) through its HTTP interface; the probing happens over there."""
    host, port = address.split(":")

    async def probe(url: str) -> Mapping[str, float]:
        query = urllib.parse.urlencode({"module": "mcp", "target": url})
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"GET /probe?{query} HTTP/1.0\r\nhost: {address}\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        if b"\nprobe_success 1\n" not in answer:
            raise RuntimeError(f"the exporter says: {answer.decode(errors='replace')}")
        return {}

    return probe


CLIENTS: dict[str, Callable[[str, str], Probe]] = {"ours": ours, "sdk": sdk, "blackbox": blackbox}
