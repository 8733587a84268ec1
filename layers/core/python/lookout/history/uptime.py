"""The arithmetic of uptime. Integers only; a ratio is made where it is shown, and is an exact fraction.

    uptime      = ok / (ok + fail)           over judged rounds
    coverage    = (ok + fail) / due          due excludes maintenance that is not counted
    uptime_time = 1 - incident seconds / (window - excluded maintenance)

`unknown` is in neither; degraded and auth_required are ok; no data is None, never 0 % and never 100 %.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

from lookout.history.spans import Span, clip, seconds, without
from lookout.probe.result import Status

OUTCOME_CODES: dict[Status, str] = {
    Status.UP: "u",
    Status.DEGRADED: "g",
    Status.AUTH_REQUIRED: "a",
    Status.DOWN: "d",
    Status.CREDENTIAL_REJECTED: "c",
    Status.UNKNOWN: "?",
    Status.MAINTENANCE: "m",
}
"""One character per judged round of one server; `.` stands for a minute in which no probe was due."""

NOT_DUE = "."
DECLARED_UP: Final = "w"
"""A minute of maintenance that counts as up, whatever was seen."""
EXCLUDED: Final = {"u": "U", "g": "G", "a": "A", "d": "D", "c": "C", "?": "m", DECLARED_UP: "m"}
"""A minute of maintenance that does not count: the code still says what was seen."""
_OK = frozenset(f"uga{DECLARED_UP}")
_FAIL = frozenset("dc")
_EXCLUDED = frozenset(EXCLUDED.values())
_KNOWN = frozenset({*_OK, *_FAIL, "?"})


class Counting(StrEnum):
    """How the rounds of a maintenance window count: not at all, as up, or as they were."""

    EXCLUDE = "exclude"
    COUNT_UP = "count_up"
    COUNT_AS_IS = "count_as_is"


@dataclass(frozen=True, slots=True)
class Maintenance:
    """One window, in unix seconds, its end not included."""

    begin: int
    end: int
    counting: Counting = Counting.EXCLUDE


def declared(codes: str, begin: int, windows: Iterable[Maintenance]) -> str:
    """The codes of successive minutes, the first beginning at `begin`, as they count with these windows.

    Where windows overlap, exclude goes before count_up and that before count_as_is. Applied again they change nothing.
    """
    known = list(windows)
    return "".join(_declared(code, begin + 60 * i, known) for i, code in enumerate(codes))


def _declared(code: str, minute: int, windows: list[Maintenance]) -> str:
    return as_declared(code, strongest(window.counting for window in windows if window.begin <= minute < window.end))


def strongest(countings: Iterable[Counting]) -> Counting | None:
    """Of windows that overlap: exclude goes before count_up, and that before count_as_is; None of none."""
    found = set(countings)
    return next((counting for counting in Counting if counting in found), None)


def as_declared(code: str, counting: Counting | None) -> str:
    """The code of a minute in a window that counts so (None: in none). Applied again it changes nothing."""
    if counting is Counting.EXCLUDE:
        return EXCLUDED.get(code, code)
    if counting is Counting.COUNT_UP and code in _KNOWN:
        return DECLARED_UP
    return code


@dataclass(frozen=True, slots=True)
class Tally:
    """Rounds of one server in some window. `due` = ok + fail + unknown."""

    ok: int = 0
    fail: int = 0
    unknown: int = 0
    excluded: int = 0
    degraded: int = 0
    """Of the ok ones."""

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.ok + other.ok,
            self.fail + other.fail,
            self.unknown + other.unknown,
            self.excluded + other.excluded,
            self.degraded + other.degraded,
        )

    @property
    def due(self) -> int:
        """Rounds that were due."""
        return self.ok + self.fail + self.unknown

    @property
    def uptime(self) -> Fraction | None:
        """Ok / (ok + fail), exact; None without a judged round."""
        judged = self.ok + self.fail
        return Fraction(self.ok, judged) if judged else None

    @property
    def coverage(self) -> Fraction | None:
        """(ok + fail) / due, exact; None where nothing was due."""
        return Fraction(self.ok + self.fail, self.due) if self.due else None


def tally(codes: Iterable[str]) -> Tally:
    """Count outcome codes; `.` and anything unknown to this version count as not due."""
    ok = fail = unknown = excluded = degraded = 0
    for code in codes:
        if code in _OK:
            ok += 1
            degraded += code == "g"
        elif code in _FAIL:
            fail += 1
        elif code == "?":
            unknown += 1
        elif code in _EXCLUDED:
            excluded += 1
    return Tally(ok, fail, unknown, excluded, degraded)


def total(tallies: Iterable[Tally]) -> Tally:
    """Sum."""
    out = Tally()
    for item in tallies:
        out = out + item
    return out


def uptime_time(since: int, until: int, incidents: Iterable[Span], excluded: Iterable[Span] = ()) -> Fraction | None:
    """1 - incident seconds / (window - excluded maintenance), exact; None of an empty window.

    The window is [since, until); an incident that still goes on ends at `until` or later. A second that two incidents
    share counts once; one within excluded maintenance counts in neither.
    """
    gone = clip(excluded, since, until)
    counted = seconds(without([(since, until)], gone))
    if not counted:
        return None
    return 1 - Fraction(seconds(without(clip(incidents, since, until), gone)), counted)


def percent(ratio: Fraction | None, digits: int = 2) -> str | None:
    """A ratio as a percentage, rounded DOWN so that 99.999 % never reads as 100 %; None stays None."""
    if ratio is None:
        return None
    scale = 10**digits
    whole = ratio.numerator * 100 * scale // ratio.denominator
    text = f"{whole // scale}.{whole % scale:0{digits}d}"
    return text.rstrip("0").rstrip(".") + "%"
