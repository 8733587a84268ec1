"""The `digests` of a sink in lookout.yaml: what is wrong with them, and what they mean. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from zoneinfo import available_timezones

from lookout.config.digest import WEEKLY, Digest
from lookout.config.document import Path
from lookout.config.structure import Found
from lookout.config.units import no_zone

PAGING: Final = ("alertmanager", "pagerduty", "opsgenie")
"""Kinds of sink that call people."""
_AT: Final = "08:00"
_ON: Final = "monday"


def digests(value: Sequence[Any], timezone: str) -> tuple[Digest, ...]:
    """What `digests` means; it has been checked. `timezone`: the site's."""
    return tuple(_digest({"every": one} if isinstance(one, str) else one, timezone) for one in value)


def _digest(value: Mapping[str, Any], timezone: str) -> Digest:
    on = value.get("on", _ON)[:3] if value["every"] == WEEKLY else ""
    return Digest(value["every"], int(value.get("at", _AT)[:2]), value.get("timezone", timezone), on)


def digest_problems(path: Path, value: Sequence[Any], kind: str) -> Iterator[Found]:
    """Every problem of meaning; what is of the wrong form must have been taken out. `kind`: the sink's."""
    if kind in PAGING:
        yield path, f"is not for {kind}, which calls people: give it to a sink that people read. Remove it"
        return
    zones = available_timezones()
    seen: set[str] = set()
    for i, one in enumerate(value):
        said = one if isinstance(one, Mapping) else {"every": one}
        every, zone = said.get("every"), said.get("timezone")
        if zone is not None and zone not in zones:
            yield (*path, i, "timezone"), no_zone(zone)
        if "on" in said and every not in (WEEKLY, None):
            yield (*path, i, "on"), f"is for a weekly digest, and this one is {every}: remove it"
        if every in seen:
            yield (*path, i), f"is a second {every} digest: keep one of them"
        seen |= {every} if every is not None else set()
