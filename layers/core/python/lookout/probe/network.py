"""One probe's network: resolve, check, connect to what was checked, and take the evidence on the way.

A `Wire` is for exactly one host. DNS, TCP and TLS times and the certificate are taken where they happen; every wait is
bounded by one absolute deadline.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import queue
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Final

from lookout.net import public_address, resolve
from lookout.probe import certificate
from lookout.probe.failure import Failure
from lookout.probe.incoming import client_refused
from lookout.probe.line import Line
from lookout.probe.quoting import quote
from lookout.probe.result import Layer, Reason, TlsFacts

__all__ = ["Evidence", "Failure", "Resolver", "Wire", "system_resolver", "trusting"]

Resolver = Callable[[str, int], Awaitable[list[str]]]
ADDRESSES_TRIED: Final = 3
OTHER_ADDRESS_S: Final = 2.0
"""How long an address may take to connect while there is another to try: a lost SYN is sent again after a second."""
REFUSED_LOOK_S: Final = 3.0
"""How long a second look at a refused certificate may take."""


async def system_resolver(host: str, port: int) -> list[str]:
    """The operating system's answer, in its order. Raises OSError."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[str]] = loop.create_future()

    def tell(found: list[str], error: Exception | None) -> None:
        if answer.done():
            return
        if error is None:
            answer.set_result(found)
        else:
            answer.set_exception(error)

    def look() -> None:
        found: list[str] = []
        error: Exception | None = None
        try:
            found = resolve(host, port)
        except (OSError, UnicodeError) as problem:
            error = problem
        with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
            loop.call_soon_threadsafe(tell, found, error)

    _lookups.submit(look)
    return await answer


class _Lookups:
    """As many threads as look-ups are waited for at once, kept for the next ones.

    A name server that never answers cannot hold up another server's probe, as it could in a pool of fixed size, nor the
    end of the process, as it could in the standard library's.
    """

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0

    def submit(self, look: Callable[[], None]) -> None:
        """Have it done, at once."""
        with self._lock:
            fresh = self._idle == 0
            self._idle -= not fresh
        self._waiting.put(look)
        if fresh:
            threading.Thread(target=self._work, name="lookup", daemon=True).start()

    def _work(self) -> None:
        while True:
            self._waiting.get()()
            with self._lock:
                self._idle += 1


_lookups: Final = _Lookups()


@cache
def trusting() -> ssl.SSLContext:
    """The context every probe without one of its own shares: the machine's trust, TLS 1.2 or newer.

    Where no authority is loaded (a runtime without a bundle, or one that keeps them in a folder), certifi's are added.
    """
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"]:
        import certifi

        context.load_verify_locations(certifi.where())
    return context


class Evidence:
    """What was seen below HTTP. Timings in milliseconds by phase: dns, tcp, tls."""

    def __init__(self) -> None:
        self.timings: dict[str, float] = {}
        self.addresses: tuple[str, ...] = ()
        self.address: str | None = None
        self.tls: TlsFacts | None = None
        self.http_version = ""
        self.first_byte_ms: float | None = None
        """Of the last response: from the request's last byte to the response's first."""
        self.received = 0
        """Bytes of bodies."""


