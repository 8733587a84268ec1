"""Whose error budget burns: when a rule can say so, what is told of it, and what never is."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lookout.config.model import Server, Sink, Site
from lookout.config.route import Route
from lookout.history.minutes import tallies
from lookout.history.slo import RULES, WINDOWS_S
from lookout.probe.result import Status
from lookout.verdict.burning import (
    AGAIN_S,
    RESOLVED,
    Burning,
    Stand,
    closed,
    stands,
    told,
    turn,
)
from lookout.verdict.case import Notice
from lookout.verdict.state import RegionView, ServerState

NOW = 1_787_409_240
MINUTES = 72 * 60
REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")
SINKS = tuple(Sink(name, "webhook", f"https://{name}.example/x") for name in ("chat", "pager"))
SITE = Site("Acme", "us-east-1", REGIONS, SINKS)
ACME = Server("acme", "https://a.example/mcp", name="Acme", tags=("prod",), notify=("chat",), burn_alerts=True)
STATE = ServerState(
    "acme", Status.DOWN, NOW - 300, Status.UP, NOW - 9000, regions=(RegionView("eu-west-1", "down", NOW),)
)
NAMES = [rule.name for rule in RULES]


def text(codes: str, before: str = "u") -> str:
    """Three days that end with `codes`, oldest first."""
    return (before * MINUTES + codes)[-MINUTES:]


def said(codes: str, server: Server = ACME) -> dict[str, bool | None]:
    return {one.burn.rule.name: one.burning for one in stands(tallies(codes, WINDOWS_S), server)}


def says(**burning: bool | None) -> tuple[Stand, ...]:
    """Rules that stand so (`h1` for 1h), at the rates of an outage; the others do not burn."""
    known = stands(tallies(text("d" * 60), WINDOWS_S), ACME)
    return tuple(
        Stand(one.burn, burning.get(f"{name[1]}{name[0]}", False)) for name, one in zip(NAMES, known, strict=True)
    )


PAGES = says(h1=True, h6=True)
TICKETS = says(d3=True)
CALM = says()
UNKNOWN = says(h1=None, h6=None, d3=None)


class Ticks:
    """One server through ticks, all that is kept going through JSON."""

    def __init__(self) -> None:
        self.kept: Burning | None = None
        self.notices: list[tuple[int, Notice]] = []
        self.writes = 0

    def tick(self, found: Iterable[Stand], at: int) -> None:
        turned = turn(self.kept, tuple(found), "acme", NOW + at)
        if turned is None:
            return
        after, what = turned
        if what:
            after, notice = told(after, what, ACME, STATE, SITE, tuple(found), Fraction(2, 5), NOW + at)
            self.notices.append((at, notice))
        self.writes += 1
        self.kept = Burning.from_json("acme", after.version + 1, json.loads(json.dumps(after.to_json())))

    @property
    def told(self) -> list[tuple[int, str, str]]:
        return [(at, one.severity, one.incident.resolution or "") for at, one in self.notices if one.incident]


def played(*ticks: tuple[int, tuple[Stand, ...]]) -> Ticks:
    out = Ticks()
    for at, found in ticks:
        out.tick(found, at)
    return out


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (text(""), []),
        (text("dd"), []),  # a blip: less than an outage
        (text("ddd"), ["1h", "6h"]),
        (text("cdc"), ["1h", "6h"]),
        (text("ddd" + "u" * 4), ["1h", "6h"]),
        (text("ddd" + "u" * 5), ["6h"]),
        (text("ddd" + "?" * 29), ["6h"]),
        (text("ddd" + "u" * 30), []),
        (text("d" + "u" * 18 + "dd"), ["1h", "6h"]),
        (text("d" + "u" * 70 + "dd"), ["6h"]),
        (text("d" * 4 + "u" * 40), []),
        (text("d" * 5 + "u" * 40), ["3d"]),
        (text("d" * 5 + "u" * 360), []),
        (text("DDD"), []),  # maintenance that does not count
        (text("www"), []),
    ],
)
def test_which_rules_burn(codes: str, expected: list[str]) -> None:
    assert [name for name, burning in said(codes).items() if burning] == expected


@pytest.mark.parametrize(
    ("codes", "server", "expected"),
    [
        ("", ACME, (None, None, None)),  # nothing was read yet
        ("ddd" + "u" * 4, ACME, (None, None, None)),
        (text("", "."), ACME, (None, None, None)),  # a server nobody judged
        (text("d" * 29, "."), ACME, (None, None, None)),  # new, and down from the beginning
        (text("d" * 30, "."), ACME, (True, None, None)),  # half of the hour is known
        (text("d" * 180, "."), ACME, (True, True, None)),
        (text("d" * 36 * 60, "."), ACME, (True, True, True)),
        (text("d" + "?" * 29 + "d" * 2 + "?" * 31), ACME, (None, None, False)),  # the short windows know nothing
        (text("d" * 30 + "." * 35), ACME, (None, None, True)),  # nobody judges now
        (text("u" * 24 + "." * 31 + "ddddd"), ACME, (None, True, True)),  # a gap of half the hour
        (text("D" * 90 + "dddd"), ACME, (None, True, False)),  # four minutes after maintenance
        (text("D" * 90 + "ddddd"), ACME, (True, True, True)),
        (text("D" * 90 + "duddd"), ACME, (True, True, False)),
        (text("ddd"), replace(ACME, down_after=4), (False, False, False)),
        (text("ddd"), replace(ACME, down_after=1), (True, True, False)),
        (text("d"), replace(ACME, down_after=1), (True, False, False)),
        (text("d" * 60), replace(ACME, slo="90%"), (False, False, False)),
        (text("d" * 60), replace(ACME, slo="99%"), (True, True, True)),
    ],
)
def test_what_a_rule_can_say(codes: str, server: Server, expected: tuple[bool | None, ...]) -> None:
    assert tuple(said(codes, server).values()) == expected


def test_a_server_probed_each_quarter_of_an_hour() -> None:
    server = replace(ACME, interval_s=900)
    every = "." * 14
    assert tuple(said(text(f"{every}u" * 288 + f"d{every}" * 3), server).values()) == (None, True, True)
    assert tuple(said(text(f"{every}u" * 285 + f"{every}d" * 3), server).values()) == (True, True, True)
    assert tuple(said(text(f"{every}u" * 285 + f"{every}d" * 2), server).values()) == (False, False, False)


def test_without_an_objective_nothing_burns() -> None:
    assert said(text("d" * 60), replace(ACME, slo="0%")) == {}
    assert played((0, PAGES), (60, ()), (120, ())).told == [(0, "high", ""), (120, "info", "recovered")]


@pytest.mark.parametrize(
    ("ticks", "expected"),
    [
        ([(0, CALM)], []),
        ([(0, UNKNOWN)], []),
        ([(0, PAGES), (60, PAGES), (120, says(h6=True, d3=True))], [(0, "high", "")]),
        ([(0, TICKETS), (60, TICKETS)], [(0, "warning", "")]),
        ([(0, TICKETS), (60, PAGES), (120, TICKETS)], [(0, "warning", ""), (60, "high", "")]),
        ([(0, PAGES), (60, CALM), (120, CALM)], [(0, "high", ""), (120, "info", "recovered")]),
        # Two ticks of one minute are one.
        ([(0, PAGES), (65, CALM), (90, CALM), (119, CALM)], [(0, "high", "")]),
        # Burning in between, it is not calm; what is not known changes nothing.
        ([(0, PAGES), (60, CALM), (120, PAGES), (180, CALM), (240, PAGES)], [(0, "high", "")]),
        ([(0, PAGES), (60, UNKNOWN), (120, UNKNOWN), (9000, UNKNOWN)], [(0, "high", "")]),
        ([(0, PAGES), (60, CALM), (120, UNKNOWN), (180, CALM)], [(0, "high", ""), (180, "info", "recovered")]),
        # Only the rule it was told for is waited for.
        ([(0, PAGES), (60, says(d3=None)), (120, says(d3=None))], [(0, "high", ""), (120, "info", "recovered")]),
        ([(0, TICKETS), (60, says(d3=None)), (120, says(d3=None))], [(0, "warning", "")]),
        # The next one opens an hour after the last one did.
        (
            [(0, PAGES), (60, CALM), (120, CALM), (180, PAGES), (3599, PAGES), (3600, PAGES)],
            [(0, "high", ""), (120, "info", "recovered"), (3600, "high", "")],
        ),
    ],
)
def test_what_is_told_when(ticks: list[tuple[int, tuple[Stand, ...]]], expected: list[tuple[int, str, str]]) -> None:
    assert played(*ticks).told == expected


def test_what_a_notice_says() -> None:
    known = played((5, TICKETS), (60, PAGES), (120, CALM), (180, CALM))
    opened, updated, over = (one for _, one in known.notices)
    assert opened.type == updated.type == over.type == "slo.burn"
    assert opened.dedup_key == updated.dedup_key == over.dedup_key
    assert opened.dedup_key.startswith("slo_")
    assert len({opened.id, updated.id, over.id}) == 3
    assert (opened.sequence, updated.sequence, over.sequence) == (0, NOW + 60, 1 << 40)
    assert (opened.created_at, opened.status, opened.previous_status) == (NOW + 5, "down", "up")
    assert (opened.sinks, opened.server["url"], opened.quorum.rule) == (("chat",), "https://a.example/mcp", "slo")
    assert opened.slo == {
        "objective": "99.9%",
        "window": "3d",
        "severity": "ticket",
        "burn_rate": 13.89,
        "threshold": 1.0,
        "short_window_seconds": 21600,
        "short_burn_rate": 166.67,
        "budget_remaining": 0.4,
    }
    assert updated.slo is not None
    assert (updated.slo["window"], updated.slo["threshold"], updated.slo["burn_rate"]) == ("1h", 14.4, 1000.0)
    assert over.incident is not None
    assert (over.incident.kind, over.incident.started_at, over.incident.resolved_at) == ("slo", NOW, NOW + 120)


def test_the_same_minute_makes_the_same_notice() -> None:
    """Whichever of two ticks is first: the other one's is refused."""
    first, second = played((1, PAGES)).notices[0][1], played((58, PAGES)).notices[0][1]
    assert (first.id, first.dedup_key) == (second.id, second.dedup_key)
    assert played((61, PAGES)).notices[0][1].id != first.id


