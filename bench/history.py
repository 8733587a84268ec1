"""Ninety days of 100 servers in the local AWS, read by `lookout history` and by what the API serves.

Every count and ratio of both, of each day and of the whole, must be that of tests/reference/uptime.py, which knows
nothing of Lookout; this script fails where one is not. Prints read units (from the bytes that each call returned) and
times as ratios, as Markdown for docs/data-model.md. `--servers` and `--days` make it smaller.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from lookout.cli import history_cmd
from lookout.config.model import SHARD_SIZE, Config, Server, Site
from lookout.config.window import Window
from lookout.history.chunk import DAY, HOUR, Sample
from lookout.history.day import sketches, summarise
from lookout.history.packing import pack_chunk
from lookout.history.round import Round, pack_json
from lookout.probe.result import ProbeResult, Reason
from lookout.settings import ROUNDS_TTL_S
from lookout.status import api_json
from lookout.store import Store
from lookout.store.database import verdict_key
from lookout.store.models import models
from lookout.store.snapshot import Gatherer
from lookout.verdict.case import Incident
from support.ledger import Ledger
from support.past import REGIONS, Past
from support.world import HOME, local_aws, make_tables

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.reference import uptime as reference

SEED = 4
ZONE = "Europe/Berlin"
NOW = int(datetime(2026, 11, 10, 14, 35, tzinfo=UTC).timestamp())
"""In the window: the night of 25 hours."""
THIS_HOUR = NOW // HOUR * HOUR
WORKERS = 2
WINDOWS = ("24h", "7d", "30d", "90d")


def begin(days: int) -> int:
    """One day more than is asked for: what is before the window must not be in it."""
    return (NOW - (days + 1) * DAY) // HOUR * HOUR


def server(past: Past, number: int) -> Server:
    address = f"https://{past.slug}.example.com/mcp"
    return Server(past.slug, address, shard=f"s{number // SHARD_SIZE:03d}", interval_s=past.interval_s)


def write(number: int, days: int) -> int:
    """Write one server's past: what was rolled up as rollup writes it; how many bytes of chunks."""
    past, store, size = Past.of(SEED, number, begin(days), NOW), Store(HOME), 0
    with models(HOME).history.batch_write() as batch:
        for day in range(begin(days) // DAY * DAY, NOW, DAY):
            chunks = list(past.chunks(day, min(day + DAY, THIS_HOUR)))
            for chunk in chunks:
                item = store._chunk_item(chunk)
                size += len(item.data or b"")
                batch.save(item)
            if chunks:
                batch.save(store._day_item(summarise(past.slug, day, chunks, past.outages)))
                store.put_sketches(past.slug, day, sketches(day, chunks))
    with models(HOME).incident.batch_write() as batch:
        for i, (started, ended) in enumerate(past.outages):
            incident = Incident(
                f"inc_{i:026d}", past.slug, started, started + 180, "down", True, past.slug, ended, "recovered"
            )
            batch.save(store._incident_item(incident))
    return size


def write_running_hour(pasts: list[Past]) -> None:
    """Rounds and verdicts of the hour that is not rolled up yet, of all servers."""
    store = Store(HOME)
    for first in range(0, len(pasts), SHARD_SIZE):
        shard, members = f"s{first // SHARD_SIZE:03d}", pasts[first : first + SHARD_SIZE]
        hours = {past.slug: next(iter(past.chunks(THIS_HOUR, NOW)), None) for past in members}
        for i in range((NOW - THIS_HOUR) // 60):
            minute = THIS_HOUR + 60 * i
            codes = {slug: chunk.outcomes[i] for slug, chunk in hours.items() if chunk and chunk.outcomes[i] != "."}
            pk, sk = verdict_key(shard, minute)
            ttl = NOW + ROUNDS_TTL_S
            models(HOME).round(pk, sk, kind="verdict", data=pack_json(1, codes), ttl=ttl).save()
            for region in REGIONS:
                seen = [(slug, s) for slug, c in hours.items() if c for s in c.samples.get(region, ()) if s.minute == i]
                store.put_round(
                    Round(shard, minute, region, tuple(_result(slug, s, minute) for slug, s in seen)), minute
                )


def _result(slug: str, sample: Sample, minute: int) -> ProbeResult:
    reason = Reason(sample.reason) if sample.reason else None
    timings = {**sample.phases, "total": float(sample.latency_ms)}
    return ProbeResult(slug, sample.status, minute * 1000, reason=reason, timings_ms=timings)


def asked(slug: str, window: str, *more: str) -> str:
    """What `lookout history` prints, at the moment the past ends."""
    region = more[0] if more and more[0] in REGIONS else None
    with patch.object(history_cmd.time, "time", lambda: NOW):
        return "".join(history_cmd.show(HOME, slug, window, region, "csv" if "csv" in more else "json"))


def check(number: int, days: int) -> tuple[list[str], dict[str, Any]]:
    """Where one server's history is not the reference's; and the days of it that the reference says."""
    past, zone = Past.of(SEED, number, begin(days), NOW), ZoneInfo(ZONE)
    found = json.loads(asked(past.slug, "90d"))
    window = int(datetime.fromisoformat(found["begin"]).timestamp())
    minutes = {hour + 60 * i: code for hour, line in past.codes.items() for i, code in enumerate(line)}
    minutes = {minute: code for minute, code in minutes.items() if window <= minute < NOW}
    known = [minute for minute, code in minutes.items() if code != "."]
    whole = shown(reference.counts(minutes.values()))
    by_date = {date: shown(counts) for date, counts in reference.days(minutes, zone).items()}
    wrong = [
        f"{past.slug}: {name} is {found[name]}, not {value}" for name, value in whole.items() if found[name] != value
    ]
    for period in found["periods"]:
        expected = by_date.get(period["period"], shown(reference.Counts()))
        wrong += [f"{past.slug} {period['period']}: {n}" for n, value in expected.items() if period[n] != value]
    first = max(window, min(known) // 900 * 900)
    by_time = reference.uptime_time(first, NOW, past.outages, past.maintenance, step_s=60)
    if by_time is None or found["uptime_time"] != float(by_time):
        wrong.append(f"{past.slug}: uptime_time is {found['uptime_time']}, not {by_time}")
    return wrong, {"whole": {**whole, "uptime_time": None if by_time is None else float(by_time)}, "days": by_date}


def shown(counts: reference.Counts) -> dict[str, Any]:
    """As JSON shows it."""
    ratios = {"uptime": counts.uptime, "coverage": counts.coverage}
    return {
        **{name: None if value is None else float(value) for name, value in ratios.items()},
        **{name: getattr(counts, name) for name in ("ok", "fail", "unknown", "excluded", "degraded")},
    }


def check_api(snapshot: Any, expected: dict[str, dict[str, Any]]) -> list[str]:
    """Where what the API serves is not the reference's."""
    wrong = []
    for view in snapshot.servers:
        served = api_json.server(snapshot, view, NOW)
        truth = expected[view.slug]
        wrong += [f"API {view.slug}: {n}" for n, v in truth["whole"].items() if served["windows"]["90d"][n] != v]
        for day in served["days"]:
            of_day = truth["days"].get(day["date"], shown(reference.Counts()))
            wrong += [f"API {view.slug} {day['date']}: {name}" for name, v in of_day.items() if day[name] != v]
    return wrong


def timed(ledger: Ledger, name: str, call: Any) -> tuple[Any, float]:
    start = time.perf_counter()
    with ledger.step(name):
        result = call()
    return result, time.perf_counter() - start


def table(rows: list[tuple[str, float, float]]) -> None:
    base = rows[0][2]
    print("| read | read units | time, as a ratio |\n|---|---:|---:|")
    for name, units, took in rows:
        print(f"| {name} | {units:,.1f} | {took / base:,.1f} |")


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--servers", type=int, default=100)
    options.add_argument("--days", type=int, default=90)
    chosen = options.parse_args()
    numbers = range(chosen.servers)
    with local_aws(), ProcessPoolExecutor(WORKERS) as pool:
        make_tables()
        pasts = list(pool.map(Past.of, *zip(*((SEED, n, begin(chosen.days), NOW) for n in numbers), strict=True)))
        windows = tuple(
            Window(f"{past.slug}-{number}", (past.slug,), begin=first, end=last)
            for past in pasts
            for number, (first, last) in enumerate(past.maintenance)
        )
        site = Site("Bench", HOME, REGIONS, timezone=ZONE, maintenance=windows)
        made = begin(chosen.days) - DAY  # a window covers nothing before it was made
        Store(HOME).apply_config(Config(site, tuple(server(past, n) for n, past in enumerate(pasts))), made)
        size = sum(pool.map(write, numbers, [chosen.days] * len(numbers)))
        write_running_hour(pasts)
        wrong, expected = [], {}
        for past, (problems, truth) in zip(pasts, pool.map(check, numbers, [chosen.days] * len(numbers)), strict=True):
            wrong += problems
            expected[past.slug] = truth
        ledger, rows = Ledger(), []
        slug, gatherer = pasts[0].slug, Gatherer(Store(HOME))
        with ledger.listening():
            for window in WINDOWS:
                _, took = timed(ledger, window, lambda window=window: asked(slug, window))
                rows.append((f"`lookout history --window {window}`", ledger.reads[window], took))
            _, took = timed(ledger, "region", lambda: asked(slug, "90d", "eu-west-1"))
            rows.append(("the same of one region, 90d", ledger.reads["region"], took))
            lines, took = timed(ledger, "csv", lambda: asked(slug, "90d", "csv"))
            rows.append((f"`--csv`, 90d: {lines.count(chr(10)) - 1:,} probes", ledger.reads["csv"], took))
            snapshot, took = timed(ledger, "cold", lambda: gatherer.gather("https://x.example", NOW))
            rows.append((f"publish, cold, all {len(pasts)} servers", ledger.reads["cold"], took))
            _, took = timed(ledger, "warm", lambda: gatherer.gather("https://x.example", NOW + 60))
            rows.append((f"publish, warm, all {len(pasts)} servers", ledger.reads["warm"], took))
    wrong += check_api(snapshot, expected)
    table(rows)
    probes = sum(len(found) for c in pasts[0].chunks(0, THIS_HOUR) for found in c.samples.values())
    one = sum(len(pack_chunk(c)) for c in pasts[0].chunks(0, THIS_HOUR))
    print(f"\n{size / 1e6:,.0f} MB of chunks, {one / probes:.1f} bytes a probe.")
    said = ["NOT as the reference says:", *wrong[:20]] if wrong else ["all as the reference says, to the last digit."]
    print(f"{len(pasts)} servers, each of their days and the whole:", *said, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
