"""What one probe costs, and how true the latency is that it reports: three tables from one run on one machine.

1. CPU and wall time of a full HTTPS probe on a new connection, at 1, 50 and 500 in flight: Lookout's in both eras,
   Prometheus' blackbox_exporter (one POST, body matched) and the official SDK's client, each in a process of its own on
   one core, against the same server on another.
2. At 50 in flight, the latency our probe reports for tools/list against the server's own clock.
3. What importing the probe function's handler costs, in fresh processes laid out as in Lambda.

Prints Markdown for docs/performance.md; asserts nothing. `--profile` shows instead where our probe spends its CPU.
"""

from __future__ import annotations

import argparse
import json
import os
import pstats
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from support import imports
from support.bench_server import BenchServer, cores
from support.exporter import PACKAGE, Exporter, find_exporter

WORKER = Path(__file__).parent / "support" / "worker.py"
CONCURRENCIES = (1, 50, 500)
ROWS = (
    ("ours", "modern", "Lookout, modern: discover, tools/list", 400),
    ("ours", "legacy", "Lookout, legacy: initialize, initialized, tools/list, DELETE", 400),
    ("blackbox", "", "blackbox_exporter: one POST", 600),
    ("sdk", "modern", "official SDK, modern: discover, tools/list", 60),
    ("sdk", "legacy", "official SDK, legacy", 60),
)
SCENES = (
    ("answers after 100-900 ms", (100, 900), 50, 600),
    ("answers after 20-180 ms", (20, 180), 50, 1000),
    ("answers at once: our core is saturated", (0, 0), 50, 1000),
)
"""Label, delay of tools/list, in flight, probes."""


