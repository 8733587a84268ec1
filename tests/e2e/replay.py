"""What an undisturbed Lookout makes of the rounds that are stored: judged minute by minute, from nothing, in memory."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from lookout.jobs.judging import judge_shards
from lookout.verdict.schedule import ROUND_DEADLINE_S

from tests.handlers.memory import Memory

SHARD = "s000"


@dataclass(frozen=True, slots=True)
class Told:
    """All that judging wrote, as text: one difference of a byte is a difference."""

    judged: int
    states: dict[str, str]
    verdicts: dict[int, str]
    incidents: dict[str, str]
    notices: dict[str, str]


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def stored(world: Any) -> Told:
    """What the deployed Lookout wrote since it began anew."""
    now, state = int(time.time()), world.store.shard_state(SHARD)
    slugs = [server.slug for server in world.store.roster()[1]]
    hours = range((state.judged - 7200) // 3600 * 3600, state.judged + 1, 3600)
    verdicts = {m: v for hour in hours for m, v in world.store.verdicts(SHARD, hour, now, consistent=True).items()}
    return Told(
        state.judged,
        {slug: _text(one.to_json()) for slug, one in state.servers.items()},
        {minute: _text(found) for minute, found in sorted(verdicts.items())},
        {i.id: _text(i.to_json()) for slug in slugs for i in world.store.incidents(slug, 100)},
        {n.id: _text(n.to_json()) for n in world.store.recent_notices(100)},
    )


def replayed(world: Any) -> Told:
    """What the stored rounds say up to the minute that was judged last, had nothing failed when it was due."""
    site, servers = world.store.roster()
    now, until = int(time.time()), world.store.shard_state(SHARD).judged
    rounds = world.store.rounds(SHARD, until - 2 * 3600, until, now, consistent=True)
    memory = Memory(site, servers)
    for minute in range(min(rounds, default=until + 60), until + 60, 60):
        for round_ in rounds.get(minute, {}).values():
            memory.put_round(round_, minute)
        store: Any = memory
        judge_shards(store, {SHARD}, minute + ROUND_DEADLINE_S, _unread)
    state = memory.shard_state(SHARD)
    return Told(
        state.judged,
        {slug: _text(one.to_json()) for slug, one in state.servers.items()},
        {minute: _text(found) for (_, minute), found in sorted(memory.judged.items())},
        {i.id: _text(i.to_json()) for i in memory.incidents.values()},
        {n.id: _text(n.to_json()) for n in memory.notices.values()},
    )


def _unread(address: str) -> bytes:
    raise AssertionError(f"nothing changed, and yet {address} was read")
