"""Servers that break the protocol above HTTP: eras, sessions, HTTP+SSE, refusals, tool calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from lookout.probe.client import GOODBYE_S
from lookout.probe.credential import Credential
from lookout.probe.result import Era, ProbeResult

from tests.contract.probe.probing import (
    UP,
    Verdict,
    answer,
    endless,
    hang,
    measured,
    on_list,
    probe,
    raw,
    reset,
    rules,
    verdict,
)
from tests.servers import hostile as h


def failing(code: int, status: int = 200, data: Any = None) -> h.Script:
    async def serve(call: h.Call) -> None:
        await call.error(code, status=status, data=data)

    return serve


# --- refusals

WALLS = {
    "Cloudflare": answer(403, b"<html><title>Just a moment...", "text/html", cf_mitigated="challenge"),
    "Cloudflare, 503": answer(503, b"<html><title>Just a moment...", "text/html; charset=UTF-8"),
    "AWS WAF": answer(405, b"", "text/html", x_amzn_waf_action="captcha"),
    "AWS WAF, 202": answer(202, b"", "text/html", x_amzn_waf_action="challenge"),
    "DataDome": answer(403, b'{"url":"https://geo.captcha-delivery.com/"}', x_datadome="protected"),
    "Akamai": answer(403, b"<HTML><HEAD><TITLE>Access Denied</TITLE></HEAD>", "text/html", server="AkamaiGHost"),
    "a page with a captcha": answer(200, b"<html>please solve this CAPTCHA", "text/html"),
    "a page that wants JavaScript": answer(429, b"<html>Enable JavaScript and cookies to continue", "text/html"),
    "403 with a page": answer(403, b"<html>", "text/html"),
}


@pytest.mark.parametrize("name", WALLS)
def test_bot_walls_say_nothing_about_the_server(name: str) -> None:
    result = measured(lambda: probe(WALLS[name]), 10)
    assert verdict(result) == ("unknown", "http", "bot_wall"), result.message


RETRY_AFTER = {
    "30": 30,
    "0": 0,
    "Thu, 01 Jan 1970 00:02:01 GMT": 120,
    "Thu, 01 Jan 1970 00:00:00 GMT": 0,
    "99999999": 86_400,
    "9" * 400: None,
    "-5": None,
    "soon": None,
    "Thu, 32 Jan 99999 99:99:99 GMT": None,
    "": None,
}


@pytest.mark.parametrize("text", RETRY_AFTER)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after(status: int, text: str) -> None:
    result = measured(lambda: probe(answer(status, retry_after=text)), 10)
    assert verdict(result)[2] == ("rate_limited" if status == 429 else "http_5xx")
    assert verdict(result)[0] == ("unknown" if status == 429 else "down")
    assert result.retry_after_s == RETRY_AFTER[text]


LIMITED = answer(401, www_authenticate='Bearer resource_metadata="https://evil.example/prm"')
REFUSALS: dict[str, tuple[h.Script, Verdict]] = {
    "401 with WWW-Authenticate": (LIMITED, ("auth_required", "http", "auth_required")),
    "401 without": (answer(401, b'{"error":"invalid_token"}'), ("auth_required", "http", "auth_required")),
    "403": (answer(403), ("auth_required", "http", "auth_required")),
    "401 to initialize only": (
        h.on("initialize", answer(401), h.good_legacy),
        ("auth_required", "http", "auth_required"),
    ),
    "401 to tools/list only": (on_list(answer(401)), ("auth_required", "http", "auth_required")),
    "401 to a tools/list within a session": (
        on_list(answer(401), h.good_legacy),
        ("auth_required", "http", "auth_required"),
    ),
    "401 to discover, and a good initialize": (h.on("server/discover", answer(401), h.good_legacy), UP),
    "403 to discover, 404 to initialize": (
        h.on("server/discover", answer(403), answer(404)),
        ("auth_required", "http", "auth_required"),
    ),
    "429 to tools/list": (on_list(answer(429, retry_after="5")), ("unknown", "http", "rate_limited")),
    "429 to initialize": (h.on("initialize", answer(429), failing(-32601)), ("unknown", "http", "rate_limited")),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals(name: str) -> None:
    script, expected = REFUSALS[name]
    result = measured(lambda: probe(script), 10)
    assert verdict(result) == expected, result.message
    if expected[0] == "auth_required":
        rejected = probe(script, credential=Credential({"authorization": "Bearer x"}, secrets=("x",)))
        assert verdict(rejected) == ("credential_rejected", "http", "credential_rejected")


# --- eras


async def of_no_era(call: h.Call) -> None:
    await call.error(-32600, status=400)


def initializing(**changes: Any) -> h.Script:
    """A stateful server whose answer to initialize is changed; None leaves a field out."""

    async def serve(call: h.Call) -> None:
        if call.rpc != "initialize":
            await h.good_legacy(call)
            return
        info = {"name": "old", "version": "1"}
        result = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": info, **changes}
        await call.result({k: v for k, v in result.items() if v is not None}, mcp_session_id="abc")

    return serve


def discovering(**changes: Any) -> h.Script:
    async def serve(call: h.Call) -> None:
        await call.result({k: v for k, v in {**h.DISCOVERED, **changes}.items() if v is not None})

    return h.on("server/discover", serve)


NEWER = failing(-32022, 400, {"supported": ["2031-01-01"], "requested": "2026-07-28"})
ERAS: dict[str, tuple[h.Script, Verdict]] = {
    "modern": (h.good_modern, UP),
    "legacy": (h.good_legacy, UP),
    "HTTP+SSE": (h.OldServer(), UP),
    "newer than we are": (NEWER, ("degraded", "mcp", "incompatible_version")),
    "newer, with 2,000 versions": (
        failing(-32022, 400, {"supported": [f"\x1b[{i}m" for i in range(2000)]}),
        ("degraded", "mcp", "incompatible_version"),
    ),
    "-32022 without data": (failing(-32022, 400), ("down", "jsonrpc", "rpc_error")),
    "-32022 with nonsense": (failing(-32022, 400, {"supported": [1, None]}), ("down", "jsonrpc", "rpc_error")),
    "-32022 for ever, naming our version": (
        failing(-32022, 400, {"supported": ["2026-07-28"]}),
        ("down", "jsonrpc", "rpc_error"),
    ),
    "-32022 naming a handshake, then a good initialize": (
        h.on("server/discover", failing(-32022, 400, {"supported": ["2025-06-18"]}), h.good_legacy),
        UP,
    ),
    "-32022 with status 200": (
        h.on("server/discover", failing(-32022, 200, {"supported": ["2025-06-18"]}), h.good_legacy),
        UP,
    ),
    "discover good, tools/list 404": (on_list(failing(-32601, 404)), ("down", "jsonrpc", "list_failed")),
    "discover good, tools/list a page": (on_list(answer(404, b"<html>", "text/html")), ("down", "http", "http_4xx")),
    "discover that lists only a handshake": (
        discovering(supportedVersions=["2025-06-18"]),
        ("down", "mcp", "bad_result"),
    ),
    "discover without a version": (discovering(supportedVersions=None), ("down", "mcp", "bad_result")),
    "discover without capabilities": (discovering(capabilities=None), UP),
    "capabilities are a list": (discovering(capabilities=[1]), UP),
    "10,000 capabilities": (discovering(capabilities={f"\x1b{i}": [] for i in range(10_000)} | {"tools": {}}), UP),
    "_meta is text": (discovering(_meta="x"), UP),
    "serverInfo is a list": (discovering(_meta={"io.modelcontextprotocol/serverInfo": [{}]}), UP),
    "serverInfo.name is a number": (discovering(_meta={"io.modelcontextprotocol/serverInfo": {"name": 5}}), UP),
    "200 {} to everything": (answer(200, b"{}"), ("down", "http", "not_mcp")),
    "errors to everything": (failing(-32601), ("down", "jsonrpc", "initialize_error")),
    "-32600 with 400 to everything": (of_no_era, ("down", "jsonrpc", "initialize_error")),
    "an error with a code of 1,000 digits": (failing(10**999), ("down", "jsonrpc", "initialize_error")),
    "a version that is no text": (initializing(protocolVersion=5), ("down", "mcp", "bad_result")),
    "a version with a line break": (
        initializing(protocolVersion="2025-06-18\r\nx-evil: 1"),
        ("down", "mcp", "bad_result"),
    ),
    "a version with an escape": (initializing(protocolVersion="\x1b[2J"), ("down", "mcp", "bad_result")),
    "a version with a NUL": (initializing(protocolVersion="2025\0"), ("down", "mcp", "bad_result")),
    "a version too long": (initializing(protocolVersion="2" * 41), ("down", "mcp", "bad_result")),
    "a version nobody knows": (initializing(protocolVersion="1999-01-01"), UP),
    "no version": (initializing(protocolVersion=None), ("down", "mcp", "bad_result")),
    "no serverInfo": (initializing(serverInfo=None), UP),
    "no capabilities": (initializing(capabilities=None), UP),
    "initialized refused": (
        h.on("notifications/initialized", answer(400), h.good_legacy),
        ("down", "http", "http_4xx"),
    ),
    "initialized answered with an error": (
        h.on("notifications/initialized", answer(500, b"oh"), h.good_legacy),
        ("down", "http", "http_5xx"),
    ),
    "initialized answered with a stream that stays open": (
        h.on("notifications/initialized", raw(h.STREAM_HEAD, then=hang), h.good_legacy),
        UP,
    ),
    "initialized answered with an endless stream": (
        h.on("notifications/initialized", raw(h.STREAM_HEAD, then=endless(b": ping\n\n" * 8192)), h.good_legacy),
        UP,
    ),
    "initialized answered with 100 MB": (
        h.on(
            "notifications/initialized",
            raw(b"HTTP/1.1 202 X\r\n\r\n", then=endless(bytes(65536))),
            h.good_legacy,
        ),
        ("degraded", "http", "too_large"),
    ),
}


@pytest.mark.parametrize("name", ERAS)
def test_eras(name: str) -> None:
    script, expected = ERAS[name]
    result = measured(lambda: probe(script), 10)
    assert verdict(result) == expected, result.message


@pytest.mark.parametrize("timeout_s", [2, 5])
def test_a_legacy_server_that_hangs_on_what_it_does_not_know_is_up(timeout_s: int) -> None:
    result = measured(lambda: probe(h.on("server/discover", hang, h.good_legacy), timeout_s=timeout_s), timeout_s)
    assert (verdict(result), result.era) == (UP, Era.LEGACY)


def test_a_legacy_server_that_closes_on_what_it_does_not_know_is_up() -> None:
    result = measured(lambda: probe(h.on("server/discover", raw(), h.good_legacy)), 10)
    assert (verdict(result), result.era) == (UP, Era.LEGACY)


def test_initialize_answers_that_the_server_is_modern_after_all() -> None:
    calls: list[str] = []

    async def shy(call: h.Call) -> None:
        calls.append(call.rpc)
        if calls == ["server/discover"]:
            await call.error(-32603, status=500)
        else:
            await h.good_modern(call)

    result = probe(shy)
    assert (verdict(result), result.era) == (UP, Era.MODERN)
    assert calls == ["server/discover", "initialize", "server/discover", "tools/list"]


def test_a_version_error_that_names_our_version_is_retried_once() -> None:
    calls: list[str] = []

    async def fussy(call: h.Call) -> None:
        calls.append(call.rpc)
        if len(calls) == 1:
            await call.error(-32022, status=400, data={"supported": ["2026-07-28"]})
        else:
            await h.good_modern(call)

    assert verdict(probe(fussy)) == UP
    assert calls == ["server/discover", "server/discover", "tools/list"]


def test_a_remembered_era_saves_the_detection_and_a_wrong_memory_is_mended() -> None:
    seen: list[Any] = []
    assert probe(h.good_legacy, known=Era.LEGACY, seen=seen).era is Era.LEGACY
    assert "server/discover" not in [call.rpc for call in seen]
    for server, era in ((h.good_modern, Era.MODERN), (h.good_legacy, Era.LEGACY), (h.OldServer(), Era.SSE)):
        for known in Era:
            result = probe(server, known=known)
            assert (verdict(result), result.era) == (UP, era), (era, known, result.message)


@pytest.mark.parametrize("known", list(Era))
def test_an_era_that_is_forced_is_spoken_or_nothing(known: Era) -> None:
    for server, era in ((h.good_modern, Era.MODERN), (h.good_legacy, Era.LEGACY), (h.OldServer(), Era.SSE)):
        result = probe(server, known=known, forced=True)
        assert (verdict(result) == UP) == (era is known), (era, result.message)


def test_every_modern_request_carries_what_the_specification_asks_for() -> None:
    seen: list[Any] = []
    probe(h.good_modern, seen=seen)
    assert [call.rpc for call in seen] == ["server/discover", "tools/list"]
    for call in seen:
        assert call.headers["mcp-method"] == call.rpc
        assert call.headers["mcp-protocol-version"] == "2026-07-28"
        assert call.headers["accept"] == "application/json, text/event-stream"
        assert call.headers["user-agent"].startswith("lookout/")
        meta = call.body["params"]["_meta"]
        assert meta["io.modelcontextprotocol/protocolVersion"] == "2026-07-28"
        assert meta["io.modelcontextprotocol/clientCapabilities"] == {}


# --- sessions


class Sessions:
    """Stateful; `id_of` names the session of each reply, `forgets` how many requests find theirs gone."""

    def __init__(self, id_of: Callable[[int], str], forgets: int = 0, status: int = 404) -> None:
        self.id_of, self.forgets, self.status, self.replies = id_of, forgets, status, 0

    async def __call__(self, call: h.Call) -> None:
        self.replies += 1
        if call.rpc == "tools/list" and self.forgets:
            self.forgets -= 1
            await call.http(self.status, mcp_session_id=self.id_of(self.replies))
        elif call.rpc == "initialize":
            info = {"name": "x", "version": "1"}
            result = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": info}
            await call.result(result, mcp_session_id=self.id_of(self.replies))
        elif call.rpc == "tools/list":
            await call.result({"tools": h.TOOLS}, mcp_session_id=self.id_of(self.replies))
        elif call.rpc == "server/discover":
            await call.http(400, mcp_session_id=self.id_of(self.replies))
        else:
            await call.http(204 if call.method == "DELETE" else 202, kind="")


IDS = {
    "a tab": "a\tb",
    "a space": "a b",
    "no ASCII": "\xe9",
    "nothing": "",
    "1,025 characters": "x" * 1025,
    "60 KB": "x" * 60_000,
}


@pytest.mark.parametrize("name", IDS)
def test_session_ids_that_cannot_be_sent_back(name: str) -> None:
    seen: list[Any] = []
    result = measured(lambda: probe(Sessions(lambda _: IDS[name]), seen=seen), 10)
    assert verdict(result) == ("down", "mcp", "bad_result"), result.message
    assert not any("mcp-session-id" in call.headers for call in seen)


@pytest.mark.parametrize("status", [404, 400])
def test_a_session_that_is_forgotten_once_is_begun_anew_and_told(status: int) -> None:
    seen: list[Any] = []
    result = probe(Sessions(lambda n: f"s{n}", 1, status), seen=seen)
    assert verdict(result) == UP, result.message
    assert "SESS-FORGOTTEN" in rules(result)
    assert [call.rpc for call in seen].count("initialize") == 2


def test_a_session_that_is_always_forgotten_is_lost() -> None:
    seen: list[Any] = []
    result = measured(lambda: probe(Sessions(lambda n: f"s{n}", 99), seen=seen), 10)
    assert verdict(result) == ("down", "mcp", "session_lost")
    assert [call.rpc for call in seen].count("initialize") == 2


def test_a_session_forgotten_by_the_time_the_handshake_ends() -> None:
    result = probe(h.on("notifications/initialized", answer(404), h.good_legacy))
    assert verdict(result) == ("down", "mcp", "session_lost")


def test_a_server_that_names_a_new_session_in_every_reply_has_ours_deleted_first() -> None:
    seen: list[Any] = []
    result = probe(Sessions(lambda n: f"{9 - n}"), seen=seen)
    assert verdict(result) == UP
    ours = next(call.headers["mcp-session-id"] for call in seen if call.rpc == "tools/list")
    deleted = [call.headers["mcp-session-id"] for call in seen if call.method == "DELETE"]
    assert deleted[0] == ours
    assert len(deleted) == len(set(deleted)) == 3


def test_a_hundred_sessions_are_not_all_deleted() -> None:
    count = 0

    async def many(call: h.Call) -> None:
        nonlocal count
        count += 1
        tool = {"name": f"t{count}", "inputSchema": {"type": "object"}}
        await call.result({"tools": [tool], "nextCursor": str(count)}, mcp_session_id=f"n{count}")

    seen: list[Any] = []
    measured(lambda: probe(on_list(many, h.good_legacy), seen=seen), 10)
    deleted = [call.headers["mcp-session-id"] for call in seen if call.method == "DELETE"]
    assert (deleted[0], len(deleted)) == ("abc", 4)


@pytest.mark.parametrize(("script", "reason"), [(failing(-32603), "list_failed"), (hang, "deadline")])
def test_a_session_is_deleted_also_when_the_list_fails(script: h.Script, reason: str) -> None:
    seen: list[Any] = []
    result = probe(on_list(script, h.good_legacy), seen=seen, timeout_s=1)
    assert verdict(result)[2] == reason
    assert (seen[-1].method, seen[-1].headers["mcp-session-id"]) == ("DELETE", "abc")


@pytest.mark.parametrize(
    "script",
    [
        answer(500),
        answer(307, location="http://evil.example/"),
        answer(401),
        hang,
        reset,
        raw(),
        raw(b"nonsense\r\n\r\n"),
    ],
)
def test_what_comes_of_a_goodbye_is_never_held_against_the_server(script: h.Script) -> None:
    async def serve(call: h.Call) -> None:
        await (script if call.method == "DELETE" else h.good_legacy)(call)

    result = measured(lambda: probe(serve, slow_after_ms=1500), GOODBYE_S)
    assert verdict(result) == UP, result.message


# --- HTTP+SSE


def event(text: str, kind: str = "endpoint") -> bytes:
    return f"event: {kind}\ndata: {text}\n\n".encode()


async def silent(server: h.OldServer, call: h.Call) -> None:
    await call.http(202, b"Accepted", "text/plain")


async def foreign(server: h.OldServer, call: h.Call) -> None:
    await call.http(202)
    if "id" in call.body:
        await server.tell({**server.message(call), "id": 999})


async def foreign_first(server: h.OldServer, call: h.Call) -> None:
    await call.http(202)
    if "id" in call.body:
        await server.tell({**server.message(call), "id": 999})
        await server.tell({"jsonrpc": "2.0", "method": "notifications/message"})
        await server.tell(server.message(call))


async def closing(server: h.OldServer, call: h.Call) -> None:
    await call.http(202)
    server.streams[-1].writer.close()


async def closing_early(server: h.OldServer, call: h.Call) -> None:
    """The stream ends with the handshake; tools/list comes to a server that has no stream any more."""
    await call.http(202)
    if call.rpc == "initialize":
        await server.tell(server.message(call))
        server.streams[-1].writer.close()


async def resetting(server: h.OldServer, call: h.Call) -> None:
    await call.http(202)
    await reset(server.streams[-1])


async def flooding(server: h.OldServer, call: h.Call) -> None:
    await call.http(202)
    await endless(b": " + b"x" * 65536 + b"\n\n")(server.streams[-1])


async def late(server: h.OldServer, call: h.Call) -> None:
    """The POST is answered only after the stream has had the answer, if at all."""
    if "id" in call.body:
        await server.tell(server.message(call))
        await hang(call)
    await call.http(202)


async def before(server: h.OldServer, call: h.Call) -> None:
    if "id" in call.body:
        await server.tell(server.message(call))
    await call.http(202, b"Accepted", "text/plain")


async def broken(server: h.OldServer, call: h.Call) -> None:
    await call.http(202)
    await server.streams[-1].raw(b"data: {\n\n")


def refusing(status: int) -> Callable[[h.OldServer, h.Call], Any]:
    async def refuse(server: h.OldServer, call: h.Call) -> None:
        await call.http(status, b"no", "text/plain")

    return refuse


OLD: dict[str, tuple[h.Script, Verdict, int]] = {
    "an endpoint that is absolute": (h.OldServer(event("http://localhost:PORT/messages")), UP, 10),
    "a comment and a ping with the endpoint": (
        h.OldServer(b": hi\n\n" + event("/messages") + event("x", "ping")),
        UP,
        10,
    ),
    "an answer before the POST's": (h.OldServer(answer=before), UP, 10),
    "a POST that hangs while the stream answers": (h.OldServer(answer=late), UP, 10),
    "foreign answers first": (h.OldServer(answer=foreign_first), UP, 10),
    "no endpoint event": (h.OldServer(b""), ("down", "http", "first_byte_timeout"), 2),
    "another first event": (h.OldServer(event("{}", "message")), ("down", "mcp", "wrong_transport"), 10),
    "an endpoint on another host": (h.OldServer(event("http://evil.example/m")), ("down", "mcp", "bad_result"), 10),
    "an endpoint on another host without a scheme": (
        h.OldServer(event("//evil.example/m")),
        ("down", "mcp", "bad_result"),
        10,
    ),
    "an endpoint on another port": (h.OldServer(event("http://localhost:1/m")), ("down", "mcp", "bad_result"), 10),
    "an endpoint in another scheme": (
        h.OldServer(event("https://localhost:PORT/m")),
        ("down", "mcp", "bad_result"),
        10,
    ),
    "an endpoint with a user": (h.OldServer(event("http://u:p@localhost:PORT/m")), ("down", "mcp", "bad_result"), 10),
    "an endpoint with a space": (h.OldServer(event("/m HTTP/1.1")), ("down", "mcp", "bad_result"), 10),
    "an endpoint with escapes": (h.OldServer(event("/\x1b[2J\u202e")), ("down", "mcp", "bad_result"), 10),
    "an endpoint of many lines": (
        h.OldServer(b"event: endpoint\ndata: /a\ndata: x: y\n\n"),
        ("down", "mcp", "bad_result"),
        10,
    ),
    "an endpoint that is nonsense": (h.OldServer(event("http://[")), ("down", "mcp", "bad_result"), 10),
    "an endpoint that is no UTF-8": (
        h.OldServer(b"event: endpoint\ndata: /\xff\n\n"),
        ("down", "mcp", "bad_result"),
        10,
    ),
    "an endpoint of 100 KB": (h.OldServer(event("/" + "x" * 100_000)), ("down", "mcp", "bad_result"), 10),
    "an endless first event": (
        h.on("", raw(h.STREAM_HEAD + b"data: ", then=endless(b"x" * 65536)), answer(405)),
        ("down", "http", "http_4xx"),
        10,
    ),
    "an answer that never comes": (h.OldServer(answer=silent), ("down", "http", "deadline"), 1),
    "a wrong id": (h.OldServer(answer=foreign), ("down", "jsonrpc", "wrong_id"), 1),
    "an event that is no JSON": (h.OldServer(answer=broken), ("down", "jsonrpc", "bad_json"), 10),
    "a stream that is closed": (h.OldServer(answer=closing), ("down", "http", "connection_lost"), 10),
    "a stream that is closed after the handshake": (
        h.OldServer(answer=closing_early),
        ("down", "http", "connection_lost"),
        10,
    ),
    "a stream that is reset": (h.OldServer(answer=resetting), ("down", "http", "connection_lost"), 10),
    "a stream that is flooded": (h.OldServer(answer=flooding), ("down", "http", "too_large"), 10),
    "a POST answered 400": (h.OldServer(answer=refusing(400)), ("down", "http", "http_4xx"), 10),
    "a POST answered 500": (h.OldServer(answer=refusing(500)), ("down", "http", "http_5xx"), 10),
    "a POST answered 401": (h.OldServer(answer=refusing(401)), ("auth_required", "http", "auth_required"), 10),
}


@pytest.mark.parametrize("name", OLD)
@pytest.mark.parametrize("known", [None, Era.SSE])
def test_http_sse(name: str, known: Era | None) -> None:
    script, expected, timeout_s = OLD[name]

    serving = script

    async def serve(call: h.Call) -> None:
        nonlocal serving
        if serving is script and isinstance(script, h.OldServer):
            port = str(call.writer.get_extra_info("sockname")[1]).encode()
            serving = h.OldServer(script.endpoint.replace(b"PORT", port), script.answer)
        await serving(call)

    result = measured(lambda: probe(serve, known=known, timeout_s=timeout_s), timeout_s)
    if name == "an endless first event" and known is Era.SSE:
        expected = ("down", "http", "too_large")
    assert verdict(result) == expected, result.message
    if expected == UP:
        assert (result.era, result.transport, result.tools_count) == (Era.SSE, "http+sse", 1)


def test_a_probe_that_is_tried_again_opens_its_own_stream() -> None:
    server = h.OldServer(answer=closing)
    probe(server, known=Era.SSE)
    assert len(server.streams) == 2


# --- a tool call


def calling(result: Any, otherwise: h.Script = h.good_modern) -> h.Script:
    async def serve(call: h.Call) -> None:
        await call.result(result)

    return h.on("tools/call", serve, otherwise)


TEXT = {"content": [{"type": "text", "text": "42"}], "structuredContent": {"n": 42}, "resultType": "complete"}
SCHEMA = {"type": "object", "properties": {"structuredContent": {"required": ["n"]}}}
DEEP: dict[str, Any] = {"$ref": "#"}
CALLS: dict[str, tuple[h.Script, dict[str, Any], Verdict]] = {
    "good": (calling(TEXT), {"schema": SCHEMA, "jmespath": "structuredContent.n == `42`"}, UP),
    "good, legacy": (calling(TEXT, h.good_legacy), {"jmespath": "content[0].text"}, UP),
    "isError": (
        calling({"isError": True, "content": [{"type": "text", "text": "\x1b[31mno"}]}),
        {},
        ("down", "mcp", "tool_call_failed"),
    ),
    "isError without words": (calling({"isError": True, "content": 5}), {}, ("down", "mcp", "tool_call_failed")),
    "wrong by the schema": (
        calling({**TEXT, "structuredContent": {}}),
        {"schema": SCHEMA},
        ("down", "surface", "tool_result_unexpected"),
    ),
    "wrong by the expression": (
        calling(TEXT),
        {"jmespath": "structuredContent.n == `43`"},
        ("down", "surface", "tool_result_unexpected"),
    ),
    "nothing where the expression looks": (
        calling({}),
        {"jmespath": "structuredContent.n"},
        ("down", "surface", "tool_result_unexpected"),
    ),
    "another type than the expression can take": (
        calling({"content": "x"}),
        {"jmespath": "sum(content)"},
        ("down", "surface", "tool_result_unexpected"),
    ),
    "input_required": (calling({"resultType": "input_required"}), {}, ("down", "mcp", "tool_call_failed")),
    "a resultType that is an object": (calling({"resultType": {"a": 1}}), {}, ("down", "mcp", "tool_call_failed")),
    "an error": (h.on("tools/call", failing(-32602)), {}, ("down", "jsonrpc", "tool_call_failed")),
    "result and error": (
        h.on("tools/call", answer(200, b'{"jsonrpc":"2.0","id":3,"result":{},"error":{"code":1,"message":""}}')),
        {},
        ("down", "jsonrpc", "bad_jsonrpc"),
    ),
    "2 MB": (calling({"content": "x" * 2_000_000}), {}, ("degraded", "http", "too_large")),
    "nested as deeply as is read, for a schema that refers to itself": (
        calling({"a": [[[[[[[[[[]]]]]]]]]]}),
        {"schema": {"type": "object", "additionalProperties": DEEP, "items": DEEP}},
        ("down", "surface", "tool_result_unexpected"),
    ),
    "401": (h.on("tools/call", answer(401)), {}, ("auth_required", "http", "auth_required")),
}


@pytest.mark.parametrize("name", CALLS)
def test_tool_calls(name: str) -> None:
    script, wanted, expected = CALLS[name]
    call = {"tool": "search", "arguments": {"q": "x"}, "result": wanted}
    result = measured(lambda: probe(script, tool_call=call), 10)
    assert verdict(result) == expected, result.message


def test_a_tool_call_that_hangs() -> None:
    script = h.on("tools/call", hang)
    result = measured(lambda: probe(script, tool_call={"tool": "search"}, timeout_s=1), 1)
    assert verdict(result) == ("down", "http", "deadline")


def test_the_tool_to_call_is_not_there() -> None:
    seen: list[Any] = []
    result = probe(h.good_modern, tool_call={"tool": "gone"}, seen=seen)
    assert verdict(result) == ("down", "surface", "tool_missing")
    assert "tools/call" not in [call.rpc for call in seen]


@pytest.mark.parametrize("name", ["q\r\nevil: 1", "q: 1", "", "q" * 101, "é", "q\0", 5, None])
def test_a_header_name_the_server_chose_is_never_sent_where_it_is_none(name: Any) -> None:
    schema = {"type": "object", "properties": {"q": {"type": "string", "x-mcp-header": name}}}
    seen: list[Any] = []

    async def serve(call: h.Call) -> None:
        await call.result({"tools": [{"name": "search", "inputSchema": schema}]})

    result = probe(on_list(serve, calling(TEXT)), tool_call={"tool": "search", "arguments": {"q": "v"}}, seen=seen)
    assert verdict(result)[0] in {"up", "down"}, result.message
    assert not any("evil" in header or "mcp-param" in header for call in seen for header in call.headers)


def test_arguments_go_into_the_headers_a_tool_asks_for() -> None:
    schema = {"type": "object", "properties": {"q": {"type": "string", "x-mcp-header": "Query"}}}
    seen: list[Any] = []

    async def serve(call: h.Call) -> None:
        await call.result({"tools": [{"name": "search", "inputSchema": schema}]})

    result = probe(on_list(serve, calling(TEXT)), tool_call={"tool": "search", "arguments": {"q": "\r\né"}}, seen=seen)
    assert verdict(result) == UP, result.message
    assert seen[-1].headers["mcp-param-query"] == "=?base64?DQrDqQ==?="
    assert seen[-1].headers["mcp-name"] == "search"


# --- what an owner expects


def test_expectations_and_slowness() -> None:
    cases: list[tuple[dict[str, Any], Verdict]] = [
        ({"expect_tools": ("search",)}, UP),
        ({"expect_tools": ("gone",)}, ("down", "surface", "tool_missing")),
        ({"expect_min_tools": 2}, ("down", "surface", "too_few_tools")),
        ({"expect_server_name": "other"}, ("down", "surface", "wrong_server")),
        ({"slow_after_ms": 0}, ("degraded", None, "slow")),
    ]
    for entry, expected in cases:
        assert verdict(probe(h.good_modern, **entry)) == expected
    old: ProbeResult = probe(h.good_legacy, expect_protocol_version="2025-11-25")
    assert verdict(old) == ("down", "mcp", "version_too_old")
    strict = probe(discovering(ttlMs=None), strict=True)
    assert verdict(strict) == ("degraded", "mcp", "nonconformant"), strict.message


def test_our_own_deadline_is_not_the_servers_fault() -> None:
    assert verdict(probe(hang, timeout_s=30, limit_s=1)) == ("unknown", None, "prober_error")


def test_two_probes_do_not_share_a_connection() -> None:
    async def go() -> int:
        async with h.serving(h.good_modern) as running:
            from lookout.config.model import Server
            from lookout.probe.client import probe_server

            for _ in range(2):
                deadline = asyncio.get_running_loop().time() + 5
                await probe_server(Server("x", running.url, allow_private=True), deadline=deadline, now_ms=lambda: 0)
            return running.connections

    assert asyncio.run(go()) == 2
