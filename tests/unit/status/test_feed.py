from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

from lookout.status import feed, incidents
from lookout.verdict.state import Failure

from tests.unit.status import sample

A = "{http://www.w3.org/2005/Atom}"


def text(element: ET.Element, name: str) -> str:
    found = element.findtext(A + name)
    assert found
    return found


def test_one_entry_per_incident_newest_first() -> None:
    root = ET.fromstring(feed.atom(sample.snapshot()))
    assert root.tag == A + "feed"
    assert text(root, "id") == "tag:status.acme.dev,2026:feed"
    assert text(root, "updated") == "2026-08-22T14:12:00Z"
    entries = root.findall(A + "entry")
    assert [text(e, "title") for e in entries] == [
        "[Open] Acme Files down",
        "[Resolved] Acme Files down 4 h 00 m",
        "[Resolved] Acme Search down 14 m 02 s",
    ]
    assert [c.get("term") for c in entries[1].findall(A + "category")] == ["availability", "resolved"]
    assert "Failing from Oregon and Dublin (2 of 3 regions)." in text(entries[1], "summary")
    links = {link.get("rel"): link.get("href") for link in root.findall(A + "link")}
    assert links == {"self": "https://status.acme.dev/feed.atom", "alternate": "https://status.acme.dev/"}


def test_an_entrys_id_outlives_its_resolution_and_updated_moves() -> None:
    snap = sample.snapshot()
    files = snap.servers[1]
    closed = replace(
        files.incidents[0],
        resolved_at=sample.NOW,
        resolution="recovered",
        title="Renamed",
        status="credential_rejected",
    )
    after = replace(
        snap, servers=(snap.servers[0], replace(files, incidents=(closed, *files.incidents[1:])), *snap.servers[2:])
    )
    old, new = (ET.fromstring(feed.atom(s)).find(A + "entry") for s in (snap, after))
    assert old is not None
    assert new is not None
    assert text(old, "id") == text(new, "id") == f"tag:status.acme.dev,2026-08-22:incident/{closed.id}"
    assert text(new, "updated") == "2026-08-22T14:34:07Z" > text(old, "updated")


def test_a_servers_own_feed_holds_only_its_own() -> None:
    root = ET.fromstring(feed.atom(sample.snapshot(), sample.snapshot().servers[0]))
    assert [text(e, "title") for e in root.findall(A + "entry")] == ["[Resolved] Acme Search down 14 m 02 s"]
    assert ET.fromstring(feed.atom(sample.snapshot(), sample.snapshot().servers[2])).findall(A + "entry") == []


def test_hostile_text_is_still_xml() -> None:
    snap = sample.snapshot()
    bad = "</title><script>\x00\x0b\ud800\ufffe]]>&"
    servers = tuple(
        replace(v, incidents=tuple(replace(i, title=bad, failure=Failure(None, None, bad)) for i in v.incidents))
        for v in snap.servers
    )
    root = ET.fromstring(feed.atom(replace(snap, site_name=bad, servers=servers)))
    assert "</title><script>" in text(root.findall(A + "entry")[0], "title")


def test_at_most_fifty_entries() -> None:
    snap = sample.snapshot()
    first = snap.servers[0]
    many = tuple(sample.incident(first.slug, "x", sample.MINUTE - i * 3600, 60) for i in range(70))
    root = ET.fromstring(feed.atom(replace(snap, servers=(replace(first, incidents=many),))))
    assert len(root.findall(A + "entry")) == feed.CAP == 50


def test_cause() -> None:
    assert incidents.cause(Failure()) == ""
    assert incidents.cause(Failure("dns", "name_not_found")) == "dns, name_not_found"
    assert incidents.cause(Failure("http", "http_4xx", "Gone", 410)) == "http, http_4xx: HTTP 410. Gone"
    assert incidents.cause(Failure(None, None, "", 500)) == "HTTP 500"
