"""What only a request no ordinary client sends can show: for an owner who asks (`active_checks: true`), never else.

Sans-I/O: a check is one request and a judgement of its reply. What harmed real servers is left out or held back:

    an unknown method ended the stream of an HTTP+SSE server (mcp 1.2.1), and a whole server that negotiates 2024-11-05
    over Streamable HTTP (mcp 1.8.1): nothing active is ever sent to that era, nor to that version
    a DELETE broke a whole server (mcp 1.8.1): none is added; SESS-404 uses the session the probe has ended anyway
    a request without its session id leaves a session behind (mcp up to 1.29): SESS-400-MISSING cannot be seen without
    a GET without a session id leaves one behind too: HTTP-GET-405 is sent in the probe's own session

Nothing here calls a tool, sends bytes that are no JSON, or asks for more than one short answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from lookout import __version__
from lookout.probe.messages import Reply, Request
from lookout.probe.result import Era, Finding
from lookout.probe.rules.registry import RULES, finding
from lookout.probe.rules.rule import Severity
from lookout.probe.versions import HANDSHAKE, KNOWN

PHASE: Final = "active_checks"
PATIENCE_S: Final = 5.0
STREAM_PATIENCE_S: Final = 2.0
"""A stream that opens sends nothing, as a rule: that it opened is not known before its first event."""
NO_VERSION: Final = "1999-01-01"
"""A version nobody ever published."""
NO_ORIGIN: Final = "https://origin.invalid"
NO_METHOD: Final = "lookout/unknown"
NO_CURSOR: Final = "lookout-cursor-never-given"
_META: Final = "io.modelcontextprotocol/"
_LISTS: Final = (("tools", "tools/list"), ("resources", "resources/list"), ("prompts", "prompts/list"))

Judge = Callable[[Reply], list[Finding]]


@dataclass(frozen=True, slots=True)
class ActiveCheck:
    """One request, and what its reply says. `after_delete`: to be sent when the session has been ended."""

    rule: str
    request: Request
    judge: Judge
    after_delete: bool = False


def active_checks(
    era: Era,
    version: str,
    *,
    session_id: str | None = None,
    capabilities: Mapping[str, Any] | None = None,
    first_id: int = 1000,
) -> Sequence[ActiveCheck]:
    """The checks for a server of this era and version, in the order they are to be sent.

    `session_id` is the probe's own session, `capabilities` what the server declared. Ids count up from `first_id`.
    """
    if era is Era.SSE or version not in KNOWN or version == HANDSHAKE[0]:
        return ()
    draft = _Drafts(era, version, session_id, count(first_id))
    checks = [*_common(draft, capabilities or {}), *(_modern(draft) if era is Era.MODERN else _legacy(draft))]
    return [check for check in checks if RULES[check.rule].applies(era, version)]


class _Drafts:
    """Makes requests as this era's clients would, each with one thing wrong."""

    def __init__(self, era: Era, version: str, session_id: str | None, ids: Iterator[int]) -> None:
        self.era, self.version, self.session_id = era, version, session_id
        self._ids = ids

    def post(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str | None] | None = None,
        *,
        version: str | None = None,
        meta: bool = True,
        batch: bool = False,
    ) -> Request:
        """A POST; a header of None is left out. `version` in header and body, `batch` the message twice in an array."""
        version = version or self.version
        base: dict[str, str | None] = {
            "content-type": "application/json",
            "accept": "application/json, text/event-stream",
            "mcp-protocol-version": version,
            **({"mcp-method": method} if self.era is Era.MODERN else {"mcp-session-id": self.session_id}),
            **(headers or {}),
        }
        body: dict[str, Any] = dict(params or {})
        if self.era is Era.MODERN and meta:
            client = {"name": "lookout", "version": __version__}
            body["_meta"] = {
                _META + "protocolVersion": version,
                _META + "clientCapabilities": {},
                _META + "clientInfo": client,
            }
        number = next(self._ids)
        message = {"jsonrpc": "2.0", "id": number, "method": method, "params": body}
        sent: Any = [message, {**message, "id": next(self._ids)}] if batch else message
        data = json.dumps(sent, separators=(",", ":")).encode()
        kept = {name: value for name, value in base.items() if value is not None}
        return Request(PHASE, "POST", kept, data, number, method, patience_s=PATIENCE_S)

    def get(self) -> Request:
        """The GET that asks for the server's own stream."""
        headers = {"accept": "text/event-stream", "mcp-protocol-version": self.version}
        if self.session_id is not None:
            headers["mcp-session-id"] = self.session_id
        return Request(PHASE, "GET", headers, patience_s=STREAM_PATIENCE_S)


