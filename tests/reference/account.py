"""What a server's status, incidents and notices must be, worked out anew from everything that was ever heard of it.

Written from DESIGN.md and docs/decisions/0001; slow on purpose. A `Life` is all of one server from its first judged
minute to its removal. Each step reads the whole list of rounds:

    watches    a life, cut where it was paused
    moments    the status after each round: what the rounds up to it say of the status before it
    incidents  the stretches of moments in which it fails
    notices    the beginning, the turns and the end of each of them

To come later: a maintenance window is another cut of the moments, flapping another reading of them, a baseline another
property of a round.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

from lookout.config.model import Server

from tests.reference.facts import facts, failure_of
from tests.reference.rounds import FAILING, FINE, Heard, Plan, long_silence, silence, streak


@dataclass(frozen=True)
class Moment:
    """The status after one judged minute. `i` is the round's place in `rounds`, -1 before the first."""

    minute: int
    plan: Plan
    status: str
    since: int
    previous: str = "pending"
    previous_since: int = 0
    rounds: tuple[Heard, ...] = ()
    """Of the present watch, up to now."""

    @property
    def failing(self) -> bool:
        """Is it counted as failing?"""
        return self.status in FAILING

    def turned(self, status: str, since: int) -> Moment:
        """The moment at which it became `status`."""
        if status == self.status:
            return self
        return replace(self, status=status, since=since, previous=self.status, previous_since=self.since)


@dataclass(frozen=True)
class Life:
    """All that was judged of one server: `minutes` in order; and when it was removed, and what was configured then."""

    minutes: tuple[Heard, ...]
    removed: tuple[int, Plan] | None = None

    @cached_property
    def moments(self) -> list[Moment]:
        """One per judged minute."""
        return moments(self.minutes)


