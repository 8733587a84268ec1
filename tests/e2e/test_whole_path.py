"""From a scheduled minute to a verified webhook and a served page, on real components."""

from __future__ import annotations

import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from lookout.local.demo_handle import demo_secrets
from standardwebhooks import Webhook

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")


def fetch(url: str) -> tuple[int, str, str]:
    """GET. `*.localhost` is this machine (RFC 6761), which the C library's resolver does not know."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.hostname.endswith("localhost")
    connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=20)
    connection.request("GET", parts.path or "/", headers={"Host": parts.netloc})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, answer.headers["content-type"], body


def statuses(world: Any) -> dict[str, str]:
    return {slug: state.status.value for slug, state in world.store.server_states().items()}


def test_every_demo_server_is_judged_from_three_regions(world: Any) -> None:
    world.play(3)
    assert statuses(world) == {
        "demo-modern": "up",
        "demo-sse-body": "up",
        "demo-token": "up",
        "demo-slow": "degraded",
        "demo-flaky": "up",
    }
    states = world.store.server_states()
    assert {slug: state.era for slug, state in states.items()} == {
        "demo-modern": "modern",
        "demo-sse-body": "legacy",
        "demo-token": "modern",
        "demo-slow": "modern",
        "demo-flaky": "modern",
    }
    assert all([v.region for v in state.regions] == list(REGIONS) for state in states.values())


def test_a_break_is_told_once_and_a_mend_is_told_once(world: Any, until: Any) -> None:
    seen = len(world.events("demo-flaky"))
    world.play(1)
    world.demo.set_fault("demo-flaky", "500")
    world.play(2)
    assert statuses(world)["demo-flaky"] == "up"
    assert world.events("demo-flaky")[seen:] == []
    world.play(1)
    until(lambda: world.events("demo-flaky")[seen:])
    world.play(1)
    world.demo.set_fault("demo-flaky", None)
    world.play(3)
    until(lambda: len(world.events("demo-flaky")) >= seen + 2)
    until(lambda: world.undelivered() == 0)
    events = world.events("demo-flaky")[seen:]
    bodies = [json.loads(event["body"]) for event in events]
    assert [body["type"] for body in bodies] == ["incident.opened", "incident.resolved"]
    assert bodies[0]["dedup_key"] == bodies[1]["dedup_key"]
    assert bodies[0]["failure"]["http_status"] == 500
    receiver = Webhook(demo_secrets(world.demo.layout)["signing"])
    for event in events:
        receiver.verify(event["body"], event["headers"])


def test_twice_delivered_and_disordered_changes_nothing(world: Any, until: Any) -> None:
    before = (world.store.server_states(), world.events("demo-flaky"), world.rounds(world.minute))
    for _ in range(2):
        world.dispatch(world.minute)
    for region in REGIONS:
        assert world.invoke("probe", world.probe_event(world.minute), region)["stored"] is False
    records = [
        {"eventName": "INSERT", "dynamodb": {"Keys": {"pk": {"S": f"s000#{m // 3600}"}, "sk": {"S": "00#x"}}}}
        for m in (world.minute, world.minute - 300, world.minute - 60, world.minute)
    ]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda _: world.invoke("judge", {"Records": records}), range(4)))
    after = (world.store.server_states(), world.events("demo-flaky"), world.rounds(world.minute))
    assert after == before


def test_the_page_and_the_api_are_served(world: Any, until: Any) -> None:
    world.invoke("rollup", {})
    world.invoke("publish", {})
    status, kind, page = fetch(world.outputs["SiteUrl"])
    assert (status, kind.split(";")[0]) == (200, "text/html")
    for slug in statuses(world):
        assert f"/status/{slug}" in page
    status, kind, text = fetch(world.outputs["ApiUrl"].rstrip("/") + "/api/v1/servers")
    assert {s["slug"] for s in json.loads(text)["servers"]} == set(statuses(world))
    status, kind, text = fetch(world.outputs["ApiUrl"].rstrip("/") + "/metrics")
    assert 'mcp_server_up{server="demo-modern"' in text


def test_a_silent_region_does_not_block_the_verdict(world: Any, until: Any) -> None:
    seen = len(world.events("demo-flaky"))
    with world.stream_paused():
        world.begin_anew(minutes_ago=15)
        world.play(1, REGIONS[:2], judged=False)
        world.demo.set_fault("demo-flaky", "refuse")
        world.play(3, REGIONS[:2], judged=False)
        world.invoke("judge", {"time": "<aws.scheduler.scheduled-time>"})
        world.demo.set_fault("demo-flaky", None)
    until(lambda: len(world.events("demo-flaky")) > seen)
    told = json.loads(world.events("demo-flaky")[-1]["body"])
    assert (told["type"], told["quorum"]["regions_unknown"], told["quorum"]["rule"]) == ("incident.opened", 1, "2-of-2")
    assert told["failure"]["layer"] == "tcp"
