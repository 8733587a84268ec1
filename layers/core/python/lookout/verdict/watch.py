"""The watch over the watchers: is the judge here without a break, and does every region report? Pure.

The tick keeps a `Watch` each minute, in the home region. A gap in it means that the home region could not be written,
or that nobody judged. Then regions may hold rounds of the minutes past in their queues: until they had the time to
bring them, such a minute is judged only when every region's round is there (`held_before`, `judgeable`).

A region is stale when it has reported before, and then brought no round for `Site.stale_after_s` although some server
was due. Silence counts from the first minute missed, and never from before we were here to hear: neither a first
deployment, nor a region just added, nor our own absence or lag makes a region stale. One told stale is told back when
it reports again, or when lookout.yaml no longer lists it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Self

from lookout.config.model import Server, Site
from lookout.probe.result import Status
from lookout.regions import city
from lookout.verdict import ids
from lookout.verdict.announcing import Told
from lookout.verdict.case import Incident, Notice
from lookout.verdict.routing import audience_of_region
from lookout.verdict.state import Failure, Quorum, RegionView

AWAY_S: Final = 180
"""So long after its last tick, a judge has been away."""
DRAIN_S: Final = 600
"""So long after it came back, regions may still bring what they held: twice what a waiting round rests at most."""
LAG_S: Final = 300
"""A judge whose newest minute is older than this knows nothing of the regions' present."""
NOTICE: Final = "region.stale"
_LAST: Final = 1 << 40


@dataclass(frozen=True, slots=True)
class RegionMemory:
    """What is remembered of one region. Times are unix seconds."""

    since: int
    """Silence counts from then at the earliest."""
    heard: int = 0
    """When its newest judged result was gathered; 0 before the first."""
    stale: int = 0
    """The first minute missed, once that was told; 0 while it is not stale."""


@dataclass(frozen=True, slots=True)
class Watch:
    """`version` is the compare-and-set token; 0 means never stored."""

    version: int = 0
    at: int = 0
    """The last tick."""
    resumed: int = 0
    """The first tick after a gap; 0 where there has been none."""
    regions: Mapping[str, RegionMemory] = field(default_factory=dict)
    maintenance: Mapping[str, Told] = field(default_factory=dict)
    """Occurrences that were told to have begun (`verdict.announcing`), by window and begin."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON object, without the version."""
        regions = {region: asdict(memory) for region, memory in self.regions.items()}
        maintenance = {key: asdict(told) for key, told in self.maintenance.items()}
        return {"at": self.at, "resumed": self.resumed, "regions": regions, "maintenance": maintenance}

    @classmethod
    def from_json(cls, version: int, data: Mapping[str, Any]) -> Self:
        """Inverse of `to_json`."""
        regions = {region: RegionMemory(**memory) for region, memory in data["regions"].items()}
        maintenance = {key: Told.from_json(told) for key, told in data.get("maintenance", {}).items()}
        return cls(version, data["at"], data["resumed"], regions, maintenance)


@dataclass(frozen=True, slots=True)
class Heard:
    """What the states of the shards say: the newest minute judged, and per region when its newest result was made."""

    judged: int = 0
    regions: Mapping[str, int] = field(default_factory=dict)


def held_before(watch: Watch, now: int) -> int:
    """Minutes before this moment wait for every region; 0: none does. A watch never kept holds nothing."""
    if watch.at and now - watch.at > AWAY_S:
        return now
    return watch.resumed if now < watch.resumed + DRAIN_S else 0


def judgeable(
    minutes: Iterable[int],
    reported: Mapping[int, Iterable[str]],
    servers: Sequence[Server],
    regions: Sequence[str],
    before: int,
) -> list[int]:
    """Those of the ripe `minutes` (oldest first) that come before the first one held back. `before`: `held_before`."""
    out: list[int] = []
    for minute in minutes:
        due = any(server.due(minute) for server in servers)
        if minute < before and due and not set(regions) <= set(reported.get(minute, ())):
            break
        out.append(minute)
    return out


