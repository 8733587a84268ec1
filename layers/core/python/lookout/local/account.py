"""The few things the developer's commands ask of an AWS account, local or real, with the caller's own credentials."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lookout.errors import LocalError
from lookout.store.aws import client

BOOTSTRAP_STACK = "CDKToolkit"


_NOT_ENABLED = ("InvalidClientTokenId", "UnrecognizedClientException", "OptInRequired", "AuthFailure")
"""How AWS answers good credentials in a region the account has not switched on."""


@contextmanager
def _explained(what: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise LocalError(f"{what}: {_message(error)}") from error
    except BotoCoreError as error:
        raise LocalError(f"{what}: {error}") from error


def _message(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message") or error)


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def identity(region: str) -> tuple[str, str]:
    """Account id and ARN of the caller. Raises LocalError where there are no usable credentials."""
    with _explained(
        f"AWS did not accept your credentials in {region} (try `aws sts get-caller-identity --region {region}`, "
        "or set AWS_PROFILE)"
    ):
        answer = client("sts", region).get_caller_identity()
    return str(answer["Account"]), str(answer["Arn"])


def stack_status(region: str, name: str) -> str:
    """CloudFormation status of a stack, empty where there is none. Raises LocalError."""
    try:
        stacks = client("cloudformation", region).describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if _code(error) == "ValidationError":
            return ""
        if _code(error) in _NOT_ENABLED:
            raise LocalError(
                f"region {region} refuses your credentials ({_message(error)}): it is probably not enabled in this "
                f"account. Enable it: aws account enable-region --region-name {region} (it takes minutes to hours), "
                "or take it out of your configuration."
            ) from error
        raise LocalError(f"stacks of {region} cannot be read: {_message(error)}") from error
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


def kept_tables(region: str, names: Iterable[str]) -> list[str]:
    """Those of the tables that exist in `region`. Raises LocalError."""
    found = []
    for name in names:
        with _explained(f"table {name} in {region} cannot be looked up"):
            try:
                client("dynamodb", region).describe_table(TableName=name)
            except ClientError as error:
                if _code(error) != "ResourceNotFoundException":
                    raise
                continue
        found.append(name)
    return found


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


def parameter_exists(region: str, name: str) -> bool:
    """Is there an SSM parameter of that name? Its value is not read. Raises LocalError."""
    filters = [{"Key": "Name", "Option": "Equals", "Values": [name]}]
    with _explained(f"parameter {name!r} cannot be looked up"):
        return bool(client("ssm", region).describe_parameters(ParameterFilters=filters)["Parameters"])


def invoke(region: str, function: str, event: Mapping[str, Any]) -> None:
    """Invoke a function without waiting for it. Raises LocalError."""
    with _explained(f"{function} in {region} cannot be invoked"):
        client("lambda", region).invoke(
            FunctionName=function, InvocationType="Event", Payload=json.dumps(dict(event)).encode()
        )
