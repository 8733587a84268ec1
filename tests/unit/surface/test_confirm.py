from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lookout.surface.confirm import CALM, DAY, KEYS, NOTHING, SETTLED, STEPS, Memory, Sighting, Step, observe

REGIONS = ("r1", "r2", "r3")
KEY = "modern/2026-07-28/"


def play(*columns: str, memory: Memory = NOTHING, key: str = KEY, start: int = 0) -> tuple[Memory, list[Step]]:
    """One text per region, one letter per minute: the surface that was seen; `-` for none."""
    steps: list[Step] = []
    for i, letters in enumerate(zip(*columns, strict=True)):
        seen = {r: Sighting(key, a) for r, a in zip(REGIONS, letters, strict=False) if a != "-"}
        memory, now = observe(memory, seen, start + 60 * i, REGIONS[: len(columns)])
        assert Memory.from_json(json.loads(json.dumps(memory.to_json()))) == memory
        steps += now
    return memory, steps


def told(steps: list[Step]) -> list[tuple[str, str, str]]:
    return [("unstable" if s.unstable else "changed", s.old, s.new) for s in steps]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ("AAAA", []),
        ("AAAB", []),
        ("AABB", [("changed", "A", "B")]),
        ("AAB-B", [("changed", "A", "B")]),
        ("ABB", []),
        ("AABBBBCC", [("changed", "A", "B"), ("changed", "B", "C")]),
        ("AABC", []),
        ("AABCC", [("changed", "A", "C")]),
        ("AABA", [("unstable", "A", "B")]),
        ("AABBA", [("changed", "A", "B"), ("unstable", "A", "B")]),
        ("AABABABABBABB", [("unstable", "A", "B")]),
        ("AA" + "B" * CALM + "AA", [("changed", "A", "B"), ("changed", "B", "A")]),
        ("AABA" + "B" * (SETTLED - 1), [("unstable", "A", "B")]),
        ("AABA" + "B" * SETTLED, [("unstable", "A", "B"), ("changed", "A", "B")]),
        ("AABA" + "A" * SETTLED + "BB", [("unstable", "A", "B"), ("changed", "A", "B")]),
        ("AABCDE", [("unstable", "E", "D")]),
        ("ABCDE" + "F" * SETTLED, [("unstable", "E", "D")]),
    ],
)
def test_one_region(seen: str, expected: list[tuple[str, str, str]]) -> None:
    assert told(play(seen)[1]) == expected


def test_what_is_unstable_is_told_once_a_day() -> None:
    memory, first = play("AABA" + "A" * SETTLED)
    memory, again = play("BA", memory=memory, start=DAY // 2)
    memory, calm = play("A" * SETTLED, memory=memory, start=DAY // 2 + 600)
    _, next_day = play("BA", memory=memory, start=DAY + 600)
    assert [told(s) for s in (first, again, calm, next_day)] == [
        [("unstable", "A", "B")],
        [],
        [],
        [("unstable", "A", "B")],
    ]


def test_one_change_seen_by_several_regions_is_one_step() -> None:
    _, together = play("AABB", "AABB", "AABB")
    assert together == [Step(KEY, "A", "B", REGIONS)]
    _, apart = play("AABBBBB", "AAAABBB", "AAAAABB")
    assert apart == [Step(KEY, "A", "B", ("r1",))]


def test_the_same_change_again_is_told_again() -> None:
    held = "A" * 6 + "B" * 6
    memory, steps = play(held * 2, held * 2, "A" * 24)
    assert told(steps) == [("changed", "A", "B"), ("changed", "B", "A"), ("changed", "A", "B")]
    assert all(step.regions == ("r1", "r2") for step in steps)
    assert len(memory.taken) <= STEPS


def test_a_region_that_skipped_one_of_two_changes_says_nothing_new() -> None:
    a = "AABBBBBCCCCC"
    assert told(play(a, a, "AAAAAAA--CCC")[1]) == [("changed", "A", "B"), ("changed", "B", "C")]


def test_regions_that_are_served_different_surfaces_each_have_their_own() -> None:
    _, steps = play("AAAACCC", "BBBBDDD")
    assert told(steps) == [("changed", "A", "C"), ("changed", "B", "D")]


def test_a_step_no_region_takes_any_more_is_forgotten_after_a_day() -> None:
    memory, _ = play("AABB", "AAAA")
    assert memory.taken
    memory, late = play("BB", "BB", memory=memory, start=2 * DAY)
    assert told(late) == [("changed", "A", "B")]
    assert late[0].regions == ("r2",)


def test_each_key_has_a_baseline_of_its_own_and_changing_keys_resets_none() -> None:
    memory, steps = play("AA")
    memory, legacy = play("BB", memory=memory, key="legacy/2025-11-25/")
    memory, back = play("AA", memory=memory)
    memory, changed = play("CC", memory=memory, key="legacy/2025-11-25/")
    assert told(steps + legacy + back) == []
    assert told(changed) == [("changed", "B", "C")]
    for i in range(KEYS + 2):
        memory, _ = play("AA", memory=memory, key=f"k{i}")
    assert [t.key for t in memory.tracks["r1"]] == [f"k{i}" for i in range(KEYS + 1, 1, -1)]


def test_a_region_that_no_longer_probes_is_forgotten() -> None:
    memory, _ = play("AA", "AA", "AA")
    memory, _ = play("A", memory=memory)
    assert list(memory.tracks) == ["r1"]


def test_what_need_not_be_stored_again() -> None:
    memory, _ = play("AAAAABC")
    assert memory.addresses() == ("A", "B", "C")


def test_calm_servers_take_little_room() -> None:
    address = "0123456789abcdef" * 2
    memory = NOTHING
    for i in range(CALM):
        memory, _ = observe(memory, {r: Sighting(KEY, address) for r in REGIONS}, 60 * i, REGIONS)
    assert memory.to_json() == {"t": [[list(REGIONS), [{"k": KEY, "b": address}]]]}


LETTERS = st.text("AABC-", min_size=20, max_size=60)


@settings(max_examples=200, deadline=None)
@given(LETTERS, LETTERS)
def test_whatever_is_seen_memory_stays_small_and_steps_are_believable(one: str, two: str) -> None:
    length = min(len(one), len(two))
    memory, steps = play(one[:length], two[:length])
    assert play(one[:length], two[:length]) == (memory, steps)
    assert len(memory.taken) <= STEPS
    assert sum(step.unstable for step in steps) <= 1
    for step in steps:
        assert step.old != step.new
        assert step.regions
        assert step.unstable or all(step.new * 2 in (one, two)[REGIONS.index(r)].replace("-", "") for r in step.regions)


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 30), st.lists(st.sampled_from("ABC"), max_size=6))
def test_what_stays_is_believed_in_the_end(calm: int, noise: list[str]) -> None:
    """However restless it was, a surface that stays becomes the baseline, and is told if it is another one."""
    seen = "A" * calm + "".join(noise) + "D" * SETTLED
    memory, steps = play(seen)
    (track,) = memory.tracks["r1"]
    assert (track.base, track.unstable, track.run) == ("D", False, CALM)
    assert told(steps)[-1][0] == "changed"
    assert told(steps)[-1][2] == "D"
