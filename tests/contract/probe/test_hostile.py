"""Servers that misbehave in HTTP, JSON-RPC and event streams: each has one status, layer and reason; none takes more
time than its entry allows, none takes memory, and nothing it says harms who reads it.
"""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest
from lookout.probe import client

from tests.contract.probe.probing import (
    UP,
    Verdict,
    answer,
    body,
    endless,
    hang,
    listing,
    measured,
    on_list,
    probe,
    raw,
    reset,
    rules,
    stream,
    verdict,
)
from tests.servers import hostile as h

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"
GOOD = b'{"jsonrpc":"2.0","id":ID,"result":{"tools":[{"name":"search","inputSchema":{"type":"object"}}],"ttlMs":0,'
GOOD += b'"resultType":"complete","cacheScope":"public"}}'
EVENT = b"data: " + GOOD + b"\n\n"
MIB = 1 << 20


def packed(data: bytes, wbits: int) -> bytes:
    squeeze = zlib.compressobj(wbits=wbits)
    return squeeze.compress(data) + squeeze.flush()


def compressed(coding: str, wbits: int, rest: bytes = b"", cut: int = 0) -> h.Script:
    async def serve(call: h.Call) -> None:
        data = packed(GOOD.replace(b"ID", str(call.body["id"]).encode()), wbits)
        await call.http(200, data[: len(data) - cut] + rest, content_encoding=coding)

    return on_list(serve)


