from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from lookout.config.diff import assign_shards, plan
from lookout.config.model import SHARD_SIZE, Server


def server(slug: str, shard: str = "") -> Server:
    return Server(slug, f"https://{slug}.example/mcp", shard=shard)


def test_nothing_becomes_everything() -> None:
    made = plan({}, [server("a"), server("b")])
    assert made.created == (server("a", "s000"), server("b", "s000"))
    assert (made.changed, made.removed, made.unchanged) == ((), (), ())


def test_a_change_keeps_its_shard() -> None:
    current = {"a": server("a", "s007"), "b": server("b", "s000"), "c": server("c", "s000")}
    made = plan(current, [replace(server("a"), paused=True), server("b")])
    assert made.changed == (replace(server("a", "s007"), paused=True),)
    assert made.unchanged == (server("b", "s000"),)
    assert made.removed == (server("c", "s000"),)


def test_the_first_shard_with_room_is_filled() -> None:
    taken = {"s000": SHARD_SIZE, "s001": SHARD_SIZE - 1, "s003": 1}
    shards = [s.shard for s in assign_shards(taken, [server(f"n{i}") for i in range(SHARD_SIZE + 2)])]
    assert shards == ["s001", *["s002"] * SHARD_SIZE, "s003"]


def test_a_removed_servers_place_is_free() -> None:
    current = {f"o{i}": server(f"o{i}", "s000") for i in range(SHARD_SIZE)}
    kept = [server(f"o{i}") for i in range(1, SHARD_SIZE)]
    assert plan(current, [*kept, server("new")]).created == (server("new", "s000"),)


SLUGS = st.sets(st.integers(0, 120).map(lambda i: f"s-{i}"), max_size=120)


@given(st.lists(SLUGS, min_size=1, max_size=4))
def test_shards_are_sticky_bounded_and_complete(history: list[set[str]]) -> None:
    current: dict[str, Server] = {}
    for slugs in history:
        made = plan(current, [server(slug) for slug in sorted(slugs)])
        after = {s.slug: s for s in (*made.created, *made.changed, *made.unchanged)}
        assert set(after) == slugs
        assert {s.slug for s in made.removed} == set(current) - slugs
        assert all(after[slug].shard == current[slug].shard for slug in slugs & set(current))
        counts = [sum(s.shard == shard for s in after.values()) for shard in {s.shard for s in after.values()}]
        assert max(counts, default=0) <= SHARD_SIZE
        again = plan(after, [server(slug) for slug in sorted(slugs)])
        assert (again.created, again.changed, again.removed) == ((), (), ())
        current = after
