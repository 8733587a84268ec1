"""What a response's bytes become: a bounded body, or the one event of a stream that answers us."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, Final, NoReturn

from lookout.probe.envelope import Answer, Broken, Parsed, parse, read_answer
from lookout.probe.failure import Failure
from lookout.probe.inflate import KNOWN, Inflater
from lookout.probe.quoting import quote
from lookout.probe.result import Layer, Reason
from lookout.probe.sse import Event, Parser

BODY_LIMIT: Final = 1024 * 1024
LIST_LIMIT: Final = 4 * 1024 * 1024
STREAM_LIMIT: Final = 4 * 1024 * 1024
EVENTS_LIMIT: Final = 10_000
"""Events of one stream that are looked at: each may have to be parsed."""


class Collector:
    """A response's body up to `limit` bytes; an event stream only as far as the answer to `wanted`.

    `wanted` None: whatever comes is the body. `first_event`: any event is what is waited for.
    """

    def __init__(self, limit: int, wanted: int | None, first_event: bool = False) -> None:
        self._limit, self._wanted, self._first_event = limit, wanted, first_event
        self._inflater: Inflater | None = None
        self._parser: Parser | None = None
        self._raw = self._size = self._events = 0
        self._body = bytearray()
        self._heard_it = False
        self.status, self.media_type = 0, ""
        self.answer: Answer | Broken | None = None
        self.message: Any = None
        self.event: Event | None = None
        self.text = b""
        """What `message` was read from."""
        self.broken: Broken | None = None
        """The first event that would have been our answer were it valid; a valid one may still follow."""
        self.oddities: set[str] = set()
        self.later: Callable[[Event], None] | None = None
        """Where events go that come after the first one."""

    @property
    def body(self) -> bytes:
        """What was collected."""
        return bytes(self._body)

    def begin(self, status: int, headers: dict[str, str]) -> bool:
        """See `Sink`."""
        self.status = status
        self.media_type = headers.get("content-type", "").split(";")[0].strip().lower()
        encoding = headers.get("content-encoding", "").strip().lower()
        if encoding not in ("", "identity"):
            if encoding not in KNOWN:
                message = f"content-encoding {quote(encoding, 40)} was not asked for"
                raise Failure(Layer.HTTP, Reason.BAD_ENCODING, message)
            self._inflater = Inflater(encoding)
        if self.media_type != "text/event-stream" or not 200 <= status < 300:
            return False
        if self._wanted is None and not self._first_event:
            return True  # a notification has no answer: clients do not wait for the end of such a stream either
        self._parser, self._limit = Parser(), max(self._limit, STREAM_LIMIT)
        return False

    def take(self, data: bytes) -> bool:
        """See `Sink`."""
        self._raw += len(data)
        late = self._done()
        if not late:
            self._decode(data)
        if self._raw > self._limit and (late or not self._done()):
            self._refuse()
        return self._heard_it

    def _decode(self, data: bytes) -> None:
        if self._inflater is None:
            self._piece(data)
            return
        try:
            for piece in self._inflater.feed(data):
                self._piece(piece)
                if self._done():
                    return
        except ValueError as error:
            raise Failure(Layer.HTTP, Reason.BAD_ENCODING, str(error)) from None

    def _done(self) -> bool:
        """Is nothing of interest that comes now?"""
        return self._heard_it and not self._first_event

    def _piece(self, data: bytes) -> None:
        self._size += len(data)
        if self._parser is None:
            self._body += data
        else:
            for event in self._parser.feed(data):
                self._events += 1
                if not self._heard_it:
                    self._heard_it = self._heard(event)
                elif self.later is not None:
                    self.later(event)
        if not self._done() and (self._size > self._limit or self._events > EVENTS_LIMIT):
            self._refuse()

    def _refuse(self) -> NoReturn:
        self._body.clear()
        if self._parser is None:
            message = f"the body is larger than the {self._limit >> 20} MiB that are read"
            raise Failure(Layer.HTTP, Reason.TOO_LARGE, message, usable=True)
        much = f"{EVENTS_LIMIT:,} events" if self._events > EVENTS_LIMIT else f"{self._limit >> 20} MiB"
        if self._heard_it:
            raise Failure(Layer.HTTP, Reason.TOO_LARGE, f"the event stream went on for more than {much}")
        raise Failure(Layer.HTTP, Reason.TOO_LARGE, f"the event stream went on for {much} without our answer")

    def _heard(self, event: Event) -> bool:
        if self._first_event:
            self.event = event
            return True
        found, parsed = read_event(event, self._wanted, self.oddities)
        if isinstance(found, Broken) and self.broken is None:
            self.broken, self.message = found, parsed
        if not isinstance(found, Answer):
            return False
        self.answer, self.message, self.text = found, parsed, event.data
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
        self.text = self.body
        try:
            parsed = parse(self.text)
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
