"""The deliveries queue and its dead letters, as a person works with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from botocore.exceptions import ClientError

from lookout.errors import StoreError
from lookout.store.aws import client

_HIDDEN_S: Final = 60
_ROUNDS: Final = 500
_AT_ONCE: Final = 10


def queue_url(name: str, region: str) -> str:
    """Where a queue is. Raises StoreError where there is none."""
    try:
        return str(client("sqs", region).get_queue_url(QueueName=name)["QueueUrl"])
    except ClientError as error:
        if "NonExistentQueue" in error.response.get("Error", {}).get("Code", ""):
            raise StoreError(f"there is no queue {name} in {region}") from error
        raise


def clear(url: str, region: str, done: Callable[[str, str], bool]) -> tuple[int, int]:
    """Delete the dead deliveries of which `done(notice id, sink)` says so; how many, and how many were left.

    A queue that keeps its order shows the later messages of a group once the earlier ones are gone, so behind one that
    is left there may be others, which are not counted.
    """
    sqs = client("sqs", region)
    deleted, left = 0, []
    for _ in range(_ROUNDS):
        found = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=_AT_ONCE, VisibilityTimeout=_HIDDEN_S, WaitTimeSeconds=1
        ).get("Messages", [])
        if not found:
            break
        for message in found:
            if _is(message, done):
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                deleted += 1
            else:
                left.append(message["ReceiptHandle"])
    for handle in left:
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
    return deleted, len(left)


def _is(message: dict[str, Any], done: Callable[[str, str], bool]) -> bool:
    body = json.loads(message["Body"])
    return done(str(body["notice"]), str(body["sink"]))
