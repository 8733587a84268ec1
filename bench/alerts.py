"""How fast an alert is: from the third failing round being written to DynamoDB to the webhook arriving.

The whole system, deployed into a local AWS as the end-to-end tests deploy it. What probes would write is written here,
by the store: a site of forty servers in three regions, minute after minute, of which one after the other fails for
three rounds. The clock starts before the last region's third failing round is written, and stops when the receiver has
read the request. Between the two, the stages are what the functions' own logs say, to the millisecond: judged, when
the judge logged the notice it had written; queued, when notify had queued its delivery. All clocks are this machine's.

The first alert finds functions that never ran, and stands apart. Ends with an error where p95 is 5 s or more, or where
one came too soon, twice or not at all.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from lookout import settings
from lookout.config.model import SHARD_SIZE, Config, Server
from lookout.history.round import Round
from lookout.jobs.judging import judge_shards
from lookout.local.layout import Layout, find_root
from lookout.local.processes import free_port
from lookout.probe.result import Layer, ProbeResult, Reason, Status

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.e2e.world import REGIONS, World, deployed, until

SHARD = "s000"
FAILING = 3
"""Rounds until a server is down: the default."""
PAUSE_S = 1.0
"""Before each third failing round up to so much is waited, as whoever polls may be anywhere in an interval of its."""
WANTED_S = 5.0
STAGES = ("written -> judged", "judged -> queued", "queued -> arrived")


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert's moments, unix seconds."""

    written: float
    judged: float
    queued: float
    arrived: float

    @property
    def stages(self) -> tuple[float, ...]:
        """Seconds of each of STAGES, and of all of it."""
        return (
            self.judged - self.written,
            self.queued - self.judged,
            self.arrived - self.queued,
            self.arrived - self.written,
        )


class Receiver(ThreadingHTTPServer):
    """Takes whatever comes; notes when what was opened had arrived, by server."""

    daemon_threads = True

    def __init__(self) -> None:
        self.opened: dict[str, list[tuple[float, str]]] = {}
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        arrived, told = time.time(), json.loads(body)
        if told["type"] == "incident.opened":
            self.server.opened.setdefault(told["server_slug"], []).append((arrived, told["id"]))
        self.send_response(202)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Says nothing."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    server = Receiver()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def roster() -> tuple[Server, ...]:
    """Servers of one shard, each at an address of its own: no two of them fail together."""
    slugs = [f"server-{i:02d}" for i in range(SHARD_SIZE)]
    return tuple(Server(slug, f"https://{slug}.example/mcp", slug, notify=("bench",), shard=SHARD) for slug in slugs)


def result(slug: str, minute: int, failing: bool) -> ProbeResult:
    if failing:
        return ProbeResult(slug, Status.DOWN, minute * 1000, Layer.HTTP, Reason.HTTP_5XX, "HTTP 502", 502)
    return ProbeResult(slug, Status.UP, minute * 1000, timings_ms={"total": 80.0})


def write(world: World, failing: str) -> float:
    """The next minute's round of every region, one after the other, as of now; when the last one's writing began."""
    world.minute += 60
    for region in REGIONS:
        results = tuple(result(server.slug, world.minute, server.slug == failing) for server in roster())
        begun = time.time()
        world.store.put_round(Round(SHARD, world.minute, region, results), int(begun))
    return begun


def judged(world: World) -> bool:
    return world.store.shard_state(SHARD).judged >= world.minute


def _unread(address: str) -> bytes:
    raise AssertionError(f"no surface is in these rounds, and yet {address} was read")


def sample(world: World, receiver: Receiver, slug: str, rng: random.Random) -> tuple[float, float, str]:
    """Fail `slug` until that is told; when the round was written, when it was told, and the notice's id."""
    for number in range(FAILING):
        last = number == FAILING - 1
        if last:
            until(lambda: world.undelivered() == 0)
            time.sleep(rng.uniform(0, PAUSE_S))
        written = write(world, slug)
        until(lambda: judged(world))
        if not last and slug in receiver.opened:
            raise RuntimeError(f"{slug} was told to be down after {number + 1} rounds")
    (told,) = until(lambda: receiver.opened.get(slug))
    return written, *told


