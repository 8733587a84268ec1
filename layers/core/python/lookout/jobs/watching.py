"""The tick's first work: keep the watch over the judge and the regions; tell of them, of maintenance, and again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from lookout.config.model import Server, Site
from lookout.errors import ConflictError
from lookout.jobs.reminding import remind_all
from lookout.store import Store
from lookout.verdict.announcing import announce
from lookout.verdict.case import Notice
from lookout.verdict.maintenance import Calendar
from lookout.verdict.state import ShardState
from lookout.verdict.watch import Heard, Watch, keep


class Log(Protocol):
    """Where the watch is kept."""

    def read(self) -> Watch:
        """As last kept."""
        ...

    def keep(self, watch: Watch, notices: tuple[Notice, ...]) -> None:
        """Store it and the notices together. Raises ConflictError when another tick was first."""
        ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What a tick found. `lag_s`: how far the slowest shard's judgement is behind; None before the first.

    `roster`: the site and its servers as they were read; None where there is no site.
    """

    notices: tuple[Notice, ...] = ()
    lag_s: int | None = None
    roster: tuple[Site, Sequence[Server]] | None = None


def heard(states: Iterable[ShardState]) -> Heard:
    """What the shards' states say of the judge and of the regions."""
    known = list(states)
    regions: dict[str, int] = {}
    for view in (view for state in known for server in state.servers.values() for view in server.regions):
        regions[view.region] = max(regions.get(view.region, 0), view.checked_at)
    return Heard(max((state.judged for state in known), default=0), regions)


def watch_over(store: Store, log: Log, now: int) -> Seen:
    """Keep the watch at a tick; the notices that were written. Another tick of the same minute may do it instead."""
    site, servers = store.roster()
    if site is None:
        return Seen()
    live = {server.shard for server in servers}
    states = [state for state in store.shard_states() if state.shard in live]
    lag_s = max((max(0, now - state.judged) for state in states if state.judged), default=None)
    watch, notices = keep(log.read(), heard(states), site, servers, now)
    calendar = Calendar((*site.maintenance, *store.maintenance(now, now)), now, now + 1)
    maintenance, told = announce(watch.maintenance, calendar.occurrences, site, servers, now)
    watch, notices = replace(watch, maintenance=maintenance), (*notices, *told)
    try:
        log.keep(watch, notices)
    except ConflictError:
        return Seen((), lag_s, (site, servers))
    reminders = remind_all(store, site, servers, states, calendar, now)
    return Seen((*notices, *reminders), lag_s, (site, servers))
