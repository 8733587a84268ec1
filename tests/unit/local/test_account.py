"""What AWS answers, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from lookout.errors import LocalError
from lookout.local import account


class Aws:
    """A client whose every call answers, or fails, as told."""

    def __init__(self, answer: Callable[..., Any]) -> None:
        self._answer = answer

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return self._answer


def refusal(code: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Any")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """`aws(answer)`: what every call gets; an exception is raised."""

    def set_answer(answer: Any) -> None:
        def call(**_: Any) -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(account, "client", lambda service, region: Aws(call))

    return set_answer


@pytest.mark.parametrize("problem", [NoCredentialsError(), refusal("ExpiredToken", "it has expired")])
def test_unusable_credentials_are_said_with_what_to_do(aws: Any, problem: Exception) -> None:
    aws(problem)
    with pytest.raises(LocalError, match=r"did not accept your credentials in eu-west-1 .*AWS_PROFILE"):
        account.identity("eu-west-1")


@pytest.mark.parametrize("code", ["InvalidClientTokenId", "UnrecognizedClientException", "OptInRequired"])
def test_a_region_that_is_not_enabled_is_said_to_be(aws: Any, code: str) -> None:
    aws(refusal(code, "The security token included in the request is invalid"))
    with pytest.raises(LocalError, match="aws account enable-region --region-name ap-east-1"):
        account.bootstrapped("ap-east-1")


def test_other_refusals_are_passed_on(aws: Any) -> None:
    aws(refusal("AccessDenied", "not authorized to perform: cloudformation:DescribeStacks"))
    with pytest.raises(LocalError, match="stacks of us-east-1 cannot be read: not authorized"):
        account.bootstrapped("us-east-1")


@pytest.mark.parametrize(
    ("status", "there"),
    [
        ("CREATE_COMPLETE", True),
        ("UPDATE_ROLLBACK_COMPLETE", True),
        ("ROLLBACK_COMPLETE", False),
        ("DELETE_COMPLETE", False),
        ("CREATE_FAILED", False),
    ],
)
def test_which_stacks_stand(aws: Any, status: str, there: bool) -> None:
    aws({"Stacks": [{"StackStatus": status}]})
    assert account.stack_exists("us-east-1", "LookoutHome") is there


def test_a_stack_that_is_not_there(aws: Any) -> None:
    aws(refusal("ValidationError"))
    assert account.stack_exists("us-east-1", "LookoutHome") is False


def test_kept_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    def describe(TableName: str) -> dict[str, Any]:  # noqa: N803 -- AWS's name
        if TableName == "a":
            raise refusal("ResourceNotFoundException")
        return {}

    monkeypatch.setattr(account, "client", lambda service, region: Aws(describe))
    assert account.kept_tables("us-east-1", ["a", "b"]) == ["b"]


def test_tables_that_may_not_be_looked_up(aws: Any) -> None:
    aws(refusal("AccessDeniedException", "you may not"))
    with pytest.raises(LocalError, match="table b in us-east-1 cannot be looked up: you may not"):
        account.kept_tables("us-east-1", ["b"])


@pytest.mark.parametrize(("answer", "there"), [([], False), ([{"Name": "/a"}], True)])
def test_parameters(aws: Any, answer: list[Any], there: bool) -> None:
    aws({"Parameters": answer})
    assert account.parameter_exists("us-east-1", "/a") is there
