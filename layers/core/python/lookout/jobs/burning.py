"""The tick's look at error budgets: read the verdicts of servers that ask for it, decide, store, each with its notice.

Where no server asks, one partition is read, which is empty.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from lookout.config.model import Server, Site
from lookout.errors import ConflictError
from lookout.history.calendar import local_days
from lookout.history.minutes import fails, tallies
from lookout.history.slo import BUDGET_DAYS, WINDOWS_S, budget_left
from lookout.history.uptime import total
from lookout.history.windows import Rolled, Windows
from lookout.probe.result import Status
from lookout.store import Store
from lookout.store.minutes import Minutes
from lookout.verdict.burning import OPENED, RESOLVED, Burning, Stand, closed, stands, told, turn
from lookout.verdict.case import Notice
from lookout.verdict.incidents import OUTAGE
from lookout.verdict.maintenance import Calendar
from lookout.verdict.state import ServerState, ShardState

AT_ONCE: Final = 100
"""Alerts that change in one tick, so that it ends in time; the next tick goes on."""


def tell_burns(
    store: Store, minutes: Minutes, roster: tuple[Site | None, Sequence[Server]], now: int
) -> tuple[Notice, ...]:
    """The notices that were written. `minutes`: what this process remembers of the verdicts.

    What another tick decides at the same time is left to it. A server that cannot be looked at does not keep the others
    waiting: an ExceptionGroup is raised at the end.
    """
    site, servers = roster
    if site is None:
        return ()
    desk = _Desk(store, site, now)
    kept = store.all_burning()
    listed = {server.slug: server for server in servers}
    asking = [server for server in servers if server.burn_alerts and not server.paused]
    for slug in sorted({slug for slug, one in kept.items() if one.open} - {server.slug for server in asking}):
        desk.attempt(partial(desk.close, kept[slug], listed.get(slug)))
    if asking:
        desk.errors += minutes.read(store, {server.shard for server in asking}, now)
        calendar = Calendar((*site.maintenance, *store.maintenance(now, now)), now, now + 1)
        for server in asking:
            if calendar.covering(server, now) is None:
                codes = minutes.of(server.shard, server.slug, now)
                desk.attempt(partial(desk.look, kept.get(server.slug), server, codes))
    if desk.errors:
        raise ExceptionGroup(f"{len(desk.errors)} burn alerts could not be worked out", desk.errors)
    return tuple(desk.notices)


class _Desk:
    """What one tick does about alerts, one by one, and what it wrote."""

    def __init__(self, store: Store, site: Site, now: int) -> None:
        self._store = store
        self._site = site
        self._now = now
        self._shards: dict[str, ShardState] = {}
        self._left = AT_ONCE
        self.notices: list[Notice] = []
        self.errors: list[Exception] = []

    def attempt(self, work: Callable[[], None]) -> None:
        """Do it, unless enough has changed in this tick; what fails is kept for the end."""
        if self._left <= 0:
            return
        try:
            work()
        except Exception as error:  # noqa: BLE001 - raised by whoever made the desk
            self.errors.append(error)

    def close(self, before: Burning, server: Server | None) -> None:
        """End what was told of a server that is not looked at any more."""
        self._write(closed(before, server, self._now), RESOLVED, server, ())

    def look(self, before: Burning | None, server: Server, codes: str) -> None:
        """Decide about one server by the codes of its last minutes."""
        if not fails(codes) and (before is None or not before.open):
            return
        found = stands(tallies(codes, WINDOWS_S), server)
        turned = turn(before, found, server.slug, self._now)
        if turned is None:
            return
        after, what = turned
        state = self._state(server)
        if what and state.status is Status.MAINTENANCE:
            return  # the window is over, and nothing was judged since
        if what == OPENED and self._held(state):
            after = replace(after, silent=True)
        self._write(after, what, server, found, codes)

    def _write(self, after: Burning, what: str, server: Server | None, found: Sequence[Stand], codes: str = "") -> None:
        notices: tuple[Notice, ...] = ()
        if what and not after.silent:
            budget = self._budget(server, codes) if server is not None and codes else None
            after, notice = told(after, what, server, self._state(server), self._site, found, budget, self._now)
            notices = (notice,)
        self._left -= 1
        try:
            self._store.keep_burning(after, notices, self._now)
        except ConflictError:
            return
        self.notices += notices

    def _state(self, server: Server | None) -> ServerState:
        """As judged last; of one that is gone, or was never judged, nothing is known."""
        if server is None:
            return ServerState("", Status.UNKNOWN, previous=Status.UNKNOWN)
        if server.shard not in self._shards:
            self._shards[server.shard] = self._store.shard_state(server.shard)
        return self._shards[server.shard].servers.get(server.slug) or self._state(None)

    def _held(self, state: ServerState) -> bool:
        """Does it fail with others, and a digest tells of it?"""
        return any(one.kind == OUTAGE and one.held for one in self._store.open_incidents([state]).values())

    def _budget(self, server: Server, codes: str) -> Fraction | None:
        """What is left of the last 30 days' budget, as the status page has it."""
        days = local_days(self._now, BUDGET_DAYS, ZoneInfo(self._site.timezone))
        rolled = Rolled.of(days, self._store.days(server.slug, days[0].begin, self._now + 1, self._now))
        first = self._now // 60 * 60 + 60 - 60 * len(codes)
        recent = {first + 60 * i: code for i, code in enumerate(codes)}
        return budget_left(total(Windows(rolled, recent, first, self._now).days), server.slo)
