"""Sends one request to one receiver.

At most 10 s in all, no redirects, no proxies, and only to the address that was checked.
"""

from __future__ import annotations

import re
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import certifi
import httpcore

from lookout import USER_AGENT
from lookout.net import public_address, resolve
from lookout.notify.request import HttpRequest
from lookout.notify.retry import Answer, retry_after

TIMEOUT_S: Final = 10.0
ANSWER_LIMIT: Final = 65_535
"""Bytes of an answer that are read: some services repeat the whole message before they say what became of it."""
_SHOWN: Final = 2048
_OURS: Final = frozenset({"content-type", "user-agent"})
TRIED: Final = 3
"""Addresses of one receiver that are tried, in the resolver's order."""
Resolver = Callable[[str, int], list[str]]


@cache
def _trust() -> ssl.SSLContext:
    """The system's certificate authorities and Mozilla's: a Lambda runtime need not have the former."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


class _Stream(httpcore.NetworkStream):
    """A stream on which nothing waits beyond the deadline, however slowly bytes drip."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: float) -> None:
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        del timeout
        return self._inner.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        del timeout
        self._inner.write(buffer, _left(self._deadline))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        del timeout
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, _left(self._deadline)), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Pinned(httpcore.NetworkBackend):
    """Connects to the given addresses, whatever name it is asked for."""

    def __init__(self, addresses: list[str], deadline: float) -> None:
        self._addresses, self._deadline = addresses, deadline
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """To the first address that answers."""
        del host, timeout
        failed: Exception = httpcore.ConnectError("no address")
        for address in self._addresses[:TRIED]:
            try:
                left = _left(self._deadline)
                stream = self._inner.connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
            else:
                return _Stream(stream, self._deadline)
        raise failed


def deliver(
    request: HttpRequest,
    allow_private: bool,
    *,
    timeout_s: float = TIMEOUT_S,
    resolver: Resolver = resolve,
    context: ssl.SSLContext | None = None,
    method: str = "POST",
) -> Answer:
    """Send it. Whatever the receiver does becomes an Answer; its text never repeats the URL, which may be a secret."""
    deadline = time.monotonic() + timeout_s
    parts = _split(request.url)
    if parts is None:
        return Answer(None, "the address is not an http(s) URL: mend it, or the secret that holds it", final=True)
    try:
        addresses = _look_up(parts, deadline, resolver)
    except TimeoutError:
        return Answer(None, "the receiver's name was not resolved in time")
    except (OSError, UnicodeError) as error:
        return Answer(None, f"the receiver's name does not resolve ({type(error).__name__})")
    if not allow_private and not all(public_address(a) for a in addresses):
        message = "the receiver's address is private: set allow_private: true beside it if that is meant"
        return Answer(None, message, final=True)
    try:
        return _send(method, request, parts, _Pinned(addresses, deadline), context or _trust())
    except (httpcore.TimeoutException, TimeoutError):
        return Answer(None, f"the receiver did not answer within {timeout_s:g} s")
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        if isinstance(_root(error), ssl.SSLCertVerificationError):
            return Answer(None, "the receiver's certificate is not valid")
        return Answer(None, f"the connection to the receiver failed ({type(error).__name__})")


def ping(
    url: str, allow_private: bool, *, resolver: Resolver = resolve, context: ssl.SSLContext | None = None
) -> Answer:
    """GET an address, as `deliver` POSTs to one."""
    request = HttpRequest(url, {"user-agent": USER_AGENT}, b"")
    return deliver(request, allow_private, resolver=resolver, context=context, method="GET")


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _root(error: BaseException) -> BaseException:
    while error.__cause__ is not None or error.__context__ is not None:
        error = error.__cause__ or error.__context__ or error
    return error


def _split(url: str) -> SplitResult | None:
    """The parts of an http(s) URL, or None for anything else."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return None
    return parts if usable and not re.search(r"[^\x21-\x7e]", url) else None


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _look_up(parts: SplitResult, deadline: float, resolver: Resolver) -> list[str]:
    """The receiver's addresses. In a thread, because the system's resolver knows no deadline. Raises OSError."""
    found: list[list[str] | Exception] = []

    def ask() -> None:
        try:
            found.append(resolver(parts.hostname or "", _port(parts)))
        except (OSError, UnicodeError) as error:
            found.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(_left(deadline))
    if not found:
        raise TimeoutError
    if isinstance(found[0], Exception):
        raise found[0]
    return found[0]


def _send(
    method: str, request: HttpRequest, parts: SplitResult, backend: httpcore.NetworkBackend, trust: ssl.SSLContext
) -> Answer:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = (parts.hostname or "").encode()
    url = httpcore.URL(scheme=parts.scheme.encode(), host=host, port=_port(parts), target=target.encode())
    headers = [(k.encode(), v.encode()) for k, v in request.headers.items()]
    headers += [(b"host", parts.netloc.rpartition("@")[2].encode()), (b"connection", b"close")]
    with (
        httpcore.ConnectionPool(network_backend=backend, ssl_context=trust) as pool,
        pool.stream(method, url, headers=headers, content=request.body or None) as response,
    ):
        after = next((v for k, v in response.headers if k.lower() == b"retry-after"), b"")
        seconds = retry_after(after.decode("latin-1"), time.time()) if after else None
        body = _body(response)
        return Answer(response.status, _readable(body, parts, request), seconds, body=body)


def _body(response: httpcore.Response) -> bytes:
    """The beginning of the body. That it stops short changes nothing: the status has been said."""
    text = b""
    try:
        for chunk in response.iter_stream():
            text += chunk[: ANSWER_LIMIT - len(text)]
            if len(text) >= ANSWER_LIMIT:
                break
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, OSError):
        return text
    return text


def _readable(text: bytes, parts: SplitResult, request: HttpRequest) -> str:
    """One line of at most 200 characters, without the parts of the request that receivers like to repeat."""
    decoded = text[:_SHOWN].decode("utf-8", "replace")
    sent = [value for name, value in request.headers.items() if name not in _OURS and not name.startswith("webhook-")]
    said = [
        *request.secrets,
        *sent,
        *(word for value in sent for word in value.split()),
        *parts.path.split("/"),
        *(v for _, v in parse_qsl(parts.query)),
        parts.username,
        parts.password,
    ]
    known = {parts.path, parts.query, *said}
    secrets = {form for one in known if one and len(one) > 5 for form in (one, unquote(one))}
    for secret in sorted(secrets, key=len, reverse=True):
        decoded = decoded.replace(secret, "[…]")
    return " ".join("".join(c if c.isprintable() else " " for c in decoded).split())[:200]
