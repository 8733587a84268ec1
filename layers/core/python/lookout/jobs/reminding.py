"""Reminders and escalations at a tick: read what is open, tell what is due, each together with its incident."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lookout.config.model import Server, Site
from lookout.errors import ConflictError
from lookout.probe.result import Status
from lookout.store import Store
from lookout.verdict.case import Notice
from lookout.verdict.maintenance import Calendar
from lookout.verdict.reminding import KINDS, follows, remind
from lookout.verdict.state import ShardState
from lookout.verdict.watch import LAG_S

AT_ONCE: Final = 100
"""No server is looked at after so many incidents were told of, so that a tick ends in time; the next tick goes on."""


def remind_all(
    store: Store, site: Site, servers: Sequence[Server], states: Sequence[ShardState], calendar: Calendar, now: int
) -> tuple[Notice, ...]:
    """The notices that were written.

    Nobody is reminded of a server that a window covers, or covered in the minute judged last, nor where its shard was
    not judged of late: what is known of it may have passed. Only incidents that somebody wants to be reminded of are
    read. One that the judge, a person or another tick changes at the same time is left to the next tick.
    """
    fresh = {slug: one for state in states if now - state.judged <= LAG_S for slug, one in state.servers.items()}
    told: list[Notice] = []
    written = 0
    for server in servers:
        if written >= AT_ONCE:
            break
        state = fresh.get(server.slug)
        if state is None or server.paused or not follows(server, site) or state.incidents.keys().isdisjoint(KINDS):
            continue
        if state.status is Status.MAINTENANCE or calendar.covering(server, now) is not None:
            continue
        for incident in store.open_incidents([state]).values():
            after, notices = remind(incident, server, state, site, now)
            if not notices:
                continue
            try:
                store.keep_incident(after, notices, now)
            except ConflictError:
                continue
            written += 1
            told += notices
    return tuple(told)
