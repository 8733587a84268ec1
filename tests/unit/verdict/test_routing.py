"""Whom a notice is for: routes, `notify`, and everybody who was told of the incident before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lookout.config.model import Server, Sink, Site
from lookout.config.route import Escalation, Route
from lookout.config.window import Window
from lookout.history.round import Round
from lookout.probe.result import Layer, ProbeResult, Reason, Status
from lookout.surface.diff import unreadable
from lookout.verdict.announcing import announce
from lookout.verdict.case import Incident, Notice, SurfaceChange
from lookout.verdict.incidents import close
from lookout.verdict.judge import judge_minute
from lookout.verdict.maintenance import Calendar
from lookout.verdict.notices import drift_notice
from lookout.verdict.people import acknowledge
from lookout.verdict.routing import Subject, audience, audience_of_region, hears
from lookout.verdict.state import Quorum, ServerState, ShardState
from lookout.verdict.watch import Heard, RegionMemory, Watch, keep

START = 1_787_409_240
REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")
SINKS = tuple(Sink(name, "webhook", f"https://{name}.example/x") for name in ("chat", "pager", "mail", "rest"))
ACME = Server("acme", "https://a.example/mcp", tags=("prod",), shard="s000", notify=("rest",), routed=True)
OPENED = Subject("incident.opened", "high", "availability", ("eu-west-1",))


def site(*routes: Route) -> Site:
    return Site("Acme", "us-east-1", REGIONS, SINKS, routes=routes)


@pytest.mark.parametrize(
    ("matcher", "matches"),
    [
        ({}, True),
        ({"servers": ("acme",)}, True),
        ({"servers": ("other",)}, False),
        ({"tags": ("test", "prod")}, True),
        ({"tags": ("test",)}, False),
        ({"severity": "critical"}, False),
        ({"severity": "high"}, True),
        ({"severity": "info"}, True),
        ({"kinds": ("regional", "availability")}, True),
        ({"kinds": ("drift",)}, False),
        ({"types": ("incident.opened",)}, True),
        ({"types": ("incident.updated",)}, False),
        ({"regions": ("us-west-2", "eu-west-1")}, True),
        ({"regions": ("us-west-2",)}, False),
        ({"servers": ("acme",), "tags": ("test",)}, False),
    ],
)
def test_a_route_takes_what_all_its_matchers_take(matcher: dict[str, Any], matches: bool) -> None:
    assert audience(site(Route(("chat",), **matcher)), ACME, OPENED) == (("chat",) if matches else ("rest",))


def test_the_first_route_that_matches_decides_unless_it_goes_on() -> None:
    no, first = Route(("mail",), severity="critical"), Route(("chat",), tags=("prod",))
    second, third = Route(("pager", "chat"), kinds=("availability",)), Route(("mail",))
    assert audience(site(no, first, second, third), ACME, OPENED) == ("chat",)
    assert audience(site(no, replace(first, goes_on=True), second, third), ACME, OPENED) == ("chat", "pager")
    on = (replace(first, goes_on=True), replace(second, goes_on=True), third)
    assert audience(site(*on), ACME, OPENED) == ("chat", "pager", "mail")


def test_a_route_without_sinks_tells_nobody_and_what_none_takes_goes_to_notify() -> None:
    assert audience(site(Route((), severity="high"), Route(("chat",))), ACME, OPENED) == ()
    assert audience(site(Route((), severity="critical")), ACME, OPENED) == ("rest",)


def test_a_server_that_names_its_sinks_passes_the_routes() -> None:
    own = replace(ACME, routed=False, notify=("mail", "gone"))
    assert audience(site(Route(("chat",))), own, OPENED) == ("mail",)


def test_who_was_told_is_told_and_a_sink_that_is_gone_is_not() -> None:
    assert audience(site(Route(("chat", "gone"))), ACME, OPENED, ("pager", "chat", "lost")) == ("chat", "pager")


@given(
    st.lists(st.builds(Route, st.just(("chat",)), severity=st.sampled_from(["", "critical"]), goes_on=st.booleans()))
)
def test_no_sink_is_told_twice_and_somebody_is_told(routes: list[Route]) -> None:
    told = audience(site(*routes), ACME, OPENED)
    assert told in (("chat",), ("rest",))
    assert (told == ("chat",)) == any(not route.severity for route in routes)


# --- the life of an incident ---------------------------------------------------------------------------------------


class Playing:
    """Minutes of one server, judged; what is open, and what was told."""

    def __init__(self, of: Site, server: Server = ACME) -> None:
        self.site, self.server = of, server
        self.state = ShardState("s000")
        self.open: dict[str, Incident] = {}
        self.told: list[Notice] = []
        self.minute = START

    def play(self, *failing: str, times: int = 1) -> None:
        for _ in range(times):
            rounds = {
                region: Round("s000", self.minute, region, (result(region in failing, self.minute),))
                for region in REGIONS
            }
            judged = judge_minute(self.state, self.minute, rounds, [self.server], self.site, self.open)
            self.state = judged.state
            self.open |= {one.id: one for one in judged.incidents}
            self.open = {key: one for key, one in self.open.items() if one.resolved_at is None}
            self.told += judged.notices
            self.minute += 60

    @property
    def heard(self) -> list[tuple[str, str, tuple[str, ...]]]:
        return [(one.type, one.severity, one.sinks) for one in self.told]


def result(fails: bool, minute: int) -> ProbeResult:
    if fails:
        return ProbeResult("acme", Status.DOWN, minute * 1000 + 5000, Layer.HTTP, Reason.HTTP_5XX, "502", 502)
    return ProbeResult("acme", Status.UP, minute * 1000 + 5000)


PAGER = Route(("pager",), severity="critical")
CHAT = Route(("chat",), severity="high")


def test_the_end_reaches_all_who_were_told_and_more_severe_updates_add_sinks() -> None:
    game = Playing(site(PAGER, CHAT, Route(("mail",))))
    game.play(times=3)
    game.play("us-west-2", "eu-west-1", times=3)
    game.play(*REGIONS, times=4)
    game.play(times=3)
    assert game.heard == [
        ("incident.opened", "high", ("chat",)),
        ("incident.updated", "critical", ("pager", "chat")),
        ("incident.resolved", "info", ("mail", "pager", "chat")),
    ]
    assert [one.incident.sinks for one in game.told if one.incident] == [one.sinks for one in game.told]


def test_without_routes_each_notice_goes_to_notify_and_nothing_is_remembered() -> None:
    game = Playing(site(), replace(ACME, routed=False))
    game.play(times=3)
    game.play(*REGIONS, times=3)
    game.server = replace(game.server, notify=("mail",))
    game.play(times=3)
    assert game.heard == [("incident.opened", "critical", ("rest",)), ("incident.resolved", "info", ("mail",))]
    assert all(one.incident is not None and not one.incident.sinks for one in game.told)
    assert "sinks" not in game.told[0].to_json()["incident"]


def test_who_was_told_hears_of_the_end_when_the_routes_are_gone() -> None:
    game = Playing(site(PAGER, CHAT))
    game.play(*REGIONS, times=3)
    game.site, game.server = site(), replace(ACME, routed=False)
    (incident,) = game.open.values()
    assert Incident.from_json(incident.to_json()) == incident
    _, gone = close(game.server, incident, game.minute, "removed", game.state.servers["acme"], game.site)
    game.play(times=3)
    assert (gone.sinks, game.told[-1].sinks) == (("rest", "pager"), ("rest", "pager"))


def test_an_acknowledgement_goes_to_all_who_were_told() -> None:
    game = Playing(site(PAGER, Route(("mail",))))
    game.play(*REGIONS, times=3)
    (incident,) = game.open.values()
    after, notice = acknowledge(incident, ACME, game.state.servers["acme"], game.site, game.minute, "ann")
    assert notice.sinks == after.sinks == ("mail", "pager")
    assert notice.incident == after


def test_a_change_of_tools_is_of_the_regions_that_saw_it() -> None:
    drift = {**unreadable("sha256:a", "sha256:b").to_json(), "unstable": False, "regions": ["eu-west-1"]}
    change = SurfaceChange("chg_1", "acme", START, True, "Acme", {**drift, "class": "cosmetic"})
    routes = site(Route(("pager",), regions=("us-west-2",)), Route(("chat",), kinds=("drift",), regions=("eu-west-1",)))
    quorum = Quorum(3, 0, 0, "2-of-3", 0)
    assert drift_notice(ACME, ServerState("acme"), change, quorum, START, routes).sinks == ("chat",)


# --- what is of no incident of a server ----------------------------------------------------------------------------


def test_maintenance_goes_where_the_routes_send_it_of_each_server() -> None:
    window = Window("mnt_1", begin=START, end=START + 600)
    of = site(Route(("mail",), types=("maintenance.started",), tags=("prod",)), Route(("chat",), servers=("acme",)))
    servers = (ACME, Server("other", "https://b.example/mcp", notify=("rest",), routed=True))
    running = Calendar([window], START, START + 1).occurrences
    told, (begun,) = announce({}, running, of, servers, START)
    _, (over,) = announce(told, (), of, servers, START + 600)
    assert begun.sinks == over.sinks == ("mail", "rest")


def test_a_silent_region_goes_where_the_routes_send_it_and_else_to_all() -> None:
    everybody = tuple(sink.name for sink in SINKS)
    assert audience_of_region(site(), "eu-west-1") == everybody
    assert audience_of_region(site(Route(("mail",), tags=("prod",))), "eu-west-1") == everybody
    assert audience_of_region(site(Route(("mail",), servers=("acme",))), "eu-west-1") == everybody
    of = site(Route(("mail",), kinds=("region",), regions=("eu-west-1",)), Route((), types=("region.stale",)))
    assert audience_of_region(of, "eu-west-1") == ("mail",)
    assert audience_of_region(of, "us-west-2") == ()
    regions = {region: RegionMemory(START - 7200, START - 30) for region in REGIONS}
    watch = Watch(1, START - 60, regions=regions | {"eu-west-1": RegionMemory(START - 7200, START - 3600)})
    _, (silent,) = keep(watch, Heard(START - 60), of, [ACME], START)
    assert silent.sinks == ("mail",)


STEP = Escalation(900, ("mail",))


@pytest.mark.parametrize(
    ("routes", "change", "heard"),
    [
        ((), {}, {"rest"}),
        ((), {"escalate": STEP}, {"rest", "mail"}),
        ((), {"notify": ()}, set()),
        ((Route(("chat",)),), {"routed": False}, {"rest"}),
        ((Route(("chat",), tags=("prod",), escalate=STEP),), {}, {"chat", "mail", "rest"}),
        ((Route(("chat",), tags=("test",)), Route(("pager",), servers=("other",))), {}, {"rest"}),
        # What cannot be reached for this server tells nobody of it.
        ((Route(("chat",), servers=("acme",)), Route(("pager",))), {}, {"chat", "rest"}),
        ((Route(("chat",), severity="info"), Route(("pager",))), {}, {"chat", "rest"}),
        ((Route(("chat",), servers=("acme",), goes_on=True), Route(("pager",))), {}, {"chat", "pager", "rest"}),
        ((Route(("chat",), severity="high"), Route(("pager",))), {}, {"chat", "pager", "rest"}),
        ((Route(("chat",), kinds=("drift",)), Route(("pager",))), {}, {"chat", "pager", "rest"}),
        ((Route(("chat",), types=("drift.detected",)), Route(("pager",))), {}, {"chat", "pager", "rest"}),
        ((Route(("chat",), regions=("eu-west-1",)), Route(("pager",))), {}, {"chat", "pager", "rest"}),
        # Our own regions are no server's.
        ((Route(("chat",), kinds=("region",)), Route(("pager",), types=("region.stale",))), {}, {"rest"}),
    ],
)
def test_who_may_be_told_of_a_server(routes: tuple[Route, ...], change: dict[str, Any], heard: set[str]) -> None:
    server = replace(ACME, **change)
    assert {sink.name for sink in SINKS if hears(site(*routes), server, sink.name)} == heard


@given(
    st.lists(
        st.builds(
            Route,
            st.sampled_from((("chat",), ("pager", "mail"))),
            servers=st.sampled_from(((), ("acme",), ("other",))),
            tags=st.sampled_from(((), ("prod",), ("test",))),
            severity=st.sampled_from(("", "info", "high", "critical")),
            kinds=st.sampled_from(((), ("availability",), ("region",), ("drift", "region"))),
            types=st.sampled_from(((), ("incident.opened",), ("region.stale",))),
            goes_on=st.booleans(),
        ),
        max_size=4,
    ),
    st.sampled_from(("info", "warning", "high", "critical")),
    st.sampled_from(("availability", "drift", "latency", "")),
    st.sampled_from(("incident.opened", "incident.resolved", "drift.detected")),
)
def test_whoever_is_told_of_a_server_may_be(routes: list[Route], severity: str, kind: str, kind_of_notice: str) -> None:
    made = site(*routes)
    for sink in audience(made, ACME, Subject(kind_of_notice, severity, kind, ("eu-west-1",))):
        assert hears(made, ACME, sink)
