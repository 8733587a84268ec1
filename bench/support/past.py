"""Ninety days of one server as they may be, minute by minute: outages, slow spells, silent regions, gaps, maintenance.

A seed and a slug make always the same. The truth is a line of outcome codes per hour, from which the archive is written
and which the reference is given; it is made here and nowhere read back.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from lookout.history.chunk import DAY, HOUR, Chunk, Sample
from lookout.probe.result import Status

REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")
STATUS = {
    "u": Status.UP,
    "g": Status.DEGRADED,
    "a": Status.AUTH_REQUIRED,
    "d": Status.DOWN,
    "c": Status.CREDENTIAL_REJECTED,
    "?": Status.UNKNOWN,
}
REASON = {"g": "slow", "d": "http_5xx", "c": "credential_rejected", "?": "rate_limited", "a": "auth_required"}
PHASES = ("dns", "tcp", "tls", "discover", "tools_list")
DISTANCE_MS = {"us-west-2": 60, "eu-west-1": 25, "ap-southeast-1": 170}
FAULTS = (("d", 12, (3, 90)), ("g", 30, (5, 240)), ("?", 8, (1, 40)), ("c", 1, (60, 900)))
"""Code, how often in 90 days, how many minutes."""


@dataclass(slots=True)
class Past:
    """`codes` by hour: 60 each. `outages` are (begin, end) of what was down; `maintenance` of what does not count."""

    slug: str
    codes: dict[int, str] = field(default_factory=dict)
    outages: list[tuple[int, int]] = field(default_factory=list)
    maintenance: list[tuple[int, int]] = field(default_factory=list)
    interval_s: int = 60
    silent: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    """When which region said nothing."""
    _hours: list[dict[str, tuple[Sample, ...]]] = field(default_factory=list)

    @classmethod
    def of(cls, seed: int, number: int, begin: int, now: int) -> Past:
        """The past of one server from `begin` to `now`; every tenth came late, every seventh is probed every 5 min."""
        rng = random.Random(f"{seed}:{number}")
        past = cls(f"server-{number:04d}", interval_s=300 if number % 7 == 6 else 60)
        minutes = (now - begin) // 60
        line = ["a" if number % 20 == 19 else "u"] * minutes
        for code, often, (least, most) in FAULTS:
            for _ in range(rng.randrange(often + 1)):
                at, length = rng.randrange(minutes), rng.randrange(least, most)
                line[at : at + length] = code * len(line[at : at + length])
        down = [i for i, code in enumerate(line) if code == "d"]
        past.outages = [(begin + 60 * a, begin + 60 * (b + 1)) for a, b in _runs(down)]
        if number % 3 == 0:
            for at in range(begin // DAY * DAY + 3 * HOUR, now, 7 * DAY):
                past.maintenance.append((at, at + HOUR))
        for i in range(minutes):
            at = begin + 60 * i
            if any(a <= at < b for a, b in past.maintenance):
                line[i] = {"u": "U", "g": "G", "d": "D", "a": "A", "c": "C"}.get(line[i], "m")
            if (at // 60) % (past.interval_s // 60):
                line[i] = "."
        added = rng.randrange(minutes // 2) if number % 10 == 9 else 0
        line[:added] = "." * added
        past.outages = [(max(a, begin + 60 * added), b) for a, b in past.outages if b > begin + 60 * added]
        past.silent = {r: [(at := rng.randrange(begin, now), at + rng.randrange(60, 5 * HOUR))] for r in REGIONS}
        text = "." * ((begin % HOUR) // 60) + "".join(line)
        text += "." * (-len(text) % 60)
        past.codes = {begin // HOUR * HOUR + 60 * i: text[i : i + 60] for i in range(0, len(text), 60)}
        past._hours = [_typical(rng) for _ in range(24)]
        return past

    def chunks(self, begin: int, until: int) -> Iterator[Chunk]:
        """The archive of hours in [begin, until)."""
        for hour, codes in self.codes.items():
            if begin <= hour < until and codes.strip("."):
                yield Chunk(self.slug, hour, codes, self._samples(hour, codes))

    def _samples(self, hour: int, codes: str) -> dict[str, tuple[Sample, ...]]:
        typical = self._hours[hour // HOUR % 24]
        if codes == "u" * 60 and not any(b < hour + HOUR and hour < e for of in self.silent.values() for b, e in of):
            return {region: typical[region] for region in sorted(REGIONS)}
        out = {}
        for region in sorted(REGIONS):
            found = tuple(
                _seen(sample, codes[sample.minute])
                for sample in typical[region]
                if codes[sample.minute] != "." and not self._is_silent(region, hour + 60 * sample.minute)
            )
            if found:
                out[region] = found
        return out

    def _is_silent(self, region: str, minute: int) -> bool:
        return any(begin <= minute < end for begin, end in self.silent[region])


def _typical(rng: random.Random) -> dict[str, tuple[Sample, ...]]:
    """An hour of all regions in which all is well."""
    out = {}
    for region in REGIONS:
        found = []
        for minute in range(60):
            phases = {phase: round(DISTANCE_MS[region] * rng.lognormvariate(0, 0.3)) for phase in PHASES}
            found.append(Sample(minute, Status.UP, sum(phases.values()) + rng.randrange(3), None, phases))
        out[region] = tuple(found)
    return out


def _seen(sample: Sample, code: str) -> Sample:
    """The same probe in a minute that was judged so; in maintenance as it would have been."""
    code = "?" if code == "m" else code.lower()
    if code == "u":
        return sample
    status = STATUS[code]
    latency = sample.latency_ms * 9 if code == "g" else sample.latency_ms
    return replace(sample, status=status, reason=REASON[code], latency_ms=latency)


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    for number in numbers:
        if out and out[-1][1] == number - 1:
            out[-1] = (out[-1][0], number)
        else:
            out.append((number, number))
    return out
