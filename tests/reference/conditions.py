"""Incidents of other kinds than outages (decision 12, C): what makes them begin and end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tests.reference.facts import NOTHING, facts, worst
from tests.reference.rounds import Change, Heard

BY_ROUNDS = ("regional", "latency", "limited")
"""Those that are about what rounds say."""
OPENED = {
    "latency": "latency.degraded",
    "certificate": "tls.expiring",
    "credential": "credential.expiring",
    "drift": "drift.detected",
}
"""What is told at the beginning of a kind; of others it is `incident.opened`."""

SERIOUS = ("breaking", "risky", "unknown")
"""The classes of changes that are an incident."""


def mark(kind: str, one: Heard) -> str:
    """Is a round bad, good, or neither?"""
    if one.covered or one.again:
        return "neither"
    if kind == "limited":
        return "bad" if one.limited else "good" if one.known else "neither"
    if not one.known or one.fails:
        return "neither"
    if one.cause == kind:
        return "bad"
    if kind == "regional":
        return "good"
    return "good" if one.cause is None else "neither"


def streaks(kind: str, rounds: Sequence[Heard]) -> tuple[list[Heard], list[Heard]]:
    """The bad rounds and the good ones that go on to the newest, newest first; one of the two is empty."""
    out: dict[str, list[Heard]] = {"bad": [], "good": []}
    newest = None
    for one in reversed(rounds):
        what = mark(kind, one)
        if what == "neither":
            continue
        newest = newest or what
        if what != newest:
            break
        out[what].append(one)
    return out["bad"], out["good"]


def opens(kind: str, bad: Sequence[Heard], newest: Heard) -> bool:
    """Is the newest round bad, and the last of enough of them?"""
    if newest not in bad[:1] or len(bad) < newest.server.down_after:
        return False
    return kind != "limited" or newest.minute - bad[-1].minute >= newest.server.limited_after_s


def shown(kind: str, newest: Heard, watch: Sequence[Heard], change: Change | None = None) -> dict[str, Any]:
    """What such an incident shows when it begins: a failure, and the regions that saw it."""
    if change is not None:
        return {"regions": list(change.regions), "failure": NOTHING, "evidence": None, "surface": change.old}
    if kind in ("certificate", "credential"):
        ends = end(kind, watch) or 0
        at, verb = datetime.fromtimestamp(ends, UTC), "ended" if ends <= newest.minute else "ends"
        failure = NOTHING | {
            "layer": "tls" if kind == "certificate" else None,
            "message": f"the {kind} {verb} {at:%Y-%m-%d %H:%M} UTC",
        }
        return {"regions": [], "failure": failure, "evidence": failure}
    if kind == "latency":
        usual = f"; its usual 95th percentile is {newest.usual_ms} ms" if newest.usual_ms else ""
        failure = NOTHING | {"reason": "slow", "message": f"{newest.latency_ms} ms{usual}"}
        return {"regions": [], "failure": failure, "evidence": failure}
    regions = {
        "regional": newest.failing,
        "limited": [r for r, one in newest.of_regions.items() if one.reason in ("rate_limited", "bot_wall")],
    }.get(kind, [])
    failure = worst([newest.of_regions[region] for region in regions]) if regions else NOTHING
    return {"regions": regions, "failure": failure, "evidence": failure}


def end(kind: str, watch: Sequence[Heard]) -> int | None:
    """When the certificate or credential ends, as far as it is known."""
    known: int | None = facts(watch)["tls_not_after" if kind == "certificate" else "credential_expires"]
    return known


def stage(kind: str, newest: Heard, watch: Sequence[Heard]) -> int:
    """The smallest of the times before its end that what is left has come down to; 0: none."""
    server, ends = newest.server, end(kind, watch)
    times = server.tls_warn_s if kind == "certificate" else (server.credential_warn_s,)
    if ends is None:
        return 0
    return min((time for time in times if time and time >= ends - newest.minute), default=0)


def severity_of_change(cls: str) -> str:
    """How urgent a change of the surface is."""
    return {"breaking": "high", "risky": "warning"}.get(cls, "info")


def severity(kind: str, at: int, times: Sequence[int]) -> str:
    """How urgent the end of a certificate is at a stage, of other conditions always the same."""
    if kind != "certificate":
        return "warning"
    if at == min(times):
        return "high"
    return "info" if at == max(times) else "warning"
