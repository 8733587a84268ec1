"""What the exchange yields and what it is sent: one HTTP request, and what came back for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lookout.probe.envelope import Answer, Broken


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `id` None: a notification, or no JSON-RPC at all. `phase` names its timing."""

    phase: str
    method: str
    headers: Mapping[str, str]
    body: bytes | None = None
    id: int | None = None
    rpc: str | None = None
    """The JSON-RPC method."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. `answer` is the judged answer to our id, or why there is none; None for what had no id.

    `message` is the JSON value that was taken for the answer, as parsed (None where nothing was JSON); `oddities` what
    the reader noticed on the way that is no reason to refuse it: duplicate_keys, lone_surrogate, event_type,
    event_not_json. `size` is the bytes of the body as read.
    """

    status: int
    headers: Mapping[str, str]
    answer: Answer | Broken | None = None
    media_type: str = ""
    excerpt: str = ""
    message: Any = None
    oddities: frozenset[str] = frozenset()
    size: int = 0

    @property
    def html(self) -> bool:
        """A web page, not an API's answer."""
        return "html" in self.media_type
