"""The digest of a day or a week in words, in the webhook, and in every medium."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lookout.notify.facts import Fact, Phase, phase
from lookout.notify.vocabulary import Tone
from lookout.notify.words import tell
from lookout.verdict.case import Notice

from tests.contract.notify.sample import BLIND_DAY, HOSTILE_WEEK, QUIET_DAY, SITE, STARTED, WEEK, summed
from tests.contract.notify.targets import HTTP, body, posted


def with_report(notice: Notice, **more: object) -> Notice:
    return replace(notice, report={**(notice.report or {}), **more})


@pytest.mark.parametrize(
    ("notice", "tone", "line"),
    [
        (
            WEEK,
            Tone.NEWS,
            "The last week had 3 outages (41 m 00 s down), 2 other incidents, 2 still open: 80 servers, 99.96% up",
        ),
        (QUIET_DAY, Tone.GOOD, "The last day was quiet: 1 server, 100% up"),
        (BLIND_DAY, Tone.NEWS, "The last day has no data of 1 server"),
        (with_report(QUIET_DAY, incidents=1), Tone.NEWS, "The last day had 1 incident: 1 server, 100% up"),
        (with_report(QUIET_DAY, open=1), Tone.NEWS, "The last day had 1 still open: 1 server, 100% up"),
        (with_report(QUIET_DAY, uptime=0.99999999), Tone.GOOD, "The last day was quiet: 1 server, 99.99% up"),
        (with_report(QUIET_DAY, uptime=0.999), Tone.GOOD, "The last day was quiet: 1 server, 99.9% up"),
    ],
)
def test_how_it_reads_on_a_lock_screen(notice: Notice, tone: Tone, line: str) -> None:
    story = tell(notice, SITE)
    assert (phase(notice), story.tone, story.line, story.page) == (
        Phase.NEWS,
        tone,
        f"[EXTERNAL] {line}",
        f"{SITE}/",
    )


def test_the_worst_are_named_and_the_others_counted() -> None:
    (listing,) = tell(WEEK, SITE).listings
    assert (listing.heading, len(listing.names), listing.more, listing.apart) == ("Worst first", 10, 10, True)
    assert listing.names[:4] == (
        "Acme Search: 99.31% up, 3 outages (41 m 00 s down), 1 other incident, still down",
        "Acme Mail: 100% up, 97.1% covered, 1 incident, still open",
        "Acme New: no data",
        "Acme 0: 100% up, 99% covered",
    )
    assert tell(QUIET_DAY, SITE).listings == ()
    (blind,) = tell(BLIND_DAY, SITE).listings
    assert (blind.names, blind.more) == (("Acme: no data",), 0)
    paused = with_report(BLIND_DAY, members=[summed("Acme", status="paused", uptime=None, coverage=None)])
    assert tell(paused, SITE).listings[0].names == ("Acme: paused",)


def test_more_than_are_told_of_are_counted() -> None:
    (listing,) = tell(with_report(WEEK, servers=1000, fine=100, more=950), SITE).listings
    assert (len(listing.names), listing.more) == (10, 890)


def test_the_facts() -> None:
    assert tell(WEEK, SITE).facts == (
        Fact("Servers", "80, 60 without a failure or a gap"),
        Fact("Uptime", "99.96%"),
        Fact("Coverage", "99%"),
        Fact("Outages", "3 (41 m 00 s down)"),
        Fact("Other incidents", "2"),
        Fact("Still open", "2"),
        Fact("From", "2026-08-15 14:32 UTC", STARTED - 7 * 86_400),
        Fact("Until", "2026-08-22 14:32 UTC", STARTED),
        Fact("Severity", "info"),
    )
    assert [(one.name, one.value) for one in tell(BLIND_DAY, SITE).facts[:4]] == [
        ("Servers", "1, 0 without a failure or a gap"),
        ("Uptime", "no data"),
        ("Coverage", "no data"),
        ("Outages", "none"),
    ]


def test_the_webhook_has_numbers_and_times_as_everywhere() -> None:
    told = body(WEEK, "webhook")
    assert (told["type"], told["server_slug"], told["severity"], told["digest"]) == (
        "digest",
        "digest:weekly",
        "info",
        None,
    )
    report = told["report"]
    assert list(report) == [
        *["kind", "begins_at", "ends_at", "servers", "fine", "uptime", "coverage", "outages", "downtime_seconds"],
        *["incidents", "open", "members", "more"],
    ]
    assert (report["begins_at"], report["ends_at"]) == ("2026-08-15T14:32:00Z", "2026-08-22T14:32:00Z")
    assert report["members"][0] == {
        "slug": "x",
        "name": "Acme Search",
        "status": "up",
        "uptime": 0.9931,
        "coverage": 1.0,
        "outages": 3,
        "downtime_seconds": 2460,
        "incidents": 1,
        "open": ["availability"],
    }
    assert report["members"][2]["uptime"] is None


@pytest.mark.parametrize("kind", [*HTTP, "slack_bot"])
def test_every_medium_can_tell_it(kind: str) -> None:
    for notice in (WEEK, HOSTILE_WEEK, BLIND_DAY):
        assert b"The last" in posted(notice, kind).body
    if kind not in ("alertmanager", "pagerduty"):
        assert b"Acme New" in posted(WEEK, kind).body
