from __future__ import annotations

from dataclasses import replace

import pytest
from lookout.notify.facts import Phase, phase
from lookout.notify.vocabulary import Tone
from lookout.notify.words import links, tell
from lookout.verdict.case import Notice

from tests.contract.notify.sample import (
    ACKNOWLEDGED,
    BACK,
    BURN,
    BURN_FASTER,
    BURN_OVER,
    CERTIFICATE,
    CREDENTIAL,
    DRIFT,
    ESCALATED,
    EVERY,
    FLAPPING,
    GONE,
    LIMITED,
    MAINTENANCE,
    OPEN,
    PRIVATE,
    REGIONAL,
    REMINDER,
    REMOVED,
    RESOLVED,
    SITE,
    SLOW,
    STALE,
    STRANGE,
    TEST,
    UNHEARD,
    UNSTABLE,
    UNTOLD,
    UPDATED,
    ended,
)


def over(notice: Notice, resolution: str) -> Notice:
    """The same end for another reason."""
    assert notice.incident is not None
    return replace(notice, incident=replace(notice.incident, resolution=resolution))


@pytest.mark.parametrize(
    ("notice", "line"),
    [
        (OPEN, "🔴 [EXTERNAL] Acme Search is DOWN from 3/3 regions — initialize error (HTTP 502)"),
        (UPDATED, "🟠 [EXTERNAL] Acme Search rejects our credential from 3/3 regions — initialize error (HTTP 502)"),
        (
            FLAPPING,
            "🟠 [EXTERNAL] Acme Search is still failing from 3/3 regions (flapping) — initialize error (HTTP 502)",
        ),
        (REMINDER, "🟠 [EXTERNAL] Acme Search is still failing from 3/3 regions — initialize error (HTTP 502)"),
        (RESOLVED, "✅ [EXTERNAL] Acme Search recovered"),
        (REMOVED, "⚪ [EXTERNAL] Acme Search is no longer watched (removed)"),
        (REGIONAL, "🟠 [EXTERNAL] Acme Search fails in some regions — connect timeout"),
        (ended(REGIONAL), "✅ [EXTERNAL] Acme Search answers in all regions again"),
        (SLOW, "🟠 [EXTERNAL] Acme Search is slow"),
        (ended(SLOW), "✅ [EXTERNAL] Acme Search is as fast as usual again"),
        (LIMITED, "🟠 [EXTERNAL] Acme Search cannot be checked: it limits our requests — rate limited"),
        (ended(LIMITED), "✅ [EXTERNAL] Acme Search can be checked again"),
        (CERTIFICATE, "🟠 [EXTERNAL] Acme Search has a certificate that expires soon"),
        (ended(CERTIFICATE), "✅ [EXTERNAL] Acme Search has a new certificate"),
        (CREDENTIAL, "🟠 [EXTERNAL] Acme Search has a credential that expires soon"),
        (ended(CREDENTIAL), "✅ [EXTERNAL] Acme Search has a new credential"),
        (DRIFT, "🟡 [EXTERNAL] Acme Search changed what it offers: breaking"),
        (UNSTABLE, "🟡 [EXTERNAL] Acme Search alternates in what it offers: unknown"),
        (BURN, "🟠 [EXTERNAL] Acme Search burns its error budget"),
        (BURN_FASTER, "🟠 [EXTERNAL] Acme Search burns its error budget faster"),
        (BURN_OVER, "✅ [EXTERNAL] Acme Search no longer burns its error budget"),
        (over(BURN_OVER, "off"), "⚪ [EXTERNAL] Acme Search is no longer watched for its error budget"),
        (over(BURN_OVER, "paused"), "⚪ [EXTERNAL] Acme Search is no longer watched (paused)"),
        (MAINTENANCE, "ℹ️ [EXTERNAL] Maintenance of 30 servers has begun"),
        (STALE, "🟠 [EXTERNAL] Probing region Dublin (eu-west-1) is silent"),
        (BACK, "✅ [EXTERNAL] Probing region Dublin (eu-west-1) reports again"),
        (GONE, "⚪ [EXTERNAL] Probing region Dublin (eu-west-1) is no longer probed from"),
        (STRANGE, "🟠 [EXTERNAL] Acme Search incident opened"),
        (ended(STRANGE), "✅ [EXTERNAL] Acme Search weather is over"),
        (UNHEARD, "🟠 [EXTERNAL] Acme Search weather stormy"),
    ],
)
def test_a_notice_in_one_line(notice: Notice, line: str) -> None:
    story = tell(notice, SITE)
    assert f"{story.icon} {story.line}" == line


def test_a_test_says_that_it_is_one() -> None:
    assert tell(TEST, SITE).line.startswith("[EXTERNAL] Acme Search sends a test notice")


