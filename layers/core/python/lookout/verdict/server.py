"""One server in one judged minute: its status, and its outage. Pure. Decision 12: R, M, F, U.

What else is wrong with it (`verdict.conditions`) and what it offers (`verdict.drift`) is judged after all servers of
the shard had their outages judged: those come first in the minute's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lookout.config.model import Server, Site
from lookout.history.uptime import NOT_DUE, OUTCOME_CODES, Counting, as_declared
from lookout.probe.result import ProbeResult, Status
from lookout.verdict import latency
from lookout.verdict.case import Incident
from lookout.verdict.conditions import Seen, follow
from lookout.verdict.flapping import calmed, turned
from lookout.verdict.incidents import OUTAGE, Happening, Scene, unwatched
from lookout.verdict.observe import moment, observe
from lookout.verdict.quorum import RoundVerdict, decide
from lookout.verdict.state import Failure, Quorum, ServerState, View
from lookout.verdict.streak import ANEW, advance, become, count

SILENCE_S = 900
"""After a longer silence the first round does not count as a failure: the server may have been asleep."""
_ANEW: Mapping[str, Any] = {
    **ANEW,
    "unknown_rounds": 0,
    "unknown_since": 0,
    "turns": (),
    "flapping_since": 0,
    "view": None,
    "tracks": {},
}

_KEPT = ("surface", "drifts", "drift_at", "incidents", "heard_at", "latencies", "usual_ms", "usual_day")


@dataclass(frozen=True, slots=True)
class Judged:
    """What a minute made of a server. `seen` is None where nothing was due."""

    state: ServerState
    code: str
    scene: Scene | None = None
    seen: Seen | None = None
    covered: bool = False
    outage: Happening | None = None


def judge_server(
    server: Server,
    before: ServerState,
    minute: int,
    results: Mapping[str, ProbeResult],
    site: Site,
    incidents: Mapping[str, Incident],
    counting: Counting | None,
) -> Judged:
    """Judge one server; `incidents` are the open ones by id, `counting` says how the window that covers it counts."""
    outage = incidents.get(before.incidents.get(OUTAGE, ""))
    if server.paused:
        return _pause(server, before, minute, outage, site)
    if before.status is Status.PAUSED:
        before = _anew(before, since=minute, previous=Status.PAUSED, previous_since=before.since)
    if not server.due(minute) or (not before.last_round and not results):
        return Judged(before, NOT_DUE)
    quorum_says = decide(results, site.regions, server.quorum)
    state = before.with_(**latency.new_day(before, minute)) if before.usual_day != minute // 86400 else before
    seen = _see(server, state, quorum_says, results, minute)
    outcome = seen.verdict.outcome
    if counting is not None:
        state = count(_enter(state, minute), outcome, minute, server.down_after)
    else:
        state = _leave(state, minute, outage) if state.status is Status.MAINTENANCE else state
        state = calmed(state, minute)
        was = state.status
        state = turned(advance(state, outcome, minute, server.down_after, server.up_after), was, server, minute)
    state = state.with_(
        **observe(state, results, seen.verdict, minute, site),
        latencies=latency.counted(state.latencies, minute, seen.latency_ms),
        tracks=state.tracks if counting is not None else follow(state, seen, minute),
        confirmed=0,
    )
    scene = Scene(server, state, _quorum(seen.verdict, state), minute, moment(results, minute), site)
    code = as_declared(OUTCOME_CODES[outcome], counting)
    happening, state = _covered(scene, outage) if counting is not None else _outage(scene, seen, outage)
    if happening is not None:
        over = happening.incident.resolved_at is not None
        state = state.closed(OUTAGE) if over else state.opened(happening.incident)
    return Judged(state, code, scene.having(state), seen, counting is not None, happening)


def awaits_confirmation(server: Server, state: ServerState, minute: int) -> bool:
    """May asking it again within that minute, the last one judged, still change its status?"""
    failed = state.last_round == minute and state.fail_rounds > 0 and not state.unknown_rounds
    fine = not state.status.failing and state.status is not Status.MAINTENANCE
    return server.confirm_every_s is not None and not server.paused and failed and fine


def judge_confirmation(
    server: Server, state: ServerState, minute: int, newest: Mapping[str, ProbeResult], site: Site
) -> Judged:
    """Judge one confirmation: `newest` is what each region said last. It counts for no uptime and for no condition."""
    verdict = decide(newest, site.regions, server.quorum)
    confirmed = {"confirmed": state.confirmed + 1}
    if not verdict.outcome.failing:
        return Judged(state.with_(**confirmed, **ANEW), NOT_DUE)
    after = advance(state, verdict.outcome, minute, server.down_after, server.up_after)
    after = turned(after, state.status, server, minute)
    after = after.with_(**confirmed, **observe(after, newest, verdict, minute, site))
    scene = Scene(server, after, _quorum(verdict, after), minute, moment(newest, minute), site)
    happening, after = _outage(scene, Seen(newest, verdict), None)
    if happening is not None:
        after = after.opened(happening.incident)
    return Judged(after, NOT_DUE, outage=happening)


def _see(
    server: Server, state: ServerState, verdict: RoundVerdict, results: Mapping[str, ProbeResult], minute: int
) -> Seen:
    """What the round says after all: no failure of a server that may have been asleep, and not up when it is slow."""
    took = latency.round_latency(results.values())
    if verdict.outcome.failing and state.heard_at and minute - state.heard_at > max(SILENCE_S, 3 * server.interval_s):
        return Seen(results, replace(verdict, outcome=Status.UNKNOWN), took)
    if verdict.outcome is Status.UP and latency.too_slow(server, state.usual_ms, took):
        return Seen(results, replace(verdict, outcome=Status.DEGRADED), took, against_itself=True)
    return Seen(results, verdict, took)


def _enter(state: ServerState, minute: int) -> ServerState:
    """In a window of maintenance; its first round begins everything anew."""
    return state if state.status is Status.MAINTENANCE else become(state, Status.MAINTENANCE, minute).with_(**_ANEW)


def _leave(state: ServerState, minute: int, outage: Incident | None) -> ServerState:
    """After the window: failing as before where that was never over, else unknown until this round says."""
    status = Status.UNKNOWN if outage is None else Status(outage.status)
    return become(state, status, minute).with_(**_ANEW)


def _covered(scene: Scene, outage: Incident | None) -> tuple[Happening | None, ServerState]:
    """In a window an outage can end, and nothing else."""
    state = scene.state
    if outage is not None and state.ok_rounds >= scene.server.up_after:
        return scene.ends(outage, state.ok_since, "recovered"), state
    return None, state


def _outage(scene: Scene, seen: Seen, outage: Incident | None) -> tuple[Happening | None, ServerState]:
    state, status = scene.state, scene.state.status
    began_to_flap = state.flapping_since == scene.minute
    if outage is None:
        if not status.failing:
            return None, state
        failure, regions = state.failure or Failure(), seen.verdict.failing
        return (
            scene.opens(OUTAGE, state.since, status.value, failure=failure, regions=regions, flapping=began_to_flap),
            state.with_(view=None),
        )
    if began_to_flap:
        return scene.changes(replace(outage, flapping=True), "flapping"), state.with_(view=None)
    if state.flapping_since:
        return None, state
    if status.ok:
        return scene.ends(outage, state.since, "recovered"), state.with_(view=None)
    return _view(scene, seen, outage) if status.failing else (None, state)


def _view(scene: Scene, seen: Seen, outage: Incident) -> tuple[Happening | None, ServerState]:
    """An outage that goes on: does it still look as it was told?"""
    state, outcome = scene.state, seen.verdict.outcome
    if not outcome.failing:
        return None, state if state.view is None or outcome is Status.UNKNOWN else state.with_(view=None)
    failure = state.failure or Failure()
    sight = View(failure.layer, seen.verdict.failing)
    if state.status.value == outage.status:
        if (sight.layer, sight.regions) == (outage.failure.layer, outage.regions):
            return None, state if state.view is None else state.with_(view=None)
        if state.view is not None and (state.view.layer, state.view.regions) == (sight.layer, sight.regions):
            sight = replace(sight, rounds=state.view.rounds + 1)
        if sight.rounds < scene.server.down_after:
            return None, state.with_(view=sight)
    after = replace(
        outage,
        status=state.status.value,
        failure=failure,
        regions=sight.regions,
        regions_total=seen.verdict.total,
    )
    return scene.changes(after), state.with_(view=None)


def _pause(server: Server, before: ServerState, minute: int, outage: Incident | None, site: Site) -> Judged:
    """Paused: all is forgotten but what it offers, and incidents are ended: the outage now, others as there is room."""
    if before.status is Status.PAUSED:
        return Judged(before, NOT_DUE, unwatched(server, before, minute, "paused", site))
    scene = unwatched(server, before, minute, "paused", site)
    after = _anew(
        before,
        status=Status.PAUSED,
        since=minute,
        previous=before.status,
        previous_since=before.since,
        last_round=before.last_round,
    )
    ended = scene.ends(outage, minute, "paused") if outage is not None else None
    return Judged(after.closed(OUTAGE), NOT_DUE, scene, outage=ended)


def _anew(before: ServerState, **values: Any) -> ServerState:
    """A state that forgets everything but what the server offers, how slow it used to be, and what is still open."""
    kept = {name: getattr(before, name) for name in _KEPT}
    return ServerState(before.slug, **kept, **values)


def _quorum(verdict: RoundVerdict, after: ServerState) -> Quorum:
    rounds = after.fail_rounds if verdict.outcome.failing else after.ok_rounds
    return Quorum(verdict.total, len(verdict.failing), len(verdict.unknown), verdict.rule, rounds)
