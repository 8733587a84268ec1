"""One client in a fresh process: so many probes, so many of them in flight, as JSON on standard output.

Run: worker.py JOB, a JSON object: client, option, url, ca_file, cores, warm_up, count, concurrency, delays_ms, profile.
`url` is the server's root. Each probe has a number, which is in its URL, and `reported` has the client's timings by it.
"""

from __future__ import annotations

import asyncio
import cProfile
import json
import os
import random
import sys
import time
from typing import Any

import usage
from clients import CLIENTS, Probe


async def load(probe: Probe, job: dict[str, Any]) -> dict[str, Any]:
    """Closed loop: as soon as one probe ends, the next begins."""
    rng = random.Random(1)
    low, high = job["delays_ms"]
    numbers = iter(range(job["count"]))
    walls_ms: list[float] = []
    reported: dict[str, Any] = {}

    async def lane() -> None:
        for number in numbers:
            begin = time.perf_counter()
            timings = await probe(f"{job['url']}/{number}/{rng.randint(low, high)}")
            walls_ms.append((time.perf_counter() - begin) * 1000)
            reported[str(number)] = dict(timings)

    for _ in range(job["warm_up"]):
        await probe(f"{job['url']}/warm/0")
    profile = cProfile.Profile() if job["profile"] else None
    before, waited, begin = time.process_time(), usage.waited_s(), time.perf_counter()
    if profile:
        profile.enable()
    await asyncio.gather(*(lane() for _ in range(job["concurrency"])))
    if profile:
        profile.disable()
        profile.dump_stats(job["profile"])
    return {
        "wall_s": time.perf_counter() - begin,
        "cpu_s": time.process_time() - before,
        "waited_s": usage.waited_s() - waited,
        "walls_ms": walls_ms,
        "reported": reported,
    }


def main() -> None:
    job = json.loads(sys.argv[1])
    os.sched_setaffinity(0, job["cores"])
    probe = CLIENTS[job["client"]](job["option"], job["ca_file"])
    result = asyncio.run(load(probe, job))
    result["peak_mb"] = usage.peak_mb()
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
