"""Schedules by the thousand: `python -m tests.property.schedules SEED COUNT BYTES` plays so many, always the same ones.

Hypothesis draws them, and shrinks one that differs. In a process of its own, so that it can be run on several cores,
and without measuring coverage.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.property.script import read
from tests.property.world import World

SHORT: Final = 40
LONG: Final = 96
PARTS: Final = ((1, 3, SHORT), (2, 3, SHORT), (3, 3, SHORT), (4, 1, LONG))
"""Seed, tenths of all schedules, bytes."""
ROOT: Final = Path(__file__).parents[2]


def explore(start: int, count: int, longest: int) -> dict[str, int]:
    """Play `count` schedules of at most `longest` bytes, some five to a minute.

    Raises AssertionError with the smallest that can be found where one differs.
    """
    played = {"schedules": 0, "minutes": 0, "incidents": 0, "notices": 0}

    @seed(start)
    @settings(max_examples=count, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.binary(min_size=12, max_size=longest))
    def schedule(data: bytes) -> None:
        world = World(read(data)).play()
        world.check()
        for name, more in (
            ("schedules", 1),
            ("minutes", len(world.judged)),
            ("incidents", len(world.incidents)),
            ("notices", len(world.notices)),
        ):
            played[name] += more

    schedule()
    return played


def play_all(schedules: int) -> Counter[str]:
    """At least so many, on all cores. Raises AssertionError with what a process that failed said."""

    def play(part: tuple[int, int, int]) -> Counter[str]:
        start, tenths, longest = part
        numbers = map(str, (start, -(-schedules * tenths // 10), longest))
        command = [sys.executable, "-m", "tests.property.schedules", *numbers]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
        assert done.returncode == 0, f"{' '.join(command[1:])}:\n{done.stdout[-4000:]}{done.stderr[-8000:]}"
        return Counter(json.loads(done.stdout))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return sum(pool.map(play, PARTS), Counter[str]())


if __name__ == "__main__":
    print(json.dumps(explore(*map(int, sys.argv[1:]))))
