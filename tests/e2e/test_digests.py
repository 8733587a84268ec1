"""A daily digest on the local AWS: rollup tells it once, signed, with the figures of the history."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from lookout import settings
from lookout.config.digest import Digest
from lookout.config.model import Config
from lookout.history.chunk import DAY, HOUR, Chunk
from lookout.history.day import summarise
from lookout.jobs import reading
from lookout.verdict.reports import Mark

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
FLAKY = "demo-flaky"


@pytest.fixture
def asking(world: Any) -> Iterator[tuple[Digest, int]]:
    """Every sink asks for a digest that is due, and was told of the day before; a day of one server's history."""
    world.begin_anew(minutes_ago=1)
    now = int(time.time())
    end = now // HOUR * HOUR
    digest = Digest("daily", datetime.fromtimestamp(end, UTC).hour, "UTC")
    site, servers = world.store.roster()
    sinks = tuple(replace(sink, digests=(digest,)) for sink in site.sinks)
    world.store.apply_config(Config(replace(site, sinks=sinks), tuple(servers)), now)
    for sink in sinks:
        world.store.keep_report(Mark(sink.name, digest.every, digest.rule, end - DAY), None, now)
    chunks = [Chunk(FLAKY, hour, "d" * 3 + "?" * 4 + "u" * 53, {}) for hour in range(end - DAY, end, HOUR)]
    days = {chunk.hour // DAY * DAY for chunk in chunks}
    for chunk in chunks:
        world.store.put_chunk(chunk)
    for day in days:
        world.store.put_day(summarise(FLAKY, day, chunks))
    try:
        yield digest, end
    finally:
        keys = [f"hour#{chunk.hour // HOUR}" for chunk in chunks] + [f"day#{day // DAY}" for day in days]
        for key in keys:
            item = {"pk": {"S": FLAKY}, "sk": {"S": key}}
            world.client("dynamodb").delete_item(TableName=settings.HISTORY_TABLE, Key=item)
        world.store.apply_config(Config(site, tuple(servers)), now)
        world.begin_anew(minutes_ago=1)


def test_a_day_is_told_once_with_the_figures_of_its_history(
    world: Any, asking: tuple[Digest, int], until: Callable[..., Any]
) -> None:
    digest, end = asking
    site, servers = world.store.roster()
    heard = [sink for sink in site.sinks if any(sink.name in server.notify for server in servers)]
    assert world.invoke("rollup", {})["digests"] == len(heard) > 0
    (event, *others) = until(lambda: world.events("digest:daily"))
    assert event["verified"]
    report = json.loads(event["body"])["report"]
    assert (report["begins_at"], report["ends_at"]) == tuple(
        datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for at in (end - DAY, end)
    )
    server = next(one for one in servers if one.slug == FLAKY)
    whole = reading.tell(world.store, site, server, "24h", None, end).report.whole.tally
    member = report["members"][0]
    assert (member["slug"], member["uptime"], member["coverage"]) == (FLAKY, 53 / 56, 56 / 60)
    assert (member["uptime"], member["coverage"]) == (float(whole.uptime), float(whole.coverage))
    assert {sink.name for sink in site.sinks} == {sink for sink, _ in world.store.report_marks()}
    assert world.invoke("rollup", {})["digests"] == 0
    until(lambda: world.undelivered() == 0)
    assert world.events("digest:daily") == [event, *others]
    assert digest.last(int(time.time())) == end
