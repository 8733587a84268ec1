"""A server that turns too often: decision 12, F; how an outage looks: U; cold starts: R5."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.verdict.playing import SERVER, START, Play, window

TURNS = ["ddd"] * 3 + ["uuu"] * 2


def test_the_fifth_turn_in_an_hour_is_told_as_flapping_and_then_nothing_until_it_is_calm() -> None:
    play = Play().hear("uuu", *TURNS * 2)
    assert play.told == ["incident.opened availability", "incident.resolved availability"] * 2
    play.hear("ddd", "ddd", "ddd")
    assert play.told[4:] == ["incident.opened availability"]
    assert play.notices[-1].incident.flapping
    assert play.now.flapping_since == play.minute - 60
    play.hear("uuu", "uuu", *TURNS, "ccc", "ccc", "ccc", "uuu", "uuu")
    assert play.told[5:] == []
    assert play.now.status == "up"
    since = play.now.since
    play.hear(*["uuu"] * 29)
    assert play.told[5:] == []
    play.hear("uuu", "uuu")
    assert play.told[5:] == ["incident.resolved availability"]
    assert play.notices[-1].incident.resolved_at == since
    assert (play.now.turns, play.now.flapping_since) == ((), 0)


def test_a_turn_up_that_is_one_too_many_keeps_the_incident_open() -> None:
    play = Play(replace(SERVER, flap_after=1)).hear("uuu", *TURNS)
    assert play.told == ["incident.opened availability", "incident.updated availability"]
    assert play.notices[-1].incident.flapping
    assert (play.notices[-1].status, play.notices[-1].incident.status) == ("up", "down")
    assert [e.what for e in play.notices[-1].incident.timeline] == ["opened", "flapping"]


def test_unknown_when_it_is_calm_keeps_it_open_until_it_is_ok() -> None:
    play = Play(replace(SERVER, flap_after=1)).hear("uuu", *TURNS, *["???"] * 40)
    assert (play.now.status, play.now.flapping_since) == ("unknown", 0)
    assert len(play.told) == 2
    play.hear("uuu")
    assert play.told[2:] == ["incident.resolved availability"]


def test_still_failing_when_it_is_calm_is_an_outage_like_any_other() -> None:
    play = Play(replace(SERVER, flap_after=1)).hear("uuu", *TURNS, *["ddd"] * 40)
    assert len(play.told) == 2
    play.hear("uuu", "uuu")
    assert play.told[2:] == ["incident.resolved availability"]


def test_flapping_that_somebody_ended_is_told_to_nobody() -> None:
    play = Play(replace(SERVER, flap_after=1)).hear("uuu", "ddd", "ddd", "ddd", "uuu")
    play.open.clear()
    play.state = replace(play.state, servers={"acme": play.now.with_(incidents={})})
    play.hear("uuu")
    assert len(play.told) == 1
    assert play.now.flapping_since


def test_turns_older_than_an_hour_do_not_count_nor_do_those_of_who_never_flaps() -> None:
    rare = Play().hear("uuu")
    for _ in range(4):
        rare.hear(*["ddd"] * 3, *["uuu"] * 30)
    assert not any(n.incident.flapping for n in rare.notices)
    assert len(rare.now.turns) == 2
    never = Play(replace(SERVER, flap_after=0)).hear("uuu", *TURNS * 6)
    assert len(never.told) == 12
    assert not any(n.incident.flapping for n in never.notices)


def test_another_layer_or_other_regions_are_told_when_they_last() -> None:
    play = Play().hear("uuu", *["ddu"] * 3, "xxu", "xxu", "ddu", "xxu", "???", "xxu")
    assert play.told == ["incident.opened availability"]
    play.hear("xxu")
    assert play.told[1:] == ["incident.updated availability"]
    updated = play.notices[-1].incident
    assert (updated.failure.layer, updated.evidence.layer) == ("tcp", "http")
    play.hear("xxx", "xxx", "uuu", "xxx", "xxx")
    assert len(play.told) == 2
    assert play.hear("xxx").notices[-1].incident.regions == ("us-west-2", "eu-west-1", "ap-southeast-1")


def test_a_good_round_in_an_outage_that_looks_as_told_changes_nothing() -> None:
    play = Play().hear("uuu", *["ddd"] * 3, "uuu", "ddd")
    assert play.told == ["incident.opened availability"]
    assert play.now.view is None


def test_the_first_failure_after_a_long_silence_is_forgiven() -> None:
    play = Play().hear("uuu", *["---"] * 15, "ddd", "ddd", "ddd")
    assert play.told == []
    assert play.codes == "u" + "?" * 16 + "dd"
    assert play.hear("ddd").told == ["incident.opened availability"]
    assert play.notices[0].incident.started_at == START + 17 * 60


def test_a_silence_as_long_as_three_intervals_is_none() -> None:
    hourly = replace(SERVER, interval_s=3600, down_after=1)
    play = Play(hourly, minute=next(m for m in range(START, START + 3600, 60) if hourly.due(m)))
    for says in ("uuu", "---", "---", "ddd"):
        play.hear(says)
        play.minute += 3540
    assert play.told == ["incident.opened availability"]


def test_a_window_begins_and_ends_flapping_anew() -> None:
    play = Play(replace(SERVER, flap_after=1), covering=window(6, 6)).hear("uuu", *TURNS)
    assert play.now.flapping_since
    play.hear("uuu")
    assert (play.now.flapping_since, play.now.turns) == (0, ())
    assert play.told[2:] == []
    assert play.hear("uuu", "uuu").told[2:] == ["incident.resolved availability"]
