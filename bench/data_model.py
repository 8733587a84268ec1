"""Item sizes, DynamoDB units and the bill that follows, for 10, 100 and 1,000 servers in three regions.

Builds the items Lookout really writes (packed by the code that writes them) for a typical minute: 2 % of the probes
fail with evidence, latencies vary. Units follow the DynamoDB developer guide, "Read and write operations": a write
unit per started KB, twice that in a transaction; a read unit per started 4 KB, half that when eventually consistent.
Prints Markdown for docs/data-model.md. Nothing is asserted and nothing leaves this process.
"""

from __future__ import annotations

import json
import random

from lookout.config.model import SHARD_SIZE, Server, Site
from lookout.history import chunk as chunks
from lookout.history import round as rounds
from lookout.history.chunk import HOUR
from lookout.history.round import Round, pack_json
from lookout.probe.result import Era, Layer, ProbeResult, Reason, Status, TlsFacts
from lookout.verdict.judge import judge_minute
from lookout.verdict.state import ShardState

REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")
MINUTES = 43_200
START = 1_790_000_000 // HOUR * HOUR

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
    "api": 1.00e-6,
    "cloudfront_request": 1.00e-6,
    "cloudfront_gb": 0.085,
    "logs_gb": 0.50,
    "alarm": 0.10,
    "metric": 0.30,
    "trace": 5.00e-6,
}
"""US dollars, us-east-1, on demand, November 2026, without any free tier."""


def probe(slug: str, minute: int, rng: random.Random) -> ProbeResult:
    failing = rng.random() < 0.02
    phases = {p: rng.uniform(1, 120) for p in ("dns", "tcp", "tls", "discover", "tools_list")}
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
        rng.randrange(1, 40),
        f"{rng.getrandbits(256):064x}",
        {**phases, "total": sum(phases.values())},
        TlsFacts(not_after=START + 5_000_000),
        f"203.0.113.{rng.randrange(255)}",
    )


