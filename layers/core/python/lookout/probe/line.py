"""One connection that carries one HTTP/1.1 response at a time: its own socket, and TLS without a transport between.

The kernel says when a segment arrived (SO_TIMESTAMPNS), so that a busy event loop is not mistaken for a slow server.
Where it does not say, the moment is that of the callback.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import sys
import time
from collections.abc import Callable
from functools import cache
from typing import Final

from lookout.probe.failure import Failure
from lookout.probe.incoming import Incoming, Sink

CHUNK: Final = 65_536
_SEGMENTS_LEFT: Final = 16
"""Segments that are still read of a peer that listens no more."""
_STAMPS: Final = 35 if sys.platform == "linux" else None
"""SO_TIMESTAMPNS, which `socket` does not name (socket(7)); its message is a `struct timespec`."""
_TIMESPEC: Final = struct.Struct("qq")
_LAG_LIMIT_S: Final = 5.0
"""A stamp further back than this is a clock that was set, not a segment that waited."""


def _ask_for_stamps(sock: socket.socket) -> None:
    if _STAMPS is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, _STAMPS, 1)


@cache
def _keep_stamping() -> int:
    """A socket, open as long as the process, that does nothing but ask: the kernel begins to stamp late where nobody
    else does. Its file descriptor.
    """
    idle = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    _ask_for_stamps(idle)
    return idle.detach()


class Line:
    """A connected, non-blocking socket, owned from here on. `used` counts the requests written."""

    def __init__(self, sock: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._sock = sock
        self._tls: ssl.SSLObject | None = None
        self._from_peer, self._to_peer = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._unsent = bytearray()
        self._incoming: Incoming | None = None
        self._arrival: asyncio.Future[None] | None = None
        self._broken: OSError | None = None
        self._error: OSError | None = None
        """What ended the connection; None where the peer closed it."""
        self.failure: Failure | None = None
        """Why the line was given up in the middle of a response."""
        self._closed = False
        self.arrived_at = 0.0
        """Loop time at which the last segment reached this machine."""
        self.used = 0
        self.when_lost: Callable[[], None] | None = None
        _keep_stamping()
        _ask_for_stamps(sock)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._loop.add_reader(sock.fileno(), self._readable)

    @property
    def open(self) -> bool:
        """Can another request be written?"""
        previous = self._incoming
        return not self._closed and (previous is None or (previous.complete and previous.keep))

    @property
    def closed(self) -> bool:
        """Has it ended, whoever ended it?"""
        return self._closed

    @property
    def tls(self) -> ssl.SSLObject | None:
        """The TLS session; None before the handshake, and without TLS."""
        return self._tls

    async def shake_hands(self, context: ssl.SSLContext, hostname: str) -> None:
        """The TLS handshake. Raises ssl.SSLError, or OSError where the connection ends."""
        tls = context.wrap_bio(self._from_peer, self._to_peer, server_hostname=hostname)
        self._tls = tls
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
            except ssl.SSLError:
                self._flush()
                raise
            else:
                self._flush()
                return
            self._arrival = self._loop.create_future()
            await self._arrival
            self._arrival = None
            if self._broken is not None:
                raise self._broken

    def send(self, data: bytes, sink: Sink) -> Incoming:
        """Write a request; its response goes to `sink`."""
        self._incoming = incoming = Incoming(sink, self._loop.create_future())
        self.used += 1
        if self._closed:  # since it was dialled
            incoming.lost(self._error)
            return incoming
        try:
            if self._tls is not None:
                self._tls.write(data)
                self._flush()
            else:
                self._write(data)
        except OSError as error:
            self._unwritable(error)
        return incoming

    async def drain(self, seconds: float) -> None:
        """Let a response end that was answered before its end, for at most `seconds`; then the line is given up."""
        incoming = self._incoming
        if self._closed or incoming is None or incoming.complete:
            return
        incoming.drained = self._loop.create_future()
        await asyncio.wait([incoming.drained], timeout=seconds)
        if not incoming.complete:
            self.abort()

    def close(self) -> None:
        """Say goodbye to the peer as far as that needs no waiting, and close."""
        if not self._closed and self._tls is not None:
            with contextlib.suppress(OSError, ValueError):
                self._tls.unwrap()
            with contextlib.suppress(OSError):
                self._flush()
        self.abort()

    def abort(self) -> None:
        """Close at once, keeping nothing."""
        if self._closed:
            return
        self._closed = True
        self._loop.remove_reader(self._sock.fileno())
        self._loop.remove_writer(self._sock.fileno())
        self._sock.close()

    # --- the socket

    def _readable(self) -> bool:
        """Take one segment. Was there one?"""
        try:
            data, notes, _, _ = self._sock.recvmsg(CHUNK, 64)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            self._lost(error)
            return False
        self.arrived_at = self._loop.time() - _lag(notes)
        if not data:
            self._lost(None)
        elif self._tls is None:
            self._take(data)
        else:
            self._from_peer.write(data)
            if self._arrival is not None:
                self._arrive()
            else:
                self._decrypt(self._tls)
        return True

    def _decrypt(self, tls: ssl.SSLObject) -> None:
        try:
            while not self._closed:
                data = tls.read(CHUNK)
                if not data:
                    self._lost(None)
                    return
                self._take(data)
        except ssl.SSLWantReadError:
            with contextlib.suppress(OSError):
                self._flush()
        except ssl.SSLZeroReturnError:
            self._lost(None)
        except ssl.SSLError as error:
            self._lost(error)

    def _take(self, data: bytes) -> None:
        incoming = self._incoming
        if incoming is None or incoming.complete:
            self.abort()
            return
        try:
            incoming.feed(data, self.arrived_at)
        except Failure as failure:
            self._give_up(incoming, failure)
        except Exception as error:  # noqa: BLE001 - raised where the answer is awaited
            self._give_up(incoming, error)

    def _give_up(self, incoming: Incoming, error: Exception) -> None:
        self.abort()
        if isinstance(error, Failure):
            self.failure = error
            incoming.fail(error)
        elif not incoming.answered.done():
            incoming.answered.set_exception(error)
        if self.when_lost is not None:
            self.when_lost()

    def _lost(self, error: OSError | None) -> None:
        """The connection ended, by the peer or by the network."""
        if self._closed:
            return
        self.abort()
        self._broken, self._error = error or ConnectionResetError("the connection was closed"), error
        if self._arrival is not None:
            self._arrive()
        if self._incoming is not None:
            try:
                self._incoming.lost(error)
            except Exception as problem:  # noqa: BLE001 - a Failure, or ours; raised where the answer is awaited
                self._give_up(self._incoming, problem)
                return
        if self.when_lost is not None:
            self.when_lost()

    def _unwritable(self, error: OSError) -> None:
        """The peer listens no more; what it said before that may be why (an answer, a TLS alert)."""
        for _ in range(_SEGMENTS_LEFT):
            if self._closed or not self._readable():
                break
        self._lost(error)

    def _arrive(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)

    def _flush(self) -> None:
        data = self._to_peer.read()
        if data:
            self._write(data)

    def _write(self, data: bytes) -> None:
        if self._closed:
            return
        if not self._unsent:
            try:
                sent = self._sock.send(data)
            except (BlockingIOError, InterruptedError):
                sent = 0
            data = data[sent:]
            if not data:
                return
            self._loop.add_writer(self._sock.fileno(), self._writable)
        self._unsent += data

    def _writable(self) -> None:
        try:
            sent = self._sock.send(self._unsent)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._unwritable(error)
            return
        del self._unsent[:sent]
        if not self._unsent:
            self._loop.remove_writer(self._sock.fileno())


def _lag(notes: list[tuple[int, int, bytes]]) -> float:
    """Seconds since the kernel had the segment; 0 where it does not say."""
    for level, kind, value in notes:
        if level == socket.SOL_SOCKET and kind == _STAMPS and len(value) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack_from(value)
            lag = time.time() - seconds - nanoseconds / 1e9
            return lag if 0 < lag < _LAG_LIMIT_S else 0.0
    return 0.0
