"""What is wrong with a server that still works: decision 12, C."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lookout.probe.result import Status
from lookout.verdict.case import TIMELINE_LIMIT, Incident
from lookout.verdict.judge import TRANSACTION_ITEMS, judge_minute
from lookout.verdict.state import ServerState, ShardState

from tests.unit.verdict.playing import DAY, SERVER, SITE, START, Play, window

SOON = {30: "info", 14: "warning", 7: "high"}


def test_one_slow_region_of_three_is_not_slow_and_three_are() -> None:
    assert Play().hear("uuu", *["suu"] * 6).told == []
    play = Play(latency_ms=7000).hear("uuu", "sss", "sss", "sss", "sss", "uuu", "uuu")
    assert play.told == ["latency.degraded latency", "incident.resolved latency"]
    opened, resolved = play.notices
    assert (opened.severity, opened.status, opened.failure.reason) == ("warning", "degraded", "slow")
    assert opened.failure.message == "7000 ms"
    assert (opened.incident.started_at, opened.incident.opened_at) == (START + 60, START + 180)
    assert (resolved.incident.resolved_at, resolved.incident.resolution) == (START + 300, "recovered")
    assert opened.sequence < resolved.sequence


def test_a_regional_failure_says_where_and_an_outage_neither_ends_nor_opens_it() -> None:
    play = Play().hear("uuu", "duu", "duu", "duu", "ddd", "ddd", "ddd", "uuu", "uuu")
    assert play.told == [
        "incident.opened regional",
        "incident.opened availability",
        "incident.resolved availability",
        "incident.resolved regional",
    ]
    regional = play.notices[0].incident
    assert (regional.regions, regional.regions_total) == (("us-west-2",), 3)
    assert regional.failure.reason == "http_5xx"
    assert regional.evidence == regional.failure
    assert regional.timeline[0].text == "degraded: http_5xx in us-west-2"


def test_a_regional_failure_ends_with_good_rounds_slow_ones_too() -> None:
    play = Play().hear("uuu", "duu", "duu", "duu", "sss", "???", "sss")
    assert play.told == ["incident.opened regional", "incident.resolved regional"]
    assert play.hear("sss").told[-1] == "latency.degraded latency"


def test_a_good_round_begins_the_bad_ones_anew() -> None:
    assert Play().hear("uuu", "duu", "duu", "uuu", "duu", "duu").told == []


def test_what_only_does_not_conform_is_told_to_nobody() -> None:
    play = Play().hear("uuu", *["ggg"] * 5)
    assert play.now.status == "degraded"
    assert (play.told, play.now.tracks) == ([], {})


def test_a_quarter_of_an_hour_behind_a_limit_is_a_warning() -> None:
    play = Play().hear("uuu", *["ll?"] * 15)
    assert play.told == []
    assert play.now.status == "unknown"
    play.hear("ll-")
    assert play.told == ["incident.opened limited"]
    (opened,) = play.notices
    assert (opened.status, opened.failure.reason) == ("unknown", "rate_limited")
    assert opened.incident.regions == ("us-west-2", "eu-west-1")
    assert play.hear("---", "uuu", "uuu").told[1:] == ["incident.resolved limited"]


def test_a_third_behind_a_limit_is_silence_and_no_limit() -> None:
    assert Play().hear("uuu", *["l??"] * 20).told == []


def test_a_policy_that_changes_opens_nothing_in_a_round_that_says_nothing() -> None:
    play = Play().hear("uuu", "duu", "duu")
    play.server = replace(SERVER, down_after=2)
    assert play.hear("ddd").told == []
    assert play.hear("duu").told == ["incident.opened regional"]


def test_a_certificate_is_told_at_each_of_its_stages_once() -> None:
    play = Play(tls_not_after=START + 30 * DAY + 60).hear("uuu")
    assert play.told == []
    play.hear("uuu", "uuu")
    for days in (14, 7):
        play.minute = START + (30 - days) * DAY + 60
        play.hear("uuu", "uuu")
    assert play.told == ["tls.expiring certificate"] * 3
    assert [n.severity for n in play.notices] == list(SOON.values())
    assert len({n.dedup_key for n in play.notices}) == 1
    assert len({n.id for n in play.notices}) == 3
    assert [n.sequence for n in play.notices] == sorted({n.sequence for n in play.notices})
    assert "the certificate ends 20" in play.notices[-1].failure.message
    play.tls_not_after = START + 100 * DAY
    assert play.hear("uuu").told[3:] == ["incident.resolved certificate"]
    assert play.notices[-1].incident.resolution == "renewed"


def test_a_certificate_that_ended_says_so() -> None:
    play = Play(replace(SERVER, tls_warn_s=(7 * DAY,)), tls_not_after=START - 60).hear("uuu")
    assert play.notices[0].severity == "high"
    assert "the certificate ended 20" in play.notices[0].failure.message


def test_a_certificate_renewed_for_a_few_days_is_another() -> None:
    play = Play(tls_not_after=START + 5 * DAY).hear("uuu")
    play.tls_not_after = START + 20 * DAY
    play.hear("uuu", "uuu")
    assert play.told == ["tls.expiring certificate", "incident.resolved certificate", "tls.expiring certificate"]
    assert [n.severity for n in play.notices] == ["high", "info", "info"]


def test_who_wants_no_warning_gets_none() -> None:
    quiet = replace(SERVER, tls_warn_s=(), credential_warn_s=0)
    assert Play(quiet, tls_not_after=START + 60, credential_expires=START + 60).hear("uuu").told == []


def test_a_credential_is_told_three_days_before_its_end_and_forgotten_with_it() -> None:
    play = Play(credential_expires=START + 3 * DAY + 60).hear("uuu")
    assert play.told == []
    play.hear("uuu")
    assert play.told == ["credential.expiring credential"]
    assert play.notices[0].severity == "warning"
    assert play.notices[0].failure.layer is None
    play.credential_expires = None
    assert play.hear("uuu").told[1:] == ["incident.resolved credential"]


def test_a_window_hides_what_is_slow_but_not_a_certificate() -> None:
    play = Play(covering=window(1, 9), tls_not_after=START + 6 * DAY)
    play.tls_not_after = None
    play.hear("uuu", *["duu"] * 4)
    play.tls_not_after = START + 6 * DAY
    play.hear("duu")
    assert play.told == ["tls.expiring certificate"]


def test_pausing_ends_all_of_them() -> None:
    play = Play(tls_not_after=START + 6 * DAY).hear("uuu", "duu", "duu", "duu")
    play.server = replace(SERVER, paused=True)
    play.hear("---", "---")
    assert sorted(play.told[2:]) == ["incident.resolved certificate", "incident.resolved regional"]
    assert {i.resolution for i in play.incidents.values()} == {"paused"}
    assert {i.resolved_at for i in play.incidents.values()} == {START + 240}
    assert play.now.incidents == {}


def test_what_does_not_fit_the_transaction_ends_a_minute_later() -> None:
    """Forty servers, each down and with a certificate that ends soon, are paused at once."""
    slugs = [f"s{i}" for i in range(40)]
    servers = [replace(SERVER, slug=slug, paused=True) for slug in slugs]
    open_ = {}
    for slug in slugs:
        for kind in ("availability", "certificate"):
            incident = Incident(f"inc_{slug}_{kind}", slug, START, START, "down", True, slug, kind=kind)
            open_[incident.id] = incident
    ids = {slug: {kind: f"inc_{slug}_{kind}" for kind in ("availability", "certificate")} for slug in slugs}
    states = {slug: ServerState(slug, Status.DOWN, START, incidents=ids[slug], last_round=START) for slug in slugs}
    state = ShardState("s000", judged=START, servers=states)
    kinds = []
    for minute in range(START + 60, START + 360, 60):
        judged = judge_minute(state, minute, {}, servers, SITE, open_)
        assert 2 + len(judged.incidents) + len(judged.notices) <= TRANSACTION_ITEMS
        kinds.append([incident.kind for incident in judged.incidents])
        open_ = {key: one for key, one in open_.items() if key not in {i.id for i in judged.incidents}}
        state = judged.state
    assert kinds[0].count("availability") == 40
    assert [line.count("certificate") for line in kinds] == [9, 31, 0, 0, 0]
    assert open_ == {}


def test_an_incident_somebody_else_ended_is_forgotten() -> None:
    play = Play(tls_not_after=START + 6 * DAY).hear("uuu")
    play.open.clear()
    play.incidents.clear()
    play.hear("uuu")
    assert play.told == ["tls.expiring certificate", "tls.expiring certificate"]


def test_a_state_of_the_version_that_knew_outages_only_is_read() -> None:
    assert ServerState.from_json({"slug": "acme", "incident_id": "inc_1"}).incidents == {"availability": "inc_1"}


@pytest.mark.parametrize("lines", [TIMELINE_LIMIT - 1, TIMELINE_LIMIT + 5])
def test_a_timeline_keeps_its_beginning_and_what_is_newest(lines: int) -> None:
    incident = Incident("inc_1", "acme", 0, 0, "down", True, "Acme").noting(0, "opened")
    for at in range(lines):
        incident = incident.noting(at, "note", by="ada")
    assert len(incident.timeline) == min(lines + 1, TIMELINE_LIMIT)
    assert (incident.timeline[0].what, incident.timeline[-1].at) == ("opened", lines - 1)
    assert incident.acknowledged is None
    assert Incident.from_json(incident.to_json(), 3) == incident