def kb(size: int) -> int:
    return -(-size // 1024)


def measure(count: int) -> dict[str, float]:
    """Bytes and units of one minute (and one hour's rollup) of `count` servers."""
    rng = random.Random(count)
    site = Site("Bench", "us-east-1", REGIONS)
    servers = [
        Server(f"server-{i:04d}", f"https://mcp{i}.example.com/mcp", f"Server {i}", shard=f"s{i // SHARD_SIZE:03d}")
        for i in range(count)
    ]
    shards = sorted({server.shard for server in servers})
    out = dict.fromkeys(("round_bytes", "state_bytes", "verdict_bytes", "writes", "reads", "hour_writes"), 0.0)
    for shard in shards:
        mine = [s for s in servers if s.shard == shard]
        state = ShardState(shard)
        for i in range(3):
            minute = START + 60 * i
            found = {
                region: Round(shard, minute, region, tuple(probe(s.slug, minute, rng) for s in mine))
                for region in REGIONS
            }
            judged = judge_minute(state, minute, found, mine, site, {})
            state = judged.state
        packed_round = max(len(rounds.pack(r)) for r in found.values()) + 60
        state_json = {"judged": state.judged, "servers": {k: v.to_json() for k, v in state.servers.items()}}
        packed_state = len(pack_json(1, state_json)) + 40
        packed_verdict = len(pack_json(1, dict(judged.verdicts))) + 60
        out["round_bytes"] = max(out["round_bytes"], packed_round)
        out["state_bytes"] = max(out["state_bytes"], packed_state)
        out["verdict_bytes"] = max(out["verdict_bytes"], packed_verdict)
        out["writes"] += len(REGIONS) * kb(packed_round) + 2 * (kb(packed_state) + kb(packed_verdict))
        # judge: woken once per region; each reads the state and this minute's rounds
        state_read = -(-packed_state // 4096)
        out["reads"] += len(REGIONS) * (state_read + -(-2 * packed_round // 4096) / 2)
        out["reads"] += state_read / 2 + 1  # publish: state, verdicts of two hours
        hour = {START + 60 * i: dict(judged.verdicts) for i in range(60)}
        history = [
            Round(shard, START + 60 * i, region, (probe(mine[0].slug, START + 60 * i, rng),))
            for region in REGIONS
            for i in range(60)
        ]
        chunk_bytes = len(chunks.pack(chunks.build(mine[0].slug, START, hour, history))) + 40
        out["chunk_bytes"] = chunk_bytes
        out["hour_writes"] += len(mine) * (2 + 1) * kb(chunk_bytes) + len(mine)
    roster = sum(len(json.dumps(s.to_item())) + 40 for s in servers)
    scan = -(-roster // 4096)
    out["reads"] += len(REGIONS) * scan / 2 + (len(REGIONS) + 1) * scan + scan / 2
    out["reads_90d"] = 90 * 90 / 4096 / 2 + 1
    out["archive_gb"] = count * 24 * 90 * out["chunk_bytes"] / 1e9
    out["shards"] = len(shards)
    return out


def bill(count: int, m: dict[str, float]) -> dict[str, float]:
    """US dollars a month."""
    p = PRICES
    shards, regions = m["shards"], len(REGIONS)
    probe_s, other_s = 10.0, 0.3
    invocations = MINUTES * (regions * (1 + shards) + regions * shards + 2)
    gb_s = MINUTES * (regions * shards * probe_s * 0.5 + (regions * (1 + shards) + 2) * other_s * 0.25)
    alarms, metrics = 15 + 4 * regions, 4 + regions
    judged = regions * shards
    # Metrics: those written every minute. Traces: one a second and 5 % of the rest are kept;
    # the rounds of a minute land within some ten seconds.
    traces = MINUTES * (regions + 2 + min(judged, 10 + judged * 0.05))
    return {
        "DynamoDB writes": (m["writes"] * MINUTES + m["hour_writes"] * 720) * p["write"],
        "DynamoDB reads": m["reads"] * MINUTES * p["read"],
        "DynamoDB storage": m["archive_gb"] * p["storage_gb"],
        "Lambda": invocations * p["lambda_request"] + gb_s * p["lambda_gb_s"],
        "Scheduler": MINUTES * (regions + 2) * p["scheduler"],
        "S3": MINUTES * (3 + count * 0.05) * p["s3_put"],
        "Logs": invocations * 400 / 1e9 * p["logs_gb"],
        "Alarms, metrics, traces": alarms * p["alarm"] + metrics * p["metric"] + traces * p["trace"],
        "API and CloudFront (100,000 views)": 1e5 * (p["api"] + 4 * p["cloudfront_request"]) + 2 * p["cloudfront_gb"],
    }


def main() -> None:
    counts = (10, 100, 1000)
    measured = {n: measure(n) for n in counts}
    print("| per minute, three regions | " + " | ".join(f"{n:,} servers" for n in counts) + " |")
    print("|---|" + "---:|" * len(counts))
    rows = {
        "shards": "shards",
        "largest round item, bytes": "round_bytes",
        "largest state item, bytes": "state_bytes",
        "verdict item, bytes": "verdict_bytes",
        "hourly chunk item, bytes": "chunk_bytes",
        "write units": "writes",
        "read units": "reads",
        "archive of 90 days, GB": "archive_gb",
    }
    for label, key in rows.items():
        print(f"| {label} | " + " | ".join(f"{measured[n][key]:,.4g}" for n in counts) + " |")
    for label, key in (("write units per probe", "writes"), ("read units per probe", "reads")):
        print(f"| {label} | " + " | ".join(f"{measured[n][key] / (n * 3):.3f}" for n in counts) + " |")
    print("| write units per probe at one item a probe | " + " | ".join("1.000" for _ in counts) + " |")
    print()
    print("| US dollars a month | " + " | ".join(f"{n:,} servers" for n in counts) + " |")
    print("|---|" + "---:|" * len(counts))
    bills = {n: bill(n, measured[n]) for n in counts}
    for label in bills[10]:
        print(f"| {label} | " + " | ".join(f"{bills[n][label]:.2f}" for n in counts) + " |")
    print("| **all** | " + " | ".join(f"**{sum(bills[n].values()):.2f}**" for n in counts) + " |")


if __name__ == "__main__":
    main()
