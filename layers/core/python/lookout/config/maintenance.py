"""The `maintenance` of lookout.yaml: what is wrong with a window in it, and the `Window` it means. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

from lookout.config.document import Path
from lookout.config.recurrence import rule_problem
from lookout.config.structure import Found, suggestion
from lookout.config.units import milliseconds, no_zone
from lookout.config.window import LONGEST_S, SHORTEST_S, Window

_LENGTH: Final = "must be whole minutes, from 1m to 31d"
_YEARS: Final = (2000, 2300)
MOMENT: Final = "a time in whole minutes such as 2027-01-31T03:00, with Z or an offset where it is not local"


def maintenance_problems(
    value: Sequence[Any], slugs: Collection[str], tags: Collection[str], timezone: str
) -> Iterator[Found]:
    """Every problem of meaning. `slugs` and `tags`: those there are; `timezone`: the site's."""
    first: dict[str, int] = {}
    for i, one in enumerate(value):
        if not isinstance(one, Mapping):
            continue
        path: Path = ("maintenance", i)
        found = [*_scope(path, one, slugs, tags), *_times(path, one, timezone)]
        yield from found
        times = one.keys() & {"from", "until", "rrule", "duration", "start"}
        whole = times == {"from", "until"} or times | {"start"} == {"rrule", "duration", "start"}
        if found or not whole or None in (*one.get("servers", ()), *one.get("tags", ())):
            continue
        if (named := window(one, timezone).id) in first:
            yield path, f"is the same window as maintenance[{first[named]}]: remove one of them"
        first.setdefault(named, i)


def window(value: Mapping[str, Any], timezone: str) -> Window:
    """What a window of the file means; it has been checked."""
    zone = value.get("timezone", timezone)
    times: dict[str, Any] = (
        {"begin": moment(value["from"], zone), "end": moment(value["until"], zone)} if "from" in value else {}
    )
    if "rrule" in value:
        start = local(value["start"], zone) if "start" in value else None
        times = {
            "rrule": value["rrule"],
            "start": start.isoformat(timespec="minutes") if start else None,
            "duration_s": milliseconds(value["duration"]) // 1000,
            "timezone": zone,
        }
    return Window(
        "",
        servers=tuple(value.get("servers", ())),
        tags=tuple(value.get("tags", ())),
        uptime=value.get("uptime", "exclude"),
        reason=value.get("reason", ""),
        **times,
    ).named()


def local(text: str, timezone: str) -> datetime | None:
    """`2027-01-31`, `2027-01-31T03:00`, or with an offset -> local time of the zone, without it; None where there is no
    such time in whole minutes, or it is of another century.
    """
    try:
        at = datetime.fromisoformat(text.upper())
        at = at.astimezone(ZoneInfo(timezone)).replace(tzinfo=None) if at.tzinfo else at
    except (ValueError, OverflowError):
        return None
    return at if _YEARS[0] <= at.year < _YEARS[1] and not at.second and not at.microsecond else None


def moment(text: str, timezone: str) -> int | None:
    """As `local`, in unix seconds. What clocks leap over and what comes twice is read as by a rule."""
    at = local(text, timezone)
    if at is None:
        return None
    exact = datetime.fromisoformat(text.upper())
    return int((exact if exact.tzinfo else at.replace(tzinfo=ZoneInfo(timezone))).timestamp())


def length_problem(seconds: int) -> str | None:
    """What speaks against a window of that length."""
    return None if SHORTEST_S <= seconds <= LONGEST_S and seconds % 60 == 0 else _LENGTH


def _scope(path: Path, value: Mapping[str, Any], slugs: Collection[str], tags: Collection[str]) -> Iterator[Found]:
    for key, known, what in (("servers", slugs, "the slug of a server"), ("tags", tags, "a tag of any server")):
        for i, name in enumerate(value.get(key, ())):
            if name is not None and name not in known:
                yield (*path, key, i), f"{name} is not {what}; {suggestion(name, known)}"


def _times(path: Path, value: Mapping[str, Any], timezone: str) -> Iterator[Found]:
    zone = value.get("timezone", timezone)
    if zone not in available_timezones():
        if "timezone" in value:
            yield (*path, "timezone"), no_zone(zone)
        return
    yield from _once(path, value, zone)
    yield from _recurring(path, value, zone)


def _once(path: Path, value: Mapping[str, Any], zone: str) -> Iterator[Found]:
    at = {key: moment(value[key], zone) for key in ("from", "until") if key in value}
    yield from (((*path, key), f"is not {MOMENT}") for key, found in at.items() if found is None)
    begin, end = at.get("from"), at.get("until")
    if begin is None or end is None:
        return
    if end <= begin:
        yield (*path, "until"), "must be after from"
    elif length_problem(end - begin):
        yield (*path, "until"), "must be at most 31 days after from: use rrule for what comes again"


def _recurring(path: Path, value: Mapping[str, Any], zone: str) -> Iterator[Found]:
    duration_s = None
    if "duration" in value:
        duration_ms = milliseconds(value["duration"])
        if duration_ms % 60_000 or length_problem(duration_ms // 1000):
            yield (*path, "duration"), _LENGTH
        else:
            duration_s = duration_ms // 1000
    start = local(value["start"], zone) if "start" in value else None
    if "start" in value and start is None:
        yield (*path, "start"), f"is not {MOMENT}"
    elif "rrule" in value and (problem := rule_problem(value["rrule"], start, duration_s)):
        yield (*path, "rrule"), problem
