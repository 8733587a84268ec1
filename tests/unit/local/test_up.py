"""What `make up` starts, skips and ends: the order and the decisions, with the machinery stood in for."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from lookout.errors import LocalError
from lookout.local import account, cdk, processes, up
from lookout.local import layout as layouts
from lookout.local.demo_handle import Demo, default_ports
from lookout.local.layout import Layout
from lookout.local.ministack import MiniStack
from lookout.local.steps import Steps
from lookout.probe.result import Status
from lookout.verdict.state import ServerState

ROOT = Path(__file__).parents[3]


@dataclass
class World:
    layout: Layout
    calls: list[str] = field(default_factory=list)
    bootstrapped: set[str] = field(default_factory=set)
    stacks: set[str] = field(default_factory=set)
    running: set[str] = field(default_factory=set)
    fail: str = ""
    rounds: int = 0
    judged: bool = True
    served: bool = True

    def called(self, name: str) -> None:
        self.calls.append(name)
        if self.fail == name:
            raise LocalError(f"{name} failed")


@dataclass(frozen=True)
class Aws(MiniStack):
    """A local AWS that only says it runs."""

    @property
    def ready(self) -> bool:
        return True

    @contextmanager
    def applied(self) -> Iterator[None]:
        yield


class Tables:
    world: World

    def __init__(self, home: str) -> None:
        assert home == "us-east-1"

    def server_states(self) -> dict[str, ServerState]:
        status = Status.UP if self.world.judged and self.world.rounds else Status.PENDING
        self.world.rounds += 1
        return {slug: ServerState(slug, status) for slug in layouts.DEMO_SLUGS}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    (tmp_path / "examples" / "local").mkdir(parents=True)
    shutil.copy(ROOT / "examples" / "local" / "lookout.yaml", tmp_path / "examples" / "local")
    (tmp_path / "app.py").write_text("app")
    here = World(Layout.of(tmp_path))
    layout = here.layout

    def start_ministack(port: int, data: Path, **_: Any) -> MiniStack:
        here.called("ministack")
        here.running.add("ministack")
        return Aws(port, layout.run, data)

    def start_demo(_: Layout, ports: dict[str, int]) -> Demo:
        here.called("demo")
        here.running.add("demo")
        return Demo(layout, ports, "control")

    def running_ministack(_: Layout) -> MiniStack | None:
        return Aws(4566, layout.run, layout.data) if "ministack" in here.running else None

    def running_demo(_: Layout) -> Demo | None:
        return Demo(layout, default_ports(4566), "control") if "demo" in here.running else None

    def bootstrap(_: Layout, account_id: str, regions: list[str], **__: Any) -> None:
        here.called("bootstrap")
        here.bootstrapped.update(regions)

    def deploy(_: Layout, config: Path, *, outputs_file: Path, tell: Callable[[cdk.Progress], None], **__: Any) -> None:
        here.called("deploy")
        tell(cdk.Progress("LookoutHome", False))
        tell(cdk.Progress("LookoutHome", True))
        here.stacks.add("LookoutHome")
        outputs_file.write_text(json.dumps({"LookoutHome": {"SiteUrl": "http://s.localhost:4566/"}}))

    def stop(_: Path, name: str, grace_s: float = 0) -> bool:
        was = name in here.running
        here.running.discard(name)
        return was

    def running(_: Path, name: str) -> processes.Record | None:
        return processes.Record(name, 1, "now", log=str(layout.logs / "x")) if name in here.running else None

    def serves(_: str) -> bool:
        return here.served

    monkeypatch.setattr(up, "start_ministack", start_ministack)
    monkeypatch.setattr(up, "start_demo", start_demo)
    monkeypatch.setattr(up, "running_ministack", running_ministack)
    monkeypatch.setattr(up, "running_demo", running_demo)
    monkeypatch.setattr(cdk, "bootstrap", bootstrap)
    monkeypatch.setattr(cdk, "deploy", deploy)
    monkeypatch.setattr(processes, "stop", stop)
    monkeypatch.setattr(processes, "running", running)
    monkeypatch.setattr(up, "serves", serves)
    monkeypatch.setattr(up, "POLL_S", 0.0)
    monkeypatch.setattr(account, "bootstrapped", here.bootstrapped.__contains__)
    monkeypatch.setattr(account, "stack_exists", lambda region, name: name in here.stacks)
    monkeypatch.setattr(account, "put_secret", lambda region, name, value: here.called(name))
    monkeypatch.setattr(account, "invoke", lambda region, function, event: here.called(f"{function}@{region}"))
    Tables.world = here
    monkeypatch.setattr("lookout.store.Store", Tables)
    return here


def test_the_first_time_everything_is_done_in_order(world: World) -> None:
    steps = Steps()
    stack = up.up(world.layout, 4566, steps)
    assert world.calls == [
        "ministack",
        "demo",
        "bootstrap",
        "lookout-demo-token",
        "lookout-demo-signing",
        "deploy",
        "lookout-dispatch@us-west-2",
        "lookout-dispatch@eu-west-1",
        "lookout-dispatch@ap-southeast-1",
        "lookout-publish@us-east-1",
    ]
    assert {step.state for step in steps.all} == {"done"}
    assert world.bootstrapped == {"us-east-1", "us-west-2", "eu-west-1", "ap-southeast-1"}
    assert stack.urls == {"Status page": "http://s.localhost:4566/", "Webhook receiver": "http://127.0.0.1:4570/"}


def test_the_second_time_what_is_there_is_left(world: World) -> None:
    up.up(world.layout, 4566, Steps())
    world.calls.clear()
    steps = Steps()
    up.up(world.layout, 4566, steps)
    assert not {"ministack", "demo", "bootstrap", "deploy"} & set(world.calls)
    assert [s.state for s in steps.all] == ["skipped"] * 3 + ["done"] + ["skipped"] * 2 + ["done"]


@pytest.mark.parametrize("why", ["source", "force", "stack gone", "data gone"])
def test_it_is_deployed_again_where_that_is_needed(world: World, why: str) -> None:
    up.up(world.layout, 4566, Steps())
    world.calls.clear()
    if why == "source":
        (world.layout.root / "app.py").write_text("other")
    if why == "stack gone":
        world.stacks.clear()
    if why == "data gone":
        shutil.rmtree(world.layout.data)
    up.up(world.layout, 4566, Steps(), force=why == "force")
    assert "deploy" in world.calls


@pytest.mark.parametrize("fail", ["demo", "bootstrap", "deploy", "lookout-publish@us-east-1"])
def test_a_failure_ends_what_was_started(world: World, fail: str) -> None:
    world.fail = fail
    with pytest.raises(LocalError, match="failed"):
        up.up(world.layout, 4566, Steps())
    assert world.running == set()


def test_a_failure_leaves_what_ran_before(world: World) -> None:
    up.up(world.layout, 4566, Steps())
    (world.layout.root / "app.py").write_text("broken")
    world.fail = "deploy"
    with pytest.raises(LocalError, match="deploy failed"):
        up.up(world.layout, 4566, Steps())
    assert world.running == {"ministack", "demo"}


@pytest.mark.parametrize("missing", ["judged", "served"])
def test_what_is_never_ready_is_not_waited_for_for_ever(world: World, missing: str) -> None:
    setattr(world, missing, False)
    with pytest.raises(LocalError, match=r"not ready in time(.|\n)*ministack\.log"):
        up.up(world.layout, 4566, Steps(), timeout_s=0.01)


def test_two_at_once_are_refused(world: World) -> None:
    with up.only_one(world.layout), pytest.raises(LocalError, match="another"):
        up.up(world.layout, 4566, Steps())
    with up.only_one(world.layout), pytest.raises(LocalError, match="another"):
        up.down(world.layout)


def test_down_ends_everything_and_says_what(world: World) -> None:
    up.up(world.layout, 4566, Steps())
    assert set(up.describe(world.layout)["running"]) == {"demo", "ministack"}
    assert up.down(world.layout) == ["demo", "ministack"]
    assert up.down(world.layout) == []
    assert up.describe(world.layout) == {"running": {}, "urls": {}}


def test_purge_removes_what_was_made(world: World) -> None:
    up.up(world.layout, 4566, Steps())
    world.layout.received.write_text('{"id": 1}\n{"half')
    assert up.last_events(world.layout, 5) == [{"id": 1}]
    up.purge(world.layout)
    assert up.last_events(world.layout, 5) == []
    assert not world.layout.config.exists()
    assert not world.layout.data.exists()


def test_the_digest_ignores_caches_only(world: World) -> None:
    up.up(world.layout, 4566, Steps())
    before = up.source_digest(world.layout)
    cache = world.layout.root / "functions" / "__pycache__"
    cache.mkdir(parents=True)
    (cache / "x.py").write_text("x")
    assert up.source_digest(world.layout) == before
    (cache.parent / "y.py").write_text("y")
    assert up.source_digest(world.layout) != before
