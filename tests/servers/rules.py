"""For every rule a server that breaks exactly it: two servers that keep to the specification, each with one fault.

`BREACHES` is by rule id; a breach says how it is to be probed. The servers themselves give no finding at all, not even
to the active checks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from tests.servers.hostile import Call, Script

MODERN, LEGACY, OLDER = "2026-07-28", "2025-11-25", "2025-06-18"
INFO = {"name": "conforming", "version": "1"}
TOOL: dict[str, Any] = {"name": "search", "description": "Searches.", "inputSchema": {"type": "object"}}
DISCOVERED = {
    "supportedVersions": [MODERN],
    "capabilities": {"tools": {}},
    "resultType": "complete",
    "ttlMs": 0,
    "cacheScope": "public",
    "_meta": {"io.modelcontextprotocol/serverInfo": INFO},
}
PAGE = {"tools": [TOOL], "resultType": "complete", "ttlMs": 0, "cacheScope": "public"}
INITIALIZED = {"protocolVersion": LEGACY, "capabilities": {"tools": {}}, "serverInfo": INFO}

Answers = Mapping[str, Any]
"""JSON-RPC method -> what is otherwise in its result (`...` takes a field away), or a script that answers instead."""


async def _answer(call: Call, answers: Answers, default: Mapping[str, Any]) -> None:
    other = answers.get(call.rpc, {})
    if callable(other):
        await other(call)
    else:
        await call.result({key: value for key, value in {**default, **other}.items() if value is not ...})


def modern(answers: Answers | None = None, *, careless: str = "") -> Script:
    """A server of 2026-07-28. `careless` is the one thing it does not look at."""
    every = answers or {}

    async def serve(call: Call) -> None:
        if call.method != "POST":
            await call.http(405, kind="")
        elif isinstance(call.body, list):
            await _batch(call, careless)
        elif "origin" in call.headers and careless != "origin":
            await call.http(403, kind="")
        elif call.rpc == "initialize":
            await (every.get("initialize") or _no_handshake)(call)
        elif "_meta" not in call.body.get("params", {}) and careless != "meta":
            await call.error(-32602, status=400)
        elif call.headers.get("mcp-protocol-version") != MODERN and careless != "version":
            await call.error(-32022, status=400, data={"supported": [MODERN], "requested": "1999-01-01"})
        elif call.headers.get("mcp-method") != call.rpc and careless != "mismatch":
            await call.error(-32020, status=400)
        elif call.rpc == "server/discover":
            await _answer(call, every, DISCOVERED)
        elif call.rpc == "tools/list":
            await _tools(call, every, careless)
        elif call.rpc in every:
            await _answer(call, every, {"resultType": "complete", "ttlMs": 0, "cacheScope": "public"})
        else:
            await call.error(-32600 if careless == "method" else -32601, status=404)

    return serve


async def _no_handshake(call: Call) -> None:
    await call.error(-32022, status=400, data={"supported": [MODERN], "requested": LEGACY})


async def _tools(call: Call, every: Answers, careless: str) -> None:
    cursor = call.body["params"].get("cursor")
    if cursor is not None and "tools/list" not in every and careless != "cursor":
        await call.error(-32602, status=400)
    else:
        await _answer(call, every, PAGE)


async def _batch(call: Call, careless: str) -> None:
    if careless == "batch":
        body: Any = call.body
        await call.json([{"jsonrpc": "2.0", "id": each["id"], "result": {}} for each in body])
    else:
        await call.json({"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "no batch"}}, 400)


def legacy(answers: Answers | None = None, *, careless: str = "", version: str = LEGACY) -> Script:
    """A stateful server of `version`. `careless` is the one thing it does not look at."""
    every, known, numbers = answers or {}, set[str](), count(1)

    async def serve(call: Call) -> None:
        session = call.headers.get("mcp-session-id")
        if isinstance(call.body, list):
            await _batch(call, careless)
        elif call.method == "GET":
            await call.http(404 if careless == "get" else 405, kind="")
        elif "origin" in call.headers and careless != "origin":
            await call.http(403, kind="")
        elif call.rpc == "initialize":
            given = f"session-{next(numbers)}"
            known.add(given)
            if callable(every.get("initialize")):
                await every["initialize"](call)
            else:
                result = {**INITIALIZED, "protocolVersion": version, **every.get("initialize", {})}
                await call.result({k: v for k, v in result.items() if v is not ...}, mcp_session_id=given)
        elif call.rpc == "server/discover" and "server/discover" in every:
            await every["server/discover"](call)
        elif session is None and careless != "no session":
            await call.error(-32600, status=400)
        elif session is not None and session not in known:
            await call.error(-32600, status=400 if careless == "ended session" else 404)
        elif call.method == "DELETE":
            known.discard(session or "")
            await call.http(204, kind="")
        elif call.headers.get("mcp-protocol-version") != version and careless != "version":
            await call.error(-32600, status=400)
        elif call.rpc == "notifications/initialized":
            await (every.get(call.rpc) or _accept)(call)
        elif call.rpc == "tools/list":
            await _tools(call, every, careless)
        elif call.rpc == "ping" or call.rpc in every:
            await _answer(call, every, {})
        else:
            await call.error(-32601)

    return serve


async def _accept(call: Call) -> None:
    await call.http(202, kind="")


def says(value: Any, status: int = 200, **how: Any) -> Script:
    """A body of JSON; callables in it are given the request's id."""

    async def serve(call: Call) -> None:
        body = {key: each(call.body.get("id")) if callable(each) else each for key, each in value.items()}
        await call.json(body, status, **how)

    return serve


