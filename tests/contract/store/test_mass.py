"""Held notices and digests against a real DynamoDB wire: every move is whole, and of two ticks one is refused."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from lookout.config.model import Config, Server, Sink, Site
from lookout.errors import ConflictError
from lookout.history.round import Round
from lookout.jobs.gathering import gather_held
from lookout.jobs.judging import judge_shards
from lookout.probe.result import Layer, ProbeResult, Reason, Status
from lookout.store import Store
from lookout.store.mass import MassBook
from lookout.verdict.case import Notice
from lookout.verdict.gathering import STEP_MOVES, Book, gather
from lookout.verdict.mass import Standing

from tests.contract.store.tables import tables

HOME = "us-east-1"
REGIONS = ("us-west-2", "eu-west-1")
SITE = Site("Acme", HOME, REGIONS, (Sink("hook", "webhook", "https://ops.example/x"),))
NOW = int(time.time()) // 60 * 60
HOLDS = Standing(scopes={"site": frozenset()})


@pytest.fixture
def store(local_aws: str) -> Iterator[Store]:
    del local_aws
    with tables(HOME) as store:
        yield store


def watch(store: Store, count: int) -> None:
    servers = [Server(f"s{n:03d}", f"https://s{n}.example/mcp", notify=("hook",)) for n in range(count)]
    store.apply_config(Config(SITE, tuple(servers)), NOW)


def minute(store: Store, minute: int, failing: set[str] | None = None) -> None:
    """Both regions report, and the minute is judged. `failing` None: all are."""
    _, servers = store.roster()
    for shard in sorted({server.shard for server in servers}):
        for region in REGIONS:
            results = []
            for server in (one for one in servers if one.shard == shard):
                down = failing is None or server.slug in failing
                why = (Layer.HTTP, Reason.HTTP_5XX) if down else (None, None)
                status = Status.DOWN if down else Status.UP
                results.append(ProbeResult(server.slug, status, minute * 1000, *why, timings_ms={"total": 5.0}))
            store.put_round(Round(shard, minute, region, tuple(results)), minute)
        judge_shards(store, {shard}, minute + 30, lambda address: b"")


def said(store: Store) -> list[str]:
    return sorted(f"{one.type} {one.slug}" for one in store.recent_notices(1000))


def held(store: Store, count: int) -> MassBook:
    """So many servers failed together, and nobody was told yet."""
    watch(store, count)
    for number in range(4):
        minute(store, NOW - 600 + 60 * number, set() if number == 0 else None)
    return MassBook(HOME)


def test_nothing_is_held_at_first(store: Store) -> None:
    assert MassBook(HOME).read() == Book()


def test_from_the_rounds_to_the_outbox_and_back_to_peace(store: Store) -> None:
    book = held(store, 6)
    assert store.recent_notices(10) == []
    before = book.read()
    assert (len(before.held), before.version, before.digests) == (6, 0, ())
    assert all(one.held == "site" and one.incident is not None and one.incident.held == "site" for one in before.held)
    (digest,) = gather_held(store, book, NOW)
    assert store.recent_notices(10) == [digest]
    after = book.read()
    assert after.held == ()
    assert [one.notice for one in after.taken[digest.dedup_key]] == list(before.held)
    assert gather_held(store, book, NOW + 60) == ()
    for number in range(4, 7):
        minute(store, NOW - 600 + 60 * number, {"s003"})
    assert len(book.read().held) == 5
    told = [*gather_held(store, book, NOW + 120), *gather_held(store, book, NOW + 180)]
    assert [one.type for one in told] == ["digest", "incident.opened"]
    assert told[1] == replace(next(one for one in before.held if one.slug == "s003"), held="")
    assert book.read().idle
    assert said(store) == ["digest digest:site", "digest digest:site", "incident.opened s003"]
    for number in range(7, 9):
        minute(store, NOW - 600 + 60 * number, set())
    assert [one.type for one in gather_held(store, book, NOW + 240)] == ["incident.resolved"]
    assert len(said(store)) == 4


def test_more_than_one_transaction_holds(store: Store) -> None:
    book = held(store, 2 * STEP_MOVES + 10)
    steps = gather(book.read(), HOLDS, SITE, NOW)
    assert [len(step.taken) for step in steps] == [0, STEP_MOVES, STEP_MOVES, 10, 0]
    for step in steps:
        book.keep(step, NOW)
    assert said(store) == ["digest digest:site"]
    assert book.read().version == 5


def test_of_two_ticks_one_is_refused_and_nothing_of_it_stays(store: Store) -> None:
    book = held(store, 5)
    first, second = (gather(book.read(), HOLDS, SITE, NOW + late) for late in (0, 1))
    book.keep(first[0], NOW)
    before = book.read()
    for step in (second[0], first[0]):
        with pytest.raises(ConflictError):
            book.keep(step, NOW)
    assert book.read() == before
    late: Notice = replace(before.held[0], id="evt_nobody")
    with pytest.raises(ConflictError):
        book.keep(replace(first[1], taken=((late, first[0].digests[0].id),)), NOW)
    assert book.read() == before
    for step in first[1:]:
        book.keep(step, NOW)
    assert said(store) == ["digest digest:site"]


def test_a_removed_servers_last_notice_is_held_like_its_others(store: Store) -> None:
    book = held(store, 5)
    (digest,) = gather_held(store, book, NOW)
    _, servers = store.roster()
    store.apply_config(Config(SITE, tuple(servers[1:])), NOW + 60)
    (last,) = book.read().held
    assert (last.type, last.slug, last.dedup_key[:4]) == ("incident.resolved", servers[0].slug, "inc_")
    assert gather_held(store, book, NOW + 60) == ()
    assert store.recent_notices(10) == [digest]
