"""The promises of `lookout.store.Store` that handlers build on, kept in memory: what is written once, what is compared.

The contract suite (tests/contract/store) shows that the real one keeps them; `test_memory_has_the_stores_signatures`
that this one is called in the same way.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from lookout.config.model import Server, Site
from lookout.config.window import Window
from lookout.errors import ConflictError
from lookout.history.chunk import DAY, HOUR, Chunk
from lookout.history.day import DaySummary
from lookout.history.latency import Sketch
from lookout.history.packing import pack_chunk, pack_day
from lookout.history.round import Round
from lookout.store.archive import Held
from lookout.store.deliveries import Delivery
from lookout.verdict.burning import Burning
from lookout.verdict.case import Incident, Notice
from lookout.verdict.gathering import Book, Step
from lookout.verdict.judge import Judgement
from lookout.verdict.maintenance import over_at
from lookout.verdict.quiet import Waiting
from lookout.verdict.reports import Mark
from lookout.verdict.state import ServerState, ShardState
from lookout.verdict.watch import Watch


class QuietRows:
    """What waits for the end of quiet hours, in memory: `rows` by sink and `dedup_key`; digests go to `notices`."""

    notices: dict[str, Notice]

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Waiting] = {}
        self.records: dict[tuple[str, str], Delivery] = {}

    def quieted(self, sink: str, about: str) -> Waiting | None:
        return self.rows.get((sink, about))

    def all_quieted(self) -> list[Waiting]:
        return list(self.rows.values())

    def keep_quieted(self, waiting: Waiting, delivery: Delivery, now: int) -> None:
        key = (waiting.sink, waiting.notice.dedup_key)
        if (self.rows[key].version if key in self.rows else 0) != waiting.version:
            raise ConflictError("it moved")
        notice = Notice.from_json(json.loads(json.dumps(waiting.notice.to_json())))
        self.rows[key] = replace(waiting, notice=notice, version=waiting.version + 1)
        self.records[waiting.notice.id, waiting.sink] = delivery

    def tell_quieted(self, rows: Sequence[Waiting], digest: Notice | None, now: int) -> None:
        keys = [(row.sink, row.notice.dedup_key) for row in rows]
        if any(self.rows.get(key) != row for key, row in zip(keys, rows, strict=True)):
            raise ConflictError("it moved")
        for key in keys:
            del self.rows[key]
        if digest is not None:
            assert digest.id not in self.notices
            self.notices[digest.id] = digest


class Memory(QuietRows):
    """One Lookout's data. What each call wrote is in `writes`, so that a test can say what was not written."""

    def __init__(self, site: Site | None, servers: Iterable[Server]) -> None:
        super().__init__()
        self.definitions = (site, list(servers))
        self.stored: dict[tuple[str, int, str], Round] = {}
        self.again: dict[tuple[str, int], dict[int, dict[str, Round]]] = {}
        """Confirmations of a minute, by their number and region."""
        self.states: dict[str, ShardState] = {}
        self.judged: dict[tuple[str, int], dict[str, str]] = {}
        self.present: dict[tuple[str, int], tuple[str, ...]] = {}
        self.incidents: dict[str, Incident] = {}
        self.notices: dict[str, Notice] = {}
        self.held: dict[str, Notice] = {}
        """Notices of a mass failure: nobody is told of them before the tick says so."""
        self.hours: dict[tuple[str, int], Chunk] = {}
        self.summaries: dict[tuple[str, int], DaySummary] = {}
        self.latencies: dict[tuple[str, int], dict[str, Sketch]] = {}
        self.burning: dict[str, Burning] = {}
        self.windows: list[Window] = []
        """Maintenance that is not of the file."""
        self.marks: dict[tuple[str, int], bytes] = {}
        self.report: dict[tuple[str, str], Mark] = {}
        """Which digest was told last, by sink and kind."""
        self.writes: list[tuple[str, ...]] = []
        self.broken: dict[str, Exception] = {}
        """By shard or slug: what is raised when it is read or written."""

    def _check(self, name: str) -> None:
        if name in self.broken:
            raise self.broken[name]

    def roster(self, consistent: bool = False) -> tuple[Site | None, list[Server]]:
        del consistent
        return self.definitions

    def maintenance(self, since: int, now: int) -> list[Window]:
        del now
        return [one for one in self.windows if (over := over_at(one)) is None or over >= since]

    def add_window(self, window: Window) -> None:
        if any(one.id == window.id for one in self.windows):
            raise ConflictError("there already")
        self.windows.append(window)

    def change_window(self, before: Window, after: Window | None) -> None:
        if before not in self.windows:
            raise ConflictError("moved")
        self.windows = [one for one in self.windows if one != before] + ([after] if after is not None else [])

    def put_round(self, item: Round, now: int) -> bool:
        self._check(item.shard)
        if item.confirmation:
            found = self.again.setdefault((item.shard, item.minute), {}).setdefault(item.confirmation, {})
            return found.setdefault(item.region, item) is item
        key = (item.shard, item.minute, item.region)
        if now >= item.minute // HOUR * HOUR + HOUR:
            self.marks[item.shard, item.minute // HOUR * HOUR] = f"{item.minute}#{item.region}#{now}".encode()
        if key in self.stored:
            return False
        self.stored[key] = item
        self.writes.append(("round", item.shard, item.region))
        return True

    def confirmations(self, shard: str, minute: int, now: int) -> dict[int, dict[str, Round]]:
        return self.again.get((shard, minute), {})

    def late_hours(self, shard: str, now: int) -> dict[int, bytes]:
        return {hour: mark for (of, hour), mark in self.marks.items() if of == shard}

    def forget_late(self, shard: str, hour: int, mark: bytes) -> None:
        if self.marks.get((shard, hour)) == mark:
            del self.marks[shard, hour]

    def rounds(
        self, shard: str, since: int, until: int, now: int, *, consistent: bool = False
    ) -> dict[int, dict[str, Round]]:
        self._check(shard)
        out: dict[int, dict[str, Round]] = {}
        for (of, minute, region), item in self.stored.items():
            if of == shard and since <= minute <= until:
                out.setdefault(minute, {})[region] = item
        return out

    def verdicts(self, shard: str, hour: int, now: int, *, consistent: bool = False) -> dict[int, dict[str, str]]:
        self._check(shard)
        return {m: found for (of, m), found in self.judged.items() if of == shard and hour <= m < hour + HOUR}

    def heard(self, shard: str, hour: int, now: int) -> dict[int, tuple[str, ...]]:
        return {m: found for (of, m), found in self.present.items() if of == shard and hour <= m < hour + HOUR}

    def shard_state(self, shard: str) -> ShardState:
        self._check(shard)
        return self.states.get(shard, ShardState(shard))

    def shard_states(self, consistent: bool = False) -> list[ShardState]:
        return list(self.states.values())

    def server_states(self) -> dict[str, ServerState]:
        return {slug: state for shard in self.shard_states() for slug, state in shard.servers.items()}

    def incidents_since(self, slug: str, since: int) -> list[Incident]:
        return [i for i in self.incidents_touching(slug, since) if i.kind == "availability"]

    def incidents_touching(self, slug: str, since: int) -> list[Incident]:
        mine = sorted((i for i in self.incidents.values() if i.slug == slug), key=lambda i: i.id, reverse=True)
        lasted = [i for i in mine if i.kind == "availability" and (i.resolved_at is None or i.resolved_at > since)]
        return [i for i in mine if i in lasted or (i.kind != "availability" and i.opened_at >= since)]

    def incident(self, slug: str, incident_id: str) -> Incident | None:
        self._check(slug)
        return self.incidents.get(incident_id)

    def report_marks(self) -> dict[tuple[str, str], Mark]:
        return dict(self.report)

    def keep_report(self, mark: Mark, digest: Notice | None, now: int) -> None:
        del now
        self._check(mark.sink)
        key = (mark.sink, mark.kind)
        if (self.report[key].version if key in self.report else 0) != mark.version:
            raise ConflictError("told by another")
        self.report[key] = replace(mark, version=mark.version + 1)
        if digest is not None:
            assert digest.id not in self.notices
            self.notices[digest.id] = Notice.from_json(json.loads(json.dumps(digest.to_json())))

    def open_incidents(self, states: Iterable[ServerState]) -> dict[str, Incident]:
        found = (self.incidents.get(key) for state in states for key in state.incidents.values())
        return {i.id: i for i in found if i is not None and i.resolved_at is None}

    def keep_incident(self, incident: Incident, notices: Sequence[Notice], now: int) -> None:
        del now
        self._check(incident.slug)
        if self.incidents[incident.id].version != incident.version:
            raise ConflictError(f"incident {incident.id} was changed by another")
        if any(notice.id in self.notices for notice in notices):
            raise ConflictError("the notice is there already")
        self.incidents[incident.id] = replace(incident, version=incident.version + 1)
        self.notices |= {one.id: Notice.from_json(json.loads(json.dumps(one.to_json()))) for one in notices}
        self.writes.append(("incident", incident.id))

    def all_burning(self) -> dict[str, Burning]:
        return dict(self.burning)

    def keep_burning(self, burning: Burning, notices: Sequence[Notice], now: int) -> None:
        self._check(burning.slug)
        before = self.burning.get(burning.slug)
        if (before.version if before is not None else 0) != burning.version:
            raise ConflictError(f"the burn alert of {burning.slug} was kept by another tick")
        if any(notice.id in self.notices for notice in notices):
            raise ConflictError("the notice is there already")
        data = json.loads(json.dumps(burning.to_json()))
        self.burning[burning.slug] = Burning.from_json(burning.slug, burning.version + 1, data)
        self.notices |= {one.id: Notice.from_json(json.loads(json.dumps(one.to_json()))) for one in notices}
        self.writes.append(("burning", burning.slug))

    def commit(self, judgement: Judgement, now: int) -> ShardState:
        state = judgement.state
        if self.shard_state(state.shard).version != state.version:
            raise ConflictError(f"shard {state.shard}: somebody else judged minute {judgement.minute}")
        if any(notice.id in self.notices or notice.id in self.held for notice in judgement.notices):
            raise ConflictError("the notice is there already")
        after = ShardState(state.shard, state.version + 1, state.judged, state.servers)
        self.states[state.shard] = after
        if judgement.verdicts:
            self.judged[state.shard, judgement.minute] = dict(judgement.verdicts)
            self.present[state.shard, judgement.minute] = judgement.heard
        self.incidents |= {incident.id: incident for incident in judgement.incidents}
        for notice in judgement.notices:
            outbox = self.held if notice.held else self.notices
            outbox[notice.id] = Notice.from_json(json.loads(json.dumps(notice.to_json())))
        self.writes.append(("judgement", state.shard, str(judgement.minute)))
        return after

    def replace_chunk(self, item: Chunk, before: bytes | None) -> None:
        self._check(item.slug)
        there = self.hours.get((item.slug, item.hour))
        if before != (None if there is None else pack_chunk(there)):
            raise ConflictError("somebody else has written it")
        self.hours[item.slug, item.hour] = item
        self.writes.append(("chunk", item.slug, pack_chunk(item).hex()))

    def chunks(self, slug: str, since: int, until: int, now: int, *, consistent: bool = False) -> list[Chunk]:
        return list(self.each_chunk(slug, since, until, now))

    def each_chunk(self, slug: str, since: int, until: int, now: int, *, consistent: bool = False) -> Iterator[Chunk]:
        return iter([c for (of, hour), c in sorted(self.hours.items()) if of == slug and since <= hour < until])

    def held_chunks(
        self, slug: str, since: int, until: int, now: int, *, consistent: bool = False
    ) -> dict[int, Held[Chunk]]:
        return {c.hour: Held(c, pack_chunk(c)) for c in self.chunks(slug, since, until, now)}

    def replace_day(self, summary: DaySummary, before: bytes | None) -> None:
        there = self.summaries.get((summary.slug, summary.day))
        if before != (None if there is None else pack_day(there)):
            raise ConflictError("somebody else has written it")
        self.summaries[summary.slug, summary.day] = summary
        self.writes.append(("day", summary.slug, pack_day(summary).hex()))

    def days(self, slug: str, since: int, until: int, now: int) -> list[DaySummary]:
        first = since // DAY * DAY
        return [s for (of, day), s in sorted(self.summaries.items()) if of == slug and first <= day < until]

    def held_days(
        self, slug: str, since: int, until: int, now: int, *, consistent: bool = False
    ) -> dict[int, Held[DaySummary]]:
        return {s.day: Held(s, pack_day(s)) for s in self.days(slug, since, until, now)}

    def put_sketches(self, slug: str, day: int, sketches: dict[str, Sketch]) -> None:
        self.latencies[slug, day] = dict(sketches)

    def sketches(self, slug: str, since: int, until: int, now: int) -> dict[int, dict[str, Sketch]]:
        return {day: found for (of, day), found in self.latencies.items() if of == slug and since <= day < until}


class MemoryLog:
    """The promises of `lookout.store.watch.WatchLog`; `told` gets the notices, by id."""

    def __init__(self, told: dict[str, Notice]) -> None:
        self.watch = Watch()
        self.told = told
        self.broken: Exception | None = None

    def read(self) -> Watch:
        return self.watch

    def keep(self, watch: Watch, notices: tuple[Notice, ...]) -> None:
        if self.broken is not None:
            raise self.broken
        if self.watch.version != watch.version:
            raise ConflictError("the watch was kept by another tick")
        self.watch = Watch.from_json(watch.version + 1, json.loads(json.dumps(watch.to_json())))
        self.told |= {notice.id: notice for notice in notices}


class MemoryMass:
    """The promises of `lookout.store.mass.MassBook`, over the held and the told notices of a `Memory`."""

    def __init__(self, held: dict[str, Notice], told: dict[str, Notice]) -> None:
        self.held = held
        self.told = told
        self.stored = Book()
        self.steps: list[Step] = []
        self.broken: Exception | None = None

    def read(self) -> Book:
        if self.broken is not None:
            raise self.broken
        kept = Book.from_json(self.stored.version, json.loads(json.dumps(self.stored.to_json())))
        return Book(kept.version, kept.digests, tuple(self.held.values()), self.stored.taken)

    def keep(self, step: Step, now: int) -> None:
        del now
        before = self.read()
        if step.version != before.version + 1:
            raise ConflictError("another tick was first")
        taken = {key: {one.notice.id for one in rows} for key, rows in before.taken.items()}
        moved = [(notice, "") for notice, _ in step.taken] + list(step.released)
        assert all(notice.id in (taken[source] if source else self.held) for notice, source in moved)
        assert 1 + 2 * len(moved) + len(step.told) <= 100
        new = [*(notice for notice, _ in step.released), *step.told]
        assert not {notice.id for notice in new} & set(self.told)
        self.stored = replace(before.after(step), held=())
        for notice, _ in moved:
            self.held.pop(notice.id, None)
        self.told |= {notice.id: Notice.from_json(json.loads(json.dumps(notice.to_json()))) for notice in new}
        self.steps.append(step)
