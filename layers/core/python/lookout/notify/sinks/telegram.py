"""telegram: the Bot API's sendMessage, parse mode HTML. Pure.

core.telegram.org/bots/api#sendmessage: 4,096 characters. `<`, `>` and `&` are escaped, and a server's words stand in
`<code>`, where Telegram makes no links, mentions or commands of them. Previews of links are off.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any, Final

from lookout.notify.request import HttpRequest, Target, post
from lookout.notify.retry import Answer
from lookout.notify.text import HTML, escaped
from lookout.notify.words import Story, tell
from lookout.verdict.case import Notice

API: Final = "https://api.telegram.org"


def request(notice: Notice, target: Target, site_url: str, now: int) -> HttpRequest:
    """The POST. The bot's token is part of the address."""
    del now
    return post(f"{API}/bot{target.url}/sendMessage", payload(notice, str(target.options["chat"]), site_url))


def payload(notice: Notice, chat: str, site_url: str) -> dict[str, Any]:
    """`chat` is a number, or the @name of a channel."""
    story = tell(notice, site_url)
    made: dict[str, Any] = {
        "chat_id": chat,
        "text": _text(story),
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
    }
    if notice.severity == "info":
        made["disable_notification"] = True
    if story.page is not None and story.page.startswith("https://"):
        made["reply_markup"] = {"inline_keyboard": [[{"text": "Open status page", "url": story.page}]]}
    return made


def read(answer: Answer) -> Answer:
    """Telegram says in the body, not in a header, how long to wait (`parameters.retry_after`)."""
    if answer.status != 429 or answer.retry_after_s is not None:
        return answer
    try:
        seconds = json.loads(answer.body)["parameters"]["retry_after"]
    except (ValueError, KeyError, TypeError):
        return answer
    wait = min(max(0, seconds), 86_400) if isinstance(seconds, int) else None
    return Answer(answer.status, answer.text, wait)


def _text(story: Story) -> str:
    """Of the longest input about 3,600 characters, counted with its marks."""
    lines = [f"{story.icon} <b>{escaped(story.name, 150, HTML)}</b> {escaped(story.verb, 150, HTML)}"]
    if story.address:
        lines.append(f"<code>{escaped(story.address, 400, HTML)}</code>")
    if story.cause:
        detail = f"\n<code>{escaped(story.detail, 600, HTML)}</code>" if story.detail else ""
        lines.append(f"<code>{escaped(story.cause, 160, HTML)}</code>{detail}")
    for listing in story.listings:
        limit = 60 if listing.wide else 25
        lines.append(f"{listing.heading}:{listing.joined(partial(_name, limit), _sentence)}")
    if story.note:
        lines.append(escaped(story.note, 200, HTML))
    lines += [
        f"{escaped(fact.name, 40, HTML)}: <code>{escaped(fact.value, 130, HTML)}</code>" for fact in story.facts[:8]
    ]
    return "\n".join([*lines, f"<i>[EXTERNAL] {escaped(story.reference, 60, HTML)}</i>"])


def _name(limit: int, name: str) -> str:
    return f"<code>{escaped(name, limit, HTML)}</code>"


def _sentence(text: str) -> str:
    return escaped(text, 80, HTML)
