"""Streaks: how many rounds in a row must say something before a server's status changes. A table:

    from \\ says       fail class               ok class, other status      same status      unknown
    pending, unknown   after `down_after`       at once                     -                see below
    up, auth, degraded after `down_after`       degraded: `down_after`,     stays            see below
                                                others: `up_after`
    down, rejected     other kind of failing:   after `up_after`            stays            stays failing
                       after `down_after`

An unknown round neither extends nor ends a streak. After `down_after` unknown rounds in a row every streak starts anew,
and a server that is not failing becomes unknown; one that is failing stays so: nobody saw it recover.
"""

from __future__ import annotations

from typing import Any, Final

from lookout.probe.result import Status
from lookout.verdict.state import ServerState

ANEW: Final[dict[str, Any]] = {
    "fail_rounds": 0,
    "fail_since": 0,
    "ok_rounds": 0,
    "ok_since": 0,
    "candidate": None,
    "candidate_since": 0,
    "candidate_rounds": 0,
}
"""No streak of known rounds."""


def count(state: ServerState, outcome: Status, minute: int, down_after: int) -> ServerState:
    """The streaks after one more round; the status stays."""
    if outcome is Status.UNKNOWN:
        rounds, since = state.unknown_rounds + 1, state.unknown_since or minute
        ends = ANEW if rounds >= down_after else {}
        return state.with_(unknown_rounds=rounds, unknown_since=since, last_round=minute, **ends)
    known = {"unknown_rounds": 0, "unknown_since": 0, "last_round": minute}
    if outcome.failing:
        return state.with_(
            **known,
            fail_rounds=state.fail_rounds + 1,
            fail_since=state.fail_since or minute,
            ok_rounds=0,
            ok_since=0,
        )
    return state.with_(
        **known, ok_rounds=state.ok_rounds + 1, ok_since=state.ok_since or minute, fail_rounds=0, fail_since=0
    )


def become(state: ServerState, status: Status, since: int) -> ServerState:
    """The state with another status, which began at `since`."""
    return state.with_(
        previous=state.status,
        previous_since=state.since,
        status=status,
        since=since,
        candidate=None,
        candidate_since=0,
        candidate_rounds=0,
    )


def _rounds_needed(state: ServerState, outcome: Status, down_after: int, up_after: int) -> int:
    if outcome.failing:
        return down_after
    if state.status.failing:
        return up_after
    if not state.status.ok:
        return 1
    return down_after if outcome is Status.DEGRADED else up_after


def advance(state: ServerState, outcome: Status, minute: int, down_after: int, up_after: int) -> ServerState:
    """The state after one judged round. Streaks crossing a class (fail or ok) count any status of that class."""
    state = count(state, outcome, minute, down_after)
    if outcome is Status.UNKNOWN:
        return (
            become(state, outcome, state.unknown_since)
            if state.unknown_rounds >= down_after and state.status.ok
            else state
        )
    if outcome is state.status:
        return state if state.candidate is None else state.with_(candidate=None, candidate_since=0, candidate_rounds=0)
    if outcome is state.candidate:
        state = state.with_(candidate_rounds=state.candidate_rounds + 1)
    else:
        state = state.with_(candidate=outcome, candidate_since=minute, candidate_rounds=1)
    crossing = outcome.failing != state.status.failing
    if crossing:
        rounds = state.fail_rounds if outcome.failing else state.ok_rounds
        since = state.fail_since if outcome.failing else state.ok_since
    else:
        rounds, since = state.candidate_rounds, state.candidate_since
    if rounds >= _rounds_needed(state, outcome, down_after, up_after):
        return become(state, outcome, since)
    return state
