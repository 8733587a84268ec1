"""What the judge remembers. JSON-shaped, immutable, without behaviour.

Times are unix seconds. `minute` is the scheduled minute (a multiple of 60).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, Self

from lookout.probe.result import Status
from lookout.surface.confirm import NOTHING, Memory

if TYPE_CHECKING:
    from lookout.verdict.case import Incident


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
