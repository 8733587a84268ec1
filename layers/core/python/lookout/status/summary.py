"""What a snapshot says as a whole: the words for each status, the banner, and what counts as stale. Pure.

The banner never claims more than is known: "All systems operational" needs at least one server, and every server
that is watched must be known to be ok. A server nobody could check is said, not rounded away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from lookout.probe.result import Status
from lookout.status.incidents import is_outage
from lookout.status.text import plural
from lookout.status.view import ServerView, Snapshot
from lookout.verdict.case import Incident

STALE_AFTER_S: Final = 300
"""A snapshot, or a region's newest round, older than this is called stale."""

WORDS: Final[Mapping[Status, str]] = MappingProxyType(
    {
        Status.UP: "Up",
        Status.DEGRADED: "Degraded",
        Status.AUTH_REQUIRED: "Up, sign-in required",
        Status.CREDENTIAL_REJECTED: "Credential rejected",
        Status.DOWN: "Down",
        Status.UNKNOWN: "Unknown",
        Status.MAINTENANCE: "Maintenance",
        Status.PAUSED: "Paused",
        Status.PENDING: "Not yet probed",
    }
)

TONES: Final[Mapping[Status, str]] = MappingProxyType(
    {
        Status.UP: "ok",
        Status.DEGRADED: "warn",
        Status.AUTH_REQUIRED: "auth",
        Status.CREDENTIAL_REJECTED: "bad",
        Status.DOWN: "bad",
        Status.UNKNOWN: "none",
        Status.MAINTENANCE: "info",
        Status.PAUSED: "idle",
        Status.PENDING: "wait",
    }
)
"""Which icon and colour a status is drawn with; each tone has its own shape, so colour is never alone."""

EXPLANATIONS: Final[Mapping[Status, str]] = MappingProxyType(
    {
        Status.UP: "The MCP exchange completes.",
        Status.DEGRADED: "It works, but slowly, with conformance errors, or not from every region.",
        Status.AUTH_REQUIRED: "It answers as the specification says: sign in first. Nothing behind that is checked.",
        Status.CREDENTIAL_REJECTED: "The credential we were given is refused or has expired.",
        Status.DOWN: "A quorum of regions cannot complete the MCP exchange.",
        Status.UNKNOWN: "We could not check: too few regions reported, or we were rate limited.",
        Status.MAINTENANCE: "Inside a declared maintenance window.",
        Status.PAUSED: "Not being watched at the moment.",
        Status.PENDING: "Newly added; the first results are on their way.",
    }
)


@dataclass(frozen=True, slots=True)
class Overall:
    """The banner. `indicator` is Statuspage's none, minor, major or critical; `tone` as in TONES."""

    indicator: str
    tone: str
    headline: str
    detail: str
    counts: Mapping[Status, int]


def incidents_of(view: ServerView) -> tuple[Incident, ...]:
    """The incidents of a server that may be shown: those opened while it was public."""
    return tuple(i for i in view.incidents if i.public)


def outages_of(view: ServerView) -> tuple[Incident, ...]:
    """Those that count as time down."""
    return tuple(i for i in incidents_of(view) if is_outage(i))


def warnings_of(view: ServerView) -> tuple[Incident, ...]:
    """Those of other kinds, open ones first."""
    found = [i for i in incidents_of(view) if not is_outage(i)]
    return tuple(sorted(found, key=lambda i: i.resolved_at is not None))


def all_incidents(snapshot: Snapshot) -> list[tuple[ServerView, Incident]]:
    """Every public incident, of every kind, with its server, newest first."""
    found = [(view, incident) for view in snapshot.servers for incident in incidents_of(view)]
    return sorted(found, key=lambda pair: (-pair[1].started_at, pair[1].id))


def age_s(snapshot: Snapshot, now: int) -> int:
    """Seconds since the snapshot was gathered; never negative."""
    return max(0, now - snapshot.generated_at)


def stale(snapshot: Snapshot, now: int) -> bool:
    """Older than five minutes: what it says may no longer be so."""
    return age_s(snapshot, now) > STALE_AFTER_S


def silent_regions(snapshot: Snapshot, now: int) -> dict[str, int]:
    """Regions without a result for five minutes, with the newest minute they did report (0: never)."""
    return {region: at for region, at in snapshot.regions.items() if now - at > STALE_AFTER_S}


_OF_THE_OK: Final = ((Status.DEGRADED, "degraded"), (Status.AUTH_REQUIRED, "asking for sign-in"))
_OF_THE_REST: Final = (
    (Status.DOWN, "down"),
    (Status.CREDENTIAL_REJECTED, "refusing the credential we were given"),
    (Status.UNKNOWN, "could not be checked"),
    (Status.PENDING, "not yet probed"),
    (Status.MAINTENANCE, "in maintenance"),
    (Status.PAUSED, "paused"),
)


def newest_round_age_s(snapshot: Snapshot, now: int) -> int | None:
    """Seconds since the newest round of any region began; None before the first."""
    newest = max(snapshot.regions.values(), default=0)
    return max(0, now - newest) if newest else None


def _detail(counts: Mapping[Status, int], total: int) -> str:
    ok = sum(n for status, n in counts.items() if status.ok)
    among = ", ".join(f"{counts[s]} {word}" for s, word in _OF_THE_OK if counts.get(s))
    first = f"{ok} of {plural(total, 'server')} operational" + (f" ({among})" if among else "")
    return "; ".join([first, *(f"{counts[s]} {word}" for s, word in _OF_THE_REST if counts.get(s))]) + "."


def overall(snapshot: Snapshot, now: int) -> Overall:
    """The worst thing known, said plainly."""
    counts = Counter(view.state.status for view in snapshot.servers)
    total = len(snapshot.servers)
    if not total:
        return Overall("none", "wait", "No public servers yet", "Nothing is being watched in public.", counts)
    watched = total - counts[Status.PAUSED]
    failing = counts[Status.DOWN] + counts[Status.CREDENTIAL_REJECTED]
    blind = counts[Status.UNKNOWN] + counts[Status.PENDING]
    known_ok = sum(n for status, n in counts.items() if status.ok)
    detail = _detail(counts, total)
    silence_s = newest_round_age_s(snapshot, now)
    if watched and silence_s is not None and silence_s > STALE_AFTER_S:
        text = "No region has reported for more than five minutes; this is what was last known. " + detail
        return Overall("minor", "none", "Monitoring is interrupted", text, counts)
    if failing:
        word = "down" if not counts[Status.CREDENTIAL_REJECTED] else "failing"
        if failing == watched and watched > 1:
            return Overall("critical", "bad", f"All servers are {word}", detail, counts)
        verb = "is" if failing == 1 else "are"
        indicator = "critical" if failing == watched else "major"
        return Overall(indicator, "bad", f"{plural(failing, 'server')} {verb} {word}", detail, counts)
    if counts[Status.DEGRADED]:
        verb = "is" if counts[Status.DEGRADED] == 1 else "are"
        return Overall("minor", "warn", f"{plural(counts[Status.DEGRADED], 'server')} {verb} degraded", detail, counts)
    if not known_ok and blind:
        return Overall("minor", "none", "Status not known yet", detail, counts)
    if blind:
        return Overall("minor", "none", "No known problems", detail, counts)
    if counts[Status.MAINTENANCE]:
        return Overall("none", "info", "Maintenance in progress", detail, counts)
    if not known_ok:
        return Overall("none", "idle", "Monitoring is paused", detail, counts)
    return Overall("none", "ok", "All systems operational", detail, counts)
