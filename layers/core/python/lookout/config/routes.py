"""The `routes`, `remind_every` and `escalate` of lookout.yaml: what is wrong with them, and what they mean. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from lookout.config.document import Path
from lookout.config.route import Escalation, Route
from lookout.config.structure import Found, suggestion
from lookout.config.units import milliseconds, seconds

_MATCHERS: Final = ("servers", "tags", "severity", "kinds", "types", "regions")
_WEEK_MS: Final = 7 * 86_400_000
_REST: Final = (
    "leave some notices to nobody: end with a route that has sinks and no matcher, or say in defaults.notify who gets "
    "the rest ([]: nobody)"
)


def route(value: Mapping[str, Any]) -> Route:
    """What a route of the file means; it has been checked."""
    return Route(
        tuple(value["sinks"]),
        servers=tuple(value.get("servers", ())),
        tags=tuple(value.get("tags", ())),
        severity=value.get("severity", ""),
        kinds=tuple(value.get("kinds", ())),
        types=tuple(value.get("types", ())),
        regions=tuple(value.get("regions", ())),
        goes_on=value.get("continue", False),
        remind_every_s=seconds(value["remind_every"]) if "remind_every" in value else None,
        escalate=escalation(value.get("escalate")),
    )


def escalation(value: Mapping[str, Any] | None) -> Escalation | None:
    """What `escalate` means; it has been checked."""
    return None if value is None else Escalation(seconds(value["after"]), tuple(value["sinks"]))


def routes_problems(
    value: Sequence[Any],
    slugs: Collection[str],
    tags: Collection[str],
    regions: Collection[str],
    sinks: Collection[str],
    *,
    rest: bool,
) -> Iterator[Found]:
    """Every problem of meaning. `slugs`, `tags`, `regions` and `sinks`: those there are; `rest`: is it said who gets
    what no route takes?
    """
    taken: int | None = None
    whole = False
    for i, one in enumerate(value):
        if not isinstance(one, Mapping):
            whole = True  # what it takes cannot be said
            continue
        path: Path = ("routes", i)
        if taken is not None:
            yield path, f"is never reached: routes[{taken}] takes everything. Move it before that"
        everything = not any(key in one for key in _MATCHERS)
        whole = whole or everything
        if everything and taken is None and not one.get("continue", False):
            taken = i
        for key, known, what in (
            ("servers", slugs, "the slug of a server"),
            ("tags", tags, "a tag of any server"),
            ("regions", regions, "among regions"),
            ("sinks", sinks, "under sinks"),
        ):
            yield from _named((*path, key), one.get(key, ()), known, what)
        yield from follow_problems(path, one, sinks)
    if value and not whole and not rest:
        yield ("routes",), _REST


def follow_problems(path: Path, value: Mapping[str, Any], sinks: Collection[str]) -> Iterator[Found]:
    """What is wrong with `remind_every` and `escalate`, which stand in a route, a server or the defaults."""
    every = milliseconds(value.get("remind_every", "0s"))
    if every and (every % 60_000 or not 300_000 <= every <= _WEEK_MS):
        yield (*path, "remind_every"), "must be 0s (never), or whole minutes, from 5m to 7d"
    step = value.get("escalate", {})
    after = milliseconds(step.get("after", "1m"))
    if after % 60_000 or not 60_000 <= after <= _WEEK_MS:
        yield (*path, "escalate", "after"), "must be whole minutes, from 1m to 7d"
    yield from _named((*path, "escalate", "sinks"), step.get("sinks", ()), sinks, "under sinks")


def _named(path: Path, names: Sequence[str | None], known: Collection[str], what: str) -> Iterator[Found]:
    for i, name in enumerate(names):
        if name is not None and name not in known:
            yield (*path, i), f"{name} is not {what}; {suggestion(name, known)}"
