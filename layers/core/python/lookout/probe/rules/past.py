"""What earlier probes of one server showed, as far as a rule compares with it or need not look again each minute.

Kept in memory by whoever probes again; losing it loses a comparison, or looks once more, and never changes a verdict.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lookout.probe.result import Finding
from lookout.surface.model import Surface


@dataclass(frozen=True, slots=True)
class Listed:
    """The tools last listed, and what was made of them: the same bytes mean the same again. Never changed in place."""

    key: tuple[object, ...]
    """Digests of the pages, version and era."""
    tools: list[dict[str, Any]]
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class Past:
    """One server's past. `inner`, `active` and `metadata` are findings told again until they are looked for anew."""

    versions: set[str] = field(default_factory=set)
    """Versions negotiated through `initialize`."""
    order: tuple[str, ...] = ()
    """Names of the tools in the order they came in last."""
    listed: Listed | None = None
    surface: tuple[Listed, tuple[object, ...], Surface | None] | None = None
    """The list a surface was made of, whatever else went into it, and the surface."""
    hash: str | None = None
    """Of the tools whose schemas `inner` is about."""
    inner: list[Finding] = field(default_factory=list)
    active: list[Finding] | None = None
    """None: not looked yet."""
    metadata: list[Finding] | None = None

    def forget(self) -> None:
        """Look again at what is looked at daily."""
        self.active = self.metadata = None
