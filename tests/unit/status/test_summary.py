from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lookout.probe.result import Status
from lookout.status import summary
from lookout.status.view import Snapshot

from tests.unit.status import sample


def having(*statuses: Status) -> Snapshot:
    one = sample.snapshot().servers[0]
    servers = tuple(
        replace(one, slug=f"s{i}", state=one.state.with_(slug=f"s{i}", status=s)) for i, s in enumerate(statuses)
    )
    return replace(sample.snapshot(), servers=servers)


@pytest.mark.parametrize(
    ("statuses", "headline", "indicator", "tone"),
    [
        ([], "No public servers yet", "none", "wait"),
        ([Status.UP, Status.AUTH_REQUIRED], "All systems operational", "none", "ok"),
        ([Status.UP, Status.PAUSED], "All systems operational", "none", "ok"),
        ([Status.UP, Status.UNKNOWN], "No known problems", "minor", "none"),
        ([Status.UP, Status.PENDING], "No known problems", "minor", "none"),
        ([Status.PENDING], "Status not known yet", "minor", "none"),
        ([Status.UNKNOWN, Status.PAUSED], "Status not known yet", "minor", "none"),
        ([Status.UP, Status.DEGRADED], "1 server is degraded", "minor", "warn"),
        ([Status.DEGRADED, Status.DEGRADED], "2 servers are degraded", "minor", "warn"),
        ([Status.UP, Status.DOWN, Status.DEGRADED], "1 server is down", "major", "bad"),
        ([Status.DOWN], "1 server is down", "critical", "bad"),
        ([Status.DOWN, Status.DOWN], "All servers are down", "critical", "bad"),
        ([Status.DOWN, Status.CREDENTIAL_REJECTED, Status.UP], "2 servers are failing", "major", "bad"),
        ([Status.UP, Status.MAINTENANCE], "Maintenance in progress", "none", "info"),
        ([Status.PAUSED], "Monitoring is paused", "none", "idle"),
    ],
)
def test_the_banner(statuses: list[Status], headline: str, indicator: str, tone: str) -> None:
    whole = summary.overall(having(*statuses), sample.NOW)
    assert (whole.headline, whole.indicator, whole.tone) == (headline, indicator, tone)


@given(st.lists(st.sampled_from(Status), min_size=1, max_size=6))
def test_all_operational_is_only_said_when_every_watched_server_is_known_to_be_ok(statuses: list[Status]) -> None:
    whole = summary.overall(having(*statuses), sample.NOW)
    watched = [s for s in statuses if s is not Status.PAUSED]
    assert (whole.headline == "All systems operational") == (
        bool(watched) and all(s in (Status.UP, Status.AUTH_REQUIRED) for s in watched)
    )
    assert sum(whole.counts.values()) == len(statuses)


def test_the_detail_says_what_the_headline_leaves_out() -> None:
    detail = summary.overall(sample.snapshot(), sample.NOW).detail
    assert detail == (
        "3 of 6 servers operational (1 degraded, 1 asking for sign-in); 1 down; 1 could not be checked; "
        "1 not yet probed."
    )


def test_silence_of_every_region_is_said_first() -> None:
    whole = summary.overall(sample.calm(), sample.NOW + 400)
    assert (whole.headline, whole.tone) == ("Monitoring is interrupted", "none")
    assert summary.silent_regions(sample.calm(), sample.NOW + 400) == dict.fromkeys(sample.REGIONS, sample.MINUTE)


def test_staleness() -> None:
    snap = sample.snapshot()
    assert not summary.stale(snap, sample.NOW + 300)
    assert summary.stale(snap, sample.NOW + 301)
    assert summary.age_s(snap, sample.NOW - 5) == 0
    assert summary.newest_round_age_s(snap, sample.NOW) == 7
    assert summary.newest_round_age_s(replace(snap, regions=dict.fromkeys(sample.REGIONS, 0)), sample.NOW) is None


def test_an_incident_opened_while_private_stays_private() -> None:
    snap = sample.snapshot()
    first = snap.servers[0]
    hidden = replace(first, incidents=tuple(replace(i, public=False) for i in first.incidents))
    assert summary.incidents_of(hidden) == ()
    assert len(summary.all_incidents(replace(snap, servers=(hidden, *snap.servers[1:])))) == 2


def test_every_status_has_words_a_tone_and_an_explanation() -> None:
    for table in (summary.WORDS, summary.TONES, summary.EXPLANATIONS):
        assert set(table) == set(Status)
