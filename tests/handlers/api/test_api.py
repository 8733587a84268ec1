from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lookout.errors import StoreError
from lookout.settings import SNAPSHOT_KEY

from functions.api import handler as api
from tests.unit.status import sample

EVENTS = Path(__file__).parent / "events"


class Data:
    """The data bucket and the clocks."""

    def __init__(self) -> None:
        self.body: bytes | None = json.dumps(sample.snapshot().to_json()).encode()
        self.reads = 0
        self.monotonic = 100.0
        self.now = float(sample.NOW)

    def get_object(self, bucket: str, key: str) -> bytes:
        assert (bucket, key) == ("data", SNAPSHOT_KEY)
        self.reads += 1
        if self.body is None:
            raise StoreError("s3://data/internal/snapshot.json cannot be read: NoSuchKey")
        return self.body


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch) -> Data:
    data = Data()
    for name, value in {
        "LOOKOUT_HOME_REGION": "us-east-1",
        "LOOKOUT_DATA_BUCKET": "data",
        "LOOKOUT_SITE_URL": "https://status.acme.dev/",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(api.aws, "get_object", data.get_object)
    monkeypatch.setattr(api.time, "monotonic", lambda: data.monotonic)
    monkeypatch.setattr(api.time, "time", lambda: data.now)
    monkeypatch.setattr(api, "snapshots", api.SnapshotCache())
    return data


def call(name: str) -> dict[str, Any]:
    return api.handler(json.loads((EVENTS / f"{name}.json").read_text()), None)


def test_a_get(data: Data) -> None:
    reply = call("get-server")
    assert reply["statusCode"] == 200
    assert reply["headers"]["content-type"] == "application/json"
    assert json.loads(reply["body"])["slug"] == "acme-search"


def test_a_query_string_and_an_accept_header(data: Data) -> None:
    reply = call("get-badge")
    assert reply["headers"]["content-type"] == "image/svg+xml; charset=utf-8"
    assert "my label: 12 tools" in reply["body"]
    assert call("get-metrics")["headers"]["content-type"].startswith("application/openmetrics-text")


def test_a_write_is_refused(data: Data) -> None:
    assert call("post")["statusCode"] == 405


def test_the_snapshot_is_read_at_most_every_ten_seconds(data: Data) -> None:
    call("get-server")
    data.monotonic += 9.9
    call("get-server")
    assert data.reads == 1
    data.monotonic += 0.2
    data.body = json.dumps(replace(sample.snapshot(), servers=()).to_json()).encode()
    assert call("get-server")["statusCode"] == 404
    assert data.reads == 2


def test_without_a_snapshot_it_says_to_come_back(data: Data) -> None:
    data.body = None
    reply = call("get-server")
    assert (reply["statusCode"], reply["headers"]["retry-after"]) == (503, "30")
    assert reply["headers"]["content-type"] == "application/problem+json"
    data.body = json.dumps(sample.snapshot().to_json()).encode()
    assert call("get-server")["statusCode"] == 200


def test_an_old_snapshot_serves_while_s3_cannot_be_read_and_says_its_age(data: Data) -> None:
    call("get-server")
    data.body = None
    data.monotonic += 600
    data.now += 600
    reply = call("get-server")
    assert reply["statusCode"] == 200
    assert reply["headers"]["lookout-snapshot-age"] == "600"
    assert json.loads(reply["body"])["stale"] is True
