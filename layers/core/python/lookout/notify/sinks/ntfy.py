"""ntfy: a topic of ntfy.sh or of one's own server, published as JSON. Pure.

docs.ntfy.sh/publish/#publish-as-json: to the server's root, with the topic in the body. A message over 4,096 bytes
would become an attachment. Texts are plain: Markdown has to be asked for, and is not.
"""

from __future__ import annotations

from typing import Any, Final

from lookout.notify.request import HttpRequest, Target, post
from lookout.notify.text import cut_bytes, one_line
from lookout.notify.vocabulary import Tone
from lookout.notify.words import Story, tell
from lookout.verdict.case import Notice

_PRIORITIES: Final = {"critical": 5, "high": 4, "warning": 3}
_EMOJI: Final = {
    Tone.BAD: "red_circle",
    Tone.WARNING: "orange_circle",
    Tone.CHANGE: "yellow_circle",
    Tone.GOOD: "white_check_mark",
    Tone.GONE: "white_circle",
    Tone.NEWS: "information_source",
}


def request(notice: Notice, target: Target, site_url: str, now: int) -> HttpRequest:
    """The POST to the server's root."""
    del now
    root, _, topic = target.url.rstrip("/").rpartition("/")
    token = target.options.get("token")
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return post(f"{root}/", payload(notice, topic, site_url), headers)


def payload(notice: Notice, topic: str, site_url: str) -> dict[str, Any]:
    """The message as a JSON object."""
    story = tell(notice, site_url)
    made: dict[str, Any] = {
        "topic": topic,
        "title": cut_bytes(one_line(story.line, 200), 250),
        "message": cut_bytes("\n".join(_lines(story)), 4000),
        "priority": _PRIORITIES.get(notice.severity, 2),
        "tags": [_EMOJI[story.tone]],
    }
    if story.page is not None:
        made["click"] = story.page
    return made


def _lines(story: Story) -> list[str]:
    lines = [one_line(story.detail, 800), one_line(story.address, 400), one_line(story.note, 300)]
    for listing in story.listings:
        said = listing.joined(lambda name: one_line(name, 60), lambda text: one_line(text, 110))
        lines.append(f"{listing.heading}:{said}")
    lines += [f"{fact.name}: {one_line(fact.value, 200)}" for fact in story.facts]
    return [one for one in (*lines, story.reference) if one]
