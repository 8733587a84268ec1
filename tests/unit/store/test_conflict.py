"""Which refusals mean that somebody else was first; a write without an answer is none of them."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from lookout.store.archive import conflict
from pynamodb.exceptions import PutError, TransactWriteError


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "PutItem")


@pytest.mark.parametrize(
    ("cause", "expected"),
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
def test_only_a_failed_condition_is_aconflict(cause: Exception | None, expected: bool) -> None:
    assert conflict(PutError("put", cause)) is expected
    assert conflict(TransactWriteError("transaction", cause)) is expected
