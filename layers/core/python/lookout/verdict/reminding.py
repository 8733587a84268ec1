"""Reminders, and escalations: of incidents that last and that nobody has acknowledged. Pure. Decision 18.

An incident remembers for which moment each sink was reminded, and where it was escalated to, and is written together
with the notice: whichever tick comes, and however late, each of these is told once, and of reminders the newest only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from lookout.config.model import Server, Site
from lookout.config.route import Escalation
from lookout.verdict import ids
from lookout.verdict.case import Incident, Notice
from lookout.verdict.incidents import OPENED, OUTAGE
from lookout.verdict.notices import incident_notice
from lookout.verdict.people import as_heard
from lookout.verdict.routing import Subject, chosen, known
from lookout.verdict.state import ServerState

KINDS: Final = (OUTAGE, "regional", "latency", "limited")
"""What fails now. A certificate or a credential is told at times of its own, and a change of tools is there to stay."""
NOTICE: Final = "incident.reminder"


@dataclass(frozen=True, slots=True)
class _Follow:
    """What is done for some sinks while an incident lasts."""

    sinks: tuple[str, ...]
    every_s: int
    escalate: Escalation | None


def follows(server: Server, site: Site) -> bool:
    """May anybody ever be reminded of its incidents?"""
    routes = site.routes if server.routed else ()
    return bool(server.remind_every_s or server.escalate or any(r.remind_every_s or r.escalate for r in routes))


def remind(
    incident: Incident, server: Server, state: ServerState, site: Site, now: int
) -> tuple[Incident, tuple[Notice, ...]]:
    """The incident after a tick at `now`, and its notices: none where nothing is due."""
    if incident.kind not in KINDS or incident.resolved_at is not None or incident.held or incident.acknowledged:
        return incident, ()
    severity = _severity(incident)
    lasted_s = now - incident.opened_at
    due: dict[str, int] = {}
    steps: dict[int, list[str]] = {}
    for follow in _plan(incident, severity, server, site):
        if follow.every_s:
            moment = incident.opened_at + lasted_s // follow.every_s * follow.every_s
            for sink in follow.sinks:
                if moment > max(incident.opened_at, incident.reminded.get(sink, 0), due.get(sink, 0)):
                    due[sink] = moment
        if follow.escalate is not None and lasted_s >= follow.escalate.after_s:
            new = [sink for sink in known(site, follow.escalate.sinks) if sink not in incident.escalated]
            steps.setdefault(follow.escalate.after_s, []).extend(new)
    escalated = known(site, (sink for step in sorted(steps) for sink in steps[step]))
    if not due and not escalated:
        return incident, ()
    after = replace(
        incident,
        sinks=tuple(dict.fromkeys((*incident.sinks, *escalated))),
        reminded={**incident.reminded, **due},
        escalated=(*incident.escalated, *escalated),
    )
    letters = [*_reminders(due, escalated), *_escalations(after, steps)]
    quorum = as_heard(state, site, "reminder")
    notices = tuple(
        replace(
            incident_notice(NOTICE, server, state, after, quorum, letter.moment, now, site, severity),
            id=ids.notice_id(after.id, f"{letter.what}:{','.join(letter.sinks)}", letter.moment),
            incident=after,
            sinks=letter.sinks,
            escalation={"after_s": letter.after_s} if letter.after_s else None,
        )
        for letter in letters
    )
    return after, notices


@dataclass(frozen=True, slots=True)
class _Letter:
    """`moment`: when it was due, which its id is made from; `after_s`: of an escalation, else 0."""

    what: str
    moment: int
    sinks: tuple[str, ...]
    after_s: int = 0


def _reminders(due: dict[str, int], escalated: tuple[str, ...]) -> Iterator[_Letter]:
    """One for each moment; a sink it is escalated to in this tick hears of it once."""
    for moment in sorted(set(due.values())):
        sinks = tuple(sink for sink, at in due.items() if at == moment and sink not in escalated)
        if sinks:
            yield _Letter("reminder", moment, sinks)


def _escalations(incident: Incident, steps: dict[int, list[str]]) -> Iterator[_Letter]:
    """One for each step, the first one first; a sink of two steps is told at the first."""
    told: set[str] = set()
    for after_s in sorted(steps):
        sinks = tuple(dict.fromkeys(sink for sink in steps[after_s] if sink not in told))
        told.update(sinks)
        if sinks:
            yield _Letter("escalation", incident.opened_at + after_s, sinks, after_s)


def _plan(incident: Incident, severity: str, server: Server, site: Site) -> Iterator[_Follow]:
    """What each of the routes that take the incident asks for; a server without routes asks by itself."""
    subject = Subject(OPENED.get(incident.kind, "incident.opened"), severity, incident.kind, incident.regions)
    routes = list(chosen(site, subject, server)) if server.routed else []
    for route in routes:
        every_s = server.remind_every_s if route.remind_every_s is None else route.remind_every_s
        yield _Follow(known(site, route.sinks), every_s, route.escalate or server.escalate)
    if not routes:
        yield _Follow(known(site, server.notify), server.remind_every_s, server.escalate)


def _severity(incident: Incident) -> str:
    """That of the incident as it is now."""
    if incident.kind != OUTAGE:
        return "warning"
    return "critical" if incident.status == "down" and len(incident.regions) >= incident.regions_total else "high"
