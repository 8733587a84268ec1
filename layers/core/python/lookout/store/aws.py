"""The AWS calls that are not the database: secrets, objects, queues, invocations. Clients are made once per process."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError, ClientError

from lookout.errors import SecretError, SecretGoneError, StoreError

LONGEST_DELAY_S: Final = 43_000
"""SQS hides a message for twelve hours at most, counted from when it was received."""


@cache
def client(service: str, region: str | None = None) -> Any:
    """A boto3 client with short timeouts and few retries."""
    import boto3  # a tenth of a cold start, which many an invocation needs no client for

    config = ClientConfig(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "max_attempts": 3})
    return boto3.client(service, region_name=region, config=config)


_GONE = frozenset({"ResourceNotFoundException", "InvalidRequestException", "ParameterNotFound"})
"""Not there (any more): the second is what Secrets Manager says of a secret that is scheduled for deletion."""


def secret_value(home: str, name: str) -> str:
    """The current value of a Secrets Manager secret in the home region. Raises SecretError, which names no value."""
    with _secret_errors(f"secret {name!r} in {home}"):
        value = client("secretsmanager", home).get_secret_value(SecretId=name).get("SecretString")
    if not isinstance(value, str) or not value:
        raise SecretError(f"secret {name!r} in {home} holds no text")
    return value


def parameter_value(home: str, name: str) -> str:
    """The value of an SSM parameter in the home region, decrypted. Raises SecretError, which names no value."""
    with _secret_errors(f"parameter {name!r} in {home}"):
        answer = client("ssm", home).get_parameter(Name=name, WithDecryption=True)
    return str(answer["Parameter"]["Value"])


@contextmanager
def _secret_errors(what: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "error")
        kind = SecretGoneError if code in _GONE else SecretError
        raise kind(f"{what} cannot be read: {code}") from None
    except BotoCoreError as error:
        raise SecretError(f"{what} cannot be read: {type(error).__name__}") from None


def put_object(bucket: str, key: str, body: bytes, content_type: str, cache_control: str) -> None:
    """Write one object to S3."""
    client("s3").put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type, CacheControl=cache_control)


def get_object(bucket: str, key: str) -> bytes:
    """Read one object from S3. Raises StoreError where there is none."""
    try:
        body: bytes = client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "error")
        raise StoreError(f"s3://{bucket}/{key} cannot be read: {code}") from error
    return body


def written_at(bucket: str, key: str) -> int | None:
    """When an object was written, unix seconds; None where there is none that may be read."""
    try:
        found = client("s3").head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        # Without s3:ListBucket, S3 answers 403 for an object that is not there.
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in (403, 404):
            return None
        raise
    return int(found["LastModified"].timestamp())


def delete_object(bucket: str, key: str) -> None:
    """Delete one object from S3; deleting what is not there is no error."""
    client("s3").delete_object(Bucket=bucket, Key=key)


def send_delivery(queue_url: str, region: str, notice_id: str, sink: str, group: str, again: str = "") -> None:
    """Queue one delivery: a FIFO group per (incident, sink) keeps the order, the deduplication id makes it one.

    `again` is a word of its own for each time it is sent anew.
    """
    client("sqs", region).send_message(
        QueueUrl=queue_url,
        MessageBody=json.dumps({"notice": notice_id, "sink": sink}),
        MessageGroupId=group[:128],
        MessageDeduplicationId=f"{notice_id}#{sink}{again and '#'}{again}"[:128],
    )


def send_message(queue_url: str, region: str, body: str) -> None:
    """Put one message into a standard queue."""
    client("sqs", region).send_message(QueueUrl=queue_url, MessageBody=body)


def delay_delivery(queue_url: str, region: str, receipt_handle: str, seconds: int) -> None:
    """Let a delivery be received again in `seconds`, or in LONGEST_DELAY_S, whichever is less."""
    client("sqs", region).change_message_visibility(
        QueueUrl=queue_url, ReceiptHandle=receipt_handle, VisibilityTimeout=max(0, min(seconds, LONGEST_DELAY_S))
    )


def caller_arn(home: str) -> str:
    """Whose credentials these are: an ARN of IAM or STS. No permission is needed to ask."""
    return str(client("sts", home).get_caller_identity()["Arn"])


def invoke_async(function_name: str, payload: Mapping[str, Any]) -> None:
    """Invoke a Lambda function of this region without waiting for it."""
    client("lambda").invoke(
        FunctionName=function_name, InvocationType="Event", Payload=json.dumps(payload, separators=(",", ":")).encode()
    )
