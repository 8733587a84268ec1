"""What an exchange amounts to, as a table; and whatever a server answers, an exchange ends, and is concluded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lookout.config.model import Server
from lookout.probe.credential import ANONYMOUS, Credential
from lookout.probe.envelope import Answer, Broken, parse, read_answer
from lookout.probe.exchange import Plan, Session, exchange
from lookout.probe.failure import Failure, bot_wall, of_reply, of_status
from lookout.probe.messages import Reply, Request
from lookout.probe.network import Evidence
from lookout.probe.result import Era, Finding, Layer, ProbeResult, Reason, Status
from lookout.probe.tool_call import unexpected
from lookout.probe.verdict import conclude

from tests.unit.probe.walking import DISCOVERED, INITIALIZED, error, http, said, tool

ENTRY = Server("x", "https://mcp.example/mcp")
KNOWN = Credential({"authorization": "Bearer canary-1"}, secrets=("canary-1",))


def concluded(
    failure: Failure | None = None,
    session: Session | None = None,
    credential: Credential = ANONYMOUS,
    total_ms: float = 10.0,
    at_ms: int = 0,
    **entry: Any,
) -> ProbeResult:
    server = Server("x", "https://mcp.example/mcp", **entry)
    return conclude(server, at_ms, session or Session(), Evidence(), {"total": total_ms}, failure, credential)


def failing(layer: Layer, reason: Reason, message: str = "no", usable: bool = False) -> Failure:
    return Failure(layer, reason, message, usable=usable)


FOUND = Session(era=Era.MODERN, protocol_version="2026-07-28", tools=[])
REFUSED = failing(Layer.HTTP, Reason.AUTH_REQUIRED)
CUT = failing(Layer.MCP, Reason.PAGINATION, usable=True)
STATUSES: dict[str, tuple[ProbeResult, Status, Reason | None]] = {
    "went through": (concluded(), Status.UP, None),
    "refused": (concluded(REFUSED), Status.AUTH_REQUIRED, Reason.AUTH_REQUIRED),
    "refused with a credential": (
        concluded(REFUSED, credential=KNOWN),
        Status.CREDENTIAL_REJECTED,
        Reason.CREDENTIAL_REJECTED,
    ),
    "rate limited": (concluded(failing(Layer.HTTP, Reason.RATE_LIMITED)), Status.UNKNOWN, Reason.RATE_LIMITED),
    "a bot wall": (concluded(failing(Layer.HTTP, Reason.BOT_WALL)), Status.UNKNOWN, Reason.BOT_WALL),
    "newer": (
        concluded(failing(Layer.MCP, Reason.INCOMPATIBLE_VERSION)),
        Status.DEGRADED,
        Reason.INCOMPATIBLE_VERSION,
    ),
    "a list that is cut": (concluded(CUT, FOUND), Status.DEGRADED, Reason.PAGINATION),
    "a body that is cut, of no era": (concluded(CUT), Status.DOWN, Reason.PAGINATION),
    "anything else": (concluded(failing(Layer.TCP, Reason.CONNECT_REFUSED)), Status.DOWN, Reason.CONNECT_REFUSED),
    "slow": (concluded(total_ms=5001.0), Status.DEGRADED, Reason.SLOW),
    "not yet slow": (concluded(total_ms=5000.0), Status.UP, None),
    "strict": (
        concluded(session=Session(findings=[Finding("X", "error", "x")]), strict=True),
        Status.DEGRADED,
        Reason.NONCONFORMANT,
    ),
    "strict, and a warning": (
        concluded(session=Session(findings=[Finding("X", "warning", "x")]), strict=True),
        Status.UP,
        None,
    ),
    "not strict": (concluded(session=Session(findings=[Finding("X", "error", "x")])), Status.UP, None),
    "a tool is missing": (
        concluded(session=Session(tools=[tool("a")]), expect_tools=("a", "b")),
        Status.DOWN,
        Reason.TOOL_MISSING,
    ),
    "too few": (concluded(session=Session(tools=[tool("a")]), expect_min_tools=2), Status.DOWN, Reason.TOO_FEW_TOOLS),
    "none, and some expected": (concluded(expect_min_tools=1), Status.DOWN, Reason.TOO_FEW_TOOLS),
    "another server": (concluded(expect_server_name="x"), Status.DOWN, Reason.WRONG_SERVER),
    "too old": (
        concluded(session=Session(protocol_version="2024-11-05"), expect_protocol_version="2025-03-26"),
        Status.DOWN,
        Reason.VERSION_TOO_OLD,
    ),
    "new enough": (concluded(session=FOUND, expect_protocol_version="2025-03-26"), Status.UP, None),
    "as expected": (
        concluded(session=Session(tools=[tool("a")], server_name="x"), expect_tools=("a",), expect_server_name="x"),
        Status.UP,
        None,
    ),
}


@pytest.mark.parametrize("name", STATUSES)
def test_statuses(name: str) -> None:
    result, status, reason = STATUSES[name]
    assert (result.status, result.reason) == (status, reason)
    assert (result.layer is None) == (reason in {None, Reason.SLOW})


RETRY = {
    "5": 5,
    " 5 ": 5,
    "86401": 86_400,
    "Thu, 01 Jan 1970 00:16:45 GMT": 5,
    "Thu, 01 Jan 1970 00:00:00 GMT": 0,
    "Thu, 01 Jan 2099 00:00:00 GMT": 86_400,
    "²": None,
    "5.5": None,
    "-1": None,
    "": None,
}


@pytest.mark.parametrize("text", RETRY)
def test_retry_after(text: str) -> None:
    for status in (429, 503):
        failure = of_status(Reply(status, {"retry-after": text}))
        assert concluded(failure, at_ms=1_000_000).retry_after_s == RETRY[text]
    assert concluded(of_status(Reply(500, {"retry-after": text}))).retry_after_s is None
    assert concluded(REFUSED).retry_after_s is None


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80) | st.text("0123456789 ,:+-GMTJanThu", max_size=50))
def test_retry_after_is_a_number_of_seconds_of_a_day_or_nothing(text: str) -> None:
    seconds = concluded(of_status(Reply(429, {"retry-after": text}))).retry_after_s
    assert seconds is None or 0 <= seconds <= 86_400


def test_a_status_that_came_with_the_failure_is_told() -> None:
    assert concluded(of_status(Reply(307, {}))).http_status == 307
    assert concluded(session=Session(http_status=200)).http_status == 200


def test_what_a_server_repeats_of_our_secrets_is_masked() -> None:
    words = "canary-1 \x1b[2J" + "x" * 1000
    session = Session(era=Era.MODERN, protocol_version="canary-1", server_name=words, server_version=words)
    session.findings = [Finding("X", "error", words)]
    session.tools = [tool("canary-1", description="Bearer canary-1")]
    result = concluded(failing(Layer.HTTP, Reason.HTTP_4XX, words), session, KNOWN)
    assert "canary" not in repr(result)
    for text in (result.message, result.server_name, result.server_version, result.findings[0].message):
        assert text is not None
        assert text.isprintable()
        assert len(text) <= 300


REPLIES: dict[str, tuple[Reply, Layer, Reason]] = {
    "401": (Reply(401, {}), Layer.HTTP, Reason.AUTH_REQUIRED),
    "an error with 401": (Reply(401, {}, Answer(None, -32001)), Layer.HTTP, Reason.AUTH_REQUIRED),
    "an error with 429": (Reply(429, {}, Answer(None, -1)), Layer.HTTP, Reason.RATE_LIMITED),
    "an error with 500": (Reply(500, {}, Answer(None, -1)), Layer.HTTP, Reason.HTTP_5XX),
    "an error with 404": (Reply(404, {}, Answer(None, -32601)), Layer.JSONRPC, Reason.RPC_ERROR),
    "an error": (Reply(200, {}, Answer(None, -1)), Layer.JSONRPC, Reason.RPC_ERROR),
    "a result with 404": (Reply(404, {}, Answer({})), Layer.HTTP, Reason.HTTP_4XX),
    "broken with 404": (Reply(404, {}, Broken(Reason.BAD_JSON, "x")), Layer.HTTP, Reason.HTTP_4XX),
    "broken": (Reply(200, {}, Broken(Reason.BAD_JSON, "x")), Layer.JSONRPC, Reason.BAD_JSON),
    "broken in HTTP": (Reply(200, {}, Broken(Reason.NOT_MCP, "x")), Layer.HTTP, Reason.NOT_MCP),
    "nothing": (Reply(200, {}), Layer.JSONRPC, Reason.NO_RESPONSE),
    "426": (Reply(426, {}), Layer.HTTP, Reason.WRONG_TRANSPORT),
    "304": (Reply(304, {}), Layer.HTTP, Reason.REDIRECT_NOT_FOLLOWED),
}


@pytest.mark.parametrize("name", REPLIES)
def test_a_reply_without_a_result_is_explained_in_the_lowest_layer_that_explains_it(name: str) -> None:
    reply, layer, reason = REPLIES[name]
    failure = of_reply(reply, Reason.RPC_ERROR, "x")
    assert (failure.layer, failure.reason, failure.http_status) == (layer, reason, reply.status)


@pytest.mark.parametrize(
    ("reply", "wall"),
    [
        (Reply(403, {}, media_type="text/html"), True),
        (Reply(403, {}, media_type="application/json"), False),
        (Reply(200, {"cf-mitigated": "challenge"}), True),
        (Reply(405, {"x-amzn-waf-action": "captcha"}), True),
        (Reply(403, {"x-datadome": "protected"}, media_type="application/json"), True),
        (Reply(503, {}, media_type="text/html", excerpt="Just a moment..."), True),
        (Reply(503, {}, media_type="text/html", excerpt="Service unavailable"), False),
        (Reply(503, {}, media_type="text/plain", excerpt="captcha"), False),
        (Reply(404, {}, media_type="text/html", excerpt="captcha"), False),
        (Reply(200, {}, media_type="text/html", excerpt="Enable JavaScript and cookies"), True),
    ],
)
def test_bot_walls(reply: Reply, wall: bool) -> None:
    assert bot_wall(reply) is wall


# --- whatever is answered

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    *(
        "supportedVersions",
        "capabilities",
        "resultType",
        "ttlMs",
        "cacheScope",
        "_meta",
        "protocolVersion",
        "serverInfo",
    ),
    *("tools", "nextCursor", "instructions", "content", "isError", "structuredContent", "supported", "name", "version"),
    *("inputSchema", "type", "properties", "x-mcp-header", "$ref", "annotations", "title", "description", "required"),
]
ODD: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(
        [None, True, 0, -1, 2**70, 1e308, "", "\x1b[2J", "\ud800", "2026-07-28", "a\r\nb", "object", "tools"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5),
    max_leaves=12,
)
GOOD: list[dict[str, Any]] = [
    DISCOVERED,
    INITIALIZED,
    {"tools": [tool(), tool("b")], "ttlMs": 0, "resultType": "complete", "cacheScope": "public"},
    {"content": [{"type": "text", "text": "x"}]},
]


@st.composite
def results(draw: st.DrawFn) -> Any:
    """A result that is good but for one field, at any depth; or anything."""
    if draw(st.integers(0, 4)) == 0:
        return draw(ODD | VALUES)
    whole = json.loads(json.dumps(draw(st.sampled_from(GOOD))))
    at = whole
    while True:
        key = draw(st.sampled_from([*at, *FIELDS])) if isinstance(at, dict) else draw(st.integers(0, len(at) - 1))
        inner = at.get(key) if isinstance(at, dict) else at[key]
        if not inner or not isinstance(inner, dict | list) or draw(st.booleans()):
            at[key] = draw(ODD | VALUES)
            return whole
        at = inner


HEADERS = st.dictionaries(
    st.sampled_from(["mcp-session-id", "www-authenticate", "retry-after", "location", "content-type"]),
    st.text(st.characters(max_codepoint=255), max_size=12)
    | st.sampled_from(["s1", 'Bearer resource_metadata="x"', "0"]),
    max_size=2,
)


@st.composite
def replies(draw: st.DrawFn) -> Any:
    headers = {name.replace("-", "_"): value for name, value in draw(HEADERS).items()}
    status = draw(st.sampled_from([200, 200, 200, 200, 200, 202, 204, 400, 401, 403, 404, 405, 429, 500, 503]))
    kind = draw(st.integers(0, 9))
    if kind < 6:
        result = draw(results())
        return lambda request: said({"jsonrpc": "2.0", "id": request.id, "result": result}, status, **headers)(request)
    if kind == 6:
        return error(draw(st.sampled_from([-32022, -32601, -32000, -32602, 5])), status, draw(ODD), **headers)
    if kind == 7:
        return said(draw(ODD | VALUES), status, **headers)
    if kind == 8:
        return http(
            status, draw(st.text(max_size=20)), draw(st.sampled_from(["text/html", "text/plain", ""])), **headers
        )
    return draw(
        st.sampled_from(
            [
                Failure(Layer.HTTP, Reason.DEADLINE, "late"),
                Failure(Layer.HTTP, Reason.CONNECTION_LOST, "lost"),
                Failure(Layer.HTTP, Reason.TOO_LARGE, "large", usable=True),
            ]
        )
    )


PLANS = st.builds(
    Plan,
    known=st.sampled_from([None, *Era]),
    forced=st.booleans(),
    lists=st.sampled_from([(), ("resources", "resource_templates", "prompts")]),
    tool_call=st.sampled_from(
        [None, {"tool": "search", "arguments": {"name": "x"}, "result": {"jmespath": "content"}}]
    ),
    active_checks=st.booleans(),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(PLANS, st.lists(replies(), min_size=1, max_size=8), st.booleans())
def test_whatever_is_answered_the_exchange_ends_and_is_concluded(plan: Plan, script: list[Any], strict: bool) -> None:
    """Nothing but Failure is raised, requests are few, and their headers can be written."""
    s = Session()
    going = exchange(s, plan)
    failure, sent = None, 0
    try:
        request = next(going)
        while True:
            assert sent < 200
            _assert_sendable(request)
            reply = script[min(sent, len(script) - 1)]
            sent += 1
            request = going.throw(reply) if isinstance(reply, Failure) else going.send(reply(request))
    except StopIteration:
        pass
    except Failure as raised:
        failure = raised
    result = concluded(failure, s, strict=strict)
    assert (result.status is Status.UP) <= (failure is None)
    assert result.message.isprintable()
    assert len(json.dumps(result.compact(), default=str)) < 2000


def _assert_sendable(request: Request) -> None:
    for name, value in request.headers.items():
        assert name.isascii()
        assert name.islower() or not name.isalpha()
        assert not set(name) & set("\r\n\0: ")
        assert not set(value) & set("\r\n\0")
        value.encode("latin-1")
    if request.body is not None:
        json.loads(request.body)


# --- the envelope


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_json_or_an_error_of_value(data: bytes) -> None:
    try:
        parsed = parse(data)
    except ValueError:
        return
    assert isinstance(read_answer(parsed.value, 1), Answer | Broken | None)


@settings(max_examples=200, deadline=None)
@given(VALUES)
def test_json_is_what_it_was(value: Any) -> None:
    assert parse(json.dumps(value).encode()).value == value
    assert isinstance(read_answer({"jsonrpc": "2.0", "id": value, "result": value}, 1), Answer | Broken)
    assert isinstance(read_answer({"jsonrpc": "2.0", "id": 1, "error": value}, 1), Answer | Broken)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"[" * 101 + b"]" * 101, "nested more than 100 deep"),
        (b"[" * 200_000, "more values"),
        (b"[" * 100_000, "nested more than 100 deep"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "nested more than 100 deep"),
        (b"[" + b"{}," * 160_000 + b"1]", "more values"),
        (b"[" + b"1," * 600_000 + b"1]", "more values"),
        (b"9" * 1001, "1001 digits"),
        (b"-" + b"9" * 5000, "5001 digits"),
        (b"NaN", "NaN is not JSON"),
        (b"[-Infinity]", "-Infinity is not JSON"),
        (b"\xff", "utf-8"),
        (b"", "Expecting value"),
    ],
)
def test_json_that_is_not_read(text: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse(text)


def test_what_is_odd() -> None:
    assert parse(b'{"a":1,"b":{"a":1}}').oddities == frozenset()
    assert parse(b'{"a":1,"a":1}').oddities == {"duplicate_keys"}
    assert parse(b'["\\ud800"]').oddities == {"lone_surrogate"}
    assert parse(b'["\\ud83d\\ude00"]').oddities == frozenset()
    assert parse(b"[" * 100 + b"]" * 100).value


def test_an_owners_schema_fetches_nothing() -> None:
    with pytest.raises(ValueError, match="never fetched"):
        unexpected({}, {"schema": {"$ref": "https://evil.example/schema"}})