def due(server: Server, minute: int) -> bool:
    """Every `interval_s`, each server in its own minute, given by its name."""
    return (minute // 60 + sum(server.slug.encode())) % max(1, server.interval_s // 60) == 0


def moments(minutes: Iterable[Heard]) -> list[Moment]:
    """The status after each of them."""
    out: list[Moment] = []
    for heard in minutes:
        before = out[-1] if out else None
        here = (heard.minute, heard.plan)
        if heard.server.paused:
            if before is None:
                before = Moment(*here, "pending", heard.minute)
            paused = before.turned("paused", heard.minute)
            out.append(replace(paused, minute=heard.minute, plan=heard.plan, rounds=()))
            continue
        if before is None:
            now = Moment(*here, "pending", heard.minute)
        elif before.status == "paused":
            now = Moment(*here, "paused", before.since).turned("pending", heard.minute)
        else:
            now = replace(before, minute=heard.minute, plan=heard.plan)
        never_probed = not now.rounds and not heard.of_regions
        if due(heard.server, heard.minute) and not never_probed:
            now = after(replace(now, rounds=(*now.rounds, heard)))
        out.append(now)
    return out


def after(now: Moment) -> Moment:
    """The moment once its newest round is taken into account."""
    last = len(now.rounds) - 1
    newest, server = now.rounds[last], now.plan.server
    if not newest.known:
        if long_silence(now.rounds, last) and now.status in FINE:
            began = now.rounds[last - silence(now.rounds, last) + 1]
            return now.turned("unknown", began.minute)
        return now
    class_, exact = (streak(now.rounds, last, exactly=exactly) for exactly in (False, True))
    said = newest.outcome
    if newest.fails:
        agreed = exact if now.failing else class_
        needed = server.down_after
    elif now.failing:
        agreed, needed = class_, server.up_after
    elif now.status in FINE:
        agreed, needed = exact, server.down_after if said == "degraded" else server.up_after
    else:
        agreed, needed = exact[:1], 1
    return now.turned(said, agreed[-1].minute) if len(agreed) >= needed else now


def codes(life: Life) -> dict[int, str]:
    """What is recorded for uptime: the first letter of each counted round's outcome, as history writes it."""
    letters = {"up": "u", "degraded": "g", "auth_required": "a", "down": "d", "credential_rejected": "c"}
    return {
        now.minute: letters.get(now.rounds[-1].outcome, "?")
        for now in life.moments
        if now.rounds and now.rounds[-1].minute == now.minute
    }


def notices(life: Life) -> list[dict[str, Any]]:
    """All that people are told, in order. `incident.key` is what tells incidents apart: the minute of opening."""
    out: list[dict[str, Any]] = []
    open_: dict[str, Any] | None = None
    every = life.moments
    for before, now in pairwise([None, *every]):
        assert now is not None
        newest = now.rounds[-1] if now.rounds else None
        if open_ is None and now.failing and newest is not None:
            open_ = {
                "key": now.minute,
                "started_at": now.since,
                "status": now.status,
                "public": now.plan.server.visibility == "public",
                "title": now.plan.server.name or now.plan.server.slug,
                "failure": failure_of(now.rounds),
                "regions": newest.failing,
                "regions_total": len(now.plan.regions),
                "resolved_at": None,
                "resolution": None,
            }
            out.append(_told("incident.opened", now, open_))
        elif open_ is not None and now.status == "paused":
            open_ = {**open_, "resolved_at": now.minute, "resolution": "paused"}
            out.append(_unwatched(before, now.plan, now.minute, "paused", open_))
            open_ = None
        elif open_ is not None and not now.failing:
            open_ = {**open_, "resolved_at": now.since, "resolution": "recovered"}
            out.append(_told("incident.resolved", now, open_))
            open_ = None
        elif open_ is not None and now.status != open_["status"]:
            open_ = {**open_, "status": now.status, "failure": failure_of(now.rounds)}
            out.append(_told("incident.updated", now, open_))
    if open_ is not None and life.removed is not None:
        at, plan = life.removed
        open_ = {**open_, "resolved_at": max(at, open_["started_at"]), "resolution": "removed"}
        out.append(_unwatched(every[-1], plan, at, "removed", open_))
    return out


def _told(kind: str, now: Moment, incident: dict[str, Any]) -> dict[str, Any]:
    newest = now.rounds[-1]
    run = streak(now.rounds, len(now.rounds) - 1, exactly=False)
    everywhere = len(newest.failing) == len(now.plan.regions) and now.status == "down"
    severity = "info" if kind == "incident.resolved" else "critical" if everywhere else "high"
    quorum = {
        "regions_total": len(now.plan.regions),
        "regions_failing": len(newest.failing),
        "regions_unknown": len(now.plan.regions) - newest.reported,
        "rule": f"{newest.needed}-of-{newest.reported}",
        "consecutive_rounds": len(run),
    }
    told = facts(now.rounds)
    return {
        "type": kind,
        "created_at": newest.at,
        "status": now.status,
        "previous_status": now.previous,
        "previous_since": now.previous_since,
        "severity": severity,
        "failure": told["failure"],
        "quorum": quorum,
        "regions": told["regions"],
        "incident": incident,
        **_addressed(now.plan),
    }


def _unwatched(before: Moment, plan: Plan, at: int, why: str, incident: dict[str, Any]) -> dict[str, Any]:
    """An incident ended because nobody looks any more: no region said so."""
    told = facts(before.rounds)
    total = len(plan.regions)
    return {
        "type": "incident.resolved",
        "created_at": at,
        "status": "paused" if why == "paused" else "unknown",
        "previous_status": before.status,
        "previous_since": before.since,
        "severity": "info",
        "failure": told["failure"],
        "quorum": {
            "regions_total": total,
            "regions_failing": 0,
            "regions_unknown": total,
            "rule": why,
            "consecutive_rounds": 0,
        },
        "regions": told["regions"],
        "incident": incident,
        **_addressed(plan),
    }


def _addressed(plan: Plan) -> dict[str, Any]:
    """Whom it is for, of those there are, and what it is about."""
    return {"sinks": [name for name in plan.server.notify if name in plan.sinks], "url": plan.server.url}


def overlapping(found: Mapping[int, dict[str, Any]]) -> list[tuple[int, int]]:
    """The keys of incidents of one server that are open at once; `found` is the last of each by its key."""
    ends = [(key, found[key]["resolved_at"]) for key in sorted(found)]
    return [(a, b) for (a, end), (b, _) in pairwise(ends) if end is None or end > b]
