from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lookout.config.model import Server, Site
from lookout.errors import StoreError
from lookout.surface.confirm import Memory, Track
from lookout.verdict.state import ServerState

from functions.dispatch import handler as dispatch

ROOT = Path(__file__).parents[3]
MINUTE = 1_787_409_240
"""2026-08-22T14:34:00Z, as the events say."""
SITE = Site("Acme", "us-east-1", ("us-west-2", "eu-west-1"))
SERVERS = (
    Server("docs", "https://docs.acme.dev/mcp", shard="s001"),
    Server("hourly", "https://hourly.acme.dev/mcp", shard="s002", interval_s=3600),
    Server("paused", "https://paused.acme.dev/mcp", shard="s002", paused=True),
    Server("search", "https://search.acme.dev/mcp", shard="s000", auth={"bearer": "secret:token"}, tags=("prod",)),
    Server("tickets", "https://tickets.acme.dev/mcp", shard="s001"),
)


class World:
    """The servers table, and Lambda."""

    def __init__(self) -> None:
        self.site: Site | None = SITE
        self.invoked: list[tuple[str, dict[str, Any]]] = []
        self.refused: set[str] = set()
        self.states: dict[str, ServerState] | Exception = {}
        self.now = MINUTE + 41.9

    def __call__(self, home: str) -> World:
        assert home == "us-east-1"
        return self

    def roster(self) -> tuple[Site | None, list[Server]]:
        return self.site, list(SERVERS)

    def server_states(self) -> dict[str, ServerState]:
        if isinstance(self.states, Exception):
            raise self.states
        return self.states

    def invoke_async(self, function: str, payload: dict[str, Any]) -> None:
        if payload["shard"] in self.refused:
            raise RuntimeError(f"{payload['shard']}: Rate Exceeded")
        self.invoked.append((function, json.loads(json.dumps(payload))))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setenv("LOOKOUT_HOME_REGION", "us-east-1")
    monkeypatch.setenv("LOOKOUT_PROBE_FUNCTION", "lookout-probe")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setattr(dispatch, "Store", world)
    monkeypatch.setattr(dispatch.aws, "invoke_async", world.invoke_async)
    monkeypatch.setattr(dispatch.time, "time", lambda: world.now)
    return world


def run(name: str = "minute") -> dict[str, int]:
    event = json.loads((Path(__file__).parent / "events" / f"{name}.json").read_text(encoding="utf-8"))
    sent: dict[str, int] = dispatch.handler(event, object())
    return sent


def test_one_probe_per_shard_with_what_is_due_and_the_scheduled_minute(world: World) -> None:
    assert run() == {"s000": 1, "s001": 2}
    found = {payload["shard"]: payload for _, payload in world.invoked}
    assert {function for function, _ in world.invoked} == {"lookout-probe"}
    assert {payload["minute"] for payload in found.values()} == {MINUTE}
    assert [Server.from_item(item) for item in found["s000"]["servers"]] == [SERVERS[3]]
    assert [item["slug"] for item in found["s001"]["servers"]] == ["docs", "tickets"]
    assert Site.from_item(found["s000"]["site"]) == SITE


def test_a_probe_is_told_what_is_known_of_its_own_servers(world: World) -> None:
    seen = Memory({"eu-west-1": (Track("k", "aa", "aa"),)})
    world.states = {slug: ServerState(slug, era="legacy", surface=seen) for slug in ("search", "docs", "paused")}
    run()
    found = {payload["shard"]: payload["known"] for _, payload in world.invoked}
    what = {"era": "legacy", "hashes": ["aa"]}
    assert found == {"s000": {"search": what}, "s001": {"docs": what}}


def test_a_minute_is_probed_though_nothing_known_can_be_read(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.states = RuntimeError("throttled")
    assert run() == {"s000": 1, "s001": 2}
    assert {str(payload["known"]) for _, payload in world.invoked} == {"{}"}
    assert "probes begin without it" in caplog.text


def test_only_references_to_secrets_travel(world: World) -> None:
    run()
    (search,) = (p["servers"][0] for _, p in world.invoked if p["shard"] == "s000")
    assert search["auth"] == {"bearer": "secret:token"}


def test_a_second_delivery_names_the_same_minute_however_late(world: World) -> None:
    run()
    world.now += 300
    run()
    run("late")
    first, again, late = (world.invoked[i : i + 2] for i in (0, 2, 4))
    assert first == again == late


def test_an_unreplaced_placeholder_is_the_minute_of_arrival(world: World) -> None:
    world.now = MINUTE + 119.9
    run("unreplaced")
    assert {payload["minute"] for _, payload in world.invoked} == {MINUTE + 60}


def test_a_probe_that_cannot_be_invoked_keeps_no_other_waiting(world: World) -> None:
    world.refused.add("s000")
    with pytest.raises(ExceptionGroup, match="1 of 2 probes could not be invoked") as caught:
        run()
    assert [str(error) for error in caught.value.exceptions] == ["s000: Rate Exceeded"]
    assert [payload["shard"] for _, payload in world.invoked] == ["s001"]


def test_a_region_taken_out_of_the_configuration_probes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "ap-southeast-1")
    assert run() == {}
    assert world.invoked == []


def test_before_a_configuration_is_applied_it_says_what_is_missing(world: World) -> None:
    world.site = None
    with pytest.raises(StoreError, match="cdk deploy"):
        run()


@pytest.mark.parametrize("name", ["LOOKOUT_HOME_REGION", "LOOKOUT_PROBE_FUNCTION", "AWS_REGION"])
def test_a_missing_setting_is_named(world: World, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(KeyError, match=name):
        run()
    assert world.invoked == []


@pytest.mark.parametrize("name", ["dispatch", "probe", "judge", "rollup"])
def test_a_handler_is_importable_without_aws_and_environment(name: str) -> None:
    code = f"import functions.{name}.handler as h; print(h.handler.__name__)"
    command = [sys.executable, "-W", "error", "-c", code]
    env = {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "layers/core/python")))}
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "handler", done.stderr
