"""Burn alerts in the real table: each with its notice or not at all, and of two ticks one is refused."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from lookout.config.model import Config, Server, Sink, Site
from lookout.errors import ConflictError
from lookout.history.round import Round
from lookout.jobs.burning import tell_burns
from lookout.jobs.judging import judge_shards
from lookout.probe.result import Layer, ProbeResult, Reason, Status
from lookout.store import Store
from lookout.store.minutes import Minutes
from lookout.verdict.burning import Burning
from lookout.verdict.case import Notice

from tests.contract.notify.sample import BURN, BURN_OVER
from tests.contract.store.tables import tables

HOME = "us-east-1"
REGIONS = ("us-west-2", "eu-west-1")
SITE = Site("Acme", HOME, REGIONS, (Sink("hook", "webhook", "https://ops.example/x"),))
NOW = int(time.time()) // 60 * 60
ALERT = Burning("acme", NOW, "1h", "page", sinks=("hook",), server={"name": "Acme"}, slo={"burn_rate": 7.2})
OPENED = replace(BURN, created_at=NOW, dedup_key=ALERT.id)
OVER = replace(BURN_OVER, created_at=NOW, dedup_key=ALERT.id, id="evt_over")


@pytest.fixture
def store(local_aws: str) -> Iterator[Store]:
    del local_aws
    with tables(HOME) as store:
        yield store


def test_an_alert_is_kept_with_its_notice(store: Store) -> None:
    assert store.all_burning() == {}
    assert store.burning_of("acme") is None
    store.keep_burning(ALERT, (OPENED,), NOW)
    kept = store.burning_of("acme")
    assert kept == replace(ALERT, version=1)
    assert store.all_burning() == {"acme": kept}
    assert store.notice(OPENED.id) == OPENED
    over = replace(kept, over_at=NOW + 60, resolution="recovered")
    store.keep_burning(over, (OVER,), NOW + 60)
    assert store.all_burning() == {"acme": replace(over, version=2)}
    assert store.notice(OVER.id) == OVER


def test_who_is_late_writes_neither_alert_nor_notice(store: Store) -> None:
    store.keep_burning(ALERT, (OPENED,), NOW)
    for late in (ALERT, replace(ALERT, version=2)):
        with pytest.raises(ConflictError):
            store.keep_burning(late, (OVER,), NOW)
    with pytest.raises(ConflictError):
        store.keep_burning(replace(ALERT, version=1, calm_at=NOW), (OPENED,), NOW)  # that notice is there
    assert store.all_burning() == {"acme": replace(ALERT, version=1)}
    assert store.notice(OVER.id) is None


def test_it_is_found_like_an_incident_until_the_next_one(store: Store) -> None:
    assert store.incident("acme", ALERT.id) is None
    store.keep_burning(ALERT, (), NOW)
    assert store.incident("acme", ALERT.id) == ALERT.incident
    assert store.incident("docs", ALERT.id) is None
    store.keep_burning(replace(ALERT, version=1, over_at=NOW + 60, resolution="recovered"), (), NOW)
    found = store.incident("acme", ALERT.id)
    assert found is not None
    assert (found.resolved_at, found.resolution) == (NOW + 60, "recovered")
    store.keep_burning(Burning("acme", NOW + 3600, "1h", "page", version=2), (), NOW)
    assert store.incident("acme", ALERT.id) is None
    assert store.incidents("acme", 10) == []


def test_what_a_later_version_added_is_left_out(store: Store) -> None:
    store.keep_burning(ALERT, (), NOW)
    found = ALERT.to_json() | {"later": True}
    assert Burning.from_json("acme", 1, found) == replace(ALERT, version=1)


def minute(store: Store, at: int, *, down: bool) -> None:
    why = (Status.DOWN, Layer.HTTP, Reason.HTTP_5XX) if down else (Status.UP, None, None)
    for region in REGIONS:
        store.put_round(Round("s000", at, region, (ProbeResult("acme", why[0], at * 1000, *why[1:]),)), at)
    judge_shards(store, {"s000"}, at + 30, lambda address: b"")


def test_from_judged_rounds_to_a_notice_and_removal_ends_it(store: Store) -> None:
    server = Server("acme", "https://acme.example/mcp", notify=("hook",), burn_alerts=True)
    store.apply_config(Config(SITE, (server,)), NOW)
    for ago in range(40, 0, -1):
        minute(store, NOW - 60 * ago, down=ago <= 4)

    def tick(now: int) -> tuple[Notice, ...]:
        return tell_burns(store, Minutes(), store.roster(consistent=True), now)

    (opened,) = tick(NOW)
    assert (opened.type, opened.slug, opened.status, opened.severity) == ("slo.burn", "acme", "down", "high")
    assert opened.slo is not None
    assert (opened.slo["burn_rate"], opened.slo["short_burn_rate"]) == (100.0, 1000.0)
    assert opened.slo["budget_remaining"] == -99.0
    assert tick(NOW + 20) == ()
    store.apply_config(Config(SITE, ()), NOW + 60)
    (over,) = tick(NOW + 60)
    assert over.incident is not None
    assert (over.dedup_key, over.incident.resolution, over.sinks) == (opened.dedup_key, "removed", ("hook",))
    assert tick(NOW + 120) == ()
    assert store.notice(over.id) == over
