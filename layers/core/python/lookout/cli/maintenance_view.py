"""How maintenance windows are shown at the command line. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from lookout.config.window import BY_FILE, Window
from lookout.verdict.maintenance import occurrences, over_at

AHEAD_S: Final = 400 * 86400
"""How far ahead the next occurrence is looked for: a yearly one is found."""


@dataclass(frozen=True, slots=True)
class Row:
    """A window and its running or next occurrence, in unix seconds; None where there is none within AHEAD_S."""

    window: Window
    begin: int | None
    end: int | None
    running: bool
    timezone: str


def row(window: Window, timezone: str, now: int) -> Row:
    """Of one window, its times in that zone."""
    found = next(iter(occurrences(window, now, now + AHEAD_S)), None)
    begin, end = (found.begin, found.end) if found is not None else (None, None)
    return Row(window, begin, end, begin is not None and begin <= now, timezone)


def rows(windows: Iterable[Window], timezone: str, now: int) -> list[Row]:
    """Of those that are not over, what runs or comes first at the top."""
    found = [row(one, timezone, now) for one in windows if (over := over_at(one)) is None or over > now]
    return sorted(found, key=lambda one: (one.begin is None, one.begin, one.window.id))


def clock(at: int, timezone: str) -> str:
    """`2027-01-31 03:00 CET`."""
    return datetime.fromtimestamp(at, ZoneInfo(timezone)).strftime("%Y-%m-%d %H:%M %Z")


def whom(window: Window) -> str:
    """`acme-search, acme-files, tag prod`, or `all servers`."""
    return ", ".join([*window.servers, *(f"tag {tag}" for tag in window.tags)]) or "all servers"


def declared(window: Window, timezone: str) -> str:
    """As it was declared: `2027-01-31 03:00 CET until 2027-01-31 04:00 CET`, or its rule, length and zone."""
    if window.rrule is None:
        return f"{clock(window.begin or 0, timezone)} until {clock(window.end or 0, timezone)}"
    since = f" from {window.start}" if window.start else ""
    return f"{window.rrule}{since}, for {(window.duration_s or 0) // 60} min, in {window.timezone}"


def when(shown: Row) -> str:
    """`until ...` of a running one, else `from ... until ...`; and the rule of one that comes again."""
    if shown.begin is None or shown.end is None:
        text = "not within 400 days"
    elif shown.running:
        text = f"running until {clock(shown.end, shown.timezone)}"
    else:
        text = f"{clock(shown.begin, shown.timezone)} until {clock(shown.end, shown.timezone)}"
    return f"{text} ({shown.window.rrule})" if shown.window.rrule else text


def line(shown: Row) -> str:
    """One line of the list."""
    window = shown.window
    made = "lookout.yaml" if window.made_by == BY_FILE else "by hand"
    parts = [window.id, when(shown), whom(window), window.uptime, made, *([window.reason] if window.reason else [])]
    return "  ".join(parts)


def sentence(shown: Row) -> str:
    """What was made."""
    return f"{shown.window.id}: {whom(shown.window)}, {when(shown)}, uptime {shown.window.uptime}"


def to_json(shown: Row) -> dict[str, Any]:
    """As stored, with `running` and the `next` occurrence (the running one, if it runs) in unix seconds."""
    found = None if shown.begin is None else {"begin": shown.begin, "end": shown.end}
    return {**shown.window.to_item(), "running": shown.running, "next": found}
