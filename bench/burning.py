"""What a tick does about burn alerts where 40 and 1,000 servers ask for them: CPU, memory, ticks of a cold process.

Verdicts come from memory, packed as they are stored: what is measured is our own work, without the waiting for
DynamoDB. Three days are known. Those that fail do so about every three hours, which burns nothing at 99 %; fails where
anybody is told. Prints Markdown.
"""

from __future__ import annotations

import time
import tracemalloc
from typing import Final

from lookout.config.model import Server, Site
from lookout.history.chunk import HOUR
from lookout.history.round import pack_json, unpack_json
from lookout.jobs.burning import tell_burns
from lookout.store.minutes import Minutes
from support.world import NOON

SITE: Final = Site("Acme", "us-east-1", ("us-west-2", "eu-west-1", "ap-southeast-1"))
NOW: Final = NOON + 1230
SHARD: Final = 40
TICKS: Final = 9
EVERY: Final = 197


class Drawer:
    """The verdicts of servers that ask, and no alert of any."""

    def __init__(self, count: int, *, failing: bool) -> None:
        self.servers = [
            Server(
                f"server-{n:04d}", f"https://s{n}.example/mcp", shard=f"s{n // SHARD:03d}", slo="99%", burn_alerts=True
            )
            for n in range(count)
        ]
        self._minutes = {}
        for shard in {server.shard for server in self.servers}:
            slugs = [server.slug for server in self.servers if server.shard == shard]
            said = [pack_json(1, dict.fromkeys(slugs, code)) for code in ("u", "d" if failing else "u")]
            self._minutes[shard] = said

    def verdicts(self, shard: str, hour: int, now: int) -> dict[int, dict[str, str]]:
        good, bad = self._minutes[shard]
        minutes = range(hour, min(hour + HOUR, now - 60), 60)
        return {m: unpack_json(bad if m // 60 % EVERY == 0 else good, (1,))[1] for m in minutes}

    def all_burning(self) -> dict[str, object]:
        return {}

    def maintenance(self, *_: int) -> list[object]:
        return []


def measure(count: int, *, failing: bool) -> tuple[int, float, int]:
    """Ticks until all is known, seconds of CPU of a tick then (the median), bytes that are remembered."""
    drawer, minutes = Drawer(count, failing=failing), Minutes()
    shards = {server.shard for server in drawer.servers}
    tracemalloc.start()
    started = 0
    while not started or any(len(minutes.of(one.shard, one.slug, NOW)) <= 72 * 60 for one in drawer.servers):
        minutes.read(drawer, shards, NOW)
        started += 1
    remembered = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    took = []
    for _ in range(TICKS):
        begin = time.process_time()
        told = tell_burns(drawer, minutes, (SITE, drawer.servers), NOW)  # type: ignore[arg-type]  # what a tick reads
        took.append(time.process_time() - begin)
        if told:
            raise RuntimeError("somebody was told")
    return started, sorted(took)[TICKS // 2], remembered


def main() -> None:
    print("| servers that ask | of them fail | CPU of a tick | of a server | remembered | ticks of a cold process |")
    print("|---:|---|---:|---:|---:|---:|")
    for failing in (False, True):
        for count in (SHARD, 25 * SHARD):
            started, took, remembered = measure(count, failing=failing)
            print(
                f"| {count:,} | {'all' if failing else 'none'} | {took * 1000:,.0f} ms | {took / count * 1e6:,.0f} µs "
                f"| {remembered / 1e6:,.1f} MB | {started} |"
            )


if __name__ == "__main__":
    main()
