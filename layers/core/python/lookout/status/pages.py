"""Renders the whole static site from a snapshot. Pure: the same snapshot and time give the same bytes.

Templates escape everything (autoescape) and hold no inline script or style, so the site works under
`default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lookout import PROJECT_URL
from lookout.regions import city
from lookout.status import api_json, changes, feed, incident_card, maintenance, markdown, page_models, summary
from lookout.status.conformance import RULES_URL
from lookout.status.publishing import Page
from lookout.status.text import clean, listed
from lookout.status.view import ServerView, Snapshot

SITE: Final = Path(__file__).parent / "site"
HTML: Final = "text/html; charset=utf-8"
CACHE_PAGE: Final = "public, max-age=30"
CACHE_HISTORY: Final = "public, max-age=600"
CACHE_FOREVER: Final = "public, max-age=31536000, immutable"
REFRESH_S: Final = 600
"""How old a server's own page may grow while nothing in it that matters changes."""
HISTORY_REFRESH_S: Final = 3600
"""How old a server's history.json may grow within a day."""
PAST_INCIDENTS: Final = 15
OPEN_WARNINGS: Final = 15
WINDOWS: Final = 10
"""Times of maintenance the front page shows."""
AFFECTED: Final = 6
"""Servers the banner names, before it only counts them."""
CSP: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""The Content-Security-Policy the site is served with, and written for."""

_ICON_COLORS: Final = {"ok": "#1f8a4c", "warn": "#b77900", "bad": "#c2342b", "info": "#1f66b0"}


_KINDS: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(SITE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _favicon(tone: str) -> bytes:
    color = _ICON_COLORS.get(tone, "#69707a")
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
        f'<circle cx="16" cy="16" r="13" fill="none" stroke="{color}" stroke-width="4"/>'
        f'<circle cx="16" cy="16" r="5.5" fill="{color}"/></svg>\n'
    ).encode()


@cache
def static_files() -> dict[str, tuple[str, bytes]]:
    """Logical name -> (path with a hash of the content in it, content)."""
    files = {path.name: path.read_bytes() for path in sorted((SITE / "static").iterdir()) if path.is_file()}
    for tone in (*_ICON_COLORS, "none"):
        files[f"favicon-{tone}.svg"] = _favicon(tone)
    return {
        name: (f"static/{Path(name).stem}.{_digest(body)[:10]}{Path(name).suffix}", body)
        for name, body in files.items()
    }


@cache
def look() -> str:
    """Changes with every template and static file: a page drawn differently must be written again."""
    parts = [path.read_bytes() for path in sorted((SITE / "templates").iterdir()) if path.is_file()]
    return _digest(b"\0".join(parts + [name.encode() for name, _ in static_files().values()]))


class _Site:
    """What every page of one rendering shares."""

    def __init__(self, snapshot: Snapshot, now: int) -> None:
        self.snapshot = snapshot
        self.now = now
        self.base = urlsplit(snapshot.site_url).path.rstrip("/")
        self.whole = summary.overall(snapshot, now)
        icon = self.whole.tone if self.whole.tone in _ICON_COLORS else "none"
        assets = {name: f"{self.base}/{path}" for name, (path, _) in static_files().items()}
        silent = summary.silent_regions(snapshot, now)
        self.shared: dict[str, Any] = {
            "base": self.base,
            "site_name": clean(snapshot.site_name, 120),
            "site_url": snapshot.site_url,
            "version": snapshot.version,
            "project_url": PROJECT_URL,
            "css": assets["lookout.css"],
            "js": assets["lookout.js"],
            "generated": incident_card.when(snapshot.generated_at, now),
            "generated_clock": datetime.fromtimestamp(snapshot.generated_at, UTC).strftime("%H:%M:%S UTC"),
            "generated_at": snapshot.generated_at,
            "stale": summary.stale(snapshot, now),
            "stale_after_s": summary.STALE_AFTER_S,
            "favicon": assets[f"favicon-{icon}.svg"],
            "plain_favicon": assets["favicon-none.svg"],
            "rules_url": RULES_URL,
            "regions": listed(city(name) for name in snapshot.regions),
            "silent": [(city(name), incident_card.when(at, now) if at else None) for name, at in silent.items()],
        }

    def html(self, template: str, **context: Any) -> bytes:
        text = _environment().get_template(template).render({**self.shared, **context})
        return text.encode("utf-8")

    def signature(self, *parts: object) -> str:
        """Of what matters in a page, beside the look of all pages."""
        text = json.dumps([look(), self.snapshot.site_name, self.snapshot.site_url, self.snapshot.version, *parts])
        return _digest(text.encode())


def _always(path: str, body: bytes, content_type: str, cache_control: str = CACHE_PAGE) -> Page:
    return Page(path, body, content_type, cache_control, _digest(body))


def _front(site: _Site) -> list[Page]:
    snapshot, now = site.snapshot, site.now
    by_name = sorted(snapshot.servers, key=lambda view: (view.title.casefold(), view.slug))
    rows = [page_models.row(site.base, snapshot, view, now) for view in by_name]
    affected = [row for tone in ("bad", "warn") for row in rows if row.chip.tone == tone]
    cards = incident_card.cards(site.base, snapshot, now)
    outages = [card for card in cards if card.outage]
    warnings = [card for card in cards if card.open and not card.outage]
    planned = maintenance.current(snapshot, now)
    index = site.html(
        "index.html",
        whole=site.whole,
        rows=rows,
        affected=affected[:AFFECTED] if len(rows) > 1 else [],
        more_affected=max(0, len(affected) - AFFECTED),
        open_incidents=[card for card in outages if card.open],
        open_warnings=warnings[:OPEN_WARNINGS],
        more_warnings=max(0, len(warnings) - OPEN_WARNINGS),
        maintenance=[page_models.window_card(snapshot, one, now) for one in planned[:WINDOWS]],
        more_maintenance=max(0, len(planned) - WINDOWS),
        past_incidents=[card for card in outages if not card.open][:PAST_INCIDENTS],
    )
    robots = b"User-agent: *\nAllow: /\n"
    return [
        _always("index.html", index, HTML),
        _always("status.json", api_json.encode(api_json.current(snapshot, now)), api_json.CONTENT_TYPE),
        _always("feed.atom", feed.atom(snapshot), feed.CONTENT_TYPE),
        _always("feed.rss", feed.rss(snapshot), feed.RSS_TYPE),
        _always("feed.json", feed.json_feed(snapshot), feed.JSON_TYPE),
        _always("llms.txt", markdown.llms(snapshot, now), "text/plain; charset=utf-8"),
        _always("robots.txt", robots, "text/plain; charset=utf-8", "public, max-age=3600"),
        Page(
            "404.html",
            site.html("notfound.html", stale=False, stale_after_s=0),
            HTML,
            CACHE_PAGE,
            site.signature("404"),
            refresh_s=None,
        ),
    ]


def _matters(site: _Site, view: ServerView) -> list[object]:
    """What of a server must be on its page at once when it changes. Not latencies, ages and counts: those wait."""
    state = view.state
    return [
        view.title,
        view.url,
        view.tags,
        view.interval_s,
        view.slo,
        state.status.value,
        state.since,
        [(seen.region, seen.status, seen.layer, seen.reason) for seen in state.regions],
        [state.era, state.protocol_version, state.transport, state.server_name, state.server_version],
        [state.tools_count, state.tools_hash, state.tls_not_after, state.findings],
        [incident.to_json() for incident in summary.incidents_of(view)],
        [change.to_json() for change in changes.changes_of(view)],
        [(asdict(one), one.begin <= site.now) for one in maintenance.current(site.snapshot, site.now, view.slug)],
        view.days[-1].date if view.days else "",
    ]


def _server(site: _Site, view: ServerView) -> list[Page]:
    snapshot, now, slug = site.snapshot, site.now, quote(view.slug, safe="")
    row = page_models.row(site.base, snapshot, view, now)
    signature = site.signature(_matters(site, view))
    page = site.html(
        "server.html", row=row, stale_after_s=REFRESH_S + summary.STALE_AFTER_S, refresh_min=REFRESH_S // 60
    )
    atom = feed.atom(snapshot, view)
    text = "text/markdown; charset=utf-8"
    return [
        Page(f"status/{slug}/index.html", page, HTML, CACHE_PAGE, signature, view.slug, REFRESH_S),
        Page(
            f"status/{slug}.md", markdown.server(snapshot, view, now), text, CACHE_PAGE, signature, view.slug, REFRESH_S
        ),
        Page(
            f"status/{slug}/history.json",
            api_json.encode(api_json.history(snapshot, view)),
            api_json.CONTENT_TYPE,
            CACHE_HISTORY,
            site.signature(view.days[-1].date if view.days else ""),
            view.slug,
            HISTORY_REFRESH_S,
        ),
        Page(f"status/{slug}/feed.atom", atom, feed.CONTENT_TYPE, CACHE_PAGE, _digest(atom), view.slug, None),
    ]


def _incidents(site: _Site, view: ServerView) -> list[Page]:
    out = []
    for incident in summary.incidents_of(view):
        card = incident_card.incident_card(site.base, view, incident, site.now)
        # A closed incident's page stays as it is, until somebody adds a note: it has no age to go stale.
        stale_after_s = REFRESH_S + summary.STALE_AFTER_S if card.open else 0
        body = site.html("incident.html", card=card, failure=incident.failure, stale_after_s=stale_after_s)
        path = f"incidents/{quote(incident.id, safe='')}/index.html"
        refresh_s = REFRESH_S if card.open else None
        signature = site.signature(incident.to_json(), view.title)
        out.append(Page(path, body, HTML, CACHE_PAGE, signature, view.slug, refresh_s))
    return out


def _static() -> list[Page]:
    files = static_files().values()
    return [
        Page(path, body, _KINDS[Path(path).suffix], CACHE_FOREVER, _digest(body), refresh_s=None)
        for path, body in files
    ]


def render_site(snapshot: Snapshot, now: int) -> list[Page]:
    """Every object of the site, in the order of how much it matters that it is written. `now` is unix seconds."""
    site = _Site(snapshot, now)
    pages = _static() + _front(site)
    for view in snapshot.servers:
        pages += _server(site, view)
    for view in snapshot.servers:
        pages += _incidents(site, view)
    return pages
