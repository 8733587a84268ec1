"""Burn alerts at the tick: who is looked at, what two ticks tell, what maintenance, digests and removals do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from lookout.config.model import Server, Sink, Site
from lookout.config.window import Window
from lookout.errors import ConflictError, StoreError
from lookout.history.chunk import DAY, HOUR
from lookout.history.day import QUARTERS, DaySummary
from lookout.history.uptime import Tally
from lookout.jobs.burning import AT_ONCE, tell_burns
from lookout.probe.result import Status
from lookout.store.minutes import Minutes
from lookout.verdict.burning import Burning
from lookout.verdict.case import Incident, Notice
from lookout.verdict.state import ServerState, ShardState

from tests.handlers.memory import Memory

NOW = 1_790_000_000 // DAY * DAY + 9 * HOUR + 30 * 60 + 20
REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")
SITE = Site("Acme", "us-east-1", REGIONS, (Sink("chat", "webhook", "https://chat.example/x"),))
ACME = Server("acme", "https://a.dev/mcp", shard="s000", notify=("chat",), burn_alerts=True)


class Lookout(Memory):
    """Servers that were up for three days, and what a tick makes of the last minutes."""

    def __init__(self, *servers: Server) -> None:
        super().__init__(SITE, servers or (ACME,))
        self.now = NOW
        self.minutes = Minutes()
        self.said: dict[str, str] = {}
        self.asked = 0
        for server in self.definitions[1]:
            self.be(server.slug, Status.DOWN, server.shard)

    def be(self, slug: str, status: Status, shard: str = "s000", **incidents: str) -> None:
        states = {**self.shard_state(shard).servers, slug: ServerState(slug, status, incidents=incidents)}
        self.states[shard] = ShardState(shard, 1, self.now, states)

    def say(self, slug: str, codes: str) -> None:
        """The last minutes of a server, the running one last."""
        self.said[slug] = ("u" * 4500 + codes)[-4500:]

    def verdicts(self, shard: str, hour: int, now: int, *, consistent: bool = False) -> dict[int, dict[str, str]]:
        self._check(shard)
        self.asked += 1
        last = self.now // 60
        return {
            m: {s.slug: self.said.get(s.slug, "u" * 4500)[-1 - (last - m // 60)] for s in self.of(shard)}
            for m in range(hour, min(hour + HOUR, self.now), 60)
        }

    def of(self, shard: str) -> Sequence[Server]:
        return [server for server in self.definitions[1] if server.shard == shard]

    def tick(self, later_s: int = 0) -> tuple[Notice, ...]:
        self.now += later_s
        return tell_burns(self, self.minutes, self.roster(), self.now)  # type: ignore[arg-type]  # in memory

    def pause(self, **said: object) -> None:
        site, servers = self.definitions
        self.definitions = (site, [replace(one, **said) for one in servers])  # type: ignore[arg-type]

    @property
    def told(self) -> list[tuple[str, str, str | None]]:
        return [(n.slug, n.severity, n.incident.resolution) for n in self.notices.values() if n.incident is not None]


def hours(day: int) -> tuple[int, ...]:
    return tuple(range(day, day + DAY, HOUR))


def burning(*servers: Server) -> Lookout:
    """Everybody failed in the last three minutes."""
    game = Lookout(*servers)
    for server in game.definitions[1]:
        game.say(server.slug, "ddd")
    return game


def test_from_the_opening_to_the_end() -> None:
    game = burning()
    (notice,) = game.tick()
    assert (notice.type, notice.slug, notice.severity, notice.status) == ("slo.burn", "acme", "high", "down")
    assert (notice.sinks, notice.dedup_key) == (("chat",), game.burning["acme"].id)
    assert notice.slo is not None
    assert (notice.slo["window"], notice.slo["burn_rate"], notice.slo["short_burn_rate"]) == ("1h", 50.0, 600.0)
    assert game.tick(60) == ()
    game.be("acme", Status.UP)
    game.say("acme", "ddd" + "u" * 40)
    assert game.tick(2400) == ()
    (over,) = game.tick(60)
    assert (over.severity, over.status, over.dedup_key) == ("info", "up", notice.dedup_key)
    assert game.tick(60) == ()
    assert game.told == [("acme", "high", None), ("acme", "info", "recovered")]
    assert [one for one in game.writes if one == ("burning", "acme")] == [("burning", "acme")] * 3


def test_what_is_left_of_the_budget_is_that_of_the_page() -> None:
    game = burning()
    day = NOW // DAY * DAY
    for ago in range(1, 31):
        whole = (Tally(ok=15, fail=0),) * QUARTERS
        bad = (Tally(ok=5, fail=10), *whole[1:]) if ago == 20 else whole
        game.summaries["acme", day - ago * DAY] = DaySummary.of(
            "acme", day - ago * DAY, hours(day - ago * DAY), bad, 0, 0, {}
        )
    (notice,) = game.tick()
    rounds = 29 * 1440 + 9 * 60 + 31
    assert notice.slo is not None
    assert notice.slo["budget_remaining"] == round(1 - 13 / rounds * 1000, 4)


def test_nothing_is_read_for_servers_that_do_not_ask() -> None:
    game = burning(replace(ACME, burn_alerts=False), Server("docs", "https://d.dev/mcp", shard="s001"))
    assert game.tick() == ()
    game = burning(replace(ACME, paused=True))
    assert game.tick() == ()
    assert (game.asked, game.burning, game.writes) == (0, {}, [])
    assert tell_burns(game, game.minutes, (None, ()), NOW) == ()  # type: ignore[arg-type]  # in memory


def test_a_server_that_never_fails_costs_no_write() -> None:
    game = Lookout()
    for _ in range(5):
        assert game.tick(60) == ()
    assert game.writes == []
    assert game.asked == 73 + 4


def test_two_ticks_tell_once() -> None:
    """Of two at the same time one is refused; one that comes after the other finds it told."""
    game = burning()
    before = dict(game.burning)
    game.tick()
    told = dict(game.notices)
    assert game.tick() == ()
    late = burning()
    late.notices, late.burning = game.notices, game.burning
    late.all_burning = lambda: before  # type: ignore[method-assign]
    assert late.tick(30) == ()
    assert late.tick(60) == ()
    assert game.notices == told


def test_a_tick_that_dies_has_told_nothing_and_the_next_one_tells() -> None:
    game = burning(ACME, replace(ACME, slug="docs", shard="s001"))
    game.broken["acme"] = StoreError("away")
    with pytest.raises(ExceptionGroup, match="1 burn alerts"):
        game.tick()
    assert game.told == [("docs", "high", None)]
    game.broken.clear()
    game.tick(60)
    assert game.told == [("docs", "high", None), ("acme", "high", None)]


def test_a_shard_that_cannot_be_read_keeps_nobody_waiting_and_ends_nothing() -> None:
    game = burning(ACME, replace(ACME, slug="docs", shard="s001"))
    game.tick()
    game.say("acme", "")
    game.say("docs", "")
    game.broken["s001"] = StoreError("away")
    for _ in range(3):
        with pytest.raises(ExceptionGroup):
            game.tick(60)
    assert game.told == [("acme", "high", None), ("docs", "high", None), ("acme", "info", "recovered")]


@pytest.mark.parametrize(
    ("said", "resolution"), [({"paused": True}, "paused"), ({"burn_alerts": False}, "off"), (None, "removed")]
)
def test_who_is_not_looked_at_any_more_ends_the_alert(said: dict[str, object] | None, resolution: str) -> None:
    game = burning()
    (opened,) = game.tick()
    if said is None:
        game.definitions, game.states = (SITE, []), {}
    else:
        game.pause(**said)
    (over,) = game.tick(60)
    assert game.told == [("acme", "high", None), ("acme", "info", resolution)]
    assert (over.sinks, over.server, over.slo) == (("chat",), opened.server, opened.slo)
    assert over.status == ("unknown" if said is None else "down")
    assert game.tick(60) == ()


def test_maintenance_tells_nothing_and_ends_nothing() -> None:
    window = Window("mnt_1", begin=NOW - 20, end=NOW + 580, servers=("acme",), uptime="count_as_is")
    game = burning()
    game.windows = [window]
    game.be("acme", Status.MAINTENANCE)
    for _ in range(5):
        assert game.tick(60) == ()
    game.windows = []
    assert game.tick(60) == ()  # over, and nothing was judged since
    game.be("acme", Status.DOWN)
    game.say("acme", "ddd")
    assert len(game.tick(60)) == 1
    game.windows = [window]
    game.say("acme", "")
    assert game.tick(60) == game.tick(60) == ()
    game.windows = []
    game.be("acme", Status.UP)
    game.tick(60)
    game.tick(60)
    assert game.told == [("acme", "high", None), ("acme", "info", "recovered")]


def test_what_a_digest_tells_is_not_told_again() -> None:
    outage = Incident("inc_1", "acme", NOW - 180, NOW - 60, "down", public=True, title="acme", held="site")
    game = burning()
    game.incidents = {"inc_1": outage}
    game.be("acme", Status.DOWN, availability="inc_1")
    assert game.tick() == ()
    assert game.burning["acme"].silent
    game.incidents = {}
    game.be("acme", Status.UP)
    assert game.tick(60) == ()  # the outage is over, and the short windows burn on
    game.say("acme", "")
    assert game.tick(60) == game.tick(60) == ()
    assert not game.burning["acme"].open
    game.say("acme", "ddd")
    assert game.tick(1800) == ()
    game.say("acme", "ddd")
    game.be("acme", Status.DOWN)
    assert len(game.tick(1800)) == 1


def test_an_outage_of_its_own_is_no_reason_for_silence() -> None:
    game = burning()
    game.incidents = {"inc_1": Incident("inc_1", "acme", NOW, NOW, "down", public=True, title="acme")}
    game.be("acme", Status.DOWN, availability="inc_1")
    assert len(game.tick()) == 1


def test_so_many_alerts_change_in_one_tick() -> None:
    servers = [replace(ACME, slug=f"s{n:03d}", shard=f"s{n // 40:03d}") for n in range(AT_ONCE + 20)]
    game = burning(*servers)
    assert len(game.tick()) == AT_ONCE
    assert len(game.tick(1)) == 20
    assert len(game.told) == AT_ONCE + 20


def test_somebody_elses_write_is_left_to_him() -> None:
    class Busy(Lookout):
        def keep_burning(self, burning: Burning, notices: Sequence[Notice], now: int) -> None:
            raise ConflictError("another tick")

    game = Busy()
    game.say("acme", "ddd")
    assert game.tick() == ()
