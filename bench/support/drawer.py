"""The tables as a rollup sees them, in memory: packed and unpacked as in DynamoDB, and nothing is sent."""

# ruff: noqa: ARG002 -- it has the signatures of lookout.store.Store

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from lookout.config.model import SHARD_SIZE, Server, Site
from lookout.history import packing
from lookout.history import round as rounds
from lookout.history.chunk import DAY, HOUR, Chunk, build
from lookout.history.day import DaySummary, summarise
from lookout.history.latency import Sketch
from lookout.history.round import Round, pack_json, unpack_json
from lookout.store.archive import Held
from lookout.verdict.state import ShardState
from support.world import HOME, REGIONS, probe

MARK = "server-xxxxx-"


@dataclass(slots=True)
class Drawer:
    """One hour of so many servers, judged and not rolled up; the hours of three days before it are rolled up.

    All servers share the bytes of those: they hold no name, and the hour is put in when they are read.
    """

    hour: int
    earlier: bytes = b""
    days_before: dict[int, bytes] = field(default_factory=dict)
    servers: list[Server] = field(default_factory=list)
    packed: dict[tuple[str, int, str], bytes] = field(default_factory=dict)
    verdicts_: dict[str, bytes] = field(default_factory=dict)
    hours: dict[tuple[str, int], bytes] = field(default_factory=dict)
    days_: dict[tuple[str, int], bytes] = field(default_factory=dict)
    latencies: dict[tuple[str, int], bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, count: int, hour: int) -> Drawer:
        """Every shard sees what the first one saw: only the names differ."""
        drawer, rng = cls(hour), random.Random(7)
        size = min(count, SHARD_SIZE)
        slugs = [f"{MARK}{i:02d}" for i in range(size)]
        drawer._fill(rng)
        template = {
            (minute, region): zlib.decompress(
                rounds.pack(Round(MARK, minute, region, tuple(probe(slug, minute, rng) for slug in slugs)))[1:]
            )
            for minute in range(hour, hour + HOUR, 60)
            for region in REGIONS
        }
        for number in range(-(-count // SHARD_SIZE)):
            shard, name = f"s{number:05d}", f"server-{number:05d}-"
            mine = [slug.replace(MARK, name) for slug in slugs]
            drawer.servers += [Server(slug, f"https://{slug}.example.com/mcp", shard=shard) for slug in mine]
            drawer.verdicts_[shard] = pack_json(1, dict.fromkeys(mine, "u"))
            for (minute, region), text in template.items():
                own = text.replace(MARK.encode(), name.encode())
                drawer.packed[shard, minute, region] = bytes([rounds.VERSION]) + zlib.compress(own, 9)
        return drawer

    def _fill(self, rng: random.Random) -> None:
        verdicts = {minute: {MARK: "u"} for minute in range(self.hour, self.hour + HOUR, 60)}
        seen = [Round(MARK, minute, region, (probe(MARK, minute, rng),)) for minute in verdicts for region in REGIONS]
        chunk = build(MARK, self.hour, verdicts, seen)
        self.earlier = packing.pack_chunk(chunk)
        for day in range(self.hour // DAY * DAY - 3 * DAY, self.hour, DAY):
            hours = range(day, min(day + DAY, self.hour), HOUR)
            summary = summarise(MARK, day, [replace(chunk, hour=hour) for hour in hours])
            self.days_before[day] = packing.pack_day(summary)

    def roster(self) -> tuple[Site, list[Server]]:
        return Site("Bench", HOME, REGIONS), self.servers

    def shard_states(self) -> list[ShardState]:
        return [ShardState(shard, 1, self.hour + HOUR - 60) for shard in self.verdicts_]

    def late_hours(self, shard: str, now: int) -> dict[int, bytes]:
        return {}

    def verdicts(self, shard: str, hour: int, now: int, *, consistent: bool) -> dict[int, dict[str, str]]:
        if hour != self.hour:
            return {}
        return {minute: unpack_json(self.verdicts_[shard], (1,))[1] for minute in range(hour, hour + HOUR, 60)}

    def rounds(self, shard: str, since: int, until: int, now: int, *, consistent: bool) -> dict[int, dict[str, Round]]:
        out: dict[int, dict[str, Round]] = {}
        if since == self.hour:
            for minute in range(since, until + 1, 60):
                out[minute] = {r: rounds.unpack(self.packed[shard, minute, r]) for r in REGIONS}
        return out

    def incidents_since(self, slug: str, since: int) -> list[object]:
        return []

    def held_chunks(self, slug: str, since: int, until: int, now: int, *, consistent: bool) -> dict[int, Held[Chunk]]:
        out = {}
        for hour in range(since, min(until, self.hour + HOUR), HOUR):
            data = self.hours.get((slug, hour), self.earlier if hour < self.hour else None)
            if data is not None:
                out[hour] = Held(replace(packing.unpack_chunk(slug, data), hour=hour), data)
        return out

    def chunks(self, slug: str, since: int, until: int, now: int, *, consistent: bool) -> list[Chunk]:
        held = self.held_chunks(slug, since, until, now, consistent=consistent).values()
        return [one.value for one in held if one.value is not None]

    def replace_chunk(self, chunk: Chunk, before: bytes | None) -> None:
        self.hours[chunk.slug, chunk.hour] = packing.pack_chunk(chunk)

    def held_days(
        self, slug: str, since: int, until: int, now: int, *, consistent: bool = False
    ) -> dict[int, Held[DaySummary]]:
        days = range(since // DAY * DAY, until, DAY)
        found = ((day, self.days_.get((slug, day), self.days_before.get(day))) for day in days)
        return {day: Held(packing.unpack_day(slug, data), data) for day, data in found if data is not None}

    def days(self, slug: str, since: int, until: int, now: int) -> Iterator[DaySummary]:
        return (one.value for one in self.held_days(slug, since, until, now).values() if one.value is not None)

    def replace_day(self, summary: DaySummary, before: bytes | None) -> None:
        self.days_[summary.slug, summary.day] = packing.pack_day(summary)

    def put_sketches(self, slug: str, day: int, sketches: Mapping[str, Sketch]) -> None:
        self.latencies[slug, day] = packing.pack_sketches(sketches)
