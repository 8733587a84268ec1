"""`lookout probe --watch`: one line per probe, what changed, and a summary at the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from rich.console import Console
from rich.text import Text

from lookout.cli.probe_view import COLOURS
from lookout.probe.result import ProbeResult


@dataclass(slots=True)
class Tally:
    """What was seen so far."""

    results: int = 0
    good: int = 0
    latencies_ms: list[int] = field(default_factory=list)
    last: ProbeResult | None = None

    def add(self, result: ProbeResult) -> list[str]:
        """Count a result; what is different from the one before, in words."""
        before, self.last = self.last, result
        self.results += 1
        if result.status.ok:
            self.good += 1
            self.latencies_ms.append(result.latency_ms)
        if before is None:
            return []
        changes = []
        if before.status is not result.status:
            changes.append(f"was {before.status.value}")
        if before.tools_hash and result.tools_hash and before.tools_hash != result.tools_hash:
            changes.append(f"its tools changed: {before.tools_hash[:12]} to {result.tools_hash[:12]}")
        if before.era and result.era and before.era is not result.era:
            changes.append(f"speaks {result.era.value} now")
        return changes

    def summary(self) -> str:
        """`12 probes, 11 of them good, median 84 ms, slowest 310 ms`."""
        text = f"{self.results} probes, {self.good} of them good"
        if self.latencies_ms:
            ordered = sorted(self.latencies_ms)
            text += f", median {ordered[len(ordered) // 2]} ms, slowest {ordered[-1]} ms"
        return text


def line(result: ProbeResult, changes: list[str], moment: str) -> Text:
    """One line of the watch."""
    why = f"{result.reason.value}: {result.message}" if result.reason is not None else ""
    return Text.assemble(
        f"{moment}  ",
        (f"{result.status.value:<20}", COLOURS.get(result.status, "red")),
        f"{result.latency_ms:>7} ms  ",
        why,
        ("  ← " + ", ".join(changes) if changes else "", "bold"),
    )


async def watch(
    once: Callable[[ProbeResult | None], Awaitable[ProbeResult]],
    every_s: float,
    count: int | None,
    console: Console | None,
) -> Tally:
    """Probe every `every_s` seconds, `count` times or until cancelled. `once` is given the previous result."""
    tally = Tally()
    loop = asyncio.get_running_loop()
    following = loop.time()
    try:
        while count is None or tally.results < count:
            await asyncio.sleep(max(0.0, following - loop.time()))
            following = loop.time() + every_s
            result = await once(tally.last)
            changes = tally.add(result)
            if console is not None:
                console.print(line(result, changes, time.strftime("%H:%M:%S")))
    except asyncio.CancelledError:
        pass
    return tally
