"""Conditions: what is wrong with a server that still works, each an incident of its own kind. Pure. Decision 12, C.

regional   some regions fail, fewer than the quorum
latency    slow, against its limit or against itself
limited    nothing is known of it, because we are rate limited or kept out
certificate, credential   ends soon
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from lookout.probe.result import ProbeResult, Reason, Status
from lookout.verdict.case import Incident
from lookout.verdict.incidents import OPENED, Happening, Scene
from lookout.verdict.observe import failure_of
from lookout.verdict.quorum import RoundVerdict
from lookout.verdict.state import Failure, ServerState, Track

REGIONAL: Final = "regional"
LATENCY: Final = "latency"
LIMITED: Final = "limited"
STREAKS: Final = (REGIONAL, LATENCY, LIMITED)
CERTIFICATE: Final = "certificate"
CREDENTIAL: Final = "credential"
_KEPT_OUT: Final = frozenset({Reason.RATE_LIMITED, Reason.BOT_WALL})


@dataclass(frozen=True, slots=True)
class Seen:
    """One judged round of one server: what the regions said, what the round says, and how slow it was."""

    results: Mapping[str, ProbeResult]
    verdict: RoundVerdict
    latency_ms: int | None = None
    against_itself: bool = False
    """Degraded for nothing but being slow against its own baseline."""

    @property
    def cause(self) -> str | None:
        """Why the round is degraded: regional or latency; None where it is not, or for what it does not conform to."""
        if self.verdict.outcome is not Status.DEGRADED:
            return None
        if self.verdict.failing:
            return REGIONAL
        slow = any(r.status is Status.DEGRADED and r.reason is Reason.SLOW for r in self.results.values())
        return LATENCY if slow or self.against_itself else None

    @property
    def limited(self) -> bool:
        """Unknown, and at least half of the regions that reported are kept out."""
        kept_out = sum(result.reason in _KEPT_OUT for result in self.results.values())
        return self.verdict.outcome is Status.UNKNOWN and kept_out > 0 and kept_out * 2 >= len(self.results)


def bad(seen: Seen, kind: str) -> bool | None:
    """Is the round bad for that condition? False: good; None: it says nothing."""
    outcome, cause = seen.verdict.outcome, seen.cause
    if kind == LIMITED:
        return seen.limited or (None if outcome is Status.UNKNOWN else False)
    if cause == kind:
        return True
    good = outcome.ok and (cause is None if kind == LATENCY else True)
    return False if good else None


def follow(state: ServerState, seen: Seen, minute: int) -> Mapping[str, Track]:
    """The streaks of all conditions after a round. A good streak is followed only while an incident is open."""
    if seen.verdict.outcome is Status.UP and not state.tracks and not state.incidents:
        return state.tracks
    out = dict(state.tracks)
    for kind in STREAKS:
        says, before = bad(seen, kind), out.get(kind, Track())
        if says:
            out[kind] = Track(before.bad + 1, before.bad_since or minute)
        elif says is False and kind in state.incidents:
            out[kind] = Track(0, 0, before.good + 1, before.good_since or minute)
        elif says is False:
            out.pop(kind, None)
    return out


def judge_conditions(
    scene: Scene, seen: Seen, covered: bool, incidents: Mapping[str, Incident], room: Callable[[], bool]
) -> Iterator[Happening]:
    """What becomes of the conditions in one round; `incidents` are the open ones by kind. Where there is no `room` in
    the minute's transaction, it happens a minute later.
    """
    if not covered:
        for kind in STREAKS:
            track = scene.state.tracks.get(kind)
            happening = _streak(scene, seen, kind, track, incidents.get(kind)) if track is not None else None
            if happening is not None and room():
                yield happening
    server, state = scene.server, scene.state
    for kind, ends, stages in (
        (CERTIFICATE, state.tls_not_after, server.tls_warn_s),
        (CREDENTIAL, state.credential_expires, (server.credential_warn_s,) if server.credential_warn_s else ()),
    ):
        if (ends is not None or kind in incidents) and room():
            happening = _expiry(scene, kind, ends, stages, incidents.get(kind))
            if happening is not None:
                yield happening


def _streak(scene: Scene, seen: Seen, kind: str, track: Track, incident: Incident | None) -> Happening | None:
    server, says = scene.server, bad(seen, kind)
    if incident is not None:
        recovered = says is False and track.good >= server.up_after
        return scene.ends(incident, track.good_since, "recovered") if recovered else None
    if not says or track.bad < server.down_after:
        return None
    if kind == LIMITED and scene.minute - track.bad_since < server.limited_after_s:
        return None
    failure, regions = _evidence(kind, seen, scene.state)
    return scene.opens(kind, track.bad_since, scene.state.status.value, failure=failure, regions=regions)


def _evidence(kind: str, seen: Seen, state: ServerState) -> tuple[Failure, tuple[str, ...]]:
    """Why, and in which regions."""
    if kind == REGIONAL:
        return failure_of([seen.results[region] for region in seen.verdict.failing]), seen.verdict.failing
    if kind == LIMITED:
        out = [region for region, result in seen.results.items() if result.reason in _KEPT_OUT]
        return failure_of([seen.results[region] for region in out]), tuple(out)
    usual = f"; its usual 95th percentile is {state.usual_ms} ms" if state.usual_ms else ""
    took = f"{seen.latency_ms} ms{usual}" if seen.latency_ms is not None else ""
    return Failure(reason=Reason.SLOW.value, message=took), ()


def _expiry(
    scene: Scene, kind: str, ends: int | None, stages: tuple[int, ...], incident: Incident | None
) -> Happening | None:
    left = None if ends is None else ends - scene.minute
    stage = min((s for s in stages if left is not None and s >= left), default=0)
    if incident is not None and (not stage or stage > incident.stage):
        return scene.ends(incident, scene.minute, "renewed")
    if not stage or ends is None or (incident is not None and stage == incident.stage):
        return None
    severity = _severity(kind, stage, stages)
    day = datetime.fromtimestamp(ends, UTC).strftime("%Y-%m-%d %H:%M UTC")
    verb = "ends" if ends > scene.minute else "ended"
    failure = Failure(layer="tls" if kind == CERTIFICATE else None, message=f"the {kind} {verb} {day}")
    if incident is None:
        status = scene.state.status.value
        return scene.opens(kind, scene.minute, status, failure=failure, stage=stage, severity=severity)
    nearer = replace(incident, stage=stage, failure=failure)
    return scene.changes(nearer, text=failure.message, told_as=OPENED[kind], severity=severity)


def _severity(kind: str, stage: int, stages: tuple[int, ...]) -> str:
    if kind == CREDENTIAL:
        return "warning"
    if stage == min(stages):
        return "high"
    return "info" if stage == max(stages) else "warning"
