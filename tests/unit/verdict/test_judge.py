from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from lookout.config.model import Server, Sink, Site
from lookout.history.round import Round
from lookout.probe.result import Era, Layer, ProbeResult, Reason, Status, TlsFacts
from lookout.verdict.case import Incident, Notice
from lookout.verdict.incidents import close
from lookout.verdict.judge import Judgement, judge_minute
from lookout.verdict.state import ServerState, ShardState

REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")
SITE = Site("Acme", "us-east-1", REGIONS, (Sink("hook", "webhook", "https://ops.example/x"),))
SERVER = Server("acme", "https://mcp.example/mcp", "Acme", tags=("prod",), shard="s000", notify=("hook", "gone"))
START = 1_790_000_040 // 60 * 60
STATUSES = {
    "u": Status.UP,
    "d": Status.DOWN,
    "c": Status.CREDENTIAL_REJECTED,
    "g": Status.DEGRADED,
    "?": Status.UNKNOWN,
}


def result(says: str, minute: int, slug: str = "acme") -> ProbeResult:
    failing = says in "dc"
    return ProbeResult(
        slug,
        STATUSES[says],
        minute * 1000 + 2500,
        layer=Layer.HTTP if failing else None,
        reason=Reason.HTTP_5XX if failing else None,
        message="HTTP 502" if failing else "",
        http_status=502 if failing else 200,
        era=None if failing else Era.MODERN,
        protocol_version=None if failing else "2026-07-28",
        server_name=None if failing else "acme-server",
        tools_count=None if failing else 3,
        tools_hash=None if failing else "abc",
        timings_ms={"total": 12.5},
        tls=TlsFacts(not_after=1_800_000_000),
    )


def rounds(says: str, minute: int) -> dict[str, Round]:
    pairs = zip(REGIONS, says, strict=True)
    return {r: Round("s000", minute, r, (result(s, minute),)) for r, s in pairs if s != "-"}


def play(*script: str, server: Server = SERVER, state: ShardState | None = None) -> list[Judgement]:
    state = state or ShardState("s000")
    incidents: dict[str, Incident] = {}
    out = []
    for i, says in enumerate(script):
        minute = START + 60 * i
        judged = judge_minute(state, minute, rounds(says, minute), [server], SITE, incidents)
        for incident in judged.incidents:
            incidents[incident.id] = incident
            if incident.resolved_at is not None:
                del incidents[incident.id]
        state = judged.state
        out.append(judged)
    return out


def notices(judged: list[Judgement]) -> list[Notice]:
    return [notice for one in judged for notice in one.notices]


def test_opens_one_incident_after_three_failing_rounds_and_resolves_it_once() -> None:
    judged = play("uuu", "ddd", "ddd", "ddd", "ddd", "ddu", "uuu", "uuu", "uuu")
    told = notices(judged)
    assert [n.type for n in told] == ["incident.opened", "incident.resolved"]
    opened, resolved = told
    assert opened.incident.started_at == START + 60
    assert opened.incident.opened_at == START + 180
    assert opened.created_at == START + 180 + 2
    assert (opened.severity, opened.status, opened.previous_status) == ("critical", "down", "up")
    assert opened.quorum.rule == "2-of-3"
    assert opened.quorum.consecutive_rounds == 3
    assert opened.failure.reason == "http_5xx"
    assert opened.sinks == ("hook",)
    assert resolved.dedup_key == opened.dedup_key
    assert resolved.id != opened.id
    assert resolved.incident.resolved_at == START + 360
    assert resolved.incident.resolution == "recovered"
    assert resolved.severity == "info"
    assert resolved.sequence > opened.sequence
    assert resolved.previous_since == START + 60


def test_two_of_three_is_high_not_critical() -> None:
    assert notices(play("uuu", "ddu", "ddu", "ddu"))[0].severity == "high"


def test_one_region_alone_degrades_and_is_a_warning_that_names_it() -> None:
    judged = play("uuu", "duu", "duu", "duu", "duu", "uuu", "uuu")
    assert judged[3].state.servers["acme"].status is Status.DEGRADED
    opened, resolved = notices(judged)
    assert (opened.type, opened.severity, opened.incident.kind) == ("incident.opened", "warning", "regional")
    assert opened.incident.regions == ("us-west-2",)
    assert opened.incident.started_at == START + 60
    assert (resolved.type, resolved.incident.id) == ("incident.resolved", opened.incident.id)
    assert resolved.incident.resolved_at == START + 300


