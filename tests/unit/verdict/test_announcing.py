"""Maintenance is told once when it begins and once when it is over, whatever the tick misses."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lookout.config.model import Server, Sink, Site
from lookout.config.window import Window
from lookout.verdict.announcing import AT_ONCE, NAMED, Told, announce
from lookout.verdict.case import Notice
from lookout.verdict.maintenance import Calendar
from lookout.verdict.watch import Watch

NOW = 1_787_407_440
HOOK, CHAT = Sink("hook", "webhook", "https://ops.example/x"), Sink("chat", "slack", "secret:x")
SITE = Site("Acme", "us-east-1", ("eu-west-1",), (HOOK, CHAT))
SEARCH = Server("search", "https://a.example/mcp", name="Acme Search", tags=("prod",), notify=("chat",))
FILES = Server("files", "https://b.example/mcp", tags=("prod",), notify=("chat", "hook"))
HIDDEN = Server("hidden", "https://c.example/mcp", visibility="private", notify=("hook",))
SERVERS = (FILES, HIDDEN, SEARCH)
WINDOW = Window("mnt_1", begin=NOW, end=NOW + 600, reason="New disks")


def tick(told: dict[str, Told], windows: list[Window], now: int) -> tuple[dict[str, Told], tuple[Notice, ...]]:
    return announce(told, Calendar(windows, now, now + 1).occurrences, SITE, SERVERS, now)


def ticks(windows: list[Window], *moments: int) -> list[tuple[int, str, int]]:
    """(when it was told, what, its own moment)."""
    told: dict[str, Told] = {}
    out = []
    for now in moments:
        told, notices = tick(told, windows, now)
        out += [(now, notice.type, notice.created_at) for notice in notices]
    return out


def test_each_occurrence_is_told_once_when_it_begins_and_once_when_it_is_over() -> None:
    assert ticks([WINDOW], *range(NOW - 60, NOW + 1200, 60)) == [
        (NOW, "maintenance.started", NOW),
        (NOW + 600, "maintenance.ended", NOW + 600),
    ]


def test_a_late_tick_tells_all_the_same_and_what_nobody_saw_is_not_told() -> None:
    assert ticks([WINDOW], NOW - 60, NOW + 300, NOW + 900) == [
        (NOW + 300, "maintenance.started", NOW),
        (NOW + 900, "maintenance.ended", NOW + 600),
    ]
    assert ticks([WINDOW], NOW - 60, NOW + 600) == []


def test_what_was_ended_or_removed_is_told_to_be_over() -> None:
    told, _ = tick({}, [WINDOW], NOW)
    for windows in ([replace(WINDOW, ended_at=NOW + 120)], []):
        after, (notice,) = tick(told, windows, NOW + 120)
        assert after == {}
        assert (notice.type, notice.created_at) == ("maintenance.ended", NOW + 120)
        assert notice.maintenance is not None
        assert notice.maintenance["ends_at"] == NOW + 120


def test_a_window_that_comes_again_is_told_again() -> None:
    hourly = Window("mnt_2", rrule="FREQ=HOURLY", start="2026-01-01T00:00", duration_s=600)
    assert [kind for _, kind, _ in ticks([hourly], *range(NOW, NOW + 7200, 60))] == [
        *("maintenance.started", "maintenance.ended") * 2,
        "maintenance.started",
    ]


@pytest.mark.parametrize(
    ("window", "name", "visibility", "sinks", "servers"),
    [
        (WINDOW, "Maintenance of all servers", "private", ("hook", "chat"), ["files", "hidden", "search"]),
        (replace(WINDOW, tags=("prod",)), "Maintenance of 2 servers", "public", ("hook", "chat"), ["files", "search"]),
        (replace(WINDOW, servers=("search",)), "Maintenance of Acme Search", "public", ("chat",), ["search"]),
        (replace(WINDOW, servers=("hidden",)), "Maintenance of hidden", "private", ("hook",), ["hidden"]),
        (replace(WINDOW, tags=("gone",)), "Maintenance of 0 servers", "public", (), []),
    ],
)
def test_whom_it_is_told_to_and_of_whom(
    window: Window, name: str, visibility: str, sinks: tuple[str, ...], servers: list[str]
) -> None:
    _, (notice,) = tick({}, [window], NOW)
    assert (notice.server["name"], notice.server["visibility"], notice.sinks) == (name, visibility, sinks)
    assert (notice.slug, notice.status, notice.severity) == ("maintenance:mnt_1", "maintenance", "info")
    assert notice.maintenance == {
        "window": "mnt_1",
        "begins_at": NOW,
        "ends_at": NOW + 600,
        "servers": servers,
        "more": 0,
        "uptime": "exclude",
        "reason": "New disks",
    }
    assert Notice.from_json(json.loads(json.dumps(notice.to_json()))) == notice


def test_paused_servers_are_not_named_and_no_more_than_twenty() -> None:
    many = [Server(f"s{i:03d}", "https://a.example/mcp") for i in range(30)]
    running = Calendar([WINDOW], NOW, NOW + 1).occurrences
    _, (notice,) = announce({}, running, SITE, [replace(SEARCH, paused=True), *many], NOW)
    assert notice.maintenance is not None
    assert (len(notice.maintenance["servers"]), notice.maintenance["more"]) == (NAMED, 10)
    assert notice.sinks == ()


def test_many_at_once_are_told_over_several_ticks() -> None:
    windows = [Window(f"mnt_{i:03d}", begin=NOW, end=NOW + 600) for i in range(AT_ONCE + 5)]
    found = ticks(windows, NOW, NOW + 60, NOW + 120, NOW + 600, NOW + 660, NOW + 720)
    assert [sum(at == when for at, _, _ in found) for when in (NOW, NOW + 60, NOW + 120)] == [AT_ONCE, 5, 0]
    assert [sum(at == when for at, _, _ in found) for when in (NOW + 600, NOW + 660, NOW + 720)] == [AT_ONCE, 5, 0]


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, 30), max_size=12), st.sets(st.integers(0, 30), max_size=12))
def test_two_that_tick_at_different_times_tell_the_same_notices(first: set[int], second: set[int]) -> None:
    """Ids follow from the occurrence, so a notice told by either is one notice; and what has begun, ends."""
    both = []
    for minutes in (first, second):
        told: dict[str, Told] = {}
        notices: list[Notice] = []
        for minute in [*sorted(minutes), 60]:
            told, new = tick(told, [WINDOW], NOW - 300 + 60 * minute)
            notices += new
        assert told == {}
        assert [notice.type for notice in notices] in ([], ["maintenance.started", "maintenance.ended"])
        assert len({notice.dedup_key for notice in notices}) <= 1
        both.append([notice.id for notice in notices])
    assert both[0] == both[1] or [] in both


def test_the_watch_remembers_it() -> None:
    told, _ = tick({}, [WINDOW], NOW)
    watch = Watch(3, NOW, 0, {}, told)
    assert Watch.from_json(3, json.loads(json.dumps(watch.to_json()))) == watch
    assert Watch.from_json(1, {"at": 1, "resumed": 0, "regions": {}}).maintenance == {}
    assert asdict(next(iter(told.values())))["sinks"] == ("hook", "chat")
