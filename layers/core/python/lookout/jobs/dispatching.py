"""dispatch: which servers are due in this minute, one probe invocation per shard."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from lookout.config.model import Server, Site
from lookout.errors import StoreError
from lookout.jobs.surfaces import known_of
from lookout.verdict.state import ServerState

_log = logging.getLogger(__name__)


class Roster(Protocol):
    """What dispatch reads."""

    def roster(self) -> tuple[Site | None, list[Server]]:
        """The site and its servers."""
        ...

    def server_states(self) -> dict[str, ServerState]:
        """Every server's state; eventually consistent."""
        ...


def scheduled_minute(event: Mapping[str, Any], now: int) -> int:
    """The minute (unix s, multiple of 60) an event stands for: its own `time`, else `now`, floored.

    EventBridge Scheduler fills `<aws.scheduler.scheduled-time>`; where the placeholder comes unreplaced the time of
    arrival stands in. A double delivery carries the same time, so it names the same minute.
    """
    text = event.get("time")
    if isinstance(text, str) and not text.startswith("<"):
        moment = datetime.fromisoformat(text)
        now = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    return now // 60 * 60


def due_by_shard(servers: Sequence[Server], minute: int) -> dict[str, list[Server]]:
    """The servers due in that minute, by shard, in the order given."""
    out: dict[str, list[Server]] = {}
    for server in servers:
        if server.due(minute):
            out.setdefault(server.shard, []).append(server)
    return out


def _known(store: Roster) -> dict[str, dict[str, object]]:
    """What probes need not find out again, by slug. It only spares them work: without it they do all of it."""
    try:
        return {slug: known_of(state) for slug, state in store.server_states().items()}
    except Exception:  # noqa: BLE001 - whatever this read suffers, the minute is probed
        _log.exception("what is known of the servers cannot be read: probes begin without it")
        return {}


def dispatch(store: Roster, minute: int, region: str, invoke: Callable[[dict[str, Any]], None]) -> dict[str, int]:
    """Invoke one probe per shard with something due; returns `{shard: servers}`. Raises StoreError without a site.

    A shard whose probe cannot be invoked does not keep the others waiting: an ExceptionGroup is raised at the end.
    """
    site, servers = store.roster()
    if site is None:
        raise StoreError("the servers table holds no site: `cdk deploy` has not applied lookout.yaml yet")
    if region not in site.regions:
        return {}
    shards = due_by_shard(servers, minute)
    known = _known(store)
    errors: list[Exception] = []
    for shard, due in shards.items():
        payload = {
            "shard": shard,
            "minute": minute,
            "site": site.to_item(),
            "servers": [server.to_item() for server in due],
            "known": {server.slug: known[server.slug] for server in due if server.slug in known},
        }
        try:
            invoke(payload)
        except Exception as error:  # noqa: BLE001 - whatever one invocation suffers, the others are made; raised below
            errors.append(error)
    if errors:
        raise ExceptionGroup(f"{len(errors)} of {len(shards)} probes could not be invoked", errors)
    return {shard: len(due) for shard, due in shards.items()}