def test_a_silent_region_does_not_block_the_verdict() -> None:
    assert [n.type for n in notices(play("uuu", "dd-", "d-d", "-dd"))] == ["incident.opened"]


def test_all_regions_silent_is_unknown_and_changes_no_incident() -> None:
    judged = play("uuu", "ddd", "ddd", "ddd", "---", "---", "---", "---", "uuu", "uuu")
    assert [n.type for n in notices(judged)] == ["incident.opened", "incident.resolved"]
    assert judged[6].state.servers["acme"].status is Status.DOWN
    assert judged[6].verdicts == {"acme": "?"}


def test_an_incident_that_becomes_a_rejected_credential_is_updated_not_reopened() -> None:
    told = notices(play("uuu", "ddd", "ddd", "ddd", "ccc", "ccc", "ccc"))
    assert [n.type for n in told] == ["incident.opened", "incident.updated"]
    assert told[1].status == "credential_rejected"
    assert told[1].incident.id == told[0].incident.id
    assert told[0].sequence < told[1].sequence
    assert told[1].severity == "high"


def test_a_server_nobody_probed_yet_is_pending_and_not_counted() -> None:
    judged = play("---", "---", "uuu")
    assert [dict(j.verdicts) for j in judged] == [{}, {}, {"acme": "u"}]
    assert judged[1].state.servers["acme"].status is Status.PENDING


def test_minutes_in_which_it_was_not_due_change_nothing() -> None:
    server = Server("acme", "https://mcp.example/mcp", shard="s000", interval_s=300)
    judged = play(*["uuu"] * 5, server=server)
    assert sum(len(j.verdicts) for j in judged) == 1


def test_pausing_closes_the_incident_and_resuming_starts_afresh() -> None:
    judged = play("uuu", "ddd", "ddd", "ddd")
    state = judged[-1].state
    incident = judged[-1].incidents[0]
    paused = Server(**{**{f: getattr(SERVER, f) for f in SERVER.__slots__}, "paused": True})
    minute = START + 240
    first = judge_minute(state, minute, {}, [paused], SITE, {incident.id: incident})
    assert first.state.servers["acme"].status is Status.PAUSED
    assert first.incidents[0].resolution == "paused"
    assert [n.type for n in first.notices] == ["incident.resolved"]
    again = judge_minute(first.state, minute + 60, {}, [paused], SITE, {})
    assert (again.notices, again.verdicts) == ((), {})
    assert again.state.servers == first.state.servers
    quiet = judge_minute(ShardState("s000"), minute, {}, [paused], SITE, {})
    assert quiet.notices == ()
    resumed = judge_minute(again.state, minute + 120, rounds("ddd", minute + 120), [SERVER], SITE, {})
    assert resumed.state.servers["acme"].status is Status.PENDING
    assert resumed.notices == ()


def test_a_removed_server_leaves_no_state_and_its_incident_closes_as_removed() -> None:
    judged = play("uuu", "ddd", "ddd", "ddd")
    after = judge_minute(judged[-1].state, START + 240, {}, [], SITE, {})
    assert after.state.servers == {}
    incident = judged[-1].incidents[0]
    closed, notice = close(SERVER, incident, START + 250, "removed", judged[-1].state.servers["acme"], SITE)
    assert (closed.resolved_at, closed.resolution) == (START + 250, "removed")
    assert (notice.type, notice.status, notice.previous_status) == ("incident.resolved", "unknown", "down")


def test_observes_regions_era_tools_and_certificate() -> None:
    state = play("uuu", "d?-")[-1].state.servers["acme"]
    assert [(v.region, v.status) for v in state.regions] == [
        ("us-west-2", "down"),
        ("eu-west-1", "unknown"),
        ("ap-southeast-1", "up"),
    ]
    assert (state.era, state.protocol_version, state.tools_count, state.tls_not_after) == (
        "modern",
        "2026-07-28",
        3,
        1_800_000_000,
    )


def test_the_earliest_end_of_a_credential_is_kept_while_it_cannot_be_had() -> None:
    def judged(state: ShardState, minute: int, *ends: int | None, reason: Reason | None = None) -> ShardState:
        seen = [
            ProbeResult(
                "acme", Status.UNKNOWN if reason else Status.UP, minute * 1000, reason=reason, credential_expires=end
            )
            for end in ends
        ]
        found = {r: Round("s000", minute, r, (one,)) for r, one in zip(REGIONS, seen, strict=True)}
        return judge_minute(state, minute, found, [SERVER], SITE, {}).state

    state = judged(ShardState("s000"), START, None, 1_900_000_000, 1_800_000_000)
    assert state.servers["acme"].credential_expires == 1_800_000_000
    state = judged(state, START + 60, None, None, None, reason=Reason.CREDENTIAL_UNAVAILABLE)
    assert state.servers["acme"].credential_expires == 1_800_000_000
    assert judged(state, START + 120, None, None, None).servers["acme"].credential_expires is None


