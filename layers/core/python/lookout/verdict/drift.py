"""Surfaces judged: which changes of a minute are believed, and what is told about them. Pure.

What changed is not worked out here: it takes the content of both surfaces, which the caller read and compared. Where it
could not, the change is of class `unknown`, and is told all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lookout.config.model import Server, Site
from lookout.probe.result import ProbeResult
from lookout.surface.changes import Class
from lookout.surface.confirm import Sighting, Step, observe
from lookout.surface.diff import Drift, unreadable
from lookout.verdict import ids
from lookout.verdict.notices import drift_notice
from lookout.verdict.state import Notice, Quorum, ServerState, SurfaceChange

Drifts = Mapping[tuple[str, str], Drift]
"""What changed from one address to another."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one minute says about one server's surface."""

    state: ServerState
    changes: tuple[SurfaceChange, ...] = ()
    notices: tuple[Notice, ...] = ()


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
    server: Server,
    state: ServerState,
    results: Mapping[str, ProbeResult],
    drifts: Drifts,
    *,
    minute: int,
    at: int,
    quorum: Quorum,
    site: Site,
    room: int,
) -> Told:
    """Judge one server's surface. Where what there is to tell exceeds `room`, nothing is seen: the next minute will."""
    memory, steps = observe(state.surface, sightings(results), minute, site.regions)
    changes = tuple(change for step in steps if (change := _change(server, step, drifts, minute)) is not None)
    if len(changes) > room:
        return Told(state)
    counts = dict(state.drifts)
    for change in changes:
        counts[change.drift["class"]] = counts.get(change.drift["class"], 0) + 1
    after = state.with_(surface=memory, drifts=counts, drift_at=minute if changes else state.drift_at)
    notices = tuple(drift_notice(server, after, change, quorum, at, site) for change in changes)
    return Told(after, changes, notices)


def _change(server: Server, step: Step, drifts: Drifts, minute: int) -> SurfaceChange | None:
    """The record of a step; None where both ends hold the same as far as both were asked for."""
    drift = drifts.get((step.old, step.new)) or unreadable(f"sha256:{step.old}", f"sha256:{step.new}")
    if drift.empty and drift.cls is not Class.UNKNOWN:
        return None
    told: dict[str, Any] = {**drift.to_json(), "unstable": step.unstable, "regions": list(step.regions)}
    identity = ids.change_id(server.slug, step.key + step.old, step.new, minute)
    return SurfaceChange(identity, server.slug, minute, server.public, server.title, told)
