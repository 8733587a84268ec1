"""A server that failed is asked again within its minute, so that three failures in a row take less than one.

Decision 12, Q1. Each time is a round of its own, a confirmation, beside the minute's round: it counts for no uptime.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final

from lookout.config.model import Server
from lookout.history.round import Round
from lookout.probe.result import ProbeResult

LAST_S: Final = 58
"""Seconds of the minute by which every confirmation has ended: the next minute's probe begins after it."""

Probe = Callable[[Sequence[Server]], Awaitable[list[ProbeResult]]]
"""Probes these servers now."""


async def confirm(
    round_: Round,
    servers: Sequence[Server],
    *,
    until: float,
    wall: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
    probe: Probe,
) -> AsyncIterator[Round]:
    """The confirmations of a round, each when it is there. `until` and `wall` are unix seconds."""
    until = min(until, round_.minute + LAST_S)
    failing = {result.slug: result for result in round_.results if result.status.failing}
    again = [server for server in servers if server.confirm_every_s is not None and server.slug in failing]
    count = 0
    while again:
        starts = max(wall(), *(failing[server.slug].at_ms / 1000 + (server.confirm_every_s or 0) for server in again))
        again = [server for server in again if starts + server.timeout_s <= until]
        if not again:
            return
        await sleep(starts - wall())
        results = await probe(again)
        count += 1
        yield replace(round_, results=tuple(_bare(result) for result in results), confirmation=count)
        failing = {result.slug: result for result in results if result.status.failing}
        again = [server for server in again if server.slug in failing]


def _bare(result: ProbeResult) -> ProbeResult:
    """Without the surface: that is the minute's round's to tell."""
    return replace(result, surface=None, surface_address=None)
