"""What the digest of a day or a week says. Pure.

Texts are untrusted and of any length, as in `lookout.notify.words`, which makes a story of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from lookout.history.uptime import percent
from lookout.notify.facts import LISTED, OUTAGE, Fact, Listing, at
from lookout.notify.text import duration, plural
from lookout.notify.vocabulary import Tone


def verb(report: Mapping[str, Any]) -> tuple[Tone, str]:
    """How it looks, and what follows its name in a sentence."""
    servers, up = plural(report["servers"], "server"), _percent(report["uptime"])
    if up is None:
        return Tone.NEWS, f"has no data of {servers}"
    told = _counted(report["outages"], report["downtime_seconds"], report["incidents"])
    still = f"{report['open']} still open" if report["open"] else ""
    if not told and not still:
        return Tone.GOOD, f"was quiet: {servers}, {up} up"
    return Tone.NEWS, f"had {', '.join(filter(None, (told, still)))}: {servers}, {up} up"


def listings(report: Mapping[str, Any]) -> tuple[Listing, ...]:
    """The servers of which there is something to say, worst first; the others are counted in the facts."""
    said = [_line(one) for one in report["members"][: report["servers"] - report["fine"]]]
    more = report["servers"] - report["fine"] - len(said[:LISTED])
    return (Listing("Worst first", tuple(said[:LISTED]), more, apart=True),) if said else ()


def facts(report: Mapping[str, Any]) -> list[Fact]:
    """Eight at most, since some media show no more."""
    outages = f"{report['outages']} ({duration(report['downtime_seconds'])} down)" if report["outages"] else "none"
    counts = [("Other incidents", report["incidents"]), ("Still open", report["open"])]
    return [
        Fact("Servers", f"{report['servers']}, {report['fine']} without a failure or a gap"),
        Fact("Uptime", _percent(report["uptime"]) or "no data"),
        Fact("Coverage", _percent(report["coverage"]) or "no data"),
        Fact("Outages", outages),
        *(Fact(name, str(count)) for name, count in counts if count),
        at("From", report["begins_at"]),
        at("Until", report["ends_at"]),
    ]


def _line(member: Mapping[str, Any]) -> str:
    """One server: how much it was up, what there was, what lasts."""
    up, seen = _percent(member["uptime"]), _percent(member["coverage"])
    nothing = "paused" if member["status"] == "paused" else "no data"
    parts = [f"{up} up" if up is not None else nothing]
    if up is not None and seen != "100%":
        parts.append(f"{seen} covered")
    if told := _counted(member["outages"], member["downtime_seconds"], member["incidents"]):
        parts.append(told)
    if member["open"]:
        parts.append("still down" if OUTAGE in member["open"] else "still open")
    return f"{member['name'][:60]}: {', '.join(parts)}"


def _counted(outages: int, downtime_s: int, incidents: int) -> str:
    """`2 outages (14 m 02 s down), 1 other incident`; empty where there were none."""
    down = [f"{plural(outages, 'outage')} ({duration(downtime_s)} down)"] if outages else []
    other = [plural(incidents, "other incident" if outages else "incident")] if incidents else []
    return ", ".join((*down, *other))


def _percent(ratio: float | None) -> str | None:
    """Rounded down, from the decimals the ratio is written with: 0.999 is 99.9%, whatever its binary digits are."""
    return None if ratio is None else percent(Fraction(repr(ratio)))
