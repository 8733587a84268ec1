"""All servers of one shard at once: spread over the minute, few at one host, none able to delay or break another."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
import time
from collections import defaultdict
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urlsplit

from lookout.config.model import Server
from lookout.probe.client import GOODBYE_S, probe_server
from lookout.probe.credential import ANONYMOUS, Credential, Source, Unavailable
from lookout.probe.network import Resolver, system_resolver
from lookout.probe.result import Era, Layer, ProbeResult, Reason, Status
from lookout.probe.rules.past import Past

MARGIN_S: Final = GOODBYE_S + 0.5
DAY_MINUTES: Final = 1440
RETRY_AFTER_LIMIT_S: Final = 3600
"""How long a Retry-After is obeyed at most: longer, and a server could hide behind it."""
PATIENT_ROUNDS: Final = 5
"""Failing rounds in a row after which a server is spared the search for another era, but every fifth time."""


@dataclass(slots=True)
class Memory:
    """What this process remembers of one server between rounds. Losing it costs a few requests, never a verdict."""

    era: Era | None = None
    failures: int = 0
    """Failing probes in a row."""
    past: Past = field(default_factory=Past)
    """What rules compare with."""
    not_before_ms: int = 0
    """Until when a 429 asked not to be asked again (unix milliseconds)."""

    def learn(self, result: ProbeResult) -> None:
        """Keep what the next probe may build on."""
        if result.era is not None:
            self.era = result.era
        self.failures = self.failures + 1 if result.status.failing else 0
        if result.reason is Reason.RATE_LIMITED and result.retry_after_s is not None:
            self.not_before_ms = result.at_ms + min(result.retry_after_s, RETRY_AFTER_LIMIT_S) * 1000


def fraction(*parts: str) -> float:
    """A stable number in [0, 1) of these names."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32


def jitter(region: str, slug: str, spread_s: float) -> float:
    """Seconds after the round's beginning at which this region probes this server: stable, and different elsewhere."""
    return fraction(region, slug) * spread_s


def verify_era(region: str, slug: str, minute: int) -> bool:
    """Is this the minute of the day in which a remembered era is found anew? Stable, and different elsewhere."""
    return minute // 60 % DAY_MINUTES == int(fraction("era", region, slug) * DAY_MINUTES)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _unknown(server: Server, reason: Reason, message: str) -> ProbeResult:
    return ProbeResult(server.slug, Status.UNKNOWN, _now_ms(), reason=reason, message=message)


async def probe_round(
    servers: Sequence[Server],
    *,
    minute: int,
    credentials: Mapping[str, Credential | Unavailable | Source],
    deadline: float,
    spread_s: float,
    region: str,
    per_host: int,
    memories: MutableMapping[str, Memory],
    resolver: Resolver = system_resolver,
    ssl_context: ssl.SSLContext | None = None,
) -> list[ProbeResult]:
    """One result per server, in order, before `deadline` (loop time). `memories` is read and brought up to date."""
    hosts: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(per_host))
    ends = deadline - MARGIN_S

    async def one(server: Server) -> ProbeResult:
        memory = memories.setdefault(server.slug, Memory())
        await asyncio.sleep(jitter(region, server.slug, spread_s))
        if _now_ms() < memory.not_before_ms:
            message = "not asked: the server's Retry-After has not passed"
            return replace(_unknown(server, Reason.RATE_LIMITED, message), layer=Layer.HTTP)
        given = credentials.get(server.slug, ANONYMOUS)
        credential = given if isinstance(given, Credential | Unavailable) else await given(ends)
        if isinstance(credential, Unavailable):
            return _unknown(server, Reason.CREDENTIAL_UNAVAILABLE, credential.message)
        daily = verify_era(region, server.slug, minute)
        if daily:
            memory.past.forget()
        known = Era(server.era) if server.era else None if daily else memory.era
        spared = memory.failures >= PATIENT_ROUNDS and memory.failures % PATIENT_ROUNDS != 0
        async with hosts[urlsplit(server.url).hostname or ""]:
            result = await probe_server(
                server,
                credential=credential,
                deadline=ends,
                now_ms=_now_ms,
                known_era=known,
                forced=server.era is not None or (spared and known is not None),
                resolver=resolver,
                ssl_context=ssl_context,
                past=memory.past,
            )
        memory.learn(result)
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
