"""The heartbeat function: a minute -> what was told, or why nothing was."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from lookout.config.model import Heartbeat, Server, Site
from lookout.notify.retry import Answer
from lookout.verdict.case import Notice
from lookout.verdict.state import ShardState
from lookout.verdict.watch import RegionMemory, Watch

from functions.heartbeat import handler as heartbeat
from tests.handlers.memory import Memory, MemoryLog

NOW = 1_787_409_245
SNAPSHOT = ("data", "internal/snapshot.json")
QUEUES = {region: f"https://sqs.{region}.amazonaws.com/1/lookout-heartbeat" for region in ("us-west-2", "eu-west-1")}
SECRET = "https://beat.example/6f1d"


class World(Memory):
    """A home region in which all is well, and what leaves it."""

    def __init__(self) -> None:
        site = Site("Acme", "us-east-1", tuple(QUEUES), heartbeat=Heartbeat("secret:beat"))
        super().__init__(site, [Server("a", "https://a.dev/mcp", shard="s000")])
        self.states["s000"] = ShardState("s000", 1, NOW // 60 * 60 - 120, {})
        self.log = MemoryLog({})
        self.log.watch = Watch(1, at=NOW - 30, regions=dict.fromkeys(QUEUES, RegionMemory(NOW - 900, heard=NOW - 60)))
        self.objects = {SNAPSHOT: NOW - 48}
        self.sent: list[tuple[str, str, str]] = []
        self.called: list[tuple[str, bool]] = []

    def recent_notices(self, limit: int) -> list[Notice]:
        del limit
        return []

    def ping(self, url: str, allow_private: bool) -> Answer:
        self.called.append((url, allow_private))
        return Answer(200)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setenv("LOOKOUT_HOME_REGION", "us-east-1")
    monkeypatch.setenv("LOOKOUT_DATA_BUCKET", "data")
    monkeypatch.setenv("LOOKOUT_HEARTBEAT_URLS", " ".join(f"{region}={url}" for region, url in QUEUES.items()))
    monkeypatch.setattr(heartbeat, "vaults", {})
    monkeypatch.setattr(heartbeat, "Store", lambda home: {"us-east-1": made}[home])
    monkeypatch.setattr(heartbeat, "WatchLog", lambda home: {"us-east-1": made.log}[home])
    monkeypatch.setattr(heartbeat, "ping", made.ping)
    monkeypatch.setattr(heartbeat.time, "time", lambda: NOW + 0.5)
    monkeypatch.setattr(heartbeat.aws, "client", lambda service, region: {"sqs": region}[service])
    monkeypatch.setattr(heartbeat.aws, "written_at", lambda *key: made.objects.get(key))
    monkeypatch.setattr(heartbeat.aws, "send_message", lambda *message: made.sent.append(message))
    monkeypatch.setattr(heartbeat.aws, "secret_value", lambda home, name: {("us-east-1", "beat"): SECRET}[home, name])
    return made


class Run:
    """One invocation: its answer, its metrics, and everything it logged."""

    def __init__(self, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
        event = json.loads((Path(__file__).parent / "events" / "minute.json").read_text(encoding="utf-8"))
        self.answer = heartbeat.handler(event, object())
        (measured,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
        self.measured = {key: value[0] for key, value in measured.items() if isinstance(value, list)}
        self.logged = str([vars(record) for record in caplog.records])


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Callable[[], Run]:
    return lambda: Run(capsys, caplog)


def test_a_healthy_minute_is_told_everywhere(world: World, run: Callable[[], Run]) -> None:
    done = run()
    assert done.answer == {"withheld": (), "told": tuple(QUEUES), "called": True, "failed": ()}
    assert sorted(world.sent) == sorted((url, region, str(NOW)) for region, url in QUEUES.items())
    assert world.called == [(SECRET, False)]
    assert done.measured == {"SnapshotAge": 48, "HeartbeatWithheld": 0, "HeartbeatFailed": 0}
    assert SECRET not in done.logged
    assert world.writes == []


def test_a_page_that_stalls_is_told_to_nobody(world: World, run: Callable[[], Run]) -> None:
    world.objects[SNAPSHOT] = NOW - 700
    done = run()
    assert done.answer["withheld"] == ("the status page was published 700 s ago",)
    assert (world.sent, world.called) == ([], [])
    assert done.measured == {"SnapshotAge": 700, "HeartbeatWithheld": 1, "HeartbeatFailed": 0}
    assert "the status page was published 700 s ago" in done.logged


def test_a_page_that_never_was_has_no_age(world: World, run: Callable[[], Run]) -> None:
    world.objects.clear()
    done = run()
    assert done.measured == {"HeartbeatWithheld": 1, "HeartbeatFailed": 0}


def test_what_fails_on_the_way_out_is_measured(
    world: World, monkeypatch: pytest.MonkeyPatch, run: Callable[[], Run]
) -> None:
    monkeypatch.setattr(heartbeat, "ping", lambda *_: Answer(None, "the receiver's name does not resolve (gaierror)"))
    done = run()
    assert done.answer["failed"] == ("the heartbeat of lookout.yaml: the receiver's name does not resolve (gaierror)",)
    assert len(world.sent) == len(QUEUES)
    assert done.measured["HeartbeatFailed"] == 1
    assert SECRET not in done.logged


def test_what_cannot_be_read_is_raised_and_nothing_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> list[ShardState]:
        raise PermissionError

    monkeypatch.setattr(world, "shard_states", refuse)
    with pytest.raises(PermissionError):
        heartbeat.handler({}, object())
    assert (world.sent, world.called) == ([], [])
