"""Each era's exchange as a table: the requests that go out, the replies that come in, how it ends. No network."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

import pytest
from lookout.probe.exchange import Plan, Session, exchange
from lookout.probe.failure import Failure
from lookout.probe.result import Era
from lookout.probe.session import encode_header
from lookout.probe.tool_call import call_tool

from tests.unit.probe.walking import (
    CLOSED,
    DEADLINE,
    DISCOVERED,
    ELSEWHERE,
    HUGE,
    INITIALIZED,
    LATE,
    REFUSED,
    Step,
    error,
    event,
    farewell,
    http,
    ok,
    outcome,
    said,
    tool,
    tools,
    walk,
    words,
)

DISCOVER, INIT, DONE, LIST = "server/discover", "initialize", "notifications/initialized", "tools/list"
MODERN: list[Step] = [(DISCOVER, ok(DISCOVERED)), (LIST, tools("search"))]
LEGACY: list[Step] = [(INIT, ok(INITIALIZED)), (DONE, http(202)), (LIST, tools("search"))]
HELD: list[Step] = [
    (INIT, ok(INITIALIZED, mcp_session_id="s1")),
    (f"{DONE} in s1", http(202)),
    (f"{LIST} in s1", tools("search")),
]
AT = "at https://mcp.example/messages?s=1"
OLD: list[Step] = [
    ("GET", event("/messages?s=1")),
    (f"{INIT} {AT}", ok({**INITIALIZED, "protocolVersion": "2024-11-05"})),
    (f"{DONE} {AT}", http(202)),
    (f"{LIST} {AT}", tools("search")),
]
UNKNOWN = error(-32601)
NEW, NEWEST = {"supported": ["2026-07-28"]}, {"supported": ["2031-01-01", "2032-01-01"]}
HANDSHAKES = {"supported": ["2025-06-18", "2025-11-25"]}
PAGE = http(404, "<html>", "text/html")
WALL = http(403, "<html>", "text/html")
Ends = tuple[str, str] | None

# Branch by branch: nothing is known of the server.
DETECTION: dict[str, tuple[list[Step], Ends, Era | None]] = {
    "modern": (MODERN, None, Era.MODERN),
    "modern among others": (
        [(DISCOVER, ok({**DISCOVERED, "supportedVersions": ["2031-01-01", "2026-07-28", 5]})), (LIST, tools())],
        None,
        Era.MODERN,
    ),
    "no connection": ([(DISCOVER, REFUSED)], ("tcp", "connect_refused"), None),
    "redirected elsewhere": ([(DISCOVER, ELSEWHERE)], ("http", "redirect_not_followed"), None),
    "rate limited": ([(DISCOVER, http(429))], ("http", "rate_limited"), None),
    "unavailable": ([(DISCOVER, http(503))], ("http", "http_5xx"), None),
    "a bot wall": ([(DISCOVER, WALL)], ("http", "bot_wall"), None),
    "newer than we are": ([(DISCOVER, error(-32022, 400, NEWEST))], ("mcp", "incompatible_version"), None),
    "a version error that names ours, then good": ([(DISCOVER, error(-32022, 400, NEW)), *MODERN], None, Era.MODERN),
    "a version error that names ours, twice": (
        [(DISCOVER, error(-32022, 400, NEW)), (DISCOVER, error(-32022, 400, NEW)), *LEGACY],
        None,
        Era.LEGACY,
    ),
    "a version error that names a handshake": ([(DISCOVER, error(-32022, 400, HANDSHAKES)), *LEGACY], None, Era.LEGACY),
    "a version error that names nothing": ([(DISCOVER, error(-32022, 400)), *LEGACY], None, Era.LEGACY),
    "a version error with text for data": ([(DISCOVER, error(-32022, 400, "x")), *LEGACY], None, Era.LEGACY),
    "a version error with text for versions": (
        [(DISCOVER, error(-32022, 400, {"supported": "2026-07-28"})), *LEGACY],
        None,
        Era.LEGACY,
    ),
    "discover lists only handshakes": (
        [(DISCOVER, ok({"supportedVersions": ["2025-11-25"]})), *LEGACY],
        None,
        Era.LEGACY,
    ),
    "discover lists text": ([(DISCOVER, ok({"supportedVersions": "2026-07-28"})), *LEGACY], None, Era.LEGACY),
    "discover answers {}": ([(DISCOVER, ok({})), *LEGACY], None, Era.LEGACY),
    "discover answers with a status of failure": ([(DISCOVER, ok(DISCOVERED, 400)), *LEGACY], None, Era.LEGACY),
    "unknown method, 200": ([(DISCOVER, UNKNOWN), *LEGACY], None, Era.LEGACY),
    "unknown method, 404": ([(DISCOVER, error(-32601, 404)), *LEGACY], None, Era.LEGACY),
    "no session": ([(DISCOVER, error(-32000, 400)), *LEGACY], None, Era.LEGACY),
    "bad header": ([(DISCOVER, error(-32020, 400)), *LEGACY], None, Era.LEGACY),
    "bad params": ([(DISCOVER, error(-32602)), *LEGACY], None, Era.LEGACY),
    "error as text": ([(DISCOVER, said({"error": "invalid_token"})), *LEGACY], None, Era.LEGACY),
    "a page": ([(DISCOVER, PAGE), *LEGACY], None, Era.LEGACY),
    "406": ([(DISCOVER, http(406)), *LEGACY], None, Era.LEGACY),
    "415": ([(DISCOVER, http(415)), *LEGACY], None, Era.LEGACY),
    "500": ([(DISCOVER, http(500)), *LEGACY], None, Era.LEGACY),
    "401 for discover only": ([(DISCOVER, http(401)), *LEGACY], None, Era.LEGACY),
    "403 for discover only": ([(DISCOVER, http(403)), *LEGACY], None, Era.LEGACY),
    "a hang": ([(DISCOVER, LATE), *LEGACY], None, Era.LEGACY),
    "a closed connection": ([(DISCOVER, CLOSED), *LEGACY], None, Era.LEGACY),
    "more than is read": ([(DISCOVER, HUGE), *LEGACY], None, Era.LEGACY),
    "modern after all": ([(DISCOVER, UNKNOWN), (INIT, error(-32022, 400, NEW)), *MODERN], None, Era.MODERN),
    "modern after all, and not": (
        [(DISCOVER, UNKNOWN), (INIT, error(-32022, 400, NEW)), (DISCOVER, UNKNOWN)],
        ("jsonrpc", "rpc_error"),
        None,
    ),
    "HTTP+SSE after 404": ([(DISCOVER, PAGE), (INIT, PAGE), *OLD], None, Era.SSE),
    "HTTP+SSE after 405": ([(DISCOVER, http(405)), (INIT, http(405)), *OLD], None, Era.SSE),
    "HTTP+SSE after 400": ([(DISCOVER, http(400)), (INIT, http(400)), *OLD], None, Era.SSE),
    "no HTTP+SSE after 500": ([(DISCOVER, http(500)), (INIT, http(500))], ("http", "http_5xx"), None),
    "nothing at all": ([(DISCOVER, PAGE), (INIT, PAGE), ("GET", PAGE)], ("http", "http_4xx"), None),
    "an error to the handshake": ([(DISCOVER, UNKNOWN), (INIT, error(-32603))], ("jsonrpc", "initialize_error"), None),
    "the handshake is refused": ([(DISCOVER, UNKNOWN), (INIT, http(403))], ("http", "auth_required"), None),
    "everything is refused": ([(DISCOVER, http(403)), (INIT, http(403))], ("http", "auth_required"), None),
    "discover is refused, the rest is not there": (
        [(DISCOVER, http(403)), (INIT, http(404)), ("GET", http(404))],
        ("http", "auth_required"),
        None,
    ),
    "the handshake hangs too": ([(DISCOVER, LATE), (INIT, DEADLINE)], ("http", "deadline"), None),
    "the connection is lost in the handshake": (
        [(DISCOVER, UNKNOWN), (INIT, CLOSED)],
        ("http", "connection_lost"),
        None,
    ),
    "JSON that is no JSON-RPC": ([(DISCOVER, said({"a": 1})), (INIT, said({"b": 2}))], ("http", "not_mcp"), None),
    "no JSON-RPC, then half of it": (
        [(DISCOVER, said({"a": 1})), (INIT, said({"jsonrpc": "2.0", "id": 2}))],
        ("jsonrpc", "bad_jsonrpc"),
        None,
    ),
    "GET is refused": ([(DISCOVER, PAGE), (INIT, PAGE), ("GET", http(403))], ("http", "auth_required"), None),
    "GET hangs": ([(DISCOVER, PAGE), (INIT, PAGE), ("GET", LATE)], ("http", "http_4xx"), None),
    "GET answers JSON": ([(DISCOVER, PAGE), (INIT, PAGE), ("GET", said({}))], ("http", "http_4xx"), None),
    "a stream without events": (
        [(DISCOVER, PAGE), (INIT, PAGE), ("GET", http(200, "", "text/event-stream"))],
        ("jsonrpc", "no_response"),
        None,
    ),
    "a stream without events, and words with the 400": (
        [(DISCOVER, PAGE), (INIT, http(400, "bad tenant")), ("GET", http(200, "", "text/event-stream"))],
        ("http", "http_4xx"),
        None,
    ),
    "a stream of something else": (
        [(DISCOVER, PAGE), (INIT, PAGE), ("GET", event("{}", "message"))],
        ("mcp", "wrong_transport"),
        None,
    ),
    "a handshake that fails on the stream": (
        [(DISCOVER, PAGE), (INIT, PAGE), OLD[0], (f"{INIT} {AT}", error(-32603))],
        ("jsonrpc", "initialize_error"),
        None,
    ),
    "a stream that ends in the handshake": (
        [(DISCOVER, PAGE), (INIT, PAGE), OLD[0], (f"{INIT} {AT}", CLOSED)],
        ("http", "connection_lost"),
        None,
    ),
}


@pytest.mark.parametrize("name", DETECTION)
def test_detection(name: str) -> None:
    steps, ends, era = DETECTION[name]
    s, failure = walk(steps)
    assert outcome(failure) == ends, failure and failure.message
    assert s.era is era
    if ends is None:
        assert s.server_name == "srv"
        assert s.tools is not None


REMEMBERED: dict[str, tuple[Era, bool, list[Step], Ends, Era | None]] = {
    "modern": (Era.MODERN, False, MODERN, None, Era.MODERN),
    "legacy": (Era.LEGACY, False, LEGACY, None, Era.LEGACY),
    "HTTP+SSE": (Era.SSE, False, OLD, None, Era.SSE),
    "modern no more": (Era.MODERN, False, [(DISCOVER, UNKNOWN), (DISCOVER, UNKNOWN), *LEGACY], None, Era.LEGACY),
    "legacy no more": (Era.LEGACY, False, [(INIT, error(-32022, 400, NEW)), *MODERN], None, Era.MODERN),
    "HTTP+SSE no more": (Era.SSE, False, [("GET", http(405)), *MODERN], None, Era.MODERN),
    "HTTP+SSE no more, and a GET that opens a silent stream": (
        Era.SSE,
        False,
        [("GET", LATE), *MODERN],
        None,
        Era.MODERN,
    ),
    "HTTP+SSE, silent, and no time for another": (
        Era.SSE,
        False,
        [("GET", LATE), (DISCOVER, DEADLINE), (INIT, DEADLINE)],
        ("http", "first_byte_timeout"),
        None,
    ),
    "no connection": (Era.MODERN, False, [(DISCOVER, REFUSED)], ("tcp", "connect_refused"), None),
    "a hang": (Era.LEGACY, False, [(INIT, DEADLINE)], ("http", "deadline"), None),
    "refused": (Era.LEGACY, False, [(INIT, http(403))], ("http", "auth_required"), None),
    "rate limited": (Era.MODERN, False, [(DISCOVER, http(429))], ("http", "rate_limited"), None),
    "a wall": (Era.MODERN, False, [(DISCOVER, WALL)], ("http", "bot_wall"), None),
    "500": (Era.LEGACY, False, [(INIT, http(500))], ("http", "http_5xx"), None),
    "modern, forced": (Era.MODERN, True, [(DISCOVER, UNKNOWN)], ("jsonrpc", "rpc_error"), None),
    "legacy, forced": (Era.LEGACY, True, [(INIT, http(404))], ("http", "http_4xx"), None),
    "HTTP+SSE, forced": (Era.SSE, True, [("GET", http(405))], ("http", "http_4xx"), None),
    "gone": (
        Era.LEGACY,
        False,
        [(INIT, PAGE), (DISCOVER, PAGE), (INIT, PAGE), ("GET", PAGE)],
        ("http", "http_4xx"),
        None,
    ),
}


@pytest.mark.parametrize("name", REMEMBERED)
def test_a_remembered_era(name: str) -> None:
    known, forced, steps, ends, era = REMEMBERED[name]
    s, failure = walk(steps, Plan(known, forced))
    assert outcome(failure) == ends, failure and failure.message
    assert s.era is era


def initialize(**changes: Any) -> list[Step]:
    result = {k: v for k, v in {**INITIALIZED, **changes}.items() if v is not ...}
    return [(INIT, ok(result))]


HANDSHAKE: dict[str, tuple[list[Step], Ends]] = {
    "no version": (initialize(protocolVersion=...), ("mcp", "bad_result")),
    "a version that is a number": (initialize(protocolVersion=5), ("mcp", "bad_result")),
    "an empty version": (initialize(protocolVersion=""), ("mcp", "bad_result")),
    "a version with a line break": (initialize(protocolVersion="2025\r\nx: y"), ("mcp", "bad_result")),
    "a version with a space": (initialize(protocolVersion="2025 11"), ("mcp", "bad_result")),
    "a version with no ASCII": (initialize(protocolVersion="２０２５"), ("mcp", "bad_result")),
    "a long version": (initialize(protocolVersion="2" * 41), ("mcp", "bad_result")),
    "a session id with a space": ([(INIT, ok(INITIALIZED, mcp_session_id="a b"))], ("mcp", "bad_result")),
    "an empty session id": ([(INIT, ok(INITIALIZED, mcp_session_id=""))], ("mcp", "bad_result")),
    "a long session id": ([(INIT, ok(INITIALIZED, mcp_session_id="x" * 1025))], ("mcp", "bad_result")),
    "initialized refused": ([*LEGACY[:1], (DONE, http(400, "no"))], ("http", "http_4xx")),
    "initialized answered with an error": ([*LEGACY[:1], (DONE, http(500))], ("http", "http_5xx")),
    "initialized hangs": ([*LEGACY[:1], (DONE, LATE)], ("http", "first_byte_timeout")),
    "initialized answered 200": ([*LEGACY[:1], (DONE, ok({})), *LEGACY[2:]], None),
    "the session is gone at once": ([*HELD[:1], (f"{DONE} in s1", http(404))], ("mcp", "session_lost")),
    "no session, and initialized is not there": ([*LEGACY[:1], (DONE, http(404))], ("http", "http_4xx")),
    "a status of failure with a result": ([(INIT, ok(INITIALIZED, 500))], ("http", "http_5xx")),
}


@pytest.mark.parametrize("name", HANDSHAKE)
def test_the_handshake(name: str) -> None:
    steps, ends = HANDSHAKE[name]
    _, failure = walk(steps, Plan(Era.LEGACY, forced=True))
    assert outcome(failure) == ends, failure and failure.message


ENDPOINTS = {
    "/messages?s=1": True,
    "messages?s=1": True,
    "https://mcp.example/messages?s=1": True,
    "https://mcp.example:443/messages?s=1": True,
    "https://MCP.example/messages?s=1": True,
    "//mcp.example/messages?s=1": True,
    "http://mcp.example/messages": False,
    "https://mcp.example:8443/messages": False,
    "https://evil.example/messages": False,
    "//evil.example/messages": False,
    "https://mcp.example.evil.example/": False,
    "https://mcp.example@evil.example/": False,
    "https://user@mcp.example/": False,
    "https://user:word@mcp.example/": False,
    "https:///messages?s=1": True,
    "https://[/": False,
    "https://mcp.example:99999/": False,
    "/a b": False,
    "/\x1b[2J": False,
    "/a\r\nx: y": False,
    "/é": False,
    "/\udcff": False,
    "/" + "x" * 3000: False,
    "javascript:alert(1)": False,
    "file:///etc/passwd": False,
}


@pytest.mark.parametrize("where", ENDPOINTS)
def test_an_endpoint_is_on_the_streams_own_origin_or_nowhere(where: str) -> None:
    if ENDPOINTS[where]:
        s, failure = walk(
            [
                ("GET", event(where)),
                *[(what.replace(AT, f"at {_absolute(where)}"), reply) for what, reply in OLD[1:]],
            ],
            Plan(Era.SSE, forced=True),
        )
        assert (failure, s.transport) == (None, "http+sse")
    else:
        s, failure = walk([("GET", event(where))], Plan(Era.SSE, forced=True))
        assert outcome(failure) == ("mcp", "bad_result")
        assert [finding.rule for finding in s.findings] == ["SSE-ENDPOINT"]


def _absolute(where: str) -> str:
    return urljoin("https://mcp.example/mcp", where)


# --- lists

PAGES: dict[str, tuple[list[Step], Ends, int | None]] = {
    "one page": ([(LIST, tools("a", "b"))], None, 2),
    "three pages": (
        [
            (LIST, tools("a", nextCursor="1")),
            (f"{LIST} from '1'", tools("b", nextCursor="")),
            (f"{LIST} from ''", tools("c")),
        ],
        None,
        3,
    ),
    "a cursor of null": ([(LIST, tools("a", nextCursor=None))], None, 1),
    "a cursor again": (
        [(LIST, tools("a", nextCursor="1")), (f"{LIST} from '1'", tools("b", nextCursor="1"))],
        ("mcp", "pagination"),
        2,
    ),
    "a cursor that is a number": ([(LIST, tools("a", nextCursor=1))], ("mcp", "pagination"), 1),
    "twenty pages and more": (
        [(LIST if i == 0 else f"{LIST} from '{i - 1}'", tools(f"t{i}", nextCursor=str(i))) for i in range(20)],
        ("mcp", "pagination"),
        20,
    ),
    "2,001 tools on the first of two pages": (
        [(LIST, tools(*(f"t{i}" for i in range(2001)), nextCursor="1"))],
        ("mcp", "pagination"),
        2000,
    ),
    "2,001 tools on one page": ([(LIST, tools(*(f"t{i}" for i in range(2001))))], ("http", "too_large"), 2000),
    "2,000 tools on one page": ([(LIST, tools(*(f"t{i}" for i in range(2000))))], None, 2000),
    "more bytes than are read": (
        [
            (LIST, tools("a", nextCursor="1", x="y" * 3_000_000)),
            (f"{LIST} from '1'", tools("b", nextCursor="2", x="y" * 3_000_000)),
        ],
        ("mcp", "pagination"),
        2,
    ),
    "no list": ([(LIST, ok({}))], ("mcp", "bad_result"), None),
    "an object for a list": ([(LIST, ok({"tools": {}}))], ("mcp", "bad_result"), None),
    "an error": ([(LIST, error(-32603))], ("jsonrpc", "list_failed"), None),
    "an unknown method": ([(LIST, error(-32601, 404))], ("jsonrpc", "list_failed"), None),
    "a page of HTML": ([(LIST, PAGE)], ("http", "http_4xx"), None),
    "nothing": ([(LIST, http(202))], ("jsonrpc", "no_response"), None),
    "a second page that fails": (
        [(LIST, tools("a", nextCursor="1")), (f"{LIST} from '1'", error(-32603))],
        ("jsonrpc", "list_failed"),
        None,
    ),
    "a hang": ([(LIST, DEADLINE)], ("http", "deadline"), None),
    "more than is read": ([(LIST, HUGE)], ("http", "too_large"), None),
    "what is no tool is left out": ([(LIST, ok({"tools": [5, tool("a"), {}, None], "ttlMs": 0}))], None, 1),
}


@pytest.mark.parametrize("name", PAGES)
def test_pages(name: str) -> None:
    steps, ends, count = PAGES[name]
    s, failure = walk([*MODERN[:1], *steps], Plan(Era.MODERN))
    assert outcome(failure) == ends, failure and failure.message
    assert (len(s.tools) if s.tools is not None else None) == count
    if failure is not None:
        assert failure.usable == (ends in {("mcp", "pagination"), ("http", "too_large")})


def test_without_the_capability_nothing_is_asked_and_there_are_no_tools() -> None:
    s, failure = walk(
        [(DISCOVER, ok({**DISCOVERED, "capabilities": {}}))], Plan(Era.MODERN, lists=("prompts", "resources"))
    )
    assert (failure, s.tools, s.prompts) == (None, [], None)


ALL = ("resources", "resource_templates", "prompts")
CAPABLE = ok({**DISCOVERED, "capabilities": {"tools": {}, "resources": {}, "prompts": {}}})
RESOURCES, TEMPLATES, PROMPTS = "resources/list", "resources/templates/list", "prompts/list"


def others(key: str, *items: Any, **more: Any) -> Any:
    return ok({key: list(items), "resultType": "complete", "ttlMs": 0, "cacheScope": "public", **more})


OTHERS: dict[str, tuple[list[Step], tuple[Any, Any, Any], set[str]]] = {
    "all": (
        [
            (RESOURCES, others("resources", {"uri": "a:b", "name": "x"}, 5)),
            (TEMPLATES, others("resourceTemplates")),
            (PROMPTS, others("prompts", {"name": "p"}, {"name": "q"})),
        ],
        (1, 0, 2),
        set(),
    ),
    "templates are not there": (
        [(RESOURCES, others("resources")), (TEMPLATES, error(-32601, 404)), (PROMPTS, others("prompts"))],
        (0, None, 0),
        set(),
    ),
    "a list is a page of HTML": (
        [(RESOURCES, PAGE), (TEMPLATES, others("resourceTemplates")), (PROMPTS, others("prompts"))],
        (None, 0, 0),
        {"CAP-DECLARED-FAILS"},
    ),
    "a list fails": (
        [(RESOURCES, error(-32603)), (TEMPLATES, others("resourceTemplates")), (PROMPTS, others("prompts"))],
        (None, 0, 0),
        {"CAP-DECLARED-FAILS"},
    ),
    "a list hangs, and nothing more is asked": ([(RESOURCES, DEADLINE)], (None, None, None), {"CAP-DECLARED-FAILS"}),
    "a list never ends": (
        [
            (RESOURCES, others("resources", {"uri": "a:b", "name": "x"}, nextCursor=5)),
            (TEMPLATES, others("resourceTemplates")),
            (PROMPTS, others("prompts")),
        ],
        (1, 0, 0),
        {"PAGE-CURSOR-TYPE"},
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_lists_are_counted_and_never_the_verdict(name: str) -> None:
    steps, counts, told = OTHERS[name]
    s, failure = walk([(DISCOVER, CAPABLE), *MODERN[1:], *steps], Plan(Era.MODERN, lists=ALL))
    assert failure is None
    found = tuple(None if items is None else len(items) for items in (s.resources, s.resource_templates, s.prompts))
    assert found == counts
    assert {f.rule for f in s.findings if f.rule in {"CAP-DECLARED-FAILS", "PAGE-CURSOR-TYPE"}} == told


# --- sessions

AGAIN: list[Step] = [
    (INIT, ok(INITIALIZED, mcp_session_id="s2")),
    (f"{DONE} in s2", http(202)),
]
LOST: dict[str, tuple[list[Step], Ends]] = {
    "404": ([(f"{LIST} in s1", http(404)), *AGAIN, (f"{LIST} in s2", tools("a"))], None),
    "400 without a message": ([(f"{LIST} in s1", http(400)), *AGAIN, (f"{LIST} in s2", tools("a"))], None),
    "400 that says so": ([(f"{LIST} in s1", error(-32000, 400)), *AGAIN, (f"{LIST} in s2", tools("a"))], None),
    "400 that says something else": ([(f"{LIST} in s1", error(-32602, 400))], ("jsonrpc", "list_failed")),
    "404 of an unknown method": ([(f"{LIST} in s1", error(-32601, 404))], ("jsonrpc", "list_failed")),
    "twice": ([(f"{LIST} in s1", http(404)), *AGAIN, (f"{LIST} in s2", http(404))], ("mcp", "session_lost")),
    "and cannot be begun again": (
        [(f"{LIST} in s1", http(404)), (INIT, http(500))],
        ("http", "http_5xx"),
    ),
    "on the second page, then at once": (
        [
            (f"{LIST} in s1", tools("a", nextCursor="1")),
            (f"{LIST} in s1 from '1'", http(404)),
            *AGAIN,
            (f"{LIST} in s2 from '1'", http(404)),
        ],
        ("mcp", "session_lost"),
    ),
}


@pytest.mark.parametrize("name", LOST)
def test_a_session_that_is_lost(name: str) -> None:
    steps, ends = LOST[name]
    s, failure = walk([*HELD[:2], *steps], Plan(Era.LEGACY))
    assert outcome(failure) == ends, failure and failure.message
    assert ("SESS-FORGOTTEN" in {f.rule for f in s.findings}) == (len(steps) > 1)


@pytest.mark.parametrize(("era", "before"), [(Era.MODERN, MODERN[:1]), (Era.LEGACY, LEGACY[:2])])
def test_what_has_no_session_can_lose_none(era: Era, before: list[Step]) -> None:
    _, failure = walk([*before, (LIST, http(404))], Plan(era))
    assert outcome(failure) == ("http", "http_4xx")


def test_goodbye_deletes_each_session_once_ours_first_and_four_at_most() -> None:
    s, _ = walk(HELD, Plan(Era.LEGACY))
    assert farewell(s) == ["s1"]
    assert farewell(s, "", "a", "s1", "b") == ["s1", "a", "b"]
    assert farewell(s, *"abcdefgh") == ["s1", "a", "b", "c"]
    assert farewell(s, "a\r\nb", "a b", "x" * 2000) == ["s1"]
    s.ended.add("s1")
    assert farewell(s, "a", "s1") == ["a"]
    assert farewell(Session()) == []


# --- a tool call

WANTED = {"tool": "search", "arguments": {"q": "é", "n": 5, "deep": {"flag": True}}}
SCHEMA = {
    "type": "object",
    "properties": {
        "q": {"type": "string", "x-mcp-header": "Query"},
        "n": {"type": "integer", "x-mcp-header": "N"},
        "deep": {"type": "object", "properties": {"flag": {"type": "boolean", "x-mcp-header": "Flag"}}},
        "absent": {"type": "string", "x-mcp-header": "Absent"},
        "plain": {"type": "string"},
    },
}
CALL = "tools/call"
CALLS: dict[str, tuple[Any, dict[str, Any], Ends]] = {
    "good": (ok({"content": [], "resultType": "complete"}), {}, None),
    "no resultType": (ok({"content": []}), {}, None),
    "input_required": (ok({"resultType": "input_required"}), {}, ("mcp", "tool_call_failed")),
    "isError": (
        ok({"isError": True, "content": [{}, {"text": ""}, {"text": "no\x1b"}]}),
        {},
        ("mcp", "tool_call_failed"),
    ),
    "isError, silent": (ok({"isError": True}), {}, ("mcp", "tool_call_failed")),
    "isError that is text": (ok({"isError": "no", "content": []}), {}, None),
    "an error": (error(-32602), {}, ("jsonrpc", "tool_call_failed")),
    "500": (http(500), {}, ("http", "http_5xx")),
    "a hang": (DEADLINE, {}, ("http", "deadline")),
    "by the schema": (ok({"a": 1}), {"schema": {"required": ["a"]}}, None),
    "not by the schema": (ok({}), {"schema": {"required": ["a"]}}, ("surface", "tool_result_unexpected")),
    "by the expression": (ok({"a": 0}), {"jmespath": "a"}, None),
    "false": (ok({"a": False}), {"jmespath": "a"}, ("surface", "tool_result_unexpected")),
    "null": (ok({}), {"jmespath": "a"}, ("surface", "tool_result_unexpected")),
    "empty": (ok({"a": {}}), {"jmespath": "a"}, ("surface", "tool_result_unexpected")),
    "an expression that cannot be applied": (
        ok({"a": 1}),
        {"jmespath": "sum(a)"},
        ("surface", "tool_result_unexpected"),
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_tool_call(name: str) -> None:
    reply, wanted, ends = CALLS[name]
    listed = ok(
        {"tools": [tool("search", inputSchema=SCHEMA)], "resultType": "complete", "ttlMs": 0, "cacheScope": "public"}
    )
    _, failure = walk(
        [*MODERN[:1], (LIST, listed), (CALL, reply)], Plan(Era.MODERN, tool_call={**WANTED, "result": wanted})
    )
    assert outcome(failure) == ends, failure and failure.message
    assert failure is None or failure.message.isprintable()


def test_a_tool_that_is_not_there_is_not_called() -> None:
    _, failure = walk(MODERN, Plan(Era.MODERN, tool_call={"tool": "gone"}))
    assert outcome(failure) == ("surface", "tool_missing")


def test_the_headers_of_a_call() -> None:
    for era, expected in (
        (Era.MODERN, {"mcp-name", "mcp-param-query", "mcp-param-n", "mcp-param-flag"}),
        (Era.LEGACY, set()),
    ):
        s = Session(era=era, protocol_version="2026-07-28", tools=[tool("search", inputSchema=SCHEMA)])
        request = next(call_tool(s, WANTED))
        own = {name: value for name, value in request.headers.items() if name.startswith(("mcp-name", "mcp-param"))}
        assert set(own) == expected
        if own:
            assert own == {
                "mcp-name": "search",
                "mcp-param-query": encode_header("é"),
                "mcp-param-n": "5",
                "mcp-param-flag": "true",
            }


@pytest.mark.parametrize(
    "schema",
    [
        None,
        {"properties": 5},
        {"properties": {"q": 5}},
        {"properties": {"q": {"x-mcp-header": "a\r\nb"}}},
        {"properties": {"q": {"x-mcp-header": "a: b"}}},
        {"properties": {"q": {"x-mcp-header": ""}}},
        {"properties": {"q": {"x-mcp-header": "é"}}},
        {"properties": {"q": {"x-mcp-header": ["a"]}}},
        {"properties": {"deep": {"x-mcp-header": "Deep"}}},
    ],
)
def test_a_header_name_a_server_chose_is_a_header_name_or_nothing(schema: Any) -> None:
    s = Session(era=Era.MODERN, protocol_version="2026-07-28", tools=[tool("search", inputSchema=schema)])
    assert not any("param" in name for name in next(call_tool(s, WANTED)).headers)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain", "plain"),
        ("", ""),
        (" a", "=?base64?IGE=?="),
        ("é", "=?base64?w6k=?="),
        ("a\r\nb", "=?base64?YQ0KYg==?="),
        ("=?base64?x?=", "=?base64?PT9iYXNlNjQ/eD89?="),
        ("\ud800", "=?base64?7aCA?="),
    ],
)
def test_header_values_are_plain_ascii_or_wrapped(text: str, written: str) -> None:
    assert encode_header(text) == written


# --- what an owner asks for beyond


def test_active_checks_come_last_and_the_session_is_ended_on_the_way() -> None:
    sent: list[str] = []
    s = Session()
    going = exchange(s, Plan(Era.LEGACY, active_checks=True))
    left = list(HELD)
    request = next(going)
    try:
        while True:
            sent.append(words(request))
            if left:
                reply: Any = left.pop(0)[1]
            else:
                reply = http(204 if request.method == "DELETE" else 405)
            assert not isinstance(reply, Failure)
            request = going.send(reply(request))
    except StopIteration:
        pass
    assert sent[:3] == [what for what, _ in HELD]
    assert sent.index("DELETE in s1") == len(sent) - 2
    assert sent[-1] == "ping in s1"
    assert farewell(s) == []
    assert {"SESS-404", "HTTP-BAD-VERSION-400"} <= {f.rule for f in s.findings}


def test_first_contact_leaves_time_for_the_handshake() -> None:
    assert next(exchange(Session(first_patience_s=4.5), Plan())).patience_s == 4.5
    assert next(exchange(Session(first_patience_s=4.5), Plan(Era.MODERN))).patience_s is None
