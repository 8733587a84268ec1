"""What a notice says in facts: names and values, lists, and where in the life of an alert it stands.

Pure. Texts are untrusted and of any length, as in `lookout.notify.words`, which makes a story of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from lookout.notify.text import coarse, duration, moment
from lookout.regions import city
from lookout.verdict.case import Incident, Notice

LISTED: Final = 10
"""Names listed of each group."""
OUTAGE: Final = "availability"
"""The kind of incident that is an outage."""
_FINE: Final = ("up", "degraded", "auth_required")
_FAILING: Final = ("down", "credential_rejected")


class Phase(StrEnum):
    """Where in the life of what it is about a notice stands: NEWS has none, nothing will resolve it."""

    OPENED = "opened"
    UPDATED = "updated"
    RESOLVED = "resolved"
    NEWS = "news"


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and a value. Where the value is a moment, `at` is its unix second: some media show it in local time."""

    name: str
    value: str
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """Names under a heading, and how many there are beyond them.

    `wide`: there is more to each than a name. `apart`: each is a sentence, for a line of its own.
    """

    heading: str
    names: tuple[str, ...]
    more: int = 0
    wide: bool = False
    apart: bool = False

    def joined(self, name: Callable[[str], str], sentence: Callable[[str], str], bullet: str = "\n• ") -> str:
        """All of it after its heading: names in a row, sentences one below the other, each as the medium writes it."""
        if self.apart:
            more = f"{bullet}{self.more} more" if self.more else ""
            return "".join(f"{bullet}{sentence(one)}" for one in self.names) + more
        return " " + ", ".join(map(name, self.names)) + (f", +{self.more} more" if self.more else "")


def phase(notice: Notice) -> Phase:
    """Opened and updated: the same alert goes on; resolved: it ends; news: there is nothing to end."""
    if notice.incident is None:
        return Phase.NEWS
    if notice.incident.resolved_at is not None:
        return Phase.RESOLVED
    told = notice.digest is not None or notice.slo is not None
    again = notice.type in ("incident.updated", "incident.reminder") or (told and notice.sequence)
    return Phase.UPDATED if again else Phase.OPENED


def kind_of(notice: Notice) -> str:
    """The kind of its incident; empty where there is none."""
    return notice.incident.kind if notice.incident is not None else ""


def _cities(notice: Notice, statuses: tuple[str, ...]) -> str:
    names = ", ".join(city(view.region) for view in notice.regions if view.status in statuses)
    return f" ({names})" if names else ""


def _listing(heading: str, names: list[str], *, wide: bool = False) -> list[Listing]:
    return [Listing(heading, tuple(names[:LISTED]), max(0, len(names) - LISTED), wide)] if names else []


def listings(notice: Notice) -> tuple[Listing, ...]:
    """What was removed, changed and added, each change with its kinds; or who fails, and who recovered."""
    drift = notice.drift
    if notice.digest is not None:
        return _members(notice.digest)
    if notice.maintenance is not None:
        names, more = notice.maintenance["servers"], notice.maintenance["more"]
        shown = tuple(names[:LISTED])
        return (Listing("Servers", shown, len(names) - len(shown) + more),) if names else ()
    if drift is None:
        return ()
    changed = []
    for one in drift["changed"]:
        kinds = dict.fromkeys(c["kind"].replace("_", " ") for c in one["changes"])
        changed.append(f"{one['tool'][:60]}: {', '.join(kinds)}")
    removed, added = list(drift["removed"]), list(drift["added"])
    return (*_listing("Removed", removed), *_listing("Changed", changed, wide=True), *_listing("Added", added))


def _members(digest: Mapping[str, Any]) -> tuple[Listing, ...]:
    failing = [one["name"] for one in digest["members"] if one["until"] is None][:LISTED]
    fine = [one["name"] for one in digest["members"] if one["until"] is not None][:LISTED]
    groups = (("Failing", failing, digest["failing"]), ("Recovered", fine, digest["servers"] - digest["failing"]))
    return tuple(
        Listing(heading, tuple(names), max(0, count - len(names))) for heading, names, count in groups if names
    )