def run_worker(server: BenchServer, client: str, option: str, **job: Any) -> dict[str, Any]:
    """One client in a fresh process; its result, with the server's records and how busy the server was."""
    before = server.take_records()["cpu_s"]
    defaults = {"delays_ms": (0, 0), "profile": None, "warm_up": 20, "cores": cores()[0]}
    whole = {"client": client, "option": option, "url": server.url, "ca_file": server.ca_file, **defaults, **job}
    done = subprocess.run([sys.executable, str(WORKER), json.dumps(whole)], stdout=subprocess.PIPE, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    taken = server.take_records()
    return {**result, "records": taken["records"], "server_cpu_s": taken["cpu_s"] - before}


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * int(share * 100) // 100) - 1)]


def measure_blackbox(server: BenchServer, executable: str, folder: Path, **job: Any) -> dict[str, Any]:
    """The exporter on the client's core; what drives it through its HTTP interface, on the server's."""
    with Exporter(executable, folder, server.ca_file, cores()[0]) as exporter:
        run_worker(server, "blackbox", exporter.address, count=50, concurrency=1, cores=cores()[1])
        before = exporter.cpu_s()
        result = run_worker(server, "blackbox", exporter.address, cores=cores()[1], warm_up=0, **job)
        return {**result, "cpu_s": exporter.cpu_s() - before, "rss_mb": exporter.rss_mb()}


def print_cost(server: BenchServer, executable: str | None, folder: Path) -> None:
    """The first table."""
    print(
        "| client | in flight | CPU ms per probe | x blackbox | wall ms p50 | p95 | probes/s | peak MB | server busy |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    yardstick: dict[int, float] = {}
    for client, option, label, count in sorted(ROWS, key=lambda row: row[0] != "blackbox"):
        for concurrency in CONCURRENCIES:
            job = {"count": max(count, concurrency), "concurrency": concurrency}
            if client != "blackbox":
                result = run_worker(server, client, option, **job)
            elif executable:
                result = measure_blackbox(server, executable, folder, **job)
            else:
                print(f"| {label} | {concurrency} | not installed |  |  |  |  |  |  |")
                continue
            cpu_ms = result["cpu_s"] / job["count"] * 1000
            if client == "blackbox":
                yardstick[concurrency] = cpu_ms
            ratio = f"{cpu_ms / yardstick[concurrency]:.2f}" if yardstick else "?"
            walls, rate = result["walls_ms"], job["count"] / result["wall_s"]
            print(
                f"| {label} | {concurrency} | {cpu_ms:.2f} | {ratio} | {quantile(walls, 0.5):.1f} |"
                f" {quantile(walls, 0.95):.1f} | {rate:,.0f} | {result['rss_mb']:.0f} |"
                f" {result['server_cpu_s'] / result['wall_s']:.0%} |",
                flush=True,
            )


def print_truth(server: BenchServer) -> None:
    """The second table."""
    print("| 50 in flight, era | CPU busy | probes/s | error p50 | p95 | p99 | largest | reported below the truth |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for label, delays_ms, concurrency, count in SCENES:
        for era in ("modern", "legacy"):
            result = run_worker(server, "ours", era, count=count, concurrency=concurrency, delays_ms=delays_ms)
            errors = [
                timings["tools_list"] - result["records"][number]["tools/list"]
                for number, timings in result["reported"].items()
            ]
            sizes = [abs(error) for error in errors]
            below = sum(error < 0 for error in errors) / len(errors)
            spread = " | ".join(
                f"{value:.1f} ms" for value in (*(quantile(sizes, q) for q in (0.5, 0.95, 0.99)), max(sizes))
            )
            print(
                f"| {label}, {era} | {result['cpu_s'] / result['wall_s']:.0%} | {count / result['wall_s']:,.0f} |"
                f" {spread} | {below:.0%} |",
                flush=True,
            )


def print_imports() -> None:
    """The third table."""
    found = imports.measure("probe")
    print(
        f"Importing functions/probe/handler.py: **{found.total_ms:.0f} ms** (median of {imports.RUNS} fresh processes,"
        f" {found.modules} modules), peak RSS {found.rss_mb:.0f} MB (a bare interpreter: {found.bare_rss_mb:.0f} MB)\n"
    )
    print("| module | its own ms | package | ms of all its modules |")
    print("|---|---:|---|---:|")

    def ten(values: dict[str, float]) -> list[tuple[str, float]]:
        return sorted(values.items(), key=lambda item: -item[1])[:10]

    for (module, own), (package, all_) in zip(ten(found.self_ms), ten(found.package_ms), strict=False):
        print(f"| {module} | {own:.1f} | {package} | {all_:.1f} |")


def print_profile(server: BenchServer, folder: Path, era: str) -> None:
    """Where the CPU of our probe goes: the functions with most time of their own, then with what they call."""
    path = str(folder / "profile")
    run_worker(server, "ours", era, count=300, concurrency=1, profile=path)
    stats = pstats.Stats(path, stream=sys.stdout)
    for order in ("tottime", "cumulative"):
        stats.sort_stats(order).print_stats(25 if order == "tottime" else 45)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", choices=("modern", "legacy"), help="profile our probe instead of measuring")
    parser.add_argument("--only", choices=("cost", "truth", "imports"), help="one of the three tables")
    chosen = parser.parse_args()
    executable = find_exporter()
    with tempfile.TemporaryDirectory() as scratch, BenchServer(Path(scratch)) as server:
        if chosen.profile:
            print_profile(server, Path(scratch), chosen.profile)
            return
        if executable is None:
            print(f"blackbox_exporter is missing: apt-get install {PACKAGE}; its rows and the ratios stay empty.\n")
        if len(os.sched_getaffinity(0)) < 2:
            print("There is one core only: client and server share it, so wall times and rates mean little.\n")
        tables = {
            "cost": lambda: print_cost(server, executable, Path(scratch)),
            "truth": lambda: print_truth(server),
            "imports": print_imports,
        }
        for name, print_table in tables.items():
            if chosen.only in (None, name):
                print_table()
                print()


if __name__ == "__main__":
    main()
