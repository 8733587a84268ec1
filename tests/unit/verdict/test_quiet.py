from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from lookout.config.model import Server, Sink, Site
from lookout.config.quiet import Quiet
from lookout.errors import ConflictError
from lookout.jobs.quiet import tell_quieted
from lookout.store.deliveries import Delivery
from lookout.verdict.case import Entry, Incident, Notice
from lookout.verdict.quiet import LISTED, STEP, Waiting, digest, over, waiting, waits_until, weight
from lookout.verdict.state import Failure, Quorum

from tests.handlers.memory import Memory

NIGHT = Quiet(22 * 60, 7 * 60, "UTC")
TEAM = Sink("team", "slack", "secret:slack", quiet=(NIGHT,))
SITE = Site("Acme", "us-east-1", ("eu-west-1",), (TEAM, Sink("all", "slack", "secret:x")))
EVENING = 1_796_162_400
"""2026-12-01T22:00:00Z."""
MORNING = EVENING + 9 * 3600


def notice(
    kind: str | None, notice_type: str, severity: str, *, over: bool = False, slug: str = "search", **more: Any
) -> Notice:
    incident = None
    if kind is not None:
        incident = Incident(
            id=f"inc_{slug}_{kind}",
            slug=slug,
            started_at=EVENING + 60,
            opened_at=EVENING + 180,
            status="degraded",
            public=True,
            title=slug,
            resolved_at=EVENING + 900 if over else None,
            kind=kind,
            timeline=more.pop("timeline", ()),
        )
    made = Notice(
        id=f"evt_{slug}_{kind}_{notice_type}_{over}",
        type=notice_type,
        created_at=EVENING + 200,
        slug=slug,
        status="degraded",
        previous_status="up",
        previous_since=0,
        severity=severity,
        dedup_key=incident.id if incident is not None else f"key_{slug}",
        sequence=0,
        server={"slug": slug, "name": slug.title(), "url": None, "visibility": "public", "tags": []},
        failure=Failure(),
        quorum=Quorum(1, 0, 0, "1-of-1", 0),
        regions=(),
        incident=incident,
        sinks=("team",),
    )
    return replace(made, **more)


BROKE = (Entry(EVENING, "opened", "breaking change"),)
SLOW = notice("latency", "latency.degraded", "warning")
FAST = notice("latency", "incident.resolved", "info", over=True)


@pytest.mark.parametrize(
    ("told", "weighs"),
    [
        (notice("availability", "incident.opened", "high"), "critical"),
        (notice("availability", "incident.updated", "info"), "critical"),
        (notice("availability", "incident.resolved", "info", over=True), "critical"),
        (notice("mass", "digest", "info", over=True), "critical"),
        (SLOW, "warning"),
        (FAST, "warning"),
        (notice("regional", "incident.opened", "warning"), "warning"),
        (notice("region", "region.stale", "info", over=True), "warning"),
        (notice("certificate", "tls.expiring", "high"), "high"),
        (notice("drift", "drift.detected", "high", timeline=BROKE), "high"),
        (notice("drift", "incident.resolved", "info", over=True, timeline=BROKE), "high"),
        (notice("drift", "incident.resolved", "info", over=True), "warning"),
        (notice("latency", "incident.updated", "info"), "info"),
        (notice(None, "drift.detected", "info"), "info"),
        (notice(None, "maintenance.started", "info"), "info"),
        (notice("slo", "slo.burn", "high", slo={"severity": "page"}), "high"),
        (notice("slo", "slo.burn", "info", over=True, slo={"severity": "page"}), "high"),
        (notice("slo", "slo.burn", "info", over=True, slo={"severity": "ticket"}), "warning"),
        (notice(None, "digest", "info"), "critical"),
        (notice(None, "test", "info"), "critical"),
    ],
)
def test_what_a_notice_weighs_is_what_it_is_about(told: Notice, weighs: str) -> None:
    assert weight(told) == weighs


def test_until_when_it_waits() -> None:
    assert waits_until(TEAM, "warning", EVENING) == MORNING
    assert waits_until(TEAM, "high", EVENING) is None
    assert waits_until(SITE.sinks[1], "info", EVENING) is None


def test_of_one_incident_the_newest_waits_and_the_worst_counts() -> None:
    first = waiting("team", SLOW, EVENING, None)
    assert first == Waiting("team", SLOW, 1, EVENING, "warning")
    calmer = replace(FAST, severity="info")
    assert waiting("team", calmer, EVENING + 900, replace(first, severity="high", version=3)) == Waiting(
        "team", calmer, 2, EVENING, "high", 3
    )