HTTP: dict[str, tuple[h.Script, Verdict]] = {
    "500": (answer(500), ("down", "http", "http_5xx")),
    "503 with Retry-After": (answer(503, retry_after="30"), ("down", "http", "http_5xx")),
    "404 page": (answer(404, b"<html>", "text/html"), ("down", "http", "http_4xx")),
    "405": (answer(405, allow="GET"), ("down", "http", "http_4xx")),
    "406": (answer(406), ("down", "http", "http_4xx")),
    "415": (answer(415), ("down", "http", "http_4xx")),
    "421": (answer(421), ("down", "http", "http_4xx")),
    "426": (answer(426, upgrade="h2c", connection="upgrade"), ("down", "http", "wrong_transport")),
    "101": (
        raw(b"HTTP/1.1 101 Switching\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n\x81\x00", then=hang),
        ("down", "http", "wrong_transport"),
    ),
    "304": (answer(304), ("down", "http", "redirect_not_followed")),
    "200 HTML": (answer(200, b"<html>hi", "text/html"), ("down", "http", "not_mcp")),
    "200 text": (answer(200, b"ok", "text/plain"), ("down", "http", "content_type")),
    "200 without a type": (answer(200, b"{}", ""), ("down", "http", "content_type")),
    "200 empty": (answer(200, b""), ("down", "jsonrpc", "bad_json")),
    "202 empty": (answer(202, kind=""), ("down", "jsonrpc", "no_response")),
    "JSON that is no JSON-RPC": (answer(200, b'{"ok":true}'), ("down", "http", "not_mcp")),
    "400 with a valid body": (body(GOOD, 400), ("down", "http", "http_4xx")),
    "500 with a valid body": (body(GOOD, 500), ("down", "http", "http_5xx")),
    "100 MB with a length": (
        on_list(raw(HEAD + b"content-length: 104857600\r\n\r\n", then=endless(bytes(65536)))),
        ("degraded", "http", "too_large"),
    ),
    "100 MB without a length": (
        on_list(raw(HEAD + b"\r\n", then=endless(bytes(65536)))),
        ("degraded", "http", "too_large"),
    ),
    "100 MB to everything": (raw(HEAD + b"\r\n", then=endless(bytes(65536))), ("down", "http", "too_large")),
    "a chunk too large for a number": (
        raw(CHUNKED + b"f" * 17 + b"\r\n", then=hang),
        ("down", "http", "http_protocol"),
    ),
    "a chunk of 2 GiB": (
        on_list(raw(CHUNKED + b"7fffffff\r\n", then=endless(bytes(65536)))),
        ("degraded", "http", "too_large"),
    ),
    "chunks of one byte": (raw(CHUNKED, then=endless(b"1\r\n0\r\n" * 8192)), ("down", "http", "http_protocol")),
    "an endless chunk extension": (
        raw(CHUNKED + b"1;", then=endless(b"x" * 65536)),
        ("down", "http", "http_protocol"),
    ),
    "endless trailers": (raw(CHUNKED + b"0\r\n", then=endless(b"x: y\r\n" * 99)), ("down", "http", "http_protocol")),
    "one endless trailer": (
        raw(CHUNKED + b"0\r\nx: ", then=endless(b"y" * 65536)),
        ("down", "http", "http_protocol"),
    ),
    "a trailer that names a session": (
        on_list(
            raw(CHUNKED + b"%x\r\n" % (len(GOOD) - 1) + GOOD + b"\r\n0\r\nmcp-session-id: evil\r\n\r\n", then=hang)
        ),
        UP,
    ),
    "endless 100 Continue": (
        raw(then=endless(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)),
        ("down", "http", "http_protocol"),
    ),
    "101 headers": (raw(HEAD + b"x: y\r\n" * 100 + b"\r\n", then=hang), ("down", "http", "http_protocol")),
    "endless headers": (
        raw(b"HTTP/1.1 200 OK\r\n", then=endless(b"x: " + b"z" * 8192 + b"\r\n")),
        ("down", "http", "http_protocol"),
    ),
    "one endless header": (
        raw(b"HTTP/1.1 200 OK\r\nx: ", then=endless(b"z" * 65536)),
        ("down", "http", "http_protocol"),
    ),
    "a length and chunks": (
        raw(HEAD + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", then=hang),
        ("down", "http", "http_protocol"),
    ),
    "two lengths": (
        raw(HEAD + b"content-length: 5\r\ncontent-length: 6\r\n\r\nxxxxx", then=hang),
        ("down", "http", "http_protocol"),
    ),
    "a negative length": (raw(HEAD + b"content-length: -1\r\n\r\n", then=hang), ("down", "http", "http_protocol")),
    "a NUL in a header": (raw(HEAD + b"x: \0\r\n\r\n", then=hang), ("down", "http", "http_protocol")),
    "a folded header": (raw(HEAD + b"x: y\r\n z: 1\r\n\r\n", then=hang), ("down", "http", "http_protocol")),
    "lines that end with LF": (raw(HEAD.replace(b"\r", b"") + b"\n", then=hang), ("down", "http", "http_protocol")),
    "HTTP/2": (raw(b"HTTP/2.0 200 OK\r\n\r\n", then=hang), ("down", "http", "http_protocol")),
    "no HTTP": (raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), ("down", "http", "http_protocol")),
    "a second response unasked": (
        on_list(
            raw(HEAD + b"content-length: %d\r\n\r\n" % (len(GOOD) - 1) + GOOD + b"HTTP/1.1 500 No\r\n\r\n", then=hang)
        ),
        UP,
    ),
    "gzip bomb": (answer(200, h.bomb(100), content_encoding="gzip"), ("down", "http", "too_large")),
    "gzip bomb for a list": (
        on_list(answer(200, h.bomb(100), content_encoding="gzip")),
        ("degraded", "http", "too_large"),
    ),
    "gzip that goes on after its end": (
        on_list(raw(HEAD + b"content-encoding: gzip\r\n\r\n" + packed(b"{}", 31), then=endless(bytes(65536)))),
        ("degraded", "http", "too_large"),
    ),
    "deflate of nothing, for ever": (
        on_list(raw(HEAD + b"content-encoding: deflate\r\n\r\n", then=endless(b"\0\0\0\xff\xff" * 13107))),
        ("degraded", "http", "too_large"),
    ),
    "no gzip": (answer(200, b"not gzip", content_encoding="gzip"), ("down", "http", "bad_encoding")),
    "brotli": (answer(200, b"x", content_encoding="br"), ("down", "http", "bad_encoding")),
    "gzip": (compressed("gzip", 31), UP),
    "gzip with a rest": (compressed("x-gzip", 31, rest=b"garbage"), UP),
    "gzip without its end": (compressed("gzip", 31, cut=4), UP),
    "gzip cut off": (compressed("gzip", 31, cut=40), ("down", "jsonrpc", "bad_json")),
    "deflate": (compressed("deflate", 15), UP),
    "deflate, bare": (compressed("deflate", -15), UP),
    "closed in the middle of the body": (
        raw(HEAD + b"content-length: 9\r\n\r\n{"),
        ("down", "http", "connection_lost"),
    ),
    "closed before it answered": (raw(), ("down", "http", "connection_lost")),
    "reset before it answered": (raw(then=reset), ("down", "tcp", "connection_lost")),
    "reset in the middle of the head": (raw(b"HTTP/1.1 200", then=reset), ("down", "tcp", "connection_lost")),
    "reset in the middle of the body": (
        raw(HEAD + b"content-length: 9\r\n\r\n{", then=reset),
        ("down", "tcp", "connection_lost"),
    ),
    "reset at the end of a body without a length": (
        raw(HEAD + b"\r\n{}", then=reset),
        ("down", "tcp", "connection_lost"),
    ),
}


