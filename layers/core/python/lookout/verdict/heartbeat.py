"""Is all well? What must have worked, so that the heartbeat is sent. Pure.

It is withheld for what leaves people in the dark: a shard or the tick that is late, a page that is not renewed, half of
the regions or more that are silent, a notice that nobody has tried to deliver. It is sent in spite of what Lookout can
tell by itself, as it tells of a single silent region (`region.stale`) and of a sink that refuses (its alarms): a
heartbeat that has stopped for those says nothing any more when the home region falls silent too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from lookout.config.model import Server, Site
from lookout.verdict.case import Notice
from lookout.verdict.watch import Watch, missed

LATE_S: Final = 360
"""What is done every minute may be so old. With one region silent, a minute is judged at the first tick two minutes
after it, the tick itself may come a minute late, and the minute judged is its beginning: up to five minutes."""
UNTRIED_S: Final = 900
"""So long a notice may wait for the first attempt at each of its sinks: longer than the one before it
is usually retried."""
REMEMBERED_S: Final = 86_400
"""Older notices are not looked at: the stream that brings them to their sinks has forgotten them."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """What is seen of Lookout at one moment. Times are unix seconds."""

    watch: Watch = field(default_factory=Watch)
    judged: Mapping[str, int] = field(default_factory=dict)
    """The newest judged minute by shard; a shard never judged is left out."""
    published: int | None = None
    """When the public read model was written; None where there is none."""
    untried: tuple[str, ...] = ()
    """Ids of the newest notices, where those have waited too long for a first attempt at one of their sinks."""


def waiting(notices: Iterable[Notice], now: int) -> list[Notice]:
    """Those that should have been tried by now at every sink, and are not too old to ask for. None that is held."""
    meant = (notice for notice in notices if notice.sinks and not notice.held)
    return [notice for notice in meant if UNTRIED_S < now - notice.created_at <= REMEMBERED_S]


def ailments(pulse: Pulse, site: Site | None, servers: Sequence[Server], now: int) -> tuple[str, ...]:
    """Why the heartbeat is withheld, in words for the log; nothing where all is well."""
    if site is None:
        return ("lookout.yaml has not been applied",)
    found = [*_judging(pulse, servers, now)]
    if pulse.published is None:
        found.append("the status page has never been published, or its snapshot cannot be read")
    elif now - pulse.published > LATE_S:
        found.append(f"the status page was published {now - pulse.published} s ago")
    silent = _silent(pulse.watch, site, servers, now)
    if 2 * len(silent) >= len(site.regions):
        found.append(f"{len(silent)} of {len(site.regions)} regions are silent: {', '.join(silent)}")
    if pulse.untried:
        found.append(f"nobody has tried to deliver {', '.join(pulse.untried)}")
    return tuple(found)


def _judging(pulse: Pulse, servers: Sequence[Server], now: int) -> Iterable[str]:
    if now - pulse.watch.at > LATE_S:
        yield f"the judge's last tick was {now - pulse.watch.at} s ago" if pulse.watch.at else "the judge never ticked"
    shards: dict[str, list[Server]] = {}
    for server in servers:
        shards.setdefault(server.shard, []).append(server)
    for shard, members in sorted(shards.items()):
        judged = pulse.judged.get(shard)
        if judged is not None and now - judged > LATE_S:
            yield f"shard {shard} was judged {now - judged} s ago"
        # A new shard whose servers were not due yet has nothing to be judged.
        elif judged is None and missed(now - 2 * LATE_S, members, now - LATE_S) is not None:
            yield f"shard {shard} has never been judged"


def _silent(watch: Watch, site: Site, servers: Sequence[Server], now: int) -> list[str]:
    """Regions told as stale; and those that have never been heard of, although they are listed for that long."""
    due = any(not server.paused for server in servers)
    out = []
    for region in site.regions:
        memory = watch.regions.get(region)
        if memory is None:
            continue
        never = due and not memory.heard and now - memory.since >= site.stale_after_s
        if memory.stale or never:
            out.append(region)
    return out
