"""Requests only a rule wants: what is asked, when nothing more is asked, and what is told again."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
from lookout.probe.extras import PHASES, check_actively, look_at_metadata
from lookout.probe.failure import Failure
from lookout.probe.messages import Reply, Request
from lookout.probe.result import Era, Layer, Reason
from lookout.probe.rules import RULES, active_checks
from lookout.probe.rules.past import Past
from lookout.probe.session import Session
from lookout.probe.verdict import _inner

URL = "https://mcp.example/v1/mcp"
GOOD = {"resource": URL, "authorization_servers": ["https://login.example"]}
LATE = Failure(Layer.HTTP, Reason.DEADLINE, "out of time")
SLOW = Failure(Layer.HTTP, Reason.FIRST_BYTE_TIMEOUT, "no answer")


def refused(challenge: str = "") -> Reply:
    return Reply(401, {"www-authenticate": challenge} if challenge else {}, url=URL)


def run(steps: Generator[Request, Reply, None], *answers: Reply | Failure) -> list[Request]:
    """What is asked while each request is answered so, the last answer for all that follow."""
    asked: list[Request] = []
    left = list(answers)
    try:
        request = next(steps)
        while True:
            asked.append(request)
            answer = left.pop(0) if len(left) > 1 else left[0]
            request = steps.throw(answer) if isinstance(answer, Failure) else steps.send(answer)
    except StopIteration:
        return asked


def rules(s: Session) -> list[str]:
    return [each.rule for each in s.findings]


def found(document: Any) -> Reply:
    return Reply(200, {}, message=document)


@pytest.mark.parametrize(
    ("challenge", "answers", "targets", "expected"),
    [
        ("", [found(GOOD)], 1, []),
        ("", [Reply(404, {}), found(GOOD)], 2, []),
        ("", [SLOW, found(GOOD)], 2, []),
        ("", [Reply(404, {})], 2, ["AUTH-WWW-AUTHENTICATE"]),
        ("", [found(None)], 2, ["AUTH-WWW-AUTHENTICATE"]),
        ("", [LATE], 1, []),
        ('Bearer resource_metadata="https://mcp.example/m"', [found(GOOD)], 1, []),
        ('Bearer resource_metadata="https://mcp.example/m"', [Reply(500, {})], 1, ["AUTH-PRM"]),
        ('Bearer resource_metadata="https://mcp.example/m"', [found({})], 1, ["AUTH-PRM", "AUTH-PRM"]),
        ('Bearer resource_metadata="http://169.254.169.254/m"', [found({})], 0, []),
    ],
)
def test_metadata_is_looked_for_on_the_servers_own_origin(
    challenge: str, answers: list[Any], targets: int, expected: list[str]
) -> None:
    s = Session()
    asked = run(look_at_metadata(s, refused(challenge)), *answers)
    assert rules(s) == expected
    assert len(asked) == targets
    for request in asked:
        assert (request.method, request.body, request.phase in PHASES) == ("GET", None, True)
        assert (request.target or "").startswith("https://mcp.example/")


def test_what_was_found_is_told_again_without_asking_until_it_is_forgotten() -> None:
    past = Past()
    assert len(run(look_at_metadata(Session(past=past), refused()), Reply(404, {}))) == 2
    again = Session(past=past)
    assert run(look_at_metadata(again, refused()), Reply(404, {})) == []
    assert rules(again) == ["AUTH-WWW-AUTHENTICATE"]
    past.forget()
    assert len(run(look_at_metadata(Session(past=past), refused()), Reply(404, {}))) == 2


def legacy(**how: Any) -> Session:
    return Session(Era.LEGACY, "2025-11-25", session_id="abc", capabilities={"tools": {}}, requests=3, **how)


def test_active_checks_end_the_session_once_and_say_nothing_of_a_server_that_says_nothing() -> None:
    s = legacy()
    asked = run(check_actively(s), Reply(200, {}))
    deletes = [index for index, request in enumerate(asked) if request.method == "DELETE"]
    assert deletes == [len(asked) - 2]
    assert s.ended == {"abc"}
    assert asked[-1].headers["mcp-session-id"] == "abc"
    ids = [request.id for request in asked if request.id is not None]
    assert ids == sorted(set(ids))
    assert min(ids) > 3
    assert rules(s).count("SESS-404") == 1


def test_a_session_that_cannot_be_ended_is_not_held_to_be() -> None:
    s = legacy()
    asked = run(check_actively(s), *[Reply(500, {})] * 20)
    assert (asked[-1].method, s.ended, rules(s)) == ("DELETE", {"abc"}, [])


def test_active_checks_end_when_time_does_and_go_on_when_one_is_not_answered() -> None:
    s = legacy()
    assert len(run(check_actively(s), LATE)) == 1
    s = legacy()
    assert len(run(check_actively(s), SLOW, Reply(500, {}))) > 5
    assert s.past.active == []
    assert run(check_actively(s), SLOW) == []


@pytest.mark.parametrize(
    "s", [Session(), *(Session(era, "2024-11-05") for era in (Era.SSE, Era.LEGACY)), Session(Era.LEGACY, "2031-01-01")]
)
def test_nothing_is_asked_of_what_is_unknown_or_was_harmed(s: Session) -> None:
    assert run(check_actively(s), LATE) == []


def test_every_active_rule_has_a_check_where_it_applies_and_no_check_says_anything_of_a_refusal() -> None:
    seen = set()
    for era, version in ((Era.MODERN, "2026-07-28"), (Era.LEGACY, "2025-11-25"), (Era.LEGACY, "2025-03-26")):
        for check in active_checks(era, version, session_id="abc", capabilities={"tools": {}}):
            seen.add(check.rule)
            assert RULES[check.rule].applies(era, version)
            for status in (401, 403, 429, 500, 503):
                assert check.judge(Reply(status, {}, message={"jsonrpc": "2.0", "id": 1, "error": {"code": 1}})) == []
            assert (check.request.phase, check.request.patience_s is not None) == ("active_checks", True)
    assert seen == {rule.id for rule in RULES.values() if rule.kind == "active"}


def test_an_older_version_is_not_asked_what_newer_ones_ask() -> None:
    older = {each.rule for each in active_checks(Era.LEGACY, "2025-03-26", session_id="a", capabilities={})}
    assert older.isdisjoint({"SEC-ORIGIN", "HTTP-BAD-VERSION-400", "RPC-BATCH-ACCEPTED"})
    without = {each.rule for each in active_checks(Era.LEGACY, "2025-11-25", capabilities={"tools": {}})}
    assert without.isdisjoint({"SESS-404", "SESS-400-MISSING", "HTTP-GET-405"})


def test_inner_schemas_are_looked_at_when_the_surface_is_another() -> None:
    bad = [{"name": "n", "inputSchema": {"type": "objekt"}}]
    s = Session(Era.MODERN, "2026-07-28", tools=bad)
    assert [each.rule for each in _inner(s, "one")] == ["TOOL-INNER-SCHEMA"]
    s.tools = [{"name": "n", "inputSchema": {"type": "object"}}]
    assert [each.rule for each in _inner(s, "one")] == ["TOOL-INNER-SCHEMA"]
    assert _inner(s, "two") == []
    assert _inner(s, None) == []
