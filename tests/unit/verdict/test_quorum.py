from __future__ import annotations

import pytest
from lookout.probe.result import ProbeResult, Status
from lookout.verdict.quorum import decide, quorum_of

REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")
LETTERS = {
    "u": Status.UP,
    "g": Status.DEGRADED,
    "a": Status.AUTH_REQUIRED,
    "d": Status.DOWN,
    "c": Status.CREDENTIAL_REJECTED,
    "?": Status.UNKNOWN,
}


def results(says: str, regions: tuple[str, ...] = REGIONS) -> dict[str, ProbeResult]:
    """`u`... per region, `-` for silence."""
    pairs = zip(regions, says, strict=False)
    return {region: ProbeResult("x", LETTERS[s], 0) for region, s in pairs if s != "-"}


@pytest.mark.parametrize(
    ("says", "quorum", "outcome"),
    [
        ("uuu", None, "u"),
        ("ddd", None, "d"),
        ("ddu", None, "d"),
        ("duu", None, "g"),
        ("dd-", None, "d"),
        ("du-", None, "g"),
        ("dd?", None, "d"),
        ("du?", None, "g"),
        ("d--", None, "?"),
        ("u--", None, "?"),
        ("d??", None, "?"),
        ("???", None, "?"),
        ("---", None, "?"),
        ("duu", 1, "d"),
        ("ddu", 3, "g"),
        ("dd-", 3, "d"),
        ("ccc", None, "c"),
        ("ccd", None, "c"),
        ("cdd", None, "d"),
        ("cd-", None, "d"),
        ("aaa", None, "a"),
        ("aau", None, "a"),
        ("ggu", None, "g"),
        ("guu", None, "u"),
        ("ga?", None, "g"),
        ("au?", None, "a"),
    ],
)
def test_three_regions(says: str, quorum: int | None, outcome: str) -> None:
    assert decide(results(says), REGIONS, quorum).outcome is LETTERS[outcome]


@pytest.mark.parametrize(("says", "outcome"), [("d-", "d"), ("dd", "d"), ("du", "g"), ("u-", "u"), ("--", "?")])
def test_two_regions(says: str, outcome: str) -> None:
    assert decide(results(says, REGIONS[:2]), REGIONS[:2]).outcome is LETTERS[outcome]


@pytest.mark.parametrize(("says", "outcome"), [("d", "d"), ("u", "u"), ("?", "?")])
def test_one_region(says: str, outcome: str) -> None:
    assert decide(results(says, REGIONS[:1]), REGIONS[:1]).outcome is LETTERS[outcome]


def test_names_the_failing_and_the_silent_regions_and_ignores_strangers() -> None:
    seen = results("d-?") | {"mars-1": ProbeResult("x", Status.DOWN, 0)}
    verdict = decide(seen, REGIONS)
    assert (verdict.failing, verdict.unknown, verdict.reported, verdict.total) == (
        ("us-west-2",),
        ("eu-west-1", "ap-southeast-1"),
        1,
        3,
    )
    assert decide(results("ddu"), REGIONS).rule == "2-of-3"


@pytest.mark.parametrize(
    ("reported", "configured", "needed"),
    [
        (1, None, 1),
        (2, None, 2),
        (3, None, 2),
        (4, None, 3),
        (5, None, 3),
        (3, 1, 1),
        (3, 9, 3),
        (0, 2, 1),
        (0, None, 1),
    ],
)
def test_quorum_is_more_than_half_and_at_least_two(reported: int, configured: int | None, needed: int) -> None:
    assert quorum_of(reported, configured) == needed
