"""What a person does to an incident: the line, the notice, and that a full timeline keeps what people wrote."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lookout.config.model import Server, Sink, Site
from lookout.probe.result import Status
from lookout.verdict import ids
from lookout.verdict.case import TIMELINE_LIMIT, Incident
from lookout.verdict.people import acknowledge
from lookout.verdict.state import Failure, RegionView, ServerState

NOW = 1_787_409_247
REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")
SITE = Site("Acme", "us-east-1", REGIONS, (Sink("hook", "webhook", "https://ops.example/x"),))
ACME = Server("acme", "https://a.example/mcp", notify=("hook",))
FAILURE = Failure("http", "http_5xx", "HTTP 502", 502)
STATE = ServerState(
    "acme",
    Status.DOWN,
    NOW - 600,
    Status.UP,
    previous_since=NOW - 86400,
    fail_rounds=9,
    failure=FAILURE,
    regions=(
        RegionView("us-west-2", "down", NOW - 50),
        RegionView("eu-west-1", "up", NOW - 50),
        RegionView("ap-southeast-1", "unknown", NOW - 50),
    ),
)
OUTAGE = Incident(
    "inc_1",
    "acme",
    NOW - 600,
    NOW - 480,
    "down",
    public=True,
    title="Acme",
    failure=FAILURE,
    evidence=FAILURE,
    version=3,
)


def test_an_acknowledgement_is_a_line_and_an_update_that_alarms_nobody() -> None:
    after, notice = acknowledge(OUTAGE, ACME, STATE, SITE, NOW, "ann", "mine")
    assert (after.resolved_at, after.version) == (None, 3)
    taken = after.acknowledged
    assert taken is not None
    assert (taken.at, taken.text, taken.by, taken.public) == (NOW, "mine", "ann", True)
    assert (notice.type, notice.severity, notice.sinks) == ("incident.updated", "info", ("hook",))
    assert (notice.dedup_key, notice.created_at, notice.sequence) == ("inc_1", NOW, NOW)
    assert (notice.status, notice.previous_status, notice.failure) == ("down", "up", FAILURE)
    assert notice.incident == after
    quorum = notice.quorum
    assert (quorum.regions_total, quorum.regions_failing, quorum.regions_unknown) == (3, 1, 1)
    assert (quorum.rule, quorum.consecutive_rounds) == ("acknowledged", 9)


def test_its_notice_has_an_id_no_notice_of_the_judge_can_have() -> None:
    minute = NOW // 60 * 60
    _, notice = acknowledge(OUTAGE, ACME, STATE, SITE, minute, "ann")
    types = ("incident.opened", "incident.updated", "incident.resolved", "incident.reminder", "drift.detected")
    assert notice.id not in {ids.notice_id("inc_1", one, minute) for one in types}
    assert acknowledge(OUTAGE, ACME, STATE, SITE, minute, "bob")[1].id == notice.id


def test_an_acknowledged_change_of_tools_is_accepted_and_over() -> None:
    drift = replace(OUTAGE, kind="drift", failure=Failure(), evidence=None)
    after, notice = acknowledge(drift, ACME, STATE, SITE, NOW, "ann", public=False)
    assert (after.resolved_at, after.resolution) == (NOW, "accepted")
    assert [(entry.what, entry.by, entry.public) for entry in after.timeline] == [
        ("acknowledged", "ann", False),
        ("resolved", "", True),
    ]
    assert (notice.type, notice.severity, notice.failure) == ("incident.resolved", "info", Failure())
    assert notice.sequence > NOW
    assert notice.incident == after


def test_a_clock_that_runs_late_ends_nothing_before_it_began() -> None:
    after, _ = acknowledge(replace(OUTAGE, kind="drift"), ACME, STATE, SITE, OUTAGE.started_at - 30, "ann")
    assert after.resolved_at == OUTAGE.started_at


@pytest.mark.parametrize("people", [0, 1, TIMELINE_LIMIT - 3, TIMELINE_LIMIT + 5])
def test_a_full_timeline_drops_what_lookout_wrote_before_what_people_wrote(people: int) -> None:
    one = OUTAGE.noting(0, "opened").noting(1, "acknowledged", "mine", by="ann")
    for i in range(people):
        one = one.noting(2 + i, "note", f"note {i}", by="ann")
    for i in range(60):
        one = one.noting(1000 + i, "updated")
    assert len(one.timeline) == TIMELINE_LIMIT
    assert one.timeline[0].what == "opened"
    assert one.timeline[-1].at == 1059
    assert one.acknowledged is not None
    kept = [entry.text for entry in one.timeline if entry.what == "note"]
    assert kept == [f"note {i}" for i in range(people)][-(TIMELINE_LIMIT - 3) :] if people else kept == []


@pytest.mark.parametrize("at", [0, NOW - 1, NOW, NOW + 3600])
def test_a_floor_parts_the_notices_made_before_from_those_made_since(at: int) -> None:
    made = ids.notice_id("inc_1", "incident.opened", at)
    assert (made >= ids.notice_floor(NOW)) == (at >= NOW)
    assert len(ids.notice_floor(NOW)) == len("evt_") + 10