def bare(body: bytes, status: int = 200, kind: str = "application/json", **headers: str) -> Script:
    """A body of bytes; `ID` in it is the request's id."""

    async def serve(call: Call) -> None:
        await call.http(status, body.replace(b"ID", str(call.body.get("id")).encode()), kind, **headers)

    return serve


def fails(code: int, status: int = 200, data: Any = None) -> Script:
    """A JSON-RPC error."""

    async def serve(call: Call) -> None:
        await call.error(code, status=status, data=data)

    return serve


def tools(*every: Any) -> Script:
    """A server with these tools."""
    return modern({"tools/list": {"tools": list(every)}})


def tool(**fields: Any) -> dict[str, Any]:
    """A tool that is good but for this."""
    return {key: value for key, value in {**TOOL, **fields}.items() if value is not ...}


def schema(**keywords: Any) -> dict[str, Any]:
    """An input schema with these keywords."""
    return {"type": "object", **keywords}


def in_turn(*scripts: Script) -> Script:
    """One script after another, the last for good."""
    left = list(scripts)

    async def serve(call: Call) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(call)

    return serve


def pages(*every: Mapping[str, Any]) -> Script:
    """Answers to tools/list, one after another."""
    return in_turn(*[says({"jsonrpc": "2.0", "id": lambda id_: id_, "result": {**PAGE, **page}}) for page in every])


def redirected() -> Script:
    """The configured address answers 307; its neighbour is a good server."""
    good = modern()

    async def serve(call: Call) -> None:
        if call.path == "/mcp":
            await call.http(307, kind="", location="/mcp/")
        else:
            await good(call)

    return serve


def forgetful() -> Script:
    """A server whose first session is gone at once."""
    forgot = in_turn(fails(-32600, 404), *[bare(b'{"jsonrpc":"2.0","id":ID,"result":{"tools":[]}}')] * 2)
    return legacy({"tools/list": forgot})


def protected(document: Mapping[str, Any] | None = None) -> Script:
    """A server that wants a credential; `document` is added to its protected-resource metadata, None: it has none."""

    async def serve(call: Call) -> None:
        if "/.well-known/" not in call.path:
            await call.http(401, kind="")
        elif document is None:
            await call.http(404, kind="")
        else:
            await call.json({"resource": f"http://{call.headers['host']}/mcp", **document})

    return serve


def streams(first: bytes) -> Script:
    """An HTTP+SSE server (2024-11-05) whose event stream begins so."""

    async def serve(call: Call) -> None:
        if call.method == "GET":
            await call.http(200, first, "text/event-stream")
        else:
            await call.http(405, kind="")

    return serve


def lists_only_old() -> Script:
    """A discovery that names no version which has it."""
    return says({"jsonrpc": "2.0", "id": ID, "result": {**DISCOVERED, "supportedVersions": [LEGACY]}})