def _common(draft: _Drafts, capabilities: Mapping[str, Any]) -> Iterator[ActiveCheck]:
    modern = draft.era is Era.MODERN
    yield ActiveCheck("RPC-METHOD-NOT-FOUND", draft.post(NO_METHOD), _unknown_method(modern))
    harmless = "server/discover" if modern else "ping"
    yield ActiveCheck("RPC-BATCH-ACCEPTED", draft.post(harmless, batch=True), _batch)
    yield ActiveCheck("SEC-ORIGIN", draft.post(harmless, headers={"origin": NO_ORIGIN}), _origin)
    if "tools" in capabilities:
        yield ActiveCheck("PAGE-BAD-CURSOR", draft.post("tools/list", {"cursor": NO_CURSOR}), _cursor)
    for name, method in _LISTS:
        if name not in capabilities:
            yield ActiveCheck("CAP-UNDECLARED-WORKS", draft.post(method), _undeclared(name, method))


def _legacy(draft: _Drafts) -> Iterator[ActiveCheck]:
    wrong = {"mcp-protocol-version": NO_VERSION}
    want = f"a request of version {NO_VERSION}"
    yield ActiveCheck(
        "HTTP-BAD-VERSION-400", draft.post("ping", headers=wrong), _status(400, "HTTP-BAD-VERSION-400", want)
    )
    if draft.session_id is not None:
        yield ActiveCheck("HTTP-GET-405", draft.get(), _get)
        without = draft.post("ping", headers={"mcp-session-id": None})
        yield ActiveCheck("SESS-400-MISSING", without, _status(400, "SESS-400-MISSING", "a request without session id"))
        late = _status(404, "SESS-404", "a request in a session that was ended")
        yield ActiveCheck("SESS-404", draft.post("ping"), late, after_delete=True)


def _modern(draft: _Drafts) -> Iterator[ActiveCheck]:
    wrong = draft.post("server/discover", meta=False)
    yield ActiveCheck("M-NEG-META", wrong, _refusal("M-NEG-META", -32602, "a request without _meta"))
    wrong = draft.post("server/discover", version=NO_VERSION)
    yield ActiveCheck("M-NEG-VERSION", wrong, _refusal("M-NEG-VERSION", -32022, f"a request of version {NO_VERSION}"))
    wrong = draft.post("server/discover", headers={"mcp-method": "tools/list"})
    want = "a request whose Mcp-Method is not its method"
    yield ActiveCheck("M-NEG-MISMATCH", wrong, _refusal("M-NEG-MISMATCH", -32020, want))


def _undecided(reply: Reply) -> bool:
    """Refused or failed for another reason: says nothing about the rule."""
    return reply.status in (401, 403, 429) or reply.status >= 500


def _code(reply: Reply) -> Any:
    error = reply.message.get("error") if isinstance(reply.message, dict) else None
    return error.get("code") if isinstance(error, dict) else None


def _answered(reply: Reply) -> bool:
    message = reply.message
    return 200 <= reply.status < 300 and isinstance(message, dict) and "result" in message and "error" not in message


def _said(reply: Reply) -> str:
    code = _code(reply)
    return f"{reply.status}" + ("" if code is None else f" with error {code}"[:40])


def _status(wanted: int, rule: str, what: str) -> Judge:
    def judge(reply: Reply) -> list[Finding]:
        if _undecided(reply) or reply.status == wanted:
            return []
        return [finding(rule, f"{what} is answered {_said(reply)}, not {wanted}")]

    return judge


def _refusal(rule: str, code: int, what: str) -> Judge:
    def judge(reply: Reply) -> list[Finding]:
        if _undecided(reply) or (reply.status == 400 and _code(reply) == code):
            return []
        return [finding(rule, f"{what} is answered {_said(reply)}, not 400 with error {code}")]

    return judge


def _unknown_method(modern: bool) -> Judge:
    def judge(reply: Reply) -> list[Finding]:
        known = _code(reply) == -32601 and (reply.status == 404 or not modern)
        if _undecided(reply) or known:
            return []
        severity: Severity | None = "warning" if modern else None
        want = "404 with error -32601" if modern else "error -32601"
        return [finding("RPC-METHOD-NOT-FOUND", f"an unknown method is answered {_said(reply)}, not {want}", severity)]

    return judge


def _undeclared(name: str, method: str) -> Judge:
    def judge(reply: Reply) -> list[Finding]:
        message = f"{method} is answered, and the capability {name} is not declared"
        return [finding("CAP-UNDECLARED-WORKS", message)] if _answered(reply) else []

    return judge


def _batch(reply: Reply) -> list[Finding]:
    answered = _answered(reply) or (200 <= reply.status < 300 and isinstance(reply.message, list))
    return [finding("RPC-BATCH-ACCEPTED", "a batch of two requests is answered")] if answered else []


def _origin(reply: Reply) -> list[Finding]:
    return [finding("SEC-ORIGIN", f"a request from the origin {NO_ORIGIN} is answered")] if _answered(reply) else []


def _cursor(reply: Reply) -> list[Finding]:
    return [finding("PAGE-BAD-CURSOR", "a cursor that was never given is answered")] if _answered(reply) else []


def _get(reply: Reply) -> list[Finding]:
    stream = 200 <= reply.status < 300 and reply.media_type == "text/event-stream"
    if _undecided(reply) or stream or reply.status == 405:
        return []
    return [finding("HTTP-GET-405", f"a GET is answered {_said(reply)}, neither an event stream nor 405")]
