"""A notice in words: one headline, one cause, facts as pairs. Every medium renders these, and has no words of its own.

Pure. What a server said is in them as it came: each medium escapes it, and cuts it to its limits (`notify.text`).
A type or a kind without words of its own is told by its name, so that a new one reads well before anybody wrote for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lookout.notify import reports
from lookout.notify.facts import OUTAGE, Fact, Listing, Phase, facts, kind_of, listings, phase
from lookout.notify.text import duration, moment, one_line
from lookout.notify.vocabulary import COLORS, ICONS, KINDS, SEVERITY_TONES, TYPES, Tone
from lookout.verdict.case import Notice

_OVER: Final = ("removed", "paused")


@dataclass(frozen=True, slots=True)
class Story:
    """What a notice tells. Texts are untrusted and of any length."""

    tone: Tone
    name: str
    """What people call the server."""
    title: str
    """What happened to it, in a word or a few: `down`."""
    verb: str
    """The same as the rest of a sentence: `is DOWN from 3/3 regions`."""
    address: str
    """The server's URL; empty where it is about no server."""
    cause: str
    """`initialize error (HTTP 502)`; empty where nothing failed."""
    detail: str
    """The server's own words."""
    note: str
    """A sentence of ours; mostly empty."""
    listings: tuple[Listing, ...]
    facts: tuple[Fact, ...]
    page: str | None
    """Where a person reads on."""
    reference: str

    @property
    def icon(self) -> str:
        """One emoji."""
        return ICONS[self.tone]

    @property
    def color(self) -> str:
        """`#rrggbb`."""
        return COLORS[self.tone]

    @property
    def line(self) -> str:
        """All of it in one line, for a lock screen. [EXTERNAL] tells it from what Prometheus sees inside."""
        return f"[EXTERNAL] {self.name} {self.verb}" + (f" — {self.cause}" if self.cause else "")


def links(notice: Notice, site_url: str) -> dict[str, str | None]:
    """Where a person reads on. A private server has no public page, and its links are null.

    What is about no server (a region, a digest, maintenance) has a colon in its slug, which no server can have: it has
    the index. An alert of an error budget has no page beside its server's.
    """
    if ":" in notice.slug:
        return {"status_page": f"{site_url}/", "incident": None}
    if notice.server.get("visibility") != "public":
        return {"status_page": None, "incident": None}
    incident = notice.incident if kind_of(notice) != "slo" else None
    return {
        "status_page": f"{site_url}/status/{notice.slug}/",
        "incident": f"{site_url}/incidents/{incident.id}/" if incident is not None else None,
    }


def tell(notice: Notice, site_url: str) -> Story:
    """The notice in words."""
    tone, verb = _verb(notice)
    told_by_status = (
        notice.type.startswith("incident.")
        and phase(notice) is not Phase.RESOLVED
        and kind_of(notice) == OUTAGE
        and not just_taken(notice)
    )
    title = notice.status if told_by_status else verb
    cause = _cause(notice)
    if cause and told_by_status:
        verb += f" from {notice.quorum.regions_failing}/{notice.quorum.regions_total} regions"
    if notice.drift is not None:
        verb += f": {notice.drift['class']}"
    if notice.incident is not None and notice.incident.flapping and phase(notice) is not Phase.RESOLVED:
        verb += " (flapping)"
    about_us = notice.incident is not None and notice.incident.kind == "region"
    note = "Lookout itself: servers are judged by the regions that report." if about_us else _note(notice)
    return Story(
        tone=tone,
        name=str(notice.server.get("name") or notice.slug),
        title=title,
        verb=verb,
        address=str(notice.server.get("url") or ""),
        cause=cause,
        detail=notice.failure.message if cause else "",
        note=f"{_missed(notice)} {note}".strip(),
        listings=listings(notice) if notice.report is None else reports.listings(notice.report),
        facts=tuple(facts(notice) if notice.report is None else reports.facts(notice.report, notice.severity)),
        page=links(notice, site_url)["status_page"],
        reference=notice.dedup_key,
    )


