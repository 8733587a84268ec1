"""email: one message with a text and an HTML part, sent through Amazon SES (SendEmail, raw). Pure.

The notices of one incident refer to the same message id, so that mail readers keep them together. SES takes 40 MB and
50 recipients (docs.aws.amazon.com/ses/latest/dg/quotas.html); a subject is kept to one line of 200 characters. The HTML
holds no image, script or link but the status page's: nothing a server says is loaded or followed.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from lookout.notify.request import SesEmail, Target
from lookout.notify.text import HTML, escaped, one_line
from lookout.notify.words import Story, tell
from lookout.verdict.case import Notice

RECIPIENTS: Final = 50
_LINE: Final = 2000
_CELL: Final = "padding:4px 16px 4px 0;vertical-align:top"


def request(notice: Notice, target: Target, site_url: str, now: int) -> SesEmail:
    """The message as bytes; its time is the notice's, whenever it is sent."""
    del now
    sender, recipients = str(target.options["from"]), tuple(target.options["to"])
    return SesEmail(sender, recipients, message(notice, sender, recipients, site_url).as_bytes())


def message(notice: Notice, sender: str, recipients: tuple[str, ...], site_url: str) -> EmailMessage:
    """RFC 5322 and MIME; the same bytes each time."""
    story = tell(notice, site_url)
    local, _, domain = sender.rpartition("@")
    made = EmailMessage(policy=SMTP)
    made["Subject"] = f"{story.icon} {one_line(story.line, 190)}"
    made["From"] = Address("Lookout", local, domain)
    made["To"] = ", ".join(recipients)
    made["Date"] = format_datetime(datetime.fromtimestamp(notice.created_at, UTC))
    made["Message-ID"] = f"<{notice.id}@{domain}>"
    made["References"] = f"<{notice.dedup_key}@{domain}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(text(story), cte="quoted-printable")
    made.add_alternative(html(story), subtype="html", cte="quoted-printable")
    made.set_boundary(f"=_{notice.id}")  # quoted-printable never holds `=_`
    return made


def text(story: Story) -> str:
    """The plain part."""
    lines = [f"{story.icon} {one_line(f'{story.name} {story.verb}', _LINE)}", ""]
    lines += [
        line
        for line in (one_line(story.address, _LINE), one_line(_cause(story), _LINE), one_line(story.note, _LINE))
        if line
    ]
    for listing in story.listings:
        said = listing.joined(lambda name: one_line(name, 200), lambda sentence: one_line(sentence, 200))
        lines.append(f"{listing.heading}:{said}")
    lines += ["", *(f"{fact.name}: {one_line(fact.value, _LINE)}" for fact in story.facts), ""]
    lines += [f"Status page: {story.page}"] if story.page is not None else []
    return "\n".join([*lines, f"external MCP probe · {story.reference} · lookout", ""])


def html(story: Story) -> str:
    """The HTML part: styles are inline, as mail readers want them."""
    look = f"font-size:20px;margin:0 0 12px;border-left:6px solid {story.color};padding-left:12px"
    parts = [f'<h1 style="{look}">{story.icon} {escaped(f"{story.name} {story.verb}", _LINE, HTML)}</h1>']
    if story.address:
        parts.append(f"<p><code>{escaped(story.address, _LINE, HTML)}</code></p>")
    parts += [f"<p>{escaped(line, _LINE, HTML)}</p>" for line in (_cause(story), story.note) if line]
    for listing in story.listings:
        said = listing.joined(
            lambda name: f"<code>{escaped(name, 200, HTML)}</code>", lambda text: escaped(text, 200, HTML), "<br>\n• "
        )
        parts.append(f"<p><strong>{listing.heading}</strong>{said}</p>")
    rows = (
        f'<tr><th style="{_CELL};text-align:left">{escaped(fact.name, 100, HTML)}</th>'
        f'<td style="{_CELL}">{escaped(fact.value, _LINE, HTML)}</td></tr>'
        for fact in story.facts
    )
    parts.append(f'<table style="border-collapse:collapse;margin:12px 0">{"".join(rows)}</table>')
    if story.page is not None:
        parts.append(f'<p><a href="{escaped(story.page, _LINE, HTML)}">Status page</a></p>')
    parts.append(f"<p><small>external MCP probe · {escaped(story.reference, 200, HTML)} · lookout</small></p>")
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"></head>\n'
        f'<body style="font-family:system-ui,sans-serif;font-size:15px;line-height:1.5">\n{body}\n</body></html>\n'
    )


def _cause(story: Story) -> str:
    return ": ".join(part for part in (story.cause, story.detail) if part)
