"""A response's bytes: however they are cut the same comes of them, and whatever they are only Failure is raised."""

from __future__ import annotations

import asyncio
import contextlib
import json
import zlib
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lookout.probe.envelope import Answer, Broken
from lookout.probe.failure import Failure
from lookout.probe.incoming import FRAMING_LIMIT, HEAD_LIMIT, Incoming
from lookout.probe.inflate import PIECE, Inflater
from lookout.probe.result import Reason
from lookout.probe.sinks import EVENTS_LIMIT, STREAM_LIMIT, Collector

LIMIT = 4096
GOOD = b'{"jsonrpc":"2.0","id":1,"result":{"n":"\xe2\x82\xac"}}'
EVENTS = (
    b"\xef\xbb\xbf: hello\r\nid: 1\rdata:\n\nevent: x\ndata: 1\n\n"
    b"data: " + GOOD.replace(b",", b",\r\ndata: ") + b"\n\ndata: 2\n\n"
)


def packed(data: bytes, wbits: int = 31) -> bytes:
    squeeze = zlib.compressobj(wbits=wbits)
    return squeeze.compress(data) + squeeze.flush()


def chunked(data: bytes, size: int = 7) -> bytes:
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    return b"".join(b"%x;x=y\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\nx-trailer: y\r\n\r\n"


def response(body: bytes, *headers: str, status: int = 200, kind: str = "application/json") -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"content-type: {kind}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def sized(body: bytes, *headers: str, **how: Any) -> bytes:
    return response(body, f"content-length: {len(body)}", *headers, **how)


CHUNKED = "transfer-encoding: chunked"
STREAM = "text/event-stream"
RESPONSES = {
    "sized": sized(GOOD),
    "chunked": response(chunked(GOOD), CHUNKED),
    "to the end": response(GOOD),
    "after 100 and 103": b"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 103 E\r\nlink: x\r\n\r\n" + sized(GOOD),
    "gzip": sized(packed(GOOD), "content-encoding: gzip"),
    "deflate": response(chunked(packed(GOOD, 15)), CHUNKED, "content-encoding: deflate"),
    "bare deflate": sized(packed(GOOD, -15), "content-encoding: deflate"),
    "no gzip": sized(GOOD, "content-encoding: gzip"),
    "events": sized(EVENTS, kind=STREAM),
    "chunked events": response(chunked(EVENTS), CHUNKED, kind=STREAM),
    "events in gzip": response(packed(EVENTS), "content-encoding: gzip", kind=STREAM),
    "events without an answer": sized(b"data: 1\n\ndata: {\n\n", kind=STREAM),
    "too large": response(b"x" * (LIMIT + 1)),
    "a bomb": response(packed(bytes(100 * LIMIT)), "content-encoding: gzip"),
    "no JSON": sized(b"\xff"),
    "a page": sized(b"<html>", kind="text/html"),
    "a failure": sized(b"oh", status=500, kind="text/plain"),
    "cut off": sized(GOOD)[:-1],
    "no HTTP": b"220 smtp.example ESMTP\r\n",
    "two lengths": response(GOOD, "content-length: 1", "content-length: 2"),
    "101": b"HTTP/1.1 101 X\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nwhatever",
    "HTTP/2": b"HTTP/2.0 200 OK\r\n\r\n",
    "unasked encoding": sized(GOOD, "content-encoding: br"),
    "too many headers": response(GOOD, *(f"x-{i}: y" for i in range(101))),
    "nothing": b"",
}


def heard(chunks: list[bytes], wanted: int | None = 1, first_event: bool = False) -> tuple[Any, ...]:
    """All that came of the chunks and the end of the connection after them."""

    async def go() -> tuple[Any, ...]:
        collector = Collector(LIMIT, wanted, first_event)
        incoming = Incoming(collector, asyncio.get_running_loop().create_future())
        try:
            for at, chunk in enumerate(chunks):
                if not incoming.complete:
                    incoming.feed(chunk, float(at + 1))
                assert len(collector.body) <= LIMIT + PIECE
            incoming.lost(None)
        except Failure as failure:
            incoming.fail(failure)
        assert incoming.answered.done()
        error = incoming.answered.exception()
        assert error is None or isinstance(error, Failure)
        told = None if error is None else (error.layer, error.reason, error.message)
        return told, incoming.status, incoming.headers, collector.answer, collector.message, collector.event

    return asyncio.run(go())


def cut(data: bytes, places: list[int]) -> list[bytes]:
    at = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[i:j] for i, j in pairwise(at)]


