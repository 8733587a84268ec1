"""Digests of days and weeks: when they are due, what they count of each server, who comes first, who may read them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from lookout.config.digest import Digest
from lookout.config.model import Server, Sink, Site
from lookout.history.uptime import Tally
from lookout.probe.result import Status
from lookout.verdict.case import Incident, Notice
from lookout.verdict.reports import (
    LISTED,
    MISSED_S,
    WAIT_S,
    Due,
    Known,
    Mark,
    due,
    first_marks,
    judged_to,
    notice,
)
from lookout.verdict.schedule import HORIZON_S

END = 1_787_385_600
"""2026-08-22T08:00:00Z, a Saturday."""
DAY = 86_400
BEGIN = END - DAY
NOW = END + 240
DAILY = Digest("daily", 8, "UTC")
WEEKLY = Digest("weekly", 8, "UTC", "sat")
TEAM = Sink("team", "slack", "secret:x", digests=(DAILY, WEEKLY))
SITE = Site("Acme", "us-east-1", ("eu-west-1",), (TEAM, Sink("rest", "slack", "secret:y")))
TOLD = {("team", one.every): Mark("team", one.every, one.rule, BEGIN, 3) for one in (DAILY, WEEKLY)}
FINE = Tally(ok=1440)


def test_a_new_digest_begins_with_its_next_moment() -> None:
    assert list(due(SITE, {}, NOW)) == []
    begun = list(first_marks(SITE, {}, NOW))
    assert begun == [Mark("team", one.every, one.rule, END) for one in (DAILY, WEEKLY)]
    marks = {(mark.sink, mark.kind): replace(mark, version=1) for mark in begun}
    assert list(first_marks(SITE, marks, NOW)) == list(due(SITE, marks, END + DAY - 1)) == []
    assert [one.span for one in due(SITE, marks, END + DAY)] == [(END, END + DAY)]


def test_a_digest_that_comes_at_other_times_begins_anew() -> None:
    other = replace(SITE, sinks=(replace(TEAM, digests=(replace(DAILY, hour=7),)),))
    assert list(due(other, TOLD, NOW)) == []
    assert list(first_marks(other, TOLD, NOW)) == [Mark("team", "daily", "daily 07 UTC", END - 3600, 3)]


@pytest.mark.parametrize(
    ("now", "spans"),
    [
        (END - 1, []),
        (END, [(BEGIN, END), (END - 7 * DAY, END)]),
        (END + MISSED_S, [(BEGIN, END), (END - 7 * DAY, END)]),
        (END + MISSED_S + 1, []),
        (END + DAY - 1, []),
        (END + DAY, [(END, END + DAY)]),  # the one that was missed is not told any more
    ],
)
def test_when_a_digest_is_due(now: int, spans: list[tuple[int, int]]) -> None:
    found = list(due(SITE, TOLD, now))
    assert [one.span for one in found] == spans
    assert [one.mark for one in found] == [replace(TOLD["team", one.digest.every], moment=one.end) for one in found]
    told = {(one.sink, one.digest.every): replace(one.mark, version=4) for one in found}
    assert list(due(SITE, {**TOLD, **told}, now)) == []


@pytest.mark.parametrize(
    ("judged", "now", "ready"),
    [
        ([], NOW, True),
        ([END - 60, END + 120], NOW, True),
        ([END - 120, END + 120], NOW, False),
        ([0], END + WAIT_S - 1, False),
        ([0], END + WAIT_S, True),
        ([END - 120], END + HORIZON_S, True),
    ],
)
def test_it_waits_until_all_is_judged_but_not_for_ever(judged: list[int], now: int, ready: bool) -> None:
    assert judged_to(END, judged, now) is ready


def server(slug: str, **more: Any) -> Server:
    return Server(slug, f"https://{slug}.example/mcp", **more)


def incident(kind: str, began: int, ended: int | None) -> Incident:
    key = f"inc_{kind}_{began}"
    return Incident(key, "a", began, began + 120, "down", public=True, title="A", kind=kind, resolved_at=ended)


def known(slug: str, tally: Tally = FINE, *incidents: Incident, status: Status = Status.UP, **more: Any) -> Known:
    return Known(server(slug, **more), status, tally, incidents)


def digest(*all_known: Known, kind: Digest = DAILY) -> Notice:
    told = notice(Due("team", kind, BEGIN, Mark("team", kind.every, kind.rule, END, 3)), all_known, NOW)
    assert Notice.from_json(json.loads(json.dumps(told.to_json()))) == told
    return told


def report(*all_known: Known) -> dict[str, Any]:
    return dict(digest(*all_known).report or {})


def test_what_is_said_of_one_server() -> None:
    down = incident("availability", BEGIN - 600, BEGIN + 300)
    again = incident("availability", END - 900, None)
    warned = incident("latency", BEGIN + 60, END)
    old = incident("certificate", BEGIN - DAY, None)
    (member,) = report(
        known(
            "a",
            Tally(1420, 5, 15, 0, 40),
            down,
            again,
            warned,
            old,
            status=Status.DOWN,
            name="Acme",
            visibility="private",
        )
    )["members"]
    assert member == {
        "slug": "a",
        "name": "Acme",
        "status": "down",
        "uptime": 1420 / 1425,
        "coverage": 1425 / 1440,
        "outages": 2,
        "downtime_seconds": 1200,
        "incidents": 1,
        "open": ["availability", "certificate"],
    }


def test_what_was_before_or_came_after_is_not_told() -> None:
    before = incident("availability", BEGIN - 900, BEGIN)
    after = incident("availability", END, None)
    warned = incident("latency", END - 60, None)  # opened two minutes later, after the end; it had begun by then
    (member,) = report(known("a", FINE, before, after, warned))["members"]
    assert (member["outages"], member["downtime_seconds"], member["incidents"]) == (0, 0, 0)
    assert member["open"] == ["latency"]


def test_two_outages_at_once_are_down_once() -> None:
    one, other = incident("availability", BEGIN, BEGIN + 600), incident("availability", BEGIN + 300, BEGIN + 900)
    assert report(known("a", FINE, one, other))["downtime_seconds"] == 900


def test_an_outage_that_ended_since_was_open_at_the_end() -> None:
    (member,) = report(known("a", FINE, incident("availability", END - 300, END + 60)))["members"]
    assert (member["open"], member["downtime_seconds"]) == (["availability"], 300)


def test_a_server_without_data_says_so() -> None:
    told = report(known("new", Tally(), status=Status.PENDING), known("blind", Tally(unknown=1440)))
    assert [(one["slug"], one["uptime"], one["coverage"]) for one in told["members"]] == [
        ("blind", None, 0.0),
        ("new", None, None),
    ]
    assert (told["uptime"], told["coverage"], told["fine"]) == (None, 0.0, 0)


def test_the_worst_comes_first() -> None:
    lasting = incident("availability", END - 60, None)
    long = incident("availability", BEGIN, BEGIN + 1200)
    ranked = [
        known("z-down", Tally(1439, 1), lasting),
        known("y-long", Tally(1420, 20), long),
        known("x-worse", Tally(1430, 10)),
        known("w-failed", Tally(1439, 1)),
        known("v-two", FINE, incident("latency", BEGIN, END), incident("regional", BEGIN, END)),
        known("u-warned", FINE, incident("latency", BEGIN, END)),
        known("t-lasting", FINE, incident("certificate", BEGIN - DAY, None)),
        known("s-gaps", Tally(1400, 0, 40)),
        known("r-new", Tally()),
        known("a"),
        known("b"),
    ]
    told = report(*reversed(ranked))
    assert [one["slug"] for one in told["members"]] == [one.server.slug for one in ranked]
    assert (told["servers"], told["fine"], told["more"]) == (11, 2, 0)
    assert (told["outages"], told["downtime_seconds"], told["incidents"], told["open"]) == (2, 1260, 3, 2)
    assert told["uptime"] == (1439 + 1420 + 1430 + 1439 + 1400 + 5 * 1440) / (5 * 1440 + 4 * 1440 + 1400)


def test_fifty_are_listed_and_the_rest_counted() -> None:
    told = report(*(known(f"s{n:03d}") for n in range(1000)))
    assert (len(told["members"]), told["more"], told["servers"], told["fine"]) == (LISTED, 950, 1000, 1000)
    assert len(json.dumps(told)) < 16_000


def test_the_notice() -> None:
    told = digest(known("a"), kind=WEEKLY)
    assert (told.type, told.slug, told.severity, told.sinks, told.incident) == (
        "digest",
        "digest:weekly",
        "info",
        ("team",),
        None,
    )
    assert told.server == {
        "slug": "digest:weekly",
        "name": "The last week",
        "url": None,
        "visibility": "public",
        "tags": [],
    }
    assert told.report is not None
    assert (told.report["kind"], told.report["begins_at"], told.report["ends_at"]) == ("weekly", BEGIN, END)
    assert digest(known("a")).dedup_key != told.dedup_key
    assert digest(known("a")) == digest(known("a"))


def test_one_private_server_makes_it_private() -> None:
    assert digest(known("a"), known("b", visibility="private")).server["visibility"] == "private"