def either_version() -> Script:
    """Two versions behind one address: the newest at the first handshake, an older one at the next."""
    newest, older = legacy(), legacy(version=OLDER)
    begun = count()
    chosen = newest

    async def serve(call: Call) -> None:
        nonlocal chosen
        if call.rpc == "initialize":
            chosen = newest if next(begun) == 0 else older
        await chosen(call)

    return serve


@dataclass(frozen=True)
class Breach:
    """A server that breaks one rule. `make` gives a fresh one, probed `times` with one memory: the last counts."""

    make: Callable[[], Script]
    times: int = 1
    active: bool = False
    lists: tuple[str, ...] = ()
    severity: str | None = None
    """Where it is not the rule's usual one."""


def _list(answer: Any) -> Breach:
    return Breach(lambda: modern({"tools/list": answer}))


def _active(make: Callable[..., Script], careless: str, severity: str | None = None) -> Breach:
    return Breach(lambda: make(careless=careless), active=True, severity=severity)


OK = b'{"jsonrpc":"2.0","id":ID,"result":{"tools":[],"resultType":"complete","ttlMs":0,"cacheScope":"public"}}'
EVENT = b"data: " + OK + b"\n\n"
ID: Callable[[Any], Any] = lambda id_: id_  # noqa: E731 -- stands for the request's id in what a server says

