"""Carries the exchange's requests over HTTP/1.1, one kept connection, everything bounded.

Redirects: only 307 and 308, at most three, on the same host and never from https to http; others are reported.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterator, Mapping
from typing import Final

import httpcore
import httpx

from lookout import USER_AGENT
from lookout.probe.envelope import Answer, Broken, parse_json, read_answer
from lookout.probe.messages import Reply, Request
from lookout.probe.network import Failure, Wire
from lookout.probe.quoting import quote
from lookout.probe.result import Layer, Reason
from lookout.probe.sse import Parser

BODY_LIMIT: Final = 1024 * 1024
STREAM_LIMIT: Final = 4 * 1024 * 1024
REDIRECTS: Final = 3


class Transport:
    """One server's connection for one probe."""

    def __init__(
        self, url: str, wire: Wire, secrets: Mapping[str, str], context: ssl.SSLContext | None, step_s: float
    ) -> None:
        self.url = httpx.URL(url)
        self._wire, self._secrets, self._step_s = wire, dict(secrets), step_s
        self.http_version = ""
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context or ssl.create_default_context(),
            max_connections=2,
            http1=True,
            http2=False,
            network_backend=wire,
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()

    async def send(self, request: Request) -> Reply:
        """One request, its redirects followed as far as they may be. Raises Failure."""
        for _ in range(REDIRECTS + 1):
            reply = await self._send_once(request)
            if reply.status not in (301, 302, 303, 307, 308):
                return reply
            self.url = self._next(reply)
        raise Failure(Layer.HTTP, Reason.REDIRECT_NOT_FOLLOWED, f"more than {REDIRECTS} redirects")

    def _next(self, reply: Reply) -> httpx.URL:
        where = reply.headers.get("location", "")
        if reply.status not in (307, 308):
            message = f"HTTP {reply.status} turns a POST into a GET; point the entry at {quote(where, 200)}"
            raise Failure(Layer.HTTP, Reason.REDIRECT_NOT_PRESERVING, message)
        try:
            target = self.url.join(where)
        except (httpx.InvalidURL, ValueError):
            target = httpx.URL("")
        same = target.host == self.url.host and not (self.url.scheme == "https" and target.scheme == "http")
        if not same or target.scheme not in ("http", "https") or target.userinfo:
            message = f"redirects to {quote(where, 200)}, which is not followed; point the entry there if that is meant"
            raise Failure(Layer.HTTP, Reason.REDIRECT_NOT_FOLLOWED, message)
        return target

    async def _send_once(self, request: Request) -> Reply:
        loop = asyncio.get_running_loop()
        headers = {
            "host": self.url.netloc.decode("ascii"),
            "user-agent": USER_AGENT,
            "accept-encoding": "identity",
            **request.headers,
            **self._secrets,
        }
        if request.body is not None:
            headers["content-length"] = str(len(request.body))
        try:
            async with asyncio.timeout_at(min(self._wire.deadline, loop.time() + self._step_s)):
                response = await self._pool.handle_async_request(
                    httpcore.Request(
                        request.method,
                        httpcore.URL(
                            scheme=self.url.raw_scheme,
                            host=self.url.raw_host,
                            port=self.url.port,
                            target=self.url.raw_path,
                        ),
                        headers=[(k.encode(), v.encode("latin-1", "replace")) for k, v in headers.items()],
                        content=request.body,
                    )
                )
                try:
                    return await self._read(request, response)
                finally:
                    await response.aclose()
        except TimeoutError:
            raise self._out_of_time(request, loop.time() >= self._wire.deadline) from None
        except httpcore.ProtocolError as error:
            lost = "disconnected" in str(error).lower() or "without sending" in str(error).lower()
            reason = Reason.CONNECTION_LOST if lost else Reason.HTTP_PROTOCOL
            raise Failure(Layer.HTTP, reason, quote(f"not valid HTTP: {error}", 200)) from None
        except (httpcore.NetworkError, OSError) as error:
            message = f"the connection broke during {request.phase}: {quote(str(error) or type(error).__name__, 120)}"
            raise Failure(Layer.TCP, Reason.CONNECTION_LOST, message) from None

    def _out_of_time(self, request: Request, deadline: bool) -> Failure:
        """Time ran out in the first step that is not done."""
        done = self._wire.evidence.timings
        if "dns" not in done:
            return Failure(Layer.DNS, Reason.DNS_FAILED, "the name was not resolved in time")
        if "tcp" not in done:
            return Failure(Layer.TCP, Reason.CONNECT_TIMEOUT, "no connection in time")
        if "tls" not in done and self.url.scheme == "https":
            return Failure(Layer.TLS, Reason.TLS_FAILED, "the TLS handshake did not end in time")
        reason = Reason.DEADLINE if deadline else Reason.FIRST_BYTE_TIMEOUT
        return Failure(Layer.HTTP, reason, f"no complete answer to {request.phase} in time")

    async def _read(self, request: Request, response: httpcore.Response) -> Reply:
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in response.headers}
        media_type = headers.get("content-type", "").split(";")[0].strip().lower()
        body = _decoded(response, headers.get("content-encoding", "").strip().lower())
        if request.id is not None and media_type == "text/event-stream" and 200 <= response.status < 300:
            return Reply(response.status, headers, await _from_stream(body, request.id), media_type)
        data = b""
        async for chunk in body:
            data += chunk
            if len(data) > BODY_LIMIT * (4 if request.phase == "tools_list" else 1):
                return Reply(response.status, headers, Broken(Reason.TOO_LARGE, "the body is larger than allowed"))
        excerpt = quote(data[:1000].decode("utf-8", "replace"), 200)
        answer = _from_body(data, media_type, response.status, request.id) if request.id is not None else None
        return Reply(response.status, headers, answer, media_type, excerpt)


