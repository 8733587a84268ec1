"""Shards for bench/judge.py: servers that have been watched for eight days, and the rounds of the next minute."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lookout.config.model import SHARD_SIZE, Server, Site
from lookout.config.window import Window
from lookout.history import round as rounds
from lookout.history.round import Round, pack_json, unpack_json
from lookout.probe.result import Layer, ProbeResult, Reason, Status
from lookout.verdict.case import Incident
from lookout.verdict.judge import Judgement, judge_minute
from lookout.verdict.state import ServerState, ShardState
from support.world import NOON, REGIONS, probe

SITE = Site("Bench", "us-east-1", REGIONS)
DAYS = 8
MINUTES_A_DAY = 15
FAILING, OPENING, RESOLVING = 7, 3, 5
"""The places in a shard of a server that is down, of one whose incident opens in the next minute, of one whose ends."""
RARE = 25
"""Every so many shards have the latter two."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One shard before the minute that is judged. `incidents` are open, by id."""

    servers: tuple[Server, ...]
    state: ShardState
    incidents: Mapping[str, Incident]
    rounds: Mapping[str, Round]


def shards(count: int) -> list[Shard]:
    """`count` servers. All shards of a kind have lived through the same; their next minutes differ."""
    rng = random.Random(count)
    out = []
    for first in range(0, count, SHARD_SIZE):
        size, number = min(SHARD_SIZE, count - first), first // SHARD_SIZE
        calm = number % RARE != 0
        out.append(_named(_lived(size, calm), f"s{number:03d}", first, calm, rng))
    return out


_known: dict[tuple[int, bool], Shard] = {}


def _lived(size: int, calm: bool) -> Shard:
    """A shard that has been judged on eight days, for as many minutes of each as a baseline needs."""
    if (size, calm) not in _known:
        rng = random.Random(size)
        servers = tuple(_server(f"server-{i:05d}", "s000") for i in range(size))
        state, incidents = ShardState("s000"), dict[str, Incident]()
        minutes = [NOON - day * 86400 - 60 * i for day in range(DAYS) for i in range(1, MINUTES_A_DAY + 1)]
        for minute in sorted(minutes):
            by_region = _rounds("s000", servers, minute, calm, rng)
            judged = judge_minute(state, minute, by_region, servers, SITE, incidents)
            state = replace(judged.state, version=state.version + 1)
            incidents |= {one.id: replace(one, version=one.version + 1) for one in judged.incidents}
            incidents = {key: one for key, one in incidents.items() if one.resolved_at is None}
        _known[size, calm] = Shard(servers, state, incidents, {})
    return _known[size, calm]


def _named(template: Shard, shard: str, first: int, calm: bool, rng: random.Random) -> Shard:
    """The same under names of its own, with the rounds of the next minute."""
    name = {server.slug: f"server-{first + i:05d}" for i, server in enumerate(template.servers)}
    servers = tuple(_server(name[server.slug], shard) for server in template.servers)
    incidents = {
        f"{key}-{shard}": replace(i, id=f"{key}-{shard}", slug=name[i.slug]) for key, i in template.incidents.items()
    }
    states = {
        name[slug]: replace(one, slug=name[slug], incidents={k: f"{i}-{shard}" for k, i in one.incidents.items()})
        for slug, one in template.state.servers.items()
    }
    state = replace(template.state, shard=shard, servers=states)
    return Shard(servers, state, incidents, _rounds(shard, servers, NOON, calm, rng))


def _server(slug: str, shard: str) -> Server:
    return Server(slug, f"https://{slug}.example.com/mcp", slug.title(), shard=shard)


def _rounds(shard: str, servers: Iterable[Server], minute: int, calm: bool, rng: random.Random) -> dict[str, Round]:
    """A minute's rounds by region. Before NOON: two failing rounds of one server, one good round of another."""
    down = {FAILING}
    if not calm and minute >= NOON - 120:
        down.add(OPENING)
    if not calm and minute < NOON - 60:
        down.add(RESOLVING)
    by_region: dict[str, list[ProbeResult]] = {region: [] for region in REGIONS}
    for place, server in enumerate(servers):
        for found in by_region.values():
            seen = probe(server.slug, minute, rng)
            surface = f"{place:02x}" * 32  # as before: what it offers does not change
            seen = replace(seen, tools_hash=surface, surface_address=surface, asked_as="0f3a5c")
            if place in down:
                seen = replace(seen, status=Status.DOWN, layer=Layer.HTTP, reason=Reason.HTTP_5XX, message="HTTP 502")
            found.append(seen)
    return {region: Round(shard, minute, region, tuple(found)) for region, found in by_region.items()}


@dataclass
class PackedStore:
    """What a judge needs of the store, in memory; every item is packed as the tables hold it."""

    definitions: list[str]
    states: dict[str, tuple[int, bytes]]
    rounds_of: dict[str, dict[str, bytes]]
    incident_rows: dict[str, tuple[int, str]]
    written: list[Any] = field(default_factory=list)

    @classmethod
    def of(cls, made: Iterable[Shard]) -> PackedStore:
        """Holding those shards, before the minute."""
        store = cls([], {}, {}, {})
        for one in made:
            shard = one.state.shard
            store.definitions += [_dump(server.to_item()) for server in one.servers]
            store.states[shard] = (one.state.version, _pack_state(one.state))
            store.rounds_of[shard] = {region: rounds.pack(item) for region, item in one.rounds.items()}
            store.incident_rows |= {key: (i.version, _dump(i.to_json())) for key, i in one.incidents.items()}
        return store

    def roster(self, **_: bool) -> tuple[Site, list[Server]]:
        """All definitions."""
        return SITE, [Server.from_item(json.loads(text)) for text in self.definitions]

    def shard_state(self, shard: str) -> ShardState:
        """One state."""
        version, packed = self.states[shard]
        _, value = unpack_json(packed, (1,))
        servers = {slug: ServerState.from_json(one) for slug, one in value["servers"].items()}
        return ShardState(shard, version, value["judged"], servers)

    def server_states(self) -> dict[str, ServerState]:
        """Every state, as a judge reads them where an incident opens."""
        return {slug: one for shard in self.states for slug, one in self.shard_state(shard).servers.items()}

    def rounds(self, shard: str, *_: int) -> dict[int, dict[str, Round]]:
        """The rounds of the minute."""
        return {NOON: {region: rounds.unpack(data) for region, data in self.rounds_of[shard].items()}}

    def maintenance(self, *_: int) -> list[Window]:
        """No windows but those of the site, which has none."""
        return []

    def open_incidents(self, states: Iterable[ServerState]) -> dict[str, Incident]:
        """Those the states name."""
        named = [key for state in states for key in state.incidents.values()]
        rows = {key: self.incident_rows[key] for key in named}
        return {key: Incident.from_json(json.loads(text), version) for key, (version, text) in rows.items()}

    def commit(self, judgement: Judgement, _: int) -> ShardState:
        """Pack what was judged."""
        after = replace(judgement.state, version=judgement.state.version + 1)
        self.written += [
            _pack_state(after),
            pack_json(1, dict(judgement.verdicts)),
            *(_dump(one.to_json()) for one in judgement.incidents),
            *(_dump(one.to_json()) for one in judgement.notices),
            *(_dump(one.to_json()) for one in judgement.changes),
        ]
        return after


def _dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def _pack_state(state: ShardState) -> bytes:
    servers = {slug: one.to_json() for slug, one in state.servers.items()}
    return pack_json(1, {"judged": state.judged, "servers": servers})
