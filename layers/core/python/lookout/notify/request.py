"""What a sink is to be sent, and where. Immutable values: nothing is sent here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lookout import USER_AGENT


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What is POSTed. `url` and `headers` may hold secrets: they are never logged.

    `secrets` are those in the body: what a receiver repeats of them is left out of its answer, as of the other two.
    """

    url: str
    headers: dict[str, str]
    body: bytes
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SesEmail:
    """`raw` is the whole message (RFC 5322), as SES's SendEmail takes it under Content.Raw."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes


@dataclass(frozen=True, slots=True)
class SnsMessage:
    """The arguments of SNS's Publish. `message` is JSON with one text per protocol (MessageStructure `json`).

    `group` and `deduplication` are for a FIFO topic, and empty for any other.
    """

    topic_arn: str
    subject: str
    message: str
    attributes: Mapping[str, str]
    group: str = ""
    deduplication: str = ""


@dataclass(frozen=True, slots=True)
class EventBridgeEvent:
    """One entry of EventBridge's PutEvents. `bus` is a name or an ARN, `detail` a JSON object, `at` unix seconds."""

    bus: str
    source: str
    detail_type: str
    detail: str
    at: int


Request = HttpRequest | SesEmail | SnsMessage | EventBridgeEvent


@dataclass(frozen=True, slots=True)
class Target:
    """A sink with its references resolved. `url` is what the sink's kind is given: an address, a key, a token, an ARN.

    `signing` may hold several keys, separated by spaces. `options` are the kind's own (docs/notifications.md).
    """

    kind: str
    url: str
    signing: str | None = None
    allow_private: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


def json_text(payload: object) -> str:
    """Compact JSON. What a server said may hold half a surrogate pair, which UTF-8 does not have: it becomes `?`."""
    made = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return made.encode("utf-8", "replace").decode("utf-8")


def post(
    url: str, payload: object, headers: Mapping[str, str] | None = None, secrets: tuple[str, ...] = ()
) -> HttpRequest:
    """A POST of JSON."""
    own = {"content-type": "application/json", "user-agent": USER_AGENT}
    return HttpRequest(url, {**own, **(headers or {})}, json_text(payload).encode(), secrets)
