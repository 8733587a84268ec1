"""Incidents in public: warnings apart from outages, people's lines, and what is for nobody to see."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from lookout.config.model import Server
from lookout.history.calendar import local_days
from lookout.history.windows import Rolled
from lookout.status import feed, incidents
from lookout.status.pages import OPEN_WARNINGS, render_site
from lookout.status.router import respond
from lookout.status.view import ServerView, Snapshot
from lookout.store.snapshot import Past, view
from lookout.verdict.case import Entry, Incident
from lookout.verdict.state import Failure

from tests.unit.status import sample

HOSTILE = "<script>alert(1)</script>`](https://evil.example) \u202egnp\n# heading | [x](y) &amp; {{7*7}}"
ATOM = "{http://www.w3.org/2005/Atom}"


def pages(snapshot: Snapshot) -> dict[str, str]:
    return {page.path: page.body.decode() for page in render_site(snapshot, sample.NOW)}


def api(snapshot: Snapshot, path: str) -> Any:
    return json.loads(respond(snapshot, "GET", path, {}, {}, sample.NOW).body)


def words(html: str) -> str:
    spaced = re.sub(r"</?(?:p|div|b|dt|dd|li|h[1-3])\b[^>]*>", " ", html)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", spaced))


def outage() -> Incident:
    return sample.warned().servers[1].incidents[0]


def showing(*found: Incident) -> Snapshot:
    """Acme Files, with these incidents."""
    full = sample.snapshot()
    return replace(full, servers=(replace(full.servers[1], incidents=found),))


# --- outages and warnings ------------------------------------------------------------------------------------------


def test_warnings_are_apart_from_outages_on_the_front_page() -> None:
    text = words(pages(sample.warned())["index.html"])
    opened, rest = text.split("Open incidents")[1].split(" Warnings ")
    warned, rest = rest.split(" Servers ", 1)
    past = rest.split("Past incidents")[1]
    assert opened.count("Open") == 1
    assert "Acme Files: down since 22 Aug 2026, 14:10 UTC Open 24 m 07 s so far Acknowledged" in opened
    assert "Goes up and down" in opened
    for said in (
        "Acme Billing: Slow to answer",
        "Weather: Cannot be checked: it limits our requests",
        "Partner CRM: Certificate ends soon",
        "Acme Search: Certificate ends soon",
    ):
        assert said in warned
    assert "Slow" not in past
    assert "Fails from some regions" not in past
    assert past.count("Recovered") == 2


def test_a_long_list_of_warnings_is_cut() -> None:
    full = sample.warned()
    search = full.servers[0]
    many = tuple(
        replace(search, slug=f"s{i:02d}", incidents=(replace(search.incidents[0], id=f"inc_{i:026d}"),))
        for i in range(OPEN_WARNINGS + 2)
    )
    text = words(pages(replace(full, servers=many))["index.html"])
    assert text.count("Certificate ends soon") == OPEN_WARNINGS
    assert "And 2 more, on their servers' pages." in text


def test_the_banner_counts_no_warnings() -> None:
    full = sample.calm()
    search = replace(full.servers[0], incidents=(sample.warned().servers[0].incidents[0],))
    text = words(pages(replace(full, servers=(search, *full.servers[1:])))["index.html"])
    assert "All systems operational" in text
    assert "Acme Search: Certificate ends soon" in text


def test_a_servers_page_and_its_markdown_list_both() -> None:
    found = pages(sample.warned())
    text = words(found["status/partner-crm/index.html"])
    assert "Incidents None in the records." in text
    assert "Warnings Certificate ends soon Open" in text
    assert "What it offers changed Accepted" in text
    lines = found["status/acme-files.md"].splitlines()
    assert any(
        line.startswith("- [\\[Open\\] Acme Files down](https://status.acme.dev/incidents/inc_") for line in lines
    )
    assert "  - 2026-08-22T14:18:31Z acknowledged: `Looking at the release of this afternoon.`" in lines
    assert "## Warnings" not in lines
    assert "## Warnings" in found["status/acme-search.md"]
    assert "certificate ends soon](https://status.acme.dev/incidents/inc_" in found["status/acme-search.md"]


def test_an_incident_of_a_kind_this_version_does_not_know_is_a_warning() -> None:
    odd = replace(outage(), kind="quantum_flux", timeline=(), evidence=None)
    found = pages(showing(odd))
    assert "Acme Files: Quantum flux" in words(found["index.html"])
    assert "Not counted as time down." in words(found[f"incidents/{odd.id}/index.html"])
    assert feed.headline(odd) == "[Open] Acme Files: quantum flux"


# --- an incident's own page ----------------------------------------------------------------------------------------


def test_an_incidents_page_tells_its_story_newest_first() -> None:
    text = words(pages(sample.warned())[f"incidents/{outage().id}/index.html"])
    story = [
        "Acme Files: down, still open",
        "Acknowledged Goes up and down",
        "Timeline",
        "Note Rolled back. Two of three pools answer again",
        "Changed down: http_5xx in Oregon, Dublin, Singapore",
        "Acknowledged Looking at the release of this afternoon.",
        "Goes up and down down: http_5xx",
        "Confirmed down: connection_refused in Oregon, Dublin",
        "First failing round 22 Aug 2026, 14:10 UTC",
        "First failure tcp, connection_refused: Connection refused",
        "Counts as an outage",
    ]
    places = [text.index(one) for one in story[2:]]
    assert places == sorted(places)
    assert all(one in text for one in story)


def test_a_note_after_the_end_is_on_the_page() -> None:
    past = sample.warned().servers[1].incidents[1]
    text = words(pages(sample.warned())[f"incidents/{past.id}/index.html"])
    assert "Acme Files: down for 4 h 00 m" in text
    assert text.index("Note A full disk.") < text.index("Recovered The first good round") < text.index("Confirmed")


@pytest.mark.parametrize(
    ("resolution", "said", "icon"),
    [
        ("recovered", "Recovered", "ok"),
        ("renewed", "Renewed", "ok"),
        ("reverted", "Changed back", "ok"),
        ("accepted", "Accepted", "ok"),
        ("settled", "Settled", "ok"),
        ("removed", "Removed", "idle"),
        ("paused", "Paused", "idle"),
        ("of_a_later_version", "Of_a_later_version", "ok"),
    ],
)
def test_every_end_has_a_word(resolution: str, said: str, icon: str) -> None:
    over = replace(outage(), resolved_at=sample.NOW, resolution=resolution)
    line = incidents.lines(over)[0]
    assert (line.what, line.title, line.tone) == ("resolved", said, icon)
    assert incidents.end(over) == said
    assert incidents.tone(over) == icon


def test_an_incident_of_an_older_version_has_a_timeline_too() -> None:
    past = sample.snapshot().servers[1].incidents[1]
    assert past.timeline == ()
    assert [(line.what, line.at) for line in incidents.lines(past)] == [
        ("resolved", past.resolved_at),
        ("opened", past.opened_at),
        ("began", past.started_at),
    ]
    assert incidents.lines(past)[1].text == "Failing from Oregon and Dublin (2 of 3 regions)."


def test_an_acknowledgement_without_words_and_an_entry_of_a_later_version() -> None:
    one = outage().noting(sample.NOW, "acknowledged").noting(sample.NOW, "escalated", "to us-west-2")
    newest, before = incidents.lines(one)[:2]
    assert (newest.title, newest.text) == ("Escalated", "to Oregon")
    assert before.text == "Somebody has taken it in hand."


def test_a_line_rewrites_the_incidents_page_and_its_servers() -> None:
    before = {page.path: page.signature for page in render_site(sample.warned(), sample.NOW)}
    full = sample.warned()
    files = full.servers[1]
    noted = files.incidents[1].noting(sample.NOW, "note", "It was the disk.")
    files = replace(files, incidents=(files.incidents[0], noted))
    after = render_site(replace(full, servers=(full.servers[0], files, *full.servers[2:])), sample.NOW)
    moved = {page.path for page in after if page.signature != before[page.path] and page.owner is not None}
    assert moved == {
        f"incidents/{noted.id}/index.html",
        "status/acme-files/index.html",
        "status/acme-files.md",
        "status/acme-files/feed.atom",
    }


# --- the API -------------------------------------------------------------------------------------------------------


def test_the_api_has_kinds_timelines_and_warnings() -> None:
    full = sample.warned()
    found = api(full, "/api/v1/incidents")["incidents"]
    assert {one["kind"] for one in found} == {"availability", *incidents.KINDS}
    assert [one["resolved_at"] for one in found] == sorted(
        (o["resolved_at"] for o in found), key=lambda at: at is not None
    )
    (mine,) = [one for one in found if one["id"] == outage().id]
    assert mine["acknowledged_at"] == "2026-08-22T14:18:31Z"
    assert mine["updated_at"] == "2026-08-22T14:30:50Z"
    assert mine["flapping"] is True
    assert mine["first_failure"]["reason"] == "connection_refused"
    assert [line["what"] for line in mine["timeline"]] == [
        "began", "opened", "flapping", "acknowledged", "updated", "note",
    ]  # fmt: skip
    status = api(full, "/api/v1/status")
    assert [one["kind"] for one in status["open_incidents"]] == ["availability"]
    assert {one["kind"] for one in status["open_warnings"]} == {"latency", "limited", "certificate"}
    billing = api(full, "/api/v1/servers/acme-billing")
    assert billing["incidents"] == []
    assert [one["kind"] for one in billing["warnings"]] == ["latency", "regional"]


def test_statuspage_lists_outages_with_their_updates() -> None:
    data = api(sample.warned(), "/api/v2/summary.json")
    schema = json.loads((Path(__file__).parent / "statuspage-summary.schema.json").read_text())
    jsonschema.validate(data, schema)
    (one,) = data["incidents"]
    assert one["id"] == outage().id
    assert [update["body"].split(":")[0] for update in one["incident_updates"]] == [
        "Note", "Changed", "Acknowledged", "Goes up and down", "Confirmed",
    ]  # fmt: skip
    assert one["updated_at"] == one["incident_updates"][0]["created_at"] == "2026-08-22T14:30:50.000Z"
    assert len({update["id"] for update in one["incident_updates"]}) == 5


# --- feeds ---------------------------------------------------------------------------------------------------------


def test_a_category_says_the_kind_and_updated_moves_with_every_line_while_the_id_stays() -> None:
    full = sample.warned()
    entries = ET.fromstring(feed.atom(full)).findall(f"{ATOM}entry")
    kinds = [entry.findall(f"{ATOM}category")[0].get("term") for entry in entries]
    assert set(kinds) == {"availability", *incidents.KINDS}
    titles = [entry.findtext(f"{ATOM}title") for entry in entries]
    assert "[Open] Acme Search: certificate ends soon" in titles
    assert "[Resolved] Acme Billing: fails from some regions 21 m" in titles

    def entry_of(one: Incident) -> feed.Entry:
        return feed.feed(showing(one)).entries[0]

    one = replace(outage(), timeline=())
    steps = [one]
    for at, what in ((60, "updated"), (120, "acknowledged"), (180, "note")):
        steps.append(steps[-1].noting(one.opened_at + at, what, "words"))
    steps.append(
        replace(steps[-1], resolved_at=one.opened_at + 150).noting(one.opened_at + 270, "resolved", "recovered")
    )
    made = [entry_of(step) for step in steps]
    assert len({entry.id for entry in made}) == 1
    assert [entry.updated - one.opened_at for entry in made] == [0, 60, 120, 180, 270]
    assert "Note 2026-08-22T14:15:00Z: words" in made[-1].summary


def test_rss_and_json_feed_say_what_atom_says() -> None:
    full = sample.warned()
    made = feed.feed(full)
    items = ET.fromstring(feed.rss(full)).findall("channel/item")
    assert [item.findtext("guid") for item in items] == [entry.id for entry in made.entries]
    assert [parsedate_to_datetime(item.findtext("pubDate") or "").timestamp() for item in items] == [
        entry.updated for entry in made.entries
    ]
    assert [[c.text for c in item.findall("category")] for item in items] == [list(e.categories) for e in made.entries]
    data = json.loads(feed.json_feed(full))
    assert data["version"] == "https://jsonfeed.org/version/1.1"
    assert data["feed_url"] == "https://status.acme.dev/feed.json"
    assert [(i["id"], i["title"], i["content_text"]) for i in data["items"]] == [
        (e.id, e.title, e.summary) for e in made.entries
    ]
    empty = replace(full, servers=())
    assert ET.fromstring(feed.rss(empty)).findall("channel/item") == []
    assert json.loads(feed.json_feed(empty))["items"] == []


def test_rss_descriptions_are_html_that_says_the_text() -> None:
    item = ET.fromstring(feed.rss(showing(outage().noting(sample.NOW, "note", "a <b> & c")))).find("channel/item")
    assert item is not None
    assert "a &lt;b&gt; &amp; c" in (item.findtext("description") or "")


# --- what must not be seen -----------------------------------------------------------------------------------------

PRIVATE, NAME, PUBLIC = "canary-private", "canary-name", "canary-public"
SINK = "pager-of-the-board"
ADDRESS, SCOPE = "canary-surface", "canary-scope"


def viewed(server: Server, *found: Incident) -> ServerView:
    state = sample.snapshot().servers[1].state
    return view(server, state, Past(Rolled.of(local_days(sample.NOW, 90, UTC), [])), {}, tuple(found), sample.NOW)


def everything(snapshot: Snapshot) -> str:
    """Every public byte, and the document the API reads."""
    paths = (
        "/api/v1/status", "/api/v1/servers", "/api/v1/servers/acme-files", "/api/v1/incidents", "/api/v2/summary.json",
        "/api/embed-status/acme-files", "/badge/acme-files.svg", "/metrics",
    )  # fmt: skip
    answers = [respond(snapshot, "GET", path, {}, {}, sample.NOW) for path in paths]
    assert {answer.status for answer in answers} == {200}
    bodies = [*(answer.body for answer in answers), *(page.body for page in render_site(snapshot, sample.NOW))]
    return b"\n".join(bodies).decode() + json.dumps(snapshot.to_json())


def test_private_notes_names_and_private_incidents_are_in_no_public_byte() -> None:
    server = Server("acme-files", "https://acme-files.acme.dev/mcp", name="Acme Files")
    one = replace(outage(), surface=ADDRESS, held=SCOPE, timeline=())
    one = replace(one, sinks=(SINK,), reminded={SINK: 1}, escalated=(SINK,))
    one = one.noting(sample.NOW, "acknowledged", f"{PRIVATE} ack", by=NAME, public=False)
    one = one.noting(sample.NOW, "note", f"{PRIVATE} note", by=NAME, public=False)
    one = one.noting(sample.NOW, "note", PUBLIC, by=NAME)
    hidden = replace(one, id="inc_hidden", public=False, kind="latency")
    full = sample.snapshot()
    text = everything(replace(full, servers=(viewed(server, one, hidden),)))
    assert PUBLIC in text
    assert one.id in text
    for canary in (PRIVATE, NAME, ADDRESS, SCOPE, SINK, hidden.id):
        assert canary not in text
    assert '"acknowledged_at":"2026-08-22T14:34:07Z"' in text


def test_what_a_credential_was_needed_to_see_is_in_no_timeline() -> None:
    server = Server("acme-files", "https://acme-files.acme.dev/mcp", auth={"bearer": "secret:x"})
    drift = replace(outage(), kind="drift", timeline=(Entry(sample.NOW, "opened", f"breaking change of {PRIVATE}"),))
    drift = drift.noting(sample.NOW, "note", PUBLIC, by=NAME)
    text = everything(replace(sample.snapshot(), servers=(viewed(server, drift),)))
    assert PRIVATE not in text
    assert PUBLIC in text
    bare = replace(server, auth={})
    assert PRIVATE in everything(replace(sample.snapshot(), servers=(viewed(bare, drift),)))


def test_notes_and_a_servers_words_stay_text_in_every_form() -> None:
    failure = Failure("http", "http_5xx", HOSTILE, 502)
    one = replace(outage(), title=HOSTILE, failure=failure, evidence=replace(failure, message=f"first {HOSTILE}"))
    one = one.noting(sample.NOW, "note", HOSTILE).noting(sample.NOW, "acknowledged", HOSTILE)
    warning = replace(one, id="inc_2", kind="latency")
    odd = replace(one, id="inc_3", kind=HOSTILE, resolved_at=sample.NOW, resolution=HOSTILE)
    found = pages(showing(one, warning, odd))
    for path, body in found.items():
        assert "\u202e" not in body, path
        if path.endswith(".html"):
            assert "<script>alert" not in body, path
            assert "&lt;script&gt;alert(1)" in body or "incidents/" not in path, path
        if path.endswith(".md"):
            assert not re.search(r"^# heading", body, re.MULTILINE)
            assert "<script>" not in re.sub(r"(?<!\\)`[^`]*`", "", body)
        if path.endswith((".atom", ".rss")):
            assert "<script>alert(1)" in "".join(ET.fromstring(body).itertext())
    json.loads(found["feed.json"])
