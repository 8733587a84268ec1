"""The parser of event streams against another one, written from the specification's grammar and not for speed."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lookout.probe.sse import Event, Parser


def reference(text: bytes) -> list[Event]:
    """All events of a whole stream (WHATWG HTML, 9.2.6): lines first, then field by field."""
    lines = re.split(rb"\r\n|\r|\n", text.removeprefix(b"\xef\xbb\xbf"))[:-1]
    events, kind, data = [], b"", b""
    for line in lines:
        if line == b"":
            if data != b"":
                events.append(Event(kind.decode("utf-8", "replace") or "message", data[:-1]))
            kind, data = b"", b""
            continue
        if line.startswith(b":"):
            continue
        name, colon, value = line.partition(b":")
        if colon and value[:1] == b" ":
            value = value[1:]
        if name == b"event":
            kind = value
        elif name == b"data":
            data += value + b"\n"
    return events


def parsed(chunks: list[bytes]) -> list[Event]:
    parser = Parser()
    return [event for chunk in chunks for event in parser.feed(chunk)]


PIECES = st.sampled_from(
    [
        b"data",
        b"event",
        b"id",
        b"retry",
        b":",
        b": ",
        b" ",
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b"x",
        b"\xef",
        b"\xff",
        b"\0",
    ]
)
LONGER = st.sampled_from(
    [b"\xef\xbb\xbf", "\u2028".encode(), "\x85".encode(), b"data: a\n\n", b"event: b\n", b"data\n"]
)
STREAMS = st.lists(PIECES | LONGER, max_size=40).map(b"".join)


@settings(max_examples=500, deadline=None)
@given(STREAMS)
def test_the_same_events_as_the_reference(text: bytes) -> None:
    assert parsed([text]) == reference(text)


@settings(max_examples=500, deadline=None)
@given(STREAMS, st.lists(st.integers(0, 100), max_size=8))
def test_where_the_bytes_are_cut_changes_nothing(text: bytes, places: list[int]) -> None:
    at = sorted({place % (len(text) + 1) for place in places} | {0, len(text)})
    assert parsed([text[i:j] for i, j in pairwise(at)]) == reference(text)
    assert parsed([bytes([byte]) for byte in text]) == reference(text)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_events_or_nothing(text: bytes) -> None:
    assert parsed([text]) == reference(text)


def test_a_cr_ends_its_line_at_once() -> None:
    assert parsed([b"data: a\r\r"]) == [Event("message", b"a")]
    assert parsed([b"data: a\r", b"\r"]) == [Event("message", b"a")]
    assert parsed([b"data: a\r", b"\n\r", b"\n", b"data: b\n\n"]) == [Event("message", b"a"), Event("message", b"b")]


def test_a_long_type_is_cut() -> None:
    (event,) = parsed([b"event: " + b"x" * 5000 + b"\ndata: 1\n\n"])
    assert len(event.type) == 200


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("unit", "size"), [(b"data:x\n", 4 << 20), (b"y" * 64, 64), (b"data:x\n\n", 32)])
def test_time_grows_with_the_bytes_and_not_with_their_square(unit: bytes, size: int) -> None:
    """A second; were it a square, hours."""
    text = unit * ((4 << 20) // len(unit))
    parser = Parser()
    for at in range(0, len(text), size):
        parser.feed(text[at : at + size])
