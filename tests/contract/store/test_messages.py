"""SES, SNS and EventBridge by botocore's own models: what is asked is valid, what is answered becomes an Answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber
from lookout.notify.request import EventBridgeEvent, SesEmail, SnsMessage
from lookout.notify.retry import Answer
from lookout.store import messages

EMAIL = SesEmail("lookout@acme.dev", ("ops@acme.dev",), b"Subject: x\r\n\r\n")
TOPIC = SnsMessage("arn:aws:sns:eu-west-1:111122223333:a", "subject", '{"default":"x"}', {"type": "test"})
FIFO = SnsMessage("arn:aws:sns:eu-west-1:111122223333:a.fifo", "subject", '{"default":"x"}', {"type": "test"}, "g", "d")
EVENT = EventBridgeEvent("default", "lookout", "test", "{}", 1_787_409_120)
ELSEWHERE = EventBridgeEvent("arn:aws:events:eu-west-1:111122223333:event-bus/x", "lookout", "test", "{}", 0)


class Cloud:
    """Stubbed clients; which region each service was called in."""

    def __init__(self, stack: ExitStack) -> None:
        self.regions: dict[str, str | None] = {}
        self._stack = stack
        self._stubs: dict[str, tuple[Any, Stubber]] = {}

    def client(self, service: str, region: str | None = None) -> Any:
        self.regions[service] = region
        return self._stub(service)[0]

    def _stub(self, service: str) -> tuple[Any, Stubber]:
        if service not in self._stubs:
            made = boto3.client(service, "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
            self._stubs[service] = (made, self._stack.enter_context(Stubber(made)))
        return self._stubs[service]

    def answers(self, service: str, method: str, answer: dict[str, Any]) -> None:
        self._stub(service)[1].add_response(method, answer)

    def fails(self, service: str, method: str, code: str, status: int) -> None:
        self._stub(service)[1].add_client_error(method, code, "secret words", http_status_code=status)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with ExitStack() as stack:
        made = Cloud(stack)
        monkeypatch.setattr(messages, "client", made.client)
        yield made


def test_an_email_is_sent_in_the_home_region(cloud: Cloud) -> None:
    cloud.answers("sesv2", "send_email", {"MessageId": "m-1"})
    assert messages.deliver_to_aws(EMAIL, "us-east-1") == Answer(200, "SES took it as m-1")
    assert cloud.regions == {"sesv2": "us-east-1"}


@pytest.mark.parametrize("message", [TOPIC, FIFO], ids=["standard", "fifo"])
def test_a_message_is_published_where_its_topic_is(cloud: Cloud, message: SnsMessage) -> None:
    cloud.answers("sns", "publish", {"MessageId": "m-2"})
    assert messages.deliver_to_aws(message, "us-east-1") == Answer(200, "SNS took it as m-2")
    assert cloud.regions == {"sns": "eu-west-1"}


@pytest.mark.parametrize(("event", "region"), [(EVENT, "us-east-1"), (ELSEWHERE, "eu-west-1")])
def test_an_event_is_put_where_its_bus_is(cloud: Cloud, event: EventBridgeEvent, region: str) -> None:
    cloud.answers("events", "put_events", {"FailedEntryCount": 0, "Entries": [{"EventId": "e-1"}]})
    assert messages.deliver_to_aws(event, "us-east-1") == Answer(200, "EventBridge took it as e-1")
    assert cloud.regions == {"events": region}


@pytest.mark.parametrize(("code", "final"), [("ThrottlingException", False), ("InternalFailure", False), ("X", True)])
def test_an_event_that_was_not_taken_is_known_from_its_entry(cloud: Cloud, code: str, final: bool) -> None:
    cloud.answers("events", "put_events", {"FailedEntryCount": 1, "Entries": [{"ErrorCode": code}]})
    assert messages.deliver_to_aws(EVENT, "us-east-1") == Answer(None, f"EventBridge answers {code}", final=final)


@pytest.mark.parametrize(
    ("code", "status", "final"),
    [
        ("MessageRejected", 400, True),
        ("AccessDeniedException", 403, True),
        ("NotFoundException", 404, True),
        ("TooManyRequestsException", 429, False),
        ("Throttling", 400, False),
        ("InternalFailure", 500, False),
        ("Whatever", 503, False),
    ],
)
def test_what_aws_refuses_for_good_and_what_may_pass(cloud: Cloud, code: str, status: int, final: bool) -> None:
    cloud.fails("sesv2", "send_email", code, status)
    answer = messages.deliver_to_aws(EMAIL, "us-east-1")
    assert answer == Answer(None, f"AWS answers {code}", final=final)
    assert answer.retryable is not final


def test_aws_that_cannot_be_reached_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unreachable:
        def publish(self, **_: Any) -> None:
            raise EndpointConnectionError(endpoint_url="https://sns")

    monkeypatch.setattr(messages, "client", lambda *_: Unreachable())
    answer = messages.deliver_to_aws(TOPIC, "us-east-1")
    assert answer == Answer(None, "AWS cannot be reached: EndpointConnectionError")
    assert answer.retryable
