"""discord: a webhook's embed. Pure.

https://discord.com/developers/docs/resources/message#embed-object-embed-limits: title 256, description 4,096, 25 fields
with names of 256 and values of 1,024, footer 2,048, 6,000 characters in all. `allowed_mentions` calls nobody, whatever
the text holds; every punctuation mark of what came from outside is escaped besides.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from lookout.notify.facts import Fact
from lookout.notify.request import HttpRequest, Target, post
from lookout.notify.text import DISCORD, code, escaped, one_line, rfc3339
from lookout.notify.words import Story, tell
from lookout.verdict.case import Notice

_FIELD: Final = 250


def request(notice: Notice, target: Target, site_url: str, now: int) -> HttpRequest:
    """The POST; Discord answers 204."""
    del now
    return post(target.url, payload(notice, site_url))


def payload(notice: Notice, site_url: str) -> dict[str, Any]:
    """One embed."""
    story = tell(notice, site_url)
    embed: dict[str, Any] = {
        "title": f"{story.icon} {escaped(story.line, 250, DISCORD)}",
        "description": _said(story),
        "color": int(story.color.removeprefix("#"), 16),
        "fields": [_field(fact) for fact in story.facts[:8]],
        "footer": {"text": one_line(f"external MCP probe · {story.reference} · lookout", 200)},
        "timestamp": rfc3339(notice.created_at),
    }
    if story.page is not None:
        embed["url"] = story.page
    return {"embeds": [embed], "allowed_mentions": {"parse": []}}


def _said(story: Story) -> str:
    """Of the longest input about 2,500 characters, so that the whole embed stays below 6,000."""
    lines = [f"`{code(story.address, 600)}`" if story.address else ""]
    if story.cause:
        detail = f": {escaped(story.detail, 1000, DISCORD)}" if story.detail else ""
        lines.append(f"**{escaped(story.cause, 160, DISCORD)}**{detail}")
    for listing in story.listings:
        limit = 60 if listing.wide else 40
        lines.append(f"**{listing.heading}**{listing.joined(partial(_name, limit), _sentence)}")
    lines.append(escaped(story.note, 300, DISCORD))
    return "\n".join(one for one in lines if one) or "-"


def _name(limit: int, name: str) -> str:
    return f"`{code(name, limit)}`"


def _sentence(text: str) -> str:
    return escaped(text, 110, DISCORD)


def _field(fact: Fact) -> dict[str, Any]:
    value = f"<t:{fact.at}:f>" if fact.at is not None else escaped(fact.value, _FIELD, DISCORD)
    return {"name": escaped(fact.name, 60, DISCORD), "value": value or "-", "inline": True}
