"""What a rule is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from lookout.probe.result import Era
from lookout.probe.versions import KNOWN

Severity = Literal["error", "warning", "info"]
Kind = Literal["passive", "active"]

STREAMABLE: Final = frozenset({Era.MODERN, Era.LEGACY})
"""The eras of the Streamable HTTP transport; HTTP+SSE servers are not bound by its rules, whatever they negotiate."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `versions` are those whose text has it, `eras` the transports it can be seen on."""

    id: str
    severity: Severity
    kind: Kind
    section: str
    versions: tuple[str, ...]
    meaning: str
    also: tuple[Severity, ...] = ()
    eras: frozenset[Era] = frozenset(Era)

    def applies(self, era: Era | None, version: str | None) -> bool:
        """To an exchange of this era and version; one not known yet is held only to what every version says."""
        if era is not None and era not in self.eras:
            return False
        return version in self.versions if version in KNOWN else self.versions == KNOWN


def since(version: str, until: str = KNOWN[-1]) -> tuple[str, ...]:
    """The known versions from one to another, both included."""
    return KNOWN[KNOWN.index(version) : KNOWN.index(until) + 1]


def streamable(
    id: str,  # noqa: A002 -- the field's name
    severity: Severity,
    versions: tuple[str, ...],
    section: str,
    meaning: str,
    also: tuple[Severity, ...] = (),
    kind: Kind = "passive",
) -> Rule:
    """A rule of the Streamable HTTP transport."""
    return Rule(id, severity, kind, section, versions, meaning, also, STREAMABLE)
