from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from lookout.config.model import Config, Server, Site
from lookout.errors import StoreError
from lookout.store import AppliedChanges

from functions.apply import handler as apply

CONFIG = Config(Site("Acme", "us-east-1", ("eu-west-1",)), (Server("acme", "https://mcp.acme.dev/mcp"),))
CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 120_000)


class World:
    """The assets bucket and the servers table."""

    def __init__(self) -> None:
        self.objects = {("assets", "abc.json"): json.dumps(CONFIG.to_json()).encode()}
        self.applied: list[tuple[str, Config]] = []
        self.error: Exception | None = None

    def get_object(self, bucket: str, key: str) -> bytes:
        if (bucket, key) not in self.objects:
            raise StoreError(f"s3://{bucket}/{key} cannot be read: NoSuchKey")
        return self.objects[bucket, key]

    def store(self, home: str) -> Any:
        def apply_config(config: Config, now: int) -> AppliedChanges:
            assert now > 1_790_000_000
            if self.error:
                raise self.error
            self.applied.append((home, config))
            return AppliedChanges(("acme",), (), ("old", "older"))

        return SimpleNamespace(apply_config=apply_config)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setenv("LOOKOUT_HOME_REGION", "us-east-1")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setattr(apply, "Store", world.store)
    monkeypatch.setattr(apply.aws, "get_object", world.get_object)
    return world


def run(name: str, cloudformation: Any) -> dict[str, Any]:
    event = json.loads((Path(__file__).parent / "events" / f"{name}.json").read_text(encoding="utf-8"))
    apply.handler({**event, "ResponseURL": cloudformation.url}, CONTEXT)
    (answer,) = cloudformation.got
    body: dict[str, Any] = answer[2]
    assert body["PhysicalResourceId"] == "lookout-configuration"
    assert (body["RequestId"], body["StackId"]) == (event["RequestId"], event["StackId"])
    return body


@pytest.mark.parametrize("name", ["create", "update"])
def test_the_configuration_is_applied(name: str, world: World, cloudformation: Any) -> None:
    answer = run(name, cloudformation)
    assert answer["Status"] == "SUCCESS"
    assert answer["Data"] == {"Created": "1", "Changed": "0", "Removed": "2"}
    assert world.applied == [("us-east-1", CONFIG)]


def test_delete_leaves_everything_where_it_is(world: World, cloudformation: Any) -> None:
    assert run("delete", cloudformation)["Status"] == "SUCCESS"
    assert world.applied == []


def test_a_missing_asset_is_said(world: World, cloudformation: Any) -> None:
    world.objects.clear()
    answer = run("create", cloudformation)
    assert (answer["Status"], answer["Reason"]) == (
        "FAILED",
        "StoreError: s3://assets/abc.json cannot be read: NoSuchKey",
    )


def test_a_broken_asset_is_said(world: World, cloudformation: Any) -> None:
    world.objects["assets", "abc.json"] = b'{"servers": []}'
    answer = run("update", cloudformation)
    assert (answer["Status"], answer["Reason"]) == ("FAILED", "KeyError: 'site'")


def test_a_table_that_refuses_is_said(world: World, cloudformation: Any) -> None:
    world.error = RuntimeError("not authorized to perform: dynamodb:PutItem")
    answer = run("update", cloudformation)
    assert answer["Status"] == "FAILED"
    assert "dynamodb:PutItem" in answer["Reason"]


def test_missing_settings_are_said(world: World, cloudformation: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOOKOUT_HOME_REGION")
    assert run("create", cloudformation)["Reason"] == "KeyError: 'LOOKOUT_HOME_REGION'"
