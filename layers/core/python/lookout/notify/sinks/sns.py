"""sns: a message to an Amazon SNS topic: `lookout/v1` for programs, a text for e-mail, a line for phones. Pure.

docs.aws.amazon.com/sns/latest/api/API_Publish.html: subject of 100 ASCII characters without line breaks; 256 KB in all.
The attributes are for filter policies.
"""

from __future__ import annotations

from typing import Final

from lookout.notify.request import SnsMessage, Target, json_text
from lookout.notify.sinks.email import text
from lookout.notify.sinks.webhook import payload
from lookout.notify.text import ascii_line, cut_bytes
from lookout.notify.words import tell
from lookout.verdict.case import Notice

_SMS_BYTES: Final = 140
_LIMIT: Final = 200_000
_EMPTY: Final = "-"
"""SNS refuses an attribute without a value."""


def request(notice: Notice, target: Target, site_url: str, now: int) -> SnsMessage:
    """The arguments of Publish. A FIFO topic keeps an incident's order, and takes each notice once."""
    del now
    story, body = tell(notice, site_url), json_text(payload(notice, site_url))
    fifo = target.url.endswith(".fifo")
    texts = {"default": body, "email": text(story), "sms": cut_bytes(ascii_line(story.line, _SMS_BYTES), _SMS_BYTES)}
    made = json_text(texts)
    if len(made.encode()) > _LIMIT:
        made = json_text({**texts, "default": json_text({**payload(notice, site_url), "drift": None, "regions": []})})
    return SnsMessage(
        topic_arn=target.url,
        subject=ascii_line(story.line, 100),
        message=made,
        attributes={
            "type": notice.type,
            "severity": notice.severity,
            "server": notice.slug,
            "status": notice.status or _EMPTY,
        },
        group=notice.dedup_key[:128] if fifo else "",
        deduplication=notice.id[:128] if fifo else "",
    )
