"""When a minute may be judged. Pure.

A minute is ripe when every region reported, or when its deadline passed, so one silent region never blocks a verdict.
Minutes are judged in order and once: a round that lands later is kept as history and changes no verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from lookout.config.model import Server

ROUND_DEADLINE_S: Final = 120
"""Seconds from the scheduled minute until silence is taken as an answer: the scheduler may start us up to 60 s late
(its documented precision), and a probe may then take its 50 s."""

CATCH_UP_LIMIT: Final = 180
"""Minutes one invocation judges at most; the next one goes on from there."""

AHEAD_S: Final = 900
"""How far ahead of our own clock rounds are looked for."""

HORIZON_S: Final = 2 * 86400
"""Older minutes are not judged: their rounds may have expired."""


def ripe(minute: int, reported: Iterable[str], regions: Sequence[str], now: int) -> bool:
    """May this minute be judged at `now`?"""
    return set(regions) <= set(reported) or now >= minute + ROUND_DEADLINE_S


def minutes_to_judge(
    judged: int, reported: Mapping[int, Iterable[str]], servers: Sequence[Server], regions: Sequence[str], now: int
) -> list[int]:
    """The ripe minutes after `judged`, oldest first, without a gap.

    `reported` says which regions' rounds are stored, by minute. Before the first judgement (`judged` 0) judging begins
    at the first stored round. A minute in which no server was due is passed over as soon as it has begun. A minute our
    own clock has not reached is judged when every region reported it: then theirs are right, and ours is behind.
    """
    if judged == 0:
        if not reported:
            return []
        start = min(reported)
    else:
        start = max(judged + 60, (now - HORIZON_S) // 60 * 60)
    out: list[int] = []
    minute = start
    while len(out) < CATCH_UP_LIMIT and (minute <= now or set(regions) <= set(reported.get(minute, ()))):
        due = any(server.due(minute) for server in servers)
        if due and not ripe(minute, reported.get(minute, ()), regions, now):
            break
        out.append(minute)
        minute += 60
    return out
