"""A server that turns from ok to failing and back too often is flapping: told once, then waited for. Pure.

Decision 12, F. One that flaps keeps its incident open until it has been calm for half an hour.
"""

from __future__ import annotations

from typing import Final

from lookout.config.model import Server
from lookout.probe.result import Status
from lookout.verdict.state import ServerState

HOUR: Final = 3600
CALM_S: Final = 1800


def calmed(state: ServerState, minute: int) -> ServerState:
    """Before the round of `minute`: without turns that are too old, and no longer flapping once it was calm."""
    if state.flapping_since and minute - state.turns[-1] > CALM_S:
        return state.with_(flapping_since=0, turns=())
    if state.turns and state.turns[0] <= minute - HOUR:
        return state.with_(turns=tuple(turn for turn in state.turns if turn > minute - HOUR))
    return state


def turned(state: ServerState, was: Status, server: Server, minute: int) -> ServerState:
    """After the round: the turn it was, if it was one, and flapping if that is one too many."""
    now = state.status
    if not ((was.ok and now.failing) or (was.failing and now.ok)):
        return state
    turns = (*state.turns, minute)
    begins = server.flap_after and not state.flapping_since and len(turns) > server.flap_after
    return state.with_(turns=turns, flapping_since=minute if begins else state.flapping_since)
