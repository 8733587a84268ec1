"""Incidents as they are shown in public: what of them at all, in which words, line by line. Pure.

Private notes, and the names of those who acknowledge and write, are for the operators: neither is ever published. What
a server said, and what people wrote, is `clean`ed here and escaped by whoever renders it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from lookout.regions import city
from lookout.status.text import clean, listed, plural
from lookout.verdict.case import Entry, Incident
from lookout.verdict.state import Failure

OUTAGE: Final = "availability"
NOTE_LIMIT: Final = 500

KINDS: Final[Mapping[str, str]] = {
    "regional": "Fails from some regions",
    "latency": "Slow to answer",
    "limited": "Cannot be checked: it limits our requests",
    "certificate": "Certificate ends soon",
    "drift": "What it offers changed",
}
"""Of what is a warning rather than an outage (decision 12, C5)."""
MEANINGS: Final[Mapping[str, str]] = {
    "regional": "At least one region cannot complete the MCP exchange, but fewer than a quorum.",
    "latency": "It answers, but takes longer than its limit, or far longer than in the seven days before.",
    "limited": "It limits our requests, or holds us for a bot. Whether it works is not known.",
    "certificate": "It has to be renewed, or clients will refuse to connect.",
    "drift": "Its tools are not what they were. Agents act on their names, schemas and descriptions, word for word.",
}
"""What an open warning means, for who reads the page."""
ENDS: Final[Mapping[str, str]] = {
    "recovered": "Recovered",
    "renewed": "Renewed",
    "reverted": "Changed back",
    "accepted": "Accepted",
    "settled": "Settled",
    "removed": "Removed",
    "paused": "Paused",
}
_WHY: Final[Mapping[str, str]] = {
    "recovered": "The first good round of the streak that ended it.",
    "renewed": "It ends later now.",
    "reverted": "It offers again what it offered before.",
    "accepted": "The operators took the change as it is.",
    "settled": "It has offered the same for seven days.",
    "removed": "The server was taken off the watch list; nobody saw this end.",
    "paused": "Watching was paused; nobody saw this end.",
}
_REGION: Final = re.compile(r"\b[a-z]{2}(?:-[a-z]+){1,2}-[0-9]\b")
_UNSEEN: Final = frozenset({"removed", "paused"})
"""Ends that nobody saw: watching ended first."""
_OURS: Final = frozenset({"acknowledged", "note"})
_TITLES: Final[Mapping[str, str]] = {
    "opened": "Confirmed",
    "updated": "Changed",
    "flapping": "Goes up and down",
    "acknowledged": "Acknowledged",
    "note": "Note",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a timeline: when, how it is drawn, what happened, and more about it. `text` is untrusted."""

    at: int
    what: str
    tone: str
    title: str
    text: str = ""


def is_outage(incident: Incident) -> bool:
    """Does it count as time down? Others are warnings."""
    return incident.kind == OUTAGE


def public(incident: Incident, *, with_credential: bool) -> Incident:
    """The incident as it may be published; `with_credential`: a credential was needed to see what its server offers."""
    hidden = with_credential and incident.kind == "drift"
    timeline = tuple(
        replace(entry, by="", text="" if _withheld(entry, hidden) else entry.text)
        for entry in incident.timeline
        if entry.public or entry.what == "acknowledged"
    )
    return replace(incident, timeline=timeline, surface="", held="", sinks=(), reminded={}, escalated=())


def _withheld(entry: Entry, hidden: bool) -> bool:
    return not entry.public or (hidden and entry.what not in _OURS)


def what(incident: Incident) -> str:
    """`Certificate ends soon`: of a warning what it is; of a kind this version does not know its name."""
    return KINDS.get(incident.kind) or clean(incident.kind, 40).replace("_", " ").capitalize()


def tone(incident: Incident) -> str:
    """How it is drawn: an open outage is bad, an open warning a warning, an end good or nothing."""
    if incident.resolved_at is None:
        return "bad" if is_outage(incident) else "warn"
    return "idle" if incident.resolution in _UNSEEN else "ok"


def end(incident: Incident) -> str:
    """How it ended, in a word; empty while it is open."""
    if incident.resolved_at is None:
        return ""
    return ENDS.get(incident.resolution or "", clean(incident.resolution or "resolved", 40).capitalize())


def cause(failure: Failure) -> str:
    """`http, http_5xx: HTTP 502 from origin`, as far as known; empty where nothing is."""
    head = ", ".join(part for part in (failure.layer, failure.reason) if part)
    message = clean(failure.message)
    if failure.http_status and str(failure.http_status) not in message:
        message = f"HTTP {failure.http_status}. {message}" if message else f"HTTP {failure.http_status}"
    return f"{head}: {message}" if head and message else head or message


def where(incident: Incident) -> str:
    """`Failing from Oregon and Dublin (2 of 3 regions)`; empty where no region is known to."""
    names = listed(city(region) for region in incident.regions)
    if not names:
        return ""
    return f"Failing from {names} ({len(incident.regions)} of {plural(incident.regions_total, 'region')})"


def moved_at(incident: Incident) -> int:
    """When it last changed as far as it is published."""
    return max(incident.opened_at, incident.resolved_at or 0, *(entry.at for entry in incident.timeline))


def lines(incident: Incident) -> tuple[Line, ...]:
    """The timeline, newest first: what was written at the time, and what every incident has had to have."""
    entries = list(incident.timeline)
    written = {entry.what for entry in entries}
    if "opened" not in written:
        entries.insert(0, Entry(incident.opened_at, "opened", where(incident) and f"{where(incident)}."))
    if incident.resolved_at is not None and "resolved" not in written:
        entries.append(Entry(incident.resolved_at, "resolved"))
    found = [_line(incident, entry) for entry in entries]
    if incident.started_at < incident.opened_at:
        first = "First failing round" if is_outage(incident) else "First seen"
        found.insert(0, Line(incident.started_at, "began", "warn", first))
    found.sort(key=lambda line: line.at)
    return tuple(reversed(found))


def written_by_people(incident: Incident) -> list[Line]:
    """Acknowledgement and notes, oldest first."""
    return [line for line in reversed(lines(incident)) if line.what in _OURS]


def _line(incident: Incident, entry: Entry) -> Line:
    text = clean(entry.text, NOTE_LIMIT)
    if entry.what not in _OURS:
        text = _REGION.sub(lambda found: city(found[0]), text)
    if entry.what == "resolved":
        at = entry.at if incident.resolved_at is None else incident.resolved_at
        said = _WHY.get(incident.resolution or "", text)
        drawn = "idle" if incident.resolution in _UNSEEN else "ok"
        return Line(at, entry.what, drawn, end(incident) or "Resolved", said)
    title = _TITLES.get(entry.what) or clean(entry.what, 40).capitalize()
    if entry.what == "opened" and not is_outage(incident):
        title = what(incident)
    if entry.what == "acknowledged" and not text:
        text = "Somebody has taken it in hand."
    return Line(entry.at, entry.what, _line_tone(incident, entry), title, text)


def _line_tone(incident: Incident, entry: Entry) -> str:
    if entry.what in _OURS:
        return "info"
    return "bad" if is_outage(incident) else "warn"
