"""Time and memory to roll up one hour of 10, 100 and 1,000 servers in three regions (`--large`: 10,000 too), as ratios.

The rollup of the package, over tables in memory whose values are packed as they are stored: what is measured is our own
work, without the waiting for DynamoDB. The hour is the 13th of its day, so that twelve more are summed up with it. Each
size has a process of its own; memory is what its peak grew by while it rolled up. Prints Markdown; fails where the time
of one server grows with their number by more than a quarter.
"""

from __future__ import annotations

import argparse
import multiprocessing
import re
import sys
import time
from pathlib import Path

from lookout.history.chunk import HOUR
from lookout.jobs.rolling import roll_up
from support.drawer import Drawer
from support.world import NOON

SIZES = (10, 100, 1_000)
LARGE = 10_000
PROBES_AN_HOUR = 180
TOLERANCE = 1.25


def peak_kb() -> int:
    found = re.search(r"^VmHWM:\s+(\d+)", Path("/proc/self/status").read_text(encoding="ascii"), re.MULTILINE)
    if not found:
        raise RuntimeError("/proc/self/status has no VmHWM: this benchmark needs Linux")
    return int(found[1])


def measure(count: int) -> tuple[int, float, int]:
    """How many servers there were (whole shards), seconds of CPU, KB of memory."""
    drawer = Drawer.of(count, NOON)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak counts from here
    before, start = peak_kb(), time.process_time()
    written = roll_up(drawer, NOON + HOUR + 240)  # type: ignore[arg-type]  # it promises what a rollup asks of a Store
    took = time.process_time() - start
    if written != {"chunks": len(drawer.servers), "days": len(drawer.servers)}:
        raise RuntimeError(f"of {len(drawer.servers)} servers {written} were written")
    return len(drawer.servers), took, peak_kb() - before


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--large", action="store_true")
    sizes = (*SIZES, LARGE) if options.parse_args().large else SIZES
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        found = pool.map(measure, sizes, chunksize=1)
    base, took_base, kb_base = found[1]
    print("| servers | CPU, 100 = 1 | that of one server | memory, 100 = 1 | CPU of a server | of a probe |")
    print("|---:|---:|---:|---:|---:|---:|")
    for count, took, kb in found:
        each = took / count / (took_base / base)
        print(
            f"| {count:,} | {took / took_base:,.2f} | {each:.2f} | {kb / kb_base:,.2f} "
            f"| {took / count * 1e3:.1f} ms | {took / count / PROBES_AN_HOUR * 1e6:.0f} µs |"
        )
    worst = max(took / count for count, took, _ in found[2:]) / (took_base / base)
    count, took, kb = found[-1]
    print(f"\n{count:,} servers: {took:.0f} s of CPU and {kb / 1024:.0f} MB for one hour of theirs.")
    return 1 if worst > TOLERANCE else 0


if __name__ == "__main__":
    sys.exit(main())
