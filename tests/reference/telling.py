"""What a notice says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.reference import conditions
from tests.reference.facts import NOTHING, facts
from tests.reference.rounds import Change, Plan, streak

if TYPE_CHECKING:
    from tests.reference.account import Account


def told(kind: str, account: Account, incident: dict[str, Any] | None, change: Change | None = None) -> dict[str, Any]:
    """Of an incident that began, changed or ended with the newest round; or of a change that is none."""
    newest = account.watch[-1]
    run = streak(account.counted, len(account.counted) - 1, exactly=False)
    known = facts(account.watch)
    return {
        "type": kind,
        "created_at": newest.at,
        "status": account.status,
        "previous_status": account.previous,
        "previous_since": account.previous_since,
        "severity": conditions.severity_of_change(change.cls) if change else _severity(kind, account, incident or {}),
        "failure": _failure(known["failure"], incident) if incident and not change else NOTHING,
        "quorum": {
            "regions_total": len(newest.regions),
            "regions_failing": len(newest.failing),
            "regions_unknown": len(newest.regions) - newest.reported,
            "rule": f"{newest.needed}-of-{newest.reported}",
            "consecutive_rounds": len(run) if run and run[0].fails == newest.fails else 0,
        },
        "regions": known["regions"],
        "incident": dict(incident) if incident else None,
        **({"change": (change.old, change.new)} if change else {}),
        **_addressed(newest.plan),
    }


def unwatched(account: Account, at: int, plan: Plan, why: str, incident: dict[str, Any]) -> dict[str, Any]:
    """Of an incident that ended because nobody looks any more: no region said so."""
    known = facts(account.watch)
    total = len(plan.regions)
    return {
        "type": "incident.resolved",
        "created_at": at,
        "status": "paused" if why == "paused" else "unknown",
        "previous_status": account.status,
        "previous_since": account.since,
        "severity": "info",
        "failure": _failure(known["failure"], incident),
        "quorum": {
            "regions_total": total,
            "regions_failing": 0,
            "regions_unknown": total,
            "rule": why,
            "consecutive_rounds": 0,
        },
        "regions": known["regions"],
        "incident": dict(incident),
        **_addressed(plan),
    }


def _failure(last: dict[str, Any] | None, incident: dict[str, Any]) -> Any:
    """How the server failed last, of an outage; of another kind what that shows."""
    return (last if incident["kind"] == "availability" else None) or incident["failure"]


def _severity(kind: str, account: Account, incident: dict[str, Any]) -> str:
    newest = account.watch[-1]
    if kind == "incident.resolved":
        return "info"
    if incident["kind"] != "availability":
        return conditions.severity(incident["kind"], incident["stage"], newest.server.tls_warn_s)
    everywhere = len(newest.failing) == len(newest.regions) and account.status == "down"
    return "critical" if everywhere else "high"


def _addressed(plan: Plan) -> dict[str, Any]:
    """Whom it is for, of those there are, and what it is about."""
    return {"sinks": [name for name in plan.server.notify if name in plan.sinks], "url": plan.server.url}
