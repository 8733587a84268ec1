"""What one exchange learns, and the requests it is composed of. Sans-I/O.

modern   2026-07-28: every request stands alone, with `_meta` and headers (Streamable HTTP, Sending Messages)
legacy   2025-03-26 to 2025-11-25: a session, its id and version in headers after `initialize`
sse      2024-11-05 HTTP+SSE: requests are POSTed to the endpoint the stream named, answers come on the stream
"""

from __future__ import annotations

import base64
import json
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from lookout import __version__
from lookout.probe.failure import Failure
from lookout.probe.messages import Reply, Request
from lookout.probe.result import Era, Finding, Layer, Reason
from lookout.probe.rules.past import Past
from lookout.probe.versions import HANDSHAKE, MODERN

META: Final = "io.modelcontextprotocol/"
CLIENT: Final = {"name": "lookout", "version": __version__}
FINDINGS_LIMIT: Final = 50
SESSIONS_LIMIT: Final = 4
CANCEL_PHASE: Final = "cancel"
CANCEL_PATIENCE_S: Final = 0.8
"""So that time is left to delete the session."""

Steps = Generator[Request, Reply, None]
Ask = Generator[Request, Reply, Reply]
_HEADERS: Final = {"content-type": "application/json", "accept": "application/json, text/event-stream"}


@dataclass(slots=True)
class Session:
    """What the exchange learnt so far; readable at any moment, also after a failure."""

    era: Era | None = None
    protocol_version: str | None = None
    server_name: str | None = None
    server_version: str | None = None
    capabilities: dict[str, Any] = field(default_factory=dict)
    session_id: str | None = None
    endpoint: str | None = None
    """Where messages are POSTed while a stream of HTTP+SSE is open: an absolute URL."""
    tools: list[dict[str, Any]] | None = None
    resources: list[dict[str, Any]] | None = None
    resource_templates: list[dict[str, Any]] | None = None
    prompts: list[dict[str, Any]] | None = None
    pages: tuple[bytes, ...] = ()
    """Digests of the pages `tools` came on."""
    findings: list[Finding] = field(default_factory=list)
    http_status: int | None = None
    renewed: bool = False
    """The server forgot the session once, and a second one was begun."""
    requests: int = 0
    ended: set[str] = field(default_factory=set)
    """Sessions that were ended within the exchange."""
    past: Past = field(default_factory=Past)
    """What earlier probes showed; this one adds to it."""
    first_patience_s: float | None = None
    """How long a server of unknown era may take over `server/discover`, so that time is left for `initialize`."""

    def next_id(self) -> int:
        """Unique in this probe."""
        self.requests += 1
        return self.requests

    def find(self, findings: Sequence[Finding]) -> None:
        """Keep what is not kept yet: one finding per rule and message, at most fifty."""
        for finding in findings:
            if finding not in self.findings and len(self.findings) < FINDINGS_LIMIT:
                self.findings.append(finding)

    @property
    def transport(self) -> str | None:
        """`streamable-http` or `http+sse`, once the era is known."""
        if self.era is None:
            return None
        return "http+sse" if self.era is Era.SSE else "streamable-http"


def encode_header(value: str) -> str:
    """A header value: as it is where it is plain ASCII, else the Base64 sentinel (2026-07-28, Value Encoding)."""
    plain = value.isascii() and value.isprintable() and value == value.strip() and not value.startswith("=?base64?")
    if plain:
        return value
    return f"=?base64?{base64.b64encode(value.encode('utf-8', 'surrogatepass')).decode()}?="


