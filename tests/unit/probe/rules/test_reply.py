"""What one reply shows: each rule on the reply that breaks it, and on those that must not."""

from __future__ import annotations

from typing import Any

import pytest
from lookout.probe.envelope import Answer, Broken
from lookout.probe.messages import Reply
from lookout.probe.result import Era, Finding, Reason
from lookout.probe.rules import check_reply

NEW, OLD = "2026-07-28", "2025-06-18"
TOOLS = {"tools": [], "resultType": "complete", "ttlMs": 0, "cacheScope": "public"}
DISCOVERED = {
    "supportedVersions": [NEW],
    "capabilities": {},
    "resultType": "complete",
    "ttlMs": 0,
    "cacheScope": "public",
}
INITIALIZED = {"protocolVersion": OLD, "capabilities": {}, "serverInfo": {"name": "n", "version": "1"}}


def answered(message: Any = None, status: int = 200, *, kind: str = "application/json", **more: Any) -> Reply:
    return Reply(status, more.pop("headers", {}), more.pop("answer", None), kind, "", message, **more)


def result(value: Any, **more: Any) -> Reply:
    return answered({"jsonrpc": "2.0", "id": 1, "result": value}, **more)


def error(code: Any, status: int = 200, data: Any = None, **more: Any) -> Reply:
    body = {"code": code, "message": "no"} | ({} if data is None else {"data": data})
    return answered({"jsonrpc": "2.0", "id": 1, "error": body}, status, **more)


def broken(reason: Reason, message: Any = None, **more: Any) -> Reply:
    return answered(message, answer=Broken(reason, "the answer is not what it should be"), **more)


def check(
    reply: Reply, rpc: str | None = "tools/list", era: Era | None = Era.MODERN, version: str | None = NEW, **how: Any
) -> list[str]:
    found: list[Finding] = check_reply(rpc, era, version, reply, wanted_id=1, **how)
    return [f"{each.rule} {each.severity}" for each in found]


LEGACY = {"era": Era.LEGACY, "version": OLD}
NOTIFIED = {"rpc": "notifications/initialized", **LEGACY}
BEGUN = {"rpc": "initialize", "era": None, "version": None}
FIRST = {"rpc": "server/discover", "era": None, "version": None}

