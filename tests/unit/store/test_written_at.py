"""When an object was written, as S3 answers: with a time, or that there is none we may see."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from lookout.store import aws

KEY = {"Bucket": "data", "Key": "internal/snapshot.json"}


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y")
    monkeypatch.setattr(aws, "client", lambda service: {"s3": client}[service])
    with Stubber(client) as stub:
        yield stub
    client.close()


def test_it_is_the_moment_of_its_last_write(s3: Stubber) -> None:
    s3.add_response("head_object", {"LastModified": datetime(2026, 8, 22, 14, 34, 5, tzinfo=UTC)}, KEY)
    assert aws.written_at("data", "internal/snapshot.json") == 1_787_409_245


@pytest.mark.parametrize("status", [403, 404])
def test_what_is_not_there_was_never_written(s3: Stubber, status: int) -> None:
    s3.add_client_error("head_object", str(status), http_status_code=status, expected_params=KEY)
    assert aws.written_at("data", "internal/snapshot.json") is None


def test_an_outage_is_raised(s3: Stubber) -> None:
    s3.add_client_error("head_object", "503", http_status_code=503, expected_params=KEY)
    with pytest.raises(ClientError):
        aws.written_at("data", "internal/snapshot.json")
