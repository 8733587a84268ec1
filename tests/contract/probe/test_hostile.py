"""Every way a server can misbehave has one status, layer and reason; none takes long, none takes memory."""

from __future__ import annotations

import asyncio
import datetime
import importlib.util
import json
import resource
import ssl
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
from lookout.config.model import Server
from lookout.probe.client import probe_server
from lookout.probe.credential import ANONYMOUS, Credential, Unavailable
from lookout.probe.result import Era, ProbeResult
from lookout.probe.round_runner import Memory, jitter, probe_round

_spec = importlib.util.spec_from_file_location("hostile", Path(__file__).parents[2] / "servers" / "hostile.py")
assert _spec is not None
assert _spec.loader is not None
h: Any = importlib.util.module_from_spec(_spec)
sys.modules["hostile"] = h
_spec.loader.exec_module(h)


def probe(script: Any, *, tls: Any = None, trust: Any = None, limit_s: float = 10.0, **how: Any) -> ProbeResult:
    credential = how.pop("credential", ANONYMOUS)
    known = how.pop("known", None)
    resolver = how.pop("resolver", None)
    seen: list[Any] = how.pop("seen", [])

    async def go() -> ProbeResult:
        async with h.serving(script, tls) as running:
            options: dict[str, Any] = {"timeout_s": 2, "allow_private": True, **how}
            server = Server("x", options.pop("url", running.url), **options)
            extra = {"resolver": resolver} if resolver else {}
            result = await probe_server(
                server,
                credential=credential,
                deadline=asyncio.get_running_loop().time() + limit_s,
                now_ms=lambda: 1_000,
                known_era=known,
                ssl_context=trust,
                **extra,
            )
            seen.extend(running.calls)
            return result

    return asyncio.run(go())


def verdict(result: ProbeResult) -> tuple[str, str | None, str | None]:
    return (
        result.status.value,
        result.layer.value if result.layer else None,
        result.reason.value if result.reason else None,
    )


def answer(*args: Any, **kwargs: Any) -> Any:
    async def serve(call: Any) -> None:
        await call.http(*args, **kwargs)

    return serve


def raw(*pieces: bytes, then: Callable[[Any], Any] | None = None) -> Any:
    async def serve(call: Any) -> None:
        for piece in pieces:
            await call.raw(piece)
        if then is not None:
            await then(call)
        else:
            call.writer.close()

    return serve


def listing(result: Any) -> Any:
    async def serve(call: Any) -> None:
        await call.result(result)

    return h.on("tools/list", serve)


async def hang(_: Any) -> None:
    await asyncio.sleep(60)


async def reset(call: Any) -> None:
    sock = call.writer.get_extra_info("socket")
    sock.setsockopt(1, 13, struct.pack("ii", 1, 0))
    call.writer.transport.abort()


async def loop_cursor(call: Any) -> None:
    await call.result({"tools": h.TOOLS, "nextCursor": "again"})


async def swapped_id(call: Any) -> None:
    await call.json({"jsonrpc": "2.0", "id": str(call.body["id"]), "result": {"tools": []}})


async def both(call: Any) -> None:
    await call.json({"jsonrpc": "2.0", "id": call.body["id"], "result": {}, "error": {"code": 1, "message": ""}})


