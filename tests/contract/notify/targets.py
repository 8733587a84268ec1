"""One target of every kind, and what each would be sent."""

from __future__ import annotations

import base64
import json
from typing import Any

from lookout.notify.render import Dialog, render
from lookout.notify.request import HttpRequest, Request, Target
from lookout.verdict.case import Notice

from tests.contract.notify.sample import OPENED, SITE

OLD = "whsec_" + base64.b64encode(b"o" * 24).decode()
NEW = "whsec_" + base64.b64encode(b"n" * 32).decode()
TARGETS = {
    "webhook": Target("webhook", "https://ops.acme.dev/lookout", OLD),
    "slack": Target("slack", "https://hooks.slack.com/services/T/B/x"),
    "alertmanager": Target("alertmanager", "https://am.acme.dev/", options={"bearer": "t0ken"}),
    "pagerduty": Target("pagerduty", "r" * 32),
    "opsgenie": Target("opsgenie", "0p5-key", options={"region": "eu"}),
    "discord": Target("discord", "https://discord.com/api/webhooks/1/x"),
    "teams": Target("teams", "https://prod.westus.logic.azure.com/workflows/x/triggers/manual/paths/invoke?sig=s"),
    "google_chat": Target("google_chat", "https://chat.googleapis.com/v1/spaces/A/messages?key=k&token=t"),
    "telegram": Target("telegram", "1:abc", options={"chat": "-1001"}),
    "ntfy": Target("ntfy", "https://ntfy.sh/acme-alerts", options={"token": "tk_1"}),
    "email": Target("email", "", options={"to": ["ops@acme.dev", "sre@acme.dev"], "from": "lookout@acme.dev"}),
    "sns": Target("sns", "arn:aws:sns:us-east-1:111122223333:alerts"),
    "eventbridge": Target("eventbridge", "default"),
}
BOT = Target("slack_bot", "xoxb-1", options={"channel": "C012"})
AWS = ("email", "sns", "eventbridge")
HTTP = tuple(kind for kind in TARGETS if kind not in AWS)


def request(notice: Notice, kind: str, now: int = OPENED) -> Request:
    """What would be sent."""
    return render(notice, TARGETS[kind], SITE, now)


def posted(notice: Notice, kind: str, now: int = OPENED) -> HttpRequest:
    """What would be POSTed; a bot's first message."""
    made = Dialog(notice, BOT, SITE, now).step(None, 0) if kind == "slack_bot" else request(notice, kind, now)
    assert isinstance(made, HttpRequest)
    return made


def body(notice: Notice, kind: str) -> Any:
    """Its JSON."""
    return json.loads(posted(notice, kind).body)
