"""One HTTP/1.1 response on its way: judged byte by byte as it arrives, and never kept beyond a limit.

httptools (llhttp, strict) reads the framing; what a body must be to be done is the `Sink`'s to say.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, Protocol

import httptools

from lookout.probe.failure import Failure
from lookout.probe.quoting import quote
from lookout.probe.result import Layer, Reason

HEAD_LIMIT: Final = 64 * 1024
HEADERS_LIMIT: Final = 100


class Sink(Protocol):
    """Takes a response as it comes. Each call may raise Failure, which ends the connection."""

    def begin(self, status: int, headers: dict[str, str]) -> None:
        """The head is read; `headers` are lower-case, repeated ones joined by a comma."""
        ...

    def take(self, data: bytes) -> bool:
        """Some of the body. True: what was waited for is there, though the body may go on."""
        ...

    def end(self) -> None:
        """The body is complete."""
        ...


def seen(future: asyncio.Future[Any]) -> None:
    """Done-callback: a failure that nobody waits for any more is not worth a message in the log."""
    if not future.cancelled():
        future.exception()


class Incoming:
    """One response on its way. `answered` is done when the sink has what it waited for, or with a Failure.

    Moments are loop time: `first_at` of the first byte, `done_at` of the byte that completed the answer.
    """

    def __init__(self, sink: Sink, answered: asyncio.Future[None]) -> None:
        self.sink, self.answered = sink, answered
        answered.add_done_callback(seen)
        self.status, self.headers, self.size = 0, dict[str, str](), 0
        self.first_at = self.done_at = 0.0
        self.headed = self.complete = self.keep = False
        self.drained: asyncio.Future[None] | None = None
        self.http_version = ""
        self._now, self._head, self._count, self._to_the_end = 0.0, 0, 0, False
        self._parser = httptools.HttpResponseParser(self)

    # --- what the connection tells it

    def feed(self, data: bytes, at: float) -> None:
        """Bytes that arrived at loop time `at`. Raises Failure, also for what is no HTTP."""
        self._now = at
        if not self.first_at:
            self.first_at = at
        if not self.headed:
            self._head += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            if isinstance(error.__context__, Failure):
                raise error.__context__ from None
            raise
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            message = f"not valid HTTP: {str(error) or type(error).__name__}"
            raise Failure(Layer.HTTP, Reason.HTTP_PROTOCOL, quote(message, 200)) from None
        if not self.headed and self._head > HEAD_LIMIT:
            raise Failure(Layer.HTTP, Reason.HTTP_PROTOCOL, "not valid HTTP: headers of more than 64 KiB")

    def lost(self, error: Exception | None) -> None:
        """The connection ended: the end of a body without a length, or a failure."""
        if self.complete:
            return
        if self.headed and self._to_the_end and error is None:
            self.on_message_complete()
            return
        layer = Layer.TCP if error is not None else Layer.HTTP
        when = "in the middle of its answer" if self.first_at else "before it answered"
        how = "reset the connection" if error is not None else "closed the connection"
        self.fail(Failure(layer, Reason.CONNECTION_LOST, f"the server {how} {when}"))

    def fail(self, failure: Failure) -> None:
        """No answer will come."""
        if not self.answered.done():
            self.answered.set_exception(failure)
        if self.drained is not None and not self.drained.done():
            self.drained.set_result(None)

    def _has(self) -> None:
        if not self.answered.done():
            self.done_at = self._now
            self.answered.set_result(None)

    # --- httptools' callbacks

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; of a trailer too."""
        self._count += 1
        if self._count > HEADERS_LIMIT:
            raise Failure(Layer.HTTP, Reason.HTTP_PROTOCOL, "not valid HTTP: more than 100 headers")
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text

    def on_headers_complete(self) -> None:
        """The head; an interim response (1xx) is passed over."""
        status: int = self._parser.get_status_code()
        if status < 200:
            return
        self.status, self.headed = status, True
        self.http_version = self._parser.get_http_version()
        self.keep = self._parser.should_keep_alive()
        framed = "content-length" in self.headers or "chunked" in self.headers.get("transfer-encoding", "").lower()
        self._to_the_end = not framed
        self.sink.begin(status, self.headers)

    def on_body(self, body: bytes) -> None:
        """Some of the body, without its chunks."""
        self.size += len(body)
        if self.sink.take(body):
            self._has()

    def on_message_complete(self) -> None:
        """The end, of an interim response too."""
        if not self.headed:
            self.headers, self._count = {}, 0
            return
        if self.complete:
            return
        self.complete = True
        if not self.answered.done():
            self.sink.end()
        self._has()
        if self.drained is not None and not self.drained.done():
            self.drained.set_result(None)
