from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest
from lookout.config.model import Server
from lookout.history.calendar import local_days
from lookout.history.windows import Rolled
from lookout.status import api_json, changes, feed, markdown
from lookout.status.pages import render_site
from lookout.status.view import ServerView, Snapshot
from lookout.store.snapshot import Past
from lookout.store.snapshot import view as made_view
from lookout.verdict.case import SurfaceChange
from lookout.verdict.state import ServerState

from tests.unit.status import sample

A = "{http://www.w3.org/2005/Atom}"
DAYS = local_days(sample.NOW, 90, UTC)
HOSTILE = "<img src=x onerror=alert(1)>\u202e\x1b[31m`# x`\n{{ 7*7 }}]]>"
DRIFT: dict[str, Any] = {
    "class": "breaking",
    "added": [f"tool-{n}" for n in range(13)],
    "removed": ["delete_all"],
    "changed": [
        {
            "tool": "search",
            "changes": [
                {"path": "/inputSchema/required", "kind": "required_added", "class": "breaking", "detail": "q"},
                {"path": "/description", "kind": "description_changed", "class": "risky"},
            ],
        }
    ],
    "old_hash": "sha256:" + "a" * 64,
    "new_hash": "sha256:" + "b" * 64,
    "unstable": False,
    "regions": ["us-west-2", "eu-west-1"],
}
CHANGE = SurfaceChange("chg_01J5XQ8Y0V3M4N5P6Q7R8S9T0A", "acme-search", sample.MINUTE - 600, True, "Acme Search", DRIFT)


def with_changes(*found: SurfaceChange) -> tuple[Snapshot, ServerView]:
    snap = sample.snapshot()
    view = replace(snap.servers[0], changes=found)
    return replace(snap, servers=(view, *snap.servers[1:])), view


def page(snap: Snapshot) -> str:
    found = {p.path: p.body.decode() for p in render_site(snap, sample.NOW)}
    return " ".join(found["status/acme-search/index.html"].split())


def test_the_servers_page_shows_what_was_removed_changed_and_added() -> None:
    text = page(with_changes(CHANGE)[0])
    assert "What it offers, changed" in text
    assert "Breaking change" in text
    assert "Seen from Oregon, Dublin" in text
    assert "<bdi>delete_all</bdi>" in text
    assert "<bdi>search (required added, description changed)</bdi>" in text
    assert "<bdi>tool-9</bdi></code>, +3 more" in text
    assert f'id="{CHANGE.id}"' in text
    assert "What it offers, changed" not in page(with_changes()[0])


def test_a_new_change_rewrites_the_page_at_once() -> None:
    def signature(snap: Snapshot) -> str:
        (found,) = [p for p in render_site(snap, sample.NOW) if p.path == "status/acme-search/index.html"]
        return found.signature

    assert signature(with_changes(CHANGE)[0]) != signature(with_changes()[0])


def test_the_feed_has_an_entry_of_category_drift() -> None:
    snap, view = with_changes(CHANGE)
    for data in (feed.atom(snap), feed.atom(snap, view)):
        entries = ET.fromstring(data).findall(A + "entry")
        (entry,) = [e for e in entries if {c.get("term") for c in e.findall(A + "category")} == {"drift", "breaking"}]
        assert entry.findtext(A + "id") == f"tag:status.acme.dev,2026-08-22:surface/{CHANGE.id}"
        assert entry.findtext(A + "title") == "Breaking change of what Acme Search offers"
        said = entry.findtext(A + "summary") or ""
        assert said.startswith(
            "Removed: delete_all; Changed: search (required added, description changed); Added: tool-0"
        )
        assert said.endswith("and 3 more. Seen from Oregon and Dublin.")
        link = entry.find(A + "link")
        assert link is not None
        assert link.get("href") == f"https://status.acme.dev/status/acme-search/#{CHANGE.id}"
    order = [e.findtext(A + "published") or "" for e in ET.fromstring(feed.atom(snap, view)).findall(A + "entry")]
    assert order == sorted(order, reverse=True)