def test_a_regions_wrong_clock_moves_no_notice_out_of_its_round() -> None:
    minute = START
    wild = [ProbeResult("acme", Status.DOWN, at_ms) for at_ms in (0, 10**15, minute * 1000)]
    found = {r: Round("s000", minute, r, (w,)) for r, w in zip(REGIONS, wild, strict=True)}
    server = Server("acme", "https://mcp.example/mcp", shard="s000", down_after=1)
    told = judge_minute(ShardState("s000"), minute, found, [server], SITE, {}).notices[0]
    assert told.created_at == minute + 120
    assert all(minute <= view.checked_at <= minute + 120 for view in told.regions)


def test_json_round_trips() -> None:
    judged = play("uuu", "ddd", "ddd", "ddd", "uuu", "uuu")
    for one in judged:
        for state in one.state.servers.values():
            assert ServerState.from_json(json.loads(json.dumps(state.to_json()))) == state
        for notice in one.notices:
            assert Notice.from_json(json.loads(json.dumps(notice.to_json()))) == notice
            assert Incident.from_json(json.loads(json.dumps(notice.incident.to_json()))) == notice.incident


SAYS = st.text("ud?-cg", min_size=3, max_size=3)


@settings(max_examples=300, deadline=None)
@given(st.lists(SAYS, min_size=1, max_size=40))
def test_never_two_open_incidents_and_replay_is_identical(script: list[str]) -> None:
    judged = play(*script)
    open_: dict[str, str] = {}
    for notice in notices(judged):
        if notice.type == "incident.opened":
            assert notice.incident.kind not in open_
            open_[notice.incident.kind] = notice.incident.id
        elif notice.type == "incident.resolved":
            assert open_.pop(notice.incident.kind) == notice.incident.id
    ids = [n.id for n in notices(judged)]
    assert len(ids) == len(set(ids))
    assert play(*script) == judged
    last: Mapping[str, ServerState] = judged[-1].state.servers
    assert last["acme"].incidents == open_
    assert last["acme"].status.failing == ("availability" in open_)


def test_evidence_of_the_same_second_makes_no_two_notices_one() -> None:
    """A region whose clock is ahead puts two minutes' evidence at the end of the first, or after that of the second."""
    server = Server("acme", "https://mcp.example/mcp", shard="s000", down_after=1)
    state, incidents, told = ShardState("s000"), {}, []
    for i, (status, ahead) in enumerate(((Status.DOWN, 0), (Status.CREDENTIAL_REJECTED, 100), (Status.DOWN, 40))):
        minute = START + 60 * i
        seen = ProbeResult("acme", status, (minute + ahead) * 1000)
        found = {r: Round("s000", minute, r, (seen,)) for r in REGIONS}
        judged = judge_minute(state, minute, found, [server], SITE, incidents)
        state, incidents = judged.state, {i.id: i for i in judged.incidents}
        told += judged.notices
    assert [n.type for n in told] == ["incident.opened", "incident.updated", "incident.updated"]
    assert told[1].created_at == told[2].created_at
    assert [n.id for n in told] == sorted({n.id for n in told})
    assert [n.sequence for n in told] == sorted({n.sequence for n in told})


def test_a_failure_before_a_long_silence_is_not_added_to_one_after_it_while_pending_either() -> None:
    judged = play("ddd", "---", "---", "---", "ddd", "ddd", "ddd")
    assert [j.verdicts.get("acme") for j in judged] == ["d", "?", "?", "?", "d", "d", "d"]
    assert [n.incident.started_at for n in notices(judged[:-1])] == []
    assert [n.incident.started_at for n in notices(judged)] == [START + 240]


def test_what_resumes_says_since_when_it_was_paused() -> None:
    paused = replace(SERVER, paused=True)
    first = judge_minute(ShardState("s000"), START, rounds("uuu", START), [SERVER], SITE, {})
    second = judge_minute(first.state, START + 60, {}, [paused], SITE, {})
    third = judge_minute(second.state, START + 180, {}, [SERVER], SITE, {})
    state = third.state.servers["acme"]
    assert (state.status, state.since) == (Status.PENDING, START + 180)
    assert (state.previous, state.previous_since) == (Status.PAUSED, START + 60)
