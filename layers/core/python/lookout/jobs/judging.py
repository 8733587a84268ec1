"""judge: read a shard's rounds, judge every ripe minute, persist each in one transaction.

Woken by the stream for every round that lands, and by a tick each minute because silence wakes nobody. Two judges of
one shard are settled by the state's version: the loser reads again and finds the minute judged. So are a judge and a
removal, which takes the server from the state: what is removed is never judged again, by whatever was read before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lookout.config.model import Server, Site
from lookout.errors import ConflictError
from lookout.jobs.surfaces import compare
from lookout.store import Store
from lookout.verdict.case import Incident
from lookout.verdict.judge import Judgement, judge_confirmations, judge_minute, surfaces_to_compare
from lookout.verdict.maintenance import Calendar
from lookout.verdict.mass import Scoping
from lookout.verdict.schedule import AHEAD_S, HORIZON_S, minutes_to_judge
from lookout.verdict.server import awaits_confirmation
from lookout.verdict.state import ShardState
from lookout.verdict.watch import judgeable

ATTEMPTS = 8
FIRST_LOOK_BACK_S = 3600

ReadSurface = Callable[[str], bytes]
"""The packed surface of an address. Raises StoreError."""


def shards_of(records: Iterable[Mapping[str, Any]]) -> set[str]:
    """The shards whose rounds are in a stream batch: all a batch says, since judging reads the rounds themselves."""
    return {record["dynamodb"]["Keys"]["pk"]["S"].split("#")[0] for record in records}


def judge_shards(
    store: Store, shards: Iterable[str] | None, now: int, read: ReadSurface, held: int = 0
) -> list[Judgement]:
    """Judge what is ripe in `shards` (None: in all) and return what was persisted.

    Minutes before `held` (`verdict.watch.held_before`) wait for the rounds of every region.
    A shard that cannot be judged now does not keep the others waiting: an ExceptionGroup is raised at the end.
    """
    site, servers = store.roster(consistent=True)
    if site is None:
        return []
    by_shard: dict[str, list[Server]] = {}
    for server in servers:
        by_shard.setdefault(server.shard, []).append(server)
    scope = Scoping(servers, store.server_states, site)
    out: list[Judgement] = []
    errors: list[Exception] = []
    for shard in sorted(by_shard if shards is None else set(shards) & set(by_shard)):
        try:
            out += judge_shard(store, shard, (site, by_shard[shard]), scope, now, read, held)
        except Exception as error:  # noqa: BLE001 - whatever one shard suffers, the others are judged; raised below
            errors.append(error)
    if errors:
        raise ExceptionGroup(f"{len(errors)} shards could not be judged, {len(out)} minutes of others were", errors)
    return out


def judge_shard(
    store: Store,
    shard: str,
    roster: tuple[Site, Sequence[Server]],
    scope: Scoping,
    now: int,
    read: ReadSurface,
    held: int = 0,
) -> list[Judgement]:
    """Judge every ripe minute of one shard, `roster` its servers. Raises ConflictError when others keep winning."""
    site, servers = roster
    for attempt in range(ATTEMPTS):
        state = store.shard_state(shard)
        if attempt or any(server.slug not in state.servers for server in servers):
            # Who is not in the state is new, or was removed before it was read: only what is listed now can say.
            listed, everybody = store.roster(consistent=True)
            site, servers = listed or site, [server for server in everybody if server.shard == shard]
        try:
            return _judge_once(store, state, (site, servers), scope, now, read, held)
        except ConflictError:
            if attempt == ATTEMPTS - 1:
                raise
    return []


def _judge_once(
    store: Store,
    state: ShardState,
    roster: tuple[Site, Sequence[Server]],
    scope: Scoping,
    now: int,
    read: ReadSurface,
    held: int,
) -> list[Judgement]:
    shard, (site, servers) = state.shard, roster
    again = _awaited(state, servers)
    since = state.judged + (0 if again else 60) if state.judged else now // 60 * 60 - FIRST_LOOK_BACK_S
    rounds = store.rounds(shard, max(since, now - HORIZON_S), now + AHEAD_S, now)
    reported = {minute: set(by_region) for minute, by_region in rounds.items()}
    ripe = minutes_to_judge(state.judged, reported, servers, site.regions, now)
    minutes = [state.judged] * again + judgeable(ripe, reported, servers, site.regions, held)
    if not minutes:
        return []
    incidents = store.open_incidents(state.servers.values())
    # Read after the roster it goes with: a window that leaves the file is kept among these first.
    windows = (*site.maintenance, *store.maintenance(minutes[0], now))
    calendar = Calendar(windows, minutes[0], minutes[-1] + 60)
    out: list[Judgement] = []
    for minute in minutes:
        found = rounds.get(minute, {})
        if minute != state.judged:
            drifts = compare(surfaces_to_compare(state, minute, found, site), read)
            judgement = judge_minute(state, minute, found, servers, site, incidents, drifts, calendar.covering, scope)
            state = _commit(store, judgement, incidents, now)
            out.append(judgement)
        if _awaited(state, servers):
            answers = store.confirmations(shard, minute, now)
            confirmed = judge_confirmations(state, found, answers, servers, site, scope)
            if confirmed is not None:
                state = _commit(store, confirmed, incidents, now)
                out.append(confirmed)
        scope.learn(state.servers)
    return out


def _awaited(state: ShardState, servers: Sequence[Server]) -> bool:
    """Is there a server that may be asked again in the minute judged last?"""
    known = ((server, state.servers.get(server.slug)) for server in servers if server.confirm_every_s is not None)
    return any(one is not None and awaits_confirmation(server, one, state.judged) for server, one in known)


def _commit(store: Store, judgement: Judgement, incidents: dict[str, Incident], now: int) -> ShardState:
    """Store it; `incidents`, the open ones, follow."""
    state = store.commit(judgement, now)
    for incident in judgement.incidents:
        if incident.resolved_at is None:
            incidents[incident.id] = replace(incident, version=incident.version + 1)
        else:
            incidents.pop(incident.id, None)
    return state
