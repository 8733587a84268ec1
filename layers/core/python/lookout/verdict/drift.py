"""Surfaces judged: which changes of a minute are believed, and what is told about them. Pure.

What changed is not worked out here: it takes the content of both surfaces, which the caller read and compared. Where it
could not, the change is of class `unknown`, and is told all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from lookout.config.model import Server, Site
from lookout.probe.result import ProbeResult
from lookout.surface.changes import Class
from lookout.surface.confirm import Sighting, Step, observe
from lookout.surface.diff import Drift, unreadable
from lookout.verdict import ids
from lookout.verdict.case import Incident, Notice, SurfaceChange
from lookout.verdict.incidents import Scene
from lookout.verdict.notices import drift_notice
from lookout.verdict.routing import remembering
from lookout.verdict.state import ServerState

DRIFT: Final = "drift"
SETTLED_S: Final = 7 * 86400
BACK: Final = 1
"""`Incident.stage` of a drift that led back to where it began."""
_TO_ACT_ON: Final = frozenset({Class.BREAKING, Class.RISKY, Class.UNKNOWN})
Drifts = Mapping[tuple[str, str], Drift]
"""What changed from one address to another."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one minute says about one server's surface."""

    state: ServerState
    changes: tuple[SurfaceChange, ...] = ()
    notices: tuple[Notice, ...] = ()
    incident: Incident | None = None
    """The drift incident, where it opened, changed or ended."""


def sightings(results: Mapping[str, ProbeResult]) -> dict[str, Sighting]:
    """What each region saw; regions that saw no surface, or could not store it, are left out."""
    return {
        region: Sighting(_key(result), result.surface_address)
        for region, result in results.items()
        if result.surface_address is not None
    }


def _key(result: ProbeResult) -> str:
    parts = (result.era.value if result.era else None, result.protocol_version, result.asked_as)
    return "/".join(part or "" for part in parts)


def pairs(state: ServerState, results: Mapping[str, ProbeResult], minute: int, site: Site) -> set[tuple[str, str]]:
    """The addresses that judging this minute may want compared."""
    _, steps = observe(state.surface, sightings(results), minute, site.regions)
    return {(step.old, step.new) for step in steps}


def judge_surface(
    scene: Scene, results: Mapping[str, ProbeResult], drifts: Drifts, incident: Incident | None, room: int
) -> Told:
    """Judge one server's surface; `incident` is its open drift incident. Where what there is to tell exceeds `room`
    (items of the minute's transaction), nothing is seen: the next minute will.
    """
    state, minute = scene.state, scene.minute
    memory, steps = observe(state.surface, sightings(results), minute, scene.site.regions)
    found = [(step, change) for step in steps if (change := _change(scene.server, step, drifts, minute)) is not None]
    acts = incident is not None or any(Class(change.drift["class"]) in _TO_ACT_ON for _, change in found)
    if 2 * len(found) + (2 if acts else 0) > room:
        return Told(state)
    after = state if memory is state.surface else state.with_(surface=memory)
    if not found and incident is None:
        return Told(after)
    counts = dict(state.drifts)
    for _, change in found:
        counts[change.drift["class"]] = counts.get(change.drift["class"], 0) + 1
    if found:
        after = after.with_(drifts=counts, drift_at=minute)
    case = _Case(scene.having(after), incident)
    for step, change in found:
        case.tell(step, change)
    case.settle(incident)
    if case.incident is None or case.incident is incident:
        return Told(after, tuple(change for _, change in found), tuple(case.notices))
    over = case.incident.resolved_at is not None
    after = after.closed(DRIFT) if over else after.opened(case.incident)
    return Told(after, tuple(change for _, change in found), tuple(case.notices), case.incident)


class _Case:
    """A server's drift incident in one minute, and what is told of it."""

    def __init__(self, scene: Scene, incident: Incident | None) -> None:
        self.scene = scene
        self.incident = incident
        self.notices: list[Notice] = []

    def tell(self, step: Step, change: SurfaceChange) -> None:
        """Tell of a change: within the incident, by opening one, or by itself where nobody has to act on it."""
        scene, minute = self.scene, self.scene.minute
        live = self.incident
        back = live is not None and step.new == live.surface
        about = None
        if back or Class(change.drift["class"]) in _TO_ACT_ON:
            words = f"{change.drift['class']} change"
            if live is None:
                live = Incident(
                    id=ids.incident_id(scene.server.slug, DRIFT, minute),
                    slug=scene.server.slug,
                    started_at=minute,
                    opened_at=minute,
                    status=scene.state.status.value,
                    public=scene.server.public,
                    title=scene.server.title,
                    regions=step.regions,
                    regions_total=len(scene.site.regions),
                    kind=DRIFT,
                    surface=step.old,
                )
                about = live.noting(minute, "opened", words)
            else:
                about = live.noting(minute, "updated", words)
        told = drift_notice(scene.server, scene.state, change, scene.quorum, scene.at, scene.site, about)
        self.notices.append(told)
        if about is not None:
            self.incident = replace(remembering(about, scene.server, told.sinks), stage=BACK if back else 0)

    def settle(self, before: Incident | None) -> None:
        """End what was back where it began the round before, or to which nothing was added for a week.

        Never in the minute of a change: two notices of one transaction may be handed on in either order.
        """
        one = self.incident
        if one is None or one is not before:
            return
        newest = max((e.at for e in one.timeline if e.what in ("opened", "updated")), default=one.opened_at)
        if one.stage == BACK:
            self._end(one, "reverted")
        elif self.scene.minute - newest >= SETTLED_S:
            self._end(one, "settled")

    def _end(self, incident: Incident, resolution: str) -> None:
        ended = self.scene.ends(incident, self.scene.minute, resolution)
        self.incident = ended.incident
        self.notices.append(ended.notice)


def _change(server: Server, step: Step, drifts: Drifts, minute: int) -> SurfaceChange | None:
    """The record of a step; None where both ends hold the same as far as both were asked for."""
    drift = drifts.get((step.old, step.new)) or unreadable(f"sha256:{step.old}", f"sha256:{step.new}")
    if drift.empty and drift.cls is not Class.UNKNOWN:
        return None
    told: dict[str, Any] = {**drift.to_json(), "unstable": step.unstable, "regions": list(step.regions)}
    identity = ids.change_id(server.slug, step.key + step.old, step.new, minute)
    return SurfaceChange(identity, server.slug, minute, server.public, server.title, told)
