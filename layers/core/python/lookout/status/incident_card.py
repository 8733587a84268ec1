"""An incident as the templates draw it: plain values, cleaned text, no decisions left. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from lookout.probe.result import Status
from lookout.regions import city
from lookout.status import incidents, summary
from lookout.status.incidents import cause
from lookout.status.text import ago, clean, duration, moment, plural, rfc3339
from lookout.status.view import ServerView, Snapshot
from lookout.verdict.case import Incident


@dataclass(frozen=True, slots=True)
class When:
    """A moment: absolute for people, for machines, and relative to the time of rendering."""

    iso: str
    text: str
    ago: str


@dataclass(frozen=True, slots=True)
class Chip:
    """A status as drawn: icon and colour (`tone`) and word."""

    tone: str
    word: str
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of an incident's timeline."""

    tone: str
    title: str
    text: str
    at: When


@dataclass(frozen=True, slots=True)
class IncidentCard:
    """One incident. `said` is what it is, after the server's name; `tone` how it is drawn; `why` what it means.

    `first` is the failure it began with, where that is another than `cause`.
    """

    id: str
    href: str
    server: str
    server_href: str
    kind: str
    outage: bool
    said: str
    tone: str
    why: str
    open: bool
    acknowledged: When | None
    flapping: bool
    started: When
    opened: When
    resolved: When | None
    resolution: str
    lasted: str
    cities: tuple[str, ...]
    breadth: str
    cause: str
    first: str
    lines: tuple[Moment, ...]


def when(at: int, now: int) -> When:
    """A moment relative to `now`."""
    return When(rfc3339(at), moment(at), ago(at, now))


def chip(status: str) -> Chip:
    """How a status word is drawn; one this version does not know is drawn as unknown."""
    known = Status(status) if status in set(Status) else Status.UNKNOWN
    return Chip(summary.TONES[known], summary.WORDS[known], summary.EXPLANATIONS[known])


def incident_card(base: str, view: ServerView, incident: Incident, now: int) -> IncidentCard:
    """One incident; `lasted` runs to `now` while it is open."""
    end, taken = incident.resolved_at, incident.acknowledged
    outage = incidents.is_outage(incident)
    drawn = chip(incident.status)
    first = cause(incident.evidence) if incident.evidence is not None else ""
    return IncidentCard(
        id=incident.id,
        href=f"{base}/incidents/{quote(incident.id, safe='')}/",
        server=clean(view.title, 120),
        server_href=f"{base}/status/{quote(view.slug, safe='')}/",
        kind=incident.kind,
        outage=outage,
        said=drawn.word if outage else incidents.what(incident),
        tone=incidents.tone(incident),
        why=drawn.explanation if outage else incidents.MEANINGS.get(incident.kind, ""),
        open=end is None,
        acknowledged=when(taken.at, now) if taken is not None else None,
        flapping=incident.flapping,
        started=when(incident.started_at, now),
        opened=when(incident.opened_at, now),
        resolved=when(end, now) if end is not None else None,
        resolution=incidents.end(incident),
        lasted=duration((now if end is None else end) - incident.started_at),
        cities=tuple(city(region) for region in incident.regions),
        breadth=f"{len(incident.regions)} of {plural(incident.regions_total, 'region')}"
        if incident.regions_total
        else "",
        cause=cause(incident.failure),
        first=first if first != cause(incident.failure) else "",
        lines=tuple(Moment(line.tone, line.title, line.text, when(line.at, now)) for line in incidents.lines(incident)),
    )


def cards(base: str, snapshot: Snapshot, now: int) -> Sequence[IncidentCard]:
    """Every public incident, newest first."""
    return [incident_card(base, view, incident, now) for view, incident in summary.all_incidents(snapshot)]