def _verb(notice: Notice) -> tuple[Tone, str]:
    """How it looks, and what happened."""
    kind, resolution = kind_of(notice), notice.incident.resolution if notice.incident is not None else None
    if notice.digest is not None:
        return _together(notice, notice.digest)
    if notice.report is not None:
        return reports.verb(notice.report)
    if phase(notice) is Phase.RESOLVED:
        if resolution in _OVER:
            over = "is no longer probed from" if kind == "region" else f"is no longer watched ({resolution})"
            return Tone.GONE, over
        if kind == "slo" and resolution == "off":
            return Tone.GONE, "is no longer watched for its error budget"
        return Tone.GOOD, KINDS.get(kind, ("", f"{kind} is over".strip()))[1]
    if notice.drift is not None and notice.drift["unstable"]:
        return Tone.CHANGE, "alternates in what it offers"
    if just_taken(notice):
        return Tone.NEWS, "is acknowledged"
    if kind == OUTAGE and notice.status == "credential_rejected":
        return Tone.BAD if notice.type == "incident.opened" else Tone.WARNING, "rejects our credential"
    if notice.slo is not None and phase(notice) is Phase.UPDATED:
        return Tone.WARNING, "burns its error budget faster"
    if notice.type in TYPES:
        return TYPES[notice.type]
    tone = SEVERITY_TONES.get(notice.severity, Tone.NEWS)
    return tone, KINDS[kind][0] if kind in KINDS else notice.type.replace(".", " ").replace("_", " ")


def just_taken(notice: Notice) -> bool:
    """Does it tell that somebody has taken the incident in hand?"""
    lines = notice.incident.timeline if notice.incident is not None else ()
    return notice.type == "incident.updated" and bool(lines) and lines[-1].what == "acknowledged"


def _together(notice: Notice, digest: Mapping[str, Any]) -> tuple[Tone, str]:
    """Of a mass failure. Who is told of one server alone is told that it is not the only one."""
    if phase(notice) is Phase.RESOLVED:
        failing = digest["failing"]
        return (Tone.WARNING, f"recovered but {failing}") if failing else (Tone.GOOD, "recovered")
    verb = "fail together" if digest["servers"] > 1 else "fails together with others"
    more = f" ({digest['new']} more)" if phase(notice) is Phase.UPDATED else ""
    return SEVERITY_TONES.get(notice.severity, Tone.WARNING), verb + more


def _cause(notice: Notice) -> str:
    """Why, in our own closed words. An open outage always has one."""
    if phase(notice) is Phase.RESOLVED or notice.drift is not None:
        return ""
    outage = notice.type.startswith("incident.") and kind_of(notice) == OUTAGE
    failure = notice.failure
    if not outage and failure.reason in (None, "", "slow"):  # what is slow is said to be, already
        return ""
    status = f" (HTTP {failure.http_status})" if failure.http_status else ""
    return f"{(failure.reason or 'failed').replace('_', ' ')[:80]}{status}"


def _missed(notice: Notice) -> str:
    """Of an end whose beginning this sink was not told: both."""
    incident = notice.incident
    if not notice.opening_undelivered or incident is None or incident.resolved_at is None:
        return ""
    was = "It was down" if incident.kind == OUTAGE else "It lasted"
    span = f"from {moment(incident.started_at)} to {moment(incident.resolved_at)}"
    return f"{was} {span}; the notice of its beginning could not be delivered."


def _note(notice: Notice) -> str:
    """What the listings leave out."""
    if notice.digest is not None and phase(notice) is Phase.RESOLVED and notice.digest["failing"]:
        return "Who still fails is told alone from here on."
    taken = notice.incident.acknowledged if notice.incident is not None and just_taken(notice) else None
    if taken is not None and taken.public:
        return one_line(taken.text, 500)
    if notice.escalation is not None:
        return f"Nobody has acknowledged it in {duration(notice.escalation['after_s'])}."
    if notice.drift is None:
        return ""
    if notice.drift.get("more"):
        return f"and {notice.drift['more']} changes more"
    if any(notice.drift[key] for key in ("removed", "changed", "added")):
        return ""
    return "What changed cannot be told: the surfaces were not at hand."
