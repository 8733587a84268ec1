"""Tells people that maintenance begins and ends: once per occurrence of a window, not per server. Pure.

The tick remembers, in its watch, what it told to have begun. A tick that comes late tells all the same, as long as the
window runs; one that began and was over while no tick came is not told at all: nobody can act on it, and history shows
it. What was told to have begun is told to be over, also when its window was ended, changed or removed meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lookout.config.model import Server, Site
from lookout.config.window import Window
from lookout.probe.result import Status
from lookout.verdict import ids
from lookout.verdict.case import Notice
from lookout.verdict.maintenance import Occurrence
from lookout.verdict.routing import Subject, audience
from lookout.verdict.state import Failure, Quorum

STARTED: Final = "maintenance.started"
ENDED: Final = "maintenance.ended"
AT_ONCE: Final = 40
"""Most notices of a tick, so that they fit its transaction: the rest come with the next tick."""
NAMED: Final = 20
"""Most servers a notice names."""


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of one occurrence, and is needed to tell its end. Times are unix seconds."""

    begin: int
    end: int
    name: str
    visibility: str
    sinks: tuple[str, ...]
    maintenance: Mapping[str, Any]
    """As in `Notice.maintenance`."""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Told:
        """Inverse of `dataclasses.asdict`."""
        return cls(**{**data, "sinks": tuple(data["sinks"])})


def announce(
    told: Mapping[str, Told], running: Iterable[Occurrence], site: Site, servers: Sequence[Server], now: int
) -> tuple[dict[str, Told], tuple[Notice, ...]]:
    """What is told after a tick, and its notices. `running`: the occurrences that cover `now`."""
    current = {f"{one.window.id}@{one.begin}": one for one in running}
    after = dict(told)
    notices: list[Notice] = []
    for key, known in told.items():
        if key not in current and len(notices) < AT_ONCE:
            del after[key]
            notices.append(_notice(key, known, ENDED, min(known.end, max(now, known.begin))))
    for key, one in current.items():
        if key not in told and len(notices) < AT_ONCE:
            after[key] = _told(one, site, servers)
            notices.append(_notice(key, after[key], STARTED, one.begin))
    return after, tuple(notices)


def _told(one: Occurrence, site: Site, servers: Sequence[Server]) -> Told:
    covered = [server for server in servers if one.window.covers(server.slug, server.tags) and not server.paused]
    wanted = {name for server in covered for name in audience(site, server, Subject(STARTED, "info"))}
    return Told(
        one.begin,
        one.end,
        f"Maintenance of {_whom(one.window, covered)}",
        "public" if all(server.public for server in covered) else "private",
        tuple(sink.name for sink in site.sinks if sink.name in wanted),
        {
            "window": one.window.id,
            "begins_at": one.begin,
            "ends_at": one.end,
            "servers": [server.slug for server in covered[:NAMED]],
            "more": max(0, len(covered) - NAMED),
            "uptime": one.window.uptime,
            "reason": one.window.reason,
        },
    )


def _whom(window: Window, covered: Sequence[Server]) -> str:
    if not window.servers and not window.tags:
        return "all servers"
    titles = [server.title for server in covered]
    return titles[0] if len(titles) == 1 else f"{len(titles)} servers"


def _notice(key: str, told: Told, kind: str, at: int) -> Notice:
    """Its ids follow from the occurrence: whichever tick tells it, it is the same notice."""
    slug = f"maintenance:{told.maintenance['window']}"
    over = kind == ENDED
    return Notice(
        id="evt_" + ids.ulid(told.begin, key, kind),
        type=kind,
        created_at=at,
        slug=slug,
        status=(Status.UNKNOWN if over else Status.MAINTENANCE).value,
        previous_status=(Status.MAINTENANCE if over else Status.UNKNOWN).value,
        previous_since=told.begin if over else 0,
        severity="info",
        dedup_key="mnt_" + ids.ulid(told.begin, key),
        sequence=int(over),
        server={"slug": slug, "name": told.name, "url": None, "visibility": told.visibility, "tags": []},
        failure=Failure(),
        quorum=Quorum(0, 0, 0, "maintenance", 0),
        regions=(),
        incident=None,
        sinks=told.sinks,
        maintenance={**told.maintenance, "ends_at": at} if over else told.maintenance,
    )
