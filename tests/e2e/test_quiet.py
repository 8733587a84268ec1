"""A sink's quiet hours on the local AWS: an outage gets through, what can wait comes in one signed digest."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from lookout.config.model import Config
from lookout.config.quiet import Quiet

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
SLOW, FLAKY = "demo-slow", "demo-flaky"
ALWAYS = Quiet(0, 0, "UTC")
"""lookout.yaml refuses it; here it must not depend on the time of day."""


@pytest.fixture
def quietly(world: Any) -> Iterator[Callable[[bool], None]]:
    """Makes it quiet for every sink, or no longer."""
    world.begin_anew(minutes_ago=1)
    site, servers = world.store.roster()

    def make(quiet: bool) -> None:
        sinks = tuple(replace(sink, quiet=(ALWAYS,) if quiet else ()) for sink in site.sinks)
        world.store.apply_config(Config(replace(site, sinks=sinks), tuple(servers)), int(time.time()))

    make(True)
    try:
        yield make
    finally:
        world.demo.set_fault(FLAKY, None)
        make(False)
        world.begin_anew(minutes_ago=1)


def test_what_can_wait_is_told_in_one_digest_and_an_outage_at_once(
    world: Any, quietly: Callable[[bool], None], until: Callable[..., Any]
) -> None:
    seen = len(world.demo.events())

    def told() -> list[tuple[str, str]]:
        bodies = [json.loads(event["body"]) for event in world.demo.events()[seen:] if event["verified"]]
        return [(body["type"], body["server_slug"]) for body in bodies]

    world.play(1)
    world.demo.set_fault(FLAKY, "500")
    world.play(3)
    world.demo.set_fault(FLAKY, None)
    world.play(2)
    outage = [("incident.opened", FLAKY), ("incident.resolved", FLAKY)]
    until(lambda: told() == outage)
    (row,) = until(world.store.all_quieted)
    assert (row.notice.slug, row.notice.type) == (SLOW, "latency.degraded")
    assert world.store.delivery(row.notice.id, row.sink).result == "quiet"
    assert world.invoke("judge", {})["notices"] == 0
    quietly(False)
    assert world.invoke("judge", {})["notices"] == 1
    until(lambda: told() == [*outage, ("digest", "digest:quiet")])
    (report,) = (json.loads(event["body"])["report"] for event in world.events("digest:quiet"))
    assert (report["notices"], report["open"], [one["slug"] for one in report["members"]]) == (1, 1, [SLOW])
    assert world.invoke("judge", {})["notices"] == 0
    until(lambda: world.undelivered() == 0)
    assert told() == [*outage, ("digest", "digest:quiet")]
