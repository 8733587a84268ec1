"""Incidents in a form to print: lines for people, JSON for programs. Nothing is left out of either. No I/O.

What a server said and what people wrote is printed as one line without control characters, whatever is in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from lookout.jobs.incidents import Case
from lookout.probe.quoting import quote
from lookout.status.incidents import cause, is_outage, what
from lookout.status.text import duration, plural, rfc3339
from lookout.store import Delivery
from lookout.verdict.case import Entry, Incident, Notice
from lookout.verdict.state import Failure


def _when(at: int | None) -> str | None:
    return None if at is None else rfc3339(at)


def incident_json(one: Incident) -> dict[str, Any]:
    """One incident, without its timeline."""
    taken, ended = one.acknowledged, one.resolved_at
    return {
        "id": one.id,
        "server": one.slug,
        "title": one.title,
        "public": one.public,
        "kind": one.kind,
        "status": one.status,
        "started_at": rfc3339(one.started_at),
        "opened_at": rfc3339(one.opened_at),
        "resolved_at": _when(ended),
        "resolution": one.resolution,
        "duration_seconds": None if ended is None else ended - one.started_at,
        "flapping": one.flapping,
        "mass_failure": one.held or None,
        "acknowledged": None if taken is None else {"at": rfc3339(taken.at), "by": taken.by},
        "failure": _failure(one.failure),
        "first_failure": None if one.evidence is None else _failure(one.evidence),
        "regions": list(one.regions),
        "regions_total": one.regions_total,
    }


def _failure(failure: Failure) -> dict[str, Any]:
    return asdict(failure)


def case_json(case: Case) -> dict[str, Any]:
    """One incident with its timeline, and the notices about it."""
    return {
        **incident_json(case.incident),
        "timeline": [{**asdict(entry), "at": rfc3339(entry.at)} for entry in case.incident.timeline],
        "notices": [_notice_json(notice, deliveries) for notice, deliveries in case.notices],
    }


def _notice_json(notice: Notice, deliveries: Sequence[Delivery]) -> dict[str, Any]:
    return {
        "id": notice.id,
        "type": notice.type,
        "created_at": rfc3339(notice.created_at),
        "severity": notice.severity,
        "status": notice.status,
        "held": notice.held or None,
        "sinks": list(notice.sinks),
        "deliveries": [
            {"sink": one.sink, "result": one.result, "answer": one.answer, "at": rfc3339(one.at)} for one in deliveries
        ],
    }


# --- for a person --------------------------------------------------------------------------------------------------


def table(found: Sequence[Incident], now: int) -> str:
    """A line each: id, server, what, since when and how long, and how it stands."""
    if not found:
        return "no incidents\n"
    rows = [(one.id, quote(one.slug, 63), one.kind, *_times(one, now), _standing(one)) for one in found]
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    lines = ("  ".join([*map(str.ljust, row[:5], widths), row[5]]) for row in rows)
    return "".join(f"{line}\n" for line in lines)


def _times(one: Incident, now: int) -> tuple[str, str]:
    return rfc3339(one.started_at), duration((now if one.resolved_at is None else one.resolved_at) - one.started_at)


def _standing(one: Incident) -> str:
    parts = ["open" if one.resolved_at is None else one.resolution or "resolved"]
    if one.flapping:
        parts.append("flapping")
    if one.acknowledged is not None:
        parts.append(f"acknowledged by {quote(one.acknowledged.by, 80)}")
    return ", ".join(parts)


def case_text(case: Case, now: int) -> str:
    """All of it."""
    return "\n".join([*_heading(case.incident, now), *_timeline(case.incident), *_notices(case)]) + "\n"


def _heading(one: Incident, now: int) -> Iterator[str]:
    said = one.status if is_outage(one) else what(one)
    began, lasted = _times(one, now)
    yield f"{one.id}  {quote(one.title, 120)}: {said}"
    yield f"  server       {quote(one.slug, 63)}{'' if one.public else ', private: not on the page'}"
    yield f"  kind         {one.kind}, {'an outage' if is_outage(one) else 'a warning'}"
    yield f"  stands       {_standing(one)}"
    yield f"  began        {began}, confirmed {rfc3339(one.opened_at)}"
    if one.resolved_at is not None:
        yield f"  ended        {rfc3339(one.resolved_at)}"
    yield f"  lasted       {lasted}{' so far' if one.resolved_at is None else ''}"
    first = cause(one.evidence) if one.evidence is not None else ""
    if first:
        yield f"  first        {quote(first)}"
    if cause(one.failure) and cause(one.failure) != first:
        yield f"  last         {quote(cause(one.failure))}"
    if one.regions:
        yield f"  regions      {', '.join(one.regions)} ({len(one.regions)} of {plural(one.regions_total, 'region')})"


def _timeline(one: Incident) -> Iterator[str]:
    yield ""
    yield "Timeline"
    if not one.timeline:
        yield "  of an older version: none was kept"
    for entry in one.timeline:
        yield f"  {rfc3339(entry.at)}  {entry.what:<12}  {_said(entry)}".rstrip()


def _said(entry: Entry) -> str:
    marks = [mark for mark in (quote(entry.by, 80), "" if entry.public else "private") if mark]
    return f"{quote(entry.text, 500)}{'  (' + ', '.join(marks) + ')' if marks else ''}".strip()


def _notices(case: Case) -> Iterator[str]:
    yield ""
    yield "Notices"
    if not case.notices:
        mass = "none of its own: the digest of a mass failure speaks for it"
        yield f"  {mass if case.incident.held else 'none, or they have expired (they are kept for 30 days)'}"
    for notice, deliveries in case.notices:
        yield f"  {rfc3339(notice.created_at)}  {notice.type}, {notice.severity}  ({notice.id})"
        tried = {one.sink: one for one in deliveries}
        for sink in dict.fromkeys([*notice.sinks, *tried]):
            yield f"    {quote(sink, 63)}: {_delivered(tried.get(sink))}"
        if not notice.sinks and not tried:
            yield "    no sink is told"


def _delivered(one: Delivery | None) -> str:
    if one is None:
        return "not tried yet"
    return f"{one.result} {rfc3339(one.at)}" + (f": {quote(one.answer, 200)}" if one.answer else "")
