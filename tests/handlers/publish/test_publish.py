from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lookout.errors import StoreError
from lookout.settings import SNAPSHOT_KEY
from lookout.status.publishing import MANIFEST_KEY, Publisher
from lookout.status.view import Snapshot

from functions.publish import handler as publish
from tests.unit.status import sample

MINUTE = json.loads((Path(__file__).parent / "events/minute.json").read_text())


class Context:
    def __init__(self, left_ms: int = 60_000) -> None:
        self._left_ms = left_ms

    def get_remaining_time_in_millis(self) -> int:
        return self._left_ms


class Aws:
    """Two buckets, the store's gatherer, and the clock."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], tuple[bytes, str, str]] = {}
        self.snapshot = sample.snapshot()
        self.now = float(sample.NOW)
        self.missing = "NoSuchKey"

    def put_object(self, bucket: str, key: str, body: bytes, content_type: str, cache_control: str) -> None:
        self.objects[bucket, key] = body, content_type, cache_control

    def get_object(self, bucket: str, key: str) -> bytes:
        if (bucket, key) not in self.objects:
            raise StoreError(f"s3://{bucket}/{key} cannot be read: {self.missing}")
        return self.objects[bucket, key][0]

    def delete_object(self, bucket: str, key: str) -> None:
        self.objects.pop((bucket, key), None)

    def gather(self, site_url: str, now: int) -> Snapshot:
        return replace(self.snapshot, site_url=site_url, generated_at=now)

    def keys(self, bucket: str) -> set[str]:
        return {key for where, key in self.objects if where == bucket}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    aws = Aws()
    publishers: dict[str, Publisher] = {}
    for name, value in {
        "LOOKOUT_HOME_REGION": "us-east-1",
        "LOOKOUT_SITE_BUCKET": "site",
        "LOOKOUT_DATA_BUCKET": "data",
        "LOOKOUT_SITE_URL": "https://status.acme.dev/",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("put_object", "get_object", "delete_object"):
        monkeypatch.setattr(publish.aws, name, getattr(aws, name))
    monkeypatch.setattr(publish, "_gatherer", lambda home: aws)
    monkeypatch.setattr(publish, "_publisher", lambda bucket: publishers.setdefault(bucket, Publisher(bucket)))
    monkeypatch.setattr(publish.time, "time", lambda: aws.now)
    return aws


def run(left_ms: int = 60_000) -> dict[str, int]:
    done: dict[str, int] = publish.handler(MINUTE, Context(left_ms))
    return done


def metrics(text: str) -> dict[str, Any]:
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    found: dict[str, Any] = next(line for line in lines if "_aws" in line)
    return found


def test_a_minute_writes_the_snapshot_and_the_site(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    done = run()
    assert aws.keys("data") == {SNAPSHOT_KEY, MANIFEST_KEY}
    assert {"index.html", "status/acme-search/index.html", "feed.atom"} <= aws.keys("site")
    assert done == {"written": len(aws.keys("site")), "removed": 0, "postponed": 0}
    assert aws.objects["site", "index.html"][1:] == ("text/html; charset=utf-8", "public, max-age=30")
    stored = Snapshot.from_json(json.loads(aws.objects["data", SNAPSHOT_KEY][0]))
    assert (stored.site_url, stored.generated_at) == ("https://status.acme.dev", sample.NOW)
    found = metrics(capsys.readouterr().out)
    assert (found["SilentRegions"], found["NewestRoundAge"], found["service"]) == ([0.0], [7.0], "publish")


def test_the_next_minute_writes_little(aws: Aws) -> None:
    first = run()
    aws.now += 60
    assert run()["written"] < first["written"] / 3


def test_a_server_made_private_leaves_no_byte(aws: Aws) -> None:
    run()
    aws.snapshot = replace(aws.snapshot, servers=tuple(v for v in aws.snapshot.servers if v.slug != "acme-files"))
    aws.now += 60
    assert run()["removed"] == 6
    for (bucket, key), (body, _, _) in aws.objects.items():
        assert b"acme-files" not in body, (bucket, key)
        assert "acme-files" not in key


def test_before_the_first_round_there_is_no_age_to_report(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.snapshot = replace(aws.snapshot, regions=dict.fromkeys(sample.REGIONS, 0))
    run()
    found = metrics(capsys.readouterr().out)
    assert "NewestRoundAge" not in found
    assert found["SilentRegions"] == [3.0]


def test_s3_calls_a_missing_manifest_forbidden_to_those_who_may_not_list(aws: Aws) -> None:
    aws.missing = "AccessDenied"
    assert run()["written"] > 0


def test_a_manifest_that_cannot_be_read_stops_the_run_rather_than_forgetting_pages(aws: Aws) -> None:
    aws.missing = "SlowDown"
    with pytest.raises(StoreError, match="SlowDown"):
        run()
    assert aws.keys("site") == set()


def test_without_time_nothing_is_lost(aws: Aws) -> None:
    assert run(left_ms=1000)["written"] == 0
    assert aws.keys("site") == set()
    assert run()["postponed"] == 0
    assert "index.html" in aws.keys("site")