def logged(world: World, function: str) -> list[dict[str, object]]:
    """What a function logged as JSON, oldest first."""
    group, client = f"/aws/lambda/{settings.function_name(function)}", world.client("logs")
    lines: list[dict[str, object]] = []
    for page in client.get_paginator("filter_log_events").paginate(logGroupName=group):
        for event in page["events"]:
            try:
                line = json.loads(event["message"])
            except ValueError:  # the runtime's own lines
                continue
            lines.append(line)
    return lines


def moments(world: World) -> tuple[dict[str, float], list[float]]:
    """When each notice was judged, by its id, and when deliveries were queued, in order."""
    notices = {
        str(line["notice"]): datetime.strptime(str(line["timestamp"]), "%Y-%m-%d %H:%M:%S,%f%z").timestamp()
        for line in logged(world, "judge")
        if line.get("message") == "notice"
    }
    queued = [
        line["_aws"]["Timestamp"] / 1000  # type: ignore[index]  # the embedded metric format
        for line in logged(world, "notify")
        if line.get("DeliveriesQueued")
    ]
    return notices, sorted(queued)


def measure(world: World, receiver: Receiver, count: int) -> list[Alert]:
    """The first alert, and `count` more."""
    site, _ = world.store.roster()
    if site is None:
        raise RuntimeError("nothing is deployed")
    sink = replace(site.sinks[0], name="bench", url=f"http://127.0.0.1:{receiver.server_port}/", allow_private=True)
    servers = roster()
    world.store.apply_config(Config(replace(site, sinks=(sink,)), servers), int(time.time()))
    world.begin_long_ago((count + 3) * FAILING)
    rng = random.Random(count)
    write(world, "")
    # Who has judged nothing yet looks back an hour at most: the first minute is judged here, as of then.
    judge_shards(world.store, [SHARD], world.minute + 60, _unread)
    found = []
    for number in range(count + 1):
        slug = servers[number % len(servers)].slug
        receiver.opened.pop(slug, None)
        found.append(sample(world, receiver, slug, rng))
    until(lambda: world.undelivered() == 0)
    if any(len(told) > 1 for told in receiver.opened.values()):
        raise RuntimeError("an alert arrived twice")
    notices, queued = moments(world)
    return [
        Alert(written, notices[notice], next(at for at in queued if at >= notices[notice]), arrived)
        for written, arrived, notice in found
    ]


def quantile(values: list[float], percent: int) -> float:
    """The nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, -(-percent * len(ordered) // 100) - 1)]


def table(first: Alert, alerts: list[Alert]) -> None:
    print(f"| {len(alerts)} alerts | p50 ms | p95 ms | max ms | the first one, ms |")
    print("|---|---:|---:|---:|---:|")
    names = (*STAGES, "**written -> arrived**")
    for name, cold, *values in zip(names, first.stages, *(alert.stages for alert in alerts), strict=True):
        cells = [name, *(f"{quantile(values, percent) * 1e3:,.0f}" for percent in (50, 95, 100)), f"{cold * 1e3:,.0f}"]
        print("| " + " | ".join(cells) + " |")
    print()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alerts", type=int, default=60, help="how many, besides the first (default: 60)")
    count: int = parser.parse_args().alerts
    with (
        tempfile.TemporaryDirectory() as folder,
        deployed(Layout.of(find_root(), Path(folder)), free_port()) as world,
        receiving() as receiver,
    ):
        first, *alerts = measure(world, receiver, count)
    table(first, alerts)
    p95 = quantile([alert.stages[-1] for alert in alerts], 95)
    met = p95 < WANTED_S
    print(f"p95 {p95:.2f} s; wanted: under {WANTED_S:g} s: {'met' if met else 'missed'}.")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
