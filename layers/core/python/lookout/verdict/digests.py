"""The notices of a mass failure: one for each audience, with the servers it would have been told of alone. Pure.

Sinks that would have been told of the same servers are one audience, and get one notice. So a sink that is only under
one private server's `notify` learns that this server failed with others, and never which, nor how many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lookout.config.model import Site
from lookout.probe.result import Status
from lookout.regions import city
from lookout.verdict import ids
from lookout.verdict.case import Incident, Notice
from lookout.verdict.state import Failure, Quorum

NOTICE: Final = "digest"
KIND: Final = "mass"
LISTED: Final = 50
"""Members listed in one notice; of the others their number is told."""
_LAST: Final = 1 << 40


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of which mass failure. Times are unix seconds; `version` makes each telling's ids its own."""

    id: str
    scope: str
    opened_at: int
    now: int
    version: int
    first: bool
    over: bool


@dataclass(frozen=True, slots=True)
class _Member:
    """One incident: the notice it opened with, and the newest."""

    opening: Notice
    newest: Notice

    @property
    def going(self) -> bool:
        return self.newest.type != "incident.resolved"

    @property
    def since(self) -> int:
        return self.opening.incident.started_at if self.opening.incident else self.opening.created_at

    def to_json(self) -> dict[str, Any]:
        resolved = None if self.going or self.newest.incident is None else self.newest.incident.resolved_at
        return {
            "slug": self.opening.slug,
            "name": self.opening.server["name"],
            "status": self.newest.status,
            "reason": self.opening.failure.reason,
            "since": self.since,
            "until": resolved,
        }


def tell(told: Told, notices: Sequence[Notice], news: Collection[str], site: Site) -> tuple[Notice, ...]:
    """One notice for each audience that has any `news` (incidents, by id), or for all where it is over.

    `notices` are all of the digest, the openings among them.
    """
    members: dict[str, _Member] = {}
    for notice in sorted(notices, key=lambda one: (one.sequence, one.id)):
        known = members.get(notice.dedup_key)
        members[notice.dedup_key] = _Member(known.opening if known else notice, notice)
    audiences: dict[tuple[str, ...], list[str]] = {}
    for sink in sorted({sink for member in members.values() for sink in member.opening.sinks}):
        theirs = tuple(key for key, member in members.items() if sink in member.opening.sinks)
        if told.over or not set(theirs).isdisjoint(news):
            audiences.setdefault(theirs, []).append(sink)
    return tuple(
        _notice(told, {key: members[key] for key in keys}, frozenset(news) & set(keys), tuple(sinks), site)
        for keys, sinks in audiences.items()
    )


def title(scope: str, servers: int) -> str:
    """`12 servers of acme.dev`: what people call it."""
    kind, _, what = scope.partition(":")
    counted = f"{servers} server{'' if servers == 1 else 's'}"
    where = {"provider": f" of {what}", "network": f" in {what}", "region": f" from {city(what)} ({what})"}
    return counted + where.get(kind, "")


def _notice(
    told: Told, members: Mapping[str, _Member], news: Collection[str], sinks: tuple[str, ...], site: Site
) -> Notice:
    rows = sorted(
        members.items(), key=lambda item: (item[0] not in news, not item[1].going, item[1].since, item[1].opening.slug)
    )
    openings = [member.opening for _, member in rows]
    servers = len({opening.slug for opening in openings})
    failing = len({member.opening.slug for _, member in rows if member.going})
    slug, began = f"{NOTICE}:{told.scope}", min(member.since for _, member in rows)
    failed = any(Status(opening.status).failing for opening in openings)
    is_now = Status.DOWN if failed else Status.DEGRADED
    if told.over:
        is_now = Status.DEGRADED if failing else Status.UP
    public = all(opening.server["visibility"] == "public" for opening in openings)
    severe = any(opening.severity == "critical" for opening in openings)
    name = title(told.scope, servers)
    incident = Incident(
        id=told.id,
        slug=slug,
        started_at=began,
        opened_at=told.opened_at,
        status=is_now.value,
        public=False,
        title=name,
        resolved_at=told.now if told.over else None,
        resolution=("told alone" if failing else "recovered") if told.over else None,
        failure=_failure(openings),
        regions_total=len(site.regions),
        kind=KIND,
    )
    return Notice(
        id="evt_" + ids.ulid(told.now, told.id, str(told.version), *sinks),
        type=NOTICE,
        created_at=told.now,
        slug=slug,
        status=is_now.value,
        previous_status=(Status.UP if told.first else Status.DOWN).value,
        previous_since=0 if told.first else began,
        severity="info" if told.over else "critical" if severe else "high",
        dedup_key=told.id,
        sequence=_LAST if told.over else 0 if told.first else told.now,
        server={
            "slug": slug,
            "name": name,
            "url": None,
            "visibility": "public" if public else "private",
            "tags": [],
        },
        failure=incident.failure,
        quorum=Quorum(len(site.regions), max(one.quorum.regions_failing for one in openings), 0, "mass", 0),
        regions=(),
        incident=incident,
        sinks=sinks,
        digest={
            "scope": told.scope,
            "servers": servers,
            "failing": failing,
            "new": len(news),
            "members": [member.to_json() for _, member in rows[:LISTED]],
            "more": max(0, len(rows) - LISTED),
        },
    )


def _failure(openings: Sequence[Notice]) -> Failure:
    """What most of them fail with, without any server's words."""
    counts = Counter((one.failure.layer, one.failure.reason, one.failure.http_status) for one in openings)
    layer, reason, http_status = max(counts, key=lambda key: (counts[key], str(key)))
    return Failure(layer, reason, "", http_status)
