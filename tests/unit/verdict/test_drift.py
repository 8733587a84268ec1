from __future__ import annotations

import json
from dataclasses import replace

from lookout.config.model import Server, Sink, Site
from lookout.history.round import Round, pack, unpack
from lookout.probe.result import Era, ProbeResult, Status
from lookout.surface.confirm import CALM
from lookout.surface.diff import Drift, diff
from lookout.surface.model import Surface, surface_of
from lookout.verdict.case import Notice, SurfaceChange
from lookout.verdict.judge import TRANSACTION_ITEMS, Judgement, judge_minute, surfaces_to_compare
from lookout.verdict.state import ServerState, ShardState

REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")
SITE = Site("Acme", "us-east-1", REGIONS, (Sink("hook", "webhook", "https://ops.example/x"),))
SERVER = Server("acme", "https://mcp.example/mcp", "Acme", shard="s000", notify=("hook",))
START = 1_790_000_040 // 60 * 60


def surface(*tools: str, required: tuple[str, ...] = ()) -> Surface:
    made = surface_of([{"name": n, "inputSchema": {"type": "object", "required": list(required)}} for n in tools])
    assert made is not None
    return made


ONE, TWO, THREE = surface("search"), surface("search", "find"), surface("search", "find", required=("q",))
BY_ADDRESS = {s.address: s for s in (ONE, TWO, THREE)}


def result(slug: str, seen: Surface | None, minute: int, **more: object) -> ProbeResult:
    values: dict[str, object] = {"era": Era.MODERN, "protocol_version": "2026-07-28", "asked_as": "abc123", **more}
    made = ProbeResult(slug, Status.UP, minute * 1000 + 1500, surface_address=seen.address if seen else None)
    return replace(made, **values)


def read(pairs: set[tuple[str, str]]) -> dict[tuple[str, str], Drift]:
    """What the caller of the judge does."""
    return {(a, b): diff(BY_ADDRESS[a], BY_ADDRESS[b]) for a, b in pairs if a in BY_ADDRESS and b in BY_ADDRESS}


def play(
    *minutes: Surface | None,
    server: Server = SERVER,
    servers: int = 1,
    unread: bool = False,
    state: ShardState | None = None,
    **more: object,
) -> list[Judgement]:
    """Each minute all regions see the same surface of every server."""
    state = state or ShardState("s000")
    slugs = [server.slug] if servers == 1 else [f"s{i}" for i in range(servers)]
    out = []
    first = state.judged + 60 if state.judged else START
    for i, seen in enumerate(minutes):
        minute = first + 60 * i
        rounds = {
            r: unpack(pack(Round("s000", minute, r, tuple(result(s, seen, minute, **more) for s in slugs))))
            for r in REGIONS
        }
        wanted = surfaces_to_compare(state, minute, rounds, SITE)
        drifts = {} if unread else read(wanted)
        judged = judge_minute(state, minute, rounds, [replace(server, slug=s) for s in slugs], SITE, {}, drifts)
        state = judged.state
        out.append(judged)
    return out


def notices(judged: list[Judgement]) -> list[Notice]:
    return [n for one in judged for n in one.notices]


def test_a_change_seen_twice_by_all_regions_is_one_notice() -> None:
    judged = play(ONE, ONE, TWO, TWO, TWO)
    (notice,) = notices(judged)
    assert (notice.type, notice.severity, notice.status, notice.incident) == ("drift.detected", "info", "up", None)
    assert notice.created_at == START + 180 + 1
    assert notice.sinks == ("hook",)
    assert notice.drift == {
        "class": "additive",
        "added": ["find"],
        "removed": [],
        "changed": [],
        "old_hash": f"sha256:{ONE.hashes.full}",
        "new_hash": f"sha256:{TWO.hashes.full}",
        "unstable": False,
        "regions": list(REGIONS),
    }
    (change,) = judged[3].changes
    assert change == SurfaceChange(notice.dedup_key, "acme", START + 180, True, "Acme", notice.drift)
    state = judged[-1].state.servers["acme"]
    assert (state.drifts, state.drift_at) == ({"additive": 1}, START + 180)


def test_severity_follows_the_class() -> None:
    (breaking,) = notices(play(TWO, TWO, THREE, THREE))
    assert breaking.severity == "high"
    assert breaking.drift is not None
    assert breaking.drift["changed"] == [
        {
            "tool": name,
            "changes": [
                {"path": "/inputSchema/required", "kind": "required_added", "class": "breaking", "detail": "q"}
            ],
        }
        for name in ("find", "search")
    ]
    worded = surface_of([{"name": "search", "description": "x", "inputSchema": {"type": "object", "required": []}}])
    assert worded is not None
    BY_ADDRESS[worded.address] = worded
    (risky,) = notices(play(ONE, ONE, worded, worded))
    assert risky.severity == "warning"


