"""Atom feeds (RFC 4287): one entry per incident whose id never changes and whose `updated` moves with it, and one per
surface change. Pure.

The id is a tag URI (RFC 4151) of the site's host and the day the incident began.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Final
from urllib.parse import quote, urlsplit

from lookout.probe.result import Status
from lookout.regions import city
from lookout.status import changes
from lookout.status.summary import WORDS, all_incidents
from lookout.status.text import clean, duration, listed, rfc3339
from lookout.status.view import ServerView, Snapshot
from lookout.verdict.state import Failure, Incident, SurfaceChange

CONTENT_TYPE: Final = "application/atom+xml; charset=utf-8"
CAP: Final = 50
_NS: Final = "http://www.w3.org/2005/Atom"


def incident_url(snapshot: Snapshot, incident: Incident) -> str:
    """Its page, absolute."""
    return f"{snapshot.site_url}/incidents/{quote(incident.id, safe='')}/"


def server_url(snapshot: Snapshot, view: ServerView) -> str:
    """A server's page, absolute."""
    return f"{snapshot.site_url}/status/{quote(view.slug, safe='')}/"


def cause(failure: Failure) -> str:
    """`http, http_5xx: HTTP 502 from origin`, as far as known; empty where nothing is."""
    head = ", ".join(part for part in (failure.layer, failure.reason) if part)
    message = clean(failure.message)
    if failure.http_status and str(failure.http_status) not in message:
        message = f"HTTP {failure.http_status}. {message}" if message else f"HTTP {failure.http_status}"
    return f"{head}: {message}" if head and message else head or message


def headline(incident: Incident) -> str:
    """`[Resolved] Acme Search down 14 m`; `[Open] Acme Search down`."""
    status = WORDS[Status(incident.status)].lower() if incident.status in set(Status) else incident.status
    title = clean(incident.title, 120)
    if incident.resolved_at is None:
        return f"[Open] {title} {status}"
    return f"[Resolved] {title} {status} {duration(incident.resolved_at - incident.started_at)}"


def _add(parent: ET.Element, name: str, text: str | None = None, **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, name, attributes)
    element.text = text
    return element


def _entry(feed: ET.Element, snapshot: Snapshot, host: str, incident: Incident) -> None:
    entry = _add(feed, "entry")
    _add(entry, "id", f"tag:{host},{rfc3339(incident.started_at)[:10]}:incident/{incident.id}")
    _add(entry, "title", headline(incident))
    _add(entry, "published", rfc3339(incident.opened_at))
    _add(entry, "updated", rfc3339(incident.resolved_at or incident.opened_at))
    _add(entry, "link", rel="alternate", type="text/html", href=incident_url(snapshot, incident))
    _add(entry, "category", term=incident.kind)
    _add(entry, "category", term="open" if incident.resolved_at is None else "resolved")
    where = listed(city(r) for r in incident.regions)
    lines = [f"Began {rfc3339(incident.started_at)}."]
    if where:
        lines.append(f"Failing from {where} ({len(incident.regions)} of {incident.regions_total} regions).")
    if cause(incident.failure):
        lines.append(f"Cause: {cause(incident.failure)}.")
    if incident.resolved_at is not None:
        lines.append(f"{(incident.resolution or 'resolved').capitalize()} {rfc3339(incident.resolved_at)}.")
    _add(entry, "summary", " ".join(lines), type="text")


def _change_entry(feed: ET.Element, snapshot: Snapshot, host: str, view: ServerView, change: SurfaceChange) -> None:
    entry = _add(feed, "entry")
    _add(entry, "id", f"tag:{host},{rfc3339(change.at)[:10]}:surface/{change.id}")
    _add(entry, "title", changes.headline(change))
    _add(entry, "published", rfc3339(change.at))
    _add(entry, "updated", rfc3339(change.at))
    href = f"{server_url(snapshot, view)}#{quote(change.id, safe='')}"
    _add(entry, "link", rel="alternate", type="text/html", href=href)
    _add(entry, "category", term="drift")
    _add(entry, "category", term=changes.class_of(change).value)
    _add(entry, "summary", changes.in_words(change), type="text")


def atom(snapshot: Snapshot, view: ServerView | None = None) -> bytes:
    """The feed of the whole site, or of one server; at most 50 entries, newest first."""
    host = urlsplit(snapshot.site_url).hostname or "localhost"
    found = [i for owner, i in all_incidents(snapshot) if view is None or owner.slug == view.slug]
    drifts = [pair for pair in changes.all_changes(snapshot) if view is None or pair[0].slug == view.slug]
    entries: list[tuple[int, Incident | tuple[ServerView, SurfaceChange]]] = [(i.started_at, i) for i in found]
    entries += [(change.at, (owner, change)) for owner, change in drifts]
    entries.sort(key=lambda entry: -entry[0])
    entries = entries[:CAP]
    root = ET.Element("feed", xmlns=_NS)
    name = clean(snapshot.site_name, 120)
    page = f"{snapshot.site_url}/" if view is None else server_url(snapshot, view)
    path = "" if view is None else f"/status/{view.slug}"
    _add(root, "id", f"tag:{host},2026:feed{path}")
    _add(root, "title", name if view is None else f"{clean(view.title, 120)} · {name}")
    moments = [(e.resolved_at or e.opened_at) if isinstance(e, Incident) else at for at, e in entries]
    newest = max(moments, default=None)
    _add(root, "updated", rfc3339(newest) if newest is not None else "2026-01-01T00:00:00Z")
    _add(root, "link", rel="self", type="application/atom+xml", href=f"{page}feed.atom")
    _add(root, "link", rel="alternate", type="text/html", href=page)
    _add(_add(root, "author"), "name", name)
    _add(root, "generator", "Lookout", version=snapshot.version)
    for _, entry in entries:
        if isinstance(entry, Incident):
            _entry(root, snapshot, host, entry)
        else:
            _change_entry(root, snapshot, host, *entry)
    ET.indent(root)
    body: bytes = ET.tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + body + b"\n"
