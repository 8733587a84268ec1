"""A delivery in words: what a person reads on the receiver's page. Pure.

The body of `lookout/v1` has nearly all a notice has, so it is read back into one and told by `notify.words`, in the
words every sink has. What it cannot be read from (another format, a body of somebody else) is told in none.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from lookout.notify.words import Story, tell
from lookout.verdict.case import Entry, Incident, Notice
from lookout.verdict.state import Failure, Quorum, RegionView

_ODD: Final = (ArithmeticError, AttributeError, LookupError, OSError, RecursionError, TypeError, ValueError)
"""What comes of a body that looks like ours and is not."""


def story_of(payload: object) -> Story | None:
    """The story of a delivery's parsed body; None where it is not one of `lookout/v1`. Texts are untrusted."""
    if not isinstance(payload, dict) or payload.get("version") != "1":
        return None
    try:
        page = payload["links"]["status_page"]
        site = "{0.scheme}://{0.netloc}".format(urlsplit(page)) if isinstance(page, str) else ""
        return tell(_notice(payload), site)
    except _ODD:
        return None


def _notice(body: Mapping[str, Any]) -> Notice:
    """The notice, but for what no body tells. Raises one of _ODD."""
    regions = tuple(
        RegionView(one["region"], one["status"], _at(one["checked_at"]), one["latency_ms"], None, one["reason"], "")
        for one in body["regions"]
    )
    incident = _incident(body)
    escalation, report = body["escalation"], body["report"]
    return Notice(
        id=body["id"],
        type=body["type"],
        created_at=_at(body["timestamp"]),
        slug=body["server_slug"],
        status=body["status"],
        previous_status=body["previous_status"],
        previous_since=0,
        severity=body["severity"],
        dedup_key=body["dedup_key"],
        sequence=0,
        server=body["server"],
        failure=Failure(**body["failure"]),
        quorum=Quorum(**body["quorum"]),
        regions=regions,
        incident=incident,
        drift=body["drift"],
        digest=_members_timed(body["digest"]),
        maintenance=_timed(body["maintenance"], "begins_at", "ends_at"),
        escalation={"after_s": escalation["after_seconds"]} if escalation is not None else None,
        report=_members_timed(_timed(report, "begins_at", "ends_at")),
        slo=body["slo"],
        opening_undelivered=bool(body["incident"]["opening_undelivered"]),
    )


def _incident(body: Mapping[str, Any]) -> Incident | None:
    told = body["incident"]
    if told["id"] is None:
        return None
    taken, resolved = told["acknowledged_at"], told["resolved_at"]
    acknowledged = (Entry(_at(taken), "acknowledged", "", told["acknowledged_by"]),) if taken is not None else ()
    return Incident(
        told["id"],
        body["server_slug"],
        _at(told["started_at"]),
        _at(body["timestamp"]),
        body["status"],
        public=body["server"].get("visibility") == "public",
        title=str(body["server"].get("name", "")),
        resolved_at=_at(resolved) if resolved is not None else None,
        resolution=told["resolution"],
        failure=Failure(**body["failure"]),
        regions=tuple(one["region"] for one in body["regions"]),
        regions_total=body["quorum"]["regions_total"],
        kind=told["kind"],
        flapping=told["flapping"],
        timeline=acknowledged,
    )


def _at(text: str) -> int:
    """Unix seconds of an RFC 3339 time."""
    return int(datetime.fromisoformat(text).timestamp())


def _timed(value: Mapping[str, Any] | None, *keys: str) -> dict[str, Any] | None:
    """With its times as unix seconds again."""
    if value is None:
        return None
    return {**value, **{key: _at(value[key]) for key in keys if value.get(key) is not None}}


def _members_timed(value: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if value is None:
        return None
    return {**value, "members": [_timed(one, "since", "until") for one in value["members"]]}