def test_a_surface_that_cannot_be_read_is_told_as_unknown() -> None:
    (notice,) = notices(play(ONE, ONE, TWO, TWO, unread=True))
    assert notice.drift is not None
    assert (notice.drift["class"], notice.severity) == ("unknown", "info")
    assert notice.drift["new_hash"] == f"sha256:{TWO.address}"


def test_an_alternation_is_told_once_as_unstable() -> None:
    (notice,) = notices(play(ONE, ONE, TWO, ONE, TWO, TWO, ONE, ONE))
    assert notice.drift is not None
    assert (notice.drift["unstable"], notice.drift["added"]) == (True, ["find"])


def test_surfaces_that_differ_only_in_what_one_was_not_asked_for_are_no_change() -> None:
    asked = surface_of([dict(t) for t in ONE.tools], prompts=[{"name": "p"}])
    assert asked is not None
    BY_ADDRESS[asked.address] = asked
    judged = play(ONE, ONE, asked, asked)
    assert notices(judged) == []
    assert judged[-1].state.servers["acme"].surface.tracks["us-west-2"][0].base == asked.address


def test_another_era_version_or_credential_is_another_baseline() -> None:
    state = play(ONE, ONE)[-1].state
    for more in ({"era": Era.LEGACY}, {"protocol_version": "2099-01-01"}, {"asked_as": None}):
        assert notices(play(TWO, TWO, state=state, **more)) == []
    assert notices(play(None, None, TWO, TWO, state=state)) != []


def test_what_does_not_fit_the_transaction_waits_for_the_next_minute() -> None:
    judged = play(ONE, ONE, TWO, TWO, TWO, servers=60)
    room = (TRANSACTION_ITEMS - 2) // 2
    assert [len(j.changes) for j in judged] == [0, 0, 0, room, 60 - room]
    assert [len(j.notices) for j in judged] == [0, 0, 0, room, 60 - room]
    told = [n.slug for n in notices(judged)]
    assert len(set(told)) == 60
    for one in judged:
        assert 2 + len(one.changes) + len(one.incidents) + len(one.notices) <= TRANSACTION_ITEMS


def test_incidents_go_before_surfaces() -> None:
    state = play(ONE, ONE, TWO, servers=40)[-1].state
    minute = state.judged + 60
    servers = [replace(SERVER, slug=f"s{i}", down_after=1) for i in range(40)]
    rounds = {
        r: Round("s000", minute, r, tuple(replace(result(s.slug, TWO, minute), status=Status.DOWN) for s in servers))
        for r in REGIONS
    }
    judged = judge_minute(state, minute, rounds, servers, SITE, {})
    kinds = [incident.kind for incident in judged.incidents]
    assert kinds == ["availability"] * 40 + ["drift"] * len(judged.changes)
    assert len(judged.changes) == (TRANSACTION_ITEMS - 2 - 2 * 40 - 1) // 3


def test_pausing_forgets_no_surface_and_a_minute_off_sees_none() -> None:
    state = play(ONE, ONE)[-1].state
    paused = play(TWO, TWO, server=replace(SERVER, paused=True), state=state)
    assert notices(paused) == []
    (notice,) = notices(play(TWO, TWO, state=paused[-1].state))
    assert notice.type == "drift.detected"
    every = replace(SERVER, interval_s=3600)
    off = next(m for m in range(START + 120, START + 7200, 60) if not every.due(m))
    quiet = judge_minute(state, off, {}, [every], SITE, {})
    assert quiet.state.servers["acme"].surface == state.servers["acme"].surface


def test_states_notices_and_changes_survive_being_stored() -> None:
    for one in play(ONE, ONE, TWO, ONE, TWO, TWO, TWO):
        for state in one.state.servers.values():
            assert ServerState.from_json(json.loads(json.dumps(state.to_json()))) == state
        for notice in one.notices:
            assert Notice.from_json(json.loads(json.dumps(notice.to_json()))) == notice
        for change in one.changes:
            assert SurfaceChange.from_json(json.loads(json.dumps(change.to_json()))) == change


def test_replaying_gives_the_same_bytes() -> None:
    script = (ONE, ONE, TWO, TWO, ONE, THREE, THREE, *[ONE] * (CALM + 2), THREE, THREE)
    assert play(*script) == play(*script)
