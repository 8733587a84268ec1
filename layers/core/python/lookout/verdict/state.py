"""What the judge remembers and announces. JSON-shaped, immutable, without behaviour.

Times are unix seconds. `minute` is the scheduled minute (a multiple of 60).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from operator import attrgetter
from typing import Any, Final, Self

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
        """Plain JSON object, without what there is nothing to say of."""
        return {name: value for name, usual in _VIEW_USUAL.items() if (value := getattr(self, name)) != usual}


_VIEW_USUAL: Final[Mapping[str, Any]] = {f.name: f.default for f in fields(RegionView)}


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
class View:
    """How an outage looks: the layer and the regions that fail, seen in so many rounds in a row."""

    layer: str | None
    regions: tuple[str, ...]
    rounds: int = 1


@dataclass(frozen=True, slots=True)
class Track:
    """The two streaks of a condition: rounds in a row, and their first minute."""

    bad: int = 0
    bad_since: int = 0
    good: int = 0
    good_since: int = 0


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
    incidents: Mapping[str, str] = field(default_factory=dict)
    """The open incidents by kind: their ids."""
    confirmed: int = 0
    """How many confirmations of the last round were judged."""
    heard_at: int = 0
    """The last minute in which any region reported it."""
    turns: tuple[int, ...] = ()
    """The minutes of the last hour in which it turned from ok to failing or back."""
    flapping_since: int = 0
    view: View | None = None
    """How it fails, where that is not yet what its incident says."""
    tracks: Mapping[str, Track] = field(default_factory=dict)
    """The streaks of its conditions, by kind."""
    latencies: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Rounds by day (since the epoch) and bucket (`verdict.latency`): today's and those of the seven days before."""
    usual_ms: int = 0
    """The 95th percentile of those seven days; 0: not known yet."""
    usual_day: int = 0
    """The day for which that was worked out."""
    address: str | None = None
    """The network address at which it was reached last."""
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
        said = zip(_PLAIN, _plain(self), strict=True)
        out = {name: value for name, value in said if value or (value is not None and name in _EMPTY_SAYS)}
        if self.failure is not None:
            out["failure"] = asdict(self.failure)
        if self.regions:
            out["regions"] = tuple(view.to_json() for view in self.regions)
        if self.surface.tracks:
            out["surface"] = self.surface.to_json()
        if self.view is not None:
            out["view"] = [self.view.layer, list(self.view.regions), self.view.rounds]
        if self.tracks:
            out["tracks"] = {kind: [t.bad, t.bad_since, t.good, t.good_since] for kind, t in self.tracks.items()}
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
        if "view" in values:
            layer, regions, rounds = values["view"]
            values["view"] = View(layer, tuple(regions), rounds)
        values["tracks"] = {kind: Track(*numbers) for kind, numbers in values.get("tracks", {}).items()}
        values["turns"] = tuple(values.get("turns", ()))
        if "incident_id" in values:  # states of versions that knew one kind
            values["incidents"] = {"availability": values.pop("incident_id")}
        return cls(**values)

    @property
    def incident_id(self) -> str | None:
        """The open outage."""
        return self.incidents.get("availability")

    def opened(self, incident: Incident) -> ServerState:
        """With that incident open."""
        return self.with_(incidents={**self.incidents, incident.kind: incident.id})

    def closed(self, kind: str) -> ServerState:
        """Without an open incident of that kind."""
        return self.with_(incidents={k: v for k, v in self.incidents.items() if k != kind})

    def with_(self, **changes: Any) -> ServerState:
        """`dataclasses.replace`, as a method and for this class alone: it is called some times a server and minute."""
        return ServerState(**{**dict(zip(_FIELDS, _values(self), strict=True)), **changes})


_FIELDS: Final = tuple(f.name for f in fields(ServerState))
_PLAIN: Final = tuple(name for name in _FIELDS if name not in ("surface", "regions", "failure", "view", "tracks"))
"""Those that are JSON as they are. `asdict` would copy all they hold, and a judge writes every state every minute."""
_EMPTY_SAYS: Final = frozenset(f.name for f in fields(ServerState) if f.default is None) | {"slug"}
"""Where 0 or an empty text is not the same as nothing."""
_values: Final = attrgetter(*_FIELDS)
_plain: Final = attrgetter(*_PLAIN)


@dataclass(frozen=True, slots=True)
class ShardState:
    """All servers of one shard. `version` is the compare-and-set token; 0 means never stored."""

    shard: str
    version: int = 0
    judged: int = 0
    """The newest minute judged; 0 before the first."""
    servers: Mapping[str, ServerState] = field(default_factory=dict)


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
    failure: Failure = Failure()
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
