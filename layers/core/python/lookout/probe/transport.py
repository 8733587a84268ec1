"""Carries the exchange's requests over HTTP/1.1, one kept connection (two for HTTP+SSE), everything bounded.

Redirects: only 307 and 308, at most three, on the same host and port and never from https to http; others are reported.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import httpx

from lookout import USER_AGENT
from lookout.probe.envelope import Answer, Broken
from lookout.probe.failure import Failure
from lookout.probe.incoming import Incoming, seen
from lookout.probe.line import Line
from lookout.probe.messages import Reply, Request
from lookout.probe.network import Wire, trusting
from lookout.probe.quoting import quote
from lookout.probe.result import Layer, Reason
from lookout.probe.sinks import BODY_LIMIT, LIST_LIMIT, Collector, read_event
from lookout.probe.sse import Event

REDIRECTS: Final = 3
DRAIN_S: Final = 0.5
"""How long a stream may take to end after its answer, before its connection is given up."""
EXCERPT_BYTES: Final = 1000
_REDIRECTING: Final = (301, 302, 303, 307, 308)
_PORTS: Final = {"http": 80, "https": 443}


class Transport:
    """One server's connections for one probe. `secrets` are headers that go with every request."""

    def __init__(
        self, url: str, wire: Wire, secrets: Mapping[str, str], context: ssl.SSLContext | None, step_s: float
    ) -> None:
        self.url = httpx.URL(url)
        self.timings: dict[str, float] = {}
        """Milliseconds from a request sent to its answer complete, by phase, summed."""
        self._wire, self._step_s = wire, step_s
        self._secrets = {name.lower(): value for name, value in secrets.items()}
        self._context = context
        self._line: Line | None = None
        self._origin: tuple[str, str, int] | None = None
        self._stream: _Stream | None = None

    async def aclose(self) -> None:
        """Close every connection."""
        for line in (self._line, self._stream.line if self._stream else None):
            if line is not None:
                line.close()

    async def send(self, request: Request) -> Reply:
        """One request, its redirects followed as far as they may be. Raises Failure."""
        target = self.url if request.target is None else httpx.URL(request.target)
        if _origin(target) != _origin(self.url):
            raise ValueError("a request to another origin: what authenticates ours must not go there")
        for redirects in range(REDIRECTS + 1):
            reply = await self._bounded(request, target)
            if reply.status not in _REDIRECTING:
                return replace(reply, redirects=redirects) if redirects else reply
            target = _next(target, reply)
            if request.target is None:
                self.url = target
        raise Failure(Layer.HTTP, Reason.REDIRECT_NOT_FOLLOWED, f"more than {REDIRECTS} redirects")

    async def _bounded(self, request: Request, target: httpx.URL) -> Reply:
        loop = asyncio.get_running_loop()
        patience = min(self._step_s, request.patience_s or self._step_s)
        until = min(self._wire.deadline, loop.time() + patience)
        if loop.time() >= self._wire.deadline:
            message = f"no time was left for {request.rpc or request.phase}"
            raise Failure(Layer.HTTP, Reason.DEADLINE, message)
        collector = Collector(LIST_LIMIT if _lists(request) else BODY_LIMIT, request.id, request.opens_stream)
        try:
            async with asyncio.timeout_at(until):
                return await self._exchange(request, target, collector)
        except TimeoutError:
            self._hang_up()
            raise self._out_of_time(request, collector, loop.time() >= self._wire.deadline) from None

    async def _exchange(self, request: Request, target: httpx.URL, collector: Collector) -> Reply:
        data = self._encoded(request, target)
        stream = self._stream if request.on_stream and request.id is not None else None
        answer = stream.expect(request.id) if stream is not None and request.id is not None else None
        for again in (False, True):
            line = await self._connected(target)
            fresh = line.used == 0
            began = asyncio.get_running_loop().time()
            incoming = line.send(data, collector)
            try:
                await _either(incoming.answered, answer)
                break
            except Failure as failure:
                stale = failure.reason is Reason.CONNECTION_LOST and not incoming.first_at and not fresh
                if again or not stale:
                    raise
        if request.opens_stream and collector.event is not None:
            self._stream, self._line = _Stream(line, collector), None
        if answer is not None and stream is not None and incoming.status < 400:
            await answer
            incoming.done_at = stream.answered_at
            incoming.first_at = incoming.first_at or stream.answered_at
        took_ms = self._measure(request, incoming, began)
        digest = hashlib.sha256(collector.text).digest() if collector.text and _lists(request) else b""
        return replace(_reply(target, incoming, collector, answer), took_ms=took_ms, digest=digest)

    def _measure(self, request: Request, incoming: Incoming, began: float) -> float:
        took = max(0.0, (incoming.done_at - began) * 1000)
        self.timings[request.phase] = self.timings.get(request.phase, 0.0) + took
        evidence = self._wire.evidence
        evidence.http_version = incoming.http_version or evidence.http_version
        evidence.first_byte_ms = max(0.0, (incoming.first_at - began) * 1000)
        evidence.received += incoming.size
        return took

    async def _connected(self, target: httpx.URL) -> Line:
        origin = _origin(target)
        if self._line is not None and self._origin == origin:
            await self._line.drain(DRAIN_S)
            if self._line.open:
                return self._line
        if self._line is not None:
            self._line.abort()
        context = (self._context or trusting()) if target.scheme == "https" else None
        self._line = await self._wire.dial(target.raw_host.decode("ascii"), origin[2], context)
        self._origin = origin
        return self._line

    def _hang_up(self) -> None:
        """What did not answer in time may still answer: never to the next request."""
        if self._line is not None:
            self._line.abort()
            self._line = None

    def _encoded(self, request: Request, target: httpx.URL) -> bytes:
        headers = {
            "host": target.netloc.decode("ascii"),
            "user-agent": USER_AGENT,
            "accept-encoding": "identity",
            **request.headers,
            **self._secrets,
        }
        body = request.body or b""
        if request.method == "POST":
            headers["content-length"] = str(len(body))
        lines = [f"{request.method} {target.raw_path.decode('ascii')} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if any("\r" in line or "\n" in line or "\0" in line for line in lines):
            raise ValueError("a header or the address has a line break")
        return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body

    def _out_of_time(self, request: Request, collector: Collector, deadline: bool) -> Failure:
        below = {
            Layer.DNS: (Reason.DNS_FAILED, f"the name {self.url.host} was not resolved in time"),
            Layer.TCP: (Reason.CONNECT_TIMEOUT, f"no connection to {self.url.host} in time"),
            Layer.TLS: (
                Reason.TLS_FAILED,
                "the TLS handshake did not end in time: is the address meant to be http://?",
            ),
        }.get(self._wire.layer)
        if below is not None:
            return Failure(self._wire.layer, *below)
        broken = collector.broken or (self._stream.foreign if request.on_stream and self._stream else None)
        if broken is not None:
            return Failure(Layer.JSONRPC, broken.reason, broken.message)
        if request.opens_stream and collector.media_type == "text/event-stream":
            message = "an event stream opened, and no endpoint event came on it in time"
            reply = Reply(collector.status, {}, media_type=collector.media_type, url=str(self.url))
            return Failure(Layer.HTTP, Reason.FIRST_BYTE_TIMEOUT, message, reply)
        reason = Reason.DEADLINE if deadline else Reason.FIRST_BYTE_TIMEOUT
        return Failure(Layer.HTTP, reason, f"no complete answer to {request.rpc or request.phase} in time")


def _lists(request: Request) -> bool:
    return request.rpc is not None and request.rpc.endswith("/list")


async def _either(first: asyncio.Future[None], second: asyncio.Future[tuple[Answer | Broken, object]] | None) -> None:
    """The response, or the answer on the stream: some servers let the POST wait. Raises Failure of the first done."""
    if second is not None and not first.done():
        await asyncio.wait((first, second), return_when=asyncio.FIRST_COMPLETED)
        if not first.done():
            second.result()
            return
    await first


class _Stream:
    """The open event stream of HTTP+SSE: answers to the ids that were asked for come on it."""

    def __init__(self, line: Line, collector: Collector) -> None:
        self.line = line
        self.answered_at = 0.0
        self.foreign: Broken | None = None
        """The first answer on it with an id that nobody waits for."""
        self._waiting: dict[int, asyncio.Future[tuple[Answer | Broken, object]]] = {}
        self._oddities: set[str] = collector.oddities
        self._loop = asyncio.get_running_loop()
        collector.later = self._hear
        line.when_lost = self._lost

    def expect(self, id_: int) -> asyncio.Future[tuple[Answer | Broken, object]]:
        """Done with (answer, message) when the answer to `id_` has come; a Failure where the stream ends before."""
        self._waiting[id_] = self._loop.create_future()
        self._waiting[id_].add_done_callback(seen)
        if self.line.closed:
            self._lost()
        return self._waiting[id_]

    def _hear(self, event: Event) -> None:
        for id_, waiting in list(self._waiting.items()):
            if waiting.done():
                continue
            found, message = read_event(event, id_, self._oddities)
            if isinstance(found, Broken) and found.reason is Reason.WRONG_ID:
                self.foreign = self.foreign or found
            elif found is not None:
                self.answered_at = self.line.arrived_at
                waiting.set_result((found, message))

    def _lost(self) -> None:
        message = "the event stream ended before the answer came"
        failure = self.line.failure or Failure(Layer.HTTP, Reason.CONNECTION_LOST, message)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(failure)


def _reply(
    target: httpx.URL,
    incoming: Incoming,
    collector: Collector,
    on_stream: asyncio.Future[tuple[Answer | Broken, object]] | None,
) -> Reply:
    found, message, media_type = collector.answer, collector.message, collector.media_type
    if on_stream is not None and on_stream.done():
        found, message = on_stream.result()
        media_type = "text/event-stream"
    status = incoming.status
    if on_stream is not None and on_stream.done() and status < 300:
        status = 200
    usable = isinstance(found, Answer) and status < 300
    return Reply(
        status=status,
        headers=incoming.headers,
        answer=found,
        media_type=media_type,
        excerpt="" if usable else quote(collector.body[:EXCERPT_BYTES].decode("utf-8", "replace"), 200),
        message=message,
        event=collector.event,
        oddities=frozenset(collector.oddities),
        size=incoming.size,
        url=str(target),
    )


def _next(here: httpx.URL, reply: Reply) -> httpx.URL:
    """Where a redirect may be followed to. Raises Failure."""
    where = reply.headers.get("location", "")
    if reply.status not in (307, 308):
        message = f"HTTP {reply.status} turns a POST into a GET; point the entry at {quote(where, 200)}"
        raise Failure(Layer.HTTP, Reason.REDIRECT_NOT_PRESERVING, message, reply)
    try:
        target = here.join(where)
    except (httpx.InvalidURL, ValueError):
        target = httpx.URL("")
    if not _may_follow(here, target):
        message = f"redirects to {quote(where, 200)}, which is not followed; point the entry there if that is meant"
        raise Failure(Layer.HTTP, Reason.REDIRECT_NOT_FOLLOWED, message, reply)
    return target


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or _PORTS[url.scheme]


def _may_follow(here: httpx.URL, target: httpx.URL) -> bool:
    """Same host and port; or the same host's https instead of its http, on the usual ports."""
    if target.scheme not in _PORTS or target.host != here.host or target.userinfo:
        return False
    if target.scheme == here.scheme:
        return _origin(target) == _origin(here)
    return (here.scheme, here.port, target.port) == ("http", None, None)
