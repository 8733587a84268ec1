"""Held notices: told in one digest or released, once each, whatever ticks do: decision 12, X3 and X4."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lookout.config.model import Site
from lookout.errors import ConflictError
from lookout.verdict import ids
from lookout.verdict.case import Incident, Notice
from lookout.verdict.digests import LISTED, title
from lookout.verdict.gathering import MISSES, STEP_MOVES, Book, gather
from lookout.verdict.mass import Standing
from lookout.verdict.state import Failure, Quorum

from tests.handlers.memory import MemoryMass

M = 1_790_000_040
REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")
SITE = Site("Acme", "us-east-1", REGIONS)
_LAST = 1 << 40


def notice(
    slug: str,
    what: str = "opened",
    at: int = M,
    *,
    opened_at: int = M,
    scope: str = "site",
    sinks: Sequence[str] = ("hook",),
    status: str = "",
    **changes: Any,
) -> Notice:
    """What the judge writes of an incident of a server that opened in a mass failure."""
    over = what == "resolved"
    says = status or ("up" if over else "down")
    failure = Failure("http", "http_5xx", f"{slug} says 502", 502)
    incident = Incident(
        id=ids.incident_id(slug, "availability", opened_at),
        slug=slug,
        started_at=opened_at - 120,
        opened_at=opened_at,
        status=says,
        public=True,
        title=slug.title(),
        resolved_at=at - 60 if over else None,
        resolution="recovered" if over else None,
        failure=failure,
        held=scope,
    )
    made = Notice(
        id=ids.notice_id(incident.id, f"incident.{what}", at),
        type=f"incident.{what}",
        created_at=at,
        slug=slug,
        status=says,
        previous_status="up",
        previous_since=0,
        severity="info" if over else "critical",
        dedup_key=incident.id,
        sequence=_LAST if over else 0 if what == "opened" else at,
        server={"slug": slug, "name": slug.title(), "url": "https://x.dev/mcp", "visibility": "public", "tags": []},
        failure=failure,
        quorum=Quorum(3, 3, 0, "2-of-3", 3),
        regions=(),
        incident=incident,
        sinks=tuple(sinks),
        held=scope,
    )
    return replace(made, **changes)


def holds(*scopes: str) -> Standing:
    return Standing(scopes={scope: frozenset() for scope in scopes})


class World:
    """Held notices, the outbox, and ticks."""

    def __init__(self, *held: Notice) -> None:
        self.held = {one.id: one for one in held}
        self.told: dict[str, Notice] = {}
        self.mass = MemoryMass(self.held, self.told)
        self.now = M + 5

    def hold(self, *notices: Notice) -> None:
        self.held |= {one.id: one for one in notices}

    def tick(self, *scopes: str, steps: int | None = None) -> list[Notice]:
        """What a tick told, a minute after the one before; it dies after so many `steps`."""
        before = set(self.told)
        self.now += 60
        for step in gather(self.mass.read(), holds(*scopes), SITE, self.now)[:steps]:
            self.mass.keep(step, self.now)
        return [one for key, one in self.told.items() if key not in before]


def said(notices: Iterable[Notice]) -> list[tuple[str, str]]:
    return [(one.type, one.slug) for one in notices]


def test_nothing_held_is_nothing_done() -> None:
    assert Book().idle
    assert not gather(Book(), holds("site"), SITE, M)


def test_what_is_held_is_told_in_one_digest() -> None:
    world = World(*(notice(f"s{n}") for n in range(7)))
    (digest,) = world.tick("site")
    assert not world.held
    assert (digest.type, digest.slug, digest.status, digest.previous_status) == ("digest", "digest:site", "down", "up")
    assert (digest.severity, digest.sequence, digest.sinks, digest.held) == ("critical", 0, ("hook",), "")
    assert digest.server["name"] == "7 servers"
    assert digest.failure == Failure("http", "http_5xx", "", 502)
    assert digest.incident is not None
    assert digest.dedup_key == digest.incident.id
    assert (digest.incident.kind, digest.incident.started_at, digest.incident.resolved_at) == ("mass", M - 120, None)
    assert digest.digest is not None
    assert {key: digest.digest[key] for key in ("scope", "servers", "failing", "new", "more")} == {
        "scope": "site",
        "servers": 7,
        "failing": 7,
        "new": 7,
        "more": 0,
    }
    assert digest.digest["members"][0] == {
        "slug": "s0",
        "name": "S0",
        "status": "down",
        "reason": "http_5xx",
        "since": M - 120,
        "until": None,
    }
    assert not world.tick("site")


def test_what_opened_in_a_scope_that_does_not_hold_any_more_is_released_as_it_is() -> None:
    first, second = notice("a"), notice("b", scope="provider:acme.dev")
    world = World(first, second)
    assert world.tick() == [replace(first, held=""), replace(second, held="")]
    assert not world.tick("site")
    assert world.mass.read().digests == ()


def test_two_scopes_are_two_digests() -> None:
    world = World(notice("a", scope="provider:acme.dev"), notice("b", scope="network:203.0.113.0/24"), notice("c"))
    told = world.tick("provider:acme.dev", "network:203.0.113.0/24")
    assert sorted(said(told)) == [
        ("digest", "digest:network:203.0.113.0/24"),
        ("digest", "digest:provider:acme.dev"),
        ("incident.opened", "c"),
    ]


def test_further_openings_are_one_update_each_tick_with_what_is_new_first() -> None:
    world = World(*(notice(f"s{n}") for n in range(5)))
    (opened,) = world.tick("site")
    world.hold(*(notice(f"t{n}", at=M + 60, opened_at=M + 60) for n in range(3)))
    (updated,) = world.tick("site")
    assert (updated.dedup_key, updated.previous_status) == (opened.dedup_key, "down")
    assert 0 < updated.sequence < _LAST
    assert updated.digest is not None
    assert (updated.digest["servers"], updated.digest["new"]) == (8, 3)
    assert [member["slug"] for member in updated.digest["members"]][:4] == ["t0", "t1", "t2", "s0"]
    assert not world.tick("site")


def test_resolutions_and_updates_of_what_is_in_a_digest_are_not_sent_alone() -> None:
    world = World(*(notice(f"s{n}") for n in range(5)))
    world.tick("site")
    world.hold(notice("s0", "resolved", M + 120), notice("s1", "updated", M + 120, status="credential_rejected"))
    assert not world.tick("site")
    assert not world.held
    world.hold(notice("late", at=M + 180, opened_at=M + 180))
    (updated,) = world.tick("site")
    assert updated.digest is not None
    status = {member["slug"]: (member["status"], member["until"]) for member in updated.digest["members"]}
    assert (status["s0"], status["s1"], status["s2"]) == (
        ("up", M + 60),
        ("credential_rejected", None),
        ("down", None),
    )
    assert (updated.digest["servers"], updated.digest["failing"]) == (6, 5)
    assert updated.digest["members"][-1]["slug"] == "s0"


def test_when_all_recovered_the_digest_is_resolved_once() -> None:
    world = World(*(notice(f"s{n}") for n in range(5)))
    (opened,) = world.tick("site")
    world.hold(*(notice(f"s{n}", "resolved", M + 120) for n in range(5)))
    (over,) = world.tick("site")
    assert (over.type, over.dedup_key, over.status, over.severity) == ("digest", opened.dedup_key, "up", "info")
    assert over.sequence == _LAST
    assert over.incident is not None
    assert (over.incident.resolved_at, over.incident.resolution) == (world.now, "recovered")
    assert world.mass.read().idle
    assert not world.tick("site")


def test_when_the_scope_has_not_held_for_two_ticks_those_still_failing_are_told_alone() -> None:
    openings = [notice(f"s{n}") for n in range(5)]
    world = World(*openings)
    (opened,) = world.tick("site")
    world.hold(*(notice(f"s{n}", "resolved", M + 120) for n in range(3)))
    assert not world.tick()
    told = world.tick()
    assert said(told) == [("digest", "digest:site"), ("incident.opened", "s3"), ("incident.opened", "s4")]
    assert told[1:] == [replace(one, held="") for one in openings[3:]]
    over = told[0]
    assert over.incident is not None
    assert over.digest is not None
    assert (over.dedup_key, over.status, over.incident.resolution) == (opened.dedup_key, "degraded", "told alone")
    assert (over.digest["servers"], over.digest["failing"]) == (5, 2)
    assert [member["slug"] for member in over.digest["members"]] == ["s3", "s4", "s0", "s1", "s2"]
    assert world.mass.read().idle
    end = notice("s3", "resolved", M + 300)
    world.hold(end)
    assert world.tick("site") == [replace(end, held="")]


def test_a_scope_that_holds_again_in_time_keeps_its_digest() -> None:
    world = World(*(notice(f"s{n}") for n in range(5)))
    world.tick("site")
    assert not [one for scopes in ((), ("site",), (), ("site",)) for one in world.tick(*scopes)]
    assert len(world.mass.read().digests) == 1


def test_two_ticks_of_one_minute_count_once() -> None:
    world = World(*(notice(f"s{n}") for n in range(5)))
    world.tick("site")
    assert not world.tick()
    world.now -= 60
    assert not world.tick()
    assert world.mass.read().digests[0].misses == 1 < MISSES


def test_an_opening_and_its_end_are_released_one_after_the_other() -> None:
    opening, end = notice("a"), notice("a", "resolved", M + 120)
    world = World(end, opening)
    assert world.tick() == [replace(opening, held="")]
    assert world.tick() == [replace(end, held="")]


def test_an_opening_whose_end_is_held_as_well_is_told_with_it() -> None:
    world = World(*(notice(f"s{n}") for n in range(5)), notice("s0", "resolved", M + 120))
    (digest,) = world.tick("site")
    assert digest.digest is not None
    assert digest.digest["failing"] == 4
    assert not world.held


def test_a_server_that_fails_in_the_same_scope_after_its_digest_is_over_is_in_a_new_one() -> None:
    world = World(*(notice(f"s{n}") for n in range(5)))
    (first,) = world.tick("site")
    world.hold(*(notice(f"s{n}", "resolved", M + 120) for n in range(5)))
    world.tick("site")
    world.hold(*(notice(f"s{n}", at=M + 180, opened_at=M + 180) for n in range(5)))
    (second,) = world.tick("site")
    assert first.dedup_key != second.dedup_key


def test_what_is_held_while_its_digest_is_closing_waits_for_its_opening() -> None:
    many = STEP_MOVES + 5
    world = World(*(notice(f"s{n:03d}") for n in range(many)))
    world.tick("site")
    world.tick()
    plan = gather(world.mass.read(), holds(), SITE, world.now + 60)
    assert [len(step.released) for step in plan] == [0, 0, STEP_MOVES, 5]
    first, last = (plan[number].released[0][0].slug for number in (2, 3))
    world.tick(steps=3)
    gone, waits = notice(first, "resolved", M + 200), notice(last, "resolved", M + 200)
    world.hold(gone, waits)
    told = world.tick()
    assert replace(gone, held="") in told
    assert ("incident.opened", last) in said(told)
    assert ("incident.resolved", last) not in said(told)
    assert world.tick() == [replace(waits, held="")]
    assert world.mass.read().idle


def test_more_than_one_transaction_holds_are_told_in_one_digest_that_lists_the_first() -> None:
    world = World(*(notice(f"s{n:03d}") for n in range(200)))
    (digest,) = world.tick("site")
    assert digest.digest is not None
    assert (digest.digest["servers"], len(digest.digest["members"])) == (200, LISTED)
    assert digest.digest["more"] == 150


@pytest.mark.parametrize("steps", range(6))
def test_a_tick_that_dies_anywhere_has_told_nobody_twice_and_forgotten_nobody(steps: int) -> None:
    world = World(*(notice(f"s{n:03d}") for n in range(120)))
    told = [*world.tick("site", steps=steps), *world.tick("site")]
    assert said(told) == [("digest", "digest:site")]
    assert told[0].digest is not None
    assert told[0].digest["servers"] == 120


def test_a_tick_that_died_after_it_opened_a_digest_leaves_none_where_the_scope_ended() -> None:
    opening = notice("a")
    world = World(opening)
    assert not world.tick("site", steps=1)
    assert len(world.mass.read().digests) == 1
    assert world.tick() == [replace(opening, held="")]
    assert world.mass.read().idle


def test_a_tick_that_died_after_it_took_some_tells_of_them_and_releases_the_others() -> None:
    world = World(*(notice(f"s{n:03d}") for n in range(STEP_MOVES + 2)))
    world.tick("site", steps=2)
    told = world.tick()
    assert Counter(one.type for one in told) == {"digest": 1, "incident.opened": 2}


def test_of_two_ticks_at_once_one_is_refused() -> None:
    world = World(*(notice(f"s{n}") for n in range(5)))
    plans = [gather(world.mass.read(), holds("site"), SITE, M + 60 + late) for late in (0, 1)]
    world.mass.keep(plans[0][0], M)
    with pytest.raises(ConflictError):
        world.mass.keep(plans[1][0], M)


def test_each_sink_learns_only_of_the_servers_it_would_have_been_told_of() -> None:
    hidden = notice("hidden", sinks=("team",), severity="high")
    hidden = replace(hidden, server={**hidden.server, "visibility": "private"})
    world = World(*(notice(f"s{n}", sinks=("hook", "pager")) for n in range(4)), hidden, notice("mute", sinks=()))
    by_sinks = {one.sinks: one for one in world.tick("site")}
    assert set(by_sinks) == {("hook", "pager"), ("team",)}
    team, all_ = by_sinks["team",], by_sinks["hook", "pager"]
    assert team.id != all_.id
    assert (team.severity, team.server["name"], team.server["visibility"]) == ("high", "1 server", "private")
    assert all_.server["visibility"] == "public"
    assert team.digest is not None
    assert [member["slug"] for member in team.digest["members"]] == ["hidden"]
    assert "s0" not in str(team.to_json())
    world.hold(notice("more", at=M + 60, opened_at=M + 60, sinks=("hook",)))
    assert [one.sinks for one in world.tick("site")] == [("hook",)]
    for number in range(4):
        world.hold(notice(f"s{number}", "resolved", M + 120))
    world.tick("site")
    for slug in ("hidden", "mute"):
        world.hold(notice(slug, "resolved", M + 180))
    world.hold(notice("more", "resolved", M + 180, opened_at=M + 60))
    over = world.tick("site")
    assert sorted(one.sinks for one in over) == [("hook",), ("pager",), ("team",)]
    assert all(one.status == "up" for one in over)


def test_each_sink_learns_how_many_are_new_of_those_it_is_told_of() -> None:
    world = World(*(notice(f"s{n}", sinks=("hook", "team")) for n in range(3)))
    world.tick("site")
    late = {"at": M + 60, "opened_at": M + 60}
    world.hold(notice("a", **late, sinks=("hook",)), notice("b", **late, sinks=("hook",)))
    world.hold(notice("c", **late, sinks=("team",)))
    counted = {}
    for one in world.tick("site"):
        assert one.digest is not None
        counted[one.sinks] = (one.digest["servers"], one.digest["new"])
    assert counted == {("hook",): (5, 2), ("team",): (4, 1)}


def test_what_fails_together_again_while_its_digest_is_closing_is_in_a_new_one() -> None:
    world = World(*(notice(f"s{n:03d}") for n in range(STEP_MOVES + 5)))
    (first,) = world.tick("site")
    world.tick()
    world.tick(steps=3)
    world.hold(*(notice(f"t{n}", at=M + 300, opened_at=M + 300) for n in range(5)))
    told = world.tick("site")
    assert Counter(one.type for one in told) == {"digest": 1, "incident.opened": 5}
    (second,) = (one for one in told if one.type == "digest")
    assert second.dedup_key != first.dedup_key
    assert second.digest is not None
    assert second.digest["servers"] == 5


def test_a_region_that_fails_for_all_is_no_outage() -> None:
    scope = "region:eu-west-1"
    world = World(*(notice(f"s{n}", scope=scope, status="degraded", severity="warning") for n in range(5)))
    (digest,) = world.tick(scope)
    assert (digest.status, digest.severity) == ("degraded", "high")
    assert digest.server["name"] == "5 servers from Dublin (eu-west-1)"


def test_a_notice_without_an_incident_is_since_it_was_made() -> None:
    world = World(notice("a", incident=None))
    (digest,) = world.tick("site")
    assert digest.digest is not None
    assert digest.digest["members"][0]["since"] == M


def test_titles() -> None:
    assert title("site", 1) == "1 server"
    assert title("provider:acme.dev", 3) == "3 servers of acme.dev"
    assert title("network:203.0.113.0/24", 3) == "3 servers in 203.0.113.0/24"


# --- whatever happens ---------------------------------------------------------------------------------------------

SCOPES = ("site", "provider:acme.dev")
SINKS = ("hook", "pager", "team")
_slugs = st.integers(0, 8)
_happenings = st.one_of(
    st.tuples(st.just("open"), _slugs, st.sampled_from(SCOPES)),
    st.tuples(st.just("update"), _slugs),
    st.tuples(st.just("resolve"), _slugs),
    st.tuples(st.just("tick"), st.sets(st.sampled_from(SCOPES)), st.none() | st.integers(0, 6)),
    st.tuples(st.just("two ticks"), st.sets(st.sampled_from(SCOPES)), st.lists(st.booleans(), max_size=12)),
)


class Story(World):
    """A judge and ticks, and what each sink was told of each incident."""

    def __init__(self, sinks: Sequence[frozenset[str]]) -> None:
        super().__init__()
        self.sinks = sinks
        self.open: dict[int, int] = {}
        self.minute = M
        self.written: list[Notice] = []

    def happens(self, what: str, *how: Any) -> None:
        self.minute += 60
        self.now = max(self.now, self.minute)
        if what == "tick":
            self.tick(*how[0], steps=how[1])
        elif what == "two ticks":
            self.two_ticks(*how)
        elif what == "open" and how[0] not in self.open:
            self.open[how[0]] = self.minute
            self._write(how[0], "opened", how[1])
        elif what == "update" and how[0] in self.open:
            self._write(how[0], "updated", self._scope(how[0]))
        elif what == "resolve" and how[0] in self.open:
            self._write(how[0], "resolved", self._scope(how[0]))
            del self.open[how[0]]

    def _scope(self, number: int) -> str:
        return next(one.held for one in reversed(self.written) if one.slug == f"s{number}")

    def _write(self, number: int, what: str, scope: str) -> None:
        sinks = sorted(self.sinks[number])
        opened_at = self.open[number]
        made = notice(f"s{number}", what, self.minute, opened_at=opened_at, scope=scope, sinks=sinks)
        self.written.append(made)
        self.hold(made)

    def two_ticks(self, scopes: set[str], turns: list[bool]) -> None:
        """Both read, then take turns; each ends at the first step that is refused."""
        plans = [gather(self.mass.read(), holds(*scopes), SITE, self.now + late) for late in (0, 1)]
        for first in [*turns, *[True] * 20, *[False] * 20]:
            plan = plans[0 if first else 1]
            if plan:
                try:
                    self.mass.keep(plan.pop(0), self.now)
                except ConflictError:
                    plan.clear()

    def settle(self) -> None:
        for _ in range(8):
            self.tick()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.frozensets(st.sampled_from(SINKS)), min_size=9, max_size=9), st.lists(_happenings, max_size=40))
def test_every_held_notice_is_told_in_one_digest_or_released_once(
    sinks: list[frozenset[str]], happenings: list[tuple[Any, ...]]
) -> None:
    story = Story(sinks)
    for happening in happenings:
        story.happens(*happening)
    story.settle()
    assert story.mass.read().idle
    taken = Counter(one.id for step in story.mass.steps for one, _ in step.taken)
    released = Counter(one.id for step in story.mass.steps for one, _ in step.released)
    assert not story.written or max([*taken.values(), *released.values(), 1]) == 1
    alone = {key: number for number, key in enumerate(story.told)}
    for one in story.written:
        assert one.id in taken or one.id in released
        if one.type != "incident.opened":
            assert (one.id in taken) != (one.id in released)
            opening = next(o for o in story.written if o.dedup_key == one.dedup_key)
            if one.id in released:
                assert alone[opening.id] < alone[one.id]
            if one.type == "incident.resolved" and one.id in taken:
                assert opening.id not in released
    _every_sink_is_told(story, {one.id: one for one in story.written if one.id in taken})


def _every_sink_is_told(story: Story, taken: dict[str, Notice]) -> None:
    digests = [one for one in story.told.values() if one.type == "digest"]
    for sink in SINKS:
        of_sink = [one for one in digests if sink in one.sinks]
        listed = [one.digest["members"][: one.digest["new"]] for one in of_sink if one.digest is not None]
        news = Counter((member["slug"], member["since"]) for members in listed for member in members)
        wanted = [one for one in taken.values() if one.type == "incident.opened" and sink in one.sinks]
        assert news == Counter((one.slug, one.incident.started_at) for one in wanted if one.incident is not None)
        for one in of_sink:
            assert one.digest is not None
            assert all(sink in story.sinks[int(member["slug"][1:])] for member in one.digest["members"])
        for key in {one.dedup_key for one in of_sink}:
            life = [one.sequence for one in of_sink if one.dedup_key == key]
            assert life == sorted(life)
            assert (
                life.count(_LAST)
                == 1
                == len([one for one in of_sink if one.dedup_key == key and one.sequence == _LAST])
            )