def test_the_api_tells_it_and_whether_there_was_drift_today() -> None:
    snap, view = with_changes(CHANGE)
    (told,) = api_json.server(snap, view, sample.NOW)["surface_changes"]
    assert (told["class"], told["at"], told["unstable"]) == ("breaking", "2026-08-22T14:24:00Z", False)
    assert api_json.embed(snap, view)["schema_drift_in_last_24h"] is True
    old = replace(CHANGE, at=sample.NOW - 90_000)
    assert api_json.embed(*with_changes(old))["schema_drift_in_last_24h"] is False


def test_what_was_seen_while_it_was_private_stays_so() -> None:
    snap, view = with_changes(replace(CHANGE, public=False))
    for text in (page(snap), feed.atom(snap).decode(), markdown.server(snap, view, sample.NOW).decode()):
        assert "delete_all" not in text


def test_of_a_server_behind_a_credential_only_counts_are_published() -> None:
    state = ServerState("acme-search")

    def published(**more: Any) -> ServerView:
        server = Server("acme-search", "https://a.example/mcp", "Acme Search", **more)
        return made_view(server, state, Past(Rolled.of(DAYS, ())), {}, (), sample.NOW, (CHANGE,))

    assert published().changes == (CHANGE,)
    hidden = published(auth={"bearer": "secret:x"})
    assert "delete_all" not in json.dumps(hidden.changes[0].to_json())
    assert "search" not in json.dumps(hidden.changes[0].drift)
    assert changes.in_words(hidden.changes[0]) == "Removed: 1; Changed: 1; Added: 13. Seen from Oregon and Dublin."
    text = page(replace(sample.snapshot(), servers=(hidden,)))
    assert "Removed: 1" in " ".join(text.split())
    snapshot = replace(sample.snapshot(), servers=(hidden,))
    assert Snapshot.from_json(json.loads(json.dumps(snapshot.to_json()))) == snapshot


def test_a_snapshot_written_before_there_were_changes_is_readable() -> None:
    data = sample.snapshot().to_json()
    for one in data["servers"]:
        del one["changes"]
    assert Snapshot.from_json(json.loads(json.dumps(data))) == sample.snapshot()


@pytest.mark.parametrize(
    ("drift", "headline", "words"),
    [
        ({"class": "unknown"}, "Change of unknown effect of what Acme Search offers", "What changed cannot be told."),
        ({"class": "risky", "unstable": True}, "Acme Search alternates between two surfaces", "What changed cannot be"),
        ({"class": "of another kind"}, "Change of unknown effect of what Acme", "What changed cannot be told."),
        ({"class": "additive", "added": ["x"], "more": 2}, "Addition of what", "Added: x; and 2 changes more."),
    ],
)
def test_words(drift: dict[str, Any], headline: str, words: str) -> None:
    bare = {"added": [], "removed": [], "changed": [], **drift}
    change = replace(CHANGE, drift=bare)
    assert changes.headline(change).startswith(headline)
    assert changes.in_words(change).startswith(words)
    assert page(with_changes(change)[0])


def test_nothing_a_server_says_is_markup_anywhere() -> None:
    drift = {
        **DRIFT,
        "added": [HOSTILE] * 40,
        "removed": [HOSTILE],
        "changed": [{**DRIFT["changed"][0], "tool": HOSTILE}],
    }
    snap, view = with_changes(replace(CHANGE, title=HOSTILE, drift=drift))
    html = page(snap)
    assert "<img" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    xml = feed.atom(snap, view)
    assert ET.fromstring(xml)
    text = markdown.server(snap, view, sample.NOW).decode()
    (line,) = [line for line in text.splitlines() if "onerror" in line]
    assert line.count("`") == 2
    for body in (html, xml.decode(), text):
        assert "\u202e" not in body
        assert "\x1b" not in body