def stream(*pieces: bytes, end: bool = True, loop: bytes | None = None) -> Any:
    async def serve(call: Any) -> None:
        await call.raw(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        for piece in pieces:
            await call.raw(piece.replace(b"ID", str(call.body["id"]).encode()))
        if loop is not None:
            await h.forever(call, loop)
        if not end:
            await hang(call)
        call.writer.close()

    return serve


TOOLS_EVENT = b'data: {"jsonrpc":"2.0","id":ID,"result":{"tools":[{"name":"search","inputSchema":{}}]}}\n\n'
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
EVERY = {
    "good modern": (h.good_modern, ("up", None, None)),
    "good legacy": (h.good_legacy, ("up", None, None)),
    "500": (answer(500), ("down", "http", "http_5xx")),
    "503 with Retry-After": (answer(503, retry_after="30"), ("down", "http", "http_5xx")),
    "429": (answer(429, retry_after="30"), ("unknown", "http", "rate_limited")),
    "401 with WWW-Authenticate": (answer(401, www_authenticate="Bearer"), ("auth_required", "http", "auth_required")),
    "401 without": (answer(401, b'{"error":"invalid_token"}'), ("auth_required", "http", "auth_required")),
    "403": (answer(403), ("auth_required", "http", "auth_required")),
    "403 bot page": (answer(403, b"<html>", "text/html"), ("unknown", "http", "bot_wall")),
    "404 page": (answer(404, b"<html>", "text/html"), ("down", "http", "http_4xx")),
    "405": (answer(405, allow="GET"), ("down", "http", "http_4xx")),
    "200 HTML": (answer(200, b"<html>hi", "text/html"), ("down", "http", "not_mcp")),
    "200 text": (answer(200, b"ok", "text/plain"), ("down", "http", "content_type")),
    "200 empty": (answer(200, b""), ("down", "jsonrpc", "bad_json")),
    "invalid UTF-8": (answer(200, b'{"a":"\xff"}'), ("down", "jsonrpc", "bad_json")),
    "NaN": (answer(200, b'{"jsonrpc":"2.0","id":1,"result":{"x":NaN}}'), ("down", "jsonrpc", "bad_json")),
    "10,000 deep": (answer(200, b"[" * 100_000), ("down", "jsonrpc", "bad_json")),
    "array": (answer(200, b"[]"), ("down", "jsonrpc", "bad_jsonrpc")),
    "wrong id type": (h.on("tools/list", swapped_id), ("down", "jsonrpc", "wrong_id")),
    "both result and error": (h.on("tools/list", both), ("down", "jsonrpc", "bad_jsonrpc")),
    "result list": (listing([]), ("down", "jsonrpc", "bad_jsonrpc")),
    "no tools": (listing({}), ("down", "mcp", "bad_result")),
    "cursor loop": (h.on("tools/list", loop_cursor), ("degraded", "mcp", "pagination")),
    "bad cursor": (listing({"tools": [], "nextCursor": 5}), ("degraded", "mcp", "pagination")),
    "one bad tool": (listing({"tools": [*h.TOOLS, 5]}), ("up", None, None)),
    "100 MB body": (
        raw(HEAD + b"content-length: 104857600\r\n\r\n", then=lambda c: h.forever(c, b"0" * 65536, 0)),
        ("down", "http", "too_large"),
    ),
    "gzip bomb": (answer(200, h.bomb(100), content_encoding="gzip"), ("down", "http", "too_large")),
    "bad gzip": (answer(200, b"not gzip", content_encoding="gzip"), ("down", "http", "bad_encoding")),
    "brotli": (answer(200, b"x", content_encoding="br"), ("down", "http", "bad_encoding")),
    "slow drip": (
        raw(HEAD + b"content-length: 1000\r\n\r\n", then=lambda c: h.forever(c, b" ", 0.1)),
        ("down", "http", "deadline"),
    ),
    "hang": (hang, ("down", "http", "deadline")),
    "hang after headers": (raw(HEAD + b"content-length: 9\r\n\r\n", then=hang), ("down", "http", "deadline")),
    "reset mid-body": (raw(HEAD + b"content-length: 9\r\n\r\n{", then=reset), ("down", "tcp", "connection_lost")),
    "closed mid-body": (raw(HEAD + b"content-length: 9\r\n\r\n{"), ("down", "http", "connection_lost")),
    "no HTTP": (raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), ("down", "http", "http_protocol")),
    "endless header": (
        raw(b"HTTP/1.1 200 OK\r\n", then=lambda c: h.forever(c, b"x-y: " + b"z" * 65536 + b"\r\n", 0)),
        ("down", "http", "http_protocol"),
    ),
    "endless SSE": (h.on("tools/list", stream(loop=b": ping\n\n")), ("down", "http", "deadline")),
    "SSE flood": (h.on("tools/list", stream(loop=b": " + b"x" * 65536 + b"\n\n")), ("down", "http", "too_large")),
    "SSE without our answer": (h.on("tools/list", stream(b"data: \n\n")), ("down", "jsonrpc", "no_response")),
    "SSE bad JSON": (h.on("tools/list", stream(b"data: {\n\n")), ("down", "jsonrpc", "bad_json")),
    "SSE 200 KB before the answer": (
        h.on("tools/list", stream(b": " + b"x" * 204_800 + b"\n\n", b"data:\n\n", TOOLS_EVENT, end=False)),
        ("up", None, None),
    ),
    "SSE notification first": (
        h.on("tools/list", stream(b'data: {"jsonrpc":"2.0","method":"notifications/message"}\n\n', TOOLS_EVENT)),
        ("up", None, None),
    ),
    "redirect to metadata": (
        answer(307, location="http://169.254.169.254/latest"),
        ("down", "http", "redirect_not_followed"),
    ),
    "redirect elsewhere": (answer(308, location="https://evil.example/"), ("down", "http", "redirect_not_followed")),
    "redirect loop": (answer(307, location="/mcp"), ("down", "http", "redirect_not_followed")),
    "redirect 302": (answer(302, location="/other"), ("down", "http", "redirect_not_preserving")),
    "redirect nonsense": (answer(307, location="http://[::"), ("down", "http", "redirect_not_followed")),
}


