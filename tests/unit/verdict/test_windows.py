"""Rounds in a window of maintenance: decision 12, M."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lookout.history.uptime import Counting
from lookout.probe.result import Status

from tests.unit.verdict.playing import SERVER, START, Play, window


@pytest.mark.parametrize(
    ("counting", "codes"),
    [(Counting.EXCLUDE, "uUDm"), (Counting.COUNT_UP, "uwww"), (Counting.COUNT_AS_IS, "uud?")],
)
def test_a_covered_round_is_recorded_as_the_window_counts(counting: Counting, codes: str) -> None:
    play = Play(covering=window(1, 9, counting)).hear("uuu", "uuu", "ddd", "???")
    assert play.codes == codes
    assert (play.now.status, play.now.since, play.now.previous) == ("maintenance", START + 60, "up")


def test_nothing_opens_in_a_window_and_what_fails_after_it_counts_from_its_end() -> None:
    play = Play(covering=window(1, 5)).hear("uuu", *["ddd"] * 5)
    assert play.told == []
    assert play.hear("ddd", "ddd").now.status is Status.UNKNOWN
    assert play.told == []
    play.hear("ddd")
    assert play.told == ["incident.opened availability"]
    assert (play.notices[0].incident.started_at, play.notices[0].previous_status) == (START + 360, "unknown")


def test_what_works_after_it_is_up_at_once() -> None:
    play = Play(covering=window(1, 3)).hear("uuu", "ddd", "ddd", "ddd", "uuu")
    assert (play.now.status, play.now.since, play.told) == ("up", START + 240, [])


def test_an_outage_that_ends_in_the_window_is_told() -> None:
    play = Play(covering=window(4, 9)).hear("uuu", *["ddd"] * 4, "uuu", "uuu")
    assert play.told == ["incident.opened availability", "incident.resolved availability"]
    assert (play.notices[1].status, play.notices[1].incident.resolved_at) == ("maintenance", START + 300)
    assert play.now.status is Status.MAINTENANCE
    assert play.hear("ddd", "ddd", "ddd").told[2:] == []


def test_an_outage_that_goes_on_after_the_window_is_the_same_and_needs_good_rounds_to_end() -> None:
    play = Play(covering=window(4, 6)).hear("uuu", *["ddd"] * 5, "xxu", "ddd")
    assert (play.now.status, play.now.since) == ("down", START + 420)
    play.hear("uuu")
    assert len(play.told) == 1
    assert play.hear("uuu").told[1:] == ["incident.resolved availability"]


def test_paused_in_a_window_is_paused() -> None:
    play = Play(covering=window(1, 9)).hear("uuu", "uuu")
    play.server = replace(SERVER, paused=True)
    assert play.hear("---").now.status is Status.PAUSED
    play.server = SERVER
    assert play.hear("uuu").now.status is Status.MAINTENANCE
