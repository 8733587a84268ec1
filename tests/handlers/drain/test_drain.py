"""The drain function: SQS batch -> stored rounds and a partial batch answer."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from lookout.config.model import Site
from lookout.history.round import Round, pack
from lookout.probe.result import ProbeResult, Status

from functions.drain import handler as drain
from tests.handlers.memory import Memory

MINUTE = 1_787_409_240
WAITING = "https://sqs.eu-west-1.amazonaws.com/1/lookout-rounds-waiting"


def waiting(minute: int) -> str:
    item = Round("s000", minute, "eu-west-1", (ProbeResult("search", Status.UP, minute * 1000),))
    return base64.b64encode(pack(item)).decode()


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Memory:
    memory = Memory(Site("Acme", "us-east-1", ("eu-west-1",)), ())
    monkeypatch.setenv("LOOKOUT_HOME_REGION", "us-east-1")
    monkeypatch.setenv("LOOKOUT_WAITING_URL", WAITING)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setattr(drain, "Store", lambda _: memory)
    monkeypatch.setattr(drain.time, "time", lambda: MINUTE + 600.0)
    return memory


@pytest.fixture
def delayed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    calls: list[tuple[str, int]] = []

    def delay(url: str, region: str, handle: str, seconds: int) -> None:
        assert (url, region) == (WAITING, "eu-west-1")
        calls.append((handle, seconds))

    monkeypatch.setattr(drain.aws, "delay_delivery", delay)
    return calls


def event() -> dict[str, Any]:
    """Two messages; their bodies are rounds of two minutes."""
    path = Path(__file__).parent / "events" / "queue-of-two.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for record, minute in zip(found["Records"], (MINUTE, MINUTE + 60), strict=True):
        record["body"] = waiting(minute)
    return found


def metrics(text: str) -> dict[str, float]:
    (line,) = [json.loads(one) for one in text.splitlines() if "_aws" in one]
    return {key: value[0] for key, value in line.items() if isinstance(value, list)}


def test_what_waited_is_stored(
    home: Memory, delayed: list[tuple[str, int]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert drain.handler(event(), object()) == {"batchItemFailures": []}
    assert [key[1] for key in home.stored] == [MINUTE, MINUTE + 60]
    assert delayed == []
    assert metrics(capsys.readouterr().out) == {"RoundsDrained": 2, "RoundsRefused": 0, "RoundsWaitingAge": 0}


def test_what_the_home_region_does_not_take_goes_on_waiting(
    home: Memory, delayed: list[tuple[str, int]], capsys: pytest.CaptureFixture[str]
) -> None:
    home.broken["s000"] = TimeoutError()
    kept = ["19dd0b57-b21e-4ac1-bd88-01bbb068cb78", "3c2ee1b8-6f0a-4a0e-9c66-6e3d6ecb1a55"]
    assert drain.handler(event(), object()) == {"batchItemFailures": [{"itemIdentifier": one} for one in kept]}
    assert home.stored == {}
    assert [handle for handle, _ in delayed] == [
        "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "AQEBzWwaftRI0KuVm4tP+/7q1rGgNqicHq",
    ]
    assert [5 <= seconds <= 10 for _, seconds in delayed[:1]] == [True]
    assert [20 <= seconds <= 40 for _, seconds in delayed[1:]] == [True]
    assert metrics(capsys.readouterr().out) == {"RoundsDrained": 0, "RoundsRefused": 0, "RoundsWaitingAge": 540}
