"""eventbridge: an event on an Amazon EventBridge bus, for rules of one's own. Pure.

docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html: an entry of at most 256 KB,
source and detail-type of 256 and 128 characters. `detail` is `lookout/v1`.
"""

from __future__ import annotations

from typing import Final

from lookout.notify.request import EventBridgeEvent, Target, json_text
from lookout.notify.sinks.webhook import payload
from lookout.verdict.case import Notice

SOURCE: Final = "lookout"


def request(notice: Notice, target: Target, site_url: str, now: int) -> EventBridgeEvent:
    """The entry of PutEvents; its time is the notice's."""
    del now
    return EventBridgeEvent(
        bus=target.url,
        source=SOURCE,
        detail_type=notice.type[:128],
        detail=json_text(payload(notice, site_url)),
        at=notice.created_at,
    )