def test_a_digest_tells_what_lasts_first() -> None:
    rows = [
        Waiting("team", FAST, 2, EVENING, "warning", 2),
        Waiting("team", notice(None, "maintenance.ended", "info", slug="plan"), 1, EVENING + 5, "info", 1),
        Waiting("team", notice("certificate", "tls.expiring", "warning", slug="docs"), 1, EVENING + 9, "warning", 1),
    ]
    told = digest("team", rows, MORNING)
    assert (told.type, told.slug, told.severity, told.sinks) == ("digest", "digest:quiet", "warning", ("team",))
    assert (told.created_at, told.incident, told.server["visibility"]) == (MORNING, None, "public")
    assert told.report is not None
    members = told.report["members"]
    assert {k: v for k, v in told.report.items() if k != "members"} == {
        "kind": "quiet",
        "begins_at": EVENING,
        "ends_at": MORNING,
        "notices": 4,
        "open": 1,
        "more": 0,
    }
    assert [one["slug"] for one in members] == ["docs", "search", "plan"]
    assert members[1] == {
        "slug": "search",
        "name": "Search",
        "type": "incident.resolved",
        "kind": "latency",
        "severity": "warning",
        "status": "degraded",
        "notices": 2,
        "open": False,
        "since": EVENING + 60,
        "until": EVENING + 900,
    }
    assert (members[2]["kind"], members[2]["since"], members[2]["until"]) == (None, EVENING + 200, None)
    assert Notice.from_json(told.to_json()) == told
    assert weight(told) == "critical"
    assert digest("team", rows[:2], MORNING).severity == "info"
    assert digest("team", [replace(rows[0], version=3)], MORNING).id != digest("team", rows[:1], MORNING).id


def test_a_private_server_makes_it_private() -> None:
    hidden = replace(SLOW, server={**SLOW.server, "visibility": "private"})
    assert digest("team", [Waiting("team", hidden, 1, EVENING, "warning")], MORNING).server["visibility"] == "private"


def test_what_is_over_goes_and_what_is_not_waits() -> None:
    row = Waiting("team", SLOW, 1, EVENING, "warning", 1)
    assert list(over([row], SITE, MORNING - 1)) == []
    ((part, told),) = over([row], SITE, MORNING)
    assert part == (row,)
    assert told == digest("team", [row], MORNING)
    loud = replace(SITE, sinks=(replace(TEAM, quiet=()),))
    assert [part for part, _ in over([row], loud, EVENING)] == [(row,)]
    assert list(over([row], replace(SITE, sinks=()), EVENING)) == [((row,), None)]


def test_the_hours_of_a_severity_are_its_own() -> None:
    half = replace(SITE, sinks=(replace(TEAM, quiet=(NIGHT, Quiet(7 * 60, 12 * 60, "UTC", below="warning"))),))
    warning, info = (Waiting("team", replace(SLOW, dedup_key=s), 1, EVENING, s, 1) for s in ("warning", "info"))
    assert [part for part, _ in over([info, warning], half, MORNING)] == [(warning,)]


def test_more_than_a_transaction_takes_is_told_in_more_digests() -> None:
    rows = [Waiting("team", replace(SLOW, dedup_key=f"k{n:03}"), 1, EVENING, "warning", 1) for n in range(STEP + 5)]
    found = list(over(reversed(rows), SITE, MORNING))
    assert [len(part) for part, _ in found] == [STEP, 5]
    assert [row for part, _ in found for row in part] == rows
    told = found[0][1]
    assert told is not None
    assert told.report is not None
    assert (len(told.report["members"]), told.report["more"], told.report["open"]) == (LISTED, STEP - LISTED, STEP)


class Dying(Memory):
    """Ticks and attempts that are late, die, or meet."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__(SITE, [Server("search", "https://search.example/mcp", shard="s000")])
        self.chance = chance
        self.meanwhile: list[Notice] = []

    def all_quieted(self) -> list[Waiting]:
        rows = super().all_quieted()
        while self.meanwhile:
            hold(self, self.meanwhile.pop(), MORNING + 1)
        return rows

    def tell_quieted(self, rows: Any, digest: Notice | None, now: int) -> None:
        if self.chance.random() < 0.3:
            raise ConnectionError
        super().tell_quieted(rows, digest, now)


def hold(store: Memory, told: Notice, now: int) -> None:
    before = store.quieted("team", told.dedup_key)
    store.keep_quieted(waiting("team", told, now, before), Delivery("team", "quiet", "", now), now)


@pytest.mark.parametrize("seed", range(60))
def test_everything_that_waited_is_told_once(seed: int) -> None:
    """Random notices of random incidents, some while a tick reads; ticks that die before they write."""
    chance = random.Random(seed)
    store = Dying(chance)
    kept = 0
    for n in range(chance.randint(1, 150)):
        told = replace(SLOW, id=f"evt_{n}", dedup_key=f"inc_{chance.randint(0, 120)}")
        kept += 1
        if chance.random() < 0.8:
            hold(store, told, EVENING + n)
        else:
            store.meanwhile.append(told)
    for tick in range(40):
        try:
            tell_quieted(store, MORNING + 60 * tick)
        except ConnectionError:
            continue
    assert store.rows == {}
    assert sum((one.report or {})["notices"] for one in store.notices.values()) == kept


def test_a_tick_leaves_to_the_next_what_moves_while_it_looks() -> None:
    store = Dying(random.Random(0))
    store.chance.random = lambda: 1.0  # type: ignore[method-assign]
    hold(store, SLOW, EVENING)
    store.meanwhile = [FAST]
    assert tell_quieted(store, MORNING) == ()
    (told,) = tell_quieted(store, MORNING + 60)
    assert (told.report or {})["notices"] == 2
    assert tell_quieted(store, MORNING + 120) == ()
    with pytest.raises(ConflictError):
        store.tell_quieted([Waiting("team", SLOW, 1, EVENING, "warning", 1)], None, MORNING)
