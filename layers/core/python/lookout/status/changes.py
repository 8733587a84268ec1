"""Surface changes as they are shown in public: which words, how many names, and whose names at all. Pure.

What a server shows to a credential of its owner's is not for everybody, though its status is: of a server that is asked
with a credential only classes and counts are published. Names are a server's own words: `clean`ed here, escaped by
whoever renders them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from lookout.regions import city
from lookout.status.text import clean, listed, plural
from lookout.status.view import ServerView, Snapshot
from lookout.surface.changes import Class
from lookout.verdict.case import SurfaceChange

SHOWN: Final = 10
"""Names shown of each group."""
WORDS: Final = {
    Class.BREAKING: "Breaking change",
    Class.RISKY: "Risky change",
    Class.UNKNOWN: "Change of unknown effect",
    Class.ADDITIVE: "Addition",
    Class.COSMETIC: "Cosmetic change",
}
TONES: Final = {
    Class.BREAKING: "bad",
    Class.RISKY: "warn",
    Class.UNKNOWN: "none",
    Class.ADDITIVE: "info",
    Class.COSMETIC: "idle",
}


@dataclass(frozen=True, slots=True)
class Group:
    """What was removed, changed or added: a word, at most ten names, and how many more there are."""

    word: str
    names: tuple[str, ...]
    more: int = 0

    def __str__(self) -> str:
        if not self.names:
            return f"{self.word}: {self.more}"
        return f"{self.word}: {', '.join(self.names)}" + (f", and {self.more} more" if self.more else "")


def public(change: SurfaceChange, *, with_credential: bool) -> SurfaceChange:
    """The change as it may be published; `with_credential`: a credential was needed to see it."""
    if not with_credential:
        return change
    drift = dict(change.drift)
    counts = {name: len(drift[name]) for name in ("added", "removed", "changed")}
    return replace(change, drift={**drift, "added": [], "removed": [], "changed": [], "counts": counts})


def class_of(change: SurfaceChange) -> Class:
    """Its class; one this version does not know is unknown."""
    value = change.drift.get("class")
    return Class(value) if value in set(Class) else Class.UNKNOWN


def headline(change: SurfaceChange) -> str:
    """`Breaking change of what Acme Search offers`."""
    title = clean(change.title, 120)
    if change.drift.get("unstable"):
        return f"{title} alternates between two surfaces"
    return f"{WORDS[class_of(change)]} of what {title} offers"


def groups(drift: Mapping[str, Any]) -> tuple[Group, ...]:
    """Removed, changed, added: those there are."""
    counts = drift.get("counts", {})
    changed = [f"{one['tool']} ({_kinds(one['changes'])})" for one in drift["changed"]]
    found = []
    for word, key, names in (
        ("Removed", "removed", drift["removed"]),
        ("Changed", "changed", changed),
        ("Added", "added", drift["added"]),
    ):
        more = counts.get(key, 0) or max(0, len(names) - SHOWN)
        if names or more:
            found.append(Group(word, tuple(clean(str(name), 160) for name in names[:SHOWN]), more))
    return tuple(found)


def _kinds(changes: list[Mapping[str, Any]]) -> str:
    return ", ".join(dict.fromkeys(str(one["kind"]).replace("_", " ") for one in changes))


def in_words(change: SurfaceChange) -> str:
    """All of it in a line of plain text."""
    where = listed(city(region) for region in change.drift.get("regions", ()))
    parts = [str(group) for group in groups(change.drift)] or ["What changed cannot be told"]
    if change.drift.get("more"):
        parts.append(f"and {plural(change.drift['more'], 'change')} more")
    return "; ".join(parts) + "." + (f" Seen from {where}." if where else "")


def changes_of(view: ServerView) -> tuple[SurfaceChange, ...]:
    """The changes of a server that may be shown: those seen while it was public."""
    return tuple(change for change in view.changes if change.public)


def all_changes(snapshot: Snapshot) -> list[tuple[ServerView, SurfaceChange]]:
    """Every public change with its server, newest first."""
    found = [(view, change) for view in snapshot.servers for change in changes_of(view)]
    return sorted(found, key=lambda pair: (-pair[1].at, pair[1].id))
