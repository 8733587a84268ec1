"""The store's real code paths, played against the local AWS: what a minute and an hour of them are charged."""

from __future__ import annotations

import hashlib
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import boto3
from lookout import settings
from lookout.config.model import SHARD_SIZE, Config, Server, Site
from lookout.history.chunk import DAY, HOUR, Chunk
from lookout.history.day import sketches, summarise
from lookout.history.round import Round
from lookout.jobs.dispatching import dispatch
from lookout.jobs.heartbeat import Ways, beat
from lookout.jobs.judging import judge_shards
from lookout.jobs.rolling import roll_up, settled_hours
from lookout.local.layout import Layout, find_root
from lookout.local.ministack import MiniStack, start_ministack
from lookout.local.processes import free_port
from lookout.notify.retry import Answer
from lookout.probe.result import Era, Layer, ProbeResult, Reason, Status, TlsFacts
from lookout.store import Store
from lookout.store.database import round_key, verdict_key
from lookout.store.snapshot import Gatherer
from lookout.store.watch import WatchLog
from support.ledger import Ledger, item_bytes

HOME = "us-east-1"
REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")
NOON = 1_790_000_000 // DAY * DAY + 12 * HOUR
TABLES = {
    settings.SERVERS_TABLE: ("slug",),
    settings.ROUNDS_TABLE: ("pk", "sk"),
    settings.HISTORY_TABLE: ("pk", "sk"),
    settings.INCIDENTS_TABLE: ("pk", "sk"),
}


@dataclass(frozen=True, slots=True)
class Hours:
    """What the hours of one shard of `servers` servers came to."""

    servers: int
    rollup: Ledger
    """Of one hourly run."""
    chunk_bytes: int
    days_90: float
    """Read units of one server's 90 daily summaries."""
    sketches_90: float
    """Read units of one server's 90 days of latency sketches."""
    chunks_90: float
    """Read units of one server's 90 days at minute resolution, from one week of it."""


@dataclass(frozen=True, slots=True)
class Measured:
    """`minute`: units of every step of one minute; sizes in bytes, of the largest item of each kind."""

    servers: int
    shards: int
    minute: Ledger
    round_bytes: int
    state_bytes: int
    verdict_bytes: int
    hours: Hours
    mismatches: tuple[str, ...]
    """Where what was consumed and what the sizes make it differ."""


@contextmanager
def local_aws() -> Iterator[MiniStack]:
    """A local AWS of its own, in a temporary folder, with the clients of this process pointed at it."""
    with tempfile.TemporaryDirectory() as folder:
        layout = Layout.of(find_root(), Path(folder))
        aws = start_ministack(free_port(), layout.data, persist=False, layout=layout)
        try:
            with aws.applied():
                yield aws
        finally:
            aws.stop()


def make_tables() -> None:
    """The four tables, empty. Without TTL: nothing may vanish while it is measured."""
    client = boto3.client("dynamodb", region_name=HOME)
    there = client.list_tables()["TableNames"]
    for name, keys in TABLES.items():
        if name in there:
            client.delete_table(TableName=name)
        client.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            KeySchema=[{"AttributeName": k, "KeyType": t} for k, t in zip(keys, ("HASH", "RANGE"), strict=False)],
        )
    client.close()


def probe(slug: str, minute: int, rng: random.Random) -> ProbeResult:
    """A typical result: 2 % fail with evidence, latencies vary, what a server offers does not."""
    failing = rng.random() < 0.02
    phases = {p: rng.uniform(1, 120) for p in ("dns", "tcp", "tls", "discover", "tools_list")}
    surface = hashlib.sha256(slug.encode()).hexdigest()
    return ProbeResult(
        slug,
        Status.DOWN if failing else Status.UP,
        minute * 1000 + rng.randrange(10_000),
        Layer.HTTP if failing else None,
        Reason.HTTP_5XX if failing else None,
        "HTTP 502: upstream connect error or disconnect/reset before headers" if failing else "",
        502 if failing else 200,
        Era.MODERN,
        "2026-07-28",
        "streamable-http",
        f"{slug}-server",
        "1.4.2",
        int(surface[:2], 16) % 40,
        surface,
        {**phases, "total": sum(phases.values())},
        TlsFacts(not_after=NOON + 5_000_000),
        f"203.0.113.{int(surface[2:4], 16)}",
    )


