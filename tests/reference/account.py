"""What a server's status, incidents and notices must be, worked out anew from everything that was ever heard of it.

Written from DESIGN.md and docs/decisions/0001 and 0012, without a look at `lookout.verdict`; slow on purpose. An
`Account` is told of one server's judged minutes one by one, from the first to its removal, and keeps them. No streak is
ever counted up: each is found in the list of rounds, from the newest backwards, every time it is asked for.

    history   every round there ever was: what is usual, and when it was heard of last
    watch     the rounds since it was last switched on: what is known of it
    counted   those of them that streaks may use: since a window of maintenance began or ended, if one did
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lookout.probe.result import ProbeResult

from tests.reference import conditions, telling
from tests.reference.facts import failure_of
from tests.reference.rounds import FAILING, FINE, Change, Heard, Plan, streak
from tests.reference.standing import Moment, after, due, view
from tests.reference.usual import DAY, Timed, usual

HOUR = 3600
CALM = 1800
WEEK = 7 * DAY


@dataclass
class Account:
    """`seeds` are rounds it had before the first minute, as far as they count for what is usual."""

    seeds: Sequence[Timed] = ()
    history: list[Heard] = field(default_factory=list)
    watch: list[Heard] = field(default_factory=list)
    stood: list[str] = field(default_factory=list)
    """The status after each round of the watch."""
    usual: dict[int, int | None] = field(default_factory=dict)
    """Its baseline by day: what it rests on is over when the day begins."""
    counted_from: int = 0
    news_from: int = 0
    """Rounds of the watch before this one say nothing new about an outage: they are older than what was last told."""
    status: str = "pending"
    since: int = 0
    previous: str = "pending"
    previous_since: int = 0
    turns: list[int] = field(default_factory=list)
    flapping_since: int = 0
    open: dict[str, dict[str, Any]] = field(default_factory=dict)
    told: list[dict[str, Any]] = field(default_factory=list)
    codes: dict[int, str] = field(default_factory=dict)
    moments: list[Moment] = field(default_factory=list)
    drifted_at: int = 0
    """The minute of the newest change of its drift incident."""
    led_back: bool = False
    """Did that lead back to where it began?"""

    # --- a minute ---------------------------------------------------------------------------------------------------

    def hear(self, heard: Heard) -> None:
        """One judged minute more."""
        if not self.moments:
            self.since = heard.minute
        if heard.server.paused:
            self._pause(heard)
        else:
            if self.status == "paused":
                self._turn("pending", heard.minute)
            never_probed = not self.watch and not heard.of_regions
            if due(heard.server, heard.minute) and not never_probed:
                self._round(heard)
        self._stands(heard)

    def hear_again(self, answers: Sequence[Mapping[str, ProbeResult]]) -> None:
        """What regions that failed in the newest round said when they asked once more, and once more."""
        for again, said in enumerate(answers, start=1):
            last = self.watch[-1]
            if not last.fails or last.covered or self.status in FAILING or not set(last.failing) <= set(said):
                return
            newest = replace(last, results={**last.results, **said}, again=again, heard_at=last.minute)
            self.watch.append(newest)
            if newest.fails:
                self._settle(newest)
            self.stood.append(self.status)
            self._stands(newest)

    def _stands(self, heard: Heard) -> None:
        self.moments.append(
            Moment(
                heard.minute,
                heard.plan,
                self.status,
                self.since,
                self.previous,
                self.previous_since,
                self.flapping_since,
                tuple(sorted(self.open)),
                tuple(self.watch),
                tuple(self.counted),
            )
        )

    def remove(self, at: int, plan: Plan) -> None:
        """It is not listed any more."""
        self._unwatch(at, plan, "removed")

    @property
    def counted(self) -> list[Heard]:
        """The rounds that streaks may use."""
        return self.watch[self.counted_from :]

    def _pause(self, heard: Heard) -> None:
        if self.status == "paused":
            return
        self._unwatch(heard.minute, heard.plan, "paused")
        self._turn("paused", heard.minute)
        self.watch, self.stood, self.counted_from, self.news_from = [], [], 0, 0
        self.turns, self.flapping_since = [], 0

    def _unwatch(self, at: int, plan: Plan, why: str) -> None:
        for kind in list(self.open):
            incident = self.open[kind]
            incident |= {"resolved_at": max(at, incident["started_at"]), "resolution": why}
            self.told.append(telling.unwatched(self, at, plan, why, incident))
            del self.open[kind]

    def _round(self, heard: Heard) -> None:
        day = heard.minute // DAY
        if day not in self.usual:
            timed = [Timed(one.minute, one.latency_ms) for one in self.history if one.latency_ms is not None]
            self.usual[day] = usual([*self.seeds, *timed], heard.minute)
        before = next((one.minute for one in reversed(self.history) if one.of_regions), None)
        newest = replace(heard, usual_ms=self.usual[day], heard_at=before)
        self.history.append(newest)
        self.watch.append(newest)
        self.codes[newest.minute] = newest.code
        if newest.covered:
            self._within(newest)
        else:
            self._without(newest)
        self.stood.append(self.status)
        self._conditions(newest)
        self._expiries(newest)
        self._drifts(newest)

    # --- maintenance ------------------------------------------------------------------------------------------------

    def _anew(self) -> None:
        self.counted_from = self.news_from = len(self.watch) - 1

    def _within(self, newest: Heard) -> None:
        if self.status != "maintenance":
            self._turn("maintenance", newest.minute)
            self._anew()
            self.turns, self.flapping_since = [], 0
        good = streak(self.counted, len(self.counted) - 1, exactly=False)
        if "availability" in self.open and newest.known and not newest.fails and len(good) >= newest.server.up_after:
            self._resolve("availability", good[-1].minute)

    def _without(self, newest: Heard) -> None:
        if self.status == "maintenance":
            self._anew()
            outage = self.open.get("availability")
            self._turn(outage["status"] if outage else "unknown", newest.minute)
        self._settle(newest)

    def _settle(self, newest: Heard) -> None:
        if self.flapping_since and newest.minute - self.turns[-1] > CALM:
            self.turns, self.flapping_since = [], 0
        was, flapped = self.status, self.flapping_since
        self._turn(*after(self.status, self.since, self.counted))
        if (was in FINE and self.status in FAILING) or (was in FAILING and self.status in FINE):
            self.turns.append(newest.minute)
        recent = [turn for turn in self.turns if turn > newest.minute - HOUR]
        limit = newest.server.flap_after
        if limit and not flapped and self.turns[-1:] == [newest.minute] and len(recent) > limit:
            self.flapping_since = newest.minute
        self._outage(newest, turned=bool(self.flapping_since and not flapped))

    def _turn(self, status: str, since: int) -> None:
        if status != self.status:
            self.previous, self.previous_since = self.status, self.since
            self.status, self.since = status, since

    # --- the outage -------------------------------------------------------------------------------------------------

    def _outage(self, newest: Heard, *, turned: bool) -> None:
        """`turned`: it is this round that made it flap."""
        incident = self.open.get("availability")
        if incident is None:
            if self.status in FAILING:
                self._open("availability", self.since, newest, flapping=turned)
                self.news_from = len(self.watch)
        elif turned:
            incident["flapping"] = True
            self.told.append(telling.told("incident.updated", self, incident))
        elif self.flapping_since:
            self.news_from = len(self.watch)
        elif self.status in FINE:
            self._resolve("availability", self.since)
        elif (
            newest.fails and self.status in FAILING and (self.status != incident["status"] or self._looks_new(incident))
        ):
            incident |= self._look(newest)
            self.news_from = len(self.watch)
            self.told.append(telling.told("incident.updated", self, incident))

    def _look(self, newest: Heard) -> dict[str, Any]:
        return {
            "status": self.status,
            "failure": failure_of(self.watch),
            "regions": newest.failing,
            "regions_total": len(newest.regions),
        }

    def _looks_new(self, incident: dict[str, Any]) -> bool:
        """Did the last failing rounds all look alike, and not as the incident says?"""
        seen = []
        for one, status in zip(reversed(self.watch[self.news_from :]), self._stood_backwards(), strict=False):
            if one.known and not one.fails:
                break
            if one.fails and status in FAILING:
                seen.append(view(failure_of([one]), one.failing))
        newest = self.watch[-1]
        if not newest.fails or not seen or seen[0] == view(incident["failure"], incident["regions"]):
            return False
        alike = next((n for n, one in enumerate(seen) if one != seen[0]), len(seen))
        return alike >= newest.server.down_after

    def _stood_backwards(self) -> Iterator[str]:
        yield self.status
        yield from reversed(self.stood)

    # --- incidents of any kind --------------------------------------------------------------------------------------

    def _open(self, kind: str, started_at: int, newest: Heard, *, change: Change | None = None, **more: Any) -> None:
        incident = {
            "kind": kind,
            "key": newest.minute,
            "started_at": started_at,
            "public": newest.server.visibility == "public" and kind != "credential",
            "title": newest.server.name or newest.server.slug,
            **self._look(newest),
            "evidence": failure_of(self.watch),
            "stage": 0,
            "flapping": False,
            "surface": "",
            "resolved_at": None,
            "resolution": None,
            **({} if kind == "availability" else conditions.shown(kind, newest, self.watch, change)),
            **more,
        }
        self.open[kind] = incident
        self.told.append(telling.told(conditions.OPENED.get(kind, "incident.opened"), self, incident, change))

    def _resolve(self, kind: str, at: int, why: str = "recovered") -> None:
        incident = self.open.pop(kind)
        incident |= {"resolved_at": at, "resolution": why}
        self.told.append(telling.told("incident.resolved", self, incident))

    def _conditions(self, newest: Heard) -> None:
        for kind in conditions.BY_ROUNDS:
            bad, good = conditions.streaks(kind, self.counted)
            if kind not in self.open and conditions.opens(kind, bad, newest):
                self._open(kind, bad[-1].minute, newest)
            elif kind in self.open and newest in good[:1] and len(good) >= newest.server.up_after:
                self._resolve(kind, good[-1].minute)

    def _expiries(self, newest: Heard) -> None:
        for kind in ("certificate", "credential"):
            stage = conditions.stage(kind, newest, self.watch)
            incident = self.open.get(kind)
            if incident is None:
                if stage:
                    self._open(kind, newest.minute, newest, stage=stage)
            elif not stage or stage > incident["stage"]:
                self._resolve(kind, newest.minute, "renewed")
            elif stage < incident["stage"]:
                incident |= {"stage": stage, "failure": conditions.shown(kind, newest, self.watch)["failure"]}
                self.told.append(telling.told(conditions.OPENED[kind], self, incident))

    def _drifts(self, newest: Heard) -> None:
        for change in newest.changes:
            incident = self.open.get("drift")
            back = incident is not None and change.new == incident["surface"]
            if not back and change.cls not in conditions.SERIOUS:
                self.told.append(telling.told("drift.detected", self, None, change))
                continue
            if incident is None:
                self._open("drift", newest.minute, newest, change=change)
            else:
                self.told.append(telling.told("drift.detected", self, incident, change))
            self.drifted_at, self.led_back = newest.minute, back
        if "drift" in self.open and newest.minute > self.drifted_at:
            if self.led_back:
                self._resolve("drift", newest.minute, "reverted")
            elif newest.minute - self.drifted_at >= WEEK:
                self._resolve("drift", newest.minute, "settled")
