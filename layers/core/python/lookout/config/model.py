"""The definitions everything else works from: `Server`, `Sink` and `Site`. Standard library only: runs in Lambda.

`to_item`/`from_item` are the JSON objects stored in the servers table and handed from dispatch to probe.
A field absent from an item takes its default, so an older item is always readable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from typing import Any, Self

from lookout.config.digest import Digest
from lookout.config.quiet import Quiet
from lookout.config.route import Escalation, Route
from lookout.config.window import Window

SHARD_SIZE = 40
"""Servers per shard: everything one judgement changes must fit one DynamoDB transaction of 100 items."""


_NEVER_EMPTY = ("tls_warn_s",)
"""What says something when it is empty: its default is not."""


@cache
def _names(cls: Any) -> frozenset[str]:
    """A judge reads every definition every minute."""
    return frozenset(f.name for f in fields(cls))


def _only_known(cls: Any, item: Mapping[str, Any]) -> dict[str, Any]:
    names = _names(cls)
    return {k: tuple(v) if isinstance(v, list) else v for k, v in item.items() if k in names}


@dataclass(frozen=True, slots=True)
class Server:
    """One watched server. Times are whole seconds (`_s`) or milliseconds (`_ms`); secrets are references only."""

    slug: str
    url: str
    name: str = ""
    visibility: str = "public"
    tags: tuple[str, ...] = ()
    shard: str = ""
    interval_s: int = 60
    down_after: int = 3
    up_after: int = 2
    quorum: int | None = None
    slow_after_ms: int = 5000
    slow_ratio_percent: int = 300
    """Of its own 95th percentile of the last 7 days; 0: never slow against itself."""
    flap_after: int = 4
    """More turns between ok and failing in an hour are flapping; 0: never."""
    confirm_every_s: int | None = None
    tls_warn_s: tuple[int, ...] = (30 * 86400, 14 * 86400, 7 * 86400)
    """Longest first."""
    credential_warn_s: int = 72 * 3600
    limited_after_s: int = 900
    timeout_s: int = 20
    slo: str = "99.9%"
    burn_alerts: bool = False
    """People are told when its error budget burns too fast."""
    auth: Mapping[str, Any] = field(default_factory=dict)
    """As in the file: any of bearer, headers, oauth, client_certificate and expires (docs/configuration.md)."""
    expect_tools: tuple[str, ...] = ()
    expect_min_tools: int | None = None
    expect_server_name: str | None = None
    expect_protocol_version: str | None = None
    """At least this one of the known versions."""
    era: str | None = None
    """Speak this era and no other, and look for none; None: found, remembered, verified daily."""
    strict: bool = False
    lists: tuple[str, ...] = ()
    """What is listed beside tools: of resources, resource_templates, prompts."""
    active_checks: bool = False
    tool_call: Mapping[str, Any] | None = None
    """`{"tool": name, "arguments": {...}, "result": {"schema": draft-07} | {"jmespath": expression}}`; the last two may
    be absent."""
    notify: tuple[str, ...] = ()
    routed: bool = False
    """The site's routes are asked first; `notify` gets what none of them takes."""
    remind_every_s: int = 0
    """While an incident lasts and nobody has acknowledged it; 0: never."""
    escalate: Escalation | None = None
    allow_private: bool = False
    paused: bool = False
    provider: str = ""
    """Its registrable domain, worked out where the configuration is read; empty: not known."""

    @property
    def title(self) -> str:
        """What people call it."""
        return self.name or self.slug

    @property
    def public(self) -> bool:
        """May appear in public bytes."""
        return self.visibility == "public"

    def due(self, minute: int) -> bool:
        """Is a probe due in the minute that begins at unix second `minute`? Spread by slug, stable."""
        if self.paused:
            return False
        every = max(1, self.interval_s // 60)
        return (minute // 60 + sum(self.slug.encode())) % every == 0

    def to_item(self) -> dict[str, Any]:
        """JSON object without what is empty by default."""
        values = {k: v for k, v in asdict(self).items() if v not in (None, (), {}) or k in _NEVER_EMPTY}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        """Inverse of `to_item`; unknown keys are ignored."""
        values = _only_known(cls, item)
        if "escalate" in values:
            values["escalate"] = Escalation.from_item(values["escalate"])
        return cls(**values)


@dataclass(frozen=True, slots=True)
class _Item:
    """A definition whose item is its fields."""

    def to_item(self) -> dict[str, Any]:
        """JSON object."""
        return asdict(self)

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        """Inverse of `to_item`."""
        return cls(**_only_known(cls, item))


@dataclass(frozen=True, slots=True)
class Sink(_Item):
    """Somewhere notices go. Any value of `url`, `signing` and `options` may be a `secret:NAME` reference.

    `kind` is the key it has in lookout.yaml, and `url` what stands there: an address, a key, a token, an ARN. `signing`
    may hold several references, separated by spaces. `options` are the kind's other keys, as in the file.
    """

    name: str
    kind: str
    url: str
    signing: str | None = None
    allow_private: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    quiet: tuple[Quiet, ...] = ()
    """Hours in which it is not told what can wait."""
    digests: tuple[Digest, ...] = ()
    """When it is told what there was."""

    def to_item(self) -> dict[str, Any]:
        """JSON object without what is empty."""
        lists = {name: [one.to_item() for one in getattr(self, name)] for name in ("quiet", "digests")}
        return {k: v for k, v in {**asdict(self), **lists}.items() if v or k not in lists}

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        """Inverse of `to_item`; unknown keys are ignored."""
        values = _only_known(cls, item)
        values["quiet"] = tuple(Quiet.from_item(one) for one in values.get("quiet", ()))
        values["digests"] = tuple(Digest.from_item(one) for one in values.get("digests", ()))
        return cls(**values)

    @property
    def referring(self) -> tuple[Any, ...]:
        """Every value that may be a reference."""
        return self.url, (self.signing or "").split(), self.options


@dataclass(frozen=True, slots=True)
class Heartbeat(_Item):
    """The address of a dead-man service, called each minute in which all is well; `url` may be a reference."""

    url: str
    allow_private: bool = False


@dataclass(frozen=True, slots=True)
class Site:
    """Everything that is not about one server. `regions` are the probing regions, in the file's order."""

    name: str
    home: str
    regions: tuple[str, ...]
    sinks: tuple[Sink, ...] = ()
    per_host: int = 4
    spread_s: int = 8
    """Probes of one round are spread over this many seconds (stable jitter)."""
    stale_after_s: int = 600
    """A region that reported nothing for so long is told to be silent."""
    timezone: str = "UTC"
    """The IANA name of the zone in which the status page counts days."""
    heartbeat: Heartbeat | None = None
    alarm_email: str | None = None
    """Who is subscribed to the alarms of every region."""
    mass_failure_percent: int = 50
    """Where so many of the servers fail at once, they are told in one digest."""
    maintenance: tuple[Window, ...] = ()
    """Of the file."""
    routes: tuple[Route, ...] = ()
    """Asked in this order."""

    @property
    def addresses(self) -> tuple[Any, ...]:
        """Everything of the site that may be, or hold, a reference: what its sinks are given, the heartbeat's."""
        of_sinks = tuple(value for sink in self.sinks for value in sink.referring)
        return (*of_sinks, self.heartbeat.url if self.heartbeat else None)

    def sink(self, name: str) -> Sink | None:
        """The sink of that name."""
        return next((s for s in self.sinks if s.name == name), None)

    def to_item(self) -> dict[str, Any]:
        """JSON object."""
        sinks, windows = ([one.to_item() for one in many] for many in (self.sinks, self.maintenance))
        routes = [one.to_item() for one in self.routes]
        lists = {"regions": list(self.regions), "sinks": sinks, "maintenance": windows, "routes": routes}
        return {**asdict(self), **lists}

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        """Inverse of `to_item`."""
        values = _only_known(cls, item)
        values["sinks"] = tuple(Sink.from_item(s) for s in item.get("sinks", ()))
        values["maintenance"] = tuple(Window.from_item(w) for w in item.get("maintenance", ()))
        values["routes"] = tuple(Route.from_item(r) for r in item.get("routes", ()))
        heartbeat = item.get("heartbeat")
        values["heartbeat"] = Heartbeat.from_item(heartbeat) if heartbeat is not None else None
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Config:
    """A whole lookout.yaml. Servers carry no shard yet: a shard is given when a server is first applied."""

    site: Site
    servers: tuple[Server, ...]

    def to_json(self) -> dict[str, Any]:
        """The form `cdk deploy` hands to the apply function."""
        return {"site": self.site.to_item(), "servers": [s.to_item() for s in self.servers]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `to_json`."""
        return cls(Site.from_item(data["site"]), tuple(Server.from_item(s) for s in data["servers"]))
