"""What the OAuth exchange yields and what it is sent: one HTTP request, and what came back for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class Unobtainable(Exception):  # noqa: N818 - it is somebody else's failure, not an error of ours
    """A credential that cannot be had, and the step that failed, in words that hold no secret. Stays inside here.

    `refused`: the authorization server said no, and will say it again until something is changed.
    """

    def __init__(self, message: str, *, refused: bool = False) -> None:
        super().__init__(message)
        self.message, self.refused = message, refused


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. `step` names it in messages; its `headers` and `body` may hold secrets."""

    step: str
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Told:
    """What came back. `value` is the JSON object of the body, empty where the body is none."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    value: Mapping[str, Any] = field(default_factory=dict, repr=False)
