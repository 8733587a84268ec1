"""Who is told of what: `Route`, and `Escalation`. Standard library only: runs in Lambda."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Escalation:
    """Where an incident nobody has acknowledged is told, `after_s` seconds after it opened."""

    after_s: int
    sinks: tuple[str, ...]

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        """Inverse of `dataclasses.asdict`."""
        return cls(item["after_s"], tuple(item["sinks"]))


@dataclass(frozen=True, slots=True)
class Route:
    """Some notices, and the sinks they go to. A matcher that is empty takes everything."""

    sinks: tuple[str, ...]
    servers: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    """Any of them is enough."""
    severity: str = ""
    """At least this one."""
    kinds: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    """Any of those that see it is enough."""
    goes_on: bool = False
    """The routes behind it are asked as well (`continue` in the file)."""
    remind_every_s: int | None = None
    """None: as the server says; 0: never."""
    escalate: Escalation | None = None
    """None: as the server says."""

    def to_item(self) -> dict[str, Any]:
        """JSON object without what is empty by default; reminders that are switched off are not."""
        said = {**asdict(self), "goes_on": self.goes_on or None}
        values = {key: value for key, value in said.items() if value not in (None, (), "")}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        """Inverse of `to_item`; unknown keys are ignored."""
        names = {one.name for one in fields(cls)}
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in item.items() if k in names}
        values.setdefault("sinks", ())
        if "escalate" in values:
            values["escalate"] = Escalation.from_item(values["escalate"])
        return cls(**values)
