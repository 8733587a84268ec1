"""One probe of one server under test, judged: its verdict, its time, its memory, and what it lets out."""

from __future__ import annotations

import asyncio
import json
import ssl
import struct
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from typing import Any

from lookout.config.model import Server
from lookout.probe.client import GOODBYE_S, probe_server
from lookout.probe.credential import ANONYMOUS, Credential
from lookout.probe.result import Era, ProbeResult

from tests.servers import hostile as h

Verdict = tuple[str, str | None, str | None]
UP: Verdict = ("up", None, None)
MEMORY_LIMIT = 64 << 20
SLACK_S = 4.0
"""What a busy machine may add."""


def probe(
    script: h.Script,
    *,
    tls: ssl.SSLContext | None = None,
    trust: ssl.SSLContext | None = None,
    credential: Credential = ANONYMOUS,
    known: Era | None = None,
    forced: bool = False,
    resolver: Any = None,
    seen: list[Any] | None = None,
    limit_s: float = 30.0,
    **how: Any,
) -> ProbeResult:
    """Probe `script`, served on loopback. `how` is fields of the server's entry; `seen` gets the requests."""

    async def go() -> ProbeResult:
        async with h.serving(script, tls) as running:
            server = Server("x", how.pop("url", running.url), **{"timeout_s": 10, "allow_private": True, **how})
            extra = {"resolver": resolver} if resolver else {}
            result = await probe_server(
                server,
                credential=credential,
                deadline=asyncio.get_running_loop().time() + limit_s,
                now_ms=lambda: 1_000,
                known_era=known,
                forced=forced,
                ssl_context=trust,
                **extra,
            )
            if seen is not None:
                seen.extend(running.calls)
            return result

    return asyncio.run(go())


def measured(go: Callable[[], ProbeResult], timeout_s: float) -> ProbeResult:
    """The result of `go`, which must stay within its time and 64 MiB, and say nothing that harms who reads it.

    Memory is the most that Python and zlib held at once beyond what was held before: neither an earlier peak nor what
    was freed and kept can hide it.
    """
    began = time.monotonic()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        result = go()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert time.monotonic() - began < timeout_s + GOODBYE_S + SLACK_S
    assert peak - before < MEMORY_LIMIT, f"{(peak - before) / 2**20:.0f} MiB"
    assert_harmless(result)
    return result


def assert_harmless(result: ProbeResult) -> None:
    """Whatever the server said: bounded, printable, one line."""
    for text in (result.message, *(f.message for f in result.findings), result.server_name, result.server_version):
        assert (text or "").isprintable()
        assert len(text or "") <= 300
    assert len(json.dumps(result.compact())) < 1500


def verdict(result: ProbeResult) -> Verdict:
    """(status, layer, reason)."""
    return (
        result.status.value,
        result.layer.value if result.layer else None,
        result.reason.value if result.reason else None,
    )


def rules(result: ProbeResult) -> set[str]:
    """The rules that were broken."""
    return {finding.rule for finding in result.findings}


def answer(*args: Any, **kwargs: Any) -> h.Script:
    """The same response to everything (`Call.http`)."""

    async def serve(call: h.Call) -> None:
        await call.http(*args, **kwargs)

    return serve


def raw(*pieces: bytes, then: Callable[[h.Call], Awaitable[None]] | None = None) -> h.Script:
    """Bytes as they are, then `then`, or the end of the connection. `ID` becomes the request's id."""

    async def serve(call: h.Call) -> None:
        for piece in pieces:
            await call.raw(piece.replace(b"ID", str(call.body.get("id")).encode()))
        if then is not None:
            await then(call)
        else:
            call.writer.close()

    return serve


def endless(piece: bytes, every_s: float = 0.0) -> Callable[[h.Call], Awaitable[None]]:
    """The same bytes until the peer goes."""
    return lambda call: h.forever(call, piece, every_s)


def on_list(script: h.Script, otherwise: h.Script = h.good_modern) -> h.Script:
    """`script` for tools/list."""
    return h.on("tools/list", script, otherwise)


def listing(result: Any) -> h.Script:
    """This as the result of tools/list."""

    async def serve(call: h.Call) -> None:
        await call.result(result)

    return on_list(serve)


def body(text: bytes, status: int = 200, **headers: str) -> h.Script:
    """This as the body of the answer to tools/list; `ID` becomes the request's id."""

    async def serve(call: h.Call) -> None:
        await call.http(status, text.replace(b"ID", str(call.body["id"]).encode()), **headers)

    return on_list(serve)


def stream(*pieces: bytes, end: bool = True, then: Callable[[h.Call], Awaitable[None]] | None = None) -> h.Script:
    """An event stream in answer to tools/list; not `end`: it stays open. `ID` becomes the request's id."""
    after = then if then is not None else (None if end else hang)
    return on_list(raw(h.STREAM_HEAD, *pieces, then=after))


async def hang(_: h.Call) -> None:
    """Nothing more."""
    await asyncio.sleep(60)


async def reset(call: h.Call) -> None:
    """RST."""
    sock = call.writer.get_extra_info("socket")
    sock.setsockopt(1, 13, struct.pack("ii", 1, 0))
    call.writer.transport.abort()
