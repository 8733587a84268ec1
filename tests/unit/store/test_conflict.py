"""Which refusals mean that somebody else was first; a write without an answer is none of them."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from lookout.store.database import _conflict
from pynamodb.exceptions import PutError, TransactWriteError


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "PutItem")


@pytest.mark.parametrize(
    ("cause", "conflict"),
    [
        (refused("ConditionalCheckFailedException"), True),
        (refused("TransactionCanceledException"), True),
        (refused("TransactionConflictException"), True),
        (refused("ProvisionedThroughputExceededException"), False),
        (refused("AccessDeniedException"), False),
        (ReadTimeoutError(endpoint_url="https://dynamodb.example"), False),
        (EndpointConnectionError(endpoint_url="https://dynamodb.example"), False),
        (None, False),
    ],
)
def test_only_a_failed_condition_is_a_conflict(cause: Exception | None, conflict: bool) -> None:
    assert _conflict(PutError("put", cause)) is conflict
    assert _conflict(TransactWriteError("transaction", cause)) is conflict
