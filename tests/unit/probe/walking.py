"""Walks an exchange without a network: what is sent, as short words, against what is answered."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from lookout.probe.envelope import Answer, read_answer
from lookout.probe.exchange import Plan, Session, exchange, goodbye
from lookout.probe.failure import Failure
from lookout.probe.messages import Reply, Request
from lookout.probe.result import Layer, Reason
from lookout.probe.sse import Event

URL = "https://mcp.example/mcp"
Replying = Callable[[Request], Reply]
Step = tuple[str, Replying | Failure]


def ok(result: Any = None, status: int = 200, **headers: str) -> Replying:
    """A JSON-RPC result."""

    def reply(request: Request) -> Reply:
        message = {"jsonrpc": "2.0", "id": request.id, "result": {} if result is None else result}
        return _json(request, message, status, headers)

    return reply


def error(code: int, status: int = 200, data: Any = None, message: str = "no", **headers: str) -> Replying:
    """A JSON-RPC error."""

    def reply(request: Request) -> Reply:
        told = {"code": code, "message": message} | ({} if data is None else {"data": data})
        return _json(request, {"jsonrpc": "2.0", "id": request.id, "error": told}, status, headers)

    return reply


def said(message: Any, status: int = 200, **headers: str) -> Replying:
    """Any JSON."""
    return lambda request: _json(request, message, status, headers)


def http(status: int, excerpt: str = "", media_type: str = "", **headers: str) -> Replying:
    """A response without JSON."""

    def reply(request: Request) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Reply(
            status, named, media_type=media_type, excerpt=excerpt, url=request.target or URL, size=len(excerpt)
        )

    return reply


def event(data: str, kind: str = "endpoint") -> Replying:
    """An event stream that opened with this event."""
    return lambda request: Reply(
        200, {}, media_type="text/event-stream", event=Event(kind, data.encode("utf-8", "surrogateescape")), url=URL
    )


def _json(request: Request, message: Any, status: int, headers: dict[str, str]) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = read_answer(message, request.id) if request.id is not None else None
    size = len(json.dumps(message))
    url = request.target or URL
    return Reply(status, named, answer, "application/json", message=message, size=size, url=url)


LATE = Failure(Layer.HTTP, Reason.FIRST_BYTE_TIMEOUT, "late")
DEADLINE = Failure(Layer.HTTP, Reason.DEADLINE, "too late")
REFUSED = Failure(Layer.TCP, Reason.CONNECT_REFUSED, "refused")
CLOSED = Failure(Layer.HTTP, Reason.CONNECTION_LOST, "closed")
HUGE = Failure(Layer.HTTP, Reason.TOO_LARGE, "huge", usable=True)
ELSEWHERE = Failure(Layer.HTTP, Reason.REDIRECT_NOT_FOLLOWED, "elsewhere")

INFO = {"name": "srv", "version": "1"}
DISCOVERED = {
    "supportedVersions": ["2026-07-28"],
    "capabilities": {"tools": {}},
    "resultType": "complete",
    "ttlMs": 0,
    "cacheScope": "public",
    "_meta": {"io.modelcontextprotocol/serverInfo": INFO},
}
INITIALIZED = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": INFO}


def tool(name: str = "search", **more: Any) -> dict[str, Any]:
    """A tool nobody finds fault with."""
    return {"name": name, "description": "Finds.", "inputSchema": {"type": "object"}, **more}


def tools(*names: str, **more: Any) -> Replying:
    """A page of tools/list."""
    page = {"tools": [tool(name) for name in names], "resultType": "complete", "ttlMs": 0, "cacheScope": "public"}
    return ok({**page, **more})


def words(request: Request) -> str:
    """What is sent, in short: the JSON-RPC method or the HTTP one, the session, where to, the cursor."""
    params = json.loads(request.body).get("params", {}) if request.body and request.body[:1] == b"{" else {}
    parts = [request.rpc or request.method]
    if "mcp-session-id" in request.headers:
        parts.append(f"in {request.headers['mcp-session-id']}")
    if request.target is not None:
        parts.append(f"at {request.target}")
    if "cursor" in params:
        parts.append(f"from {params['cursor']!r}")
    return " ".join(parts)


def walk(
    steps: Sequence[Step], plan: Plan | None = None, session: Session | None = None
) -> tuple[Session, Failure | None]:
    """(session, failure) of an exchange that sends exactly what `steps` say, and is answered with their replies."""
    s = session or Session()
    going = exchange(s, plan or Plan())
    left = list(steps)
    failure = None
    try:
        request = next(going)
        while True:
            assert left, f"nothing was to follow, and {words(request)} did"
            expected, reply = left.pop(0)
            assert words(request) == expected
            request = going.throw(reply) if isinstance(reply, Failure) else going.send(reply(request))
    except StopIteration:
        pass
    except Failure as raised:
        failure = raised
    assert not left, f"expected next: {left[0][0]}; it ended with {failure and failure.message}"
    return s, failure


def outcome(failure: Failure | None) -> tuple[str, str] | None:
    """(layer, reason)."""
    return None if failure is None else (failure.layer.value, failure.reason.value)


def farewell(s: Session, *given: str) -> list[str]:
    """The sessions that are deleted."""
    return [request.headers["mcp-session-id"] for request in goodbye(s, given) if request.method == "DELETE"]


def answered(reply: Reply) -> bool:
    """Was it a JSON-RPC answer?"""
    return isinstance(reply.answer, Answer)
