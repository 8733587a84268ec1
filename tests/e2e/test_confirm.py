"""`confirm_every` on the local AWS: three failures in a row within one minute, told once; ended like any outage."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from lookout.config.model import Config

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
SLUG = "demo-flaky"


@pytest.fixture
def eager(world: Any) -> Iterator[None]:
    """SLUG is asked again two seconds after it failed: less than lookout.yaml takes, so that nobody waits here."""
    world.begin_anew(minutes_ago=1)
    site, servers = world.store.roster()
    asked = [replace(one, confirm_every_s=2, timeout_s=5) if one.slug == SLUG else one for one in servers]
    world.store.apply_config(Config(site, tuple(asked)), int(time.time()))
    try:
        yield
    finally:
        world.demo.set_fault(SLUG, None)
        world.store.apply_config(Config(site, tuple(servers)), int(time.time()))
        world.begin_anew(minutes_ago=1)


def told(world: Any) -> list[str]:
    return [json.loads(event["body"])["type"] for event in world.events(SLUG) if event["verified"]]


@pytest.mark.usefixtures("eager")
def test_one_minute_is_enough_to_be_sure(world: Any, until: Callable[..., Any]) -> None:
    seen = len(told(world))
    world.play(1)
    world.demo.set_fault(SLUG, "500")
    world.play(1)
    until(lambda: len(told(world)) > seen)
    assert told(world)[seen:] == ["incident.opened"]
    state = world.store.shard_state("s000")
    assert state.judged == world.minute
    assert (state.servers[SLUG].status, state.servers[SLUG].confirmed) == ("down", 2)
    (incident,) = world.store.incidents(SLUG, 1)
    assert incident.opened_at == world.minute
    found = world.store.confirmations("s000", world.minute, int(time.time()))
    assert {number: len(by_region) for number, by_region in found.items() if number <= 2} == {1: 3, 2: 3}
    world.demo.set_fault(SLUG, None)
    world.play(2)
    until(lambda: len(told(world)) >= seen + 2)
    until(lambda: not world.undelivered())
    assert told(world)[seen:] == ["incident.opened", "incident.resolved"]
