"""Digests that sum up, in words and in the webhook (SHAPES 1, type digest)."""

from __future__ import annotations

import pytest
from lookout.notify.facts import Phase, phase
from lookout.notify.vocabulary import Tone
from lookout.notify.words import tell
from lookout.verdict.case import Notice

from tests.contract.notify.sample import QUIET, QUIET_OF_ONE, SITE, STARTED, waited
from tests.contract.notify.targets import body


@pytest.mark.parametrize(
    ("notice", "line"),
    [
        (QUIET, "[EXTERNAL] Quiet hours are over: 90 notices waited, 60 incidents still open"),
        (QUIET_OF_ONE, "[EXTERNAL] Quiet hours are over: 1 notice waited"),
    ],
)
def test_how_it_reads_on_a_lock_screen(notice: Notice, line: str) -> None:
    story = tell(notice, SITE)
    assert (phase(notice), story.tone, story.line, story.page) == (Phase.NEWS, Tone.NEWS, line, f"{SITE}/")


def test_what_lasts_and_what_is_over_are_listed_apart() -> None:
    still, fine = tell(QUIET, SITE).listings
    assert (still.heading, len(still.names), still.more) == ("Still open", 10, 50)
    assert still.names[0] == "Acme 0 is slow (2026-08-22 14:32 UTC)"
    assert (fine.heading, fine.more) == ("Over, or only for information", 15)
    assert fine.names == (
        *(f"Acme {n} is as fast as usual again, after 14 m 02 s" for n in range(4)),
        "Maintenance of 3 servers is over (2026-08-22 14:32 UTC)",
    )
    (only,) = tell(QUIET_OF_ONE, SITE).listings
    assert only.names == ("Acme Search changed what it offers (2026-08-22 14:32 UTC)",)


def test_each_is_a_line_of_its_own() -> None:
    text = body(QUIET, "slack")["attachments"][0]["blocks"][1]["text"]["text"]
    assert "*Still open*\n• Acme 0 is slow" in text
    assert "\n• 50 more\n*Over, or only for information*\n• Acme 0 is as fast" in text


def test_the_webhook_has_times_as_everywhere() -> None:
    told = body(QUIET, "webhook")
    assert (told["type"], told["server_slug"], told["digest"]) == ("digest", "digest:quiet", None)
    assert told["report"]["begins_at"] == "2026-08-22T14:32:00Z"
    assert told["report"]["members"][45] == {
        **waited("Acme 0", STARTED + 842),
        "since": "2026-08-22T14:32:00Z",
        "until": "2026-08-22T14:46:02Z",
    }
    assert told["report"]["members"][0]["until"] is None