@pytest.mark.parametrize("name", EVERY)
def test_each_has_its_verdict_in_time_and_without_memory(name: str) -> None:
    script, expected = EVERY[name]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.monotonic()
    result = probe(script)
    assert verdict(result) == expected, result.message
    assert time.monotonic() - began < 2 + 2 + 1.5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024
    assert result.message.isprintable()
    assert len(result.message) <= 300
    assert len(json.dumps(result.compact())) < 1500


def contexts(authority: trustme.CA, *names: str, expired: bool = False) -> ssl.SSLContext:
    past = datetime.datetime(2020, 1, 1)
    leaf = authority.issue_cert(*names, **({"not_after": past} if expired else {}))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(server)
    return server


@pytest.mark.parametrize(
    ("names", "expired", "trusted", "expected"),
    [
        (("localhost",), False, True, ("up", None, None)),
        (("localhost",), True, True, ("down", "tls", "cert_expired")),
        (("other.example",), False, True, ("down", "tls", "cert_wrong_name")),
        (("localhost",), False, False, ("down", "tls", "cert_untrusted")),
    ],
)
def test_certificates(names: tuple[str, ...], expired: bool, trusted: bool, expected: Any) -> None:
    authority = trustme.CA()
    trust = ssl.create_default_context()
    if trusted:
        authority.configure_trust(trust)
    result = probe(h.good_modern, tls=contexts(authority, *names, expired=expired), trust=trust)
    assert verdict(result) == expected, result.message
    if expected[0] == "up":
        assert result.tls is not None
        assert (result.tls.version, result.tls.names) == ("TLSv1.3", ("localhost",))
        assert result.tls.not_after is not None
        assert len(result.tls.fingerprint) == 64
        assert set(result.timings_ms) == {"dns", "tcp", "tls", "discover", "tools_list", "total"}


def test_plain_http_where_tls_is_asked_for() -> None:
    async def go() -> ProbeResult:
        async with h.serving(h.good_modern) as running:
            server = Server("x", running.url.replace("http:", "https:"), timeout_s=2, allow_private=True)
            deadline = asyncio.get_running_loop().time() + 5
            return await probe_server(server, deadline=deadline, now_ms=lambda: 0)

    assert verdict(asyncio.run(go()))[:2] == ("down", "tls")


def test_nobody_listens_and_nobody_is_called_that() -> None:
    assert verdict(probe(hang, url="http://127.0.0.1:9/mcp")) == ("down", "tcp", "connect_refused")

    async def nobody(host: str, port: int) -> list[str]:
        raise OSError(-2, "Name or service not known")

    assert verdict(probe(hang, url="http://gone.example/", resolver=nobody)) == ("down", "dns", "name_not_found")

    async def nothing(host: str, port: int) -> list[str]:
        return []

    assert verdict(probe(hang, url="http://gone.example/", resolver=nothing)) == ("down", "dns", "name_not_found")


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::a00:1", "224.0.0.1"],
)
def test_private_addresses_are_refused_and_a_second_answer_is_never_asked_for(address: str) -> None:
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return [address] if len(asked) == 1 else ["127.0.0.1"]

    seen: list[Any] = []
    result = probe(h.good_modern, allow_private=False, resolver=rebinding, seen=seen)
    assert verdict(result) == ("down", "dns", "address_refused")
    assert (len(asked), seen) == (1, [])


def test_an_unexpanded_placeholder_is_said_and_nothing_is_sent() -> None:
    assert verdict(probe(hang, url="https://{host}/mcp"))[2] == "misconfigured"


def test_a_session_is_always_deleted_also_when_the_list_fails() -> None:
    async def broken(call: Any) -> None:
        await call.error(-32603)

    seen: list[Any] = []
    result = probe(h.on("tools/list", broken, h.good_legacy), seen=seen)
    assert verdict(result) == ("down", "jsonrpc", "list_failed")
    assert (seen[-1].method, seen[-1].headers["mcp-session-id"]) == ("DELETE", "abc")
    seen.clear()
    result = probe(h.on("tools/list", hang, h.good_legacy), seen=seen)
    assert verdict(result)[2] == "deadline"
    assert seen[-1].headers["mcp-session-id"] == "abc"


