"""Item sizes, DynamoDB units and the bill that follows, for 10, 100 and 1,000 servers in three regions.

The store's own code plays a typical minute (2 % of the probes fail with evidence, latencies vary) and two hours against
the local AWS. Write units are what that charges (`ReturnConsumedCapacity`); read units are counted from the bytes each
call returned, since it charges every read alike. In the same run both are compared with what the developer guide makes
of the sizes of the stored items ("Read and write operations": a write unit per started KB, twice that in a transaction;
a read unit per started 4 KB, half that when eventually consistent), and this script fails where they differ. Prints
Markdown for docs/data-model.md; the prices and durations of the bill are given, not measured.
"""

from __future__ import annotations

import sys

from support.world import REGIONS, Hours, Measured, local_aws, measure

COUNTS = (10, 100, 1000)
MINUTES = 43_200
HOURS = 720
DAYS_READ_EVERY_MIN = 10
"""How often publish reads the daily summaries again (lookout.store.snapshot)."""

PRICES = {
    "write": 0.625e-6,
    "read": 0.125e-6,
    "stream_read": 0.0,
    "lambda_request": 0.20e-6,
    "lambda_gb_s": 0.0000133334,
    "scheduler": 1.00e-6,
    "s3_put": 0.005e-3,
    "s3_get": 0.0004e-3,
    "storage_gb": 0.25,
    "recovery_gb": 0.20,
    "api": 1.00e-6,
    "cloudfront_request": 1.00e-6,
    "cloudfront_gb": 0.085,
    "logs_gb": 0.50,
    "alarm": 0.10,
    "metric": 0.30,
    "message": 0.40e-6,
    "trace": 5.00e-6,
}
"""US dollars, us-east-1, on demand, November 2026, without any free tier."""


def minute_writes(m: Measured) -> float:
    return sum(m.minute.writes.values())


def minute_reads(m: Measured) -> float:
    return sum(m.minute.reads.values()) + m.servers * m.hours.days_90 / DAYS_READ_EVERY_MIN


def hour_writes(m: Measured) -> float:
    return m.hours.rollup.writes["rollup"] * m.servers / m.hours.servers


def hour_reads(m: Measured) -> float:
    return m.hours.rollup.reads["rollup"] * m.servers / m.hours.servers


def rounds_gb(m: Measured) -> float:
    """Rounds and verdicts of the three days they are kept."""
    return m.shards * (len(REGIONS) * m.round_bytes + m.verdict_bytes) * 3 * 24 * 60 / 1e9


def archive_gb(m: Measured) -> float:
    return m.servers * 24 * 90 * m.hours.chunk_bytes / 1e9


def bill(m: Measured) -> dict[str, float]:
    """US dollars a month."""
    p = PRICES
    shards, regions = m.shards, len(REGIONS)
    probe_s, other_s = 10.0, 0.3
    # Every minute: dispatch and its probes, the judge woken by rounds; the judge's tick, publish and heartbeat.
    invocations = MINUTES * (regions * (1 + shards) + regions * shards + 3)
    gb_s = MINUTES * (regions * shards * probe_s * 0.5 + (regions * (1 + shards) + 3) * other_s * 0.25)
    alarms, metrics = 24 + 10 * regions, 8 + 2 * regions
    judged = regions * shards
    # Metrics: those written every minute. Traces: one a second and 5 % of the rest are kept;
    # the rounds of a minute land within some ten seconds.
    traces = MINUTES * (regions + 3 + min(judged, 10 + judged * 0.05))
    return {
        "DynamoDB writes": (minute_writes(m) * MINUTES + hour_writes(m) * HOURS) * p["write"],
        "DynamoDB reads": (minute_reads(m) * MINUTES + hour_reads(m) * HOURS) * p["read"],
        "DynamoDB storage, point-in-time recovery": (archive_gb(m) + rounds_gb(m))
        * (p["storage_gb"] + p["recovery_gb"]),
        "Lambda": invocations * p["lambda_request"] + gb_s * p["lambda_gb_s"],
        "Scheduler": MINUTES * (regions + 3) * p["scheduler"],
        "S3": MINUTES * (3 + m.servers * 0.05) * p["s3_put"],
        "Logs": invocations * 400 / 1e9 * p["logs_gb"],
        "SQS": MINUTES * regions * p["message"],
        "Alarms, metrics, traces": alarms * p["alarm"] + metrics * p["metric"] + traces * p["trace"],
        "API and CloudFront (100,000 views)": 1e5 * (p["api"] + 4 * p["cloudfront_request"]) + 2 * p["cloudfront_gb"],
    }


