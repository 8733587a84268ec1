"""What the public learns of maintenance, and what it must not."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from lookout.config.model import Server
from lookout.config.window import Window
from lookout.history.calendar import LocalDay
from lookout.history.windows import Outage, Rolled, Windows
from lookout.status import api_json, feed, maintenance, markdown
from lookout.status.pages import render_site
from lookout.status.router import respond
from lookout.status.view import Planned, Snapshot

from tests.unit.status import sample
from tests.unit.status.sample import MINUTE, NOW

SCHEMA = json.loads((Path(__file__).parent / "statuspage-summary.schema.json").read_text(encoding="utf-8"))
DAY = 86400
SEARCH = Server("search", "https://a.example/mcp", tags=("prod",))
FILES = Server("files", "https://b.example/mcp", tags=("prod", "eu"))
PUBLIC = (FILES, SEARCH)


def planned(*windows: Window) -> list[tuple[int, int, tuple[str, ...], bool]]:
    found = maintenance.planned(windows, PUBLIC, MINUTE)
    return [(one.begin - MINUTE, one.end - MINUTE, one.servers, one.everybody) for one in found]


def once(begin: int, end: int, **more: Any) -> Window:
    return Window(f"mnt_{begin}", begin=MINUTE + begin, end=MINUTE + end, **more)


def test_a_week_back_and_a_week_ahead_is_shown() -> None:
    windows = [once(at, at + 60) for at in (-8 * DAY, -6 * DAY, 0, 6 * DAY, 8 * DAY)]
    assert [begin for begin, _, _, _ in planned(*windows)] == [-6 * DAY, 0, 6 * DAY]


def test_what_is_private_is_not_there() -> None:
    assert planned(once(0, 60, servers=("hidden",)), once(0, 60, tags=("secret",))) == []
    assert planned(once(0, 60, servers=("hidden", "search"))) == [(0, 60, ("search",), False)]
    assert planned(once(0, 60)) == [(0, 60, ("files", "search"), True)]
    assert maintenance.planned([once(0, 60)], (), MINUTE) == ()


def test_its_id_says_nothing_of_private_servers_and_outlives_a_change_of_end() -> None:
    with_hidden, without = (
        maintenance.planned([once(0, end, servers=servers)], PUBLIC, MINUTE)[0].id
        for servers, end in ((("hidden", "search"), 60), (("search",), 120))
    )
    assert with_hidden == without


def test_two_windows_of_the_same_servers_that_begin_together_are_one() -> None:
    assert planned(once(0, 60, tags=("prod",)), once(0, 120, servers=("files", "search")), once(0, 90)) == [
        (0, 120, ("files", "search"), False),
        (0, 90, ("files", "search"), True),
    ]
    overlapping = (once(0, 120, tags=("prod",)), once(0, 60, servers=("files", "search")))
    assert planned(*overlapping) == planned(*reversed(overlapping)) == [(0, 120, ("files", "search"), False)]


def test_there_is_an_end_to_how_many_are_shown() -> None:
    hourly = [
        Window(f"mnt_{m}", tags=("eu",), rrule=f"FREQ=HOURLY;BYMINUTE={m}", duration_s=60, made_at=MINUTE - 3 * DAY)
        for m in (0, 20, 40)
    ]
    found = maintenance.planned(hourly, PUBLIC, MINUTE)
    assert sum(one.end <= MINUTE for one in found) == 50
    assert sum(one.end > MINUTE for one in found) == 200
    assert list(found) == sorted(found, key=lambda one: one.begin)


def test_it_is_announced_a_week_before_or_when_it_was_made() -> None:
    (one,) = maintenance.planned([once(DAY, DAY + 60)], PUBLIC, MINUTE)
    assert one.announced == MINUTE - 6 * DAY
    (one,) = maintenance.planned([once(DAY, DAY + 60, made_at=MINUTE - 60)], PUBLIC, MINUTE)
    assert one.announced == MINUTE - 60


def test_a_snapshot_with_maintenance_survives_json() -> None:
    snap = sample.maintained()
    assert Snapshot.from_json(json.loads(json.dumps(snap.to_json()))).maintenance == snap.maintenance
    data = {key: value for key, value in sample.snapshot().to_json().items() if key != "maintenance"}
    assert Snapshot.from_json(data).maintenance == ()


@pytest.mark.parametrize(
    ("servers", "words"),
    [
        (1, "Acme Search"),
        (2, "Acme Search and Acme Files"),
        (3, "Acme Search, Acme Files and Acme Billing"),
        (5, "Acme Search, Acme Files, Acme Billing and 2 more"),
    ],
)
def test_whom_it_is_of_in_words(servers: int, words: str) -> None:
    snap = sample.snapshot()
    one = Planned("mnt_1", 0, 0, 60, tuple(view.slug for view in snap.servers[:servers]))
    assert maintenance.whom(snap, one) == words
    assert maintenance.whom(snap, replace(one, everybody=True)) == "all servers"


def test_until_when_counts_windows_that_touch_as_one() -> None:
    snap = sample.maintained()
    assert maintenance.until(snap, "acme-files", NOW) == MINUTE + 7200
    assert maintenance.until(snap, "acme-search", NOW) is None


def answer(path: str, snap: Snapshot) -> Mapping[str, Any]:
    response = respond(snap, "GET", path, {}, {}, NOW)
    assert response.status == 200
    found: dict[str, Any] = json.loads(response.body)
    return found


def test_the_api_has_all_of_it_and_what_is_over() -> None:
    snap = sample.maintained()
    found = answer("/api/v1/maintenance", snap)["maintenance"]
    assert [(one["id"], one["state"]) for one in found] == [
        ("mnt_over", "completed"),
        ("mnt_now", "in_progress"),
        ("mnt_next", "scheduled"),
        ("mnt_all", "scheduled"),
        ("mnt_some", "scheduled"),
    ]
    assert found[1] == {
        "id": "mnt_now",
        "state": "in_progress",
        "title": "Maintenance of Acme Files",
        "begins_at": "2026-08-22T14:24:00Z",
        "ends_at": "2026-08-22T15:34:00Z",
        "servers": ["acme-files"],
        "reason": "New <disks> `rm`",
        "uptime": "exclude",
    }
    assert found[2]["reason"] is None
    assert [one["id"] for one in answer("/api/v1/status", snap)["maintenance"]] == [one["id"] for one in found[1:]]
    own = answer("/api/v1/servers/acme-search", snap)["maintenance"]
    assert [one["id"] for one in own] == ["mnt_all", "mnt_some"]


def test_statuspage_has_it_scheduled_and_in_progress() -> None:
    summary = api_json.summary(sample.maintained(), NOW)
    jsonschema.validate(summary, SCHEMA)
    now, upcoming = summary["scheduled_maintenances"][:2]
    assert (now["status"], now["impact"], now["scheduled_for"], now["scheduled_until"]) == (
        "in_progress",
        "maintenance",
        "2026-08-22T14:24:00.000Z",
        "2026-08-22T15:34:00.000Z",
    )
    assert [one["status"] for one in now["incident_updates"]] == ["in_progress", "scheduled"]
    assert [one["id"] for one in now["components"]] == ["acme-files"]
    assert (upcoming["status"], upcoming["incident_updates"][0]["body"]) == ("scheduled", "Maintenance of Acme Files")


def test_a_feed_has_an_entry_whose_id_stays() -> None:
    atom = "{http://www.w3.org/2005/Atom}"
    entries = {}
    for at in (NOW, NOW + 3600):
        root = ET.fromstring(feed.atom(replace(sample.maintained(), generated_at=at)))
        for entry in root.findall(atom + "entry"):
            terms = [category.get("term") for category in entry.findall(atom + "category")]
            if terms[0] == "maintenance":
                key = entry.findtext(atom + "id"), at
                entries[key] = (entry.findtext(atom + "title"), terms[1], entry.findtext(atom + "updated"))
    assert entries["tag:status.acme.dev,2026-08-22:maintenance/mnt_now", NOW] == (
        "[In progress] Maintenance of Acme Files",
        "in_progress",
        "2026-08-22T14:24:00Z",
    )
    assert entries["tag:status.acme.dev,2026-08-22:maintenance/mnt_now", NOW + 3600] == (
        "[Completed] Maintenance of Acme Files",
        "completed",
        "2026-08-22T15:34:00Z",
    )
    assert entries["tag:status.acme.dev,2026-08-23:maintenance/mnt_all", NOW][2] == "2026-08-19T14:34:00Z"
    same = feed.atom(sample.maintained()), feed.atom(replace(sample.maintained(), generated_at=NOW + 60))
    assert same[0] == same[1]


def test_a_servers_feed_has_its_own_alone() -> None:
    snap = sample.maintained()
    ids = [entry.id for entry in feed.feed(snap, snap.server("acme-search")).entries]
    assert [one.rpartition("/")[2] for one in ids if "maintenance" in one] == ["mnt_some", "mnt_over", "mnt_all"]


def test_what_agents_read_has_it_and_a_reason_stays_data() -> None:
    snap = sample.maintained()
    files = snap.server("acme-files")
    assert files is not None
    text = markdown.server(snap, files, NOW).decode()
    assert "- 2026-08-22T14:24:00Z until 2026-08-22T15:34:00Z, in progress: `New <disks> 'rm'`" in text
    assert "## Maintenance" in markdown.llms(snap, NOW).decode()
    assert "## Maintenance" not in markdown.llms(sample.snapshot(), NOW).decode()


def pages(snap: Snapshot, now: int = NOW) -> dict[str, Any]:
    return {page.path: page for page in render_site(snap, now)}


def test_pages_say_until_when_and_escape_the_reason() -> None:
    made = pages(sample.maintained())
    front, own = made["index.html"].body.decode(), made["status/acme-files/index.html"].body.decode()
    assert 'maintenance until <time datetime="2026-08-22T16:34:00Z">' in front
    assert "New &lt;disks&gt;" in front
    assert 'Maintenance until <time datetime="2026-08-22T16:34:00Z">' in own
    assert "Counts as up" in own
    assert 'id="maintenance"' not in pages(sample.snapshot())["index.html"].body.decode()


def test_the_front_page_shows_ten_and_counts_the_rest() -> None:
    one = sample.maintained().maintenance[2]
    many = tuple(replace(one, id=f"mnt_{i}") for i in range(14))
    front = pages(replace(sample.maintained(), maintenance=many))["index.html"].body.decode()
    assert front.count('<article class="incident" id="mnt_') == 10
    assert "And 4 more within seven days" in front


def test_a_servers_page_is_written_at_once_when_its_maintenance_changes() -> None:
    snap = sample.maintained()
    path = "status/acme-files/index.html"
    before = pages(snap)[path].signature
    assert pages(snap, NOW + 60)[path].signature == before
    assert pages(snap, NOW + 3600)[path].signature != before
    assert pages(replace(snap, maintenance=snap.maintenance[2:]))[path].signature != before
    other = "status/weather/index.html"
    assert pages(replace(snap, maintenance=snap.maintenance[2:]))[other].signature == pages(snap)[other].signature


def test_excluded_maintenance_is_in_neither_side_of_uptime_by_time() -> None:
    known = Windows(Rolled.of([LocalDay("2026-08-22", 0, DAY)], []), {0: "u", 60: "D", 120: "u"}, 0, 600)
    assert known.outage(0, [(60, 240)], [(120, 300)]) == Outage(60, 420)
    assert known.outage(0, [(60, 240)]) == Outage(180, 600)
    assert known.outage(0, [], [(0, 600)]) is None
