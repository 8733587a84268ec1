"""teams: an Adaptive Card for a Microsoft Teams workflow ("When a Teams webhook request is received"). Pure.

Texts are TextRuns, which know no Markdown, where a TextBlock does. A message is at most 28 KB
(learn.microsoft.com/microsoftteams/limits-specifications-teams); ours stay far below it.
"""

from __future__ import annotations

from typing import Any, Final

from lookout.notify.request import HttpRequest, Target, post
from lookout.notify.text import one_line
from lookout.notify.vocabulary import Tone
from lookout.notify.words import Story, tell
from lookout.verdict.case import Notice

_COLORS: Final = {Tone.BAD: "Attention", Tone.WARNING: "Warning", Tone.CHANGE: "Warning", Tone.GOOD: "Good"}


def request(notice: Notice, target: Target, site_url: str, now: int) -> HttpRequest:
    """The POST; a workflow answers 202."""
    del now
    return post(target.url, payload(notice, site_url))


def payload(notice: Notice, site_url: str) -> dict[str, Any]:
    """The message with its card. `summary` is what a notification shows."""
    story = tell(notice, site_url)
    card = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": _card(story)}
    return {"type": "message", "summary": f"{story.icon} {one_line(story.line, 300)}", "attachments": [card]}


def _card(story: Story) -> dict[str, Any]:
    head = _run(f"{story.icon} {one_line(f'{story.name} — {story.title}', 200)}", weight="Bolder", size="Large")
    head["color"] = _COLORS.get(story.tone, "Default")
    body: list[dict[str, Any]] = [_rich(head)]
    body += [_rich(*runs) for runs in _said(story)]
    for fact in story.facts:
        body.append(_rich(_run(f"{fact.name}: ", weight="Bolder"), _run(one_line(fact.value, 600) or "-"), tight=True))
    body.append(_rich(_run(f"external MCP probe · {story.reference[:100]} · lookout", size="Small", isSubtle=True)))
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "fallbackText": f"{story.icon} {one_line(story.line, 300)}",
        "body": body,
    }
    if story.page is not None:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open status page", "url": story.page}]
    return card


def _said(story: Story) -> list[list[dict[str, Any]]]:
    lines = []
    if story.address:
        lines.append([_run(one_line(story.address, 1000), fontType="Monospace")])
    if story.cause:
        detail = f": {one_line(story.detail, 1000)}" if story.detail else ""
        lines.append([_run(one_line(story.cause, 160), weight="Bolder"), _run(detail or ".")])
    for listing in story.listings:
        said = listing.joined(lambda name: one_line(name, 110), lambda text: one_line(text, 110))
        lines.append([_run(f"{listing.heading}:", weight="Bolder"), _run(said)])
    return [*lines, [_run(one_line(story.note, 300))]] if story.note else lines


def _run(text: str, **look: Any) -> dict[str, Any]:
    return {"type": "TextRun", "text": text, **look}


def _rich(*runs: dict[str, Any], tight: bool = False) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "RichTextBlock", "inlines": list(runs)}
    return {**made, "spacing": "Small"} if tight else made