@pytest.mark.parametrize("name", RESPONSES)
def test_byte_by_byte_is_the_same_as_at_once(name: str) -> None:
    data = RESPONSES[name]
    at_once = heard([data] if data else [])
    if len(data) < 3000:
        assert _same(heard([bytes([byte]) for byte in data]), at_once)
    assert _same(heard(cut(data, list(range(0, len(data), 97)))), at_once)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(RESPONSES)), st.lists(st.integers(0, 10_000), max_size=12))
def test_where_the_bytes_are_cut_changes_nothing(name: str, places: list[int]) -> None:
    data = RESPONSES[name]
    assert _same(heard(cut(data, places)), heard([data] if data else []))


def _same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """What failed failed for the same reason; how much of a head was kept by then may differ."""
    if one[0] is not None or other[0] is not None:
        return one[0] is not None and other[0] is not None and one[0][:2] == other[0][:2]
    return one == other


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=5), st.booleans(), st.sampled_from([None, 1]))
def test_arbitrary_bytes_are_a_failure_or_an_answer(chunks: list[bytes], first_event: bool, wanted: int | None) -> None:
    heard(chunks, wanted, first_event)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(RESPONSES)), st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=6))
def test_a_good_response_with_a_few_bytes_changed_is_a_failure_or_an_answer(
    name: str, changes: list[tuple[int, int]]
) -> None:
    data = bytearray(RESPONSES[name])
    for place, byte in changes:
        if data:
            data[place % len(data)] = byte
    heard([bytes(data)] if data else [])


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["application/json", STREAM, "text/html"]), st.booleans())
def test_arbitrary_bodies_are_a_failure_or_an_answer(body: bytes, kind: str, gzip: bool) -> None:
    told, status, _, answer, _, _ = heard([sized(body, *(["content-encoding: gzip"] if gzip else []), kind=kind)])
    assert (status, isinstance(answer, Answer | Broken)) == (200, told is None)


# --- what is kept


def keeping(*pieces: bytes, repeat: bytes, wanted: int | None = 1) -> tuple[Failure, int]:
    """The failure that ends an endless response, and how many bytes were fed until then."""

    async def go() -> tuple[Failure, int]:
        collector = Collector(LIMIT, wanted)
        incoming = Incoming(collector, asyncio.get_running_loop().create_future())
        fed = 0
        try:
            for piece in pieces:
                incoming.feed(piece, 1.0)
            while fed < 1 << 26:
                incoming.feed(repeat, 1.0)
                fed += len(repeat)
        except Failure as failure:
            return failure, fed
        raise AssertionError("it was read without end")

    return asyncio.run(go())


