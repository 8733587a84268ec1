"""What the exchange yields and what it is sent: one HTTP request, and what came back for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lookout.probe.envelope import Answer, Broken
from lookout.probe.sse import Event


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
    target: str | None = None
    """An absolute URL on the probed server's origin; None: the probed address."""
    opens_stream: bool = False
    """A GET whose first event is waited for; the stream stays open (HTTP+SSE, 2024-11-05)."""
    on_stream: bool = False
    """The answer comes on the open stream, not in the response."""
    patience_s: float | None = None
    """Seconds this request may take, where that is less than a step usually may."""


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
    event: Event | None = None
    """The first event of a stream that was opened."""
    oddities: frozenset[str] = frozenset()
    size: int = 0
    url: str = ""
    """Where it came from, redirects followed."""
    redirects: int = 0
    digest: bytes = b""
    """SHA-256 of the text `message` was read from, for a page of a list; empty elsewhere."""
    took_ms: float = 0.0
    """From the request written to the answer complete."""

    @property
    def html(self) -> bool:
        """A web page, not an API's answer."""
        return "html" in self.media_type
