"""When a changed surface is believed: two probes in a row, per region and key. Pure: (memory, sightings) -> steps.

A key is what was asked with: era, protocol version and credential. The same server shows different tools to different
eras and credentials, so each key has a baseline of its own, and going over to another key resets nothing.

    run        probes in a row that saw the same surface
    confirmed  a run of 2 that is not the baseline: a step, and the new baseline
    unstable   A/B/A with B held for fewer than 5 probes, or 4 turns without a run of 5 between them: told once a day.
               Nothing is believed then until a run of 15, which ends it

A step that other regions take after the first is the same change, and is told once. A first baseline is not told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self

CONFIRMED: Final = 2
CALM: Final = 5
TURNS: Final = 4
SETTLED: Final = 15
KEYS: Final = 3
"""Keys remembered per region, the latest first."""
STEPS: Final = 4
"""Steps remembered for the regions that are still to take them."""
DAY: Final = 86400


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one region saw in one probe: a surface's address, and the key it was asked with."""

    key: str
    address: str


@dataclass(frozen=True, slots=True)
class Track:
    """What one region knows under one key. `left` is what it saw before `seen`; `base` None is no baseline yet."""

    key: str
    seen: str
    base: str | None = None
    run: int = 1
    left: str | None = None
    turns: int = 0
    unstable: bool = False

    def see(self, address: str) -> Track:
        """The track after one more probe, before anything is believed."""
        if address == self.seen:
            if self.settled:
                return self
            run = self.run + 1
            if run < (SETTLED if self.unstable else CALM):
                return replace(self, run=run)
            return Track(self.key, address, self.base, CALM)
        turns = self.turns + 1
        back = address == self.left and self.run < CALM
        unstable = self.unstable or back or turns >= TURNS
        return replace(self, seen=address, left=self.seen, run=1, turns=turns, unstable=unstable)

    @property
    def confirmed(self) -> bool:
        """May what is seen be believed?"""
        return not self.unstable and self.run >= CONFIRMED

    @property
    def settled(self) -> bool:
        """Would seeing the same once more change nothing? So it is nearly always."""
        return self.run == CALM and self.turns == 0 and self.left is None and not self.unstable


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to tell: the surface went from `old` to `new` as seen by `regions`, or alternates between the two."""

    key: str
    old: str
    new: str
    regions: tuple[str, ...]
    unstable: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was told at `at`, and the regions that have taken it so far."""

    old: str
    new: str
    at: int
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of one server's surface. `tracks` by region, the key used last first."""

    tracks: Mapping[str, tuple[Track, ...]]
    taken: tuple[Taken, ...] = ()
    unstable_at: int | None = None

    def addresses(self) -> tuple[str, ...]:
        """Every surface that need not be stored again."""
        found = {
            a for tracks in self.tracks.values() for t in tracks for a in (t.base, t.seen, t.left) if a is not None
        }
        return tuple(sorted(found))

    def to_json(self) -> dict[str, Any]:
        """Small: regions that know the same share an entry, and what a calm track need not say is left out."""
        groups: dict[tuple[Track, ...], list[str]] = {}
        for region, tracks in self.tracks.items():
            groups.setdefault(tracks, []).append(region)
        out: dict[str, Any] = {"t": [[regions, [_pack(t) for t in tracks]] for tracks, regions in groups.items()]}
        if self.taken:
            out["s"] = [[t.old, t.new, t.at, list(t.regions)] for t in self.taken]
        if self.unstable_at is not None:
            out["u"] = self.unstable_at
        return out

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `to_json`."""
        groups = [(regions, tuple(map(_unpack, packed))) for regions, packed in data.get("t", ())]
        tracks = {region: known for regions, known in groups for region in regions}
        taken = tuple(Taken(old, new, at, tuple(regions)) for old, new, at, regions in data.get("s", ()))
        return cls(tracks, taken, data.get("u"))


NOTHING: Final = Memory({})
_PACKED: Final = (("s", "seen"), ("n", "run"), ("l", "left"), ("c", "turns"), ("u", "unstable"))


def _pack(track: Track) -> dict[str, Any]:
    calm = Track(track.key, track.base or "", track.base, CALM)
    out = {short: getattr(track, name) for short, name in _PACKED if getattr(track, name) != getattr(calm, name)}
    return {"k": track.key, **({"b": track.base} if track.base is not None else {}), **out}


def _unpack(data: Mapping[str, Any]) -> Track:
    calm = Track(data["k"], data.get("b", ""), data.get("b"), CALM)
    said = {name: data[short] for short, name in _PACKED if short in data}
    return replace(calm, **said) if said else calm


def observe(
    memory: Memory, sightings: Mapping[str, Sighting], minute: int, regions: Sequence[str]
) -> tuple[Memory, tuple[Step, ...]]:
    """One judged minute. `sightings` by region (absent: nothing was seen), `regions` all that probe."""
    if _unmoved(memory, sightings, regions):
        return memory, ()
    tracks = {region: memory.tracks[region] for region in regions if region in memory.tracks}
    confirmed: dict[tuple[str, str, str], list[str]] = {}
    restless: list[tuple[str, Track]] = []
    for region in regions:
        if region not in sightings:
            continue
        sighting = sightings[region]
        known = tracks.get(region, ())
        before = next((t for t in known if t.key == sighting.key), None)
        after = before.see(sighting.address) if before is not None else Track(sighting.key, sighting.address)
        if before is not None and after.unstable and not before.unstable:
            restless.append((region, after))
        if after.confirmed and after.base != after.seen:
            if after.base is not None:
                confirmed.setdefault((after.key, after.base, after.seen), []).append(region)
            after = replace(after, base=after.seen)
        tracks[region] = (after, *(t for t in known if t.key != sighting.key))[:KEYS]
    taken = tuple(t for t in memory.taken if minute - t.at < DAY)
    steps: list[Step] = []
    for (key, old, new), where in confirmed.items():
        taken, told = _take(taken, old, new, where, minute)
        if told:
            steps.append(Step(key, old, new, told))
    taken = tuple(t for t in taken if not set(regions) <= set(t.regions))[-STEPS:]
    at = memory.unstable_at
    if restless and (at is None or minute - at >= DAY):
        at = minute
        steps.append(_alternation(restless))
    return Memory(tracks, taken, at), tuple(steps)


def _unmoved(memory: Memory, sightings: Mapping[str, Sighting], regions: Sequence[str]) -> bool:
    """Does every region see what it has long believed? Then there is nothing to remember, and nothing to tell."""
    if memory.taken or not set(memory.tracks) <= set(regions):
        return False
    for region in regions:
        seen, known = sightings.get(region), memory.tracks.get(region)
        if seen is None:
            continue
        if not known or known[0].key != seen.key or known[0].base != seen.address or not known[0].settled:
            return False
        if known[0].seen != seen.address:
            return False
    return True


def _alternation(restless: Sequence[tuple[str, Track]]) -> Step:
    _, first = restless[0]
    return Step(first.key, first.seen, first.left or first.seen, tuple(region for region, _ in restless), unstable=True)


def _take(
    taken: Sequence[Taken], old: str, new: str, regions: Iterable[str], minute: int
) -> tuple[tuple[Taken, ...], tuple[str, ...]]:
    """The steps taken after `regions` went from `old` to `new`, and for which of them that is news."""
    news = tuple(r for r in regions if not (_open(taken, "old", old, r) and _open(taken, "new", new, r)))
    late = set(regions) - set(news)
    after = [
        replace(t, regions=tuple(dict.fromkeys((*t.regions, *sorted(late))))) if old == t.old or new == t.new else t
        for t in taken
    ]
    if news:
        after = [t for t in after if (t.old, t.new) != (old, new)] + [Taken(old, new, minute, news)]
    return tuple(after), news


def _open(taken: Iterable[Taken], end: str, address: str, region: str) -> bool:
    """Is there a step with this end which the region has not taken yet?"""
    return any(getattr(t, end) == address and region not in t.regions for t in taken)