def missed(heard: int, servers: Sequence[Server], now: int) -> int | None:
    """The first minute after `heard`, and before `now`, in which a server was due; None where there is none.

    Intervals are an hour at most, so an hour of minutes is enough to look at.
    """
    first = heard // 60 * 60 + 60
    minutes = range(first, min(now, first + 3600), 60)
    return next((minute for minute in minutes if any(server.due(minute) for server in servers)), None)


def keep(
    watch: Watch, heard: Heard, site: Site, servers: Sequence[Server], now: int
) -> tuple[Watch, tuple[Notice, ...]]:
    """The watch after a tick at `now`, to be stored together with the notices."""
    away = bool(watch.at) and now - watch.at > AWAY_S
    after = replace(watch, at=max(watch.at, now), resumed=now if away else watch.resumed)
    deaf = held_before(after, now) > 0 or now - heard.judged > LAG_S
    regions: dict[str, RegionMemory] = {}
    told: list[tuple[str, RegionMemory, str | None]] = []
    for region in site.regions:
        before = watch.regions.get(region, RegionMemory(now))
        memory = replace(before, heard=max(before.heard, heard.regions.get(region, 0)))
        if deaf:
            memory = replace(memory, since=now)
        if memory.stale:
            if memory.heard >= memory.stale:
                told.append((region, memory, "reports again"))
                memory = replace(memory, stale=0, since=now)
        elif memory.heard:
            quiet = missed(max(memory.heard, memory.since), servers, now)
            if quiet is not None and now - quiet >= site.stale_after_s:
                memory = replace(memory, stale=quiet)
                told.append((region, memory, None))
        regions[region] = memory
    for region, memory in watch.regions.items():
        if region not in regions and memory.stale:
            told.append((region, memory, "removed"))
    after = replace(after, regions=regions)
    stale = sum(bool(memory.stale) for memory in regions.values())
    return after, tuple(_notice(region, memory, ended, stale, site, now) for region, memory, ended in told)


def _notice(region: str, memory: RegionMemory, ended: str | None, stale: int, site: Site, now: int) -> Notice:
    """Its ids are of the first minute missed: the same silence is told once, whoever finds it, and whenever."""
    key = "reg_" + ids.ulid(memory.stale, region, NOTICE)
    back = max(memory.heard, memory.stale) if ended == "reports again" else max(now, memory.stale)
    at = memory.stale + site.stale_after_s if ended is None else back
    now_is, was = (Status.UNKNOWN, Status.UP) if ended is None else (Status.UP, Status.UNKNOWN)
    slug = f"region:{region}"
    incident = Incident(
        id=key,
        slug=slug,
        started_at=memory.stale,
        opened_at=memory.stale + site.stale_after_s,
        status=Status.UNKNOWN.value,
        public=False,
        title=f"{city(region)} ({region})",
        resolved_at=None if ended is None else back,
        resolution=ended,
        kind="region",
    )
    return Notice(
        id="evt_" + ids.ulid(memory.stale, key, NOTICE, ended or "silent"),
        type=NOTICE,
        created_at=at,
        slug=slug,
        status=now_is.value,
        previous_status=was.value,
        previous_since=memory.stale if ended else 0,
        severity="warning" if ended is None else "info",
        dedup_key=key,
        sequence=0 if ended is None else _LAST,
        server={
            "slug": slug,
            "name": f"Probing region {city(region)} ({region})",
            "url": None,
            "visibility": "public",
            "tags": [],
        },
        failure=Failure(),
        quorum=Quorum(len(site.regions), 0, stale, f"silent-{site.stale_after_s // 60}m", 0),
        regions=(RegionView(region, now_is.value, memory.heard),),
        incident=incident,
        sinks=audience_of_region(site, region),
    )