@pytest.mark.parametrize(
    ("server", "resolution", "name"),
    [
        (None, "removed", "Acme"),
        (replace(ACME, paused=True, burn_alerts=False), "paused", "Acme"),
        (replace(ACME, burn_alerts=False, name="Acme Search"), "off", "Acme Search"),
    ],
)
def test_what_is_not_looked_at_any_more_is_told_to_be_over(server: Server | None, resolution: str, name: str) -> None:
    known = played((0, PAGES), (60, CALM)).kept
    assert known is not None
    after = closed(known, server, NOW + 130)
    assert (after.open, after.over_at, after.resolution) == (False, NOW + 120, resolution)
    after, notice = told(after, RESOLVED, server, STATE, SITE, (), None, NOW + 130)
    assert notice.incident is not None
    assert (notice.severity, notice.sequence, notice.incident.resolution) == ("info", 1 << 40, resolution)
    assert (notice.server["name"], notice.sinks, notice.slo) == (name, ("chat",), known.slo)
    assert closed(known, server, NOW - 100).over_at == known.opened_at


def test_whoever_was_told_is_told_of_the_end() -> None:
    routed = replace(SITE, routes=(Route(("pager",), severity="high", kinds=("slo",)), Route(("chat",))))
    server = replace(ACME, routed=True)
    turned = turn(None, PAGES, "acme", NOW)
    assert turned is not None
    known, opened = told(*turned, server, STATE, routed, PAGES, None, NOW)
    assert opened.sinks == ("pager",)
    over, notice = told(closed(known, server, NOW + 60), RESOLVED, server, STATE, routed, CALM, None, NOW + 60)
    assert notice.sinks == ("chat", "pager")
    gone = replace(routed, sinks=SINKS[:1])
    assert told(over, RESOLVED, None, STATE, gone, (), None, NOW + 60)[1].sinks == ("chat",)


