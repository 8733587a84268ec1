"""The Model Context Protocol exchange of one probe, sans-I/O: generators that yield requests and are sent replies.

    modern (2026-07-28)   server/discover -> tools/list, a page at a time
    legacy (to 2025-11-25) initialize -> notifications/initialized -> tools/list; the caller DELETEs the session

Era detection is a denylist (Versioning, Backward Compatibility): anything but a usable DiscoverResult, or -32022 naming
modern versions only, falls back to `initialize`. Versions are an enumerated set, never compared as dates.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lookout import __version__
from lookout.probe.envelope import Answer, Broken
from lookout.probe.messages import Reply, Request
from lookout.probe.network import Failure
from lookout.probe.result import Era, Finding, Layer, Reason

MODERN: Final = ("2026-07-28",)
HANDSHAKE: Final = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
VERSION_UNSUPPORTED: Final = -32022
PAGES_LIMIT: Final = 20
TOOLS_LIMIT: Final = 2000
_META: Final = "io.modelcontextprotocol/"
_CLIENT: Final = {"name": "lookout", "version": __version__}


@dataclass(slots=True)
class Session:
    """What the exchange learnt so far; readable at any moment, also after a failure."""

    era: Era | None = None
    protocol_version: str | None = None
    server_name: str | None = None
    server_version: str | None = None
    capabilities: dict[str, Any] = field(default_factory=dict)
    session_id: str | None = None
    tools: list[dict[str, Any]] | None = None
    findings: list[Finding] = field(default_factory=list)
    http_status: int | None = None
    _next_id: int = 0

    def next_id(self) -> int:
        """Unique in this probe."""
        self._next_id += 1
        return self._next_id


Steps = Generator[Request, Reply, None]


def _post(phase: str, message: dict[str, Any], headers: Mapping[str, str]) -> Request:
    base = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    body = json.dumps({"jsonrpc": "2.0", **message}, separators=(",", ":")).encode()
    return Request(phase, "POST", {**base, **headers}, body, message.get("id"))


def _modern(s: Session, phase: str, method: str, params: dict[str, Any], version: str) -> Request:
    meta = {_META + "protocolVersion": version, _META + "clientCapabilities": {}, _META + "clientInfo": _CLIENT}
    message = {"id": s.next_id(), "method": method, "params": {**params, "_meta": meta}}
    return _post(phase, message, {"mcp-protocol-version": version, "mcp-method": method})


def _legacy_headers(s: Session) -> dict[str, str]:
    out = {"mcp-protocol-version": s.protocol_version or HANDSHAKE[-1]}
    return {**out, "mcp-session-id": s.session_id} if s.session_id else out


def exchange(s: Session, known: Era | None) -> Steps:
    """The whole exchange. Raises Failure where it cannot go on. A remembered era that fails is detected anew, once."""
    if known is Era.LEGACY:
        try:
            yield from _handshake(s)
        except Failure as failure:
            if failure.layer not in (Layer.JSONRPC, Layer.MCP, Layer.HTTP) or failure.reason in _FINAL:
                raise
            s.session_id = None
            yield from _detect(s)
    else:
        yield from _detect(s)
    yield from _list_tools(s)


_FINAL: Final = frozenset(
    {Reason.RATE_LIMITED, Reason.BOT_WALL, Reason.AUTH_REQUIRED, Reason.CREDENTIAL_REJECTED, Reason.HTTP_5XX}
)


def _supported(answer: Answer | Broken | None) -> list[str]:
    data = answer.error_data if isinstance(answer, Answer) else None
    versions = data.get("supported") if isinstance(data, dict) else None
    return [v for v in versions if isinstance(v, str)] if isinstance(versions, list) else []


def _detect(s: Session, retried: bool = False) -> Steps:
    version = MODERN[-1]
    reply = yield _modern(s, "discover", "server/discover", {}, version)
    s.http_status = reply.status
    answer = reply.answer
    if isinstance(answer, Answer) and answer.result is not None and 200 <= reply.status < 300:
        versions = answer.result.get("supportedVersions")
        if isinstance(versions, list) and any(v in MODERN for v in versions):
            _learn_modern(s, answer.result, version)
            return
    if isinstance(answer, Answer) and answer.error_code == VERSION_UNSUPPORTED:
        offered = _supported(answer)
        if any(v in MODERN for v in offered) and not retried:
            yield from _detect(s, retried=True)
            return
        if offered and not any(v in (*MODERN, *HANDSHAKE) for v in offered):
            message = f"the server speaks only {', '.join(offered)[:100]}, which this version of Lookout does not"
            raise Failure(Layer.MCP, Reason.INCOMPATIBLE_VERSION, message)
    if reply.status == 429:
        raise _http_failure(reply)
    if reply.status == 503:
        raise _http_failure(reply)
    yield from _handshake(s, after_discover=not retried)


def _learn_modern(s: Session, result: dict[str, Any], version: str) -> None:
    s.era, s.protocol_version = Era.MODERN, version
    meta = result.get("_meta")
    info = meta.get(_META + "serverInfo") if isinstance(meta, dict) else None
    _learn(s, info, result.get("capabilities"))
    for name in ("resultType", "capabilities", "ttlMs", "cacheScope"):
        if name not in result:
            s.findings.append(Finding("M-DISCOVER-FIELDS", "error", f"server/discover lacks {name}"))


def _learn(s: Session, info: Any, capabilities: Any) -> None:
    if isinstance(info, dict):
        s.server_name = _text(info.get("name"))
        s.server_version = _text(info.get("version"))
    if isinstance(capabilities, dict):
        s.capabilities = capabilities


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _handshake(s: Session, after_discover: bool = False) -> Steps:
    params = {"protocolVersion": HANDSHAKE[-1], "capabilities": {}, "clientInfo": _CLIENT}
    message = {"id": s.next_id(), "method": "initialize", "params": params}
    reply = yield _post("initialize", message, {})
    s.http_status = reply.status
    answer = reply.answer
    if isinstance(answer, Answer) and answer.error_code == VERSION_UNSUPPORTED and not after_discover:
        yield from _detect(s, retried=True)
        return
    if not (isinstance(answer, Answer) and answer.result is not None and 200 <= reply.status < 300):
        raise _failure(reply, Reason.INITIALIZE_ERROR, "initialize")
    s.session_id = _session_id(reply)
    version = answer.result.get("protocolVersion")
    if not isinstance(version, str):
        raise Failure(Layer.MCP, Reason.BAD_RESULT, "the answer to initialize lacks protocolVersion")
    if version not in HANDSHAKE:
        s.findings.append(Finding("LIFE-VERSION-UNKNOWN", "warning", f"negotiated an unknown version {version[:40]}"))
    s.era, s.protocol_version = Era.LEGACY, version
    _learn(s, answer.result.get("serverInfo"), answer.result.get("capabilities"))
    if not isinstance(answer.result.get("serverInfo"), dict) or not isinstance(answer.result.get("capabilities"), dict):
        s.findings.append(Finding("LIFE-INIT-FIELDS", "error", "initialize lacks serverInfo or capabilities"))
    reply = yield _post("initialized", {"method": "notifications/initialized"}, _legacy_headers(s))
    if reply.status >= 400:
        raise _failure(reply, Reason.SESSION_LOST if reply.status == 404 else Reason.HTTP_4XX, "initialized")
    if reply.status != 202:
        s.findings.append(Finding("HTTP-NOTIF-202", "warning", f"a notification was answered {reply.status}, not 202"))


def _session_id(reply: Reply) -> str | None:
    given = reply.headers.get("mcp-session-id")
    if given is None:
        return None
    if not given or len(given) > 1024 or not all(0x21 <= ord(c) <= 0x7E for c in given):
        raise Failure(Layer.MCP, Reason.BAD_RESULT, "the session id has characters outside 0x21-0x7E, or is too long")
    return given


def _list_tools(s: Session) -> Steps:
    if "tools" not in s.capabilities:
        s.tools = []
        return
    found: list[dict[str, Any]] = []
    cursors: set[str] = set()
    params: dict[str, Any] = {}
    for _ in range(PAGES_LIMIT):
        if s.era is Era.MODERN:
            request = _modern(s, "tools_list", "tools/list", params, s.protocol_version or MODERN[-1])
        else:
            message = {"id": s.next_id(), "method": "tools/list", "params": params}
            request = _post("tools_list", message, _legacy_headers(s))
        reply = yield request
        s.http_status = reply.status
        answer = reply.answer
        if not (isinstance(answer, Answer) and answer.result is not None and 200 <= reply.status < 300):
            raise _failure(reply, Reason.LIST_FAILED, "tools/list")
        tools = answer.result.get("tools")
        if not isinstance(tools, list):
            raise Failure(Layer.MCP, Reason.BAD_RESULT, "tools/list answered without a list of tools")
        good = [tool for tool in tools if isinstance(tool, dict) and isinstance(tool.get("name"), str)]
        if len(good) < len(tools):
            bad = len(tools) - len(good)
            s.findings.append(Finding("TOOL-SCHEMA", "error", f"{bad} tools are no objects with a name"))
        found += good
        cursor = answer.result.get("nextCursor")
        if cursor is None:
            s.tools = found
            return
        if not isinstance(cursor, str) or cursor in cursors or len(found) > TOOLS_LIMIT:
            break
        cursors.add(cursor)
        params = {"cursor": cursor}
    s.tools = found[:TOOLS_LIMIT]
    s.findings.append(Finding("PAGE-LOOP", "error", "tools/list repeats a cursor, or has more pages than 20"))
    raise Failure(Layer.MCP, Reason.PAGINATION, f"tools/list never ends: {len(found)} tools on the pages read")


def _http_failure(reply: Reply) -> Failure:
    status, words = reply.status, f": {reply.excerpt}" if reply.excerpt and not reply.html else ""
    if status == 429:
        after = reply.headers.get("retry-after", "")
        return Failure(Layer.HTTP, Reason.RATE_LIMITED, "HTTP 429" + (f", Retry-After {after[:40]}" if after else ""))
    if status in (401, 403):
        if status == 403 and (reply.html or "cf-mitigated" in reply.headers):
            return Failure(Layer.HTTP, Reason.BOT_WALL, "HTTP 403 with a web page: a bot wall, not the server")
        return Failure(Layer.HTTP, Reason.AUTH_REQUIRED, f"HTTP {status}{words}")
    reason = Reason.HTTP_5XX if status >= 500 else Reason.HTTP_4XX
    return Failure(Layer.HTTP, reason, f"HTTP {status}{words}")


def _failure(reply: Reply, rpc_reason: Reason, what: str) -> Failure:
    """Why a request got no usable result, in the lowest layer that explains it."""
    answer, status = reply.answer, reply.status
    if status in (401, 403, 429) or status >= 500:
        return _http_failure(reply)
    if isinstance(answer, Answer) and answer.error_code is not None:
        return Failure(Layer.JSONRPC, rpc_reason, f"{what} failed: error {answer.error_code}: {answer.error_message}")
    if status >= 300:
        return _http_failure(reply)
    if isinstance(answer, Broken):
        layer = (
            Layer.HTTP if answer.reason in (Reason.CONTENT_TYPE, Reason.NOT_MCP, Reason.TOO_LARGE) else Layer.JSONRPC
        )
        return Failure(layer, answer.reason, answer.message)
    return Failure(Layer.JSONRPC, Reason.NO_RESPONSE, f"{what} was answered HTTP {status} without a message")
