"""slack: an incoming webhook, Block Kit (SHAPES 2). Pure.

Limits (docs.slack.dev/reference/block-kit/blocks): header 150, section text 3,000, 10 fields of 2,000, 50 blocks,
10 context elements, button URL 3,000; `text` is cut by Slack beyond 40,000. Only `&`, `<` and `>` begin anything that
links or calls somebody, and `verbatim` keeps Slack from making links of bare addresses.
"""

from __future__ import annotations

from typing import Any

from lookout.notify.facts import Fact, Listing
from lookout.notify.request import HttpRequest, Target, post
from lookout.notify.text import SLACK, code, escaped, rfc3339
from lookout.notify.words import Story, tell
from lookout.verdict.case import Notice

FIELDS = 10


def request(notice: Notice, target: Target, site_url: str, now: int) -> HttpRequest:
    """The POST."""
    del now
    return post(target.url, payload(notice, site_url))


def payload(notice: Notice, site_url: str) -> dict[str, Any]:
    """The body as a JSON object; `text` is the line of the lock screen."""
    story = tell(notice, site_url)
    return {"text": line(story), "attachments": [{"color": story.color, "blocks": blocks(story)}]}


def line(story: Story) -> str:
    """One line: icon, name, what happened, why."""
    return f"{story.icon} {escaped(story.line, 600, SLACK)}"


def blocks(story: Story) -> list[dict[str, Any]]:
    """Title, what the server said, facts, a button, and whence it comes."""
    title = f"{story.icon} {escaped(f'{story.name} — {story.title}', 140, SLACK)}"
    fields = [{"type": "mrkdwn", "text": _field(fact), "verbatim": True} for fact in story.facts[:FIELDS]]
    made: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": title, "emoji": True}},
        {"type": "section", "text": {"type": "mrkdwn", "text": _said(story), "verbatim": True}},
        {"type": "section", "fields": fields},
    ]
    if story.page is not None:
        button = {"type": "button", "text": {"type": "plain_text", "text": "Open status page"}, "url": story.page}
        made.append({"type": "actions", "elements": [button]})
    context = f"external MCP probe · {escaped(story.reference, 200, SLACK)} · lookout"
    made.append({"type": "context", "elements": [{"type": "mrkdwn", "text": context, "verbatim": True}]})
    return made


def _said(story: Story) -> str:
    """The address, the cause and the server's words; or what was added, changed and removed."""
    address = f"`{code(story.address, 600 if story.listings else 1400, SLACK)}`" if story.address else ""
    cause = f"*{escaped(story.cause, 100, SLACK)}*" if story.cause else ""
    detail = f": {escaped(story.detail, 1000, SLACK)}" if story.detail else ""
    first = " — ".join(part for part in (address, f"{cause}{detail}") if part)
    lines = [first, *map(_listed, story.listings), escaped(story.note, 200, SLACK)]
    return "\n".join(one for one in lines if one) or escaped(f"{story.name} {story.verb}", 1000, SLACK)


def _listed(listing: Listing) -> str:
    """At most ten names or sentences, and how many more there are. Ten of the longest stay below 1,200 characters."""
    limit = 110 if listing.wide else 40
    return f"*{listing.heading}*" + listing.joined(
        lambda name: f"`{code(name, limit, SLACK)}`", lambda text: escaped(text, 110, SLACK)
    )


def _field(fact: Fact) -> str:
    value = escaped(fact.value, 1900, SLACK)
    if fact.at is not None:  # in the reader's own zone
        value = f"<!date^{fact.at}^{{date_short_pretty}} {{time}}|{rfc3339(fact.at)}>"
    return f"*{escaped(fact.name, 60, SLACK)}*\n{value}"
