"""Reminders at the tick: two of them tell once, acknowledgements and windows silence them, the end reaches all."""

from __future__ import annotations

from dataclasses import replace

from lookout.config.model import Server, Sink, Site
from lookout.config.route import Escalation
from lookout.config.window import Window
from lookout.errors import ConflictError
from lookout.history.round import Round
from lookout.jobs.judging import judge_shards
from lookout.jobs.reminding import AT_ONCE
from lookout.jobs.watching import watch_over
from lookout.probe.result import Layer, ProbeResult, Reason, Status
from lookout.verdict.case import Incident, Notice
from lookout.verdict.state import ServerState, ShardState
from lookout.verdict.watch import LAG_S

from tests.handlers.memory import Memory, MemoryLog

START = 1_790_000_040
REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")
SINKS = tuple(Sink(name, "webhook", f"https://{name}.example/x") for name in ("chat", "boss"))
SITE = Site("Acme", "us-east-1", REGIONS, SINKS)
ACME = Server(
    "acme",
    "https://a.dev/mcp",
    shard="s000",
    notify=("chat",),
    remind_every_s=600,
    escalate=Escalation(300, ("boss",)),
)


class Lookout(Memory):
    """One server, minute by minute."""

    def __init__(self, server: Server = ACME) -> None:
        super().__init__(SITE, [server])
        self.log = MemoryLog(self.notices)
        self.now = START

    def minutes(self, count: int, *, down: bool) -> None:
        for _ in range(count):
            for region in REGIONS:
                self.put_round(Round("s000", self.now, region, (result(self.now, down),)), self.now)
            judge_shards(self, {"s000"}, self.now + 20, lambda _: None)  # type: ignore[arg-type]  # in memory
            self.now += 60
            self.tick()

    def tick(self) -> tuple[Notice, ...]:
        return watch_over(self, self.log, self.now).notices  # type: ignore[arg-type]  # in memory

    @property
    def told(self) -> list[tuple[str, tuple[str, ...], bool]]:
        return [(one.type, one.sinks, one.escalation is not None) for one in self.notices.values()]


def result(minute: int, down: bool) -> ProbeResult:
    if down:
        return ProbeResult("acme", Status.DOWN, minute * 1000 + 7000, Layer.HTTP, Reason.HTTP_5XX, "502", 502)
    return ProbeResult("acme", Status.UP, minute * 1000 + 7000)


def test_from_the_opening_over_escalation_and_reminders_to_an_end_that_reaches_all() -> None:
    game = Lookout()
    game.minutes(3, down=False)
    game.minutes(24, down=True)
    game.minutes(3, down=False)
    assert game.told == [
        ("incident.opened", ("chat",), False),
        ("incident.reminder", ("boss",), True),
        ("incident.reminder", ("chat",), False),
        ("incident.reminder", ("chat",), False),
        ("incident.resolved", ("chat", "boss"), False),
    ]


def test_a_second_tick_tells_nothing_again() -> None:
    game = Lookout()
    game.minutes(9, down=True)
    before = dict(game.notices)
    assert game.tick() == ()
    assert game.notices == before


def test_a_tick_that_comes_second_to_another_reminds_nobody() -> None:
    game = Lookout()
    game.minutes(6, down=True)
    game.now += 60
    game.states["s000"] = replace(game.states["s000"], judged=game.now)
    game.log.broken = ConflictError("the watch was kept by another tick")
    game.now += 180
    assert game.tick() == ()
    game.log.broken = None
    assert len(game.tick()) == 1


def test_who_loses_against_another_writer_leaves_it_to_the_next_tick() -> None:
    game = Lookout()
    game.minutes(6, down=True)
    game.broken["acme"] = ConflictError("changed by another")
    game.now += 180
    states = game.states["s000"]
    game.states["s000"] = replace(states, judged=game.now - 60)
    assert game.tick() == ()
    game.broken.clear()
    (notice,) = game.tick()
    assert (notice.sinks, notice.escalation) == (("boss",), {"after_s": 300})


def test_a_window_silences_both_and_what_it_held_is_told_after_it() -> None:
    game = Lookout()
    game.minutes(6, down=True)
    game.windows = [Window("mnt_1", begin=game.now + 60, end=game.now + 1200)]
    game.minutes(19, down=True)
    assert [kind for kind, _, _ in game.told if kind == "incident.reminder"] == []
    game.minutes(4, down=True)
    assert [sinks for kind, sinks, _ in game.told if kind == "incident.reminder"] == [("chat",), ("boss",)]


def test_nobody_is_reminded_of_what_was_judged_long_ago_or_is_paused_or_gone() -> None:
    game = Lookout()
    game.minutes(6, down=True)
    game.now += LAG_S + 60
    assert game.tick() == ()
    game.states["s000"] = replace(game.states["s000"], judged=game.now)
    for servers in ([replace(ACME, paused=True)], [replace(ACME, slug="other")]):
        game.definitions = (SITE, servers)
        assert game.tick() == ()
    game.definitions = (SITE, [ACME])
    assert [one.sinks for one in game.tick()] == [("chat",), ("boss",)]


def test_a_tick_tells_of_so_many_incidents_and_the_next_of_the_rest() -> None:
    servers = [replace(ACME, slug=f"a{n}", remind_every_s=0) for n in range(AT_ONCE + 5)]
    game = Lookout()
    game.definitions = (SITE, servers)
    game.incidents = {
        f"inc_{one.slug}": Incident(f"inc_{one.slug}", one.slug, START, START, "down", public=True, title=one.slug)
        for one in servers
    }
    states = {s.slug: ServerState(s.slug, Status.DOWN, incidents={"availability": f"inc_{s.slug}"}) for s in servers}
    game.now = START + 600
    game.states["s000"] = ShardState("s000", 1, game.now, states)
    assert [len(game.tick()) for _ in range(3)] == [AT_ONCE, 5, 0]
