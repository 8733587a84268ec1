"""A server that offers something else: seen twice, stored once, compared from the bucket, told once, shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from lookout import settings
from lookout.local.demo_handle import demo_secrets
from standardwebhooks import Webhook

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
HOME = "us-east-1"
REGIONS = ["us-west-2", "eu-west-1", "ap-southeast-1"]


def drifts(world: Any) -> list[dict[str, Any]]:
    found = [json.loads(event["body"]) for event in world.events("demo-modern")]
    return [body for body in found if body["type"] == "drift.detected"]


def stored(world: Any) -> set[str]:
    bucket = settings.surfaces_bucket("000000000000", HOME)
    listed = world.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])
    return {one["Key"] for one in listed}


def bases(world: Any) -> set[str | None]:
    """The baselines of demo-modern's regions."""
    return {tracks[0].base for tracks in world.store.server_states()["demo-modern"].surface.tracks.values()}


def anew(world: Any) -> None:
    """Minutes played run ahead of the clock, and the judge looks ahead a quarter of an hour only."""
    with world.stream_paused():
        world.begin_anew(minutes_ago=1)


def play_until(world: Any, done: Callable[[], bool]) -> None:
    """Minutes until it is so: on a busy machine an upload may miss its round, which costs a sighting."""
    for _ in range(8):
        world.play(1)
        if done():
            return
    pytest.fail(f"eight minutes were played in vain: {world.store.server_states()['demo-modern'].surface}")


def test_a_changed_surface_is_stored_once_and_told_once(world: Any, until: Any) -> None:
    anew(world)
    play_until(world, lambda: len(bases(world)) == 1 and None not in bases(world))
    (base,) = bases(world)
    assert base is not None
    assert settings.surface_key(base) in stored(world)
    before, held = len(drifts(world)), stored(world)
    world.demo.set_fault("demo-modern", "drift")
    world.play(1)
    assert len(drifts(world)) == before
    play_until(world, lambda: base not in bases(world))
    until(lambda: len(drifts(world)) > before)
    world.play(2)
    (told,) = drifts(world)[before:]
    assert (told["severity"], told["status"]) == ("high", "up")
    drift = told["drift"]
    assert (drift["class"], drift["unstable"]) == ("breaking", False)
    assert set(drift["regions"]) <= set(REGIONS)
    assert (drift["removed"], drift["added"]) == (["fetch"], ["publish"])
    (changed,) = drift["changed"]
    assert changed == {
        "tool": "search",
        "changes": [
            {"path": "/inputSchema/required", "kind": "required_added", "class": "breaking", "detail": "limit"}
        ],
    }
    assert drift["old_hash"].startswith(f"sha256:{base}")
    assert len(stored(world)) == len(held) + 1
    event = next(e for e in world.events("demo-modern") if json.loads(e["body"])["id"] == told["id"])
    Webhook(demo_secrets(world.demo.layout)["signing"]).verify(event["body"], event["headers"])


def test_the_change_is_on_the_page_in_the_feed_and_in_the_metrics(world: Any) -> None:
    world.invoke("publish", {})
    s3 = world.client("s3")

    def page(key: str) -> str:
        body: str = s3.get_object(Bucket=world.outputs["SiteBucket"], Key=key)["Body"].read().decode()
        return body

    assert "Breaking change" in page("status/demo-modern/index.html")
    assert "publish" in page("status/demo-modern/index.html")
    assert '<category term="drift"' in page("status/demo-modern/feed.atom")
    state = world.store.server_states()["demo-modern"]
    assert state.drifts["breaking"] >= 1
    world.demo.set_fault("demo-modern", None)
    anew(world)


def test_a_probe_that_cannot_store_a_surface_still_stores_its_round(world: Any) -> None:
    """The bucket is taken away from one region's probe: its round lands, and names no surface it did not store."""
    iam, name = world.client("iam"), settings.function_name("probe")
    role = world.client("lambda", REGIONS[0]).get_function(FunctionName=name)["Configuration"]["Role"].rsplit("/", 1)[1]
    (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    whole = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    kept = [s for s in whole["Statement"] if "s3:PutObject" not in json.dumps(s["Action"])]
    assert len(kept) == len(whole["Statement"]) - 1
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps({**whole, "Statement": kept}))
    site, servers = world.store.roster()
    # Asked for prompts too, what it offers is a surface that no process has stored yet.
    modern = replace(next(s for s in servers if s.slug == "demo-modern"), lists=("prompts",))

    def address(minute: int) -> str | None:
        event = {"shard": "s777", "minute": minute, "site": site.to_item(), "servers": [modern.to_item()]}
        assert world.invoke("probe", event, REGIONS[0])["stored"] is True
        (result,) = world.store.rounds("s777", minute, minute, 0)[minute][REGIONS[0]].results
        assert result.status == "up"
        found: str | None = result.surface_address
        return found

    try:
        assert address(world.minute) is None
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(whole))
    granted = address(world.minute + 60)
    assert granted is not None
    assert settings.surface_key(granted) in stored(world)
