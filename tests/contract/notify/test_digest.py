"""A mass failure in words, and in the webhook (SHAPES 1, type digest)."""

from __future__ import annotations

import pytest
from lookout.notify.facts import Fact, Phase, phase
from lookout.notify.vocabulary import Tone
from lookout.notify.words import tell
from lookout.verdict.case import Notice

from tests.contract.notify.sample import (
    DIGEST,
    DIGEST_OF_ONE,
    DIGEST_OVER,
    DIGEST_PARTLY_OVER,
    DIGEST_UPDATED,
    SITE,
    STARTED,
)
from tests.contract.notify.targets import HTTP, body, posted


@pytest.mark.parametrize(
    ("notice", "of_phase", "tone", "line"),
    [
        (
            DIGEST,
            Phase.OPENED,
            Tone.BAD,
            "[EXTERNAL] 200 servers of acme.dev fail together — http 5xx (HTTP 502)",
        ),
        (
            DIGEST_UPDATED,
            Phase.UPDATED,
            Tone.BAD,
            "[EXTERNAL] 200 servers of acme.dev fail together (3 more) — http 5xx (HTTP 502)",
        ),
        (DIGEST_OVER, Phase.RESOLVED, Tone.GOOD, "[EXTERNAL] 200 servers of acme.dev recovered"),
        (DIGEST_PARTLY_OVER, Phase.RESOLVED, Tone.WARNING, "[EXTERNAL] 200 servers of acme.dev recovered but 3"),
        (
            DIGEST_OF_ONE,
            Phase.OPENED,
            Tone.BAD,
            "[EXTERNAL] 1 server of acme.dev fails together with others — http 5xx (HTTP 502)",
        ),
    ],
)
def test_how_it_reads_on_a_lock_screen(notice: Notice, of_phase: Phase, tone: Tone, line: str) -> None:
    story = tell(notice, SITE)
    assert (phase(notice), story.tone, story.line) == (of_phase, tone, line)
    assert story.page == f"{SITE}/"


def test_ten_names_are_listed_and_the_others_counted() -> None:
    (failing,) = tell(DIGEST, SITE).listings
    assert (failing.heading, failing.names[0], len(failing.names), failing.more) == ("Failing", "Acme 0", 10, 190)
    (recovered,) = tell(DIGEST_OVER, SITE).listings
    assert (recovered.heading, recovered.more) == ("Recovered", 190)
    still, fine = tell(DIGEST_PARTLY_OVER, SITE).listings
    assert (still.heading, still.names, still.more) == ("Failing", ("Acme 0", "Acme 1", "Acme 2"), 0)
    assert (fine.heading, fine.names[0], fine.more) == ("Recovered", "Acme 3", 187)


def test_the_facts_of_a_mass_failure() -> None:
    first = Fact("First seen", "2026-08-22 14:32 UTC", STARTED)
    assert tell(DIGEST, SITE).facts == (Fact("Servers failing", "200 of 200"), first, Fact("Severity", "critical"))
    assert tell(DIGEST_PARTLY_OVER, SITE).facts == (
        Fact("Lasted", "14 m 02 s"),
        Fact("Servers failing", "3 of 200"),
        first,
        Fact("Severity", "info"),
    )
    assert tell(DIGEST_PARTLY_OVER, SITE).note == "Who still fails is told alone from here on."
    assert tell(DIGEST_OVER, SITE).note == ""


def test_the_webhook_has_the_members_with_times_as_everywhere() -> None:
    told = body(DIGEST_PARTLY_OVER, "webhook")
    assert (told["type"], told["server_slug"], told["status"]) == ("digest", "digest:provider:acme.dev", "degraded")
    assert told["incident"]["resolved_at"] == "2026-08-22T14:46:02Z"
    digest = told["digest"]
    assert list(digest) == ["scope", "servers", "failing", "new", "members", "more"]
    assert digest["members"][0] == {
        "slug": "x",
        "name": "Acme 0",
        "status": "down",
        "reason": "http_5xx",
        "since": "2026-08-22T14:32:00Z",
        "until": None,
    }
    assert digest["members"][3]["until"] == "2026-08-22T14:45:20Z"


@pytest.mark.parametrize("kind", [*HTTP, "slack_bot"])
def test_every_medium_names_the_servers(kind: str) -> None:
    text = posted(DIGEST_OF_ONE, kind).body
    assert b"1 server of acme" in text
    if kind != "alertmanager":  # an alert has a summary, and no room for a list
        assert b"Inner" in text
