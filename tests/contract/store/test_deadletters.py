"""The deliveries queue and its dead letters, against a real SQS wire."""

from __future__ import annotations

import json

import boto3
import pytest
from lookout import settings
from lookout.errors import StoreError
from lookout.store import aws, deadletters

HOME = "us-east-1"


@pytest.fixture(scope="module")
def dead(local_aws: str) -> str:
    del local_aws
    made = boto3.client("sqs", region_name=HOME).create_queue(
        QueueName=settings.DELIVERIES_DLQ, Attributes={"FifoQueue": "true"}
    )
    return str(made["QueueUrl"])


def left(url: str) -> list[tuple[str, str]]:
    """What may be received now; it is put back."""
    sqs = boto3.client("sqs", region_name=HOME)
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for one in found:
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"], VisibilityTimeout=0)
    bodies = [json.loads(one["Body"]) for one in found]
    return sorted((body["notice"], body["sink"]) for body in bodies)


def test_a_queue_is_found_by_its_name(dead: str) -> None:
    assert deadletters.queue_url(settings.DELIVERIES_DLQ, HOME) == dead
    with pytest.raises(StoreError, match=r"no queue lookout-nothing\.fifo in us-east-1"):
        deadletters.queue_url("lookout-nothing.fifo", HOME)


def test_what_is_done_goes_and_the_rest_may_be_taken_at_once(dead: str) -> None:
    for n in range(13):
        aws.send_delivery(dead, HOME, f"evt_{n:02}", "hook", f"inc_{n % 5}#hook")
    aws.send_delivery(dead, HOME, "evt_00", "hook", "inc_0#hook")  # within five minutes: the same one
    aws.send_delivery(dead, HOME, "evt_00", "hook", "inc_0#hook", "again")
    assert deadletters.clear(dead, HOME, lambda notice, sink: (notice, sink) != ("evt_12", "hook")) == (13, 1)
    assert left(dead) == [("evt_12", "hook")]
    assert deadletters.clear(dead, HOME, lambda notice, sink: True) == (1, 0)
    assert left(dead) == []
