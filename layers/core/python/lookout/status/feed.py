"""The feeds, as Atom (RFC 4287), RSS 2.0 and JSON Feed 1.1: an entry per incident, whose id never changes and whose
`updated` moves with it, and one per surface change. Pure.

An entry's first category is the incident's kind: `availability` is an outage, any other a warning. The id is a tag URI
(RFC 4151) of the site's host and the day the incident began.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final
from urllib.parse import quote, urlsplit

from lookout.probe.result import Status
from lookout.status import changes, incidents, maintenance
from lookout.status.summary import WORDS, all_incidents
from lookout.status.text import clean, duration, rfc3339
from lookout.status.view import Planned, ServerView, Snapshot
from lookout.verdict.case import Incident, SurfaceChange

CONTENT_TYPE: Final = "application/atom+xml; charset=utf-8"
RSS_TYPE: Final = "application/rss+xml; charset=utf-8"
JSON_TYPE: Final = "application/feed+json; charset=utf-8"
CAP: Final = 50
_NS: Final = "http://www.w3.org/2005/Atom"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a feed, whatever its format. Texts are cleaned, not escaped."""

    id: str
    title: str
    url: str
    published: int
    updated: int
    categories: tuple[str, ...]
    summary: str


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed, whatever its format; `updated` is that of its newest entry, 0 where it has none; `page` its address."""

    id: str
    title: str
    author: str
    page: str
    updated: int
    version: str
    entries: tuple[Entry, ...]


def incident_url(snapshot: Snapshot, incident: Incident) -> str:
    """Its page, absolute."""
    return f"{snapshot.site_url}/incidents/{quote(incident.id, safe='')}/"


def server_url(snapshot: Snapshot, view: ServerView) -> str:
    """A server's page, absolute."""
    return f"{snapshot.site_url}/status/{quote(view.slug, safe='')}/"


def headline(incident: Incident) -> str:
    """`[Resolved] Acme Search down 14 m`; `[Open] Acme Search: certificate ends soon`."""
    text = clean(incident.title, 120)
    if not incidents.is_outage(incident):
        said = incidents.what(incident)
        text += f": {said[:1].lower()}{said[1:]}"
    elif incident.status in set(Status):
        text += f" {WORDS[Status(incident.status)].lower()}"
    else:
        text += f" {clean(incident.status, 40)}"
    if incident.resolved_at is None:
        return f"[Open] {text}"
    return f"[Resolved] {text} {duration(incident.resolved_at - incident.started_at)}"


def _of_incident(snapshot: Snapshot, host: str, incident: Incident) -> Entry:
    said = [f"Began {rfc3339(incident.started_at)}."]
    if incidents.where(incident):
        said.append(f"{incidents.where(incident)}.")
    if incidents.cause(incident.failure):
        said.append(f"Cause: {incidents.cause(incident.failure)}.")
    said += [f"{line.title} {rfc3339(line.at)}: {line.text}" for line in incidents.written_by_people(incident)]
    if incident.resolved_at is not None:
        said.append(f"{incidents.end(incident)} {rfc3339(incident.resolved_at)}.")
    return Entry(
        id=f"tag:{host},{rfc3339(incident.started_at)[:10]}:incident/{incident.id}",
        title=headline(incident),
        url=incident_url(snapshot, incident),
        published=incident.opened_at,
        updated=incidents.moved_at(incident),
        categories=(clean(incident.kind, 40), "open" if incident.resolved_at is None else "resolved"),
        summary=" ".join(said),
    )


def _of_change(snapshot: Snapshot, host: str, view: ServerView, change: SurfaceChange) -> Entry:
    return Entry(
        id=f"tag:{host},{rfc3339(change.at)[:10]}:surface/{change.id}",
        title=changes.headline(change),
        url=f"{server_url(snapshot, view)}#{quote(change.id, safe='')}",
        published=change.at,
        updated=change.at,
        categories=("drift", changes.class_of(change).value),
        summary=changes.in_words(change),
    )


def _of_maintenance(snapshot: Snapshot, host: str, one: Planned) -> Entry:
    """Its state is that of the snapshot; it moves when it begins, and when it is over."""
    at = snapshot.generated_at
    said = [f"From {rfc3339(one.begin)} until {rfc3339(one.end)}."]
    if one.reason:
        said.append(clean(one.reason, 200))
    state = maintenance.state(one, at)
    updated = {"scheduled": one.announced, "in_progress": one.begin, "completed": one.end}[state]
    word = {"scheduled": "[Scheduled]", "in_progress": "[In progress]", "completed": "[Completed]"}[state]
    return Entry(
        id=f"tag:{host},{rfc3339(one.begin)[:10]}:maintenance/{one.id}",
        title=f"{word} Maintenance of {maintenance.whom(snapshot, one)}",
        url=f"{snapshot.site_url}/#maintenance",
        published=one.announced,
        updated=updated,
        categories=("maintenance", state),
        summary=" ".join(said),
    )


