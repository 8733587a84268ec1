"""Incidents as they open, change and end, each with the notice that tells of it. Pure.

`Scene` is everything about one server's minute that a notice needs; what happens to an incident is a method of it and
returns what is to be stored. An incident is written over the version that was read (decision 12, P1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from lookout.config.model import Server, Site
from lookout.probe.result import Status
from lookout.verdict import ids
from lookout.verdict.case import Incident, Notice
from lookout.verdict.notices import incident_notice
from lookout.verdict.routing import remembering
from lookout.verdict.state import Failure, Quorum, ServerState

OUTAGE: Final = "availability"
PRIVATE: Final = "credential"
"""This kind is about us and not about the server: it is never public."""
OPENED: Final = {
    "latency": "latency.degraded",
    "certificate": "tls.expiring",
    "credential": "credential.expiring",
}
"""How the opening of a kind is told, where not as `incident.opened`."""


@dataclass(frozen=True, slots=True)
class Happening:
    """What became of an incident, and the notice that tells of it."""

    incident: Incident
    notice: Notice


@dataclass(frozen=True, slots=True)
class Scene:
    """One server in one judged minute. `at` is when the deciding evidence was gathered; `state` as judged so far."""

    server: Server
    state: ServerState
    quorum: Quorum
    minute: int
    at: int
    site: Site

    def having(self, state: ServerState) -> Scene:
        """The same with another state."""
        return self if state is self.state else replace(self, state=state)

    def opens(
        self,
        kind: str,
        started_at: int,
        status: str,
        *,
        failure: Failure,
        regions: tuple[str, ...] = (),
        stage: int = 0,
        flapping: bool = False,
        severity: str | None = None,
    ) -> Happening:
        """A new incident, told."""
        incident = Incident(
            id=ids.incident_id(self.server.slug, kind, self.minute),
            slug=self.server.slug,
            started_at=started_at,
            opened_at=self.minute,
            status=status,
            public=self.server.public and kind != PRIVATE,
            title=self.server.title,
            failure=failure,
            regions=regions,
            regions_total=self.quorum.regions_total,
            kind=kind,
            evidence=failure,
            stage=stage,
            flapping=flapping,
        ).noting(self.minute, "opened", in_words(status, failure, regions))
        return self._told(OPENED.get(kind, "incident.opened"), incident, severity)

    def changes(
        self,
        incident: Incident,
        what: str = "updated",
        *,
        text: str | None = None,
        told_as: str = "incident.updated",
        severity: str | None = None,
    ) -> Happening:
        """An incident that is not as it was told before, told again."""
        said = in_words(incident.status, incident.failure, incident.regions) if text is None else text
        return self._told(told_as, incident.noting(self.minute, what, said), severity)

    def ends(self, incident: Incident, resolved_at: int, resolution: str) -> Happening:
        """The end of an incident, told."""
        over = replace(incident, resolved_at=max(resolved_at, incident.started_at), resolution=resolution)
        return self._told("incident.resolved", over.noting(self.minute, "resolved", resolution))

    def _told(self, notice_type: str, incident: Incident, severity: str | None = None) -> Happening:
        notice = incident_notice(
            notice_type, self.server, self.state, incident, self.quorum, self.minute, self.at, self.site, severity
        )
        return Happening(remembering(incident, self.server, notice.sinks), notice)


def in_words(status: str, failure: Failure, regions: tuple[str, ...]) -> str:
    """`down: http_5xx in us-west-2, eu-west-1`, without what a server said."""
    why = failure.reason or failure.layer
    where = f" in {', '.join(regions)}" if regions else ""
    return f"{status}: {why}{where}" if why else f"{status}{where}"


def close(
    server: Server, incident: Incident, at: int, resolution: str, before: ServerState, site: Site
) -> tuple[Incident, Notice]:
    """End an incident because we stop watching (`removed`, `paused`), with its notice."""
    scene = unwatched(server, before, at, resolution, site)
    closed = scene.ends(incident, at, resolution)
    return closed.incident, closed.notice


def unwatched(server: Server, before: ServerState, at: int, resolution: str, site: Site) -> Scene:
    """A server nobody looks at any more: no region said anything."""
    status = Status.PAUSED if resolution == "paused" else Status.UNKNOWN
    gone = before.with_(status=status, previous=before.status, previous_since=before.since, since=at, incidents={})
    return Scene(server, gone, Quorum(len(site.regions), 0, len(site.regions), resolution, 0), at, at, site)
