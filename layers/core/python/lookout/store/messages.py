"""The sinks that are calls to AWS: an e-mail through SES, a message to SNS, an event to EventBridge.

What AWS answers becomes an `Answer`, as a receiver's does: what it refuses for what it was asked is final, throttling
and trouble of its own are worth another attempt.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from lookout.notify.request import EventBridgeEvent, SesEmail, SnsMessage
from lookout.notify.retry import Answer
from lookout.store.aws import client

_PASSING: Final = frozenset(
    {
        "InternalException",
        "InternalFailure",
        "InternalError",
        "LimitExceededException",
        "RequestTimeout",
        "ServiceUnavailable",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


def deliver_to_aws(request: SesEmail | SnsMessage | EventBridgeEvent, home: str) -> Answer:
    """Make the call: in the region of the topic or bus where its ARN names one, else in the home region."""
    try:
        if isinstance(request, SesEmail):
            return _email(request, home)
        if isinstance(request, SnsMessage):
            return _message(request)
        return _event(request, home)
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        code = str(error.response.get("Error", {}).get("Code", "error"))
        passing = code in _PASSING or not isinstance(status, int) or status >= 500
        return Answer(None, f"AWS answers {code}", final=not passing)
    except BotoCoreError as error:
        return Answer(None, f"AWS cannot be reached: {type(error).__name__}")


def _email(email: SesEmail, home: str) -> Answer:
    answer = client("sesv2", home).send_email(
        FromEmailAddress=email.sender,
        Destination={"ToAddresses": list(email.recipients)},
        Content={"Raw": {"Data": email.raw}},
    )
    return Answer(200, f"SES took it as {answer['MessageId']}")


def _message(message: SnsMessage) -> Answer:
    wanted: dict[str, Any] = {
        "TopicArn": message.topic_arn,
        "Subject": message.subject,
        "Message": message.message,
        "MessageStructure": "json",
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in message.attributes.items()
        },
    }
    if message.group:
        wanted |= {"MessageGroupId": message.group, "MessageDeduplicationId": message.deduplication}
    answer = client("sns", message.topic_arn.split(":")[3]).publish(**wanted)
    return Answer(200, f"SNS took it as {answer['MessageId']}")


def _event(event: EventBridgeEvent, home: str) -> Answer:
    """PutEvents answers 200 also to what it did not take; the entry says so."""
    region = event.bus.split(":")[3] if event.bus.startswith("arn:") else home
    entry = {
        "EventBusName": event.bus,
        "Source": event.source,
        "DetailType": event.detail_type,
        "Detail": event.detail,
        "Time": datetime.fromtimestamp(event.at, UTC),
    }
    answer = client("events", region).put_events(Entries=[entry])
    told = answer["Entries"][0]
    if answer["FailedEntryCount"]:
        code = str(told.get("ErrorCode", "error"))
        return Answer(None, f"EventBridge answers {code}", final=code not in _PASSING)
    return Answer(200, f"EventBridge took it as {told['EventId']}")
