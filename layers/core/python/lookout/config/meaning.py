"""What a document of the right form still gets wrong. Pure.

Names nobody has, addresses nobody should call, secrets in the open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from zoneinfo import available_timezones

from lookout.config.addresses import address_problem
from lookout.config.document import Path
from lookout.config.maintenance import maintenance_problems
from lookout.config.references import is_reference
from lookout.config.routes import follow_problems, routes_problems
from lookout.config.secrecy import auth_problems, reference_problem
from lookout.config.sinks import sink_problems
from lookout.config.structure import Found, suggestion
from lookout.config.tool_call import tool_call_problems
from lookout.config.units import milliseconds, no_zone
from lookout.regions import CITIES

_YEAR_MS: Final = 365 * 86_400_000
_AREAS: Final = frozenset(region.rpartition("-")[0] for region in CITIES)


def meaning(value: Mapping[str, Any]) -> Iterator[Found]:
    """Every problem of meaning. Parts of the wrong form must have been taken out; what is missing is passed over."""
    home = value.get("home", "HOME")
    regions, sinks = value.get("regions", []), value.get("sinks", {})
    yield from _region(("home",), value.get("home"))
    for i, region in enumerate(regions):
        yield from _region(("regions", i), region)
    if "spread" in value and not 0 <= milliseconds(value["spread"]) <= 20_000:
        yield ("spread",), "must be at most 20s: a round has to end within its minute"
    if "spread" in value and milliseconds(value["spread"]) % 1000:
        yield ("spread",), "must be whole seconds"
    stale_after = milliseconds(value.get("stale_after", "10m"))
    if stale_after % 60_000 or not 300_000 <= stale_after <= 86_400_000:
        yield ("stale_after",), "must be whole minutes, from 5m to 24h"
    if "timezone" in value and value["timezone"] not in available_timezones():
        yield ("timezone",), no_zone(value["timezone"])
    yield from _policy(("defaults",), value.get("defaults", {}), len(regions), sinks)
    first: dict[str, int] = {}
    for i, server in enumerate(value.get("servers", [])):
        if not isinstance(server, Mapping):
            continue
        slug = server.get("slug")
        if slug in first:
            yield ("servers", i, "slug"), f"{slug} is the slug of servers[{first[slug]}] already: choose another"
        elif slug is not None:
            first[slug] = i
        yield from _server(("servers", i), server, home)
        yield from _policy(("servers", i), server, len(regions), sinks)
    for name, sink in sinks.items():
        yield from sink_problems(("sinks", name), name, sink, home, value.get("timezone", "UTC"))
    if "heartbeat" in value:
        yield from _heartbeat(("heartbeat",), value["heartbeat"], home)
    tags = {tag for server in value.get("servers", []) if isinstance(server, Mapping) for tag in server.get("tags", ())}
    zone = value.get("timezone", "UTC")
    yield from maintenance_problems(value.get("maintenance", []), first, sorted(tags - {None}), zone)
    rest = "notify" in value.get("defaults", {})
    routes = value.get("routes", [])
    yield from routes_problems(routes, first, sorted(tags - {None}), regions, sinks, rest=rest)


def _region(path: Path, region: str | None) -> Iterator[Found]:
    """A new number in a known area passes: AWS opens regions faster than this list is released."""
    if region is not None and region.rpartition("-")[0] not in _AREAS:
        yield path, f"{region} is no AWS region Lookout knows; {suggestion(region, CITIES)}"


def _server(path: Path, server: Mapping[str, Any], home: str) -> Iterator[Found]:
    if "url" in server and (problem := address_problem(server["url"], private=server.get("allow_private", False))):
        yield (*path, "url"), problem
    yield from auth_problems(path, server, home)
    if "tool_call" in server:
        yield from tool_call_problems((*path, "tool_call"), server["tool_call"])


def _heartbeat(path: Path, value: Any, home: str) -> Iterator[Found]:
    """`heartbeat: URL`, or a mapping with `url`."""
    long = isinstance(value, Mapping)
    url, private = (value.get("url", ""), value.get("allow_private", False)) if long else (value, False)
    at = (*path, "url") if long else path
    if is_reference(url):
        yield from reference_problem(at, url, "an address", "lookout-heartbeat", home)
    elif url and (problem := address_problem(url, private=private)):
        yield at, problem


def _policy(path: Path, value: Mapping[str, Any], regions: int, sinks: Mapping[str, Any]) -> Iterator[Found]:
    """What defaults and servers have in common."""
    interval = milliseconds(value.get("interval", "60s"))
    if interval % 60_000 or not 60_000 <= interval <= 3_600_000:
        yield (*path, "interval"), "must be whole minutes, from 1m to 1h"
    timeout = milliseconds(value.get("timeout", "20s"))
    if timeout % 1000 or not 1000 <= timeout <= 30_000:
        yield (*path, "timeout"), "must be whole seconds, from 1s to 30s"
    if 0 < value.get("slow_ratio", 3) < 1.5:
        yield (*path, "slow_ratio"), "must be 0 (never), or from 1.5 to 1000: less would call every other round slow"
    confirm_every = milliseconds(value.get("confirm_every", "15s"))
    if confirm_every % 1000 or not 15_000 <= confirm_every <= 30_000:
        yield (*path, "confirm_every"), "must be whole seconds, from 15s to 30s"
    for i, text in enumerate(value.get("tls_warn", ())):
        if text is not None and (milliseconds(text) % 60_000 or not 3_600_000 <= milliseconds(text) <= _YEAR_MS):
            yield (*path, "tls_warn", i), "must be whole minutes, from 1h to 365d"
    credential_warn = milliseconds(value.get("credential_warn", "72h"))
    if credential_warn % 60_000 or not 0 <= credential_warn <= _YEAR_MS:
        yield (*path, "credential_warn"), "must be 0s (never), or whole minutes up to 365d"
    limited_after = milliseconds(value.get("limited_after", "15m"))
    if limited_after % 60_000 or not 300_000 <= limited_after <= 86_400_000:
        yield (*path, "limited_after"), "must be whole minutes, from 5m to 24h"
    if regions and value.get("quorum", 1) > regions:
        yield (*path, "quorum"), f"cannot be more than the number of regions ({regions})"
    for i, name in enumerate(value.get("notify", ())):
        if name is not None and name not in sinks:
            yield (*path, "notify", i), f"{name} is not under sinks; {suggestion(name, sinks)}"
    yield from follow_problems(path, value, sinks)


def without(value: Any, bad: Iterable[Path]) -> Any:
    """A copy of `value` with what stands at the paths `bad` taken out (in a list: replaced by None)."""
    gone = set(bad)

    def copy(part: Any, path: Path) -> Any:
        if isinstance(part, Mapping):
            return {k: copy(v, (*path, k)) for k, v in part.items() if (*path, k) not in gone}
        if isinstance(part, list):
            return [None if (*path, i) in gone else copy(v, (*path, i)) for i, v in enumerate(part)]
        return part

    return copy(value, ())
