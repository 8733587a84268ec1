"""How a server stands after one round more, and what that is called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from lookout.config.model import Server

from tests.reference.rounds import FAILING, FINE, Heard, Plan, long_silence, silence, streak


@dataclass(frozen=True)
class Moment:
    """How the server stood after one judged minute."""

    minute: int
    plan: Plan
    status: str
    since: int
    previous: str
    previous_since: int
    flapping_since: int
    open: tuple[str, ...]
    """The kinds of its open incidents."""
    watch: tuple[Heard, ...]
    counted: tuple[Heard, ...]


def due(server: Server, minute: int) -> bool:
    """Every `interval_s`, each server in its own minute, given by its name."""
    return (minute // 60 + sum(server.slug.encode())) % max(1, server.interval_s // 60) == 0


def view(failure: dict[str, Any] | None, regions: Sequence[str]) -> tuple[str | None, tuple[str, ...]]:
    """What of a failure people are told anew when it changes."""
    return failure["layer"] if failure else None, tuple(regions)


def after(status: str, since: int, rounds: Sequence[Heard]) -> tuple[str, int]:
    """The status once the newest of `rounds` is taken into account, and since when."""
    last = len(rounds) - 1
    newest = rounds[last]
    if not newest.known:
        if long_silence(rounds, last) and status in FINE:
            return "unknown", rounds[last - silence(rounds, last) + 1].minute
        return status, since
    class_, exact = (streak(rounds, last, exactly=exactly) for exactly in (False, True))
    if newest.fails:
        agreed, needed = exact if status in FAILING else class_, newest.server.down_after
    elif status in FAILING:
        agreed, needed = class_, newest.server.up_after
    elif status in FINE:
        agreed = exact
        needed = newest.server.down_after if newest.outcome == "degraded" else newest.server.up_after
    else:
        agreed, needed = exact[:1], 1
    return (newest.outcome, agreed[-1].minute) if len(agreed) >= needed else (status, since)


def overlapping(found: Sequence[dict[str, Any]]) -> list[tuple[int, int]]:
    """The keys of incidents of one server and kind that are open at once."""
    ends = [(one["key"], one["resolved_at"]) for one in sorted(found, key=lambda one: int(one["key"]))]
    return [(a, b) for (a, end), (b, _) in pairwise(ends) if end is None or end > b]
