"""Introductions, pages, redirects, metadata: the rules that look at more than one reply, or at one part of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lookout.probe.envelope import Answer, Broken
from lookout.probe.messages import Reply
from lookout.probe.result import Era, Reason
from lookout.probe.rules import (
    check_capabilities,
    check_discover,
    check_endpoint_event,
    check_fallback,
    check_initialize,
    check_pages,
    check_prm,
    check_redirect,
    check_reply,
    metadata_urls,
)
from lookout.probe.rules.lifecycle import SERVER_INFO

NEWEST, OLDER = "2025-11-25", "2025-06-18"
INFO = {"name": "n", "version": "1"}


def said(findings: list[Any]) -> list[str]:
    return [f"{each.rule} {each.severity}" for each in findings]


def test_the_negotiated_version() -> None:
    assert check_initialize(NEWEST, {"protocolVersion": OLDER, "serverInfo": INFO}) == []
    assert said(check_initialize(NEWEST, {"protocolVersion": "1987-01-01"})) == ["LIFE-VERSION-UNKNOWN warning"]
    older = {"protocolVersion": OLDER}
    assert said(check_initialize(NEWEST, older, {NEWEST, OLDER})) == ["LIFE-VERSION-ECHO warning"]
    assert check_initialize(NEWEST, older, {OLDER}) == []
    assert check_initialize(NEWEST, {"protocolVersion": NEWEST}, {NEWEST, OLDER}) == []
    assert check_initialize(NEWEST, {}, {NEWEST}) == []


def test_an_empty_identity() -> None:
    result = {"protocolVersion": NEWEST, "serverInfo": {"name": "n", "version": ""}}
    assert said(check_initialize(NEWEST, result)) == ["LIFE-INFO-EMPTY info"]
    assert said(check_discover({"_meta": {SERVER_INFO: {"name": "", "version": "1"}}})) == ["LIFE-INFO-EMPTY info"]


def test_a_server_that_does_not_say_who_it_is() -> None:
    assert check_discover({"_meta": {SERVER_INFO: INFO}}) == []
    assert said(check_discover({})) == ["M-SERVERINFO info"]
    assert said(check_discover({"_meta": []})) == ["M-SERVERINFO info"]
    (found,) = check_discover({"serverInfo": INFO})
    assert "outside" in found.message


@pytest.mark.parametrize(
    ("capabilities", "wrong"),
    [
        ({"tools": {}}, False),
        ({"tools": {"listChanged": False}, "logging": {}, "experimental": {"x": {}}}, False),
        ({"tools": {"listChanged": None}}, True),
        ({"tools": {"listChanged": "yes"}}, True),
        ({"resources": {"subscribe": 1}}, True),
        ({"tools": True}, True),
        ({"tools": None}, True),
        ({"somethingNew": {}}, False),
        ({"somethingNew": True}, True),
        ({"experimental": []}, True),
        ({"extensions": {"a/b": {"c": 0.5}}}, False),
        ([], False),
        (None, False),
    ],
)
@pytest.mark.parametrize("version", [None, NEWEST, OLDER, "2026-07-28", "2031-01-01"])
def test_capabilities(capabilities: Any, wrong: bool, version: str | None) -> None:
    assert said(check_capabilities(capabilities, version)) == (["CAP-SHAPE warning"] if wrong else [])


def replied(code: int | None, data: Any = None) -> Reply:
    return Reply(400, {}, Broken(Reason.BAD_JSON, "") if code is None else Answer(None, code, "no", data))


def test_a_stateless_server_that_knows_no_discovery() -> None:
    refused = replied(-32022, {"supported": ["2026-07-28"]})
    assert said(check_fallback(replied(-32601), refused)) == ["M-DISCOVER-MISSING error"]
    assert check_fallback(replied(-32600), refused) == []
    assert check_fallback(replied(None), refused) == []
    assert check_fallback(replied(-32601), replied(-32601)) == []
    assert check_fallback(replied(-32601), replied(-32022, {"supported": ["2031-01-01"]})) == []
    assert check_fallback(replied(-32601), replied(-32022, "x")) == []


PAGES: list[tuple[list[dict[str, Any]], bool, list[str]]] = [
    ([{}], False, []),
    ([{"nextCursor": ""}, {"nextCursor": "a"}, {}], False, []),
    ([{"nextCursor": "a"}, {"nextCursor": "a"}], True, ["PAGE-LOOP error"]),
    ([{"nextCursor": "a"}] * 3, False, ["PAGE-LOOP error"]),
    ([{"nextCursor": str(i)} for i in range(20)], True, ["PAGE-LOOP error"]),
    ([{"nextCursor": None}], False, ["PAGE-CURSOR-TYPE warning"]),
    ([{"nextCursor": 7}], True, ["PAGE-CURSOR-TYPE error"]),
    ([{"cacheScope": "public"}, {"cacheScope": "private"}], False, ["M-CACHE warning"]),
    ([{"cacheScope": "public"}, {"cacheScope": []}], False, []),
    ([], False, []),
]


@pytest.mark.parametrize(("pages", "cut", "expected"), PAGES)
def test_pages(pages: list[dict[str, Any]], cut: bool, expected: list[str]) -> None:
    assert said(check_pages("tools/list", pages, cut)) == expected


def test_redirects_and_endpoint_events() -> None:
    assert check_redirect("https://a/mcp", "https://a/mcp") == []
    assert said(check_redirect("https://a/mcp", "https://a/mcp/")) == ["HTTP-M-REDIRECT info"]
    assert check_endpoint_event(None) == []
    assert said(check_endpoint_event("the first event is message")) == ["SSE-ENDPOINT error"]


ENDPOINT = "https://mcp.example/v1/mcp"
SERVERS = ["https://login.example"]


@pytest.mark.parametrize(
    ("document", "count"),
    [
        ({"resource": ENDPOINT, "authorization_servers": SERVERS}, 0),
        ({"resource": "https://MCP.example:443/v1/mcp/", "authorization_servers": SERVERS}, 0),
        ({"resource": "https://mcp.example", "authorization_servers": SERVERS}, 0),
        ({"resource": "https://mcp.example/v1", "authorization_servers": SERVERS}, 0),
        ({"resource": "https://mcp.example/v", "authorization_servers": SERVERS}, 1),
        ({"resource": "https://mcp.example/v2/mcp", "authorization_servers": SERVERS}, 1),
        ({"resource": "http://mcp.example/v1/mcp", "authorization_servers": SERVERS}, 1),
        ({"resource": "https://evil.example/v1/mcp", "authorization_servers": SERVERS}, 1),
        ({"resource": "https://[", "authorization_servers": SERVERS}, 1),
        ({"resource": "https://mcp.example:x/", "authorization_servers": SERVERS}, 1),
        ({"resource": ENDPOINT, "authorization_servers": []}, 1),
        ({"resource": ENDPOINT, "authorization_servers": "x"}, 1),
        ({"resource": ENDPOINT, "authorization_servers": [1]}, 1),
        ({}, 2),
        ([], 1),
        ("x", 1),
        (None, 1),
    ],
)
def test_protected_resource_metadata(document: Any, count: int) -> None:
    assert said(check_prm(ENDPOINT, document)) == ["AUTH-PRM warning"] * count


def test_metadata_that_nobody_named_is_the_401s_fault() -> None:
    assert said(check_prm(ENDPOINT, None, named=False)) == ["AUTH-WWW-AUTHENTICATE warning"]


WELL_KNOWN = "https://mcp.example/.well-known/oauth-protected-resource"


@pytest.mark.parametrize(
    ("challenge", "expected"),
    [
        ("", ([WELL_KNOWN + "/v1/mcp", WELL_KNOWN], False)),
        ("Bearer realm=x", ([WELL_KNOWN + "/v1/mcp", WELL_KNOWN], False)),
        ('Bearer resource_metadata="https://mcp.example/m"', (["https://mcp.example/m"], True)),
        ("Bearer resource_metadata=https://mcp.example/m, scope=x", (["https://mcp.example/m"], True)),
        ('Bearer resource_metadata="https://169.254.169.254/m"', ([], True)),
        ('Bearer resource_metadata="https://mcp.example.evil/m"', ([], True)),
        ('Bearer resource_metadata="https://mcp.example/\x01"', ([], True)),
        ("Bearer resource_metadata", ([], True)),
    ],
)
def test_where_metadata_is_looked_for(challenge: str, expected: Any) -> None:
    assert metadata_urls(ENDPOINT, challenge) == expected


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "jsonrpc",
                    "id",
                    "result",
                    "error",
                    "code",
                    "message",
                    "data",
                    "tools",
                    "supported",
                    "requested",
                    "_meta",
                    "capabilities",
                    "serverInfo",
                    "name",
                    "version",
                    "protocolVersion",
                    "supportedVersions",
                    "resultType",
                    "nextCursor",
                    "ttlMs",
                    "cacheScope",
                    "resources",
                    "prompts",
                    "resource",
                    "authorization_servers",
                    SERVER_INFO,
                ]
            )
            | st.text(max_size=3),
            inner,
            max_size=6,
        )
        | st.sampled_from(["2.0", "2026-07-28", NEWEST, "complete", "public", ENDPOINT])
    ),
    max_leaves=30,
)
METHODS = ["initialize", "server/discover", "tools/list", "resources/list", "prompts/list", "notifications/initialized"]


@given(
    json_values,
    st.sampled_from([None, *METHODS]),
    st.sampled_from([None, *Era]),
    st.sampled_from([None, "x", "2024-11-05", OLDER, NEWEST, "2026-07-28"]),
    st.sampled_from([200, 202, 307, 400, 401, 404, 500]),
)
def test_nothing_raises_whatever_a_reply_is(
    value: Any, rpc: str | None, era: Era | None, version: str | None, status: int
) -> None:
    for message in (value, {"jsonrpc": "2.0", "id": 1, "result": value}, {"jsonrpc": "2.0", "id": 1, "error": value}):
        reply = Reply(status, {"mcp-session-id": "\x00é"}, None, "application/json", "", message)
        findings = check_reply(rpc, era, version, reply, wanted_id=1)
        assert len(findings) <= 20
        assert all(len(each.message) <= 300 and each.message.isprintable() for each in findings)
    check_capabilities(value, version)
    check_prm(ENDPOINT, value)
    if isinstance(value, dict):
        check_initialize(NEWEST, value, [NEWEST])
        check_discover(value)
        check_pages("tools/list", [value, value])
    check_fallback(replied(-32601, value), replied(-32022, value))