ROWS = {
    "shards": lambda m: f"{m.shards:,}",
    "largest round item, bytes": lambda m: f"{m.round_bytes:,}",
    "largest state item, bytes": lambda m: f"{m.state_bytes:,}",
    "largest verdict item, bytes": lambda m: f"{m.verdict_bytes:,}",
    "hourly chunk item, bytes": lambda m: f"{m.hours.chunk_bytes:,}",
    "writes a minute: rounds": lambda m: f"{m.minute.writes['rounds']:,g}",
    "writes a minute: verdicts and state, in transactions": lambda m: f"{m.minute.writes['judge']:,g}",
    "writes an hour: chunks and daily summaries": lambda m: f"{hour_writes(m):,g}",
    "reads a minute: dispatch": lambda m: f"{m.minute.reads['dispatch']:,g}",
    "reads a minute: judge, woken by rounds": lambda m: f"{m.minute.reads['judge']:,g}",
    "reads a minute: judge, the tick": lambda m: f"{m.minute.reads['tick']:,g}",
    "reads a minute: publish, warm": lambda m: f"{m.minute.reads['publish']:,g}",
    "reads a minute: heartbeat": lambda m: f"{m.minute.reads['heartbeat']:,g}",
    "reads an hour: rollup": lambda m: f"{hour_reads(m):,.1f}",
    "reads: 90 daily summaries of one server": lambda m: f"{m.hours.days_90:g}",
    "reads: 90 days of latency sketches of one server": lambda m: f"{m.hours.sketches_90:g}",
    "reads: 90 days of one server, minute by minute": lambda m: f"{m.hours.chunks_90:.0f}",
    "**write units per probe**": lambda m: f"**{per_probe(m, minute_writes(m) + hour_writes(m) / 60):.3f}**",
    "**read units per probe**": lambda m: f"**{per_probe(m, minute_reads(m) + hour_reads(m) / 60):.3f}**",
    "write units per probe at one item a probe": lambda m: f"{per_probe(m, m.servers * len(REGIONS)):.3f}",
    "archive of 90 days, GB": lambda m: f"{archive_gb(m):.3f}",
    "rounds of three days, GB": lambda m: f"{rounds_gb(m):.3f}",
}


def per_probe(m: Measured, units: float) -> float:
    return units / (m.servers * len(REGIONS))


def table(title: str, rows: dict[str, list[str]]) -> None:
    print(f"| {title} | " + " | ".join(f"{n:,} servers" for n in COUNTS) + " |")
    print("|---|" + "---:|" * len(COUNTS))
    for label, cells in rows.items():
        print(f"| {label} | " + " | ".join(cells) + " |")
    print()


def main() -> int:
    with local_aws():
        hours: dict[int, Hours] = {}
        measured = [measure(count, hours) for count in COUNTS]
    table("units and sizes, three regions", {label: [show(m) for m in measured] for label, show in ROWS.items()})
    bills = [bill(m) for m in measured]
    rows = {label: [f"{one[label]:.2f}" for one in bills] for label in bills[0]}
    table("US dollars a month", {**rows, "**all**": [f"**{sum(one.values()):.2f}**" for one in bills]})
    wrong = [f"{m.servers} servers: {text}" for m in measured for text in m.mismatches]
    print("\n".join(wrong) if wrong else "Units consumed and units by size are the same.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
