"""Which errors of AWS mean "not now": the same write may succeed later, and is worth waiting for."""

from __future__ import annotations

from typing import Final

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

_NEVER: Final = frozenset({"ValidationException", "SerializationException"})
"""What DynamoDB says of an item it would not take tomorrow either: that is a mistake of ours."""


def code_of(error: BaseException) -> str | None:
    """What AWS answered (`ThrottlingException`), for pynamodb's errors too; None where there was no answer.

    Not pynamodb's `cause_response_code`, which fails on a read timeout: botocore gives that an empty response.
    """
    cause = error.cause if isinstance(error, PynamoDBException) else error
    return cause.response.get("Error", {}).get("Code") if isinstance(cause, ClientError) else None


def outage(error: BaseException) -> bool:
    """Throttled after all retries, too slow, unreachable, refused or without its table: yes. A mistake of ours: no.

    A refusal counts because a policy or a key that was broken by hand is mended, and the rounds are still wanted then.
    """
    cause = error.cause if isinstance(error, PynamoDBException) else error
    if isinstance(cause, ClientError):
        return code_of(cause) not in _NEVER
    return isinstance(cause, (BotoCoreError, TimeoutError))
