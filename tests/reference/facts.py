"""What is known of a server besides its status: the newest that any of the rounds of its present watch says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lookout.probe.result import ProbeResult

from tests.reference.rounds import Heard, believable

NOTHING = dict.fromkeys(("layer", "reason", "message", "http_status", "era", "protocol_version")) | {"message": ""}
"""No failure."""


def worst(results: Sequence[ProbeResult]) -> dict[str, Any]:
    """The commonest layer and reason, in the words of the first region of those that say so."""
    kinds = [(result.layer, result.reason) for result in results]
    most = max(kinds.count(kind) for kind in kinds)
    said = next(result for result, kind in zip(results, kinds, strict=True) if kinds.count(kind) == most)
    return {
        "layer": said.layer and said.layer.value,
        "reason": said.reason and said.reason.value,
        "message": said.message,
        "http_status": said.http_status,
        "era": said.era and said.era.value,
        "protocol_version": said.protocol_version,
    }


def failure_of(rounds: Sequence[Heard]) -> dict[str, Any] | None:
    """Why the newest failing round failed."""
    failed = [one for one in rounds if one.fails]
    return worst([failed[-1].of_regions[region] for region in failed[-1].failing]) if failed else None


def region_views(rounds: Sequence[Heard]) -> list[dict[str, Any]]:
    """The last word of each region that probes now; what it said before it last stopped probing is forgotten."""
    views = []
    for region in rounds[-1].regions if rounds else ():
        for one in reversed(rounds):
            if region not in one.regions:
                break
            if region in one.results:
                said = one.results[region]
                views.append(
                    {
                        "region": region,
                        "status": said.status.value,
                        "checked_at": believable(said.at_ms // 1000, one.minute),
                        "latency_ms": round(said.timings_ms.get("total", 0)),
                        "layer": said.layer and said.layer.value,
                        "reason": said.reason and said.reason.value,
                        "message": said.message,
                    }
                )
                break
    return views


def _newest(rounds: Sequence[Heard], *names: str, where: str) -> dict[str, Any]:
    """Those fields as the first region says them that says `where`, in the newest round in which one does."""
    for one in reversed(rounds):
        for result in one.of_regions.values():
            if getattr(result, where) is not None:
                return {name: getattr(result, name) for name in names}
    return dict.fromkeys(names)


def _name(rounds: Sequence[Heard], name: str) -> Any:
    """The newest such name that is not empty, of the regions that came as far as an era first."""
    for one in reversed(rounds):
        spoke = next((result for result in one.of_regions.values() if result.era is not None), None)
        if spoke is not None and getattr(spoke, name):
            return getattr(spoke, name)
    return None


def _findings(rounds: Sequence[Heard]) -> list[str]:
    """All that those regions found, in the newest round, whose exchange came as far as an era."""
    for one in reversed(rounds):
        spoke = [result for result in one.of_regions.values() if result.era is not None]
        if spoke:
            return sorted({finding.code for result in spoke for finding in result.findings})
    return []


def _credential(rounds: Sequence[Heard]) -> int | None:
    """The earliest end any region tells of, in the newest round in which a region could get the credential."""
    for one in reversed(rounds):
        results = one.of_regions.values()
        if any(r.reason is None or r.reason.value != "credential_unavailable" for r in results):
            return min((r.credential_expires for r in results if r.credential_expires is not None), default=None)
    return None


def facts(rounds: Sequence[Heard]) -> dict[str, Any]:
    """All of it, by the names the judge's memory uses."""
    rounds = [one for one in rounds if not one.breaks]
    tls = _newest(rounds, "tls", where="tls")["tls"]
    era = _newest(rounds, "era", "protocol_version", "transport", where="era")
    return {
        "failure": failure_of(rounds),
        "regions": region_views(rounds),
        **era,
        "era": era["era"] and era["era"].value,
        "server_name": _name(rounds, "server_name"),
        "server_version": _name(rounds, "server_version"),
        **_newest(rounds, "tools_count", "tools_hash", where="tools_count"),
        "tls_not_after": tls and tls.not_after,
        "credential_expires": _credential(rounds),
        "findings": _findings(rounds),
        "last_round": rounds[-1].minute if rounds else 0,
    }
