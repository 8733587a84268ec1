"""The hourly chunk (every probe of one server in one hour, from every region) and the daily summary. Pure.

Chunk packing, version 1: 0x01 + zlib(JSON) of
`{"h": hour, "o": 60 outcome codes, "r": {region: [[minute 0..59, status code, latency ms, reason|null], ...]}}`.
`hour` and `day` are unix seconds of their beginning, UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lookout.history.round import Round, pack_json, unpack_json
from lookout.history.uptime import NOT_DUE, OUTCOME_CODES, Tally, tally, total
from lookout.probe.result import Status

VERSION: Final = 1
HOUR: Final = 3600
DAY: Final = 86400
_STATUS_OF: Final = {code: status for status, code in OUTCOME_CODES.items()}


@dataclass(frozen=True, slots=True)
class Sample:
    """One probe of one region: `minute` counts from the hour's beginning."""

    minute: int
    status: Status
    latency_ms: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class Chunk:
    """One server, one hour. `outcomes` has one code per minute (history.uptime.OUTCOME_CODES, `.` not due)."""

    slug: str
    hour: int
    outcomes: str
    samples: Mapping[str, tuple[Sample, ...]]

    @property
    def tally(self) -> Tally:
        """Of the quorum's outcomes, never of single regions."""
        return tally(self.outcomes)


def outcome_line(hour: int, verdicts: Mapping[int, Mapping[str, str]], slug: str) -> str:
    """60 codes of one server from the stored verdicts `{minute: {slug: code}}`."""
    return "".join(verdicts.get(hour + 60 * i, {}).get(slug, NOT_DUE) for i in range(60))


def build(slug: str, hour: int, verdicts: Mapping[int, Mapping[str, str]], rounds: Iterable[Round]) -> Chunk:
    """The chunk of one server from an hour's verdicts and rounds; the order of rounds does not matter."""
    samples: dict[str, list[Sample]] = {}
    for item in rounds:
        result = item.result(slug)
        if result is not None and hour <= item.minute < hour + HOUR:
            minute = (item.minute - hour) // 60
            reason = result.reason.value if result.reason else None
            samples.setdefault(item.region, []).append(Sample(minute, result.status, result.latency_ms, reason))
    ordered = {region: tuple(sorted(found, key=lambda s: s.minute)) for region, found in sorted(samples.items())}
    return Chunk(slug, hour, outcome_line(hour, verdicts, slug), ordered)


def pack(chunk: Chunk) -> bytes:
    """The bytes of a chunk item's `data` attribute."""
    rows = {
        region: [[s.minute, OUTCOME_CODES.get(s.status, "?"), s.latency_ms, s.reason] for s in found]
        for region, found in chunk.samples.items()
    }
    return pack_json(VERSION, {"h": chunk.hour, "o": chunk.outcomes, "r": rows})


def unpack(slug: str, data: bytes) -> Chunk:
    """Inverse of `pack`. Raises FormatError."""
    _, value = unpack_json(data, (VERSION,))
    samples = {
        region: tuple(Sample(m, _STATUS_OF[code], latency, reason) for m, code, latency, reason in rows)
        for region, rows in value["r"].items()
    }
    return Chunk(slug, value["h"], value["o"], samples)


@dataclass(frozen=True, slots=True)
class DaySummary:
    """One server, one UTC day. `hours` are the hours (unix s) already in `tally`."""

    slug: str
    day: int
    tally: Tally
    hours: tuple[int, ...]

    def to_item(self) -> dict[str, Any]:
        """Plain values for a database item."""
        t = self.tally
        return {"tally": [t.ok, t.fail, t.unknown, t.excluded, t.degraded], "hours": [h // HOUR for h in self.hours]}

    @classmethod
    def from_item(cls, slug: str, day: int, item: Mapping[str, Any]) -> DaySummary:
        """Inverse of `to_item`."""
        return cls(slug, day, Tally(*(int(n) for n in item["tally"])), tuple(int(h) * HOUR for h in item["hours"]))


def summarise(slug: str, day: int, chunks: Iterable[Chunk]) -> DaySummary:
    """The summary of a day from all its chunks: doing it again gives the same."""
    of_day = sorted((c for c in chunks if day <= c.hour < day + DAY), key=lambda c: c.hour)
    return DaySummary(slug, day, total(c.tally for c in of_day), tuple(c.hour for c in of_day))