FAULTS: dict[str, tuple[Reply, dict[str, Any], list[str]]] = {
    "another media type": (result(TOOLS, kind="text/plain"), {}, ["HTTP-CT-REQUEST error"]),
    "no media type": (result(TOOLS, kind=""), {}, ["HTTP-CT-REQUEST error"]),
    "200 to a notification": (answered(status=200, kind=""), NOTIFIED, ["HTTP-NOTIF-202 warning"]),
    "400 to a notification": (answered(status=400, kind=""), NOTIFIED, ["HTTP-NOTIF-202 error"]),
    "202 with a body": (answered(status=202, size=2), NOTIFIED, ["HTTP-NOTIF-BODY info"]),
    "a stream without answer": (
        broken(Reason.NO_RESPONSE, kind="text/event-stream"),
        {},
        ["HTTP-SSE-NO-RESPONSE error"],
    ),
    "a foreign event": (result(TOOLS, oddities=frozenset({"event_type"})), {}, ["HTTP-SSE-EVENT info"]),
    "an event of no JSON": (result(TOOLS, oddities=frozenset({"event_not_json"})), {}, ["HTTP-SSE-EVENT info"]),
    "a key twice": (result(TOOLS, oddities=frozenset({"duplicate_keys"})), {}, ["RPC-JSON warning"]),
    "half a surrogate": (result(TOOLS, oddities=frozenset({"lone_surrogate"})), {}, ["RPC-JSON warning"]),
    "no JSON": (broken(Reason.BAD_JSON), {}, ["RPC-JSON error"]),
    "JSON null": (broken(Reason.BAD_JSONRPC), {}, ["RPC-VERSION error"]),
    "a number": (answered(7), {}, ["RPC-VERSION error"]),
    "no jsonrpc": (answered({"id": 1, "result": TOOLS}), {}, ["RPC-VERSION error"]),
    "jsonrpc 2": (answered({"jsonrpc": 2, "id": 1, "result": TOOLS}), {}, ["RPC-VERSION error"]),
    "an id of text": (answered({"jsonrpc": "2.0", "id": "1", "result": TOOLS}), {}, ["RPC-ID-RESULT error"]),
    "true for 1": (answered({"jsonrpc": "2.0", "id": True, "result": TOOLS}), {}, ["RPC-ID-RESULT error"]),
    "another id": (answered({"jsonrpc": "2.0", "id": 2, "result": TOOLS}), {}, ["RPC-ID-RESULT error"]),
    "both": (answered({"jsonrpc": "2.0", "id": 1, "result": {}, "error": {}}), {}, ["RPC-BOTH error"]),
    "neither": (answered({"jsonrpc": "2.0", "id": 1}), {}, ["RPC-NEITHER error"]),
    "a notification": (answered({"jsonrpc": "2.0", "method": "x"}), {}, ["RPC-NEITHER error"]),
    "a result of text": (result("x"), {}, ["RPC-RESULT-OBJECT error"]),
    "a result of null": (result(None), {}, ["RPC-RESULT-OBJECT error"]),
    "an error of text": (answered({"jsonrpc": "2.0", "id": 1, "error": "x"}, 400), {}, ["RPC-ERROR-SHAPE error"]),
    "a code of text": (error("x", 400), {}, ["RPC-ERROR-SHAPE error"]),
    "a fractional code": (error(1.5, 400), {}, ["RPC-ERROR-SHAPE error"]),
    "no message": (
        answered({"jsonrpc": "2.0", "id": 1, "error": {"code": -32022}}, 400),
        {},
        ["RPC-ERROR-SHAPE error"],
    ),
    "an error's id null": (
        answered({"jsonrpc": "2.0", "id": None, "error": {"code": -32022, "message": "m"}}, 400),
        {},
        ["RPC-ID-ERROR info"],
    ),
    "an error's id absent": (
        answered({"jsonrpc": "2.0", "error": {"code": -32022, "message": "m"}}, 400),
        FIRST,
        ["RPC-ID-ERROR info"],
    ),
    "an error's id foreign": (
        answered({"jsonrpc": "2.0", "id": "server-error", "error": {"code": -32022, "message": "m"}}, 400),
        FIRST,
        ["RPC-ID-ERROR info"],
    ),
    "an array": (answered([{}]), {}, ["RPC-BATCH-REPLY error"]),
    "an array to initialize": (answered([{}]), BEGUN, ["RPC-BATCH-REPLY error"]),
    "initialize without version": (
        result({key: INITIALIZED[key] for key in ("capabilities", "serverInfo")}),
        BEGUN,
        ["LIFE-VERSION-UNKNOWN error"],
    ),
    "initialize without name": (
        result({**INITIALIZED, "serverInfo": {"version": "1"}}),
        BEGUN,
        ["LIFE-INIT-FIELDS error"],
    ),
    "initialize without capabilities": (
        result({key: INITIALIZED[key] for key in ("protocolVersion", "serverInfo")}),
        BEGUN,
        ["LIFE-INIT-FIELDS error"],
    ),
    "a session id with a space": (
        result(INITIALIZED, headers={"mcp-session-id": "a b"}),
        BEGUN,
        ["SESS-CHARSET error"],
    ),
    "an empty session id": (result(INITIALIZED, headers={"mcp-session-id": ""}), BEGUN, ["SESS-CHARSET error"]),
    "a session id, stateless": (result(TOOLS, headers={"mcp-session-id": "a"}), {}, ["SESS-ON-MODERN warning"]),
    "a session id at discovery": (
        result(DISCOVERED, headers={"mcp-session-id": "a"}),
        FIRST,
        ["SESS-ON-MODERN warning"],
    ),
    "the list fails": (error(-32603), {}, ["CAP-DECLARED-FAILS error"]),
    "the list is unknown": (error(-32601, 404), LEGACY, ["CAP-DECLARED-FAILS error"]),
    "prompts fail": (error(-32603), {"rpc": "prompts/list"}, ["CAP-DECLARED-FAILS warning"]),
    "templates fail": (error(-32603), {"rpc": "resources/templates/list"}, ["CAP-DECLARED-FAILS warning"]),
    "no list of tools": (result({**TOOLS, "tools": None}), {}, ["TOOL-SCHEMA error"]),
    "_meta of text": (result({**TOOLS, "_meta": "x"}), {}, ["TOOL-SCHEMA error"]),
    "a resource without uri": (
        result({**TOOLS, "resources": [{"name": "n"}]}),
        {"rpc": "resources/list"},
        ["LIST-SCHEMA warning"],
    ),
    "prompts no list": (result({"prompts": {}}), {"rpc": "prompts/list", **LEGACY}, ["LIST-SCHEMA warning"]),
    "discovery lacks ttlMs": (
        result({key: value for key, value in DISCOVERED.items() if key != "ttlMs"}),
        FIRST,
        ["M-DISCOVER-FIELDS error"],
    ),
    "discovery lacks versions": (
        result({key: value for key, value in DISCOVERED.items() if key != "supportedVersions"}),
        FIRST,
        ["M-DISCOVER-FIELDS error"],
    ),
    "discovery's versions are text": (
        result({**DISCOVERED, "supportedVersions": NEW}),
        FIRST,
        ["M-DISCOVER-FIELDS error"],
    ),
    "discovery's capabilities": (result({**DISCOVERED, "capabilities": []}), FIRST, ["M-DISCOVER-FIELDS error"]),
    "discovery names old versions": (
        result({**DISCOVERED, "supportedVersions": [OLD]}),
        FIRST,
        ["M-VERSION-LIST warning"],
    ),
    "a supported version refused": (
        error(-32022, 400, {"supported": [NEW], "requested": NEW}),
        FIRST,
        ["M-VERSION-LIST warning"],
    ),
    "no resultType": (
        result({key: value for key, value in TOOLS.items() if key != "resultType"}),
        {},
        ["M-RESULTTYPE error"],
    ),
    "an unknown resultType": (result({**TOOLS, "resultType": "half"}), {}, ["M-RESULTTYPE error"]),
    "an unknown resultType at discovery": (
        result({**DISCOVERED, "resultType": "half"}),
        FIRST,
        ["M-RESULTTYPE error"],
    ),
    "a negative ttlMs": (result({**TOOLS, "ttlMs": -1}), {}, ["M-CACHE warning"]),
    "ttlMs true": (result({**TOOLS, "ttlMs": True}), {}, ["M-CACHE warning"]),
    "no ttlMs": (result({key: TOOLS[key] for key in TOOLS if key != "ttlMs"}), {}, ["M-CACHE warning"]),
    "an unknown cacheScope": (result({**DISCOVERED, "cacheScope": "mine"}), FIRST, ["M-CACHE warning"]),
    "401 of 2025-06-18": (answered(status=401), LEGACY, ["AUTH-WWW-AUTHENTICATE warning"]),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_one_finding(name: str) -> None:
    reply, how, expected = FAULTS[name]
    assert check(reply, **how) == expected


SOUND: dict[str, tuple[Reply, dict[str, Any]]] = {
    "a list": (result(TOOLS), {}),
    "a list over a stream": (result(TOOLS, kind="text/event-stream"), {}),
    "a discovery": (result(DISCOVERED), FIRST),
    "a discovery with extensions": (
        result({**DISCOVERED, "capabilities": {"extensions": {"x/y": {"ratio": 0.5, "none": None}}}}),
        FIRST,
    ),
    "an initialize": (result(INITIALIZED, headers={"mcp-session-id": "a!~"}), BEGUN),
    "an initialize of an unpublished version": (result({**INITIALIZED, "protocolVersion": "2024-10-07"}), BEGUN),
    "202": (answered(status=202, kind=""), NOTIFIED),
    "a notification refused for its credential": (
        answered(status=401, headers={"www-authenticate": "Bearer resource_metadata=x"}),
        NOTIFIED,
    ),
    "a notification in a failing server": (answered(status=502, kind="text/html"), NOTIFIED),
    "HTTP+SSE is no Streamable HTTP": (answered(status=200, kind="text/plain"), {**NOTIFIED, "era": Era.SSE}),
    "a legacy server that knows no discovery": (error(-32601, 404), FIRST),
    "a mock that answers all with an empty result": (result({}), FIRST),
    "a page where nothing is known": (broken(Reason.NOT_MCP, kind="text/html"), FIRST),
    "an OAuth refusal": (answered({"error": "invalid_token"}, 401), BEGUN),
    "a gateway's own JSON": (answered({"error": {"code": "404", "message": "x"}}, 404), FIRST),
    "no JSON on an error status": (broken(Reason.BAD_JSON, status=404), FIRST),
    "an array of 2025-03-26": (answered([{}]), {"era": Era.LEGACY, "version": "2025-03-26"}),
    "templates unknown": (error(-32601), {"rpc": "resources/templates/list", **LEGACY}),
    "a session lost": (error(-32600, 404), LEGACY),
    "a session lost, badly said": (error(-32000, 400), LEGACY),
    "a rate limit": (error(-32000, 429), {}),
    "a failing server": (error(-32603, 500), {}),
    "an older version wanted": (error(-32022, 400, {"supported": ["2031-01-01"], "requested": NEW}), FIRST),
    "a modern server refuses the handshake": (error(-32022, 400, {"supported": [NEW], "requested": OLD}), BEGUN),
    "a legacy list needs no ttlMs": (result({"tools": []}), LEGACY),
    "cursors are looked at together": (result({**TOOLS, "nextCursor": 5}), {}),
    "401 that names metadata": (
        answered(status=401, headers={"www-authenticate": 'Bearer resource_metadata="https://x/y"'}),
        LEGACY,
    ),
    "401 before anybody looked": (answered(status=401), BEGUN),
    "a DELETE": (answered(status=405, kind="text/plain"), {"rpc": None, **LEGACY}),
}


@pytest.mark.parametrize("name", SOUND)
def test_what_is_sound_or_says_nothing_gives_no_finding(name: str) -> None:
    reply, how = SOUND[name]
    assert check(reply, **how) == []


def test_without_the_request_id_the_reader_says_that_it_is_foreign() -> None:
    foreign = broken(Reason.WRONG_ID, message={"jsonrpc": "2.0", "id": 9, "result": TOOLS})
    assert [f.rule for f in check_reply("tools/list", Era.MODERN, NEW, foreign)] == ["RPC-ID-RESULT"]
    assert check_reply("tools/list", Era.MODERN, NEW, result(TOOLS, answer=Answer(TOOLS))) == []


def test_a_message_is_bounded_and_printable() -> None:
    evil = "\x1b[31m" + "x" * 10_000
    (found,) = check_reply("tools/list", Era.MODERN, NEW, result({**TOOLS, "resultType": evil}))
    assert len(found.message) <= 300
    assert found.message.isprintable()
