"""What one probe of one server found: a value, never an exception.

The closed vocabularies (status, layer, reason, era) of the whole project live here. `compact()` and
`from_compact()` are the wire form inside a round: short keys, absent where there is nothing to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:  # its hashing is not for those who only read results
    from lookout.surface.model import Surface

MESSAGE_LIMIT: Final = 300
"""Characters of a server's own words kept in a result (evidence is capped near 1 KB)."""


class Status(StrEnum):
    """DESIGN: what a status means."""

    UP = "up"
    DEGRADED = "degraded"
    AUTH_REQUIRED = "auth_required"
    CREDENTIAL_REJECTED = "credential_rejected"
    DOWN = "down"
    UNKNOWN = "unknown"
    MAINTENANCE = "maintenance"
    PAUSED = "paused"
    PENDING = "pending"

    @property
    def ok(self) -> bool:
        """Counts as ok in uptime."""
        return self in _OK

    @property
    def failing(self) -> bool:
        """Counts as fail in uptime."""
        return self in _FAILING


_OK: Final = (Status.UP, Status.DEGRADED, Status.AUTH_REQUIRED)
_FAILING: Final = (Status.DOWN, Status.CREDENTIAL_REJECTED)


class Layer(StrEnum):
    """The layer a failure belongs to."""

    DNS = "dns"
    TCP = "tcp"
    TLS = "tls"
    HTTP = "http"
    JSONRPC = "jsonrpc"
    MCP = "mcp"
    SURFACE = "surface"


class Era(StrEnum):
    """The protocol era a server speaks."""

    MODERN = "modern"
    LEGACY = "legacy"
    SSE = "sse"


class Reason(StrEnum):
    """Why a probe did not simply succeed. Closed: docs/reference/reasons.md explains each."""

    NAME_NOT_FOUND = "name_not_found"
    DNS_FAILED = "dns_failed"
    ADDRESS_REFUSED = "address_refused"
    CONNECT_REFUSED = "connect_refused"
    CONNECT_TIMEOUT = "connect_timeout"
    CONNECT_FAILED = "connect_failed"
    CONNECTION_LOST = "connection_lost"
    TLS_FAILED = "tls_failed"
    TLS_VERSION = "tls_version"
    CERT_EXPIRED = "cert_expired"
    CERT_NOT_YET_VALID = "cert_not_yet_valid"
    CERT_WRONG_NAME = "cert_wrong_name"
    CERT_UNTRUSTED = "cert_untrusted"
    FIRST_BYTE_TIMEOUT = "first_byte_timeout"
    DEADLINE = "deadline"
    HTTP_4XX = "http_4xx"
    HTTP_5XX = "http_5xx"
    HTTP_PROTOCOL = "http_protocol"
    REDIRECT_NOT_FOLLOWED = "redirect_not_followed"
    REDIRECT_NOT_PRESERVING = "redirect_not_preserving"
    RATE_LIMITED = "rate_limited"
    BOT_WALL = "bot_wall"
    CONTENT_TYPE = "content_type"
    TOO_LARGE = "too_large"
    BAD_ENCODING = "bad_encoding"
    BAD_JSON = "bad_json"
    BAD_JSONRPC = "bad_jsonrpc"
    WRONG_ID = "wrong_id"
    NO_RESPONSE = "no_response"
    RPC_ERROR = "rpc_error"
    INITIALIZE_ERROR = "initialize_error"
    INCOMPATIBLE_VERSION = "incompatible_version"
    SESSION_LOST = "session_lost"
    LIST_FAILED = "list_failed"
    PAGINATION = "pagination"
    BAD_RESULT = "bad_result"
    NOT_MCP = "not_mcp"
    WRONG_TRANSPORT = "wrong_transport"
    MISCONFIGURED = "misconfigured"
    AUTH_REQUIRED = "auth_required"
    CREDENTIAL_REJECTED = "credential_rejected"
    CREDENTIAL_UNAVAILABLE = "credential_unavailable"
    TOOL_MISSING = "tool_missing"
    TOO_FEW_TOOLS = "too_few_tools"
    WRONG_SERVER = "wrong_server"
    VERSION_TOO_OLD = "version_too_old"
    TOOL_CALL_FAILED = "tool_call_failed"
    TOOL_RESULT_UNEXPECTED = "tool_result_unexpected"
    NONCONFORMANT = "nonconformant"
    SLOW = "slow"
    REGIONAL = "regional"
    PROBER_ERROR = "prober_error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One conformance observation. `severity` is error, warning or info."""

    rule: str
    severity: str
    message: str

    @property
    def code(self) -> str:
        """Severity and rule in one word, as rounds and states keep them: `eRPC-ID-RESULT`."""
        return self.severity[:1] + self.rule

    @classmethod
    def from_code(cls, code: str) -> Finding:
        """Inverse of `code`; the message is not kept."""
        severity = _SEVERITIES.get(code[:1])
        return cls(code[1:] if severity else code, severity or "", "")


