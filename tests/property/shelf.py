"""The store of `tests.handlers.memory`, with what the real one adds: every value goes through its bytes, an incident is
written only where its row is as expected, a removal is one transaction with the state it takes the server from.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace

from lookout.config.model import Server, Site
from lookout.errors import ConflictError
from lookout.history import round as rounds
from lookout.history.round import Round, pack_json, unpack_json
from lookout.verdict.case import Incident, SurfaceChange
from lookout.verdict.incidents import close
from lookout.verdict.judge import Judgement
from lookout.verdict.state import ServerState, ShardState

from tests.handlers.memory import Memory


class Killed(BaseException):
    """The process ends here. Not an Exception: nobody in it lives to handle it."""


def packed_state(state: ShardState) -> bytes:
    """A shard's state as the store packs it."""
    return pack_json(1, {"judged": state.judged, "servers": {k: s.to_json() for k, s in state.servers.items()}})


def unpacked_state(shard: str, version: int, data: bytes) -> ShardState:
    """Inverse of `packed_state`."""
    _, value = unpack_json(data, (1,))
    servers = {slug: ServerState.from_json(one) for slug, one in value["servers"].items()}
    return ShardState(shard, version, value["judged"], servers)


class Shelf(Memory):
    """`before_commit` is called with each judgement before its transaction, and may be anything that happens then."""

    def __init__(self, site: Site | None, servers: Iterable[Server]) -> None:
        super().__init__(site, servers)
        self.bytes: dict[str, bytes] = {}
        self.by_minute: dict[tuple[str, int], dict[str, Round]] = {}
        self.changes: dict[str, SurfaceChange] = {}
        self.before_commit: Callable[[Judgement], None] = lambda _: None
        self.after_commit: Callable[[Judgement], None] = lambda _: None

    def put_round(self, item: Round, now: int) -> bool:
        if (item.shard, item.minute, item.region) in self.stored:
            return False
        read = rounds.unpack(rounds.pack(item))
        self.by_minute.setdefault((item.shard, item.minute), {})[item.region] = read
        return super().put_round(read, now)

    def put_state(self, state: ShardState) -> ShardState:
        self.bytes[state.shard] = packed_state(state)
        self.states[state.shard] = unpacked_state(state.shard, state.version + 1, self.bytes[state.shard])
        return self.states[state.shard]

    def commit(self, judgement: Judgement, now: int) -> ShardState:
        self.before_commit(judgement)
        for incident in judgement.incidents:
            there = self.incidents.get(incident.id)
            if incident.version != (there.version if there else 0):
                raise ConflictError(f"incident {incident.id} is not as it was")
        if any(change.id in self.changes for change in judgement.changes):
            raise ConflictError("the change is there already")
        super().commit(judgement, now)
        self.changes |= {c.id: SurfaceChange.from_json(json.loads(json.dumps(c.to_json()))) for c in judgement.changes}
        for incident in judgement.incidents:
            self.put_incident(incident)
        after = self.put_state(judgement.state)
        self.after_commit(judgement)
        return replace(after, servers=judgement.state.servers)

    def open_incidents(self, states: Iterable[ServerState]) -> dict[str, Incident]:
        found = (self.incidents[number] for state in states for number in state.incidents.values())
        return {incident.id: incident for incident in found if incident.resolved_at is None}

    def put_incident(self, incident: Incident) -> None:
        """As its next version."""
        data = json.loads(json.dumps(incident.to_json()))
        self.incidents[incident.id] = Incident.from_json(data, incident.version + 1)

    def remove(self, slug: str, now: int) -> None:
        """As `Store.apply_config` removes a server."""
        site, servers = self.definitions
        server = next(one for one in servers if one.slug == slug)
        assert site is not None
        shard = self.shard_state(server.shard)
        state = shard.servers.get(slug, ServerState(slug))
        for incident in self.open_incidents([state]).values():
            closed, notice = close(server, incident, now, "removed", state, site)
            assert notice.id not in self.notices
            self.put_incident(closed)
            self.notices[notice.id] = notice
        self.put_state(replace(shard, servers={k: s for k, s in shard.servers.items() if k != slug}))
        self.definitions = (site, [one for one in servers if one.slug != slug])
