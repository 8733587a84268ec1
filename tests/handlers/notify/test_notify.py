from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from lookout.config.model import Sink, Site
from lookout.notify.firing import Firing, of_notice
from lookout.notify.request import HttpRequest, Request
from lookout.notify.retry import Answer
from lookout.store import Delivery
from lookout.store.deliveries import Untold
from lookout.verdict.case import Incident, Notice

from functions.notify import handler as notify
from tests.contract.notify.sample import OPEN, RESOLVED
from tests.handlers.memory import QuietRows

ROOT = Path(__file__).parents[3]
QUEUE = "https://sqs.us-east-1.amazonaws.com/000000000000/lookout-deliveries.fifo"
NOW = 1_787_409_260
"""Ten seconds after the messages of the events were sent."""
DEAD = QUEUE.replace(".fifo", "-dead.fifo")
SITE = Site(
    "Acme",
    "us-east-1",
    ("eu-west-1",),
    (Sink("hook", "webhook", "https://ops.acme.dev/x"), Sink("oncall", "slack", "secret:slack")),
)


class World(QuietRows):
    """AWS and the internet."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.queued: list[tuple[str, ...]] = []
        self.delayed: list[tuple[str, str, str, int]] = []
        self.missed: dict[tuple[str, str], Untold] = {}
        self.fires: list[Firing] = []
        self.sent: list[tuple[str, str]] = []
        self.answers: dict[str, Answer] = {}

    def __call__(self, home: str) -> World:
        assert home == "us-east-1"
        return self

    def site(self) -> Site:
        return SITE

    def notice(self, notice_id: str) -> Notice | None:
        return {OPEN.id: OPEN, RESOLVED.id: RESOLVED}.get(notice_id)

    def delivery(self, notice_id: str, sink: str) -> Delivery | None:
        return self.records.get((notice_id, sink))

    def record_delivery(self, notice_id: str, delivery: Delivery) -> None:
        self.records[notice_id, delivery.sink] = delivery

    def untold(self, about: str, sink: str) -> Untold | None:
        return self.missed.get((about, sink))

    def keep_untold(self, about: str, sink: str, untold: Untold, now: int) -> None:
        self.missed[about, sink] = untold

    def firing(self, now: int) -> list[Firing]:
        return self.fires

    def incident(self, slug: str, incident_id: str) -> Incident | None:
        return OPEN.incident

    def secret_value(self, home: str, name: str) -> str:
        return f"https://hooks.slack.com/{home}/{name}"

    def deliver(self, request: HttpRequest, allow_private: bool) -> Answer:
        assert not allow_private
        self.sent.append((request.url, request.headers.get("webhook-id", "")))
        return self.answers.get(request.url, Answer(200))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setenv("LOOKOUT_HOME_REGION", "us-east-1")
    monkeypatch.setenv("LOOKOUT_DELIVERIES_URL", QUEUE)
    monkeypatch.setenv("LOOKOUT_DEAD_URL", DEAD)
    monkeypatch.setenv("LOOKOUT_SITE_URL", "https://status.acme.dev/")
    monkeypatch.setattr(notify, "vaults", {})
    monkeypatch.setattr(notify, "time", SimpleNamespace(time=lambda: world.now + 0.5, monotonic=time.monotonic))
    monkeypatch.setattr(notify, "Store", world)
    monkeypatch.setattr(notify, "deliver", world.deliver)
    monkeypatch.setattr(notify.aws, "secret_value", world.secret_value)
    monkeypatch.setattr(notify.aws, "send_delivery", lambda *args: world.queued.append(args))
    monkeypatch.setattr(notify.aws, "delay_delivery", lambda *args: world.delayed.append(args))
    return world


def run(name: str) -> dict[str, Any]:
    event = json.loads((Path(__file__).parent / "events" / f"{name}.json").read_text(encoding="utf-8"))
    answer: dict[str, Any] = notify.handler(event, object())
    return answer


def metric(capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    """The metrics in what was printed (CloudWatch embedded metric format)."""
    out: dict[str, float] = {}
    for line in capsys.readouterr().out.splitlines():
        said = json.loads(line)
        for wanted in said.get("_aws", {}).get("CloudWatchMetrics", ()):
            assert wanted["Namespace"] == "Lookout"
            out |= {m["Name"]: sum(said[m["Name"]]) for m in wanted["Metrics"]}
    return out


def test_a_notice_is_queued_for_each_sink(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("stream") == {"batchItemFailures": []}
    assert world.queued == [
        (QUEUE, "us-east-1", OPEN.id, "hook", f"{OPEN.dedup_key}#hook"),
        (QUEUE, "us-east-1", OPEN.id, "oncall", f"{OPEN.dedup_key}#oncall"),
    ]
    assert world.sent == []
    assert metric(capsys) == {"DeliveriesQueued": 2}


def test_a_delivery_is_sent_and_recorded(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("queue") == {"batchItemFailures": []}
    assert world.sent == [("https://ops.acme.dev/x", OPEN.id)]
    assert world.records[OPEN.id, "hook"].result == "delivered"
    assert metric(capsys) == {"DeliveriesDelivered": 1}


def test_a_second_receive_sends_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    run("queue")
    assert run("queue") == {"batchItemFailures": []}
    assert len(world.sent) == 1
    assert metric(capsys)["DeliveriesKnown"] == 1


def test_what_fails_waits_and_its_group_with_it(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.answers["https://ops.acme.dev/x"] = Answer(503, "busy", 120)
    assert run("queue-of-three") == {"batchItemFailures": [{"itemIdentifier": "m-1"}, {"itemIdentifier": "m-3"}]}
    assert world.sent == [("https://ops.acme.dev/x", OPEN.id), ("https://hooks.slack.com/us-east-1/slack", "")]
    assert world.delayed == [(QUEUE, "us-east-1", "h-1", 120)]
    assert metric(capsys) == {"DeliveriesRetrying": 1, "DeliveriesDelivered": 1}


def test_what_fails_for_a_day_is_dead(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.answers["https://ops.acme.dev/x"] = Answer(503, "busy")
    world.now += 86_400
    assert run("queue") == {"batchItemFailures": []}
    assert world.queued == [(DEAD, "us-east-1", OPEN.id, "hook", f"{OPEN.dedup_key}#hook")]
    assert world.records[OPEN.id, "hook"] == Delivery("hook", "dead", "HTTP 503 busy", world.now, 1)
    assert metric(capsys) == {"DeliveriesDead": 1}


@pytest.mark.parametrize(
    "sink",
    [
        Sink("hook", "email", "", options={"from": "lookout@acme.dev", "to": ["ops@acme.dev"]}),
        Sink("hook", "sns", "arn:aws:sns:us-east-1:111122223333:alerts"),
        Sink("hook", "eventbridge", "default"),
    ],
    ids=lambda sink: sink.kind,
)
def test_a_sink_in_aws_is_a_call_to_aws(
    world: World, sink: Sink, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    called: list[tuple[str, str]] = []

    def deliver_to_aws(request: Request, home: str) -> Answer:
        called.append((type(request).__name__, home))
        return Answer(200, "taken")

    monkeypatch.setattr(notify, "deliver_to_aws", deliver_to_aws)
    monkeypatch.setattr(world, "site", lambda: replace(SITE, sinks=(sink,)))
    assert run("queue") == {"batchItemFailures": []}
    kinds = {"email": "SesEmail", "sns": "SnsMessage", "eventbridge": "EventBridgeEvent"}
    assert called == [(kinds[sink.kind], "us-east-1")]
    assert world.records[OPEN.id, "hook"].answer == "HTTP 200 taken"
    assert world.sent == []
    assert metric(capsys) == {"DeliveriesDelivered": 1}


def test_a_tick_sends_again_what_fires(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sinks = (
        Sink("prometheus", "alertmanager", "https://a.example"),
        Sink("other", "alertmanager", "https://b.example"),
    )
    world.fires = [f for sink in sinks if (f := of_notice(OPEN, sink.name, "https://status.acme.dev", NOW)) is not None]
    assert run("tick") == {"batchItemFailures": []}
    assert world.sent == [], "there is no such sink"
    assert metric(capsys) == {"AlertsResent": 0, "AlertSinksFailed": 0}
    monkeypatch.setattr(world, "site", lambda: replace(SITE, sinks=sinks))
    world.answers["https://b.example/api/v2/alerts"] = Answer(503, "starting")
    assert run("tick") == {"batchItemFailures": []}
    assert sorted(url for url, _ in world.sent) == [
        "https://a.example/api/v2/alerts",
        "https://b.example/api/v2/alerts",
    ]
    assert metric(capsys) == {"AlertsResent": 1, "AlertSinksFailed": 1}


def test_no_log_line_holds_a_secret(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.answers["https://hooks.slack.com/us-east-1/slack"] = Answer(404, "no_service")
    run("queue-of-three")
    said = [vars(record) for record in caplog.records if record.name == "notify"]
    assert [record["result"] for record in said] == ["delivered", "failed", "delivered"]
    assert said[1]["answer"] == "HTTP 404 no_service"
    assert "hooks.slack.com" not in str(said)


@pytest.mark.parametrize("name", ["notify", "apply"])
def test_a_handler_is_importable_without_aws_and_environment(name: str) -> None:
    code = f"import functions.{name}.handler as h; print(h.handler.__name__)"
    path = f"{ROOT}:{ROOT / 'layers/core/python'}"
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, env={"PYTHONPATH": path}, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "handler", done.stderr