HEAD = b"HTTP/1.1 200 OK\r\n"
ENDLESS: dict[str, tuple[list[bytes], bytes, Reason, int]] = {
    "headers": ([HEAD], b"x: y\r\n", Reason.HTTP_PROTOCOL, 1000),
    "a header": ([HEAD + b"x: "], b"y" * 999, Reason.HTTP_PROTOCOL, HEAD_LIMIT),
    "interim responses": ([], b"HTTP/1.1 100 C\r\n\r\n", Reason.HTTP_PROTOCOL, HEAD_LIMIT),
    "trailers": ([response(b"0\r\n", CHUNKED)], b"x: y\r\n", Reason.HTTP_PROTOCOL, 1000),
    "a trailer": ([response(b"0\r\nx: ", CHUNKED)], b"y" * 999, Reason.HTTP_PROTOCOL, FRAMING_LIMIT + 1000),
    "a chunk extension": ([response(b"1;", CHUNKED)], b"y" * 999, Reason.HTTP_PROTOCOL, FRAMING_LIMIT + 1000),
    "chunks of a byte": ([response(b"", CHUNKED, kind=STREAM)], b"1\r\n:\r\n", Reason.HTTP_PROTOCOL, 2 * FRAMING_LIMIT),
    "a body": ([response(b"")], b"y" * 999, Reason.TOO_LARGE, LIMIT),
    "a line of a stream": ([response(b"data: ", kind=STREAM)], b"y" * 9999, Reason.TOO_LARGE, STREAM_LIMIT),
    "lines of an event": ([response(b"", kind=STREAM)], b"data: y\n" * 999, Reason.TOO_LARGE, STREAM_LIMIT),
    "comments": ([response(b"", kind=STREAM)], b": y\n" * 999, Reason.TOO_LARGE, STREAM_LIMIT),
    "events": ([response(b"", kind=STREAM)], b"data:y\n\n" * 99, Reason.TOO_LARGE, 9 * EVENTS_LIMIT),
    "after the answer": (
        [response(b"data: " + GOOD + b"\n\n", kind=STREAM)],
        b"data:y\n\n" * 9999,
        Reason.TOO_LARGE,
        STREAM_LIMIT,
    ),
    "nothing, compressed": (
        [response(b"", "content-encoding: deflate")],
        b"\0\0\0\xff\xff" * 99,
        Reason.TOO_LARGE,
        LIMIT,
    ),
    "after the end of gzip": (
        [response(packed(b"{}"), "content-encoding: gzip")],
        b"y" * 999,
        Reason.TOO_LARGE,
        LIMIT,
    ),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_nothing_is_read_without_end(name: str) -> None:
    pieces, repeat, reason, most = ENDLESS[name]
    failure, fed = keeping(*pieces, repeat=repeat)
    assert failure.reason is reason, failure.message
    assert fed <= most + 10_000


def test_a_second_response_changes_nothing_of_the_first() -> None:
    both = sized(GOOD) + sized(b"{}", "mcp-session-id: evil", status=500)
    told, status, headers, answer, _, _ = heard([both])
    assert (told, status, headers.get("mcp-session-id")) == (None, 200, None)
    assert answer == Answer({"n": "€"})


def test_a_trailer_changes_nothing_of_the_head() -> None:
    body = b"%x\r\n%s\r\n0\r\nmcp-session-id: evil\r\ncontent-type: text/html\r\n\r\n" % (len(GOOD), GOOD)
    _, _, headers, answer, _, _ = heard([response(body, CHUNKED, "mcp-session-id: ours")])
    assert (headers["mcp-session-id"], headers["content-type"]) == ("ours", "application/json")
    assert answer == Answer({"n": "€"})


def test_repeated_headers_are_joined() -> None:
    _, _, headers, *_ = heard([sized(GOOD, "X-A: 1", "x-a: 2")])
    assert headers["x-a"] == "1, 2"


def test_the_first_event_of_a_stream_is_the_first_whatever_comes_with_it() -> None:
    together = response(b"event: endpoint\ndata: /x\n\nevent: ping\ndata: 1\n\n", kind=STREAM)
    *_, event = heard([together], None, first_event=True)
    assert (event.type, event.data) == ("endpoint", b"/x")


def test_the_first_answer_stays_also_in_later_bytes() -> None:
    other = GOOD.replace(b'"n"', b'"m"')
    _, _, _, answer, _, _ = heard([response(b"data: " + GOOD + b"\n\n", kind=STREAM), b"data: " + other + b"\n\n"])
    assert answer == Answer({"n": "€"})


def test_a_notification_is_answered_by_the_head_of_a_stream() -> None:
    async def go() -> bool:
        incoming = Incoming(Collector(LIMIT, None), asyncio.get_running_loop().create_future())
        incoming.feed(response(b"", kind=STREAM), 1.0)
        return incoming.answered.done() and not incoming.complete

    assert asyncio.run(go())


# --- compressed bodies


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=500).map(lambda data: data * 300),
    st.sampled_from([("gzip", 31), ("x-gzip", 31), ("deflate", 15), ("deflate", -15)]),
    st.lists(st.integers(0, 100_000), max_size=6),
)
def test_what_was_compressed_comes_back_in_pieces(data: bytes, coding: tuple[str, int], places: list[int]) -> None:
    inflater = Inflater(coding[0])
    pieces = [piece for chunk in cut(packed(data, coding[1]), places) for piece in inflater.feed(chunk)]
    assert b"".join(pieces) == data
    assert all(len(piece) <= PIECE for piece in pieces)


def test_what_is_held_back_when_a_piece_is_full_is_not_lost() -> None:
    """zlib may have taken all its input and still owe some of what it decoded."""
    data = bytes(3 * PIECE)
    small = packed(data)
    for place in range(len(small)):
        inflater = Inflater("gzip")
        assert b"".join(p for chunk in (small[:place], small[place:]) for p in inflater.feed(chunk)) == data


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=5), st.sampled_from(["gzip", "deflate"]))
def test_what_was_not_compressed_is_an_error_of_value(chunks: list[bytes], coding: str) -> None:
    inflater = Inflater(coding)
    with contextlib.suppress(ValueError):
        for chunk in chunks:
            assert all(len(piece) <= PIECE for piece in inflater.feed(chunk))


def test_of_a_bomb_no_more_is_decoded_than_is_asked_for() -> None:
    pieces = Inflater("gzip").feed(packed(bytes(64 << 20)))
    assert len(next(pieces)) == PIECE


def test_json_of_every_kind_is_an_answer_or_broken() -> None:
    values: list[Any] = [None, True, 5, "x", [], {}, {"jsonrpc": "2.0"}, {"jsonrpc": "2.0", "method": "x"}]
    for value in values:
        told, _, _, answer, _, _ = heard([sized(json.dumps(value).encode())])
        assert (told, type(answer)) == (None, Broken)
