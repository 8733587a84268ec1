"""What one probe costs, and how true the latency is that it reports: three tables from one run on one machine.

1. CPU and wall time of a full HTTPS probe on a new connection, at 1, 50 and 500 in flight: Lookout's in both eras,
   Prometheus' blackbox_exporter (one POST, body matched) and the official SDK's client, each in a process of its own on
   one core, against the same server on another.
2. At 50 in flight, the latency our probe reports for tools/list against the server's own clock.
3. What importing the probe function's handler costs, in fresh processes laid out as in Lambda.

"Waited" is how long the process was ready to run while its core did something else, as a share of the wall time: where
it is more than a few percent, the machine was busy and the figures say as much about that. (The exporter's threads wait
for one another as well.)
Prints Markdown for docs/performance.md; asserts nothing. `--profile` shows instead where our probe spends its CPU.
"""

from __future__ import annotations

import argparse
import json
import os
import pstats
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from support import imports, usage
from support.bench_server import BenchServer, cores
from support.exporter import PACKAGE, Exporter, find_exporter

WORKER = Path(__file__).parent / "support" / "worker.py"
CONCURRENCIES = (1, 50, 500)
ROUNDS = 3
ROWS = (
    ("blackbox", "", "blackbox_exporter: one POST", 300),
    ("ours", "modern", "Lookout, modern: discover, tools/list", 200),
    ("ours", "legacy", "Lookout, legacy: initialize, initialized, tools/list, DELETE", 200),
    ("sdk", "modern", "official SDK, modern", 50),
    ("sdk", "legacy", "official SDK, legacy", 50),
)
"""Client, its option, label, probes per round (at least as many as are in flight)."""
SCENES = (
    ("answers after 100-900 ms", (100, 900), 400),
    ("answers after 20-180 ms", (20, 180), 1000),
    ("answers at once, our core saturated", (0, 0), 1000),
)
"""Label, range of the delay of tools/list, probes."""

Sample = dict[str, Any]


def run_worker(server: BenchServer, client: str, option: str, **job: Any) -> Sample:
    """One client in a fresh process: what it measured, the server's records, and what the server used meanwhile."""
    defaults = {"delays_ms": (0, 0), "profile": None, "warm_up": 20, "cores": cores()[0]}
    whole = {"client": client, "option": option, "url": server.url, "ca_file": server.ca_file, **defaults, **job}
    before = server.take_records()
    done = subprocess.run([sys.executable, str(WORKER), json.dumps(whole)], stdout=subprocess.PIPE, check=True)
    sample: Sample = json.loads(done.stdout)
    taken = server.take_records()
    sample["records"] = taken["records"]
    for used in ("cpu_s", "waited_s"):
        sample[f"server_{used}"] = taken[used] - before[used]
    return sample


def run_blackbox(server: BenchServer, executable: str, folder: Path, **job: Any) -> Sample:
    """The exporter on the client's core; what drives it through its HTTP interface, on the server's."""
    with Exporter(executable, folder, server.ca_file, cores()[0]) as exporter:
        run_worker(server, "blackbox", exporter.address, count=50, concurrency=1, cores=cores()[1])
        pid = exporter.process.pid
        cpu_s, waited_s = usage.cpu_s(pid), usage.waited_s(pid)
        sample = run_worker(server, "blackbox", exporter.address, cores=cores()[1], warm_up=0, **job)
        used = {"cpu_s": usage.cpu_s(pid) - cpu_s, "waited_s": usage.waited_s(pid) - waited_s}
        return {**sample, **used, "peak_mb": usage.peak_mb(pid)}


