"""The arithmetic of uptime (SHAPES 7). Integers only; a ratio is made where it is shown.

    uptime   = ok / (ok + fail)              over judged rounds
    coverage = (ok + fail) / due             due excludes maintenance

`unknown` is in neither; degraded and auth_required are ok; no data is None, never 0 % and never 100 %.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

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
_OK = frozenset("uga")
_FAIL = frozenset("dc")


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
        elif code == "m":
            excluded += 1
    return Tally(ok, fail, unknown, excluded, degraded)


def total(tallies: Iterable[Tally]) -> Tally:
    """Sum."""
    out = Tally()
    for item in tallies:
        out = out + item
    return out


def percent(ratio: Fraction | None, digits: int = 2) -> str | None:
    """A ratio as a percentage, rounded DOWN so that 99.999 % never reads as 100 %; None stays None."""
    if ratio is None:
        return None
    scale = 10**digits
    whole = ratio.numerator * 100 * scale // ratio.denominator
    text = f"{whole // scale}.{whole % scale:0{digits}d}"
    return text.rstrip("0").rstrip(".") + "%"
