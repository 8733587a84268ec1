"""A notice and a sink -> the HTTP request to send. Pure: secrets are resolved, time is given.

Shapes: webhook is Lookout's own `lookout/v1` under Standard Webhooks headers; Slack is an incoming webhook.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from lookout import USER_AGENT
from lookout.notify import slack, webhook
from lookout.notify.signing import sign
from lookout.verdict.state import Notice


@dataclass(frozen=True, slots=True)
class Request:
    """What is POSTed. `url` may be a secret: it is never logged."""

    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Target:
    """A sink with its references resolved."""

    kind: str
    url: str
    signing: str | None = None
    allow_private: bool = False


def _bytes(payload: object) -> bytes:
    """Compact JSON. What a server said may hold half a surrogate pair, which UTF-8 does not have: it becomes `?`."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _webhook(notice: Notice, target: Target, site_url: str, now: int) -> Request:
    body = _bytes(webhook.payload(notice, site_url))
    headers = {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        "webhook-id": notice.id,
        "webhook-timestamp": str(now),
    }
    if target.signing is not None:
        headers["webhook-signature"] = sign(target.signing, notice.id, now, body)
    return Request(target.url, headers, body)


def _slack(notice: Notice, target: Target, site_url: str, now: int) -> Request:
    del now
    return Request(
        target.url,
        {"content-type": "application/json", "user-agent": USER_AGENT},
        _bytes(slack.payload(notice, site_url)),
    )


RENDERERS: dict[str, Callable[[Notice, Target, str, int], Request]] = {"webhook": _webhook, "slack": _slack}


def render(notice: Notice, target: Target, site_url: str, now: int) -> Request:
    """The request of `notice` for `target`; `now` (unix s) is the time of this attempt."""
    return RENDERERS[target.kind](notice, target, site_url, now)
