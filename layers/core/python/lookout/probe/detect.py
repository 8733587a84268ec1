"""Which era a server speaks, and the beginning of the exchange in it. Sans-I/O.

A denylist (2026-07-28, Versioning, Backward Compatibility): anything but a usable DiscoverResult, or -32022 that names
no version of the handshake, falls back to `initialize`; 400, 404 and 405 to that fall back to the event stream of
2024-11-05. Every attempt answers None, or the Failure that says why it came to nothing; a Failure is raised where the
exchange ends.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import replace
from typing import Any, Final
from urllib.parse import SplitResult, urljoin, urlsplit

from lookout.probe import session as say
from lookout.probe.envelope import Answer
from lookout.probe.failure import BELOW_HTTP, Failure, of_reply, of_status
from lookout.probe.hearing import hear
from lookout.probe.messages import Reply, Request
from lookout.probe.quoting import quote
from lookout.probe.result import Era, Layer, Reason
from lookout.probe.rules.lifecycle import (
    check_capabilities,
    check_discover,
    check_endpoint_event,
    check_fallback,
    check_initialize,
)
from lookout.probe.session import META, Session, Steps
from lookout.probe.versions import HANDSHAKE, KNOWN, MODERN

VERSION_UNSUPPORTED: Final = -32022
STREAM_PATIENCE_S: Final = 5.0
_VERSION: Final = re.compile(r"[!-~]{1,40}")
"""What can be sent back in a header."""
_ADDRESS: Final = re.compile(r"[!-~]{1,2000}")
Attempt = Generator[Request, Reply, Failure | None]
_FALLS_BACK_TO_SSE: Final = (400, 404, 405)
_NOT_THE_ERA: Final = frozenset({Reason.RATE_LIMITED, Reason.BOT_WALL, Reason.AUTH_REQUIRED, Reason.HTTP_5XX})
"""What says nothing about the era: a remembered one is kept."""


def connect(s: Session, known: Era | None, forced: bool = False) -> Steps:
    """Begin the exchange: in the remembered era, else in the one found. `forced`: in `known` or not at all."""
    if known is None:
        yield from detect(s)
        return
    begin = {Era.MODERN: discover, Era.LEGACY: handshake, Era.SSE: stream}[known]
    failure = yield from begin(s)
    if failure is None:
        return
    # A GET may open a stream of Streamable HTTP, on which nothing comes: no reply, and yet not HTTP+SSE.
    silent = known is Era.SSE and failure.reason is Reason.FIRST_BYTE_TIMEOUT
    unanswered = failure.reply is None and not silent
    if forced or failure.layer in BELOW_HTTP or failure.reason in _NOT_THE_ERA or unanswered:
        raise failure
    s.session_id = s.endpoint = None
    try:
        yield from detect(s)
    except Failure as later:
        if later.reason is Reason.DEADLINE:  # no time was left to find another era
            raise failure from None
        raise


def detect(s: Session) -> Steps:
    """Find the era (first contact, daily, and when a remembered one no longer works). Raises Failure."""
    modern = yield from discover(s, first_contact=True)
    if modern is None:
        return
    if modern.layer in BELOW_HTTP or modern.reason in (Reason.RATE_LIMITED, Reason.BOT_WALL, *_REDIRECTS):
        raise modern
    if modern.http_status == 503 or modern.reason is Reason.INCOMPATIBLE_VERSION:
        raise modern
    legacy = yield from handshake(s)
    if legacy is None:
        return
    if modern.reply is not None and legacy.reply is not None:
        s.find(check_fallback(modern.reply, legacy.reply))
    if legacy.code == VERSION_UNSUPPORTED:
        again = yield from discover(s)
        if again is None:
            return
        raise again
    if legacy.http_status in _FALLS_BACK_TO_SSE:
        old = yield from stream(s)
        if old is None:
            return
        began = s.endpoint is not None or (old.reply is not None and old.reply.event is not None)
        if began or old.reason is Reason.AUTH_REQUIRED or (legacy.http_status != 400 and _streamed(old.reply)):
            raise old
    if modern.reason is Reason.AUTH_REQUIRED and legacy.reason is not Reason.AUTH_REQUIRED:
        raise modern
    raise _not_mcp(modern, legacy)


def _streamed(reply: Reply | None) -> bool:
    """Was it an event stream? Then HTTP+SSE came to nothing, unless the POST had something of its own to say (400)."""
    return reply is not None and reply.media_type == "text/event-stream" and 200 <= reply.status < 300


_REDIRECTS: Final = (Reason.REDIRECT_NOT_FOLLOWED, Reason.REDIRECT_NOT_PRESERVING)


def _not_mcp(modern: Failure, legacy: Failure) -> Failure:
    """JSON that has nothing of JSON-RPC, to both beginnings: another kind of service lives there."""
    values = [failure.reply.message for failure in (modern, legacy) if failure.reply is not None]
    foreign = [isinstance(v, dict) and not {"jsonrpc", "result", "error", "id"} & set(v) for v in values]
    if len(foreign) == 2 and all(foreign) and legacy.reason is Reason.BAD_JSONRPC:
        message = "JSON that is no JSON-RPC was answered: this address is not an MCP endpoint"
        return Failure(Layer.HTTP, Reason.NOT_MCP, message, legacy.reply)
    return legacy


def discover(s: Session, first_contact: bool = False, again: bool = False) -> Attempt:
    """`server/discover` (2026-07-28, Discovery)."""
    try:
        request = say.modern(s, "discover", "server/discover", {})
        reply = yield replace(request, patience_s=s.first_patience_s) if first_contact else request
    except Failure as failure:
        return failure
    hear(s, request, reply, None if first_contact else Era.MODERN, None if first_contact else MODERN[-1])
    answer = reply.answer
    if isinstance(answer, Answer) and answer.result is not None and 200 <= reply.status < 300:
        versions = answer.result.get("supportedVersions")
        if isinstance(versions, list) and any(v in MODERN for v in versions):
            _learn_modern(s, answer.result)
            return None
        listed = "supportedVersions lists no version without a handshake"
        return Failure(Layer.MCP, Reason.BAD_RESULT, f"server/discover: {listed}", reply)
    if isinstance(answer, Answer) and answer.error_code == VERSION_UNSUPPORTED:
        offered = _supported(answer)
        if any(v in MODERN for v in offered) and not again:
            return (yield from discover(s, again=True))
        if offered and not any(v in KNOWN for v in offered):
            message = f"the server speaks only {quote(', '.join(offered), 100)}, which this version of Lookout does not"
            return Failure(Layer.MCP, Reason.INCOMPATIBLE_VERSION, message, reply)
    return of_reply(reply, Reason.RPC_ERROR, "server/discover")


def _supported(answer: Answer) -> list[str]:
    data = answer.error_data
    versions = data.get("supported") if isinstance(data, dict) else None
    return [v for v in versions if isinstance(v, str)] if isinstance(versions, list) else []


def _learn_modern(s: Session, result: dict[str, Any]) -> None:
    s.era, s.protocol_version = Era.MODERN, MODERN[-1]
    meta = result.get("_meta")
    _learn(s, meta.get(META + "serverInfo") if isinstance(meta, dict) else None, result.get("capabilities"))
    s.find(check_discover(result))


def _learn(s: Session, info: Any, capabilities: Any) -> None:
    if isinstance(info, dict):
        s.server_name, s.server_version = _text(info.get("name")), _text(info.get("version"))
    if isinstance(capabilities, dict):
        s.capabilities = capabilities
    s.find(check_capabilities(capabilities, s.protocol_version))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def handshake(s: Session) -> Attempt:
    """`initialize` and `notifications/initialized` (2024-11-05 to 2025-11-25, Lifecycle)."""
    try:
        request = say.initialize(s)
        reply = yield request
        era = Era.SSE if s.endpoint is not None else Era.LEGACY
        hear(s, request, reply, era, None)
        answer = reply.answer
        if not (isinstance(answer, Answer) and answer.result is not None and 200 <= reply.status < 300):
            return of_reply(reply, Reason.INITIALIZE_ERROR, "initialize")
        s.session_id = say.session_id(reply)
        version = answer.result.get("protocolVersion")
        if not isinstance(version, str) or not _VERSION.fullmatch(version):
            message = "the answer to initialize lacks a usable protocolVersion"
            return Failure(Layer.MCP, Reason.BAD_RESULT, message, reply)
        s.era, s.protocol_version = era, version
        _learn(s, answer.result.get("serverInfo"), answer.result.get("capabilities"))
        s.find(check_initialize(HANDSHAKE[-1], answer.result, s.past.versions))
        s.past.versions.add(version)
        request = say.initialized(s)
        reply = yield request
        hear(s, request, reply, era, version)
    except Failure as failure:
        return failure
    if reply.status >= 400:
        if reply.status == 404 and s.session_id:
            message = "the server no longer knew its session when the handshake ended"
            return Failure(Layer.MCP, Reason.SESSION_LOST, message, reply)
        return of_reply(reply, Reason.INITIALIZE_ERROR, "notifications/initialized")
    return None


def stream(s: Session) -> Attempt:
    """The event stream of HTTP+SSE (2024-11-05, Transports): its first event names where messages go."""
    try:
        reply = yield say.open_stream(STREAM_PATIENCE_S)
    except Failure as failure:
        return failure
    s.http_status = reply.status
    if reply.event is None:
        return of_status(reply) if reply.status >= 300 else of_reply(reply, Reason.RPC_ERROR, "GET")
    if reply.event.type != "endpoint":
        kind = quote(reply.event.type, 40)
        s.find(check_endpoint_event(f"the first event is {kind}, not endpoint"))
        message = f"the event stream begins with {kind}, not with the endpoint event of HTTP+SSE"
        return Failure(Layer.MCP, Reason.WRONG_TRANSPORT, message, reply)
    endpoint = _endpoint(reply.url, reply.event.data)
    if endpoint is None:
        s.find(check_endpoint_event("the endpoint event does not name an address on the same origin"))
        where = quote(reply.event.data.decode("utf-8", "replace"), 100)
        message = f"the endpoint event names {where}, which is not an address on the same origin"
        return Failure(Layer.MCP, Reason.BAD_RESULT, message, reply)
    s.endpoint = endpoint
    return (yield from handshake(s))


def _endpoint(base: str, data: bytes) -> str | None:
    """The absolute URL the endpoint event names, on the stream's own origin; None where it names another."""
    try:
        url = urljoin(base, data.decode("utf-8"))
        here, there = urlsplit(base), urlsplit(url)
        same = _origin(here) == _origin(there)
    except ValueError:
        return None
    good = same and here.hostname is not None and _ADDRESS.fullmatch(url)
    return url if good and there.username is None else None


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
