"""Every server fails at once: one signed digest, and one when it is over, with no more rights than the judge has."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from lookout import settings

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


@pytest.fixture(autouse=True)
def fresh_minutes(world: Any) -> Iterator[None]:
    """Begin at the present minute, and leave it so."""
    world.begin_anew(minutes_ago=1)
    yield
    for slug in slugs(world):
        world.demo.set_fault(slug, None)
    world.begin_anew(minutes_ago=1)


def slugs(world: Any) -> list[str]:
    return [server.slug for server in world.store.roster()[1]]


def told(world: Any) -> list[dict[str, Any]]:
    """What the receiver got and could verify, but of the server that is slow anyway."""
    found = [json.loads(event["body"]) for event in world.demo.events() if event["verified"]]
    return [one for one in found if one["type"] != "latency.degraded"]


def test_all_servers_fail_and_recover_in_one_notice_each(world: Any, until: Callable[..., Any]) -> None:
    world.play(1)
    seen = len(told(world))
    for slug in slugs(world):
        world.demo.set_fault(slug, "500")
    world.play(3)
    assert len(told(world)) == seen
    with world.without("judge", "dynamodb:DeleteItem", settings.INCIDENTS_TABLE):
        said = world.error("judge", {})
        assert "AccessDenied" in said
        assert "dynamodb:DeleteItem" in said
    assert world.invoke("judge", {})["notices"] == 1
    (digest,) = until(lambda: told(world)[seen:])
    assert (digest["type"], digest["server_slug"], digest["status"]) == ("digest", "digest:site", "down")
    assert sorted(member["slug"] for member in digest["digest"]["members"]) == slugs(world)
    for slug in slugs(world):
        world.demo.set_fault(slug, None)
    world.play(2)
    assert world.invoke("judge", {})["notices"] == 1
    (_, over) = until(lambda: len(told(world)) >= seen + 2 and told(world)[seen:])
    assert (over["type"], over["dedup_key"], over["status"]) == ("digest", digest["dedup_key"], "up")
    assert over["incident"]["resolved_at"] is not None
    until(lambda: not world.undelivered())
    assert len(told(world)) == seen + 2
