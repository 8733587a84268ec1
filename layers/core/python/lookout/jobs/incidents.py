"""What people ask of incidents and do to them, with their own credentials: find, list, acknowledge, note.

A change is made to the incident as it is read, and stored only over that: where the judge, or somebody else, was
quicker, it is read and changed again, so that nobody's line in the timeline is lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from lookout.config.model import Server, Site
from lookout.errors import ConflictError, LookoutError
from lookout.store import Delivery, Store
from lookout.verdict.case import Incident, Notice
from lookout.verdict.people import acknowledge
from lookout.verdict.state import ServerState

ATTEMPTS: Final = 8
LISTED: Final = 20
"""Incidents that are read of each server, newest first, beside its open ones."""
AT_MOST: Final = 200
"""Incidents of all servers that are listed, unless more are open."""
NAMED: Final = 5
"""Incidents an ambiguous id is answered with."""
_ID: Final = re.compile(r"inc_[0-9A-HJKMNP-TV-Z]{1,26}")
_DIGITS: Final = 30

Change = Callable[[Incident], tuple[Incident, tuple[Notice, ...]]]


@dataclass(frozen=True, slots=True)
class Case:
    """One incident, with the notices about it and how the deliveries of each stand."""

    incident: Incident
    notices: tuple[tuple[Notice, tuple[Delivery, ...]], ...]


def listed(
    store: Store, servers: Sequence[Server], *, slug: str | None, kind: str | None, open_only: bool
) -> list[Incident]:
    """Incidents, open ones first, then newest first: all that are open, and the newest `LISTED` of each server, but
    not more than `AT_MOST` with the open ones. `slug` may be that of a server that is watched no longer.
    """
    wanted = [slug] if slug is not None else [server.slug for server in servers]
    states = [state for name, state in store.server_states().items() if slug in (None, name)]
    found = store.open_incidents(states)
    if not open_only:
        found = {**{one.id: one for one in store.newest_incidents(wanted, LISTED)}, **found}
    chosen = [one for one in found.values() if kind in (None, one.kind)]
    chosen.sort(key=lambda one: one.id, reverse=True)
    still = [one for one in chosen if one.resolved_at is None]
    return [*still, *(one for one in chosen if one.resolved_at is not None)][: max(AT_MOST, len(still))]


def find(store: Store, slugs: Sequence[str], prefix: str) -> Incident:
    """The incident whose id begins so. Raises LookoutError where there is none, or more than one, and says which."""
    text = "inc_" + prefix.strip().lower().removeprefix("inc_").upper()
    if not _ID.fullmatch(text):
        raise LookoutError(f"{prefix!r} is no id of an incident, nor the beginning of one: `lookout incidents list`")
    found = store.incidents_like(slugs, text, NAMED + 1)
    if not found:
        raise LookoutError(
            f"there is no incident {text}{'' if len(text) == _DIGITS else '...'}: `lookout incidents list` shows those "
            "there are; of a server that is watched no longer say which one with --server"
        )
    if len(found) > 1:
        some = ", ".join(one.id for one in found[:NAMED]) + (", ..." if len(found) > NAMED else "")
        raise LookoutError(f"{text} is the beginning of more than one id ({some}): write more of it")
    return found[0]


def show(store: Store, incident: Incident, now: int) -> Case:
    """All there is about an incident."""
    notices = store.notices_about(incident, now)
    return Case(incident, tuple((notice, tuple(store.deliveries(notice.id))) for notice in notices))


def take(
    store: Store,
    site: Site,
    servers: Sequence[Server],
    incident: Incident,
    now: int,
    by: str,
    text: str = "",
    *,
    public: bool = True,
) -> tuple[Incident, Notice]:
    """Acknowledge an incident; it, and the notice. Raises LookoutError where it is over, or taken already."""
    server = next((one for one in servers if one.slug == incident.slug), None)
    if server is None:
        raise LookoutError(f"{incident.slug} is watched no longer: there is nothing to acknowledge")
    told: list[Notice] = []

    def change(found: Incident) -> tuple[Incident, tuple[Notice, ...]]:
        _refuse(found)
        state = store.shard_state(server.shard).servers.get(server.slug, ServerState(server.slug))
        after, notice = acknowledge(found, server, state, site, now, by, text, public=public)
        told[:] = [notice]
        return after, (notice,)

    return _change(store, incident, now, change), told[0]


def note(store: Store, incident: Incident, now: int, by: str, text: str, *, public: bool) -> Incident:
    """Write a note into the timeline, of an incident that is over too. Nobody is told."""
    return _change(store, incident, now, lambda found: (found.noting(now, "note", text, by=by, public=public), ()))


def _refuse(incident: Incident) -> None:
    if incident.resolved_at is not None:
        raise LookoutError(
            f"{incident.id} is over ({incident.resolution}): it cannot be acknowledged any more, but a note can be "
            "added: `lookout incidents note`"
        )
    taken = incident.acknowledged
    if taken is not None:
        raise LookoutError(
            f"{incident.id} was acknowledged already, by {taken.by}: to add to it, `lookout incidents note`"
        )


def _change(store: Store, incident: Incident, now: int, change: Change) -> Incident:
    for _ in range(ATTEMPTS):
        found = store.incident(incident.slug, incident.id)
        if found is None:
            raise LookoutError(f"{incident.id} is not there any more")
        after, notices = change(found)
        try:
            store.keep_incident(after, notices, now)
        except ConflictError:
            continue
        return after
    raise ConflictError(f"{incident.id} is being changed by others all the time: nothing was written, try again")
