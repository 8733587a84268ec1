"""What a response's bytes become: a bounded body, or the one event of a stream that answers us."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Callable
from typing import Any, Final

from lookout.probe.envelope import Answer, Broken, Parsed, parse, read_answer
from lookout.probe.failure import Failure
from lookout.probe.quoting import quote
from lookout.probe.result import Layer, Reason
from lookout.probe.sse import Event, Parser

BODY_LIMIT: Final = 1024 * 1024
LIST_LIMIT: Final = 4 * 1024 * 1024
STREAM_LIMIT: Final = 4 * 1024 * 1024
_PIECE: Final = 65_536


class Collector:
    """A response's body up to `limit` bytes; an event stream only as far as the answer to `wanted`.

    `wanted` None: whatever comes is the body. `first_event`: any event is what is waited for.
    """

    def __init__(self, limit: int, wanted: int | None, first_event: bool = False) -> None:
        self._limit, self._wanted, self._first_event = limit, wanted, first_event
        self._inflate: Any = None
        self._parser: Parser | None = None
        self._size = 0
        self._pieces: list[bytes] = []
        self.status, self.media_type = 0, ""
        self.answer: Answer | Broken | None = None
        self.message: Any = None
        self.event: Event | None = None
        self.broken: Broken | None = None
        """The first event that would have been our answer were it valid; a valid one may still follow."""
        self.oddities: set[str] = set()
        self.later: Callable[[Event], None] | None = None
        """Where events go that come after the first one."""

    @property
    def body(self) -> bytes:
        """What was collected."""
        return b"".join(self._pieces)

    def begin(self, status: int, headers: dict[str, str]) -> None:
        """See `Sink`."""
        self.status = status
        self.media_type = headers.get("content-type", "").split(";")[0].strip().lower()
        encoding = headers.get("content-encoding", "").strip().lower()
        if encoding not in ("", "identity"):
            if encoding not in ("gzip", "x-gzip", "deflate"):
                message = f"content-encoding {quote(encoding, 40)} was not asked for"
                raise Failure(Layer.HTTP, Reason.BAD_ENCODING, message)
            self._inflate = zlib.decompressobj(47)
        waits = self._wanted is not None or self._first_event
        if waits and self.media_type == "text/event-stream" and 200 <= status < 300:
            self._parser, self._limit = Parser(), max(self._limit, STREAM_LIMIT)

    def take(self, data: bytes) -> bool:
        """See `Sink`."""
        if self._inflate is None:
            return self._piece(data)
        try:
            while data:
                if self._piece(self._inflate.decompress(data, _PIECE)):
                    return True
                data = self._inflate.unconsumed_tail
        except zlib.error:
            raise Failure(Layer.HTTP, Reason.BAD_ENCODING, "the body is not what content-encoding says") from None
        return False

    def _piece(self, data: bytes) -> bool:
        self._size += len(data)
        if self._parser is None:
            self._pieces.append(data)
            if self._size > self._limit and self.answer is None:
                self._pieces.clear()
                message = f"the body is larger than the {self._limit >> 20} MiB that are read"
                raise Failure(Layer.HTTP, Reason.TOO_LARGE, message, usable=True)
            return False
        for event in self._parser.feed(data):
            if self.later is not None:
                self.later(event)
            elif self._heard(event):
                return True
        if self._size > self._limit:
            message = f"the event stream went on for {self._limit >> 20} MiB without our answer"
            raise Failure(Layer.HTTP, Reason.TOO_LARGE, message)
        return False

    def _heard(self, event: Event) -> bool:
        if self._first_event:
            self.event = event
            return True
        found, parsed = read_event(event, self._wanted, self.oddities)
        if isinstance(found, Broken) and self.broken is None:
            self.broken, self.message = found, parsed
        if not isinstance(found, Answer):
            return False
        self.answer, self.message = found, parsed
        return True

    def end(self) -> None:
        """See `Sink`."""
        if self._parser is not None:
            self.answer = self.broken or Broken(Reason.NO_RESPONSE, "the event stream ended without our answer")
        elif self._wanted is not None:
            self.answer = self._of_body(self._wanted)
        elif self.media_type.endswith("json") and self.status == 200:
            with contextlib.suppress(ValueError):
                self.message = parse(self.body).value

    def _of_body(self, wanted: int) -> Answer | Broken | None:
        if not self.media_type.endswith("json"):
            if not 200 <= self.status < 300:
                return None
            if "html" in self.media_type:
                return Broken(Reason.NOT_MCP, "a web page was answered: this address is not an MCP endpoint")
            if self.status in (202, 204) and not self._size:
                return Broken(Reason.NO_RESPONSE, f"HTTP {self.status} without a body: a request was not answered")
            kind = quote(self.media_type, 60) or "none"
            return Broken(Reason.CONTENT_TYPE, f"content-type {kind} is neither JSON nor an event stream")
        try:
            parsed = parse(self.body)
        except ValueError as error:
            return Broken(Reason.BAD_JSON, f"the body is not JSON: {quote(str(error), 120)}")
        self.message = parsed.value
        self.oddities |= parsed.oddities
        found = read_answer(parsed.value, wanted)
        return found if found is not None else Broken(Reason.NO_RESPONSE, "the body is a notification, not an answer")


def read_event(event: Event, wanted: int | None, oddities: set[str]) -> tuple[Answer | Broken | None, Any]:
    """(answer, message) of an event of a stream; the answer is None for what is not for us. Oddities are added."""
    if event.type != "message":
        oddities.add("event_type")
        return None, None
    if not event.data or wanted is None:
        return None, None
    try:
        parsed: Parsed = parse(event.data)
    except ValueError as error:
        oddities.add("event_not_json")
        return Broken(Reason.BAD_JSON, f"an event is not JSON: {quote(str(error), 120)}"), None
    found = read_answer(parsed.value, wanted)
    if found is not None:
        oddities |= parsed.oddities
    return found, parsed.value
