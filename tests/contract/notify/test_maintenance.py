"""Maintenance that begins and ends, in words and in every sink: news, which nothing has to resolve."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lookout.notify.words import Fact, Phase, Tone, phase, tell
from lookout.verdict.state import Failure, Notice, Quorum

from tests.contract.notify.sample import SITE, STARTED
from tests.contract.notify.targets import HTTP, body

BEGUN = Notice(
    id="evt_01J00000000000000000000010",
    type="maintenance.started",
    created_at=STARTED,
    slug="maintenance:mnt_1",
    status="maintenance",
    previous_status="unknown",
    previous_since=0,
    severity="info",
    dedup_key="mnt_01J00000000000000000000010",
    sequence=0,
    server={
        "slug": "maintenance:mnt_1",
        "name": "Maintenance of 30 servers",
        "url": None,
        "visibility": "public",
        "tags": [],
    },
    failure=Failure(),
    quorum=Quorum(0, 0, 0, "maintenance", 0),
    regions=(),
    incident=None,
    maintenance={
        "window": "mnt_1",
        "begins_at": STARTED,
        "ends_at": STARTED + 3600,
        "servers": [f"server-{i}" for i in range(20)],
        "more": 10,
        "uptime": "count_as_is",
        "reason": "New <disks>",
    },
)
OVER = replace(BEGUN, type="maintenance.ended", status="unknown", previous_status="maintenance", sequence=1)


def test_it_is_news_in_words() -> None:
    for notice, line in ((BEGUN, "has begun"), (OVER, "is over")):
        story = tell(notice, SITE)
        assert phase(notice) is Phase.NEWS
        assert (story.line, story.tone) == (f"[EXTERNAL] Maintenance of 30 servers {line}", Tone.NEWS)
        assert story.page == f"{SITE}/"
        assert story.facts == (
            Fact("Reason", "New <disks>"),
            Fact("From", "2026-08-22 14:32 UTC", STARTED),
            Fact("Until", "2026-08-22 15:32 UTC", STARTED + 3600),
            Fact("Uptime", "count as is"),
        )
        (listing,) = story.listings
        assert (listing.heading, len(listing.names), listing.more) == ("Servers", 10, 20)


def test_without_a_reason_or_servers_there_is_less_to_say() -> None:
    bare = replace(BEGUN, maintenance={**(BEGUN.maintenance or {}), "servers": [], "more": 0, "reason": ""})
    story = tell(bare, SITE)
    assert story.listings == ()
    assert [fact.name for fact in story.facts] == ["From", "Until", "Uptime"]


def test_a_webhook_has_the_window() -> None:
    sent = body(BEGUN, "webhook")
    assert sent["maintenance"] == {
        **(BEGUN.maintenance or {}),
        "begins_at": "2026-08-22T14:32:00Z",
        "ends_at": "2026-08-22T15:32:00Z",
    }
    assert sent["links"] == {"status_page": f"{SITE}/", "incident": None}
    assert set(sent["incident"].values()) == {None}


@pytest.mark.parametrize("kind", HTTP)
def test_every_sink_can_tell_it(kind: str) -> None:
    for notice in (BEGUN, OVER):
        assert "Maintenance of 30 servers" in str(body(notice, kind))
