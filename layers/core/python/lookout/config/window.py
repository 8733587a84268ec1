"""`Window`: a time in which servers are maintained, as lookout.yaml or a person declares it. Standard library only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final, Self

SHORTEST_S: Final = 60
LONGEST_S: Final = 31 * 86400
MOST_WINDOWS: Final = 200
"""In lookout.yaml; and as many again that are made by hand and not over."""
BY_FILE: Final = "file"
BY_COMMAND: Final = "command"


@dataclass(frozen=True, slots=True)
class Window:
    """Once (`begin` to `end`), or again and again (`rrule` and `duration_s`). Unix seconds, whole minutes; an end is
    not included. Of whom: of `servers` and of those with one of `tags`; where both are empty, of every server.
    """

    id: str
    servers: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    begin: int | None = None
    end: int | None = None
    rrule: str | None = None
    start: str | None = None
    """Local time, `2027-01-31T03:00`, of the first occurrence there may be; with `rrule` only."""
    duration_s: int | None = None
    timezone: str = "UTC"
    """The IANA name of the zone in which `rrule` and `start` count."""
    uptime: str = "exclude"
    """As `history.uptime.Counting`: exclude, count_up or count_as_is."""
    reason: str = ""
    made_by: str = BY_FILE
    """`file`, or `command`: `lookout maintenance add`."""
    made_at: int = 0
    """It covers nothing before: what was judged without it stays as it was judged."""
    ended_at: int | None = None
    """A person ended it: from then on it covers nothing, and never will."""

    def covers(self, slug: str, tags: Collection[str]) -> bool:
        """Is it a window of the server of that slug, with those tags?"""
        everybody = not self.servers and not self.tags
        return everybody or slug in self.servers or not set(self.tags).isdisjoint(tags)

    def to_item(self) -> dict[str, Any]:
        """JSON object without what is empty."""
        values = {key: value for key, value in asdict(self).items() if value not in (None, (), "")}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        """Inverse of `to_item`; unknown keys are ignored."""
        names = {one.name for one in fields(cls)}
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in item.items() if k in names}
        return cls(**values)

    def named(self) -> Self:
        """With the id that follows from whom it covers and when: it stays when reason, counting or place change."""
        said = replace(self, id="", uptime="", reason="", servers=tuple(sorted(self.servers)))
        said = replace(said, tags=tuple(sorted(self.tags)))
        digest = hashlib.sha256(json.dumps(said.to_item(), sort_keys=True).encode()).hexdigest()
        return replace(self, id=f"mnt_{digest[:16]}")
