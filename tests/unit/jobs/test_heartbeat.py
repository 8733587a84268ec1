"""The job: what it reads, whom it tells, and that no way out harms another."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from lookout.config.model import Heartbeat, Server, Site
from lookout.errors import SecretError
from lookout.jobs import heartbeat
from lookout.jobs.heartbeat import Beat, Ways, beat
from lookout.notify.retry import Answer
from lookout.store import Delivery
from lookout.verdict.case import Notice
from lookout.verdict.state import ShardState
from lookout.verdict.watch import RegionMemory, Watch

from tests.contract.notify.sample import OPEN

NOW = 1_790_000_057
REGIONS = ("us-west-2", "eu-west-1")
WATCH = Watch(1, at=NOW - 40, regions=dict.fromkeys(REGIONS, RegionMemory(NOW - 900, heard=NOW - 60)))
BEAT = Heartbeat("https://beat.example/x")


class Tables:
    """One shard, judged just now."""

    def __init__(self, beat: Heartbeat | None = BEAT) -> None:
        self.site = Site("Acme", "us-east-1", REGIONS, heartbeat=beat)
        self.state = ShardState("s000", 1, NOW - 120, {})
        self.notices: list[Notice] = []
        self.tried: set[tuple[str, str]] = set()

    def roster(self) -> tuple[Site, list[Server]]:
        return self.site, [Server("a", "https://a.dev/mcp", shard="s000")]

    def shard_states(self) -> list[ShardState]:
        return [self.state]

    def recent_notices(self, limit: int) -> list[Notice]:
        return self.notices[:limit]

    def delivery(self, notice_id: str, sink: str) -> Delivery | None:
        return Delivery(sink, "retrying", "", NOW) if (notice_id, sink) in self.tried else None


class Outside:
    """Everything that is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.called: list[tuple[str, bool]] = []
        self.broken: dict[str, Exception] = {}
        self.answer = Answer(200, "OK")

    def tell(self, region: str) -> None:
        if region in self.broken:
            raise self.broken[region]
        self.told.append(region)

    def call(self, url: str, allow_private: bool) -> Answer:
        self.called.append((url, allow_private))
        return self.answer

    def resolve(self, text: str) -> str:
        if text == "secret:gone":
            raise SecretError("secret 'gone' in us-east-1 cannot be read: ResourceNotFoundException")
        return f" https://beat.example/{text.removeprefix('secret:')}\n"

    @property
    def ways(self) -> Ways:
        return Ways(REGIONS, self.tell, self.resolve, self.call)


def test_where_all_is_well_everybody_is_told() -> None:
    outside = Outside()
    assert beat(Tables(), WATCH, NOW - 50, NOW, outside.ways) == Beat(told=REGIONS, called=True)
    assert sorted(outside.told) == sorted(REGIONS)
    assert outside.called == [("https://beat.example/x", False)]


def test_where_something_is_not_nobody_is() -> None:
    outside, tables = Outside(), Tables()
    tables.state = replace(tables.state, judged=NOW - 1000)
    done = beat(tables, WATCH, NOW - 50, NOW, outside.ways)
    assert done == Beat(withheld=("shard s000 was judged 1000 s ago",))
    tables.state = replace(tables.state, judged=0)
    assert beat(tables, WATCH, None, NOW, outside.ways).withheld[0] == "shard s000 has never been judged"
    assert (outside.told, outside.called) == ([], [])


def test_a_notice_nobody_has_tried_at_one_of_its_sinks_withholds_it() -> None:
    outside, tables = Outside(), Tables()
    tables.notices = [replace(OPEN, created_at=NOW - 1000, sinks=("hook", "oncall"))]
    tables.tried = {(OPEN.id, "hook")}
    assert beat(tables, WATCH, NOW, NOW, outside.ways).withheld == (f"nobody has tried to deliver {OPEN.id}",)
    tables.tried |= {(OPEN.id, "oncall")}
    assert beat(tables, WATCH, NOW, NOW, outside.ways).called


def test_a_notice_passed_over_long_ago_withholds_nothing_once_a_later_one_was_tried() -> None:
    outside, tables = Outside(), Tables()
    old, newer, young = (
        replace(OPEN, id=f"evt_{age}", created_at=NOW - age, sinks=("hook",)) for age in (5000, 2000, 60)
    )
    tables.notices = [young, newer, old]
    assert beat(tables, WATCH, NOW, NOW, outside.ways).withheld == ("nobody has tried to deliver evt_2000, evt_5000",)
    tables.tried = {("evt_2000", "hook")}
    assert beat(tables, WATCH, NOW, NOW, outside.ways).called


def test_a_reference_is_resolved_and_what_must_not_be_called_may_be_allowed() -> None:
    outside = Outside()
    assert beat(Tables(Heartbeat("secret:beat", allow_private=True)), WATCH, NOW, NOW, outside.ways).called
    assert outside.called == [("https://beat.example/beat", True)]


def test_without_a_heartbeat_the_regions_are_told_all_the_same() -> None:
    outside = Outside()
    assert beat(Tables(None), WATCH, NOW, NOW, outside.ways) == Beat(told=REGIONS)
    assert outside.called == []


@pytest.mark.parametrize(
    ("heartbeat_", "answer", "said"),
    [
        (BEAT, Answer(500, "sorry"), "HTTP 500 sorry"),
        (BEAT, Answer(301), "HTTP 301"),
        (BEAT, Answer(None, "the receiver did not answer within 10 s"), "the receiver did not answer within 10 s"),
        (Heartbeat("secret:gone"), Answer(200), "secret 'gone' in us-east-1 cannot be read: ResourceNotFoundException"),
    ],
)
def test_a_call_that_fails_is_said_and_harms_nothing(heartbeat_: Heartbeat, answer: Answer, said: str) -> None:
    outside = Outside()
    outside.answer = answer
    done = beat(Tables(heartbeat_), WATCH, NOW, NOW, outside.ways)
    assert done == Beat(told=REGIONS, failed=(f"the heartbeat of lookout.yaml: {said}",))


def test_a_region_that_cannot_be_told_harms_neither_the_others_nor_the_call() -> None:
    outside = Outside()
    outside.broken["us-west-2"] = OSError("no route")
    done = beat(Tables(), WATCH, NOW, NOW, outside.ways)
    assert done == Beat(told=("eu-west-1",), called=True, failed=("us-west-2: OSError: no route",))


def test_a_region_that_hangs_is_waited_for_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "PATIENCE_S", 0.05)
    over = threading.Event()
    ways = Ways(("us-west-2",), lambda _: (over.wait(30), None)[1], str, lambda *_: Answer(200))
    try:
        done = beat(Tables(), WATCH, NOW, NOW, ways)
    finally:
        over.set()
    assert done == Beat(called=True, failed=("us-west-2: TimeoutError: no answer within 0.05 s",))
