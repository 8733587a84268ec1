"""Who stands failing, and whether so many that it is one failure and not many (decision 12, X1 and X2). Pure.

A *scope* names what fails together: `site`, `provider:acme.dev`, `network:203.0.113.0/24` or `region:eu-west-1`. Its
members are all judged servers it reaches, failing or not.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from lookout.config.model import Server, Site
from lookout.probe.result import Status
from lookout.verdict.state import ServerState

SITE: Final = "site"
SITE_AT_LEAST: Final = 5
PROVIDER_AT_LEAST: Final = 3
REGION_AT_LEAST: Final = 5
KINDS: Final = ("availability", "regional")
"""Incidents of other kinds belong to no mass failure."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How all servers stand. `scopes` are those that hold, each with its members, in the order in which they count."""

    judged: frozenset[str] = frozenset()
    failing: frozenset[str] = frozenset()
    """Of those that are judged."""
    scopes: Mapping[str, frozenset[str]] = field(default_factory=dict)


def standing(
    states: Mapping[str, ServerState], servers: Iterable[Server], site: Site, covered: Collection[str] = ()
) -> Standing:
    """How `servers` (all of the site) stand by their newest `states`, by slug.

    Judged is who has a known status and is neither paused nor in maintenance; whoever is `covered` besides counts as in
    maintenance too. Failing is whose status is, or whose next failing round makes it so.
    """
    judged: dict[str, ServerState] = {}
    failing: set[str] = set()
    groups: dict[str, set[str]] = {}
    for server in servers:
        state = states.get(server.slug)
        if state is None or server.paused or server.slug in covered or not (state.status.ok or state.status.failing):
            continue
        judged[server.slug] = state
        # With `down_after: 1` the next failing round always does; so at least one has to be seen.
        if state.status.failing or state.fail_rounds >= max(1, server.down_after - 1):
            failing.add(server.slug)
        for group in _groups(server, state):
            groups.setdefault(group, set()).add(server.slug)
    scopes: dict[str, frozenset[str]] = {}
    if len(failing) >= SITE_AT_LEAST and 100 * len(failing) >= site.mass_failure_percent * len(judged):
        scopes[SITE] = frozenset(judged)
    for group in sorted(groups, key=lambda name: (name.startswith("network:"), name)):
        if len(groups[group]) >= PROVIDER_AT_LEAST and groups[group] <= failing:
            scopes[group] = frozenset(groups[group])
    if len(judged) >= REGION_AT_LEAST:
        for region in site.regions:
            if all(_fails_from(region, state) for state in judged.values()):
                scopes[f"region:{region}"] = frozenset(judged)
    return Standing(frozenset(judged), frozenset(failing), scopes)


def scope_of(slug: str, kind: str, standing: Standing) -> str:
    """The mass failure in which an incident of that kind of that server opens; empty: in none.

    Of several it is the first by X2: the site, its provider, its network, and only for `regional` a region.
    """
    if kind not in KINDS:
        return ""
    found = (scope for scope, members in standing.scopes.items() if slug in members)
    return next((scope for scope in found if kind == "regional" or not scope.startswith("region:")), "")


class Scoping:
    """What `judge_minute` takes as `scope`, for all that is judged in one go.

    `servers` are all of the site, `others()` the newest stored states of all shards. It is asked once, when the first
    incident opens: it reads as much as a tick does, and in a mass failure something opens in every shard.
    """

    def __init__(
        self, servers: Collection[Server], others: Callable[[], Mapping[str, ServerState]], site: Site
    ) -> None:
        self._servers = servers
        self._others = others
        self._site = site
        self._known: dict[str, ServerState] | None = None
        self._judged: Mapping[str, ServerState] | None = None
        self._standing = Standing()

    def __call__(self, server: Server, kind: str, judged: Mapping[str, ServerState]) -> str:
        """The scope in which an incident opens; `judged` are the states of its shard, which nobody stored yet."""
        if self._known is None:
            self._known = dict(self._others())
        if self._judged is not judged:
            self._judged, self._standing = judged, standing({**self._known, **judged}, self._servers, self._site)
        return scope_of(server.slug, kind, self._standing)

    def learn(self, stored: Mapping[str, ServerState]) -> None:
        """States that were stored since: newer than what `others` said."""
        if self._known is not None:
            self._known.update(stored)


def _groups(server: Server, state: ServerState) -> list[str]:
    """The provider and the network of a server, as scopes."""
    out = [f"provider:{server.provider}"] if server.provider else []
    network = network_of(state.address)
    return [*out, f"network:{network}"] if network else out


@lru_cache(maxsize=16_384)
def network_of(address: str | None) -> str:
    """The /24 of an IPv4 address, the /48 of an IPv6 one; empty where there is none."""
    try:
        known = ipaddress.ip_address(address or "")
    except ValueError:
        return ""
    if isinstance(known, ipaddress.IPv6Address):
        if known.ipv4_mapped is None:
            return str(ipaddress.ip_network((int(known) >> 80 << 80, 48)))
        known = known.ipv4_mapped
    return str(ipaddress.ip_network((int(known) >> 8 << 8, 24)))


def _fails_from(region: str, state: ServerState) -> bool:
    """Did that region fail in the newest round? An older view of it says nothing."""
    return any(
        view.region == region and view.checked_at >= state.last_round and Status(view.status).failing
        for view in state.regions
    )
