"""Reminders and escalations: when they are due, to whom, once each; and when nobody is told."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lookout.config.model import Server, Sink, Site
from lookout.config.route import Escalation, Route
from lookout.probe.result import Status
from lookout.verdict.case import Incident, Notice
from lookout.verdict.reminding import follows, remind
from lookout.verdict.state import Failure, RegionView, ServerState

OPENED = 1_787_409_240
HOUR = 3600
REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")
SINKS = tuple(Sink(name, "webhook", f"https://{name}.example/x") for name in ("chat", "pager", "boss"))
SITE = Site("Acme", "us-east-1", REGIONS, SINKS)
ACME = Server("acme", "https://a.example/mcp", notify=("chat", "pager"), remind_every_s=HOUR)
ROUTED = replace(ACME, routed=True, remind_every_s=0)
FAILURE = Failure("http", "http_5xx", "HTTP 502", 502)
STATE = ServerState(
    "acme",
    Status.DOWN,
    OPENED - 120,
    Status.UP,
    fail_rounds=40,
    failure=FAILURE,
    regions=tuple(RegionView(region, "down", OPENED) for region in REGIONS),
)
OUTAGE = Incident(
    "inc_1",
    "acme",
    OPENED - 120,
    OPENED,
    "down",
    public=True,
    title="Acme",
    failure=FAILURE,
    regions=REGIONS,
    regions_total=3,
    evidence=FAILURE,
    version=4,
)


def ticks(
    server: Server, *moments: int, of: Site = SITE, incident: Incident = OUTAGE
) -> tuple[Incident, list[tuple[int, Notice]]]:
    """The incident after ticks so many seconds after its opening, and what each told."""
    told: list[tuple[int, Notice]] = []
    for moment in moments:
        incident, notices = remind(incident, server, STATE, of, OPENED + moment)
        incident = Incident.from_json(json.loads(json.dumps(incident.to_json())), incident.version)
        told += [(moment, notice) for notice in notices]
    return incident, told


def test_whom_an_open_incident_concerns_is_reminded_as_long_as_it_lasts() -> None:
    _, told = ticks(ACME, *range(0, 3 * HOUR, 60))
    assert [(at, one.sinks, one.escalation) for at, one in told] == [
        (HOUR, ("chat", "pager"), None),
        (2 * HOUR, ("chat", "pager"), None),
    ]
    notice = told[0][1]
    assert (notice.type, notice.severity, notice.status) == ("incident.reminder", "critical", "down")
    assert (notice.dedup_key, notice.sequence, notice.created_at) == ("inc_1", OPENED + HOUR, OPENED + HOUR)
    assert (notice.quorum.rule, notice.quorum.regions_failing, notice.failure) == ("reminder", 3, FAILURE)
    assert len({one.id for _, one in told}) == 2
    assert Notice.from_json(json.loads(json.dumps(notice.to_json()))) == notice


def test_a_late_tick_tells_the_newest_and_the_same_as_one_in_time() -> None:
    _, in_time = ticks(ACME, 3 * HOUR)
    after, late = ticks(ACME, 3 * HOUR + 1500, 3 * HOUR + 1560)
    assert [one.id for _, one in late] == [one.id for _, one in in_time]
    assert after.reminded == {"chat": OPENED + 3 * HOUR, "pager": OPENED + 3 * HOUR}
    assert "reminded" not in OUTAGE.to_json()


@given(st.sets(st.integers(0, 12 * HOUR)))
def test_whenever_ticks_come_nothing_is_told_twice_or_too_often(moments: set[int]) -> None:
    server = replace(ACME, escalate=Escalation(900, ("boss",)))
    _, told = ticks(server, *sorted(moments))
    reminders = [one for _, one in told if one.escalation is None]
    slots = [one.sequence for one in reminders]
    assert slots == sorted({OPENED + moment // HOUR * HOUR for moment in moments if moment >= HOUR})
    assert len(told) - len(reminders) == any(moment >= 900 for moment in moments)
    assert len({one.id for _, one in told}) == len(told)


@pytest.mark.parametrize(
    "incident",
    [
        OUTAGE.noting(OPENED + 60, "acknowledged", by="ann"),
        replace(OUTAGE, resolved_at=OPENED + 60),
        replace(OUTAGE, held="site"),
        replace(OUTAGE, kind="certificate"),
        replace(OUTAGE, kind="drift"),
    ],
    ids=["acknowledged", "over", "held", "certificate", "drift"],
)
def test_nobody_is_told_again(incident: Incident) -> None:
    server = replace(ACME, escalate=Escalation(900, ("boss",)))
    assert remind(incident, server, STATE, SITE, OPENED + 9 * HOUR) == (incident, ())


def test_an_incident_nobody_acknowledged_is_escalated_once_and_who_was_told_is_remembered() -> None:
    server = replace(ACME, remind_every_s=0, escalate=Escalation(900, ("boss", "gone")))
    after, told = ticks(server, *range(0, 3 * HOUR, 60))
    ((at, notice),) = told
    assert (at, notice.sinks, notice.escalation) == (900, ("boss",), {"after_s": 900})
    assert (notice.type, notice.sequence) == ("incident.reminder", OPENED + 900)
    assert after.sinks == after.escalated == ("boss",)
    assert notice.incident == after


def test_an_escalation_that_gets_more_sinks_tells_those() -> None:
    server = replace(ACME, remind_every_s=0, escalate=Escalation(900, ("boss",)))
    after, first = ticks(server, 900)
    more = replace(server, escalate=Escalation(900, ("boss", "pager")))
    after, second = ticks(more, 960, 1020, incident=after)
    assert [one.sinks for _, one in (*first, *second)] == [("boss",), ("pager",)]
    assert first[0][1].id != second[0][1].id
    assert after.escalated == ("boss", "pager")


def test_a_sink_that_is_due_twice_in_a_tick_hears_of_the_escalation() -> None:
    server = replace(ACME, escalate=Escalation(HOUR, ("pager",)))
    _, told = ticks(server, HOUR, HOUR + 60)
    assert [(one.sinks, one.escalation) for _, one in told] == [(("chat",), None), (("pager",), {"after_s": HOUR})]
    only = replace(ACME, notify=("pager",), escalate=Escalation(HOUR, ("pager",)))
    assert [one.escalation for _, one in ticks(only, HOUR, HOUR + 60)[1]] == [{"after_s": HOUR}]


def test_each_route_reminds_its_own_sinks_in_its_own_time() -> None:
    routes = (
        Route(("pager",), severity="critical", goes_on=True, remind_every_s=1800, escalate=Escalation(600, ("boss",))),
        Route(("chat", "pager"), goes_on=True),
        Route(("chat",), remind_every_s=0, escalate=Escalation(1200, ("boss", "chat"))),
    )
    of = replace(SITE, routes=routes)
    server = replace(ROUTED, remind_every_s=HOUR)
    _, told = ticks(server, *range(0, HOUR + 60, 60), of=of)
    assert [(at, one.sinks, (one.escalation or {}).get("after_s")) for at, one in told] == [
        (600, ("boss",), 600),
        (1200, ("chat",), 1200),
        (1800, ("pager",), None),
        (HOUR, ("pager", "chat"), None),
    ]


def test_steps_that_one_late_tick_finds_due_are_told_in_order_and_each_sink_once() -> None:
    routes = (
        Route(("chat",), goes_on=True, escalate=Escalation(1200, ("boss", "pager"))),
        Route(("chat",), goes_on=True, escalate=Escalation(600, ("boss",))),
        Route(("chat",), escalate=Escalation(1800, ("boss",))),
    )
    _, told = ticks(ROUTED, 7200, 7260, of=replace(SITE, routes=routes))
    assert [(one.sinks, one.escalation) for _, one in told] == [
        (("boss",), {"after_s": 600}),
        (("pager",), {"after_s": 1200}),
    ]


def test_what_no_route_takes_is_followed_as_the_server_says() -> None:
    of = replace(SITE, routes=(Route(("boss",), severity="critical", remind_every_s=600),))
    warning = replace(OUTAGE, kind="regional", status="degraded", regions=REGIONS[:1])
    server = replace(ROUTED, remind_every_s=HOUR)
    assert [(at, one.sinks) for at, one in ticks(server, 600, HOUR, of=of, incident=warning)[1]] == [
        (HOUR, ("chat", "pager"))
    ]


@pytest.mark.parametrize(
    ("change", "severity"),
    [
        ({}, "critical"),
        ({"regions": REGIONS[:2]}, "high"),
        ({"status": "credential_rejected"}, "high"),
        ({"kind": "latency"}, "warning"),
    ],
)
def test_a_reminder_is_as_severe_as_the_incident_is_now(change: dict[str, object], severity: str) -> None:
    incident = replace(OUTAGE, **change)  # type: ignore[arg-type]  # fields of several types
    ((_, notice),) = ticks(ACME, HOUR, incident=incident)[1]
    assert notice.severity == severity


def test_incidents_are_looked_at_only_where_somebody_asks_for_it() -> None:
    quiet = Route(("chat",), remind_every_s=0)
    loud, steep = Route(("chat",), remind_every_s=600), Route(("chat",), escalate=Escalation(600, ("boss",)))
    assert follows(ACME, SITE)
    assert follows(replace(ROUTED, escalate=Escalation(600, ("boss",))), SITE)
    assert [follows(ROUTED, replace(SITE, routes=(one,))) for one in (quiet, loud, steep)] == [False, True, True]
    assert not follows(replace(ROUTED, routed=False), replace(SITE, routes=(loud,)))
