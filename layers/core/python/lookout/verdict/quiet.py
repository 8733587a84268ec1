"""Quiet hours: which notices wait for a sink, and the digest that tells of them when the hours are over. Pure.

What wakes somebody never waits, and neither does its end: decision 19.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lookout.config.model import Sink, Site
from lookout.config.quiet import SEVERITIES, quiet_until
from lookout.surface.changes import Class
from lookout.verdict import ids
from lookout.verdict.case import Incident, Notice
from lookout.verdict.summing import LISTED, NOTICE, summary

KIND: Final = "quiet"
"""`kind` of the report."""
STEP: Final = 98
"""Rows of one digest: each is one item of the transaction that tells it, which takes 100."""
_OUTAGES: Final = ("availability", "mass")
_AT_ONCE: Final = (NOTICE, "test")
"""Types that nobody has to wait for: a digest comes when it was asked for, or tells of an outage."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for one sink of one incident, change or window: the newest notice about it, which tells how it stands.

    `count`: notices that wait; `since`: unix second of the first; `severity`: the highest of them. `version` is the
    compare-and-set token, 0 before it was ever stored.
    """

    sink: str
    notice: Notice
    count: int
    since: int
    severity: str
    version: int = 0

    def after(self, notice: Notice) -> Waiting:
        """With one more."""
        worst = max(self.severity, weight(notice), key=SEVERITIES.index)
        return Waiting(self.sink, notice, self.count + 1, self.since, worst, self.version)


def waiting(sink: str, notice: Notice, now: int, before: Waiting | None) -> Waiting:
    """What waits for the sink once this notice does too; `before`: what waits about the same already."""
    return before.after(notice) if before is not None else Waiting(sink, notice, 1, now, weight(notice))


def weight(notice: Notice) -> str:
    """The severity by which a notice waits, or does not: that of what it is about, whether that begins or ends.

    The end of an outage is information, but who was woken by its beginning wants to hear of it.
    """
    incident = notice.incident
    if notice.type in _AT_ONCE or (incident is not None and incident.kind in _OUTAGES):
        return "critical"
    if incident is None:
        return notice.severity
    known = notice.severity if incident.resolved_at is None else "warning"
    return max(known, _worst(notice, incident), key=SEVERITIES.index)


def _worst(notice: Notice, incident: Incident) -> str:
    """What a change of tools, or a burning budget, was told as at its worst."""
    broke = incident.kind == "drift" and any(one.text == f"{Class.BREAKING} change" for one in incident.timeline)
    paged = notice.slo is not None and notice.slo.get("severity") == "page"
    return "high" if broke or paged else "info"


def waits_until(sink: Sink, severity: str, now: int) -> int | None:
    """Until when (unix s) a notice of that weight waits for the sink; None: it need not."""
    return quiet_until(sink.quiet, severity, now)


def over(rows: Iterable[Waiting], site: Site, now: int) -> Iterator[tuple[tuple[Waiting, ...], Notice | None]]:
    """Of what waits, what is to wait no longer at `now`: rows that go together, and the digest that tells of them.

    None where the sink is no longer there, and nobody is to be told.
    """
    by_sink: dict[str, list[Waiting]] = {}
    for row in rows:
        by_sink.setdefault(row.sink, []).append(row)
    for name in sorted(by_sink):
        sink = site.sink(name)
        due = [row for row in by_sink[name] if sink is None or waits_until(sink, row.severity, now) is None]
        due.sort(key=lambda row: (row.since, row.notice.dedup_key))
        for first in range(0, len(due), STEP):
            part = tuple(due[first : first + STEP])
            yield part, digest(name, part, now) if sink is not None else None


def digest(sink: str, rows: Sequence[Waiting], now: int) -> Notice:
    """The notice that tells of all of them, at `now`."""
    ordered = sorted(rows, key=lambda row: (not _open(row.notice), -SEVERITIES.index(row.severity), row.since))
    members = [_member(row) for row in ordered]
    public = all(row.notice.server["visibility"] == "public" for row in rows)
    still = [row.severity for row in rows if _open(row.notice)]
    key = ids.ulid(now, sink, *(f"{row.notice.id}+{row.version}" for row in rows))
    report = {
        "kind": KIND,
        "begins_at": min(row.since for row in rows),
        "ends_at": now,
        "notices": sum(row.count for row in rows),
        "open": len(still),
        "members": members[:LISTED],
        "more": max(0, len(members) - LISTED),
    }
    worst = max(still, key=SEVERITIES.index, default="info")
    return summary(f"evt_{key}", key, "Quiet hours", sink, report, now, severity=worst, public=public)


def _open(notice: Notice) -> bool:
    """Does what it is about still last, as far as was told?"""
    return notice.incident is not None and notice.incident.resolved_at is None


def _member(row: Waiting) -> dict[str, Any]:
    notice, incident = row.notice, row.notice.incident
    return {
        "slug": notice.slug,
        "name": notice.server["name"],
        "type": notice.type,
        "kind": incident.kind if incident is not None else None,
        "severity": row.severity,
        "status": notice.status,
        "notices": row.count,
        "open": _open(notice),
        "since": incident.started_at if incident is not None else notice.created_at,
        "until": incident.resolved_at if incident is not None else None,
    }
