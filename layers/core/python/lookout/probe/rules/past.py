"""What earlier probes of one server showed, as far as a rule compares with it or need not look again each minute.

Kept in memory by whoever probes again; losing it loses a comparison, or looks once more, and never changes a verdict.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from lookout.probe.result import Finding


@dataclass(slots=True)
class Past:
    """One server's past. `inner`, `active` and `metadata` are findings told again until they are looked for anew."""

    versions: set[str] = field(default_factory=set)
    """Versions negotiated through `initialize`."""
    order: tuple[str, ...] = ()
    """Names of the tools in the order they came in last."""
    hash: str | None = None
    """Of the tools whose schemas `inner` is about."""
    inner: list[Finding] = field(default_factory=list)
    active: list[Finding] | None = None
    """None: not looked yet."""
    metadata: list[Finding] | None = None

    def forget(self) -> None:
        """Look again at what is looked at daily."""
        self.active = self.metadata = None
