"""What is kept of a case, and told of it: incidents with their timelines, changes of a surface, notices.

JSON-shaped, immutable, without behaviour. Times are unix seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Final, Self

from lookout.history.spans import FOREVER
from lookout.verdict.state import Failure, Quorum, RegionView


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an incident's timeline. `by` names the person who wrote it; empty: Lookout."""

    at: int
    what: str
    """opened, updated, flapping, acknowledged, note or resolved."""
    text: str = ""
    by: str = ""
    public: bool = True
    """A note may be for the operators alone."""


TIMELINE_LIMIT: Final = 50


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident of one server. `resolved_at` None means open.

    `version` is the compare-and-set token, 0 before it was ever stored: the judge and people write the same incident.
    """

    id: str
    slug: str
    started_at: int
    opened_at: int
    status: str
    public: bool
    title: str
    resolved_at: int | None = None
    resolution: str | None = None
    """None while open; then `recovered` or `removed`."""
    failure: Failure = field(default_factory=Failure)
    regions: tuple[str, ...] = ()
    regions_total: int = 0
    kind: str = "availability"
    """availability, regional, latency, limited, certificate, credential or drift; region (`verdict.watch`)."""
    evidence: Failure | None = None
    """The failure it began with, never changed; None where nothing failed, and for incidents of older versions."""
    stage: int = 0
    """Certificate and credential: which of the times before the end it was told at, in seconds. Drift: 1 once it led
    back to where it began (`verdict.drift`).
    """
    flapping: bool = False
    """Was told to be flapping."""
    surface: str = ""
    """Drift: the address of the surface it began from."""
    held: str = ""
    """The scope of the mass failure it opened in; all its notices are held then, and the tick sees to them."""
    sinks: tuple[str, ...] = ()
    """Who was told of it by a route or an escalation, and is told of whatever becomes of it (`verdict.routing`)."""
    reminded: Mapping[str, int] = field(default_factory=dict)
    """For which moment each sink was reminded last (`verdict.reminding`)."""
    escalated: tuple[str, ...] = ()
    """The sinks it was escalated to."""
    timeline: tuple[Entry, ...] = ()
    """At most TIMELINE_LIMIT entries: the first, and the newest; those of people before those of Lookout."""
    version: int = field(default=0, compare=False)

    @property
    def acknowledged(self) -> Entry | None:
        """The first acknowledgement."""
        return next((entry for entry in self.timeline if entry.what == "acknowledged"), None)

    def noting(self, at: int, what: str, text: str = "", *, by: str = "", public: bool = True) -> Incident:
        """The incident with one more line in its timeline."""
        timeline = (*self.timeline, Entry(at, what, text, by, public))
        if len(timeline) > TIMELINE_LIMIT:
            # What people wrote outlives what Lookout did: a note is nowhere else.
            spare = next((entry for entry in timeline[1:-1] if not entry.by), None)
            spare = spare or next(entry for entry in timeline[1:] if entry.what != "acknowledged")
            timeline = tuple(entry for entry in timeline if entry is not spare)
        return replace(self, timeline=timeline)

    @property
    def span(self) -> tuple[int, int]:
        """From its beginning to its end; one that is open ends later than anything."""
        return self.started_at, FOREVER if self.resolved_at is None else self.resolved_at

    def to_json(self) -> dict[str, Any]:
        """Plain JSON object, without the version, and without what only routes, reminders and escalations say."""
        out = asdict(self)
        del out["version"]
        return {name: value for name, value in out.items() if value or name not in _SELDOM}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], version: int = 0) -> Self:
        """Inverse of `to_json`; what this version does not know is left out."""
        values = {name: data[name] for name in _INCIDENT_FIELDS if name in data}
        values["failure"] = Failure(**values.get("failure", {}))
        values["evidence"] = Failure(**values["evidence"]) if values.get("evidence") else None
        values["regions"] = tuple(values.get("regions", ()))
        values["sinks"], values["escalated"] = (tuple(values.get(name, ())) for name in ("sinks", "escalated"))
        values["timeline"] = tuple(Entry(**entry) for entry in values.get("timeline", ()))
        return cls(**values, version=version)


_INCIDENT_FIELDS = frozenset(f.name for f in fields(Incident)) - {"version"}
_SELDOM: Final = frozenset({"sinks", "reminded", "escalated"})


@dataclass(frozen=True, slots=True)
class SurfaceChange:
    """One change of what a server offers, as told. `drift` is the webhook's object (SHAPES 1), bounded and complete."""

    id: str
    slug: str
    at: int
    """The judged minute."""
    public: bool
    title: str
    drift: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `to_json`."""
        return cls(**data)


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell people, complete: a renderer needs nothing else (SHAPES 1).

    `type` is one of SHAPES 1. `incident` is what it is about, or None; `drift` the change, where it is about one.
    `created_at` is when the deciding evidence was gathered. `sequence` orders the notices of one incident.
    """

    id: str
    type: str
    created_at: int
    slug: str
    status: str
    previous_status: str
    previous_since: int
    severity: str
    dedup_key: str
    sequence: int
    server: Mapping[str, Any]
    """slug, name, url, visibility, tags."""
    failure: Failure
    quorum: Quorum
    regions: tuple[RegionView, ...]
    incident: Incident | None
    sinks: tuple[str, ...] = ()
    drift: Mapping[str, Any] | None = None
    held: str = ""
    """The scope of the mass failure its incident opened in: nobody is told yet (`verdict.gathering`)."""
    digest: Mapping[str, Any] | None = None
    """Type digest: the webhook's object (SHAPES 1), bounded: scope, servers, failing, members and more."""
    maintenance: Mapping[str, Any] | None = None
    """Types maintenance.started and .ended: window, begins_at, ends_at, servers, more, uptime, reason."""
    escalation: Mapping[str, Any] | None = None
    """Type incident.reminder, for sinks it is escalated to: after_s, since it opened. Else None."""
    report: Mapping[str, Any] | None = None
    """Type digest, where it sums up what was (quiet hours, a day, a week) and not who fails together: `kind`,
    `begins_at`, `ends_at`, and what that kind has beside them. Else None."""
    slo: Mapping[str, Any] | None = None
    """Type slo.burn: objective, window and the rates. Else None."""
    opening_undelivered: bool = False
    """Of the end of an incident: this sink was never told that it began. Known when it is sent: never stored."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON object."""
        out = asdict(self)
        for name in _UNUSUAL:
            if not out[name]:
                del out[name]
        out["incident"] = self.incident.to_json() if self.incident is not None else None
        return out

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `to_json`."""
        values = dict(data)
        values["failure"] = Failure(**values["failure"])
        values["quorum"] = Quorum(**values["quorum"])
        values["regions"] = tuple(RegionView(**r) for r in values["regions"])
        values["incident"] = Incident.from_json(values["incident"]) if values["incident"] is not None else None
        values["sinks"] = tuple(values["sinks"])
        return cls(**values)


_UNUSUAL: Final = ("escalation", "report", "slo", "opening_undelivered")
"""What few notices have is stored only where they have it."""
