"""What changes between the servers we have and the servers a file wants. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lookout.config.model import SHARD_SIZE, Server


@dataclass(frozen=True, slots=True)
class Plan:
    """Every server carries its shard."""

    created: tuple[Server, ...]
    changed: tuple[Server, ...]
    removed: tuple[Server, ...]
    unchanged: tuple[Server, ...]


def assign_shards(taken: Mapping[str, int], wanted: Sequence[Server]) -> list[Server]:
    """Give each server the first shard with room (`s000`, `s001`, ...); `taken` counts the servers that stay."""
    counts = Counter(taken)
    out = []
    number = 0
    for server in wanted:
        while counts[f"s{number:03d}"] >= SHARD_SIZE:
            number += 1
        shard = f"s{number:03d}"
        counts[shard] += 1
        out.append(replace(server, shard=shard))
    return out


def plan(current: Mapping[str, Server], wanted: Sequence[Server]) -> Plan:
    """Compare by slug. A server that stays keeps its shard, so adding or removing others never moves its state."""
    kept = [replace(server, shard=current[server.slug].shard) for server in wanted if server.slug in current]
    new = [server for server in wanted if server.slug not in current]
    wanted_slugs = {server.slug for server in wanted}
    return Plan(
        created=tuple(assign_shards(Counter(server.shard for server in kept), new)),
        changed=tuple(server for server in kept if server != current[server.slug]),
        removed=tuple(server for slug, server in current.items() if slug not in wanted_slugs),
        unchanged=tuple(server for server in kept if server == current[server.slug]),
    )
