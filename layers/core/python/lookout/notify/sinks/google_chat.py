"""google_chat: a card for a space's incoming webhook. Pure.

A card's texts are a small HTML (developers.google.com/workspace/chat/format-messages), so `&`, `<` and `>` are
escaped, which also takes `<users/all>` its meaning; its header is plain. A message is at most 32,000 bytes.
`threadKey` keeps the notices of one incident in one thread, without anything to remember.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from lookout.notify.facts import Fact
from lookout.notify.request import HttpRequest, Target, post
from lookout.notify.text import HTML, escaped, one_line
from lookout.notify.words import Story, tell
from lookout.verdict.case import Notice

_THREADED: Final = urlencode({"messageReplyOption": "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"})


def request(notice: Notice, target: Target, site_url: str, now: int) -> HttpRequest:
    """The POST. The address carries its key and token as a query, to which the reply option is added."""
    del now
    joint = "&" if "?" in target.url else "?"
    return post(f"{target.url}{joint}{_THREADED}", payload(notice, site_url))


def payload(notice: Notice, site_url: str) -> dict[str, Any]:
    """One card, in the incident's thread. `fallbackText` is what a notification shows."""
    story = tell(notice, site_url)
    return {
        "fallbackText": f"{story.icon} {one_line(story.line, 500)}",
        "thread": {"threadKey": notice.dedup_key[:200]},
        "cardsV2": [{"cardId": notice.id[:64], "card": _card(story)}],
    }


def _card(story: Story) -> dict[str, Any]:
    widgets: list[dict[str, Any]] = [{"textParagraph": {"text": text}} for text in _said(story)]
    widgets += [_fact(fact) for fact in story.facts]
    if story.page is not None:
        button = {"text": "Open status page", "onClick": {"openLink": {"url": story.page}}}
        widgets.append({"buttonList": {"buttons": [button]}})
    header = {
        "title": f"{story.icon} {one_line(f'{story.name} — {story.title}', 200)}",
        "subtitle": one_line(f"external MCP probe · {story.reference}", 200),
    }
    return {"header": header, "sections": [{"widgets": widgets}]}


def _said(story: Story) -> list[str]:
    lines = [escaped(story.address, 1500, HTML)]
    if story.cause:
        detail = f": {escaped(story.detail, 1500, HTML)}" if story.detail else ""
        lines.append(f"<b>{escaped(story.cause, 160, HTML)}</b>{detail}")
    lines += [f"<b>{one.heading}</b>{one.joined(_name, _name, '<br>• ')}" for one in story.listings]
    return [one for one in (*lines, escaped(story.note, 300, HTML)) if one]


def _name(name: str) -> str:
    return escaped(name, 120, HTML)


def _fact(fact: Fact) -> dict[str, Any]:
    text = escaped(fact.value, 800, HTML) or "-"
    return {"decoratedText": {"topLabel": one_line(fact.name, 60), "text": text, "wrapText": True}}
