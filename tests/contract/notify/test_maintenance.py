"""Maintenance that begins and ends, in words and in every sink: news, which nothing has to resolve."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lookout.notify.facts import Fact, Phase, phase
from lookout.notify.vocabulary import Tone
from lookout.notify.words import tell

from tests.contract.notify.sample import MAINTENANCE as BEGUN
from tests.contract.notify.sample import MAINTENANCE_OVER as OVER
from tests.contract.notify.sample import SITE, STARTED
from tests.contract.notify.targets import HTTP, body


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