def quantile(values: Sequence[float], percent: int) -> float:
    """The smallest value that at least so many percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def print_row(*cells: str) -> None:
    """One line of a Markdown table, at once."""
    print("| " + " | ".join(cells) + " |", flush=True)


def print_cost(server: BenchServer, executable: str | None, folder: Path) -> None:
    """The first table. The rows take turns, so that what else the machine does meanwhile meets all of them."""
    print_row(
        "client", "in flight", "CPU ms per probe", "x blackbox", "wall ms p50", "p95", "probes/s", "peak MB", "waited"
    )
    print_row("---", *["---:"] * 8)
    rows = [row for row in ROWS if executable or row[0] != "blackbox"]
    for concurrency in CONCURRENCIES:
        samples: dict[str, list[Sample]] = {label: [] for _, _, label, _ in rows}
        for _ in range(ROUNDS):
            for client, option, label, count in rows:
                job = {"count": max(count, concurrency), "concurrency": concurrency}
                if client == "blackbox" and executable:
                    sample = run_blackbox(server, executable, folder, **job)
                else:
                    sample = run_worker(server, client, option, **job)
                samples[label].append(sample)
        costs = {
            label: statistics.median(sample["cpu_s"] / len(sample["walls_ms"]) * 1000 for sample in taken)
            for label, taken in samples.items()
        }
        for label, taken in samples.items():
            walls = [wall for sample in taken for wall in sample["walls_ms"]]
            print_row(
                label,
                str(concurrency),
                f"{costs[label]:.2f}",
                f"{costs[label] / costs[ROWS[0][2]]:.2f}" if executable else "?",
                f"{quantile(walls, 50):.1f}",
                f"{quantile(walls, 95):.1f}",
                f"{statistics.median(len(sample['walls_ms']) / sample['wall_s'] for sample in taken):,.0f}",
                f"{max(sample['peak_mb'] for sample in taken):.0f}",
                f"{share(taken, 'waited_s'):.0%}",
            )


def share(samples: Sequence[Sample], used: str) -> float:
    """A sum of seconds as a share of the wall time."""
    return float(sum(sample[used] for sample in samples) / sum(sample["wall_s"] for sample in samples))


def print_truth(server: BenchServer) -> None:
    """The second table: |reported - real| of tools/list."""
    head = (
        "50 in flight",
        "error p50",
        "p95",
        "p99",
        "largest",
        "too low",
        "probes/s",
        "CPU busy",
        "waited",
        "server waited",
    )
    print_row(*head)
    print_row("---", *["---:"] * (len(head) - 1))
    for label, delays_ms, count in SCENES:
        for era in ("modern", "legacy"):
            sample = run_worker(server, "ours", era, count=count, concurrency=50, delays_ms=delays_ms)
            errors = [
                timings["tools/list"] - sample["records"][number]["tools/list"]
                for number, timings in sample["reported"].items()
            ]
            sizes = [abs(error) for error in errors]
            print_row(
                f"{era}, {label}",
                *(f"{quantile(sizes, percent):.2f} ms" for percent in (50, 95, 99, 100)),
                f"{sum(error < 0 for error in errors) / len(errors):.0%}",
                f"{count / sample['wall_s']:,.0f}",
                *(f"{share([sample], used):.0%}" for used in ("cpu_s", "waited_s", "server_waited_s")),
            )


def print_imports() -> None:
    """The third table."""
    found = imports.measure("probe")
    print(
        f"Importing functions/probe/handler.py: **{found.total_ms:.0f} ms**, {found.cpu_ms:.0f} ms of it CPU (medians"
        f" of {imports.RUNS} fresh processes; {found.traced_ms:.0f} ms under -X importtime, as in the table),"
        f" {len(found.self_ms)} modules, peak RSS {found.peak_mb:.0f} MB"
        f" (a bare interpreter: {found.bare_mb:.0f} MB)\n"
    )

    def ten(values: dict[str, float]) -> list[tuple[str, float]]:
        return sorted(values.items(), key=lambda item: -item[1])[:10]

    print_row("module", "its own ms", "package", "ms of all its modules")
    print_row("---", "---:", "---", "---:")
    for (module, own_ms), (package, all_ms) in zip(ten(found.self_ms), ten(found.package_ms), strict=False):
        print_row(module, f"{own_ms:.1f}", package, f"{all_ms:.1f}")


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