def measure(count: int, hours: dict[int, Hours]) -> Measured:
    """Play minutes of `count` servers, noting what the last consumes; then, unless known, the `hours` of one shard."""
    rng = random.Random(count)
    make_tables()
    store = Store(HOME)
    names = [f"server-{i:04d}" for i in range(count)]
    config = Config(
        Site("Bench", HOME, REGIONS),
        tuple(
            Server(name, f"https://{name}.example.com/mcp", name.title(), shard=f"s{i // SHARD_SIZE:03d}")
            for i, name in enumerate(names)
        ),
    )
    store.apply_config(config, NOON)
    shards: dict[str, list[str]] = {}
    for server in store.roster()[1]:
        shards.setdefault(server.shard, []).append(server.slug)
    gatherer = Gatherer(store)
    minute, quiet = Ledger(), Ledger()
    for moment in (NOON, NOON + 60):
        _play(store, shards, moment, rng, quiet)
        gatherer.gather("https://status.example.com", moment + 60)
    with minute.listening():
        _play(store, shards, NOON + 120, rng, minute)
        with minute.step("publish"):
            gatherer.gather("https://status.example.com", NOON + 180)
        with minute.step("heartbeat"):
            beat(store, WatchLog(HOME).read(), NOON + 180, NOON + 180, Ways((), _nowhere, str, lambda *_: Answer(200)))
    sizes, mismatches = _check(shards, NOON + 120, minute)
    size = min(count, SHARD_SIZE)
    if size not in hours:
        hours[size] = _hours(store, shards, rng)
    return Measured(count, len(shards), minute, *sizes, hours[size], tuple(mismatches))


def _play(store: Store, shards: dict[str, list[str]], minute: int, rng: random.Random, ledger: Ledger) -> None:
    """One minute: dispatch in each region; its rounds, which the stream hands to one judge together; the tick."""
    payloads: list[object] = []
    for region in REGIONS:
        with ledger.step("dispatch"):
            dispatch(store, minute, region, payloads.append)
    for region in REGIONS:
        for shard, slugs in shards.items():
            results = tuple(probe(slug, minute, rng) for slug in slugs)
            with ledger.step("rounds"):
                store.put_round(Round(shard, minute, region, results), minute)
        with ledger.step("judge"):
            judge_shards(store, shards, minute + 20, _no_surface)
    with ledger.step("tick"):
        judge_shards(store, None, minute + 50, _no_surface)


def _no_surface(address: str) -> bytes:
    raise AssertionError(f"nothing changed, and yet {address} was read")


def _nowhere(region: str) -> None:
    raise AssertionError(f"no region watches, and yet {region} was told")


def _check(shards: dict[str, list[str]], minute: int, ledger: Ledger) -> tuple[tuple[int, int, int], list[str]]:
    """The sizes of what one minute stored, and where its units are not what those sizes make them."""
    client = boto3.client("dynamodb", region_name=HOME)

    def size(table: str, pk: str, sk: str) -> int:
        return item_bytes(client.get_item(TableName=table, Key={"pk": {"S": pk}, "sk": {"S": sk}})["Item"])

    roster = sum(item_bytes(item) for item in client.scan(TableName=settings.SERVERS_TABLE)["Items"])
    rounds = {s: [size(settings.ROUNDS_TABLE, *round_key(s, minute, r)) for r in REGIONS] for s in shards}
    states = {shard: size(settings.INCIDENTS_TABLE, "state", shard) for shard in shards}
    verdicts = {shard: size(settings.ROUNDS_TABLE, *verdict_key(shard, minute)) for shard in shards}
    client.close()
    wanted_writes = {
        "rounds": sum(kilobytes(one) for found in rounds.values() for one in found),
        "judge": sum(2 * (kilobytes(states[shard]) + kilobytes(verdicts[shard])) for shard in shards),
    }
    # A query is charged for the bytes of all it read together; a wake sees the rounds stored so far.
    seen = [sum(found[: i + 1]) for found in rounds.values() for i in range(len(REGIONS))]
    wakes, whole_state = len(REGIONS), sum(map(fours, states.values()))
    wanted_reads = {
        "dispatch": len(REGIONS) * (fours(roster) + fours(sum(states.values()))) / 2,
        "judge": wakes * (fours(roster) + whole_state) + sum(map(fours, seen)) / 2,
    }
    out = [
        f"{step} {kind}: {charged[step]:g} units were consumed, the sizes make it {units:g}"
        for kind, charged, wanted in (("writes", ledger.writes, wanted_writes), ("reads", ledger.reads, wanted_reads))
        for step, units in wanted.items()
        if charged[step] != units
    ]
    largest = max(max(found) for found in rounds.values())
    return (largest, max(states.values()), max(verdicts.values())), out


