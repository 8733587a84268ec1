"""The few things the developer's commands ask of an AWS account, local or real, with the caller's own credentials."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lookout.errors import LocalError
from lookout.store.aws import client

BOOTSTRAP_STACK = "CDKToolkit"


@contextmanager
def _explained(what: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise LocalError(f"{what}: {error.response.get('Error', {}).get('Message', error)}") from error
    except BotoCoreError as error:
        raise LocalError(f"{what}: {error}") from error


def identity(region: str) -> tuple[str, str]:
    """Account id and ARN of the caller. Raises LocalError where there are no usable credentials."""
    with _explained("AWS did not accept your credentials (try `aws sts get-caller-identity`, or set AWS_PROFILE)"):
        answer = client("sts", region).get_caller_identity()
    return str(answer["Account"]), str(answer["Arn"])


def stack_status(region: str, name: str) -> str:
    """CloudFormation status of a stack, empty where there is none. Raises LocalError."""
    try:
        stacks = client("cloudformation", region).describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == "ValidationError":
            return ""
        raise LocalError(f"stacks of {region} cannot be read: {error}") from error
    except BotoCoreError as error:
        raise LocalError(f"stacks of {region} cannot be read: {error}") from error
    return str(stacks[0]["StackStatus"]) if stacks else ""


def stack_exists(region: str, name: str) -> bool:
    """Is the stack there, complete and not being removed?"""
    status = stack_status(region, name)
    return status.endswith("_COMPLETE") and not status.startswith(("DELETE", "ROLLBACK"))


def bootstrapped(region: str) -> bool:
    """Has `cdk bootstrap` been run in this region? Raises LocalError."""
    return stack_exists(region, BOOTSTRAP_STACK)


def put_secret(region: str, name: str, value: str) -> None:
    """Create or replace a secret. Raises LocalError."""
    secrets = client("secretsmanager", region)
    with _explained(f"secret {name!r} cannot be written"):
        try:
            secrets.put_secret_value(SecretId=name, SecretString=value)
        except secrets.exceptions.ResourceNotFoundException:
            secrets.create_secret(Name=name, SecretString=value)


def secret_exists(region: str, name: str) -> bool:
    """Is there a secret of that name? Its value is not read. Raises LocalError."""
    secrets = client("secretsmanager", region)
    with _explained(f"secret {name!r} cannot be looked up"):
        try:
            secrets.describe_secret(SecretId=name)
        except secrets.exceptions.ResourceNotFoundException:
            return False
    return True


def invoke(region: str, function: str, event: Mapping[str, Any]) -> None:
    """Invoke a function without waiting for it. Raises LocalError."""
    with _explained(f"{function} in {region} cannot be invoked"):
        client("lambda", region).invoke(
            FunctionName=function, InvocationType="Event", Payload=json.dumps(dict(event)).encode()
        )