def feed(snapshot: Snapshot, view: ServerView | None = None) -> Feed:
    """What is in the feed of the whole site, or of one server: at most 50 entries, newest first."""
    host = urlsplit(snapshot.site_url).hostname or "localhost"
    found = [i for owner, i in all_incidents(snapshot) if view is None or owner.slug == view.slug]
    drifts = [pair for pair in changes.all_changes(snapshot) if view is None or pair[0].slug == view.slug]
    dated = [(i.started_at, _of_incident(snapshot, host, i)) for i in found]
    dated += [(change.at, _of_change(snapshot, host, owner, change)) for owner, change in drifts]
    windows = [one for one in snapshot.maintenance if view is None or view.slug in one.servers]
    dated += [(entry.updated, entry) for entry in (_of_maintenance(snapshot, host, one) for one in windows)]
    dated.sort(key=lambda pair: -pair[0])
    entries = tuple(entry for _, entry in dated[:CAP])
    name = clean(snapshot.site_name, 120)
    return Feed(
        id=f"tag:{host},2026:feed" + (f"/status/{view.slug}" if view is not None else ""),
        title=name if view is None else f"{clean(view.title, 120)} · {name}",
        author=name,
        page=f"{snapshot.site_url}/" if view is None else server_url(snapshot, view),
        updated=max((entry.updated for entry in entries), default=0),
        version=snapshot.version,
        entries=entries,
    )


def _add(parent: ET.Element, name: str, text: str | None = None, **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, name, attributes)
    element.text = text
    return element


def _written(root: ET.Element) -> bytes:
    ET.indent(root)
    body: bytes = ET.tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + body + b"\n"


def atom(snapshot: Snapshot, view: ServerView | None = None) -> bytes:
    """RFC 4287."""
    made = feed(snapshot, view)
    root = ET.Element("feed", xmlns=_NS)
    _add(root, "id", made.id)
    _add(root, "title", made.title)
    _add(root, "updated", rfc3339(made.updated) if made.updated else "2026-01-01T00:00:00Z")
    _add(root, "link", rel="self", type="application/atom+xml", href=f"{made.page}feed.atom")
    _add(root, "link", rel="alternate", type="text/html", href=made.page)
    _add(_add(root, "author"), "name", made.author)
    _add(root, "generator", "Lookout", version=made.version)
    for one in made.entries:
        entry = _add(root, "entry")
        _add(entry, "id", one.id)
        _add(entry, "title", one.title)
        _add(entry, "published", rfc3339(one.published))
        _add(entry, "updated", rfc3339(one.updated))
        _add(entry, "link", rel="alternate", type="text/html", href=one.url)
        for term in one.categories:
            _add(entry, "category", term=term)
        _add(entry, "summary", one.summary, type="text")
    return _written(root)


def _rfc822(at: int) -> str:
    return format_datetime(datetime.fromtimestamp(at, UTC), usegmt=True)


def rss(snapshot: Snapshot) -> bytes:
    """RSS 2.0 of the whole site. Its entries have one date: that of the last change."""
    made = feed(snapshot)
    root = ET.Element("rss", {"version": "2.0", "xmlns:atom": _NS})
    channel = _add(root, "channel")
    _add(channel, "title", made.title)
    _add(channel, "link", made.page)
    _add(channel, "description", f"Incidents and changes of {made.title}")
    _add(channel, "generator", f"Lookout {made.version}")
    _add(channel, "atom:link", rel="self", type="application/rss+xml", href=f"{made.page}feed.rss")
    if made.updated:
        _add(channel, "lastBuildDate", _rfc822(made.updated))
    for one in made.entries:
        item = _add(channel, "item")
        _add(item, "title", one.title)
        _add(item, "link", one.url)
        _add(item, "guid", one.id, isPermaLink="false")
        _add(item, "pubDate", _rfc822(one.updated))
        for term in one.categories:
            _add(item, "category", term)
        # A reader takes the description for HTML: it is escaped once for that, and once more by the XML.
        _add(item, "description", _escaped(one.summary))
    return _written(root)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def json_feed(snapshot: Snapshot) -> bytes:
    """JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/) of the whole site."""
    made = feed(snapshot)
    items: Sequence[dict[str, object]] = [
        {
            "id": one.id,
            "url": one.url,
            "title": one.title,
            "content_text": one.summary,
            "date_published": rfc3339(one.published),
            "date_modified": rfc3339(one.updated),
            "tags": list(one.categories),
        }
        for one in made.entries
    ]
    whole = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": made.title,
        "home_page_url": made.page,
        "feed_url": f"{made.page}feed.json",
        "authors": [{"name": made.author}],
        "items": items,
    }
    return json.dumps(whole, separators=(",", ":")).encode() + b"\n"
