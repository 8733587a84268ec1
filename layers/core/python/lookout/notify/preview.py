"""What a sink would be sent, as text to read, with every secret left as its reference. Pure."""

from __future__ import annotations

import json
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from lookout.config.model import Sink
from lookout.config.references import is_reference
from lookout.notify.render import Dialog
from lookout.notify.request import EventBridgeEvent, HttpRequest, Request, SesEmail, SnsMessage, Target
from lookout.verdict.case import Notice


def preview(notice: Notice, sink: Sink, site_url: str, now: int) -> str:
    """The first request of a delivery: where it goes, its headers, and its body laid out."""
    request = Dialog(notice, _unresolved(sink), site_url, now).step(None, 0)
    lines = [] if request is None else list(_shown(request))
    if sink.signing is not None:
        signed = " and ".join(sink.signing.split())
        lines.insert(1, f"webhook-signature: v1,... (made with {signed})")
    return "\n".join(lines)


def _unresolved(sink: Sink) -> Target:
    """Each reference stands for its value; where an address is asked for, as a host that cannot be."""

    def value(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: value(inner) for key, inner in part.items()}
        return f"<{part}>" if is_reference(part) else part

    url = value(sink.url)
    if sink.kind == "ntfy" and is_reference(sink.url):
        url = f"https://{url}/topic"
    return Target(sink.kind, url, None, sink.allow_private, value(dict(sink.options)))


def _shown(request: Request) -> list[str]:
    if isinstance(request, HttpRequest):
        headers = [f"{name}: {text}" for name, text in request.headers.items()]
        return [f"POST {request.url}", *headers, "", _laid_out(request.body.decode())]
    if isinstance(request, SesEmail):
        return _mail(request)
    if isinstance(request, SnsMessage):
        texts = json.loads(request.message)
        attributes = [f"attribute {name}: {text}" for name, text in request.attributes.items()]
        parts = [f"\n--- {name}\n{_laid_out(text) if name == 'default' else text}" for name, text in texts.items()]
        return [f"sns:Publish {request.topic_arn}", f"subject: {request.subject}", *attributes, *parts]
    return _event(request)


def _event(event: EventBridgeEvent) -> list[str]:
    head = [f"events:PutEvents {event.bus}", f"source: {event.source}", f"detail-type: {event.detail_type}"]
    return [*head, "", _laid_out(event.detail)]


def _mail(mail: SesEmail) -> list[str]:
    """Headers and the two parts, decoded."""
    parsed = message_from_bytes(mail.raw, policy=default)
    headers = [f"{name}: {text}" for name, text in parsed.items()]
    parts: list[str] = []
    for part in parsed.walk():
        if isinstance(part, EmailMessage) and part.get_content_maintype() == "text":
            content = str(part.get_content()).replace("\r\n", "\n")
            parts.append(f"\n--- {part.get_content_type()}\n{content}")
    return [f"ses:SendEmail {mail.sender} -> {', '.join(mail.recipients)}", *headers, *parts]


def _laid_out(text: str) -> str:
    return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