def modern(
    s: Session, phase: str, rpc: str, params: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> Request:
    """A request of 2026-07-28."""
    version = s.protocol_version if s.protocol_version in MODERN else MODERN[-1]
    meta = {META + "protocolVersion": version, META + "clientCapabilities": {}, META + "clientInfo": CLIENT}
    own = {"mcp-protocol-version": version, "mcp-method": rpc, **(headers or {})}
    return _post(phase, rpc, s.next_id(), {**params, "_meta": meta}, own)


def initialize(s: Session) -> Request:
    """`initialize`, which carries no version header and no session."""
    params = {"protocolVersion": HANDSHAKE[-1], "capabilities": {}, "clientInfo": CLIENT}
    return _post("initialize", "initialize", s.next_id(), params, {}, endpoint=s.endpoint)


def initialized(s: Session) -> Request:
    """The notification that ends the handshake."""
    rpc = "notifications/initialized"
    return _post("initialized", rpc, None, None, session_headers(s), endpoint=s.endpoint)


def ask_for(
    s: Session, phase: str, rpc: str, params: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> Request:
    """A request of the era that was found. `headers` are those only the modern era knows."""
    if s.era is Era.MODERN:
        return modern(s, phase, rpc, params, headers)
    return _post(phase, rpc, s.next_id(), dict(params), session_headers(s), endpoint=s.endpoint)


def open_stream(patience_s: float) -> Request:
    """GET the event stream of HTTP+SSE and wait for its first event."""
    return Request("connect", "GET", {"accept": "text/event-stream"}, opens_stream=True, patience_s=patience_s)


def goodbye(s: Session, given: Iterable[str], late: Request | None = None) -> list[Request]:
    """DELETE of every session any reply named (2025-03-26 to 2025-11-25, Session Management), the one in use first.

    Before it, `late`, the request that was given up, is cancelled (Lifecycle, Timeouts): a session that was deleted
    while its server still worked at an answer took the whole server with it (mcp 1.9.4).
    """
    version = s.protocol_version if s.protocol_version in HANDSHAKE else HANDSHAKE[-1]
    every = dict.fromkeys((s.session_id, *sorted(given)))
    valid = [id_ for id_ in every if id_ and id_ not in s.ended and _sendable(id_)]
    deletions = [
        Request("delete", "DELETE", {"mcp-protocol-version": version, "mcp-session-id": id_})
        for id_ in valid[:SESSIONS_LIMIT]
    ]
    open_ = s.endpoint is not None or s.session_id in valid
    if late is None or late.id is None or late.rpc in ("initialize", "server/discover") or not open_:
        return deletions
    rpc, params = "notifications/cancelled", {"requestId": late.id, "reason": "timeout"}
    cancellation = _post(CANCEL_PHASE, rpc, None, params, session_headers(s), endpoint=s.endpoint)
    return [replace(cancellation, patience_s=CANCEL_PATIENCE_S), *deletions]


def session_headers(s: Session) -> dict[str, str]:
    """Version and session of a legacy session. HTTP+SSE has neither: its session is the stream."""
    if s.endpoint is not None:
        return {}
    out = {"mcp-protocol-version": s.protocol_version or HANDSHAKE[-1]}
    return {**out, "mcp-session-id": s.session_id} if s.session_id else out


def session_id(reply: Reply) -> str | None:
    """The session id a reply gives. Raises Failure for one that cannot be sent back."""
    given = reply.headers.get("mcp-session-id")
    if given is None:
        return None
    if not _sendable(given):
        message = "the session id has characters outside 0x21-0x7E, or is too long"
        raise Failure(Layer.MCP, Reason.BAD_RESULT, message, reply)
    return given


def _sendable(id_: str) -> bool:
    return 0 < len(id_) <= 1024 and all(0x21 <= ord(c) <= 0x7E for c in id_)


def _post(
    phase: str,
    rpc: str,
    id_: int | None,
    params: Mapping[str, Any] | None,
    headers: Mapping[str, str],
    endpoint: str | None = None,
) -> Request:
    message: dict[str, Any] = {"jsonrpc": "2.0", "method": rpc}
    if id_ is not None:
        message["id"] = id_
    if params is not None:
        message["params"] = params
    body = json.dumps(message, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return Request(
        phase, "POST", {**_HEADERS, **headers}, body, id_, rpc, target=endpoint, on_stream=endpoint is not None
    )
