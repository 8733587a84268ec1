"""Drift stays open until somebody acts, it is taken back, or a week has passed: decision 12, C4."""

from __future__ import annotations

from dataclasses import replace

from lookout.history.round import Round
from lookout.surface.diff import Drift, unreadable
from lookout.surface.model import Surface
from lookout.verdict.case import Incident, Notice
from lookout.verdict.judge import judge_minute, surfaces_to_compare
from lookout.verdict.state import ShardState

from tests.unit.verdict.test_drift import ONE, REGIONS, SERVER, SITE, START, THREE, TWO, result


class Life:
    """A server whose surface changes; what changed is not readable, so every change is of class unknown."""

    def __init__(self) -> None:
        self.state = ShardState("s000")
        self.minute = START
        self.open: dict[str, Incident] = {}
        self.told: list[Notice] = []

    def see(self, *surfaces: Surface) -> Life:
        for surface in surfaces:
            rounds = {r: Round("s000", self.minute, r, (result("acme", surface, self.minute),)) for r in REGIONS}
            wanted = surfaces_to_compare(self.state, self.minute, rounds, SITE)
            drifts: dict[tuple[str, str], Drift] = {(a, b): unreadable(a, b) for a, b in wanted}
            judged = judge_minute(self.state, self.minute, rounds, [SERVER], SITE, self.open, drifts)
            for incident in judged.incidents:
                self.open[incident.id] = incident
                if incident.resolved_at is not None:
                    del self.open[incident.id]
            self.state, self.minute = judged.state, self.minute + 60
            self.told += judged.notices
        return self

    @property
    def types(self) -> list[str]:
        return [notice.type for notice in self.told]


def test_a_change_opens_an_incident_and_a_further_one_is_told_within_it() -> None:
    life = Life().see(ONE, ONE, TWO, TWO, *[TWO] * 5, THREE, THREE)
    assert life.types == ["drift.detected", "drift.detected"]
    assert life.told[0].dedup_key == life.told[1].dedup_key == next(iter(life.open))
    assert life.told[0].id != life.told[1].id
    (incident,) = life.open.values()
    assert [e.what for e in incident.timeline] == ["opened", "updated"]
    assert incident.surface == ONE.address


def test_what_leads_back_ends_it_a_round_later() -> None:
    life = Life().see(ONE, ONE, TWO, TWO, *[TWO] * 5, ONE, ONE)
    assert life.types == ["drift.detected", "drift.detected"]
    life.see(ONE)
    assert life.types[2:] == ["incident.resolved"]
    assert life.told[-1].incident is not None
    assert (life.told[-1].incident.resolution, life.open) == ("reverted", {})
    assert life.state.servers["acme"].incidents == {}


def test_a_week_without_a_change_ends_it_too() -> None:
    life = Life().see(ONE, ONE, TWO, TWO)
    opened = life.minute - 60
    life.minute = opened + 7 * 86400 - 60
    life.see(TWO)
    assert life.types == ["drift.detected"]
    life.see(TWO)
    assert life.types[1:] == ["incident.resolved"]
    assert life.told[-1].incident is not None
    assert life.told[-1].incident.resolution == "settled"


def test_an_incident_a_person_accepted_is_over_and_the_next_change_opens_another() -> None:
    life = Life().see(ONE, ONE, TWO, TWO)
    life.open.clear()
    life.see(*[TWO] * 5, ONE, ONE)
    assert life.types == ["drift.detected", "drift.detected"]
    assert life.told[0].dedup_key != life.told[1].dedup_key


def test_an_incident_without_a_timeline_counts_from_its_opening() -> None:
    life = Life().see(ONE, ONE, TWO, TWO)
    life.open = {key: replace(incident, timeline=()) for key, incident in life.open.items()}
    life.minute += 8 * 86400
    assert life.see(TWO).types[1:] == ["incident.resolved"]