@pytest.mark.parametrize(
    ("notice", "which"),
    [
        (OPEN, Phase.OPENED),
        (STALE, Phase.OPENED),
        (CERTIFICATE, Phase.OPENED),
        (BURN, Phase.OPENED),
        (BURN_FASTER, Phase.UPDATED),
        (BURN_OVER, Phase.RESOLVED),
        (UPDATED, Phase.UPDATED),
        (REMINDER, Phase.UPDATED),
        (RESOLVED, Phase.RESOLVED),
        (REMOVED, Phase.RESOLVED),
        (BACK, Phase.RESOLVED),
        (DRIFT, Phase.NEWS),
        (MAINTENANCE, Phase.NEWS),
    ],
)
def test_where_in_the_life_of_an_alert_a_notice_stands(notice: Notice, which: Phase) -> None:
    assert phase(notice) is which


@pytest.mark.parametrize("name", EVERY)
def test_every_story_has_what_every_medium_shows(name: str) -> None:
    story = tell(EVERY[name], SITE)
    assert story.name
    assert story.title
    assert story.verb
    assert story.reference == EVERY[name].dedup_key
    assert 2 <= len(story.facts) <= 10
    assert all(fact.name and fact.value for fact in story.facts)
    assert len({fact.name for fact in story.facts}) == len(story.facts)
    assert story.facts[-1].name == ("Uptime" if EVERY[name].maintenance else "Severity")
    assert all(1 <= len(one.names) <= 10 and one.more >= 0 for one in story.listings)
    assert "None" not in story.line


def test_an_end_says_how_long_it_was() -> None:
    assert {fact.name: fact.value for fact in tell(RESOLVED, SITE).facts}["Downtime"] == "14 m 02 s"
    assert {fact.name: fact.value for fact in tell(ended(SLOW), SITE).facts}["Lasted"] == "14 m 02 s"


def test_how_fast_a_budget_burns_and_what_is_left() -> None:
    assert {fact.name: fact.value for fact in tell(BURN, SITE).facts} == {
        "Burn rate": "7.2 over 6h, 12 over 30 m",
        "Threshold": "6",
        "Objective": "99.9%",
        "Budget of 30 days": "41.0% left",
        "Burning since": "2026-08-22 14:32 UTC",
        "Status": "up",
        "Severity": "high",
    }
    end = {fact.name: fact.value for fact in tell(BURN_OVER, SITE).facts}
    assert (end["Burn rate"], end["Budget of 30 days"]) == ("? over 6h, 12 over 30 m", "12.5% overspent")
    assert end["Lasted"] == "14 m 02 s"
    unknown = replace(BURN, slo={**(BURN.slo or {}), "budget_remaining": None})
    assert "Budget of 30 days" not in {fact.name for fact in tell(unknown, SITE).facts}


def test_how_a_server_that_is_refused_looks_when_it_begins() -> None:
    refused = replace(OPEN, status="credential_rejected")
    assert tell(refused, SITE).tone is Tone.BAD
    assert tell(refused, SITE).title == "credential_rejected"


def test_what_was_changed_is_listed_with_what_is_left_out() -> None:
    removed, changed, added = tell(DRIFT, SITE).listings
    assert (removed.heading, len(removed.names), removed.more) == ("Removed", 10, 2)
    assert changed.names == ("search: required added, description changed",)
    assert added.names == ("find",)
    assert tell(replace(DRIFT, drift={**(DRIFT.drift or {}), "more": 7}), SITE).note == "and 7 changes more"
    assert tell(UNSTABLE, SITE).note == "What changed cannot be told: the surfaces were not at hand."


def test_links_are_of_public_servers_and_of_the_index_for_what_is_no_server() -> None:
    assert links(OPEN, SITE)["incident"] == f"{SITE}/incidents/{OPEN.dedup_key}/"
    assert set(links(PRIVATE, SITE).values()) == {None}
    assert links(STALE, SITE) == {"status_page": f"{SITE}/", "incident": None}
    assert links(BURN, SITE) == {"status_page": f"{SITE}/status/acme-search/", "incident": None}


def test_an_acknowledgement_is_an_update() -> None:
    assert phase(ACKNOWLEDGED) is Phase.UPDATED


def test_an_escalation_goes_on_with_the_incident_and_says_why_it_comes() -> None:
    assert phase(ESCALATED) is Phase.UPDATED
    assert tell(ESCALATED, SITE).note == "Nobody has acknowledged it in 1 h 30 m."
    assert tell(REMINDER, SITE).note == ""


def test_the_end_of_what_was_never_told_tells_of_both() -> None:
    assert tell(UNTOLD, SITE).note == (
        "It was down from 2026-08-22 14:32 UTC to 2026-08-22 14:46 UTC; "
        "the notice of its beginning could not be delivered."
    )
    slow = tell(replace(ended(SLOW), opening_undelivered=True), SITE)
    assert slow.note.startswith("It lasted from 2026-08-22 14:32 UTC to ")
    both = tell(replace(BACK, opening_undelivered=True), SITE).note
    assert both.startswith("It lasted from ")
    assert both.endswith("servers are judged by the regions that report.")
    assert tell(replace(OPEN, opening_undelivered=True), SITE).note == ""