_SEVERITIES: Final = {"e": "error", "w": "warning", "i": "info"}


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """The certificate as seen, also where it was refused. Times are unix seconds; `fingerprint` is SHA-256 hex of the
    leaf's DER, `chain` the subjects the server sent, leaf first, `chain_not_after` the first of them to end.
    """

    version: str = ""
    cipher: str = ""
    subject: str = ""
    issuer: str = ""
    not_before: int | None = None
    not_after: int | None = None
    names: tuple[str, ...] = ()
    fingerprint: str = ""
    chain: tuple[str, ...] = ()
    chain_not_after: int | None = None

    @property
    def first_not_after(self) -> int | None:
        """When the first certificate of the chain ends: what breaks first."""
        return self.chain_not_after if self.chain_not_after is not None else self.not_after


@dataclass(frozen=True, slots=True)
class Network:
    """What was seen between the name and the message. Not kept in rounds: for a person who probes by hand."""

    addresses: tuple[str, ...] = ()
    """All the name resolved to, at most eight."""
    http_version: str = ""
    first_byte_ms: float | None = None
    """Of the last response: from the request sent to its first byte."""
    received: int = 0
    """Bytes of all bodies."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One probe. `at_ms` is unix milliseconds when the probe began; timings are milliseconds by phase.

    Phases: dns, tcp, tls, connect (HTTP+SSE), discover | initialize, initialized, tools_list, resources,
    resource_templates, prompts, tool_call, total.
    """

    slug: str
    status: Status
    at_ms: int
    layer: Layer | None = None
    reason: Reason | None = None
    message: str = ""
    http_status: int | None = None
    era: Era | None = None
    protocol_version: str | None = None
    transport: str | None = None
    server_name: str | None = None
    server_version: str | None = None
    tools_count: int | None = None
    tools_hash: str | None = None
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    tls: TlsFacts | None = None
    address: str | None = None
    findings: tuple[Finding, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    """Items of the lists asked for besides tools: resources, resource_templates, prompts."""
    credential_expires: int | None = None
    """Unix seconds at which the credential that was used is known to expire."""
    retry_after_s: int | None = None
    """What a 429 or 503 asked for."""
    network: Network | None = None
    surface_address: str | None = None
    """The name the surface that was seen is stored under (`Surface.address`); None where none was seen or stored."""
    asked_as: str | None = None
    """What it was asked with: changes with the address and the credential's references, tells neither."""
    surface: Surface | None = field(default=None, compare=False, repr=False)
    """What was listed, whole. Not kept in rounds."""

    @property
    def latency_ms(self) -> int:
        """Total duration, whole milliseconds."""
        return round(self.timings_ms.get("total", 0.0))

    def compact(self) -> dict[str, Any]:
        """The result as a small JSON object for a round; absent keys mean None or empty."""
        out: dict[str, Any] = {}
        for key, name in _COMPACT.items():
            value = getattr(self, name)
            if value not in (None, ""):
                out[key] = value
        if self.timings_ms:
            out["T"] = {k: round(v, 1) for k, v in self.timings_ms.items()}
        if self.tls is not None and self.tls.first_not_after is not None:
            out["x"] = self.tls.first_not_after
        if self.counts:
            out["q"] = dict(self.counts)
        if self.findings:
            out["f"] = sorted({f.code for f in self.findings if f.severity != "info"})
        return out

    @classmethod
    def from_compact(cls, data: Mapping[str, Any]) -> ProbeResult:
        """Inverse of `compact` for what it keeps (findings above info, without their words; TLS its expiry)."""
        values = {name: data[key] for key, name in _COMPACT.items() if key in data}
        values["status"] = Status(values["status"])
        for name, kind in (("layer", Layer), ("reason", Reason), ("era", Era)):
            if name in values:
                values[name] = kind(values[name])
        return cls(
            **values,
            timings_ms=data.get("T", {}),
            tls=TlsFacts(not_after=data["x"]) if "x" in data else None,
            counts=data.get("q", {}),
            findings=tuple(Finding.from_code(code) for code in data.get("f", ())),
        )


_COMPACT: Final = {
    "n": "slug",
    "s": "status",
    "t": "at_ms",
    "l": "layer",
    "r": "reason",
    "m": "message",
    "h": "http_status",
    "e": "era",
    "p": "protocol_version",
    "o": "transport",
    "sn": "server_name",
    "sv": "server_version",
    "c": "tools_count",
    "k": "tools_hash",
    "a": "address",
    "ce": "credential_expires",
    "ra": "retry_after_s",
    "u": "surface_address",
    "i": "asked_as",
}
