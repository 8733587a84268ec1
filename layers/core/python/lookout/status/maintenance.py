"""Maintenance as the public sees it: which windows run, which come within a week, in which words. Pure.

Of a window only what is public is shown: a window of private servers alone is nowhere, and where one covers both, the
private ones are left out. Even its id is made from public facts, so that nobody can try out names against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from lookout.config.model import Server
from lookout.config.window import Window
from lookout.history.spans import union
from lookout.status.text import clean, listed
from lookout.status.view import Planned, Snapshot
from lookout.verdict import ids
from lookout.verdict.maintenance import Calendar

AHEAD_S: Final = 7 * 86400
BACK_S: Final = 7 * 86400
"""So long after it is over it is still in the feeds and in the API."""
MOST: Final = 200
NAMED: Final = 3
STATES: Final = ("scheduled", "in_progress", "completed")


def planned(windows: Iterable[Window], public: Sequence[Server], now: int) -> tuple[Planned, ...]:
    """What of the windows may be shown at `now`, by when it begins. `public`: the public servers, and no others."""
    found: dict[str, Planned] = {}
    for one in Calendar(windows, now - BACK_S, now + AHEAD_S).occurrences:
        window = one.window
        everybody = not window.servers and not window.tags
        slugs = sorted(server.slug for server in public if window.covers(server.slug, server.tags))
        if slugs:
            key = "mnt_" + ids.ulid(one.begin, *(["*"] if everybody else slugs))
            announced = max(one.begin - AHEAD_S, window.made_at)
            known = Planned(key, announced, one.begin, one.end, tuple(slugs), everybody, window.reason, window.uptime)
            if key not in found or found[key].end < known.end:
                found[key] = known
    ahead = [one for one in found.values() if one.end > now]
    past = [one for one in found.values() if one.end <= now]
    return tuple(past[-MOST // 4 :] + ahead[:MOST])


def state(one: Planned, now: int) -> str:
    """One of STATES."""
    return "scheduled" if now < one.begin else "in_progress" if now < one.end else "completed"


def current(snapshot: Snapshot, now: int, slug: str | None = None) -> list[Planned]:
    """What runs or is to come, of all servers or of one."""
    return [one for one in snapshot.maintenance if one.end > now and (slug is None or slug in one.servers)]


def until(snapshot: Snapshot, slug: str, now: int) -> int | None:
    """When the maintenance that covers a server now is over (windows that touch are one); None where none does."""
    spans = union((one.begin, one.end) for one in snapshot.maintenance if slug in one.servers)
    return next((end for begin, end in spans if begin <= now < end), None)


def whom(snapshot: Snapshot, one: Planned) -> str:
    """`all servers`; `Acme Search and Acme Files`; `Acme Search, Acme Files, Acme Billing and 4 more`."""
    if one.everybody:
        return "all servers"
    titles = [clean(view.title, 80) for view in snapshot.servers if view.slug in one.servers]
    more = [f"{len(titles) - NAMED} more"] if len(titles) > NAMED else []
    return listed([*titles[:NAMED], *more])
