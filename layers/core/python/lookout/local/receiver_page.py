"""The receiver's page: each delivery told in words as Slack or a mail would tell it, with what its signature is worth.

Pure. Everything on it came from outside, so everything is escaped, and cut. It needs no JavaScript.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from lookout.local.told import story_of
from lookout.notify.facts import Listing
from lookout.notify.text import one_line
from lookout.notify.words import Story

HEADERS: Final = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
SHOWN: Final = 50
"""Deliveries on the page. All that are kept are at /events."""
_LONG: Final = 600
_SHORT: Final = 200
_STYLE: Final = """
:root{color-scheme:light dark;--page:#f6f7f8;--panel:#fff;--line:#e2e5e9;--ink:#14181d;--dim:#59626d;--link:#1a56a8;
--good:#17703f;--bad:#ab231b;--warning:#b26a00;--change:#b26a00;--gone:#59626d;--news:#59626d}
@media (prefers-color-scheme:dark){:root{--page:#0d1013;--panel:#15191d;--line:#272d34;--ink:#e9ecef;--dim:#9ba5b0;
--link:#8ab8f5;--good:#6fd49b;--bad:#ff9a92;--warning:#f0b45c;--change:#f0b45c;--gone:#9ba5b0;--news:#9ba5b0}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:52rem;padding:2rem 1.25rem;background:var(--page);color:var(--ink);
font:400 .9375rem/1.5 ui-sans-serif,system-ui,sans-serif;font-variant-numeric:tabular-nums}
h1{margin:0;font-size:1.5rem;letter-spacing:-.015em}
header>p,.empty{margin:.25rem 0 1.5rem;color:var(--dim)}
a{color:var(--link)}
code{font:.875em ui-monospace,Menlo,Consolas,monospace}
article{margin:0 0 1rem;padding:1rem 1.25rem;background:var(--panel);border:1px solid var(--line);
border-left:4px solid var(--tone,var(--dim));border-radius:10px;overflow-wrap:anywhere}
.bad{--tone:var(--bad)}.warning{--tone:var(--warning)}.change{--tone:var(--change)}.good{--tone:var(--good)}
.about{display:flex;flex-wrap:wrap;gap:.25rem 1rem;margin:0;color:var(--dim);font-size:.8125rem}
.about .verified{color:var(--good)}.about .refused{color:var(--bad)}
h2{margin:.25rem 0 .5rem;font-size:1.0625rem;line-height:1.35}
article p{margin:0 0 .5rem}
article ul{margin:0 0 .5rem;padding-left:1.25rem}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(13rem,1fr));gap:.5rem 1.25rem;margin:.75rem 0}
dt{color:var(--dim);font-size:.8125rem}dd{margin:0}
@media (max-width:45rem){body{padding:1.25rem .75rem}dl{grid-template-columns:1fr 1fr}}
"""


def page(events: Sequence[Mapping[str, Any]]) -> str:
    """The newest of `events` (oldest first, as the inbox keeps them), newest first. It loads itself anew."""
    shown = [_delivery(event) for event in reversed(events[-SHOWN:])]
    empty = (
        '<p class="empty">Nothing yet. Break a server: <code>.venv/bin/lookout local break demo-flaky</code>. '
        "Three failing rounds later it is told here.</p>"
    )
    older = f"<p>{len(events) - SHOWN} older ones are in the JSON.</p>" if len(events) > SHOWN else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Webhook receiver · Lookout demo</title>'
        '<meta http-equiv="refresh" content="5"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><header><h1>Webhook receiver</h1>"
        '<p>What Lookout sent, newest first, each signature checked here. <a href="/events">As JSON</a></p></header>'
        f"<main>{''.join(shown) or empty}{older}</main></body></html>"
    )


def raw(event: Mapping[str, Any]) -> str:
    """One delivery as plain text: its headers and its body, laid out where it is JSON."""
    headers, body = event.get("headers"), str(event.get("body", ""))
    lines = [f"{name}: {value}" for name, value in headers.items()] if isinstance(headers, dict) else []
    if event.get("payload") is not None:
        body = json.dumps(event["payload"], indent=2, ensure_ascii=False)
    return "\n".join([*lines, "", body, ""])


def _delivery(event: Mapping[str, Any]) -> str:
    """One card: when, what the signature is worth, and the story, or else as much as can be said."""
    payload = event.get("payload")
    story = story_of(payload)
    if story is not None:
        told = _story(story)
    elif payload is not None:
        told = f"<h2>{_text(_title(payload), _SHORT)}</h2><p><code>{_text(str(event.get('body')), _LONG)}</code></p>"
    else:
        told = f"<h2>Not accepted</h2><p>{_text(str(event.get('problem') or 'for no reason that is known'), _LONG)}</p>"
    when = str(event.get("received_at", "")).replace("T", " ").replace("Z", " UTC")
    number = event.get("number")
    link = f'<a href="/events/{number}">as it came</a>' if isinstance(number, int) else ""
    about = f"<span>{_text(when, _SHORT)}</span>{_signature(event)}<span>{_text(str(event.get('id', '')), 60)}</span>"
    tone = story.tone.value if story is not None else "news" if event.get("verified") else "bad"
    return f'<article class="{tone}"><p class="about">{about}{link}</p>{told}</article>'


def _signature(event: Mapping[str, Any]) -> str:
    if not event.get("verified"):
        return '<span class="refused">✗ refused</span>'
    return f'<span class="verified">✓ signature verified{", seen before" if event.get("repeated") else ""}</span>'


def _title(payload: object) -> str:
    """What another format calls it."""
    if isinstance(payload, dict):
        found = next((payload[key] for key in ("type", "event", "title", "status") if payload.get(key)), None)
        return str(found or "A body of another format")
    return "A body of another format"


def _story(story: Story) -> str:
    parts = [f"<h2>{story.icon} {_text(story.line, _LONG)}</h2>"]
    if story.address:
        parts.append(f"<p><code>{_text(story.address, _LONG)}</code></p>")
    cause = ": ".join(str(part) for part in (story.cause, story.detail) if part)
    parts += [f"<p>{_text(line, _LONG)}</p>" for line in (cause, story.note) if line]
    parts += map(_listing, story.listings)
    facts = (f"<div><dt>{_text(one.name, 60)}</dt><dd>{_text(one.value, _SHORT)}</dd></div>" for one in story.facts)
    parts.append(f"<dl>{''.join(facts)}</dl>")
    if story.page is not None and urlsplit(story.page).scheme in ("http", "https"):
        parts.append(f'<p><a href="{_text(story.page, _LONG)}">Status page</a></p>')
    return "".join(parts)


def _listing(listing: Listing) -> str:
    if listing.apart:
        more = [f"{listing.more} more"] if listing.more else []
        items = "".join(f"<li>{_text(one, _SHORT)}</li>" for one in [*listing.names, *more])
        return f"<p><strong>{_text(listing.heading, 60)}</strong></p><ul>{items}</ul>"
    said = listing.joined(lambda name: f"<code>{_text(name, _SHORT)}</code>", lambda text: _text(text, _SHORT))
    return f"<p><strong>{_text(listing.heading, 60)}</strong>{said}</p>"


def _text(text: str, limit: int) -> str:
    return html.escape(one_line(str(text), limit))
