"""One HTTP/1.1 response on its way: judged byte by byte as it arrives, and never kept beyond a limit.

httptools (llhttp, strict) reads the framing; what a body must be to be done is the `Sink`'s to say.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Any, Final, Protocol

import httptools

from lookout.probe.failure import Failure
from lookout.probe.quoting import quote
from lookout.probe.result import Layer, Reason

HEAD_LIMIT: Final = 64 * 1024
HEADERS_LIMIT: Final = 100
FRAMING_LIMIT: Final = 128 * 1024
"""Bytes of a response that are not body (head, sizes of chunks and their extensions, trailers), besides a quarter of
the body: chunks of a byte each cost more time than the body they carry is worth."""


class Sink(Protocol):
    """Takes a response as it comes. Each call may raise Failure, which ends the connection."""

    def begin(self, status: int, headers: dict[str, str]) -> bool:
        """The head is read; `headers` are lower-case, repeated ones joined by a comma. True: that was waited for."""
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
        self._now, self._fed, self._count, self._to_the_end = 0.0, 0, 0, False
        self._parser = httptools.HttpResponseParser(self)

    # --- what the connection tells it

    def feed(self, data: bytes, at: float) -> None:
        """Bytes that arrived at loop time `at`. Raises Failure, also for what is no HTTP."""
        self._now = at
        if not self.first_at:
            self.first_at = at
        self._fed += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            if isinstance(error.__context__, Failure):
                raise error.__context__ from None
            raise
        except httptools.HttpParserUpgrade:
            message = "HTTP 101: the server changed to another protocol, which nobody asked for"
            raise Failure(Layer.HTTP, Reason.WRONG_TRANSPORT, message) from None
        except httptools.HttpParserError as error:
            message = f"not valid HTTP: {str(error) or type(error).__name__}"
            raise Failure(Layer.HTTP, Reason.HTTP_PROTOCOL, quote(message, 200)) from None
        if self.complete:
            return
        if not self.headed and self._fed > HEAD_LIMIT:
            raise Failure(Layer.HTTP, Reason.HTTP_PROTOCOL, "not valid HTTP: headers of more than 64 KiB")
        if self._fed - self.size > FRAMING_LIMIT + self.size // 4:
            message = "the body comes in chunks so small, or with so much between them, that it is not read on"
            raise Failure(Layer.HTTP, Reason.HTTP_PROTOCOL, message)

    def lost(self, error: Exception | None) -> None:
        """The connection ended: the end of a body without a length, or a failure."""
        if self.complete:
            return
        if self.headed and self._to_the_end and error is None:
            self.on_message_complete()
            return
        self.fail(_loss(error, "in the middle of its answer" if self.first_at else "before it answered"))

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

    def on_message_begin(self) -> None:
        """A response; one more than was asked for belongs to nobody."""
        if self.complete:
            raise Failure(Layer.HTTP, Reason.HTTP_PROTOCOL, "not valid HTTP: a second response to one request")

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; of a trailer too, which is counted and not kept: it could contradict the head."""
        self._count += 1
        if self._count > HEADERS_LIMIT:
            raise Failure(Layer.HTTP, Reason.HTTP_PROTOCOL, "not valid HTTP: more than 100 headers")
        if self.headed:
            return
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text

    def on_headers_complete(self) -> None:
        """The head; an interim response (1xx) is passed over."""
        status: int = self._parser.get_status_code()
        if status < 200:
            return
        self.status, self.headed = status, True
        self.http_version = self._parser.get_http_version()
        if self.http_version not in ("1.0", "1.1"):
            message = f"not valid HTTP: version {self.http_version} was not asked for"
            raise Failure(Layer.HTTP, Reason.HTTP_PROTOCOL, message)
        self.keep = self._parser.should_keep_alive()
        framed = "content-length" in self.headers or "chunked" in self.headers.get("transfer-encoding", "").lower()
        self._to_the_end = not framed
        if self.sink.begin(status, self.headers):
            self._has()

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


_REFUSED_US: Final = ("CERTIFICATE_REQUIRED", "ALERT_BAD_CERTIFICATE", "ALERT_UNKNOWN_CA", "ALERT_CERTIFICATE_")
"""OpenSSL's names of what a server says of the client's certificate, or of its absence."""


def client_refused(error: BaseException | None) -> Failure | None:
    """A TLS alert that is about our certificate. In TLS 1.3 it comes after the handshake, in the place of an answer."""
    name = (error.reason or "") if isinstance(error, ssl.SSLError) else ""
    if not any(part in name for part in _REFUSED_US):
        return None
    message = f"the server wants a client certificate, or another one than it was given ({quote(name, 60)})"
    return Failure(Layer.TLS, Reason.AUTH_REQUIRED, message)


def _loss(error: BaseException | None, when: str) -> Failure:
    if (refused := client_refused(error)) is not None:
        return refused
    if isinstance(error, ssl.SSLError):
        message = f"TLS failed {when}: {quote(error.reason or type(error).__name__, 60)}"
        return Failure(Layer.TLS, Reason.TLS_FAILED, message)
    layer = Layer.TCP if error is not None else Layer.HTTP
    how = "reset the connection" if error is not None else "closed the connection"
    return Failure(layer, Reason.CONNECTION_LOST, f"the server {how} {when}")