class Wire:
    """Connects to one host: looked up once, every address checked, and the checked address connected to."""

    def __init__(
        self, deadline: float, *, allow_private: bool, resolver: Resolver = system_resolver, step_s: float = 10.0
    ) -> None:
        self.deadline, self.step_s = deadline, step_s
        self.evidence = Evidence()
        self._allow_private, self._resolver = allow_private, resolver
        self.layer = Layer.DNS
        """What is being waited for."""
        self._addresses: tuple[str, ...] = ()

    async def dial(self, host: str, port: int, context: ssl.SSLContext | None) -> Line:
        """A connected line; with TLS where there is a context. Raises Failure."""
        self.layer = Layer.DNS
        addresses = await self._look_up(host, port)
        self.layer = Layer.TCP
        sock, address = await self._connect(addresses, port)
        self.evidence.address = address
        line = Line(sock)
        if context is not None:
            try:
                await self._shake_hands(line, context, host, address, port)
            except BaseException:
                line.abort()
                raise
        self.layer = Layer.HTTP
        return line

    async def _shake_hands(self, line: Line, context: ssl.SSLContext, host: str, address: str, port: int) -> None:
        self.layer = Layer.TLS
        begin = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(min(self.deadline, begin + self.step_s)):
                await line.shake_hands(context, host)
        except ssl.SSLCertVerificationError as error:
            self.evidence.tls = await self._look_at_refused(address, port, host)
            raise _certificate_failure(error, self.evidence.tls) from None
        except ssl.SSLError as error:
            raise client_refused(error) or _tls_failure(error) from None
        except TimeoutError:
            raise Failure(Layer.TLS, Reason.TLS_FAILED, "the TLS handshake did not end in time") from None
        except OSError:
            message = "the connection was closed during the TLS handshake"
            raise Failure(Layer.TLS, Reason.TLS_FAILED, message) from None
        self.evidence.timings.setdefault("tls", (line.arrived_at - begin) * 1000)
        if self.evidence.tls is None and line.tls is not None:
            self.evidence.tls = certificate.facts(line.tls)

    async def _look_up(self, host: str, port: int) -> tuple[str, ...]:
        if self._addresses:
            return self._addresses
        if _is_address(host):
            self.evidence.timings["dns"], found = 0.0, [host]
        else:
            found = await self._ask(host, port)
        if not found:
            raise Failure(Layer.DNS, Reason.NAME_NOT_FOUND, f"the name {host} has no address")
        self.evidence.addresses = tuple(found[:8])
        refused = [address for address in found if not self._allow_private and not public_address(address)]
        if refused:
            message = f"{host} resolves to {refused[0]}, which is not public; allow_private: true permits it"
            raise Failure(Layer.DNS, Reason.ADDRESS_REFUSED, message)
        self._addresses = _worth_trying(found)
        return self._addresses

    async def _ask(self, host: str, port: int) -> list[str]:
        clock = asyncio.get_running_loop().time
        begin = clock()
        try:
            async with asyncio.timeout_at(min(self.deadline, begin + self.step_s)):
                return await self._resolver(host, port)
        except TimeoutError:
            raise Failure(Layer.DNS, Reason.DNS_FAILED, f"the name {host} was not resolved in time") from None
        except (OSError, UnicodeError) as error:
            gone = isinstance(error, socket.gaierror | OSError) and error.errno in (-2, -5)
            reason = Reason.NAME_NOT_FOUND if gone else Reason.DNS_FAILED
            raise Failure(Layer.DNS, reason, f"the name {host} does not resolve: {error}") from None
        finally:
            self.evidence.timings.setdefault("dns", (clock() - begin) * 1000)

    async def _connect(self, addresses: tuple[str, ...], port: int) -> tuple[socket.socket, str]:
        """A connected socket and its address. Raises the Failure of the last address tried."""
        clock = asyncio.get_running_loop().time
        last: Failure | None = None
        for left, address in zip(range(len(addresses) - 1, -1, -1), addresses, strict=True):
            begin = clock()
            patience = min(OTHER_ADDRESS_S, (self.deadline - begin) / 8) if left else self.step_s
            try:
                async with asyncio.timeout_at(min(self.deadline, begin + patience)):
                    sock = await _connected(address, port)
            except TimeoutError:
                message = f"no connection to {address} port {port} in time"
                last = Failure(Layer.TCP, Reason.CONNECT_TIMEOUT, message)
            except OSError as error:
                refused = isinstance(error, ConnectionRefusedError)
                reason = Reason.CONNECT_REFUSED if refused else Reason.CONNECT_FAILED
                words = error.strerror or type(error).__name__
                last = Failure(Layer.TCP, reason, f"no connection to {address} port {port}: {words}")
            else:
                self.evidence.timings.setdefault("tcp", (clock() - begin) * 1000)
                return sock, address
            self.evidence.timings["tcp"] = (clock() - begin) * 1000
        raise last or Failure(Layer.TCP, Reason.CONNECT_FAILED, "no address to connect to")

    async def _look_at_refused(self, address: str, port: int, host: str) -> TlsFacts | None:
        """What the certificate says that was refused: a second handshake that trusts anything and sends nothing."""
        loop = asyncio.get_running_loop()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            async with asyncio.timeout_at(min(self.deadline, loop.time() + REFUSED_LOOK_S)):
                line = Line(await _connected(address, port))
                try:
                    await line.shake_hands(context, host)
                    return certificate.facts(line.tls)
                finally:
                    line.close()
        except (OSError, TimeoutError):
            return None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _worth_trying(found: list[str]) -> tuple[str, ...]:
    """The first three; the last of them an IPv4 address where the others are not: many networks have no IPv6."""
    chosen = found[:ADDRESSES_TRIED]
    if all(":" in address for address in chosen):
        other = next((address for address in found if ":" not in address), None)
        if other is not None:
            chosen[-1:] = [other]
    return tuple(chosen)


async def _connected(address: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(sock, (address, port))
    except BaseException:
        sock.close()
        raise
    return sock


_VERIFY_CODES: Final = {
    9: Reason.CERT_NOT_YET_VALID,
    10: Reason.CERT_EXPIRED,
    62: Reason.CERT_WRONG_NAME,
    64: Reason.CERT_WRONG_NAME,
}
"""X509_V_ERR_CERT_NOT_YET_VALID, _CERT_HAS_EXPIRED, _HOSTNAME_MISMATCH, _IP_ADDRESS_MISMATCH."""


def _certificate_failure(error: ssl.SSLCertVerificationError, facts: TlsFacts | None) -> Failure:
    reason = _VERIFY_CODES.get(error.verify_code, Reason.CERT_UNTRUSTED)
    words = f"certificate refused: {error.verify_message}"
    if facts is not None:
        words += f"; it is for {facts.subject or 'nobody'}"
        words += f" ({', '.join(facts.names[:3])})" if facts.names else ""
        words += f", issued by {facts.issuer or 'nobody'}" if facts.issuer else ""
        words += f", valid {_day(facts.not_before)} to {_day(facts.not_after)}"
    return Failure(Layer.TLS, reason, words)


def _day(moment: int | None) -> str:
    import datetime

    return "?" if moment is None else datetime.datetime.fromtimestamp(moment, datetime.UTC).date().isoformat()


def _tls_failure(error: ssl.SSLError) -> Failure:
    name = error.reason or type(error).__name__
    if name in ("UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION"):
        message = f"the server offers no TLS 1.2 or newer ({quote(name, 60)})"
        return Failure(Layer.TLS, Reason.TLS_VERSION, message)
    if name in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"):
        message = f"what answers is not TLS ({quote(name, 60)}): is the address meant to be http://?"
        return Failure(Layer.TLS, Reason.TLS_FAILED, message)
    return Failure(Layer.TLS, Reason.TLS_FAILED, f"TLS failed: {quote(name, 60)}")
