"""Service level objectives: what is left of the error budget, and how fast it burns. Exact fractions. Pure.

Burn rate 1 spends the budget of 30 days in 30 days. A rule burns when the rate over its long window AND over its short
one reaches its threshold: the long one says that it matters, the short one that it still goes on, so that an alert ends
soon after the trouble does. Windows and thresholds are those of "multiwindow, multi-burn-rate alerts" in the SRE
workbook (chapter "Alerting on SLOs"): 2 % of the budget in an hour, 5 % in six, 10 % in three days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from lookout.history.uptime import Tally

BUDGET_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class BurnRule:
    """`threshold` is a burn rate, windows are seconds."""

    name: str
    long_s: int
    short_s: int
    threshold: Fraction
    severity: str


RULES: Final = (
    BurnRule("1h", 3600, 300, Fraction(2 * BUDGET_DAYS * 24, 100 * 1), "page"),
    BurnRule("6h", 6 * 3600, 1800, Fraction(5 * BUDGET_DAYS * 24, 100 * 6), "page"),
    BurnRule("3d", 72 * 3600, 6 * 3600, Fraction(10 * BUDGET_DAYS * 24, 100 * 72), "ticket"),
)
WINDOWS_S: Final = tuple(sorted({window for rule in RULES for window in (rule.long_s, rule.short_s)}))
"""The windows whose tallies `burns` wants."""


@dataclass(frozen=True, slots=True)
class Burn:
    """How one rule stands. A rate is None where its window has no judged round."""

    rule: BurnRule
    long_rate: Fraction | None
    short_rate: Fraction | None

    @property
    def burning(self) -> bool:
        """Do both windows reach the threshold?"""
        rates = (self.long_rate, self.short_rate)
        return all(rate is not None and rate >= self.rule.threshold for rate in rates)


def objective(slo: str) -> Fraction | None:
    """`99.9%` as 999/1000; None where it is not a percentage between 0 and 100, exclusive."""
    try:
        value = Fraction(slo.strip().removesuffix("%")) / 100
    except (ValueError, ZeroDivisionError):
        return None
    return value if 0 < value < 1 else None


def burn_rate(tally: Tally, target: Fraction) -> Fraction | None:
    """The share of failed rounds over the share that may fail; None without a judged round."""
    return None if tally.uptime is None else (1 - tally.uptime) / (1 - target)


def budget_left(tally: Tally, slo: str) -> Fraction | None:
    """What is left of the error budget over a window, 1 down to below 0 when overspent; None without data."""
    target = objective(slo)
    rate = None if target is None else burn_rate(tally, target)
    return None if rate is None else 1 - rate


def burns(tallies: Mapping[int, Tally], slo: str) -> tuple[Burn, ...]:
    """Every rule's rates, from the tallies of the last so many seconds (`WINDOWS_S`); none without an objective."""
    target = objective(slo)
    if target is None:
        return ()
    rates = {window: burn_rate(tallies.get(window, Tally()), target) for window in WINDOWS_S}
    return tuple(Burn(rule, rates[rule.long_s], rates[rule.short_s]) for rule in RULES)
