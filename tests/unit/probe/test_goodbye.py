"""What a probe says last: what it gave up is cancelled, what it was given is deleted."""

from __future__ import annotations

import json

from lookout.probe.messages import Request
from lookout.probe.result import Era
from lookout.probe.session import Session, ask_for, goodbye, initialize, modern


def legacy(session_id: str | None = "s-1") -> Session:
    return Session(era=Era.LEGACY, protocol_version="2025-06-18", session_id=session_id)


def methods(requests: list[Request]) -> list[tuple[str, str]]:
    return [(request.method, request.headers.get("mcp-session-id", "")) for request in requests]


def test_a_request_that_was_given_up_is_cancelled_before_its_session_is_deleted() -> None:
    s = legacy()
    late = ask_for(s, "tools_list", "tools/list", {})
    cancel, delete = goodbye(s, ["s-1", ""], late)
    assert json.loads(cancel.body or b"") == {
        "jsonrpc": "2.0",
        "method": "notifications/cancelled",
        "params": {"requestId": late.id, "reason": "timeout"},
    }
    assert cancel.headers["mcp-protocol-version"] == "2025-06-18"
    assert methods([cancel, delete]) == [("POST", "s-1"), ("DELETE", "s-1")]


def test_on_a_stream_it_is_cancelled_where_messages_go() -> None:
    s = Session(era=Era.SSE, protocol_version="2024-11-05", endpoint="http://127.0.0.1:1/messages?id=1")
    (cancel,) = goodbye(s, [], ask_for(s, "tools_list", "tools/list", {}))
    assert (cancel.method, cancel.target) == ("POST", s.endpoint)


def test_what_began_nothing_is_not_cancelled() -> None:
    s = legacy()
    assert methods(goodbye(s, [])) == [("DELETE", "s-1")]
    assert methods(goodbye(s, [], initialize(s))) == [("DELETE", "s-1")]
    assert methods(goodbye(s, [], modern(s, "discover", "server/discover", {}))) == [("DELETE", "s-1")]
    assert goodbye(legacy(None), [], ask_for(legacy(None), "tools_list", "tools/list", {})) == []
    s.ended.add("s-1")
    assert goodbye(s, [], ask_for(s, "tools_list", "tools/list", {})) == []


def test_every_session_that_was_named_is_deleted_once() -> None:
    s = legacy("b")
    assert methods(goodbye(s, {"c", "a", "b", "", "not to be sent"})) == [
        ("DELETE", "b"),
        ("DELETE", "a"),
        ("DELETE", "c"),
    ]