def test_a_session_id_with_control_characters_is_refused() -> None:
    async def evil(call: Any) -> None:
        if call.rpc == "initialize":
            info = {"name": "x", "version": "1"}
            result = {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": info}
            await call.result(result, mcp_session_id="a\tb")
        else:
            await call.error(-32601, status=404)

    assert verdict(probe(evil)) == ("down", "mcp", "bad_result")


def test_a_remembered_era_saves_the_detection_and_a_wrong_memory_is_mended() -> None:
    seen: list[Any] = []
    assert probe(h.good_legacy, known=Era.LEGACY, seen=seen).era is Era.LEGACY
    assert "server/discover" not in [c.rpc for c in seen]
    seen.clear()
    assert verdict(probe(h.good_modern, known=Era.LEGACY, seen=seen)) == ("up", None, None)
    assert verdict(probe(h.good_legacy, known=Era.MODERN)) == ("up", None, None)


def test_every_modern_request_carries_what_the_specification_asks_for() -> None:
    seen: list[Any] = []
    probe(h.good_modern, seen=seen)
    for call in seen:
        assert call.headers["mcp-method"] == call.rpc
        assert call.headers["mcp-protocol-version"] == "2026-07-28"
        assert call.headers["accept"] == "application/json, text/event-stream"
        assert call.headers["user-agent"].startswith("lookout/")
        meta = call.body["params"]["_meta"]
        assert meta["io.modelcontextprotocol/protocolVersion"] == "2026-07-28"
        assert meta["io.modelcontextprotocol/clientCapabilities"] == {}


def test_a_version_error_is_retried_once_and_a_server_newer_than_us_is_not_down() -> None:
    calls: list[str] = []

    async def fussy(call: Any) -> None:
        calls.append(call.rpc)
        if len(calls) == 1:
            await call.error(-32022, status=400, data={"supported": ["2026-07-28"]})
        else:
            await h.good_modern(call)

    assert verdict(probe(fussy)) == ("up", None, None)

    async def newer(call: Any) -> None:
        await call.error(-32022, status=400, data={"supported": ["2031-01-01"]})

    assert verdict(probe(newer)) == ("degraded", "mcp", "incompatible_version")


def test_credentials_are_sent_rejected_and_never_repeated() -> None:
    async def echo(call: Any) -> None:
        await call.http(401, f"bad token {call.headers['authorization']}".encode(), "text/plain")

    result = probe(echo, credential=Credential({"Authorization": "Bearer canary-7f3a"}, secrets=("canary-7f3a",)))
    assert verdict(result) == ("credential_rejected", "http", "credential_rejected")
    assert "canary" not in repr(result)


def test_expected_tools_and_slowness() -> None:
    assert verdict(probe(h.good_modern, expect_tools=("search",)))[0] == "up"
    assert verdict(probe(h.good_modern, expect_tools=("gone",))) == ("down", "surface", "tool_missing")
    assert verdict(probe(h.good_modern, slow_after_ms=0)) == ("degraded", None, "slow")


def test_names_that_attack_a_terminal_are_tamed() -> None:
    async def evil(call: Any) -> None:
        result = json.loads(json.dumps(h.DISCOVERED))
        result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] = "\x1b]0;owned\x07<script>"
        await call.result(result)

    assert probe(h.on("server/discover", evil)).server_name == "]0;owned <script>"


def test_a_bad_server_delays_and_breaks_no_other() -> None:
    async def go() -> list[ProbeResult]:
        async with h.serving(hang) as bad, h.serving(h.good_modern) as good:
            loop = asyncio.get_running_loop()
            servers = [Server(f"bad{i}", bad.url, timeout_s=30, allow_private=True) for i in range(2)]
            servers += [Server(f"ok{i}", good.url, allow_private=True) for i in range(3)]
            servers.append(Server("nokey", good.url, allow_private=True))
            memories: dict[str, Memory] = {}
            results = await probe_round(
                servers,
                minute=0,
                credentials={"nokey": Unavailable("a referenced secret could not be read")},
                deadline=loop.time() + 4.0,
                spread_s=0,
                region="eu-west-1",
                per_host=8,
                memories=memories,
            )
            assert {slug for slug, memory in memories.items() if memory.era} == {"ok0", "ok1", "ok2"}
            return results

    began = time.monotonic()
    results = asyncio.run(go())
    assert time.monotonic() - began < 5.0
    assert [verdict(r)[0] for r in results] == ["unknown", "unknown", "up", "up", "up", "unknown"]
    assert [verdict(r)[2] for r in results if r.status == "unknown"] == [
        "prober_error",
        "prober_error",
        "credential_unavailable",
    ]
    assert all(r.latency_ms < 1000 for r in results if r.status == "up")


def test_jitter_is_stable_differs_by_region_and_stays_inside() -> None:
    values = {region: jitter(region, "x", 8) for region in ("a", "b", "c")}
    assert values == {region: jitter(region, "x", 8) for region in values}
    assert len(set(values.values())) == 3
    assert all(0 <= v < 8 for v in values.values())
    assert (
        asyncio.run(
            probe_round([], minute=0, credentials={}, deadline=0, spread_s=0, region="a", per_host=1, memories={})
        )
        == []
    )
