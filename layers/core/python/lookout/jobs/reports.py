"""After the hourly rollup: the digests of a day or a week whose moment has come.

Of each server its daily summaries and its incidents are read, once for all sinks whose digest is of the same time.
Hours that could not be rolled up yet are counted from their verdicts, shard by shard.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from operator import attrgetter

from lookout import settings
from lookout.config.model import Server
from lookout.errors import ConflictError
from lookout.history.calendar import LocalDay
from lookout.history.chunk import DAY, HOUR, MINUTE, never_due, outcome_line
from lookout.history.day import DaySummary
from lookout.history.spans import Span
from lookout.history.uptime import Tally
from lookout.history.windows import Rolled, Windows
from lookout.probe.result import Status
from lookout.store import Store
from lookout.verdict import reports
from lookout.verdict.case import Incident, Notice
from lookout.verdict.reports import Due, Known
from lookout.verdict.routing import hears
from lookout.verdict.state import ServerState, ShardState

Verdicts = dict[int, dict[int, dict[str, str]]]
"""Of one shard: what was judged, by hour (unix s)."""


def tell_reports(store: Store, now: int) -> Iterator[Notice]:
    """Each digest as it went to the outbox. What another run tells is left to it, and what cannot be told, to the next.

    A digest that fails keeps no other waiting: an ExceptionGroup is raised at the end.
    """
    site, servers = store.roster()
    if site is None or not any(sink.digests for sink in site.sinks):
        return
    marks = store.report_marks()
    for mark in reports.first_marks(site, marks, now):
        with suppress(ConflictError):
            store.keep_report(mark, None, now)
    waiting: dict[Span, list[_Asked]] = {}
    for due in reports.due(site, marks, now):
        heard = tuple(server for server in servers if hears(site, server, due.sink))
        waiting.setdefault(due.span, []).append(_Asked(due, heard))
    shards = {state.shard: state for state in store.shard_states()} if waiting else {}
    errors: list[Exception] = []
    for span, asked in waiting.items():
        wanted = list({server.slug: server for one in asked for server in one.heard}.values())
        judged = [shards[name].judged for name in {server.shard for server in wanted} if name in shards]
        if not reports.judged_to(span[1], judged, now):
            continue
        try:
            known = {one.server.slug: one for one in _each(store, wanted, shards, span, now)}
        except Exception as error:  # noqa: BLE001 - whatever becomes of this time, the others are told; raised below
            errors.append(error)
            continue
        for one in asked:
            try:
                yield from _tell(store, one, known, now)
            except Exception as error:  # noqa: BLE001 - the same of one sink
                errors.append(error)
    if errors:
        raise ExceptionGroup("some digests could not be told", errors)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A digest that is due, and the servers its sink hears of."""

    due: Due
    heard: tuple[Server, ...]


def _tell(store: Store, asked: _Asked, known: Mapping[str, Known], now: int) -> list[Notice]:
    """The one digest, where it was told; a sink that hears of no server is told nothing."""
    heard = [known[server.slug] for server in asked.heard]
    digest = reports.notice(asked.due, heard, now) if heard else None
    try:
        store.keep_report(asked.due.mark, digest, now)
    except ConflictError:
        return []
    return [digest] if digest is not None else []


def _each(
    store: Store, servers: Iterable[Server], shards: Mapping[str, ShardState], span: Span, now: int
) -> Iterator[Known]:
    """What is known of each server, one shard after the other."""
    shard, verdicts = "", Verdicts()
    for server in sorted(servers, key=attrgetter("shard", "slug")):
        if server.shard != shard:
            shard, verdicts = server.shard, Verdicts()
        states = shards[shard].servers if shard in shards else {}
        state = states.get(server.slug, ServerState(server.slug))
        status = Status.PAUSED if server.paused else state.status
        tally = _tally(store, server, span, verdicts, now)
        yield Known(server, status, tally, _incidents(store, server, state, span[0]))


def _tally(store: Store, server: Server, span: Span, verdicts: Verdicts, now: int) -> Tally:
    """The server's rounds in the span: from its days, and from the verdicts of hours that these do not have."""
    begin, end = span
    days = store.days(server.slug, begin // DAY * DAY, end, now)
    rolled = Rolled.of([LocalDay("", begin, end)], days)
    kept = -(-(now - settings.ROUNDS_TTL_S) // HOUR) * HOUR
    codes: dict[int, str] = {}
    for hour in range(max(begin // HOUR * HOUR, kept), end, HOUR):
        if hour not in rolled.hours:
            if hour not in verdicts:
                verdicts[hour] = store.verdicts(server.shard, hour, now)
            due = server.due if _known_before(hour, days) else never_due
            line = outcome_line(hour, verdicts[hour], server.slug, due)
            codes |= {hour + MINUTE * i: code for i, code in enumerate(line)}
    (counted,) = Windows(rolled, codes, begin, end).days
    return counted


def _known_before(hour: int, days: Sequence[DaySummary]) -> bool:
    return any(day.first < hour for day in days if day.tally.due or day.tally.excluded)


def _incidents(store: Store, server: Server, state: ServerState, since: int) -> list[Incident]:
    """Its outages, the other incidents that opened since, and those that are open still."""
    found = {one.id: one for one in store.incidents_touching(server.slug, since)}
    for incident_id in state.incidents.values():
        if incident_id not in found and (older := store.incident(server.slug, incident_id)) is not None:
            found[older.id] = older
    return list(found.values())
