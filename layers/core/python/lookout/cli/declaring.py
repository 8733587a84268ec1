"""A maintenance window as a person declares it at the command line: what is wrong with it, and the `Window`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from lookout.config.maintenance import MOMENT, maintenance_problems, moment, window
from lookout.config.model import Server
from lookout.config.structure import schema
from lookout.config.units import milliseconds, no_zone
from lookout.config.window import BY_COMMAND, Window
from lookout.verdict.ids import ulid
from lookout.verdict.maintenance import next_minute, over_at

_LONGEST_REASON: Final = 200
_TIMES: Final = ("from", "until", "start")
_DURATIONS: Final = ("for", "duration")
_OPTIONS: Final = {"servers": "--server", "tags": "--tag"}


def window_of(
    said: Mapping[str, Any], servers: Iterable[Server], timezone: str, now: int
) -> tuple[Window | None, list[str]]:
    """The window those options mean, or None and what is wrong with them.

    `said` is by option: servers, tags, from, until, for, rrule, start, duration, timezone, uptime, reason.
    """
    given = {key: value for key, value in said.items() if value not in (None, (), "")}
    if problems := [*_forms(given), *_kinds(given)]:
        return None, problems
    entry = {key: list(value) if isinstance(value, tuple) else value for key, value in given.items() if key != "for"}
    if "rrule" not in given:
        try:
            entry |= _once(given, given.get("timezone", timezone), now)
        except ValueError as error:
            return None, [str(error)]
    known = list(servers)
    tags = sorted({tag for server in known for tag in server.tags})
    found = list(maintenance_problems([entry], [server.slug for server in known], tags, timezone))
    if found:
        return None, [f"{_option(path)}: {text}" for path, text in found]
    declared = window(entry, timezone)
    made = replace(declared, id=f"mnt_{ulid(now, declared.id)}", made_by=BY_COMMAND, made_at=next_minute(now))
    over = over_at(made)
    if over is not None and over <= made.made_at:
        return None, [f"{'--rrule' if made.rrule else '--until'}: is over already"]
    return made, []


def _once(given: Mapping[str, Any], zone: str, now: int) -> dict[str, str]:
    """`from` and `until` of a window that is once. Raises ValueError in words."""
    earliest = next_minute(now)
    try:
        begin = moment(given["from"], zone) if "from" in given else earliest
    except KeyError:
        raise ValueError(f"--timezone: {no_zone(zone)}") from None
    if begin is None:
        raise ValueError(f"--from: is not {MOMENT}")
    if begin < earliest:
        raise ValueError("--from: is in the past, where rounds are judged already: leave it out to begin now")
    if "for" not in given:
        return {"from": _utc(begin), "until": given["until"]}
    lasts_ms = milliseconds(given["for"])
    if lasts_ms % 60_000:
        raise ValueError("--for: must be whole minutes, from 1m to 31d")
    return {"from": _utc(begin), "until": _utc(begin + lasts_ms // 1000)}


def _forms(given: Mapping[str, Any]) -> Iterator[str]:
    forms = schema()["$defs"]
    for key in _TIMES:
        if key in given and not re.fullmatch(forms["time"]["pattern"].strip("^$"), given[key]):
            yield f"--{key}: is not {MOMENT}"
    for key in _DURATIONS:
        if key in given and not re.fullmatch(forms["duration"]["pattern"].strip("^$"), given[key]):
            yield f"--{key}: is not a duration such as 90m, 2h or 1d"
    reason = given.get("reason", "")
    if len(reason) > _LONGEST_REASON or not reason.isprintable():
        yield f"--reason: must be one line of at most {_LONGEST_REASON} characters"


def _kinds(given: Mapping[str, Any]) -> Iterator[str]:
    if "rrule" in given:
        if "duration" not in given:
            yield "--rrule: needs --duration beside it, how long each lasts"
        yield from (f"--{key}: does not go with --rrule" for key in ("from", "until", "for") if key in given)
        return
    yield from (f"--{key}: goes with --rrule alone" for key in ("start", "duration") if key in given)
    if ("until" in given) is ("for" in given):
        yield "say when it is over: --until TIME or --for DURATION, or --rrule RULE for one that comes again"


def _utc(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:00Z")


def _option(path: tuple[Any, ...]) -> str:
    return _OPTIONS.get(path[2], f"--{path[2]}")
