"""The public read model: what publish gathers once a minute and every rendering works from.

A snapshot holds public servers only: a private server must never be in any public byte, so it is never put in.
Times are unix seconds. Tallies are counts of judged rounds (history.uptime).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from lookout.history.latency import Percentiles
from lookout.history.uptime import Tally
from lookout.history.windows import Outage
from lookout.verdict.case import Incident, SurfaceChange
from lookout.verdict.state import ServerState


@dataclass(frozen=True, slots=True)
class Day:
    """One day in the site's time zone, `date` as YYYY-MM-DD. A tally of zeroes is a day without data (grey)."""

    date: str
    tally: Tally


@dataclass(frozen=True, slots=True)
class ServerView:
    """One public server as shown. `days` has 90 entries, oldest first, today last (partial)."""

    slug: str
    title: str
    url: str
    tags: tuple[str, ...]
    state: ServerState
    windows: Mapping[str, Tally]
    """24h, 7d, 30d, 90d."""
    days: tuple[Day, ...]
    incidents: tuple[Incident, ...]
    """Of every kind, as they may be published: the newest 20 outages and as many warnings, and those that are open;
    newest first."""
    interval_s: int = 60
    slo: str = "99.9%"
    changes: tuple[SurfaceChange, ...] = ()
    """Of what it offers, as they may be published; newest first, at most 10."""
    outages: Mapping[str, Outage] = field(default_factory=dict)
    """By window: the seconds its incidents took. None of a window before it was watched."""
    burn: Mapping[int, Tally] = field(default_factory=dict)
    """The rounds of the last so many seconds (history.slo.WINDOWS_S)."""
    latency: Mapping[str, Mapping[str, Percentiles]] = field(default_factory=dict)
    """Of probes that completed, by window and region; within 1/32 (history.latency)."""
    latency_days: Mapping[str, Mapping[str, Percentiles]] = field(default_factory=dict)
    """The same by UTC day (YYYY-MM-DD), oldest first; exact. Not in the stored snapshot, which it would double."""
    lately: Percentiles | None = None
    """Of the last 24 hours that were rolled up, all regions together; exact, as `latency` is of 24h."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One time of a maintenance window, as far as it is public. `servers` are the public ones it covers; `everybody`:
    it is of every server there is.
    """

    id: str
    announced: int
    """Since when it is shown."""
    begin: int
    end: int
    servers: tuple[str, ...]
    everybody: bool = False
    reason: str = ""
    uptime: str = "exclude"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything public at one moment. `regions` maps each probing region to its newest reported minute (0: never)."""

    site_name: str
    site_url: str
    generated_at: int
    regions: Mapping[str, int]
    servers: tuple[ServerView, ...]
    version: str
    timezone: str = "UTC"
    maintenance: tuple[Planned, ...] = ()
    """Of the last and the next seven days, by when it begins."""

    def server(self, slug: str) -> ServerView | None:
        """The server of that slug, if public."""
        return next((s for s in self.servers if s.slug == slug), None)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON object."""
        data = asdict(self)
        for view, source in zip(data["servers"], self.servers, strict=True):
            view["state"] = source.state.to_json()
            del view["latency_days"]
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `to_json`."""
        servers = tuple(
            ServerView(
                **{
                    **s,
                    "tags": tuple(s["tags"]),
                    "state": ServerState.from_json(s["state"]),
                    "windows": {k: Tally(**v) for k, v in s["windows"].items()},
                    "days": tuple(Day(d["date"], Tally(**d["tally"])) for d in s["days"]),
                    "incidents": tuple(Incident.from_json(i) for i in s["incidents"]),
                    "changes": tuple(SurfaceChange.from_json(c) for c in s.get("changes", ())),
                    "outages": {k: Outage(**o) for k, o in s.get("outages", {}).items()},
                    "burn": {int(k): Tally(**v) for k, v in s.get("burn", {}).items()},
                    "lately": Percentiles(**s["lately"]) if s.get("lately") else None,
                    "latency": {
                        window: {region: Percentiles(**p) for region, p in found.items()}
                        for window, found in s.get("latency", {}).items()
                    },
                }
            )
            for s in data["servers"]
        )
        planned = tuple(Planned(**{**p, "servers": tuple(p["servers"])}) for p in data.get("maintenance", ()))
        return cls(**{**data, "servers": servers, "maintenance": planned})
