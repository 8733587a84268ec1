"""What a document of the right form still gets wrong. Pure.

Names nobody has, addresses nobody should call, secrets in the open.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from lookout.config.document import Path
from lookout.config.structure import Found, suggestion
from lookout.net import public_address
from lookout.regions import CITIES

_UNITS: Final = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}
_SECRET: Final = re.compile(r"secret:[A-Za-z0-9/_+=.@-]{1,512}")
_AREAS: Final = frozenset(region.rpartition("-")[0] for region in CITIES)
_OURS: Final = frozenset(
    {
        "accept",
        "connection",
        "content-length",
        "content-type",
        "host",
        "mcp-method",
        "mcp-name",
        "mcp-protocol-version",
        "mcp-session-id",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    }
)
"""Headers the exchange itself sets."""


def milliseconds(text: str) -> int:
    """`90s` -> 90000. The schema has checked the form."""
    unit = text.lstrip("0123456789")
    return int(text.removesuffix(unit)) * _UNITS[unit]


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
        yield from _sink(("sinks", name), name, sink, home)


def _region(path: Path, region: str | None) -> Iterator[Found]:
    """A new number in a known area passes: AWS opens regions faster than this list is released."""
    if region is not None and region.rpartition("-")[0] not in _AREAS:
        yield path, f"{region} is no AWS region Lookout knows; {suggestion(region, CITIES)}"


def _server(path: Path, server: Mapping[str, Any], home: str) -> Iterator[Found]:
    if "url" in server and (problem := _address(server["url"], private=server.get("allow_private", False))):
        yield (*path, "url"), problem
    auth = server.get("auth", {})
    name = f"{server.get('slug', 'server')}-token"
    if "bearer" in auth:
        yield from _reference((*path, "auth", "bearer"), auth["bearer"], "a token", name, home)
    seen = {"authorization"} if "bearer" in auth else set()
    for header, text in auth.get("headers", {}).items():
        at = (*path, "auth", "headers", header)
        if header.lower() in _OURS:
            yield at, "is set by the exchange itself: remove it"
            continue
        if header.lower() in seen:
            yield at, "is set twice (bearer sets Authorization; letter case makes no difference)"
        seen.add(header.lower())
        yield from _reference(at, text, "a credential", name, home)


def _sink(path: Path, name: str, sink: Any, home: str) -> Iterator[Found]:
    if not isinstance(sink, Mapping):
        return
    if "signing" in sink and "slack" in sink:
        yield (*path, "signing"), "belongs to a webhook; Slack checks no signature: remove it"
    elif "signing" in sink:
        yield from _reference((*path, "signing"), sink["signing"], "a signing secret", f"{name}-signing", home)
    if "slack" in sink:
        yield from _reference((*path, "slack"), sink["slack"], "a Slack address", f"{name}-slack", home)
    webhook = sink.get("webhook", "")
    if webhook.startswith(("secret:", "env:")):
        yield from _reference((*path, "webhook"), webhook, "an address", f"{name}-address", home)
    elif webhook and (problem := _address(webhook, private=sink.get("allow_private", False))):
        yield (*path, "webhook"), problem
    elif re.match(r"https://hooks\.slack(-gov)?\.com/", webhook, re.IGNORECASE):
        yield (*path, "webhook"), f"is a Slack address, and a secret: {_store(f'{name}-slack', home, 'slack')}"


def _policy(path: Path, value: Mapping[str, Any], regions: int, sinks: Mapping[str, Any]) -> Iterator[Found]:
    """What defaults and servers have in common."""
    interval = milliseconds(value.get("interval", "60s"))
    if interval % 60_000 or not 60_000 <= interval <= 3_600_000:
        yield (*path, "interval"), "must be whole minutes, from 1m to 1h"
    timeout = milliseconds(value.get("timeout", "20s"))
    if timeout % 1000 or not 1000 <= timeout <= 30_000:
        yield (*path, "timeout"), "must be whole seconds, from 1s to 30s"
    if regions and value.get("quorum", 1) > regions:
        yield (*path, "quorum"), f"cannot be more than the number of regions ({regions})"
    for i, name in enumerate(value.get("notify", ())):
        if name is not None and name not in sinks:
            yield (*path, "notify", i), f"{name} is not under sinks; {suggestion(name, sinks)}"


def _reference(path: Path, text: str, what: str, name: str, home: str) -> Iterator[Found]:
    if _SECRET.fullmatch(text):
        return
    if text.startswith("env:"):
        yield path, f"env: works on the command line only: {_store(name, home, path[-1])}"
    elif text.startswith("secret:"):
        yield path, f"is not secret:NAME (letters, digits and /_+=.@-), as in secret:{name}"
    else:
        yield path, f"{what} must not stand in this file: {_store(name, home, path[-1])}"


def _store(name: str, home: str, key: str | int) -> str:
    command = f"aws secretsmanager create-secret --region {home} --name {name} --secret-string file:///dev/stdin"
    return f"store it (`{command}`) and write `{key}: secret:{name}`"


def _address(url: str, *, private: bool) -> str | None:
    """What is wrong with a URL, without repeating it."""
    if re.search(r"[^\x21-\x7e]", url):
        return "must not contain spaces or characters beyond ASCII: percent-encode them (in a host name: xn--...)"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "is not a URL such as https://mcp.example.com/mcp"
    if parts.scheme not in ("http", "https") or not host or port == 0:
        return "must be a URL such as https://mcp.example.com/mcp"
    if "@" in parts.netloc:
        return "must not carry a user or password: they are secrets, and belong in one (auth; webhook: secret:NAME)"
    if parts.fragment:
        return "must not have a fragment (#...)"
    if private:
        return None
    if parts.scheme == "http":
        return "must be https: http is read by everybody on the way (it is allowed together with allow_private: true)"
    if _local(host):
        return "has a private or local address: add allow_private: true if that is meant"
    return None


def _local(host: str) -> bool:
    try:
        return not public_address(host)
    except ValueError:
        return host.lower().rstrip(".") == "localhost" or host.lower().rstrip(".").endswith(".localhost")


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
