"""One probe's network: resolve, check, connect to what was checked, and take the evidence on the way.

`Wire` is an httpcore network backend for exactly one host. DNS, TCP and TLS times and the certificate are taken where
they happen; every wait is bounded by one absolute deadline.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import httpcore

from lookout.net import public_address
from lookout.probe.result import Layer, Reason, TlsFacts

Resolver = Callable[[str, int], Awaitable[list[str]]]


class Failure(Exception):  # noqa: N818 - it is the server's failure, not an error of ours
    """A probe that cannot go on: the layer, the reason, and what can be said. Stays inside lookout.probe."""

    def __init__(self, layer: Layer, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.layer, self.reason, self.message = layer, reason, message


async def system_resolver(host: str, port: int) -> list[str]:
    """The operating system's answer, in its order. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=1)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Evidence:
    """What was seen below HTTP."""

    def __init__(self) -> None:
        self.timings: dict[str, float] = {}
        self.address: str | None = None
        self.tls: TlsFacts | None = None


def _tls_failure(error: ssl.SSLError) -> Failure:
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = {10: Reason.CERT_EXPIRED, 62: Reason.CERT_WRONG_NAME, 64: Reason.CERT_WRONG_NAME}.get(
            error.verify_code, Reason.CERT_UNTRUSTED
        )
        return Failure(Layer.TLS, reason, f"certificate refused: {error.verify_message}")
    return Failure(Layer.TLS, Reason.TLS_FAILED, f"TLS failed: {error.reason or type(error).__name__}")


def _facts(session: Any) -> TlsFacts:
    certificate = session.getpeercert() or {}
    cipher = session.cipher()

    def name(field: str) -> str:
        parts = (pair for rdn in certificate.get(field, ()) for pair in rdn)
        return ", ".join(f"{k}={v}" for k, v in parts)[:200]

    def moment(field: str) -> int | None:
        return int(ssl.cert_time_to_seconds(certificate[field])) if field in certificate else None

    import hashlib

    leaf = session.getpeercert(binary_form=True) or b""
    return TlsFacts(
        session.version() or "",
        cipher[0] if cipher else "",
        name("subject"),
        name("issuer"),
        moment("notBefore"),
        moment("notAfter"),
        tuple(str(v)[:100] for k, v in certificate.get("subjectAltName", ()) if k == "DNS")[:20],
        hashlib.sha256(leaf).hexdigest() if leaf else "",
    )


class _Stream(httpcore.AsyncNetworkStream):
    """httpcore's stream, bounded by the deadline, its TLS handshake measured and explained."""

    def __init__(self, inner: httpcore.AsyncNetworkStream, wire: Wire) -> None:
        self._inner, self._wire = inner, wire

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's interface
        async with asyncio.timeout_at(self._wire.deadline):
            return await self._inner.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's interface
        async with asyncio.timeout_at(self._wire.deadline):
            await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
    ) -> httpcore.AsyncNetworkStream:
        del timeout
        clock = asyncio.get_running_loop().time
        begin = clock()
        try:
            async with asyncio.timeout_at(min(self._wire.deadline, begin + self._wire.step_s)):
                inner = await self._shake_hands(ssl_context, server_hostname)
        except TimeoutError:
            raise Failure(Layer.TLS, Reason.TLS_FAILED, "the TLS handshake did not end in time") from None
        except (httpcore.ConnectError, ssl.SSLError) as error:
            found = error if isinstance(error, ssl.SSLError) else error.__cause__ or error.__context__
            while found is not None and not isinstance(found, ssl.SSLError):
                found = found.__cause__ or found.__context__
            if isinstance(found, ssl.SSLError):
                raise _tls_failure(found) from None
            raise Failure(Layer.TLS, Reason.TLS_FAILED, "the connection was closed during the TLS handshake") from None
        evidence = self._wire.evidence
        evidence.timings.setdefault("tls", (clock() - begin) * 1000)
        session = inner.get_extra_info("ssl_object")
        if session is not None:
            evidence.tls = _facts(session)
        return _Stream(inner, self._wire)

    async def _shake_hands(self, context: ssl.SSLContext, hostname: str | None) -> httpcore.AsyncNetworkStream:
        """The handshake; httpcore leaves the socket open where it fails or is cancelled."""
        try:
            return await self._inner.start_tls(context, hostname, None)
        except BaseException:
            await self._inner.aclose()
            raise

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class Wire(httpcore.AsyncNetworkBackend):
    """Connects to one host: looked up once, every address checked, and the checked address connected to."""

    def __init__(
        self, deadline: float, *, allow_private: bool, resolver: Resolver = system_resolver, step_s: float = 10.0
    ) -> None:
        self.deadline, self.step_s = deadline, step_s
        self.evidence = Evidence()
        self._allow_private, self._resolver = allow_private, resolver
        self._addresses: list[str] = []
        self._inner = httpcore.AnyIOBackend()

    async def _look_up(self, host: str, port: int) -> list[str]:
        if self._addresses:
            return self._addresses
        clock = asyncio.get_running_loop().time
        begin = clock()
        try:
            async with asyncio.timeout_at(min(self.deadline, begin + self.step_s)):
                found = await self._resolver(host, port)
        except TimeoutError:
            raise Failure(Layer.DNS, Reason.DNS_FAILED, f"the name {host} was not resolved in time") from None
        except (OSError, UnicodeError) as error:
            gone = isinstance(error, OSError) and error.errno in (-2, -5)
            reason = Reason.NAME_NOT_FOUND if gone else Reason.DNS_FAILED
            raise Failure(Layer.DNS, reason, f"the name {host} does not resolve: {error}") from None
        self.evidence.timings["dns"] = (clock() - begin) * 1000
        if not found:
            raise Failure(Layer.DNS, Reason.NAME_NOT_FOUND, f"the name {host} has no address")
        if not self._allow_private and not all(public_address(address) for address in found):
            message = f"{host} resolves to {found[0]}, which is not public; allow_private: true permits it"
            raise Failure(Layer.DNS, Reason.ADDRESS_REFUSED, message)
        self._addresses = found
        return found

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Try the checked addresses in order (at most three)."""
        del timeout
        clock = asyncio.get_running_loop().time
        addresses = await self._look_up(host, port)
        last: Failure | None = None
        for address in addresses[:3]:
            begin = clock()
            try:
                async with asyncio.timeout_at(min(self.deadline, begin + self.step_s)):
                    stream = await self._inner.connect_tcp(address, port, None, local_address, socket_options)
            except TimeoutError:
                last = Failure(Layer.TCP, Reason.CONNECT_TIMEOUT, f"no connection to {address} port {port} in time")
            except httpcore.ConnectError as error:
                refused = "refused" in str(error).lower() or "all connection attempts failed" in str(error).lower()
                reason = Reason.CONNECT_REFUSED if refused else Reason.CONNECT_FAILED
                last = Failure(Layer.TCP, reason, f"no connection to {address} port {port}: {error}")
            else:
                self.evidence.timings.setdefault("tcp", (clock() - begin) * 1000)
                self.evidence.address = address
                return _Stream(stream, self)
        raise last or Failure(Layer.TCP, Reason.CONNECT_FAILED, "no address to connect to")

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        """Never."""
        raise Failure(Layer.TCP, Reason.CONNECT_FAILED, "unix sockets are not probed")

    async def sleep(self, seconds: float) -> None:
        """Httpcore's retries; unused."""
        await asyncio.sleep(seconds)