BREACHES: dict[str, Breach] = {
    "HTTP-CT-REQUEST": _list(bare(OK, kind="text/plain")),
    "HTTP-NOTIF-202": Breach(lambda: legacy({"notifications/initialized": bare(b"", kind="")})),
    "HTTP-NOTIF-BODY": Breach(lambda: legacy({"notifications/initialized": bare(b"{}", 202)})),
    "HTTP-SSE-NO-RESPONSE": _list(bare(b"data:\n\n", kind="text/event-stream")),
    "HTTP-SSE-EVENT": _list(bare(b"event: news\ndata: {}\n\n" + EVENT, kind="text/event-stream")),
    "HTTP-GET-405": _active(legacy, "get"),
    "HTTP-BAD-VERSION-400": _active(legacy, "version"),
    "HTTP-M-REDIRECT": Breach(redirected),
    "RPC-JSON": _list(bare(b'{"jsonrpc":"2.0","id":ID,"result":{"tools":[],"ttlMs":NaN}}')),
    "RPC-VERSION": _list(says({"id": ID, "result": PAGE})),
    "RPC-ID-RESULT": _list(says({"jsonrpc": "2.0", "id": str, "result": PAGE})),
    "RPC-ID-ERROR": Breach(
        lambda: legacy({"server/discover": says({"jsonrpc": "2.0", "error": {"code": -32601, "message": "m"}}, 404)})
    ),
    "RPC-BOTH": _list(says({"jsonrpc": "2.0", "id": ID, "result": PAGE, "error": {"code": 1, "message": "m"}})),
    "RPC-NEITHER": _list(says({"jsonrpc": "2.0", "id": ID})),
    "RPC-RESULT-OBJECT": _list(says({"jsonrpc": "2.0", "id": ID, "result": []})),
    "RPC-ERROR-SHAPE": _list(says({"jsonrpc": "2.0", "id": ID, "error": {"code": "E1", "message": "m"}})),
    "RPC-BATCH-REPLY": _list(bare(b"[" + OK + b"]")),
    "RPC-BATCH-ACCEPTED": _active(legacy, "batch"),
    "RPC-METHOD-NOT-FOUND": _active(modern, "method", "warning"),
    "LIFE-VERSION-UNKNOWN": Breach(lambda: legacy({"initialize": {"protocolVersion": ...}})),
    "LIFE-VERSION-ECHO": Breach(
        either_version,
        times=2,
    ),
    "LIFE-INIT-FIELDS": Breach(lambda: legacy({"initialize": {"serverInfo": {"name": "n"}}})),
    "LIFE-INFO-EMPTY": Breach(lambda: legacy({"initialize": {"serverInfo": {"name": "n", "version": ""}}})),
    "SESS-CHARSET": Breach(
        lambda: legacy({"initialize": says({"jsonrpc": "2.0", "id": ID, "result": INITIALIZED}, mcp_session_id="a b")})
    ),
    "SESS-404": _active(legacy, "ended session"),
    "SESS-400-MISSING": _active(legacy, "no session"),
    "SESS-FORGOTTEN": Breach(forgetful),
    "SESS-ON-MODERN": _list(bare(OK, mcp_session_id="abc")),
    "CAP-DECLARED-FAILS": _list(fails(-32603)),
    "CAP-UNDECLARED-WORKS": Breach(lambda: modern({"prompts/list": {"prompts": []}}), active=True),
    "CAP-SHAPE": Breach(lambda: modern({"server/discover": {"capabilities": {"tools": {"listChanged": "yes"}}}})),
    "TOOL-SCHEMA": Breach(lambda: tools(TOOL, tool(name="bad", inputSchema={"type": "string"}))),
    "LIST-SCHEMA": Breach(
        lambda: modern(
            {
                "server/discover": {"capabilities": {"tools": {}, "resources": {}}},
                "resources/list": {"resources": [{"name": "no uri"}]},
            }
        ),
        lists=("resources",),
    ),
    "TOOL-INPUT-NULL": Breach(lambda: tools(TOOL, tool(name="bad", inputSchema=None))),
    "TOOL-INNER-SCHEMA": Breach(lambda: tools(tool(inputSchema=schema(properties={"q": {"type": "strin"}})))),
    "TOOL-REF-NETWORK": Breach(lambda: tools(tool(outputSchema={"$ref": "https://schemas.example/out.json"}))),
    "TOOL-DUP-NAME": Breach(lambda: tools(TOOL, TOOL)),
    "TOOL-NAME": Breach(lambda: tools(tool(name="search the web"))),
    "TOOL-NO-DESCRIPTION": Breach(lambda: tools(tool(description=...))),
    "TOOL-REQUIRED-UNDEFINED": Breach(lambda: tools(tool(inputSchema=schema(properties={}, required=["query"])))),
    "TOOL-X-MCP-HEADER": Breach(
        lambda: tools(
            TOOL, tool(name="bad", inputSchema=schema(properties={"n": {"type": "number", "x-mcp-header": "N"}}))
        )
    ),
    "PAGE-LOOP": Breach(
        lambda: modern({"tools/list": pages({"nextCursor": "again"}, {"nextCursor": "again", "tools": []})})
    ),
    "PAGE-CURSOR-TYPE": Breach(lambda: modern({"tools/list": pages({"nextCursor": 7})})),
    "PAGE-BAD-CURSOR": _active(modern, "cursor"),
    "M-DISCOVER-MISSING": Breach(lambda: modern({"server/discover": fails(-32601, 404)})),
    "M-DISCOVER-FIELDS": Breach(lambda: modern({"server/discover": {"ttlMs": ...}})),
    "M-RESULTTYPE": _list({"resultType": "whole"}),
    "M-CACHE": Breach(
        lambda: modern({"tools/list": pages({"nextCursor": "2"}, {"tools": [tool(name="b")], "cacheScope": "private"})})
    ),
    "M-VERSION-LIST": Breach(lambda: legacy({"server/discover": lists_only_old()})),
    "M-SERVERINFO": Breach(lambda: modern({"server/discover": {"_meta": {}}})),
    "M-ORDER": Breach(
        lambda: modern({"tools/list": pages({"tools": [TOOL, tool(name="b")]}, {"tools": [tool(name="b"), TOOL]})}),
        times=2,
    ),
    "M-NEG-META": _active(modern, "meta"),
    "M-NEG-VERSION": _active(modern, "version"),
    "M-NEG-MISMATCH": _active(modern, "mismatch"),
    "SEC-ORIGIN": _active(modern, "origin"),
    "AUTH-WWW-AUTHENTICATE": Breach(protected),
    "AUTH-PRM": Breach(
        lambda: protected(
            document={"resource": "https://other.example/", "authorization_servers": ["https://a.example"]}
        )
    ),
    "SSE-ENDPOINT": Breach(lambda: streams(b"event: endpoint\ndata: https://other.example/messages\n\n")),
}


CONFORMING: dict[str, Callable[[], Script]] = {
    "modern": modern,
    "legacy": legacy,
    "legacy 2025-06-18": lambda: legacy(version=OLDER),
    "protected": lambda: protected(document={"authorization_servers": ["https://login.example"]}),
}
"""Servers that no rule has anything to say about."""
