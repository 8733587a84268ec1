"""The digest of a day or a week: when it is due, what it counts of each server, the notice. Pure. Decision 20.

It counts what the history has, by the arithmetic of the history; no number is worked out here a second time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lookout.config.digest import Digest
from lookout.config.model import Server, Site
from lookout.history.spans import Span, clip, seconds
from lookout.history.uptime import Tally, total
from lookout.probe.result import Status
from lookout.verdict import ids
from lookout.verdict.case import Incident, Notice
from lookout.verdict.schedule import HORIZON_S
from lookout.verdict.summing import LISTED, NOTICE, summary

WAIT_S: Final = 3 * 3600
"""So long after its moment a digest waits until the servers are judged up to it."""
MISSED_S: Final = 12 * 3600
"""What could not be told so long after its moment is not told any more."""
_OUTAGE: Final = "availability"
_NAMES: Final = {"daily": "The last day", "weekly": "The last week"}


@dataclass(frozen=True, slots=True)
class Mark:
    """Which moment (unix s) a sink was told last, by which rule. `version` is the compare-and-set token, 0 before it
    was ever stored.
    """

    sink: str
    kind: str
    rule: str
    moment: int
    version: int = 0


@dataclass(frozen=True, slots=True)
class Due:
    """A digest that is to be told now: of [begin, end). `mark` says so once it is stored."""

    sink: str
    digest: Digest
    begin: int
    mark: Mark

    @property
    def end(self) -> int:
        """Its moment."""
        return self.mark.moment

    @property
    def span(self) -> Span:
        """The time it is of."""
        return self.begin, self.end


@dataclass(frozen=True, slots=True)
class Known:
    """One server in a span of time: its rounds, its outages, and the other incidents that began in it or lasted."""

    server: Server
    status: Status
    tally: Tally
    incidents: Sequence[Incident]


def first_marks(site: Site, marks: Mapping[tuple[str, str], Mark], now: int) -> Iterator[Mark]:
    """Of digests that are new, or come at other times than they did: they begin with their next moment."""
    for sink, digest, known in _asked(site, marks):
        if known is None or known.rule != digest.rule:
            yield Mark(sink, digest.every, digest.rule, digest.last(now), known.version if known is not None else 0)


def due(site: Site, marks: Mapping[tuple[str, str], Mark], now: int) -> Iterator[Due]:
    """The digests whose moment has come; those of a moment that is too long ago never do. `marks` by sink and kind."""
    for sink, digest, known in _asked(site, marks):
        end = digest.last(now)
        if known is not None and known.rule == digest.rule and end > known.moment and now - end <= MISSED_S:
            yield Due(sink, digest, digest.before(end), Mark(sink, digest.every, digest.rule, end, known.version))


def _asked(site: Site, marks: Mapping[tuple[str, str], Mark]) -> Iterator[tuple[str, Digest, Mark | None]]:
    for sink in site.sinks:
        for digest in sink.digests:
            yield sink.name, digest, marks.get((sink.name, digest.every))


def judged_to(end: int, judged: Iterable[int], now: int) -> bool:
    """Is all before `end` judged that ever will be, or has it been waited for long enough? `judged`: the last judged
    minute of each shard.
    """
    return now >= end + WAIT_S or all(max(minute + 60, now - HORIZON_S) >= end for minute in judged)


def notice(due: Due, known: Sequence[Known], now: int) -> Notice:
    """The digest of all these servers, of which there is at least one."""
    ranked = sorted((_rank(member), member) for member in (_member(one, due.span) for one in known))
    members = [member for _, member in ranked]
    rounds = total(one.tally for one in known)
    kind, key = due.digest.every, ids.ulid(due.end, due.sink, due.digest.every)
    report = {
        "kind": kind,
        "begins_at": due.begin,
        "ends_at": due.end,
        "servers": len(members),
        "fine": sum(rank[0] == _FINE for rank, _ in ranked),
        **_ratios(rounds),
        **{name: sum(one[name] for one in members) for name in ("outages", "downtime_seconds", "incidents")},
        "open": sum(len(one["open"]) for one in members),
        "members": members[:LISTED],
        "more": max(0, len(members) - LISTED),
    }
    public = all(one.server.public for one in known)
    return summary(ids.notice_id(key, NOTICE, now), key, _NAMES[kind], due.sink, report, now, public=public)


def _member(known: Known, span: Span) -> dict[str, Any]:
    begin, end = span
    there = [one for one in known.incidents if one.started_at < end and one.span[1] > begin]
    outages = [one for one in there if one.kind == _OUTAGE]
    return {
        "slug": known.server.slug,
        "name": known.server.title,
        "status": known.status.value,
        **_ratios(known.tally),
        "outages": len(outages),
        "downtime_seconds": seconds(clip((one.span for one in outages), begin, end)),
        "incidents": sum(one.kind != _OUTAGE and begin <= one.opened_at < end for one in there),
        "open": sorted(one.kind for one in there if one.span[1] > end),
    }


def _ratios(tally: Tally) -> dict[str, float | None]:
    """As the API has them: 1.0 only where the ratio is exactly one, None where there is none."""
    ratios = {"uptime": tally.uptime, "coverage": tally.coverage}
    return {name: None if ratio is None else float(ratio) for name, ratio in ratios.items()}


_FINE: Final = 4


def _rank(member: Mapping[str, Any]) -> tuple[int, int, float, int, float, str]:
    """Worst first: who is down, who was, who had other incidents, who was not seen all the time, who was fine."""
    up, seen = member["uptime"], member["coverage"]
    ranks = (
        _OUTAGE in member["open"],
        member["outages"] > 0 or (up is not None and up < 1),
        member["incidents"] > 0 or bool(member["open"]),
        up is None or seen < 1,
    )
    first = ranks.index(True) if True in ranks else _FINE
    up, seen = (1.0 if ratio is None else ratio for ratio in (up, seen))
    return first, -member["downtime_seconds"], up, -member["incidents"], seen, member["slug"]
