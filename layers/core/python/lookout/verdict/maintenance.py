"""Which servers are maintained in which minutes (docs/decisions/0012-verdicts.md, M1 and M8). Pure.

A `Calendar` works out the occurrences of its windows once, for a span of time; then it is asked for single minutes. It
knows nothing beyond its span, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from lookout.config.model import Server
from lookout.config.recurrence import Recurrence
from lookout.config.window import Window
from lookout.history.spans import FOREVER, Span, clip, union
from lookout.history.uptime import Counting, Maintenance

_FIRST: Final = {Counting.EXCLUDE: 0, Counting.COUNT_UP: 1, Counting.COUNT_AS_IS: 2}
"""Where windows overlap, the smallest goes."""
_Key = tuple[str, str]
"""What a window names: `("slug", s)`, `("tag", t)`, or everybody."""
_EVERYBODY: Final[_Key] = ("", "")


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time of one window, whole: a calendar of a narrower span does not cut it. Unix seconds."""

    begin: int
    end: int
    window: Window


def occurrences(window: Window, since: int, until: int) -> list[Occurrence]:
    """Those that touch [since, until), in order; one that was made or ended in it is cut there."""
    if window.rrule is None:
        begins = [window.begin or 0]
        length_s = (window.end or 0) - (window.begin or 0)
    else:
        length_s = window.duration_s or 0
        begins = _rule(window).begins(since - length_s, until, window.timezone)
    ended_at = FOREVER if window.ended_at is None else window.ended_at
    spans = ((max(begin, window.made_at), min(begin + length_s, ended_at)) for begin in begins)
    return [Occurrence(begin, end, window) for begin, end in spans if begin < end and since < end and begin < until]


def over_at(window: Window) -> int | None:
    """From when on it covers nothing any more; None: it comes again and again."""
    if window.rrule is None:
        ends = [window.end]
    else:
        last = _rule(window).last(window.timezone)
        ends = [None if last is None else last + (window.duration_s or 0)]
    return min((end for end in (*ends, window.ended_at) if end is not None), default=None)


def ended(window: Window, now: int) -> Window | None:
    """The window ended from the next minute on; itself where it is over, None where it has covered nothing yet."""
    at = next_minute(now)
    over = over_at(window)
    if over is not None and over <= at:
        return window
    after = replace(window, ended_at=at)
    return after if occurrences(after, after.made_at, at) else None


def stamped(windows: Iterable[Window], known: Mapping[str, Window], now: int) -> tuple[Window, ...]:
    """Windows of a file that is applied: those `known` by id as old as they were, others made at the next minute."""
    return tuple(
        replace(one, made_at=known[one.id].made_at if one.id in known else next_minute(now)) for one in windows
    )


def next_minute(now: int) -> int:
    """When the next minute begins: the round of the present one may be under way."""
    return now // 60 * 60 + 60


def _rule(window: Window) -> Recurrence:
    start = datetime.fromisoformat(window.start) if window.start else None
    return Recurrence.parse(window.rrule or "", start)


class Calendar:
    """The windows of a site within [since, until), in unix seconds. No windows: nothing is ever maintained.

    One that cannot be read (a later version's, say) covers nothing, and is among `unreadable`: it must keep nobody from
    judging.
    """

    def __init__(self, windows: Iterable[Window], since: int, until: int) -> None:
        self.since, self.until = since, until
        self.unreadable: list[Window] = []
        found: list[Occurrence] = []
        for window in windows:
            try:
                Counting(window.uptime)
                found += occurrences(window, since, until)
            except (ValueError, KeyError):  # KeyError: a time zone nobody knows
                self.unreadable.append(window)
        self.occurrences: tuple[Occurrence, ...] = tuple(
            sorted(found, key=lambda one: (one.begin, one.end, one.window.id))
        )
        """All that touch the span, in the order they begin."""
        self._asked: tuple[int, dict[_Key, Counting]] = (-1, {})

    def covering(self, server: Server, minute: int) -> Counting | None:
        """How the minute counts for the server; None where no window covers it. Raises ValueError beyond the span."""
        active = self._active(minute)
        if not active:
            return None
        found = [active[key] for key in _keys_of(server) if key in active]
        return min(found, key=_FIRST.__getitem__, default=None)

    def of(self, server: Server) -> list[Occurrence]:
        """Those of the server."""
        return [one for one in self.occurrences if one.window.covers(server.slug, server.tags)]

    def stretch(self, server: Server, minute: int) -> Span | None:
        """The time without a gap in which windows of the server cover it, that minute in it; None where none does."""
        spans = union((one.begin, one.end) for one in self.of(server))
        return next(((begin, end) for begin, end in spans if begin <= minute < end), None)

    def declared(self, server: Server) -> list[Maintenance]:
        """Its windows as the arithmetic of uptime takes them, touching ones joined, cut to the span of the calendar."""
        out = []
        for counting in Counting:
            spans = ((one.begin, one.end) for one in self.of(server) if one.window.uptime == counting)
            out += [Maintenance(begin, end, counting) for begin, end in clip(spans, self.since, self.until)]
        return out

    def excluded(self, server: Server) -> list[Span]:
        """The time that does not count for it, within the span of the calendar."""
        return [(one.begin, one.end) for one in self.declared(server) if one.counting is Counting.EXCLUDE]

    def _active(self, minute: int) -> dict[_Key, Counting]:
        """What covers the minute, by what it names. The newest answer is kept: a round asks it for every server."""
        if not self.since <= minute < self.until:
            raise ValueError(f"the calendar is of [{self.since}, {self.until}), and {minute} is not in it")
        if self._asked[0] != minute:
            active: dict[_Key, Counting] = {}
            for one in self.occurrences:
                if one.begin <= minute < one.end:
                    counting = Counting(one.window.uptime)
                    for key in _keys(one.window):
                        active[key] = min(active.get(key, counting), counting, key=_FIRST.__getitem__)
            self._asked = (minute, active)
        return self._asked[1]


def _keys(window: Window) -> list[_Key]:
    named = [*(("slug", slug) for slug in window.servers), *(("tag", tag) for tag in window.tags)]
    return named or [_EVERYBODY]


def _keys_of(server: Server) -> list[_Key]:
    return [_EVERYBODY, ("slug", server.slug), *(("tag", tag) for tag in server.tags)]


__all__ = ["Calendar", "Occurrence", "Window", "ended", "next_minute", "occurrences", "over_at", "stamped"]
