"""What the judge remembers and announces. JSON-shaped, immutable, without behaviour.

Times are unix seconds. `minute` is the scheduled minute (a multiple of 60).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from lookout.history.spans import FOREVER
from lookout.probe.result import Status
from lookout.surface.confirm import NOTHING, Memory


@dataclass(frozen=True, slots=True)
class RegionView:
    """The last thing one region said of one server."""

    region: str
    status: str
    checked_at: int
    latency_ms: int | None = None
    layer: str | None = None
    reason: str | None = None
    message: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON object."""
        return {name: getattr(self, name) for name in _VIEW_FIELDS}


_VIEW_FIELDS = tuple(f.name for f in fields(RegionView))


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a server is (or was) failing, as the first region of the deciding round said it."""

    layer: str | None = None
    reason: str | None = None
    message: str = ""
    http_status: int | None = None
    era: str | None = None
    protocol_version: str | None = None


@dataclass(frozen=True, slots=True)
class Quorum:
    """How the regions stood in the deciding round."""

    regions_total: int
    regions_failing: int
    regions_unknown: int
    rule: str
    consecutive_rounds: int


@dataclass(frozen=True, slots=True)
class ServerState:
    """One server as judged so far.

    `since` is when the present status began (the first minute of the streak that led to it).
    `candidate` is what the latest known rounds say when that is not yet the status.
    """

    slug: str
    status: Status = Status.PENDING
    since: int = 0
    previous: Status = Status.PENDING
    previous_since: int = 0
    candidate: Status | None = None
    candidate_since: int = 0
    candidate_rounds: int = 0
    fail_rounds: int = 0
    fail_since: int = 0
    ok_rounds: int = 0
    ok_since: int = 0
    unknown_rounds: int = 0
    unknown_since: int = 0
    last_round: int = 0
    incident_id: str | None = None
    regions: tuple[RegionView, ...] = ()
    failure: Failure | None = None
    era: str | None = None
    protocol_version: str | None = None
    transport: str | None = None
    server_name: str | None = None
    server_version: str | None = None
    tools_count: int | None = None
    tools_hash: str | None = None
    tls_not_after: int | None = None
    findings: tuple[str, ...] = ()
    """What any region's last exchange found against the specification: `Finding.code`, errors and warnings."""
    credential_expires: int | None = None
    """The earliest end any region knows of; kept while no region can get the credential."""
    surface: Memory = NOTHING
    """Which surfaces are believed, by region and key."""
    drifts: Mapping[str, int] = field(default_factory=dict)
    """How many changes of the surface were told, by class; at least one where `drift_at` is set."""
    drift_at: int = 0
    """The minute of the latest of them."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON object."""
        out: dict[str, Any] = {}
        for name in _STATE_FIELDS:
            value = getattr(self, name)
            if value not in (None, (), {}):
                out[name] = value
        if self.failure is not None:
            out["failure"] = asdict(self.failure)
        if self.regions:
            out["regions"] = tuple(view.to_json() for view in self.regions)
        if self.surface.tracks:
            out["surface"] = self.surface.to_json()
        return out

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `to_json`."""
        values = dict(data)
        for name in ("status", "previous", "candidate"):
            if name in values:
                values[name] = Status(values[name])
        values["regions"] = tuple(RegionView(**r) for r in values.get("regions", ()))
        values["findings"] = tuple(values.get("findings", ()))
        if "failure" in values:
            values["failure"] = Failure(**values["failure"])
        if "surface" in values:
            values["surface"] = Memory.from_json(values["surface"])
        return cls(**values)

    def with_(self, **changes: Any) -> ServerState:
        """`dataclasses.replace`, as a method and for this class alone: it is called some times a server and minute."""
        for name in _FIELDS:
            if name not in changes:
                changes[name] = getattr(self, name)
        return ServerState(**changes)


_FIELDS = tuple(f.name for f in fields(ServerState))
_STATE_FIELDS = tuple(name for name in _FIELDS if name not in ("surface", "regions", "failure"))
"""`asdict` copies all that these hold; a judge writes every server's state every minute."""


@dataclass(frozen=True, slots=True)
class ShardState:
    """All servers of one shard. `version` is the compare-and-set token; 0 means never stored."""

    shard: str
    version: int = 0
    judged: int = 0
    """The newest minute judged; 0 before the first."""
    servers: Mapping[str, ServerState] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident of one server. `resolved_at` None means open."""

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
    failure: Failure = Failure()
    regions: tuple[str, ...] = ()
    regions_total: int = 0
    kind: str = "availability"

    @property
    def span(self) -> tuple[int, int]:
        """From its beginning to its end; one that is open ends later than anything."""
        return self.started_at, FOREVER if self.resolved_at is None else self.resolved_at

    def to_json(self) -> dict[str, Any]:
        """Plain JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `to_json`."""
        values = dict(data)
        values["failure"] = Failure(**values.get("failure", {}))
        values["regions"] = tuple(values.get("regions", ()))
        return cls(**values)


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

    `type` is incident.opened, incident.updated, incident.resolved, drift.detected or test. Of `incident` and `drift`
    the one it is about is there, the other None. `created_at` is the judged minute's wall
    clock as the judge was given it. `sequence` orders the notices of one incident.
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

    def to_json(self) -> dict[str, Any]:
        """Plain JSON object."""
        return asdict(self)

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