async def _decoded(response: httpcore.Response, encoding: str) -> AsyncIterator[bytes]:
    """The body, inflated a bounded piece at a time where the server compresses although asked not to."""
    stream = response.stream
    if not hasattr(stream, "__aiter__"):
        return
    if encoding in ("", "identity"):
        async for chunk in stream:
            yield chunk
        return
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise Failure(Layer.HTTP, Reason.BAD_ENCODING, f"content-encoding {quote(encoding, 40)} was not asked for")
    inflate = zlib.decompressobj(47)
    try:
        async for chunk in stream:
            data = chunk
            while data:
                yield inflate.decompress(data, 65_536)
                data = inflate.unconsumed_tail
    except zlib.error:
        raise Failure(Layer.HTTP, Reason.BAD_ENCODING, "the body is not what content-encoding says") from None


def _from_body(data: bytes, media_type: str, status: int, wanted: int) -> Answer | Broken | None:
    if not media_type.endswith("json"):
        if 200 <= status < 300:
            kind = quote(media_type, 60) or "none"
            if "html" in media_type:
                return Broken(Reason.NOT_MCP, "a web page was answered: this address is not an MCP endpoint")
            return Broken(Reason.CONTENT_TYPE, f"content-type {kind} is neither JSON nor an event stream")
        return None
    try:
        value = parse_json(data)
    except ValueError as error:
        return Broken(Reason.BAD_JSON, f"the body is not JSON: {quote(str(error), 120)}")
    found = read_answer(value, wanted)
    return found if found is not None else Broken(Reason.NO_RESPONSE, "the body is a notification, not an answer")


async def _from_stream(body: AsyncIterator[bytes], wanted: int) -> Answer | Broken:
    """The first answer to our request; notifications, requests and priming events before it are skipped."""
    parser, size = Parser(), 0
    async for chunk in body:
        size += len(chunk)
        for event in parser.feed(chunk):
            if not event.data:
                continue
            try:
                found = read_answer(parse_json(event.data), wanted)
            except ValueError as error:
                return Broken(Reason.BAD_JSON, f"an event is not JSON: {quote(str(error), 120)}")
            if found is not None:
                return found
        if size > STREAM_LIMIT:
            return Broken(Reason.TOO_LARGE, "the event stream went on for 4 MiB without our answer")
    return Broken(Reason.NO_RESPONSE, "the event stream ended without our answer")