def facts(notice: Notice) -> list[Fact]:
    """At most ten, the severity last where there is one."""
    severity = Fact("Severity", notice.severity)
    if notice.drift is not None:
        seen = ", ".join(city(region) for region in notice.drift["regions"])
        surface = f"{notice.drift['old_hash'][7:19]} → {notice.drift['new_hash'][7:19]}"
        return [Fact("Class", notice.drift["class"]), Fact("Seen from", seen), Fact("Surface", surface), severity]
    if notice.maintenance is not None:
        return _planned(notice.maintenance)
    if notice.incident is None:
        return [Fact("Status", notice.status), severity]
    if notice.incident.kind == "region":
        return [*_silence(notice, notice.incident), severity]
    if notice.slo is not None:
        return [*_burning(notice, notice.slo, notice.incident), severity]
    began = at("First seen", notice.incident.started_at)
    if notice.digest is not None:
        return [*_extent(notice.digest, notice.incident, began), severity]
    if phase(notice) is Phase.RESOLVED:
        return [*_ended(notice, notice.incident, began), Fact("Previous status", notice.previous_status), severity]
    before = notice.previous_status
    if notice.type == "incident.opened" and notice.previous_since:
        before += f" ({coarse(max(0, notice.incident.started_at - notice.previous_since))})"
    rows = _failing(notice, began) if notice.incident.kind == OUTAGE else [Fact("Status", notice.status), began]
    if notice.incident.acknowledged is not None:
        rows.append(Fact("Acknowledged by", notice.incident.acknowledged.by))
    return [*rows, Fact("Previous status", before), severity]


def at(name: str, second: int) -> Fact:
    """A moment, by its name."""
    return Fact(name, moment(second), second)


def _failing(notice: Notice, began: Fact) -> list[Fact]:
    quorum = notice.quorum
    return [
        Fact("Failure layer", notice.failure.layer or "-"),
        began,
        Fact("Regions failing", f"{quorum.regions_failing} of {quorum.regions_total}{_cities(notice, _FAILING)}"),
        Fact("Consecutive rounds", str(quorum.consecutive_rounds)),
    ]


def _ended(notice: Notice, incident: Incident, began: Fact) -> list[Fact]:
    lasted = duration(max(0, (incident.resolved_at or notice.created_at) - incident.started_at))
    fine = sum(view.status in _FINE for view in notice.regions)
    regions = Fact("Regions ok", f"{fine} of {notice.quorum.regions_total}{_cities(notice, _FINE)}")
    return [Fact("Downtime" if incident.kind == OUTAGE else "Lasted", lasted), began, regions]


def _extent(digest: Mapping[str, Any], incident: Incident, began: Fact) -> list[Fact]:
    failing = Fact("Servers failing", f"{digest['failing']} of {digest['servers']}")
    if incident.resolved_at is None:
        return [failing, began]
    return [Fact("Lasted", duration(max(0, incident.resolved_at - incident.started_at))), failing, began]


def _burning(notice: Notice, slo: Mapping[str, Any], incident: Incident) -> list[Fact]:
    """A rate that is not known is `?`."""
    long, short = ("?" if slo[key] is None else f"{slo[key]:g}" for key in ("burn_rate", "short_burn_rate"))
    rates = f"{long} over {slo['window']}, {short} over {coarse(slo['short_window_seconds'])}"
    left = slo["budget_remaining"]
    spent = "" if left is None else f"{abs(left):.1%} {'overspent' if left < 0 else 'left'}"
    budget = [Fact("Budget of 30 days", spent)] if spent else []
    over = incident.resolved_at
    lasted = [] if over is None else [Fact("Lasted", duration(max(0, over - incident.started_at)))]
    return [
        Fact("Burn rate", rates),
        Fact("Threshold", f"{slo['threshold']:g}"),
        Fact("Objective", slo["objective"]),
        *budget,
        *lasted,
        at("Burning since", incident.started_at),
        Fact("Status", notice.status),
    ]


def _planned(maintenance: Mapping[str, Any]) -> list[Fact]:
    reason = [Fact("Reason", maintenance["reason"])] if maintenance["reason"] else []
    times = [at("From", maintenance["begins_at"]), at("Until", maintenance["ends_at"])]
    return [*reason, *times, Fact("Uptime", str(maintenance["uptime"]).replace("_", " "))]


def _silence(notice: Notice, incident: Incident) -> list[Fact]:
    last = max((view.checked_at for view in notice.regions), default=0)
    ended = incident.resolved_at
    since = at("Silent since", incident.started_at)
    still = Fact("Silent for", duration(ended - incident.started_at)) if ended is not None else at("Last report", last)
    return [since, still, Fact("Regions silent", f"{notice.quorum.regions_unknown} of {notice.quorum.regions_total}")]