def _hours(store: Store, shards: dict[str, list[str]], rng: random.Random) -> Hours:
    """Two hours of the first shard, rolled up as they are every hour, beside all that is there after long."""
    shard, slugs = next(iter(shards.items()))
    ledger = Ledger()
    end = NOON + 2 * HOUR
    client = boto3.client("dynamodb", region_name=HOME)
    for others in list(shards.values())[1:]:
        for slug in others:
            client.delete_item(TableName=settings.SERVERS_TABLE, Key={"slug": {"S": slug}})
    for minute in range(NOON + 180, end, 60):
        for region in REGIONS:
            store.put_round(Round(shard, minute, region, tuple(probe(s, minute, rng) for s in slugs)), minute)
        judge_shards(store, {shard}, minute + 20, _no_surface)
    roll_up(store, end - HOUR + 10 * 60)
    now = end + 10 * 60
    built = store.chunks(slugs[0], NOON, end, now)[0]
    _pretend_history(store, slugs, built, now)
    with ledger.listening():
        with ledger.step("rollup"):
            roll_up(store, now)
        with ledger.step("days"):
            store.days(slugs[0], NOON - 89 * DAY, NOON + DAY, now)
        with ledger.step("sketches"):
            store.sketches(slugs[0], NOON - 89 * DAY, NOON + DAY, now)
        with ledger.step("week"):
            store.chunks(slugs[0], NOON - 8 * DAY, NOON - DAY, now)
    key = {"pk": {"S": slugs[0]}, "sk": {"S": f"hour#{NOON // HOUR}"}}
    chunk = item_bytes(client.get_item(TableName=settings.HISTORY_TABLE, Key=key)["Item"])
    client.close()
    return Hours(
        len(slugs), ledger, chunk, ledger.reads["days"], ledger.reads["sketches"], ledger.reads["week"] * 90 / 7
    )


def _pretend_history(store: Store, slugs: list[str], built: Chunk, now: int) -> None:
    """What a Lookout that has run for long holds beside: earlier days, today's earlier hours, one server's week."""
    today = NOON // DAY * DAY
    done = [hour for hour in settled_hours(NOON + HOUR - 60, now) if hour <= NOON]
    for slug in slugs:
        for hour in range(today, NOON, HOUR):
            store.put_chunk(_moved(built, slug, hour))
        for day in {hour // DAY * DAY for hour in done}:
            of_day = [_moved(built, slug, hour) for hour in done if hour // DAY * DAY == day]
            store.put_day(summarise(slug, day, of_day))
    for day in range(today - 89 * DAY, today, DAY):
        of_day = [_moved(built, slugs[0], hour) for hour in range(day, day + DAY, HOUR)]
        store.put_day(summarise(slugs[0], day, of_day))
        store.put_sketches(slugs[0], day, sketches(day, of_day))
    for hour in range(NOON - 8 * DAY, NOON - DAY, HOUR):
        store.put_chunk(_moved(built, slugs[0], hour))


def _moved(chunk: Chunk, slug: str, hour: int) -> Chunk:
    return replace(chunk, slug=slug, hour=hour)


def kilobytes(size: int) -> int:
    """Write units of an item outside a transaction."""
    return -(-size // 1024)


def fours(size: int) -> int:
    """Read units of so many bytes read consistently; half of it otherwise."""
    return -(-size // 4096)
