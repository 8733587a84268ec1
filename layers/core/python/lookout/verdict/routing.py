"""Whom a notice is for: the site's routes, a server's own `notify`, and who was told before. Pure. Decision 18.

Every notice of an incident reaches all who were told of it, and whom the routes name for what it has become: so whoever
was told that it opened is told that it is over, whatever the severity of that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from lookout.config.model import Server, Site
from lookout.config.route import Route
from lookout.verdict.case import Incident

_RANKS: Final = {"info": 0, "warning": 1, "high": 2, "critical": 3}


@dataclass(frozen=True, slots=True)
class Subject:
    """What routes look at, beside the server. `regions`: those that see it; empty where it is of none."""

    type: str
    severity: str
    kind: str = ""
    regions: tuple[str, ...] = ()


def chosen(site: Site, subject: Subject, server: Server | None = None) -> Iterator[Route]:
    """The routes a notice takes: the first that matches, and those behind it as long as each goes on."""
    for route in site.routes:
        if _matches(route, subject, server):
            yield route
            if not route.goes_on:
                return


def audience(site: Site, server: Server, subject: Subject, told: Iterable[str] = ()) -> tuple[str, ...]:
    """The sinks a notice of a server goes to. `told`: those that know of its incident."""
    routes = list(chosen(site, subject, server)) if server.routed else []
    return known(site, (*(sink for route in routes for sink in route.sinks), *(() if routes else server.notify), *told))


def audience_of_region(site: Site, region: str) -> tuple[str, ...]:
    """The sinks that are told that a region is silent, and that it is back: all of them, where no route says whom."""
    routes = list(chosen(site, Subject("region.stale", "warning", "region", (region,))))
    names = [sink for route in routes for sink in route.sinks] if routes else [sink.name for sink in site.sinks]
    return known(site, names)


def hears(site: Site, server: Server, sink: str) -> bool:
    """May a sink be told of a server: by its `notify`, by an escalation, or by a route that can be reached for it?"""
    steps = [server.escalate]
    named = sink in server.notify
    for route in site.routes if server.routed else ():
        if not _takes(route, server) or _of_regions(route):
            continue
        named |= sink in route.sinks
        steps.append(route.escalate)
        if not (route.goes_on or route.severity not in ("", "info") or route.kinds or route.types or route.regions):
            break
    return named or any(sink in step.sinks for step in steps if step is not None)


def known(site: Site, names: Iterable[str]) -> tuple[str, ...]:
    """Each of them once, without those the site does not have."""
    there = {sink.name for sink in site.sinks}
    return tuple(dict.fromkeys(name for name in names if name in there))


def remembering(incident: Incident, server: Server, sinks: tuple[str, ...]) -> Incident:
    """The incident that knows whom it was told. Where no route decides, `notify` says it anew each time."""
    return replace(incident, sinks=sinks) if server.routed else incident


def _matches(route: Route, subject: Subject, server: Server | None) -> bool:
    return (
        _takes(route, server)
        and (not route.severity or _RANKS[subject.severity] >= _RANKS[route.severity])
        and (not route.kinds or subject.kind in route.kinds)
        and (not route.types or subject.type in route.types)
        and (not route.regions or not set(route.regions).isdisjoint(subject.regions))
    )


def _takes(route: Route, server: Server | None) -> bool:
    return (not route.servers or (server is not None and server.slug in route.servers)) and (
        not route.tags or (server is not None and not set(route.tags).isdisjoint(server.tags))
    )


def _of_regions(route: Route) -> bool:
    """Does it take notices of our own regions alone?"""
    return set(route.kinds) == {"region"} or set(route.types) == {"region.stale"}
