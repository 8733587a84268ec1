from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lookout.probe.envelope import Answer, Broken, parse, read_answer
from lookout.probe.quoting import mask, quote
from lookout.probe.result import Reason
from lookout.probe.sse import Event, Parser
from lookout.surface.model import tools_hash


def feed(*chunks: bytes) -> list[Event]:
    parser = Parser()
    return [event for chunk in chunks for event in parser.feed(chunk)]


@pytest.mark.parametrize(
    ("text", "events"),
    [
        (b"data: a\n\n", [Event("message", b"a")]),
        (b"data: a\r\n\r\n", [Event("message", b"a")]),
        (b"data:a\r\rdata:b\n\n", [Event("message", b"a"), Event("message", b"b")]),
        (b"\xef\xbb\xbfdata: a\n\n", [Event("message", b"a")]),
        (b": keep-alive\n\ndata: a\ndata: b\n\n", [Event("message", b"a\nb")]),
        (b"event: endpoint\ndata: /x\n\n", [Event("endpoint", b"/x")]),
        (b"id: 1\nretry: 5\ndata:\n\n", [Event("message", b"")]),
        ('data: "\u2028\x85"\n\n'.encode(), [Event("message", '"\u2028\x85"'.encode())]),
        (b"data: never dispatched", []),
        (b"nonsense\n\n", []),
    ],
)
def test_events(text: bytes, events: list[Event]) -> None:
    assert feed(text) == events


@given(st.binary(max_size=80), st.integers(0, 80))
def test_where_the_bytes_are_cut_changes_nothing(text: bytes, cut: int) -> None:
    whole = text.replace(b"\xef", b"") + b"\n\n"
    assert feed(whole[:cut], whole[cut:]) == feed(whole)


def test_a_cut_inside_a_byte_order_mark() -> None:
    assert feed(b"\xef", b"\xbb", b"\xbfdata: a\n\n") == [Event("message", b"a")]


OK = {"jsonrpc": "2.0", "id": 7, "result": {}}


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ([OK], Reason.BAD_JSONRPC),
        ("x", Reason.BAD_JSONRPC),
        ({**OK, "jsonrpc": "1.0"}, Reason.BAD_JSONRPC),
        ({**OK, "error": {"code": 1}}, Reason.BAD_JSONRPC),
        ({"jsonrpc": "2.0", "id": 7}, Reason.BAD_JSONRPC),
        ({**OK, "id": "7"}, Reason.WRONG_ID),
        ({**OK, "id": 8}, Reason.WRONG_ID),
        ({**OK, "id": True}, Reason.WRONG_ID),
        ({**OK, "id": None}, Reason.WRONG_ID),
        ({**OK, "result": []}, Reason.BAD_JSONRPC),
        ({"jsonrpc": "2.0", "id": 7, "error": "invalid_token"}, Reason.BAD_JSONRPC),
        ({"jsonrpc": "2.0", "id": 7, "error": {"code": "x"}}, Reason.BAD_JSONRPC),
    ],
)
def test_what_is_no_answer(message: object, reason: Reason) -> None:
    found = read_answer(message, 7)
    assert isinstance(found, Broken)
    assert found.reason is reason


def test_answers_and_what_is_skipped() -> None:
    assert read_answer(OK, 7) == Answer({})
    error = {"jsonrpc": "2.0", "id": None, "error": {"code": -32601, "message": "no", "data": 1}}
    assert read_answer(error, 7) == Answer(None, -32601, "no", 1)
    assert read_answer({"jsonrpc": "2.0", "method": "notifications/message"}, 7) is None


@pytest.mark.parametrize("text", [b"NaN", b"[Infinity]", b"{", b"\xff", b"[" * 200_000])
def test_what_is_no_json(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(text)


TOOLS = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.text("abc", min_size=1, max_size=4),
            "inputSchema": st.dictionaries(st.text(max_size=3), st.integers()),
        }
    ),
    max_size=5,
    unique_by=lambda t: t["name"],
)


@given(TOOLS, st.randoms())
def test_reordering_never_changes_a_hash(tools: list[dict[str, object]], rng: object) -> None:
    turned = [json.loads(json.dumps({k: t[k] for k in reversed(t)})) for t in reversed(tools)]
    assert tools_hash(turned) == tools_hash(tools)


def test_what_a_hash_sees() -> None:
    tool = {"name": "a", "inputSchema": {"maximum": 2**63}}
    assert tools_hash([tool]) != tools_hash([{"name": "a", "inputSchema": {"maximum": 2**63 - 1}}])
    assert tools_hash([{**tool, "_meta": {"x": 1}}]) == tools_hash([tool])
    assert tools_hash([{"name": "\ud800"}]) is None
    assert tools_hash([]) == tools_hash([])


def test_words_are_made_safe() -> None:
    assert quote("\x1b[31mred\x07 \u202etxt\n\nnext") == "[31mred txt next"
    assert len(quote("x" * 5000)) == 300
    assert mask("token sesame-open was refused", ["Bearer sesame-open"]) == "token [secret] was refused"
    assert mask("abc", ["ab"]) == "abc"
