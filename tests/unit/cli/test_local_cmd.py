from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result
from lookout.cli import local_cmd
from lookout.cli.main import cli
from lookout.config.model import Server, Site
from lookout.errors import LocalError
from lookout.local import up
from lookout.local.layout import Layout
from lookout.local.steps import Steps
from lookout.probe.result import Status
from lookout.verdict.state import ServerState


class FakeDemo:
    def __init__(self) -> None:
        self.faults: dict[str, str | None] = {}

    def set_fault(self, slug: str, how: str | None) -> dict[str, str | None]:
        self.faults[slug] = how
        return self.faults

    def events(self) -> list[dict[str, Any]]:
        return []


class Tables:
    def __init__(self, home: str) -> None:
        assert home == "us-east-1"

    def roster(self) -> tuple[Site, list[Server]]:
        return Site("Demo", "us-east-1", ("us-west-2",)), [Server("demo-flaky", "http://127.0.0.1:1/mcp")]

    def server_states(self) -> dict[str, ServerState]:
        return {"demo-flaky": ServerState("demo-flaky", Status.UP)}


class World:
    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.demo: FakeDemo | None = FakeDemo()
        self.ended = 0
        self.interrupt = False
        self.error: LocalError | None = None

    def up(self, layout: Layout, port: int, steps: Steps, **_: Any) -> Any:
        with steps.step("Local AWS"):
            if self.interrupt:
                raise KeyboardInterrupt
            if self.error:
                raise self.error
        config = SimpleNamespace(site=SimpleNamespace(home="us-east-1"))
        return SimpleNamespace(
            layout=layout, ministack=self.aws, demo=self.demo, config=config, urls={"Status page": "http://s/"}
        )

    def down(self, _: Layout) -> list[str]:
        self.ended += 1
        return ["demo", "ministack"] if self.ended == 1 else []

    @property
    def aws(self) -> Any:
        @contextmanager
        def applied() -> Iterator[None]:
            yield

        return SimpleNamespace(applied=applied, ready=True)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    here = World(Layout.of(tmp_path))
    monkeypatch.setattr(local_cmd, "_layout", lambda: here.layout)
    monkeypatch.setattr(local_cmd, "running_demo", lambda _: here.demo)
    monkeypatch.setattr(local_cmd, "running_ministack", lambda _: here.aws if here.demo else None)
    monkeypatch.setattr(local_cmd.signal, "signal", lambda *_: None)
    monkeypatch.setattr(up, "up", here.up)
    monkeypatch.setattr(up, "down", here.down)
    monkeypatch.setattr("lookout.store.Store", Tables)
    return here


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["local", *arguments])


def test_up_detached_says_how_it_stands_and_returns(world: World) -> None:
    result = run("up", "--detach")
    assert result.exit_code == 0, result.output
    assert "Status page: http://s/" in result.stdout
    assert "demo-flaky: up" in result.stdout
    assert "make down" in result.stdout
    assert world.ended == 0


def test_up_for_another_program(world: World) -> None:
    result = run("up", "--json", "--follow")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {"running": {}, "urls": {}, "events": []}
    assert "Local AWS" in result.stderr
    assert world.ended == 0


def test_up_that_follows_ends_everything_when_interrupted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(local_cmd.time, "sleep", wait)
    result = run("up", "--follow")
    assert result.exit_code == 0, result.output
    assert world.ended == 1
    assert "Everything is ended" in result.stdout


def test_up_that_follows_notices_when_somebody_else_ended_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> list[dict[str, Any]]:
        raise LocalError("cannot be reached")

    assert world.demo is not None
    monkeypatch.setattr(world.demo, "events", gone)
    monkeypatch.setattr(local_cmd, "running_demo", lambda _: None)
    result = run("up", "--follow")
    assert result.exit_code == 2
    assert "have ended" in result.stderr


def test_up_interrupted_before_it_is_ready_ends_everything(world: World) -> None:
    world.interrupt = True
    result = run("up")
    assert result.exit_code == 0
    assert world.ended == 1


def test_up_that_fails_says_why(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.error = LocalError("port 4566 is taken")
    result = run("up")
    assert (result.exit_code, result.stderr) == (2, "lookout: port 4566 is taken\n")
    monkeypatch.setenv("LOOKOUT_PORT", "eighty")
    assert "LOOKOUT_PORT='eighty'" in run("up").stderr


def test_down(world: World) -> None:
    assert run("down").stdout == "Ended: demo, ministack.\n"
    assert run("down").stdout == "Nothing was running.\n"
    world.layout.config.parent.mkdir()
    world.layout.config.touch()
    assert json.loads(run("down", "--purge", "--json").stdout) == {"ended": [], "purged": True}
    assert not world.layout.config.exists()


def test_break_and_mend(world: World) -> None:
    assert world.demo is not None
    assert "demo-flaky fails now (500)" in run("break", "demo-flaky").stdout
    assert json.loads(run("break", "demo-slow", "--how", "hang", "--json").stdout)["demo-slow"] == "hang"
    assert "works again" in run("mend", "demo-flaky").stdout
    assert world.demo.faults == {"demo-flaky": None, "demo-slow": "hang"}
    assert run("break", "demo-other").exit_code == 2
    assert run("break", "demo-flaky", "--how", "explode").exit_code == 2


def test_where_nothing_runs_it_says_so(world: World) -> None:
    world.demo = None
    for arguments in (("break", "demo-flaky"), ("mend", "demo-flaky"), ("status",)):
        result = run(*arguments)
        assert result.exit_code == 2
        assert "make up" in result.stderr


def test_status(world: World) -> None:
    world.layout.state.mkdir()
    world.layout.received.write_text('{"received_at": "now", "payload": null, "problem": "no"}\n')
    result = run("status")
    assert result.exit_code == 0, result.output
    assert "notice: now  refused  no" in result.stdout
    assert "demo-flaky: up" in result.stdout
    found = json.loads(run("status", "--json").stdout)
    assert found["running"] == {}
    assert len(found["events"]) == 1


def test_logs(world: World) -> None:
    assert run("logs").stdout == ""
    world.layout.logs.mkdir(parents=True)
    (world.layout.logs / "demo.log").write_text("one\ntwo\n")
    (world.layout.logs / "deploy.log").write_text("three\n")
    assert run("logs", "demo", "-n", "1").stdout.splitlines()[1:] == ["two"]
    assert "three" in run("logs").stdout
    assert json.loads(run("logs", "--json", "-n", "1").stdout) == {"demo": ["two"], "deploy": ["three"]}
