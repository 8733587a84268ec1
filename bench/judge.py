"""Time and memory to judge one minute of 10, 100, 1,000 and 10,000 servers in three regions.

Twice: `judge_minute` alone, from values to values; and all of a judge's work but the network, `judge_shards` over a
store in memory that unpacks and packs every item as the tables hold it. The servers have been watched for eight days;
one of each shard is down, and in every 25th shard one incident opens and one ends in the minute that is judged. CPU is
that of this process, the least of some runs. Memory is the peak of what Python allocates meanwhile, without what
the store holds. Ends with an error where a server costs more among many than among few.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass

from lookout.jobs.judging import judge_shards
from lookout.verdict.judge import judge_minute
from support.shards import SITE, PackedStore, Shard, shards
from support.world import NOON

COUNTS = (10, 100, 1000, 10_000)
WANTED_S = 2.0
"""CPU of 10,000 servers, all of a judge's work."""
LINEAR = 1.3
"""A server among 10,000 may cost so many times what one among 100 does: the rest is noise."""


@dataclass(frozen=True, slots=True)
class Row:
    """CPU seconds and bytes."""

    servers: int
    core_s: float
    whole_s: float
    core_peak: int
    whole_peak: int


def judge_core(made: list[Shard]) -> int:
    """Every shard's minute by the pure function alone; the servers judged."""
    judged = [judge_minute(one.state, NOON, one.rounds, one.servers, SITE, one.incidents) for one in made]
    return sum(len(one.verdicts) for one in judged)


def judge_whole(store: PackedStore) -> int:
    """The same with what is read and written; the servers judged."""
    store.written.clear()
    judged = judge_shards(store, None, NOON + 30, _unread)  # type: ignore[arg-type]  # in memory, as much as it needs
    return sum(len(one.verdicts) for one in judged)


def _unread(address: str) -> bytes:
    raise AssertionError(f"nothing changed, and yet {address} was read")


def cpu_s(work: Callable[[], int], count: int) -> float:
    """The least CPU of some runs."""
    found = []
    for _ in range(max(3, min(20, 1000 // count))):
        begun = time.process_time()
        if work() != count:
            raise RuntimeError(f"not all of {count} servers were judged")
        found.append(time.process_time() - begun)
    return min(found)


def peak(work: Callable[[], int]) -> int:
    """Bytes allocated at once while it runs."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def measure(count: int) -> Row:
    made = shards(count)
    store = PackedStore.of(made)

    def core() -> int:
        return judge_core(made)

    def whole() -> int:
        return judge_whole(store)

    return Row(count, cpu_s(core, count), cpu_s(whole, count), peak(core), peak(whole))


def table(rows: list[Row]) -> None:
    first = rows[0]
    print("| servers | core, CPU ms | µs a server | x | all, CPU ms | µs a server | x | core, peak MB | all, peak MB |")
    print("|---:|" + "---:|" * 8)
    for row in rows:
        core, whole = row.core_s / row.servers, row.whole_s / row.servers
        cells = [
            f"{row.servers:,}",
            f"{row.core_s * 1e3:,.1f}",
            f"{core * 1e6:.0f}",
            f"{core * first.servers / first.core_s:.2f}",
            f"{row.whole_s * 1e3:,.1f}",
            f"{whole * 1e6:.0f}",
            f"{whole * first.servers / first.whole_s:.2f}",
            f"{row.core_peak / 1e6:.1f}",
            f"{row.whole_peak / 1e6:.1f}",
        ]
        print("| " + " | ".join(cells) + " |")
    print()


def profile(count: int) -> None:
    """Where the CPU goes."""
    store = PackedStore.of(shards(count))
    judge_whole(store)
    with cProfile.Profile() as found:
        judge_whole(store)
    pstats.Stats(found).sort_stats("tottime").print_stats(25)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", type=int, metavar="SERVERS", help="where the CPU goes, with so many servers")
    options = parser.parse_args()
    if options.profile:
        profile(options.profile)
        return 0
    rows = [measure(count) for count in COUNTS]
    table(rows)
    few, many = rows[1], rows[-1]
    growth = {
        "core": many.core_s / many.servers * few.servers / few.core_s,
        "all": many.whole_s / many.servers * few.servers / few.whole_s,
    }
    met = "met" if many.whole_s < WANTED_S else "missed"
    print(f"10,000 servers in {many.whole_s:.2f} s of CPU; wanted: under {WANTED_S:g} s: {met}.")
    for what, grown in growth.items():
        print(f"A server among 10,000 costs {grown:.2f} times one among 100 ({what}).")
    return 1 if max(growth.values()) > LINEAR else 0


if __name__ == "__main__":
    sys.exit(main())
