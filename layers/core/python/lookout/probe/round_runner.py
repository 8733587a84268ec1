"""All servers of one shard at once: spread over the minute, few at one host, none able to delay or break another."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
import time
from collections import defaultdict
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from lookout.config.model import Server
from lookout.probe.client import GOODBYE_S, probe_server
from lookout.probe.network import Resolver, system_resolver
from lookout.probe.result import Era, ProbeResult, Reason, Status

MARGIN_S: Final = GOODBYE_S + 0.5


def jitter(region: str, slug: str, spread_s: float) -> float:
    """Seconds after the round's beginning at which this region probes this server: stable, and different elsewhere."""
    digest = hashlib.sha256(f"{region}\x1f{slug}".encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 * spread_s


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _unknown(server: Server, reason: Reason, message: str) -> ProbeResult:
    return ProbeResult(server.slug, Status.UNKNOWN, _now_ms(), reason=reason, message=message)


async def probe_round(
    servers: Sequence[Server],
    *,
    credentials: Mapping[str, Mapping[str, str] | None],
    deadline: float,
    spread_s: float,
    region: str,
    per_host: int,
    known_eras: MutableMapping[str, Era],
    resolver: Resolver = system_resolver,
    ssl_context: ssl.SSLContext | None = None,
) -> list[ProbeResult]:
    """One result per server, in order, before `deadline` (loop time). `known_eras` is read and brought up to date."""
    hosts: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(per_host))
    context = ssl_context or ssl.create_default_context()

    async def one(server: Server) -> ProbeResult:
        headers = credentials.get(server.slug, {})
        if headers is None:
            return _unknown(server, Reason.CREDENTIAL_UNAVAILABLE, "a referenced secret could not be read")
        await asyncio.sleep(jitter(region, server.slug, spread_s))
        async with hosts[urlsplit(server.url).hostname or ""]:
            result = await probe_server(
                server,
                credentials=headers,
                deadline=deadline - MARGIN_S,
                now_ms=_now_ms,
                known_era=known_eras.get(server.slug),
                resolver=resolver,
                ssl_context=context,
            )
        if result.era is not None and not result.status.failing:
            known_eras[server.slug] = result.era
        elif result.status.failing:
            known_eras.pop(server.slug, None)
        return result

    tasks = [asyncio.create_task(one(server)) for server in servers]
    if not tasks:
        return []
    _, late = await asyncio.wait(tasks, timeout=max(0.0, deadline - asyncio.get_running_loop().time()))
    for task in late:
        task.cancel()
    if late:
        await asyncio.wait(late, timeout=0.2)
    out = []
    for server, task in zip(servers, tasks, strict=True):
        if task.done() and not task.cancelled() and task.exception() is None:
            out.append(task.result())
        else:
            out.append(_unknown(server, Reason.PROBER_ERROR, "our own time ran out"))
    return out
