"""What the judge keeps and tells beside what the reference says it must: both as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from lookout.config.model import Server
from lookout.verdict.case import Incident, Notice
from lookout.verdict.state import ServerState, ShardState

from tests.reference.account import Account
from tests.reference.facts import facts
from tests.reference.rounds import silence, streak
from tests.reference.standing import Moment, overlapping

KNOWN: Final = (
    "era",
    "protocol_version",
    "transport",
    "server_name",
    "server_version",
    "tools_count",
    "tools_hash",
    "tls_not_after",
    "credential_expires",
    "fail_rounds",
    "ok_rounds",
    "unknown_rounds",
    "usual_ms",
)
UNSPOKEN: Final = ("timeline", "held")
"""What of an incident is compared elsewhere, or is of a mass failure."""


def stood(state: ServerState) -> tuple[Any, ...]:
    """How the judge says that a server stood after a minute."""
    kinds = tuple(sorted(state.incidents))
    said = (state.status.value, state.since, state.previous.value, state.previous_since)
    return (*said, state.flapping_since, kinds)


def stands(moment: Moment) -> tuple[Any, ...]:
    """The same, as the reference says it."""
    said = (moment.status, moment.since, moment.previous, moment.previous_since)
    return (*said, moment.flapping_since, moment.open)


def known(state: ServerState) -> dict[str, Any]:
    """What the judge knows of a server besides."""
    out = {name: getattr(state, name) for name in KNOWN}
    out["failure"] = asdict(state.failure) if state.failure else None
    return {**out, "findings": list(state.findings), "regions": [asdict(view) for view in state.regions]}


def knows(account: Account) -> dict[str, Any]:
    """The same, as the reference says it."""
    rounds = account.counted
    run = streak(rounds, len(rounds) - 1, exactly=False)
    fails = bool(run) and run[0].fails
    out = facts(account.watch)
    del out["last_round"]
    return {
        **out,
        "fail_rounds": len(run) if fails else 0,
        "ok_rounds": 0 if fails else len(run),
        "unknown_rounds": silence(rounds, len(rounds) - 1) if rounds else 0,
        "usual_ms": (account.history[-1].usual_ms or 0) if account.history else 0,
    }


def check_told(
    slug: str, told: Sequence[Notice], wanted: Sequence[dict[str, Any]], incidents: Mapping[str, Incident]
) -> None:
    """The notices of one server, in the order of their ids, are those `wanted`; and the incidents what they say last.

    Each incident is told in order, by itself: of two at once it does not matter which comes first.
    """
    by_incident: dict[tuple[str, int], list[dict[str, Any]]] = {}
    alone = [one for one in wanted if one["incident"] is None]
    assert [plain(notice) for notice in told if notice.incident is None] == alone, slug
    for one in wanted:
        if one["incident"] is not None:
            by_incident.setdefault((one["incident"]["kind"], one["incident"]["key"]), []).append(one)
    found: dict[tuple[str, int], list[Notice]] = {}
    for notice in told:
        if notice.incident is None:
            continue
        assert notice.dedup_key == notice.incident.id
        found.setdefault((notice.incident.kind, notice.incident.opened_at), []).append(notice)
    assert {key: [n.type for n in of_one] for key, of_one in found.items()} == {
        key: [one["type"] for one in of_one] for key, of_one in by_incident.items()
    }, slug
    for key, of_one in found.items():
        ordered = sorted(of_one, key=lambda n: n.sequence)
        moments = [n.id.removeprefix("evt_")[:10] for n in ordered]
        assert moments == sorted(moments), (slug, key, "numbered in another order than told")
        assert len({n.sequence for n in of_one}) == len({n.id for n in of_one}) == len(of_one), (slug, key)
        assert len({n.dedup_key for n in of_one}) == 1, (slug, key)
        for notice, one in zip(ordered, by_incident[key], strict=True):
            assert plain(notice) == one, (slug, key, notice.type)
        types = [n.type for n in ordered]
        assert types.count("incident.resolved") == (ordered[-1].type == "incident.resolved"), (slug, key)
        last = ordered[-1].incident
        assert last is not None
        assert as_told(incidents[last.id]) == as_told(last)
    for kind in {kind for kind, _ in by_incident}:
        last_told = [of_one[-1]["incident"] for (of, _), of_one in by_incident.items() if of == kind]
        assert overlapping(last_told) == [], (slug, kind)


def as_told(incident: Incident) -> dict[str, Any]:
    """An incident as values, without what people add to it, and what the judge notes there for the next round."""
    out = incident.to_json() | ({"stage": 0} if incident.kind == "drift" else {})
    for name in UNSPOKEN:
        del out[name]
    out["regions"] = list(out["regions"])
    return out


def plain(notice: Notice) -> dict[str, Any]:
    """A notice as the reference says it."""
    incident = as_told(notice.incident) if notice.incident is not None else None
    if incident is not None:
        assert incident.pop("slug") == notice.slug
        assert incident.pop("id") == notice.dedup_key
        incident["key"] = incident.pop("opened_at")
    assert not notice.held
    return {
        "type": notice.type,
        "created_at": notice.created_at,
        "status": notice.status,
        "previous_status": notice.previous_status,
        "previous_since": notice.previous_since,
        "severity": notice.severity,
        "failure": asdict(notice.failure),
        "quorum": asdict(notice.quorum),
        "regions": [asdict(view) for view in notice.regions],
        "incident": incident,
        **({"change": ends(notice.drift)} if notice.drift is not None else {}),
        "sinks": list(notice.sinks),
        "url": notice.server["url"],
    }


def ends(drift: Mapping[str, Any]) -> tuple[str, str]:
    """The surfaces a change leads from and to."""
    return drift["old_hash"].removeprefix("sha256:"), drift["new_hash"].removeprefix("sha256:")


def check_open(incidents: Iterable[Incident], states: Iterable[ShardState], servers: Iterable[Server]) -> None:
    """What states say is open, is; each kind at most once a server, and none of a server that is not listed."""
    still = {one.id: (one.slug, one.kind) for one in incidents if one.resolved_at is None}
    said = {
        number: (slug, kind)
        for shard in states
        for slug, state in shard.servers.items()
        for kind, number in state.incidents.items()
    }
    assert still == said
    assert len(set(still.values())) == len(still)
    assert {slug for slug, _ in still.values()} <= {server.slug for server in servers}