def nested(depth: int) -> bytes:
    return GOOD.replace(b'"ttlMs"', b'"deep":' + b"[" * depth + b"]" * depth + b',"ttlMs"')


def given(text: bytes) -> bytes:
    """An answer that is good but for one more value in its result."""
    return GOOD.replace(b'"ttlMs"', b'"x":' + text + b',"ttlMs"')


def tools(count: int) -> bytes:
    each = b",".join(b'{"name":"t%d","inputSchema":{"type":"object"}}' % i for i in range(count))
    return b'{"jsonrpc":"2.0","id":ID,"result":{"tools":[' + each + b"]}}"


JSON: dict[str, tuple[h.Script, Verdict]] = {
    "good": (body(GOOD), UP),
    "invalid UTF-8": (body(given(b'"\xff"')), ("down", "jsonrpc", "bad_json")),
    "UTF-16": (body(GOOD.decode().encode("utf-16")), ("down", "jsonrpc", "bad_json")),
    "NaN": (body(given(b"NaN")), ("down", "jsonrpc", "bad_json")),
    "Infinity": (body(given(b"-Infinity")), ("down", "jsonrpc", "bad_json")),
    "cut off": (body(GOOD[:-2]), ("down", "jsonrpc", "bad_json")),
    "two values": (body(GOOD + GOOD), ("down", "jsonrpc", "bad_json")),
    "10,000 deep": (body(nested(10_000)), ("down", "jsonrpc", "bad_json")),
    "a million deep, never closed": (body(b"[" * MIB), ("down", "jsonrpc", "bad_json")),
    "101 deep": (body(nested(99)), ("down", "jsonrpc", "bad_json")),
    "100 deep": (body(nested(98)), UP),
    "duplicate keys": (body(given(b'{"a":1,"a":2}')), UP),
    "a lone surrogate": (body(given(b'"\\ud800"')), UP),
    "a number of 1,000 digits": (body(given(b"9" * 1000)), UP),
    "a number of 5,000 digits": (body(given(b"9" * 5000)), ("down", "jsonrpc", "bad_json")),
    "a number beyond all floats": (body(given(b"1e999999")), UP),
    "a million empty objects": (body(given(b"[" + b"{}," * MIB + b"0]")), ("down", "jsonrpc", "bad_json")),
    "two million numbers": (body(given(b"[" + b"1," * (2 * MIB - 999) + b"0]")), ("down", "jsonrpc", "bad_json")),
    "3 MB of astral text": (body(given(b'"' + "\U0001f600".encode() * (3 * MIB // 4) + b'"')), UP),
    "array": (answer(200, b"[]"), ("down", "jsonrpc", "bad_jsonrpc")),
    "text": (body(b'"hello"'), ("down", "jsonrpc", "bad_jsonrpc")),
    "null": (body(b"null"), ("down", "jsonrpc", "bad_jsonrpc")),
    "another version of JSON-RPC": (body(GOOD.replace(b'"2.0"', b"2.0")), ("down", "jsonrpc", "bad_jsonrpc")),
    "wrong id": (body(GOOD.replace(b"ID", b"999")), ("down", "jsonrpc", "wrong_id")),
    "wrong type of id": (body(GOOD.replace(b"ID", b'"ID"')), ("down", "jsonrpc", "wrong_id")),
    "id as a fraction": (body(GOOD.replace(b"ID", b"ID.0")), ("down", "jsonrpc", "wrong_id")),
    "id null": (body(GOOD.replace(b"ID", b"null")), ("down", "jsonrpc", "wrong_id")),
    "no id": (body(GOOD.replace(b'"id":ID,', b"")), ("down", "jsonrpc", "wrong_id")),
    "both result and error": (
        body(GOOD[:-1] + b',"error":{"code":1,"message":""}}'),
        ("down", "jsonrpc", "bad_jsonrpc"),
    ),
    "neither result nor error": (body(b'{"jsonrpc":"2.0","id":ID}'), ("down", "jsonrpc", "bad_jsonrpc")),
    "a notification": (body(b'{"jsonrpc":"2.0","method":"x"}'), ("down", "jsonrpc", "no_response")),
    "error as text": (body(b'{"jsonrpc":"2.0","id":ID,"error":"no"}'), ("down", "jsonrpc", "bad_jsonrpc")),
    "error code as text": (
        body(b'{"jsonrpc":"2.0","id":ID,"error":{"code":"1","message":"no"}}'),
        ("down", "jsonrpc", "bad_jsonrpc"),
    ),
    "an error of 900 KB with escapes": (
        body(b'{"jsonrpc":"2.0","id":ID,"error":{"code":1,"message":"' + b"\\u001b[31m\\u202e" * 50_000 + b'"}}'),
        ("down", "jsonrpc", "list_failed"),
    ),
    "an error whose message is an object": (
        body(b'{"jsonrpc":"2.0","id":ID,"error":{"code":1,"message":{"a":[1]}}}'),
        ("down", "jsonrpc", "list_failed"),
    ),
    "result is a list": (listing([]), ("down", "jsonrpc", "bad_jsonrpc")),
    "result is null": (listing(None), ("down", "jsonrpc", "bad_jsonrpc")),
    "no tools in the result": (listing({}), ("down", "mcp", "bad_result")),
    "tools is an object": (listing({"tools": {}}), ("down", "mcp", "bad_result")),
    "one bad tool": (listing({"tools": [*h.TOOLS, 5, {}, None, [], "\x1b[2J"]}), UP),
    "no tools at all": (listing({"tools": []}), UP),
    "20,000 tools on one page": (body(tools(20_000)), ("degraded", "http", "too_large")),
    "100,000 tools on one page": (body(tools(100_000)), ("degraded", "http", "too_large")),
    "a cursor that is a number": (listing({"tools": [], "nextCursor": 5}), ("degraded", "mcp", "pagination")),
    "a cursor that is null": (listing({"tools": h.TOOLS, "nextCursor": None}), UP),
    "a cursor that comes again": (listing({"tools": h.TOOLS, "nextCursor": "x"}), ("degraded", "mcp", "pagination")),
    "an empty cursor that comes again": (listing({"tools": [], "nextCursor": ""}), ("degraded", "mcp", "pagination")),
}

LINES = GOOD.replace(b",", b",\ndata: ")
EVENTS: dict[str, tuple[h.Script, Verdict]] = {
    "good, and stays open": (stream(EVENT, end=False), UP),
    "CR alone, and stays open": (stream(EVENT.replace(b"\n", b"\r"), end=False), UP),
    "CR LF": (stream(EVENT.replace(b"\n", b"\r\n"), end=False), UP),
    "a byte order mark": (stream(b"\xef\xbb\xbf" + EVENT), UP),
    "U+2028, U+2029 and U+0085 in data": (stream(EVENT.replace(b'"public"', '"\u2028\u2029\x85"'.encode())), UP),
    "many lines of data": (stream(b"data: " + LINES + b"\n\n"), UP),
    "byte by byte": (stream(*(bytes([b]) for b in b"data: "), GOOD, b"\n", b"\n"), UP),
    "200 KB before the answer": (stream(b": " + b"x" * 204_800 + b"\n\n", b"data:\n\n", EVENT, end=False), UP),
    "2 MB before the answer": (stream(b": " + b"x" * 2 * MIB + b"\n\n", EVENT, end=False), UP),
    "9,000 events before the answer": (stream(b"data:\n\n" * 9000, EVENT, end=False), UP),
    "a notification and a request first": (
        stream(
            b'data: {"jsonrpc":"2.0","method":"notifications/message"}\n\n',
            b'data: {"jsonrpc":"2.0","id":ID,"method":"sampling/createMessage"}\n\n',
            EVENT,
        ),
        UP,
    ),
    "an event that is no JSON, then the answer": (stream(b"data: {\n\n", EVENT), UP),
    "a foreign answer, then ours": (stream(EVENT.replace(b"ID", b"999"), EVENT), UP),
    "the answer twice, the second wrong": (stream(EVENT + EVENT.replace(b'"result"', b'"error"')), UP),
    "in gzip": (
        on_list(answer(200, packed(b"data: 1\n\n", 31), "text/event-stream", content_encoding="gzip")),
        ("down", "jsonrpc", "bad_jsonrpc"),
    ),
    "a bomb in gzip": (
        on_list(answer(200, h.bomb(50), "text/event-stream", content_encoding="gzip")),
        ("down", "http", "too_large"),
    ),
    "nothing": (stream(), ("down", "jsonrpc", "no_response")),
    "empty data only": (stream(b"data: \n\n"), ("down", "jsonrpc", "no_response")),
    "the answer without its last line": (stream(EVENT[:-1]), ("down", "jsonrpc", "no_response")),
    "the answer in an event of another type": (stream(b"event: x\n" + EVENT), ("down", "jsonrpc", "no_response")),
    "no JSON": (stream(b"data: {\n\n"), ("down", "jsonrpc", "bad_json")),
    "wrong id": (stream(EVENT.replace(b"ID", b"999")), ("down", "jsonrpc", "wrong_id")),
    "wrong type of id": (stream(EVENT.replace(b"ID", b'"ID"')), ("down", "jsonrpc", "wrong_id")),
    "neither result nor error": (stream(b'data: {"jsonrpc":"2.0","id":ID}\n\n'), ("down", "jsonrpc", "bad_jsonrpc")),
    "a flood of comments": (stream(then=endless(b": " + b"x" * 65536 + b"\n\n")), ("down", "http", "too_large")),
    "an event without end": (
        stream(b"data: ", then=endless(b"x" * 65536)),
        ("down", "http", "too_large"),
    ),
    "an event of endless lines": (stream(then=endless(b"data:xy\n" * 8192)), ("down", "http", "too_large")),
    "a flood of events": (stream(then=endless(b"data:x\n\n" * 8192)), ("down", "http", "too_large")),
    "a flood after the answer": (stream(EVENT, then=endless(b"data:x\n\n" * 8192)), UP),
    "reset in the middle": (stream(b"data: {", then=reset), ("down", "tcp", "connection_lost")),
}

SLOW: dict[str, tuple[h.Script, Verdict]] = {
    "hangs before the head": (hang, ("down", "http", "deadline")),
    "hangs in the head": (raw(b"HTTP/1.1 200 OK\r\nx", then=hang), ("down", "http", "deadline")),
    "hangs after the head": (raw(HEAD + b"content-length: 9\r\n\r\n", then=hang), ("down", "http", "deadline")),
    "drips its head": (raw(b"HTTP/1.1 200 OK\r\nx: ", then=endless(b"y", 0.05)), ("down", "http", "deadline")),
    "drips its body": (
        raw(HEAD + b"content-length: 1000\r\n\r\n", then=endless(b" ", 0.05)),
        ("down", "http", "deadline"),
    ),
    "drips 100 Continue": (
        raw(then=endless(b"HTTP/1.1 100 Continue\r\n\r\n", 0.05)),
        ("down", "http", "deadline"),
    ),
    "keeps the stream alive": (stream(then=endless(b": ping\n\n", 0.05)), ("down", "http", "deadline")),
    "a wrong id, and the stream stays open": (
        stream(EVENT.replace(b"ID", b"999"), end=False),
        ("down", "jsonrpc", "wrong_id"),
    ),
    "no JSON, and the stream stays open": (stream(b"data: {\n\n", end=False), ("down", "jsonrpc", "bad_json")),
}


@pytest.mark.parametrize("name", HTTP)
def test_http(name: str) -> None:
    script, expected = HTTP[name]
    result = measured(lambda: probe(script), 10)
    assert verdict(result) == expected, result.message


@pytest.mark.parametrize("name", JSON)
def test_json(name: str) -> None:
    script, expected = JSON[name]
    result = measured(lambda: probe(script), 10)
    assert verdict(result) == expected, result.message


@pytest.mark.parametrize("name", EVENTS)
def test_events(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Traced and measured a flood takes several times as long as without: what ends it here is never the clock."""
    monkeypatch.setattr(client, "STEP_S", 60.0)
    script, expected = EVENTS[name]
    result = measured(lambda: probe(script, timeout_s=60, limit_s=60), 60)
    assert verdict(result) == expected, result.message


@pytest.mark.parametrize("name", SLOW)
def test_slowness(name: str) -> None:
    script, expected = SLOW[name]
    result = measured(lambda: probe(script, timeout_s=1), 1)
    assert verdict(result) == expected, result.message


def test_what_is_odd_in_json_is_told() -> None:
    for text in (b'{"a":1,"a":2}', b'"\\ud800"'):
        assert "RPC-JSON" in rules(probe(body(given(text))))
    assert "TOOL-SCHEMA" in rules(probe(JSON["one bad tool"][0]))


def test_only_good_tools_are_counted() -> None:
    assert probe(JSON["one bad tool"][0]).tools_count == 1
    assert probe(JSON["20,000 tools on one page"][0]).tools_count == 2000


def test_endless_pages_are_read_so_far_and_no_further() -> None:
    asked: list[str] = []

    async def page(call: h.Call) -> None:
        asked.append(call.body["params"].get("cursor"))
        names = [{"name": f"t{len(asked)}-{i}", "inputSchema": {"type": "object"}} for i in range(90)]
        await call.result({"tools": names, "nextCursor": str(len(asked))})

    result = measured(lambda: probe(on_list(page)), 10)
    assert verdict(result) == ("degraded", "mcp", "pagination")
    assert (result.tools_count, asked) == (1800, [None, *map(str, range(1, 20))])


def test_an_empty_cursor_is_a_cursor() -> None:
    asked: list[Any] = []

    async def page(call: h.Call) -> None:
        asked.append(call.body["params"].get("cursor"))
        name = {"name": f"t{len(asked)}", "inputSchema": {"type": "object"}}
        await call.result({"tools": [name]} | ({"nextCursor": ""} if len(asked) == 1 else {}))

    result = probe(on_list(page))
    assert (verdict(result), result.tools_count, asked) == (UP, 2, [None, ""])


def test_a_trailer_is_no_header() -> None:
    seen: list[Any] = []
    probe(HTTP["a trailer that names a session"][0], seen=seen)
    assert [call.method for call in seen] == ["POST", "POST"]


def test_names_that_attack_who_reads_them_are_tamed() -> None:
    async def evil(call: h.Call) -> None:
        result = json.loads(json.dumps(h.DISCOVERED))
        info = {"name": "\x1b]0;owned\x07<script>\u202egpj", "version": "\x1b[2J1\u2066"}
        result["_meta"]["io.modelcontextprotocol/serverInfo"] = info
        await call.result(result)

    async def tools_list(call: h.Call) -> None:
        names = ["\x1b]0;owned\x07", "<script>alert(1)</script>", "\u202egpj.exe", "a\r\nb", "\ud800"]
        await call.result({"tools": [{"name": name, "inputSchema": {"type": "object"}} for name in names]})

    result = measured(lambda: probe(h.on("server/discover", evil, on_list(tools_list))), 10)
    assert verdict(result) == UP
    assert (result.server_name, result.server_version) == ("]0;owned <script> gpj", "[2J1")
    assert result.tools_count == 5


@pytest.mark.parametrize("size", [1_000_000, 2_000_000])
def test_a_name_of_a_megabyte(size: int) -> None:
    async def long(call: h.Call) -> None:
        meta = {"io.modelcontextprotocol/serverInfo": {"name": "n" * size, "version": "1"}}
        await call.result({**h.DISCOVERED, "_meta": meta})

    result = measured(lambda: probe(h.on("server/discover", long)), 10)
    if size < MIB:
        assert verdict(result) == UP
        assert len(result.server_name or "") == 100
    else:
        assert verdict(result)[0] == "down"
