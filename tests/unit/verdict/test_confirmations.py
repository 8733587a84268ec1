"""Failures confirmed within their minute: decision 12, Q2 and Q3."""

from __future__ import annotations

import json
from dataclasses import replace

from lookout.history.round import Round, pack, unpack
from lookout.probe.result import Status
from lookout.verdict.judge import Judgement, judge_confirmations
from lookout.verdict.state import ServerState

from tests.unit.verdict.playing import REGIONS, SERVER, SITE, START, Play, window

EAGER = replace(SERVER, confirm_every_s=15)


def rounds(play: Play, says: str, confirmation: int = 0) -> dict[str, Round]:
    minute = play.state.judged
    play.minute = minute
    out = {
        region: Round("s000", minute, region, (play._result(letter),), confirmation)
        for region, letter in zip(REGIONS, says, strict=True)
        if letter != "-"
    }
    play.minute = minute + 60
    return out


def again(play: Play, says: str, *confirmations: str) -> Judgement | None:
    """Judge the confirmations of the minute that was judged last, in which the regions said `says`."""
    found = {k: rounds(play, letters, k) for k, letters in enumerate(confirmations, 1)}
    judged = judge_confirmations(play.state, rounds(play, says), found, [play.server], SITE)
    if judged is not None:
        play.state = judged.state
        play.notices += judged.notices
        for incident in judged.incidents:
            play.open[incident.id] = play.incidents[incident.id] = incident
        assert judged.verdicts == {}
    return judged


def test_two_confirmations_make_three_failures_in_one_minute() -> None:
    play = Play(EAGER).hear("uuu", "ddd")
    assert again(play, "ddd", "ddd") is not None
    assert (play.now.fail_rounds, play.now.status, play.told) == (2, "up", [])
    again(play, "ddd", "ddd", "ddd")
    assert (play.now.status, play.told) == ("down", ["incident.opened availability"])
    (opened,) = play.notices
    assert (opened.incident.started_at, opened.incident.opened_at) == (START + 60, START + 60)
    assert opened.quorum.consecutive_rounds == 3
    assert again(play, "ddd", "ddd", "ddd", "ddd") is None
    assert play.hear("uuu", "uuu").told[1:] == ["incident.resolved availability"]
    assert ServerState.from_json(json.loads(json.dumps(play.now.to_json()))) == play.now


def test_all_of_them_at_once_are_judged_in_order() -> None:
    play = Play(EAGER).hear("uuu", "ddd")
    again(play, "ddd", "ddd", "ddd", "ddd")
    assert (play.now.fail_rounds, len(play.notices)) == (3, 1)


def test_one_that_does_not_fail_ends_the_streak() -> None:
    play = Play(EAGER).hear("uuu", "ddd", "ddd")
    again(play, "ddd", "uud")
    assert (play.now.fail_rounds, play.now.status, play.now.candidate) == (0, "up", None)
    assert again(play, "ddd", "uud", "ddd") is None
    assert play.hear("ddd", "ddd").told == []


def test_a_region_that_did_not_fail_keeps_its_word() -> None:
    play = Play(EAGER).hear("uuu", "ddu")
    assert again(play, "ddu", "dd-", "dd-") is not None
    assert play.notices[0].incident.regions == REGIONS[:2]
    other = Play(EAGER).hear("uuu", "duu")
    assert again(other, "duu", "d--") is None


def test_a_confirmation_waits_for_every_region_that_failed() -> None:
    play = Play(EAGER).hear("uuu", "ddd")
    assert again(play, "ddd", "dd-") is None
    assert again(play, "ddd") is None


def test_nobody_is_confirmed_who_does_not_want_it_or_is_down_or_maintained_or_was_not_due() -> None:
    assert again(Play().hear("uuu", "ddd"), "ddd", "ddd") is None
    assert again(Play(EAGER).hear("uuu", "ddd", "ddd", "ddd"), "ddd", "ddd") is None
    assert again(Play(EAGER, covering=window(1, 1)).hear("uuu", "ddd"), "ddd", "ddd") is None
    assert again(Play(EAGER).hear("uuu", "ddd", "???"), "???", "ddd") is None
    assert again(Play(EAGER).hear("uuu", "uuu"), "uuu", "ddd") is None
    paused = Play(EAGER).hear("uuu", "ddd")
    paused.server = replace(EAGER, paused=True)
    assert again(paused, "ddd", "ddd") is None
    new = Play(EAGER).hear("uuu", "ddd")
    new.state = replace(new.state, servers={})
    assert again(new, "ddd", "ddd") is None


def test_what_opens_in_a_mass_failure_is_held() -> None:
    play = Play(EAGER).hear("uuu", "ddd", "ddd")
    found = {1: rounds(play, "ddd", 1)}
    judged = judge_confirmations(
        play.state, rounds(play, "ddd"), found, [EAGER], SITE, lambda server, kind, states: "site"
    )
    assert judged is not None
    assert (judged.notices[0].held, judged.incidents[0].held) == ("site", "site")
    assert judged.state.servers["acme"].status is Status.DOWN


def test_a_confirmation_is_packed_as_one() -> None:
    one = Round("s000", START, REGIONS[0], (), 2)
    assert unpack(pack(one)) == one
    assert unpack(pack(replace(one, confirmation=0))).confirmation == 0
