"""Who stands failing, and which scopes hold: decision 12, X1 and X2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from lookout.config.model import Server, Site
from lookout.probe.result import Status
from lookout.verdict.mass import Scoping, Standing, network_of, scope_of, standing
from lookout.verdict.state import RegionView, ServerState

M = 1_790_000_040
REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")
SITE = Site("Acme", "us-east-1", REGIONS)


def servers(count: int, provider: str = "", first: int = 0) -> list[Server]:
    return [Server(f"s{n:03d}", f"https://s{n}.dev/mcp", provider=provider) for n in range(first, first + count)]


def state(slug: str, status: Status = Status.UP, fails: int = 0, address: str | None = None) -> ServerState:
    return ServerState(slug, status, fail_rounds=fails, address=address, last_round=M)


def stand(listed: list[Server], down: int, site: Site = SITE, **known: ServerState) -> Standing:
    """The first `down` of them are down, the others up; but those of `known` as they are there."""
    states = {s.slug: state(s.slug, Status.DOWN if n < down else Status.UP) for n, s in enumerate(listed)}
    return standing({**states, **known}, listed, site)


@pytest.mark.parametrize(
    ("count", "down", "percent", "held"),
    [
        (10, 5, 50, "site"),
        (10, 4, 50, ""),
        (11, 5, 50, ""),
        (8, 4, 50, ""),
        (5, 5, 50, "site"),
        (4, 4, 50, ""),
        (100, 10, 10, "site"),
        (100, 9, 10, ""),
        (6, 5, 100, ""),
    ],
)
def test_a_share_of_the_site_and_at_least_five(count: int, down: int, percent: int, held: str) -> None:
    found = stand(servers(count), down, replace(SITE, mass_failure_percent=percent))
    assert (len(found.judged), len(found.failing)) == (count, down)
    assert scope_of("s000", "availability", found) == held


def test_who_fails_with_the_next_round_stands_failing_already() -> None:
    listed = servers(10)
    about = {s.slug: state(s.slug, fails=2) for s in listed[1:5]}
    assert scope_of("s000", "availability", stand(listed, 1, **about)) == "site"
    about["s004"] = state("s004", fails=1)
    assert scope_of("s000", "availability", stand(listed, 1, **about)) == ""


def test_where_one_round_makes_down_those_that_never_failed_do_not_stand_failing() -> None:
    listed = [replace(server, down_after=1) for server in servers(6)]
    assert stand(listed, 1).failing == {"s000"}


@pytest.mark.parametrize("status", [Status.PENDING, Status.UNKNOWN, Status.PAUSED, Status.MAINTENANCE])
def test_who_has_no_known_status_counts_in_neither_number(status: Status) -> None:
    listed = servers(12)
    others = {s.slug: state(s.slug, status, fails=9) for s in listed[5:]}
    found = stand(listed, 5, **others)
    assert (len(found.judged), len(found.failing), list(found.scopes)) == (5, 5, ["site"])


def test_paused_covered_and_unseen_servers_count_in_neither_number() -> None:
    listed = servers(12)
    listed[5] = replace(listed[5], paused=True)
    states = {s.slug: state(s.slug, Status.DOWN if n < 5 else Status.UP) for n, s in enumerate(listed)}
    del states["s006"]
    assert len(standing(states, listed, SITE).judged) == 10
    found = standing(states, listed, SITE, covered={"s000", "s011"})
    assert (len(found.judged), found.failing) == (8, {"s001", "s002", "s003", "s004"})
    states["gone"] = state("gone", Status.DOWN)
    assert "gone" not in standing(states, listed, SITE).judged


def test_all_of_a_provider_and_at_least_three() -> None:
    listed = [*servers(3, "acme.dev"), *servers(10, "other.dev", 3)]
    found = stand(listed, 3)
    assert dict(found.scopes) == {"provider:acme.dev": {"s000", "s001", "s002"}}
    assert scope_of("s000", "availability", found) == "provider:acme.dev"
    assert scope_of("s005", "availability", found) == ""
    assert stand(listed, 2).scopes == {}
    assert stand(listed[1:], 2).scopes == {}


def test_all_of_a_network_wherever_their_names_lead() -> None:
    listed = servers(12)
    about = {s.slug: state(s.slug, Status.DOWN, address=f"203.0.113.{n}") for n, s in enumerate(listed[:3])}
    found = stand(listed, 0, **about)
    assert scope_of("s001", "availability", found) == "network:203.0.113.0/24"
    about["s003"] = state("s003", address="203.0.113.99")
    assert stand(listed, 0, **about).scopes == {}


def test_the_site_goes_before_the_provider_and_that_before_the_network() -> None:
    listed = servers(6, "acme.dev")
    about = {s.slug: state(s.slug, Status.DOWN, address="203.0.113.7") for s in listed}
    assert list(stand(listed, 6, **about).scopes) == ["site", "provider:acme.dev", "network:203.0.113.0/24"]
    assert scope_of("s000", "availability", stand(listed, 6, **about)) == "site"
    few = listed[:4]
    assert scope_of("s000", "availability", stand(few, 4)) == "provider:acme.dev"


def seen(listed: list[Server], says: Mapping[str, str], at: int = M) -> Standing:
    views = tuple(RegionView(region, status, at) for region, status in says.items())
    return standing(
        {s.slug: replace(state(s.slug, Status.DEGRADED), regions=views) for s in listed}, listed, SITE, covered=()
    )


def test_one_region_that_fails_for_all() -> None:
    says = {"us-west-2": "up", "eu-west-1": "down"}
    found = seen(servers(5), says)
    assert list(found.scopes) == ["region:eu-west-1"]
    assert scope_of("s000", "regional", found) == "region:eu-west-1"
    assert scope_of("s000", "availability", found) == ""
    assert seen(servers(4), says).scopes == {}
    assert seen(servers(5), says, M - 60).scopes == {}
    assert seen(servers(5), {"us-west-2": "up"}).scopes == {}


def test_one_server_that_answers_that_region_ends_it() -> None:
    listed = servers(6)
    views = (RegionView("eu-west-1", "down", M),)
    states = {s.slug: replace(state(s.slug, Status.DEGRADED), regions=views) for s in listed}
    states["s005"] = state("s005")
    assert standing(states, listed, SITE).scopes == {}


def test_a_regional_incident_in_a_failure_of_the_site_belongs_to_it() -> None:
    assert scope_of("s009", "regional", stand(servers(10), 5)) == "site"


@pytest.mark.parametrize("kind", ["latency", "limited", "certificate", "credential", "drift", "region"])
def test_incidents_of_other_kinds_belong_to_no_mass_failure(kind: str) -> None:
    assert scope_of("s000", kind, stand(servers(10), 10)) == ""


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("::ffff:203.0.113.9", "203.0.113.0/24"),
        (None, ""),
        ("", ""),
        ("mcp.acme.dev", ""),
    ],
)
def test_networks(address: str | None, network: str) -> None:
    assert network_of(address) == network


def test_the_judge_asks_how_others_stand_once_and_only_when_something_opens() -> None:
    listed = servers(10)
    asked: list[int] = []

    def others() -> dict[str, ServerState]:
        asked.append(1)
        return {s.slug: state(s.slug, fails=2) for s in listed}

    scope = Scoping(listed, others, SITE)
    scope.learn({"s000": state("s000")})
    assert not asked
    now = {s.slug: state(s.slug, Status.DOWN) for s in listed[:2]}
    assert [scope(server, "availability", now) for server in listed[:2]] == ["site", "site"]
    assert len(asked) == 1
    well = {s.slug: state(s.slug) for s in listed[1:]}
    assert scope(listed[0], "availability", {**well, "s000": state("s000", Status.DOWN)}) == ""
    assert len(asked) == 1


def test_the_judge_knows_how_the_shards_stand_that_it_stored_itself() -> None:
    listed = servers(10)
    scope = Scoping(listed, lambda: {s.slug: state(s.slug) for s in listed}, SITE)
    first = {s.slug: state(s.slug, Status.DOWN) for s in listed[:4]}
    assert scope(listed[0], "availability", first) == ""
    assert scope(listed[4], "availability", {"s004": state("s004", Status.DOWN)}) == ""
    scope.learn(first)
    assert scope(listed[4], "availability", {"s004": state("s004", Status.DOWN)}) == "site"
