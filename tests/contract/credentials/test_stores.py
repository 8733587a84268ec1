"""What Secrets Manager and Parameter Store answer, as botocore knows their answers, and what is made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber
from lookout.errors import SecretError, SecretGoneError
from lookout.store import aws

HOME = "us-east-1"


@pytest.fixture
def stubs(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Stubber]]:
    clients = {
        name: boto3.client(name, region_name=HOME, aws_access_key_id="x", aws_secret_access_key="y")
        for name in ("secretsmanager", "ssm")
    }
    stubs = {name: Stubber(client) for name, client in clients.items()}

    def client(service: str, region: str | None = None) -> Any:
        assert region == HOME
        return clients[service]

    monkeypatch.setattr(aws, "client", client)
    for stub in stubs.values():
        stub.activate()
    yield stubs
    for stub in stubs.values():
        stub.assert_no_pending_responses()


CASES: list[tuple[str, str, Callable[[str, str], str], str]] = [
    ("secretsmanager", "get_secret_value", aws.secret_value, "secret 'acme' in us-east-1 cannot be read: "),
    ("ssm", "get_parameter", aws.parameter_value, "parameter 'acme' in us-east-1 cannot be read: "),
]


def test_a_secret_is_read(stubs: dict[str, Stubber]) -> None:
    stubs["secretsmanager"].add_response("get_secret_value", {"SecretString": "v"}, {"SecretId": "acme"})
    assert aws.secret_value(HOME, "acme") == "v"


def test_a_parameter_is_read_decrypted(stubs: dict[str, Stubber]) -> None:
    expected = {"Name": "/acme", "WithDecryption": True}
    stubs["ssm"].add_response("get_parameter", {"Parameter": {"Value": "v"}}, expected)
    assert aws.parameter_value(HOME, "/acme") == "v"


def test_a_secret_of_bytes_is_no_text(stubs: dict[str, Stubber]) -> None:
    stubs["secretsmanager"].add_response("get_secret_value", {"SecretBinary": b"v"}, {"SecretId": "acme"})
    with pytest.raises(SecretError, match="secret 'acme' in us-east-1 holds no text"):
        aws.secret_value(HOME, "acme")


@pytest.mark.parametrize(("service", "operation", "read", "message"), CASES)
@pytest.mark.parametrize(
    ("code", "gone"),
    [
        ("ResourceNotFoundException", True),
        ("ParameterNotFound", True),
        ("InvalidRequestException", True),
        ("AccessDeniedException", False),
        ("ThrottlingException", False),
        ("InternalServiceError", False),
    ],
)
def test_only_what_is_not_there_is_gone(
    stubs: dict[str, Stubber],
    service: str,
    operation: str,
    read: Callable[[str, str], str],
    message: str,
    code: str,
    gone: bool,
) -> None:
    stubs[service].add_client_error(operation, code, "what AWS says is not repeated: hunter2")
    with pytest.raises(SecretError) as caught:
        read(HOME, "acme")
    assert isinstance(caught.value, SecretGoneError) is gone
    assert str(caught.value) == message + code
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(("service", "operation", "read", "message"), CASES)
def test_a_store_that_cannot_be_reached_is_not_gone(
    monkeypatch: pytest.MonkeyPatch, service: str, operation: str, read: Callable[[str, str], str], message: str
) -> None:
    class Client:
        def unreachable(self, **_: Any) -> Any:
            raise EndpointConnectionError(endpoint_url="https://aws.example")

        get_secret_value = get_parameter = unreachable

    monkeypatch.setattr(aws, "client", lambda *_: Client())
    with pytest.raises(SecretError) as caught:
        read(HOME, "acme")
    assert not isinstance(caught.value, SecretGoneError)
    assert str(caught.value) == message + "EndpointConnectionError"
