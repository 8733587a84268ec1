"""probe: give each probe its credential, probe all servers of a shard in the time there is, store one round."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, MutableMapping, Sequence

from lookout.config.model import Server, Site
from lookout.credentials.keyring import Keyring
from lookout.history.round import Round
from lookout.jobs.confirming import confirm
from lookout.probe.result import ProbeResult
from lookout.probe.round_runner import Memory, probe_round

STORE_RESERVE_S = 10.0
"""Seconds kept back from the probes so that their surfaces and their round can still be stored, or the round queued."""
QUEUE_RESERVE_S = 4.0
"""Seconds of that for the queue: so long before its end, the probe stops waiting for the home region."""


async def probe_shard(
    shard: str,
    minute: int,
    site: Site,
    servers: Sequence[Server],
    *,
    region: str,
    seconds: float,
    keyring: Keyring,
    memories: MutableMapping[str, Memory],
) -> Round:
    """The round of one shard in one region; `seconds` are what the invocation has left."""
    deadline = asyncio.get_running_loop().time() + max(1.0, seconds - STORE_RESERVE_S)
    results = await probe_round(
        servers,
        minute=minute,
        credentials=keyring.credentials(servers),
        deadline=deadline,
        spread_s=site.spread_s,
        region=region,
        per_host=site.per_host,
        memories=memories,
    )
    return Round(shard, minute, region, tuple(results))


async def confirm_shard(
    round_: Round,
    site: Site,
    servers: Sequence[Server],
    *,
    seconds: float,
    keyring: Keyring,
    memories: MutableMapping[str, Memory],
    keep: Callable[[Round], object],
) -> int:
    """Ask again within the minute whoever failed in a round and wants that; `keep` each answer. How many there were."""
    clock = asyncio.get_running_loop().time
    ends = clock() + seconds - QUEUE_RESERVE_S

    async def probe(again: Sequence[Server]) -> list[ProbeResult]:
        return await probe_round(
            again,
            minute=round_.minute,
            credentials=keyring.credentials(again),
            deadline=ends,
            spread_s=0,
            region=round_.region,
            per_host=site.per_host,
            memories=memories,
        )

    until = time.time() + seconds - QUEUE_RESERVE_S
    count = 0
    async for confirmation in confirm(round_, servers, until=until, wall=time.time, sleep=asyncio.sleep, probe=probe):
        keep(confirmation)
        count += 1
    return count
