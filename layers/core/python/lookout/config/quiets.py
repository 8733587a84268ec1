"""The `quiet` of a sink in lookout.yaml: what is wrong with it, and what it means. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from zoneinfo import available_timezones

from lookout.config.document import Path
from lookout.config.quiet import DAY_MINUTES, WEEKDAYS, Quiet
from lookout.config.structure import Found
from lookout.config.units import no_zone

ELSEWHERE: Final[Mapping[str, str]] = {
    "alertmanager": "it mutes by itself: mute_time_intervals in its own routes",
    "pagerduty": "it has to be told every state: use the service's support hours",
    "opsgenie": "it has to be told every state: use its notification policies and quiet hours",
}
"""Kinds of sink that are told everything at once, and where their quiet hours are kept instead."""


def quiet(value: Any, timezone: str) -> tuple[Quiet, ...]:
    """What `quiet` means, one mapping or a list of them; it has been checked. `timezone`: the site's."""
    return tuple(
        Quiet(
            _minute(one["from"]),
            _minute(one["until"]),
            one.get("timezone", timezone),
            tuple(sorted(one.get("days", ()), key=WEEKDAYS.index)),
            one.get("below", "high"),
        )
        for one in ([value] if isinstance(value, Mapping) else value)
    )


def quiet_problems(path: Path, value: Any, kind: str, timezone: str) -> Iterator[Found]:
    """Every problem of meaning; what is of the wrong form must have been taken out. `kind`: the sink's."""
    if kind in ELSEWHERE:
        yield path, f"is not for {kind}, since {ELSEWHERE[kind]}. Remove it"
        return
    windows: Sequence[Any] = [value] if isinstance(value, Mapping) else value
    zones = available_timezones()
    found = []
    for i, one in enumerate(windows):
        zone = one.get("timezone", timezone) if isinstance(one, Mapping) else timezone
        if isinstance(one, Mapping) and "timezone" in one and zone not in zones:
            found.append(((*path, "timezone") if isinstance(value, Mapping) else (*path, i, "timezone"), no_zone(zone)))
    yield from found
    whole = all(isinstance(one, Mapping) and {"from", "until"} <= one.keys() for one in windows)
    if whole and None not in [part for one in windows for part in (one["from"], one["until"], *one.get("days", ()))]:
        minutes = {minute for one in quiet(windows, timezone) for minute in one.minutes()}
        if len(minutes) == 7 * DAY_MINUTES:
            yield path, "leaves no hour of the week in which anything would be told: shorten it"


def _minute(text: str) -> int:
    return 60 * int(text[:2]) + int(text[3:])
