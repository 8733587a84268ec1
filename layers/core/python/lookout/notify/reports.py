"""What a digest says that sums up: what waited for the end of quiet hours, or what a day or a week had. Pure.

Texts are untrusted and of any length, as in `lookout.notify.words`, which makes a story of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lookout.notify import periods
from lookout.notify.facts import LISTED, Fact, Listing, at
from lookout.notify.text import duration, moment, plural
from lookout.notify.vocabulary import KINDS, TYPES, Tone

QUIET: Final = "quiet"
"""The kind of a report that tells what waited."""


def verb(report: Mapping[str, Any]) -> tuple[Tone, str]:
    """How it looks, and what follows its name in a sentence."""
    if report["kind"] != QUIET:
        return periods.verb(report)
    still = f", {plural(report['open'], 'incident')} still open" if report["open"] else ""
    return Tone.NEWS, f"are over: {plural(report['notices'], 'notice')} waited{still}"


def listings(report: Mapping[str, Any]) -> tuple[Listing, ...]:
    """What still lasts, and what does not; of a day or a week its servers."""
    if report["kind"] != QUIET:
        return periods.listings(report)
    members = report["members"]
    still = [_waited(one) for one in members if one["open"]]
    rest = [_waited(one) for one in members if not one["open"]]
    more_open = report["open"] - len(still)
    groups = (("Still open", still, more_open), ("Over, or only for information", rest, report["more"] - more_open))
    return tuple(
        Listing(heading, tuple(said[:LISTED]), max(0, len(said) - LISTED) + more, apart=True)
        for heading, said, more in groups
        if said
    )


def facts(report: Mapping[str, Any], severity: str) -> list[Fact]:
    """Of what time it is, the severity last; of a day or a week what there was in figures, too."""
    told = [at("From", report["begins_at"]), at("Until", report["ends_at"])]
    if report["kind"] != QUIET:
        told = periods.facts(report)
    return [*told, Fact("Severity", severity)]


def _waited(member: Mapping[str, Any]) -> str:
    """One line: who, what, since when or how long."""
    kind, until = member["kind"], member["until"]
    if until is not None:
        said = KINDS.get(kind, ("", f"{kind} is over"))[1]
        return f"{member['name'][:60]} {said}, after {duration(max(0, until - member['since']))}"
    said = KINDS[kind][0] if kind in KINDS else TYPES.get(member["type"], (Tone.NEWS, member["type"]))[1]
    return f"{member['name'][:60]} {said} ({moment(member['since'])})"