@given(st.lists(st.sampled_from([PAGES, TICKETS, CALM, UNKNOWN]), max_size=150), st.data())
def test_alerts_open_and_end_in_turn(minutes: list[tuple[Stand, ...]], data: st.DataObject) -> None:
    """Ticks that come late, twice or not at all: an alert never opens in another, nor twice within an hour."""
    play = Ticks()
    for i, found in enumerate(minutes):
        for at in data.draw(st.lists(st.integers(0, 59), max_size=2)):
            play.tick(found, 60 * i + at)
    opened: list[int] = []
    phases = ""
    for at, notice in play.notices:
        assert notice.incident is not None
        over = notice.incident.resolved_at is not None
        phases += "r" if over else "o" if notice.sequence == 0 else "u"
        if phases[-1] == "o":
            opened.append((NOW + at) // 60)
    assert phases.replace("u", "").strip("o") in ("", "r" + "or" * (phases.count("r") - 1))
    assert "uu" not in phases
    assert "ru" not in phases
    assert all(b - a >= AGAIN_S // 60 for a, b in pairwise(opened))
    assert len({notice.id for _, notice in play.notices}) == len(play.notices)
    assert len({notice.dedup_key for _, notice in play.notices}) == phases.count("o")


@given(
    st.text("uudgc?.D", min_size=400, max_size=400),
    st.sampled_from([60, 120, 300, 900, 3600]),
    st.integers(1, 5),
    st.sampled_from(["99.9%", "99%", "90%"]),
)
def test_rules_against_counting_minute_by_minute(codes: str, interval_s: int, down_after: int, slo: str) -> None:
    """Written down anew, from decision 21, without fractions of anybody else."""
    server = replace(ACME, interval_s=interval_s, down_after=down_after, slo=slo)
    line = text(codes)
    allowed = 1 - Fraction(slo.rstrip("%")) / 100
    expected = []
    for rule in RULES:
        rates = []
        for window in (rule.long_s, rule.short_s):
            part = line[-(window // 60) :]
            good, bad = sum(c in "ug" for c in part), sum(c in "dc" for c in part)
            rates.append(None if good + bad == 0 else Fraction(bad, good + bad) / allowed)
        part = line[-(rule.long_s // 60) :]
        failed, judged, away = (sum(c in these for c in part) for these in ("dc", "ugdc", "D"))
        if any(rate is not None and rate < rule.threshold for rate in rates):
            expected.append(False)
        elif None in rates:
            expected.append(None)
        elif failed < down_after:
            expected.append(False)
        else:
            rounds, least = rule.long_s // interval_s, rule.short_s // interval_s
            expected.append(True if judged * 2 >= rounds - away and judged >= least else None)
    assert list(said(line, server).values()) == expected
