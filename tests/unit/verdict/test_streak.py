from __future__ import annotations

import pytest
from lookout.probe.result import Status
from lookout.verdict.state import ServerState
from lookout.verdict.streak import advance

LETTERS = {
    "u": Status.UP,
    "g": Status.DEGRADED,
    "a": Status.AUTH_REQUIRED,
    "d": Status.DOWN,
    "c": Status.CREDENTIAL_REJECTED,
    "?": Status.UNKNOWN,
    "p": Status.PENDING,
}
NAMES = {status: letter for letter, status in LETTERS.items()}


def run(outcomes: str, down_after: int = 3, up_after: int = 2) -> tuple[str, list[ServerState]]:
    state = ServerState("x")
    states = []
    for i, outcome in enumerate(outcomes):
        state = advance(state, LETTERS[outcome], 60 * (i + 1), down_after, up_after)
        states.append(state)
    return "".join(NAMES[s.status] for s in states), states


@pytest.mark.parametrize(
    ("outcomes", "statuses"),
    [
        ("uuu", "uuu"),
        ("uddd", "uuud"),
        ("udduddd", "uuuuuud"),
        ("ddd", "ppd"),
        ("dddu", "ppdd"),
        ("ddduu", "ppddu"),
        ("ddduduu", "ppddddu"),
        ("dddgu", "ppddu"),
        ("dddug", "ppddg"),
        ("udcd", "uuud"),
        ("uddc", "uuuc"),
        ("udddccc", "uuudddc"),
        ("udddcdc", "uuudddd"),
        ("ugg", "uuu"),
        ("uggg", "uuug"),
        ("uggguu", "uuuggu"),
        ("ugugg", "uuuuu"),
        ("uaa", "uua"),
        ("aaa", "aaa"),
        ("ggg", "ggg"),
        ("u??", "uuu"),
        ("u???", "uuu?"),
        ("u???u", "uuu?u"),
        ("u???ddd", "uuu???d"),
        ("u???g", "uuu?g"),
        ("???", "ppp"),
        ("ud?d?d", "uuuuud"),
        ("udd???d", "uuuuu??"),
        ("uddd???", "uuudddd"),
        ("uddd???uu", "uuuddddd" + "u"),
        ("uddd????u?u", "uuudddddddu"),
    ],
)
def test_statuses_round_by_round(outcomes: str, statuses: str) -> None:
    assert run(outcomes)[0] == statuses


def test_since_is_the_first_round_of_the_streak_that_led_to_it() -> None:
    _, states = run("uudddduu")
    assert [s.since for s in states] == [60, 60, 60, 60, 180, 180, 180, 420]
    assert (states[4].previous, states[4].previous_since) == (Status.UP, 60)


def test_unknown_since_is_where_the_silence_began() -> None:
    _, states = run("uu???")
    assert (states[-1].status, states[-1].since) == (Status.UNKNOWN, 180)


@pytest.mark.parametrize(
    ("down_after", "outcomes", "statuses"), [(1, "ud", "ud"), (2, "udd", "uud"), (5, "udddd", "uuuuu")]
)
def test_every_number_is_the_servers_own(down_after: int, outcomes: str, statuses: str) -> None:
    assert run(outcomes, down_after)[0] == statuses
