"""A round of one shard: no server, however hostile, delays or breaks the probe of another one."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import time
from typing import Any

import pytest
from lookout.config.model import Server
from lookout.probe.credential import Unavailable
from lookout.probe.result import ProbeResult
from lookout.probe.round_runner import Memory, jitter, probe_round, verify_era

from tests.contract.probe.probing import UP, answer, body, endless, hang, on_list, raw, reset, stream, verdict
from tests.contract.probe.test_hostile import CHUNKED, EVENT, HEAD, MIB, given, nested, tools
from tests.servers import hostile as h

HOSTILE: dict[str, h.Script] = {
    "hangs": hang,
    "hangs in the list": on_list(hang),
    "hangs in the list of a session": on_list(hang, h.good_legacy),
    "hangs in the body": raw(HEAD + b"content-length: 9\r\n\r\n", then=hang),
    "drips its head": raw(b"HTTP/1.1 200 OK\r\nx: ", then=endless(b"y", 0.01)),
    "drips its body": raw(HEAD + b"content-length: 99999\r\n\r\n", then=endless(b" ", 0.01)),
    "drips events": stream(then=endless(b": ping\n\n", 0.01)),
    "100 MB": raw(HEAD + b"content-length: 104857600\r\n\r\n", then=endless(bytes(65536))),
    "100 MB for a list": on_list(raw(HEAD + b"\r\n", then=endless(bytes(65536)))),
    "gzip bomb": on_list(answer(200, h.bomb(100), content_encoding="gzip")),
    "gzip bomb of events": on_list(answer(200, h.bomb(50), "text/event-stream", content_encoding="gzip")),
    "chunks of one byte": raw(CHUNKED, then=endless(b"1\r\n0\r\n" * 8192)),
    "an endless chunk extension": raw(CHUNKED + b"1;", then=endless(b"x" * 65536)),
    "endless 100 Continue": raw(then=endless(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)),
    "endless headers": raw(b"HTTP/1.1 200 OK\r\n", then=endless(b"x: " + b"z" * 8192 + b"\r\n")),
    "a flood of comments": stream(then=endless(b": " + b"x" * 65536 + b"\n\n")),
    "a flood of events": stream(then=endless(b"data:x\n\n" * 8192)),
    "a flood of lines": stream(then=endless(b"data:xy\n" * 8192)),
    "a flood after the answer": stream(EVENT, then=endless(b"data:x\n\n" * 8192)),
    "an event without end": stream(b"data: ", then=endless(b"x" * 65536)),
    "10,000 deep": body(nested(10_000)),
    "a million empty objects": body(given(b"[" + b"{}," * MIB + b"0]")),
    "100,000 tools": body(tools(100_000)),
    "20,000 tools": body(tools(20_000)),
    "no JSON": body(b"{" * MIB),
    "resets": raw(then=reset),
    "closes": raw(),
    "endless pages": h.on(
        "tools/list", lambda call: call.result({"tools": h.TOOLS * 90, "nextCursor": str(time.time())})
    ),
    "a silent stream": h.OldServer(b""),
    "redirects for ever": answer(307, location="/mcp"),
}
GOOD = 10


async def names(host: str, port: int) -> list[str]:
    if host.startswith("lost"):
        await asyncio.sleep(60)
    return ["127.0.0.1"]


async def round_of(hostile: dict[str, h.Script], lost: int = 0) -> tuple[list[ProbeResult], list[float], float]:
    """(results of the good ones, milliseconds the good ones took by the server's own clock, seconds of the round)."""
    async with contextlib.AsyncExitStack() as stack:
        ports = [(await stack.enter_async_context(h.serving(script))).port for script in hostile.values()]
        began: dict[str, float] = {}
        took: list[float] = []

        async def timed(call: h.Call) -> None:
            """From the first request read to the last answer written, as the server sees it."""
            host = call.headers["host"]
            began.setdefault(host, time.monotonic())
            await h.good_modern(call)
            if call.rpc == "tools/list":
                took.append((time.monotonic() - began[host]) * 1000)

        running = await stack.enter_async_context(h.serving(timed))
        servers = [
            Server(f"bad{i}", f"http://bad{i}.example:{port}/mcp", timeout_s=4, allow_private=True)
            for i, port in enumerate(ports)
        ]
        servers += [
            Server(f"lost{i}", f"http://lost{i}.example/mcp", timeout_s=2, allow_private=True) for i in range(lost)
        ]
        servers += [
            Server(f"good{i}", f"http://good{i}.example:{running.port}/mcp", timeout_s=10, allow_private=True)
            for i in range(GOOD)
        ]
        loop = asyncio.get_running_loop()
        start = loop.time()
        results = await probe_round(
            servers,
            minute=0,
            credentials={},
            deadline=start + 20,
            spread_s=1.0,
            region="eu-west-1",
            per_host=4,
            memories={},
            resolver=names,
        )
        return results, took, loop.time() - start


def told(name: str, results: list[ProbeResult], took: list[float]) -> float:
    latencies = sorted(result.latency_ms for result in results[-GOOD:])
    middle = statistics.median(latencies)
    print(f"{name}: good servers' latency, median {middle:.0f} ms, most {latencies[-1]} ms", end="; ")
    print(f"by their own clock, median {statistics.median(took):.0f} ms, most {max(took):.0f} ms")
    return middle


def test_thirty_hostile_servers_delay_ten_good_ones_little() -> None:
    """Servers and probe share one process and one loop here, so that what the hostile ones cost to serve is in it too:
    the bound is no benchmark, but below what one hang would add (4 s), on a machine however busy.
    """
    alone, took, _ = asyncio.run(round_of({}))
    told("alone", alone, took)
    results, took, seconds = asyncio.run(round_of(HOSTILE))
    middle = told("with thirty hostile ones", results, took)
    assert [verdict(result) for result in results[-GOOD:]] == [UP] * GOOD
    assert len(results) == len(HOSTILE) + GOOD == 40
    up = [name for name, result in zip(HOSTILE, results, strict=False) if result.status == "up"]
    assert up == ["a flood after the answer"]
    assert middle < 3000
    assert seconds < 20


@pytest.mark.parametrize("lost", [10, 30])
def test_names_that_are_never_resolved_delay_nobody(lost: int) -> None:
    results, took, seconds = asyncio.run(round_of({}, lost))
    middle = told(f"with {lost} names nobody answers for", results, took)
    assert [verdict(result) for result in results[:lost]] == [("down", "dns", "dns_failed")] * lost
    assert [verdict(result) for result in results[lost:]] == [UP] * GOOD
    assert middle < 1800
    assert seconds < 15


def test_a_resolver_that_blocks_its_thread_delays_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The operating system's look-up blocks: as many as there are servers may hang at once."""
    import socket
    import threading

    release = threading.Event()
    real = socket.getaddrinfo

    def blocking(host: Any, *args: Any, **kwargs: Any) -> Any:
        if str(host).startswith("lost"):
            release.wait(10)
            raise socket.gaierror(-3, "Temporary failure in name resolution")
        return real("127.0.0.1" if str(host).endswith(".example") else host, *args, **kwargs)

    async def go() -> list[ProbeResult]:
        async with h.serving(h.good_modern) as running:
            servers = [
                Server(f"lost{i}", f"http://lost{i}.example/", timeout_s=1, allow_private=True) for i in range(40)
            ]
            url = f"http://good.example:{running.port}/mcp"
            servers.append(Server("good", url, timeout_s=10, allow_private=True))
            deadline = asyncio.get_running_loop().time() + 10
            how: dict[str, Any] = {"minute": 0, "credentials": {}, "deadline": deadline, "spread_s": 0.0}
            return await probe_round(servers, region="a", per_host=4, memories={}, **how)

    monkeypatch.setattr(socket, "getaddrinfo", blocking)
    try:
        results = asyncio.run(go())
    finally:
        release.set()
    assert [verdict(result) for result in results] == [("down", "dns", "dns_failed")] * 40 + [UP]
    assert results[-1].latency_ms < 1000


def test_a_retry_after_is_obeyed_in_the_rounds_that_follow() -> None:
    calls: list[str] = []

    async def limited(call: h.Call) -> None:
        calls.append(call.rpc)
        await call.http(429, retry_after="3600")

    async def go() -> list[ProbeResult]:
        async with h.serving(limited) as running:
            server, memories = Server("x", running.url, allow_private=True), dict[str, Memory]()
            out: list[ProbeResult] = []
            for minute in range(3):
                deadline = asyncio.get_running_loop().time() + 10
                how: dict[str, Any] = {"deadline": deadline, "spread_s": 0, "region": "a", "per_host": 1}
                out += await probe_round([server], minute=minute, credentials={}, memories=memories, **how)
            return out

    results = asyncio.run(go())
    assert [verdict(result) for result in results] == [("unknown", "http", "rate_limited")] * 3
    assert calls == ["server/discover"]


def test_an_era_that_is_told_is_spoken_in_every_round_and_none_is_looked_for() -> None:
    calls: list[str] = []

    async def fragile(call: h.Call) -> None:
        calls.append(call.rpc or call.method)
        await h.good_legacy(call)

    async def go() -> list[ProbeResult]:
        async with h.serving(fragile) as running:
            server, memories = Server("x", running.url, era="legacy", allow_private=True), dict[str, Memory]()
            daily = next(minute for minute in range(0, 86_400, 60) if verify_era("a", "x", minute))
            out: list[ProbeResult] = []
            for minute in (daily - 60, daily):
                deadline = asyncio.get_running_loop().time() + 10
                how: dict[str, Any] = {"deadline": deadline, "spread_s": 0, "region": "a", "per_host": 1}
                out += await probe_round([server], minute=minute, credentials={}, memories=memories, **how)
            return out

    assert [verdict(result) for result in asyncio.run(go())] == [("up", None, None)] * 2
    assert calls == ["initialize", "notifications/initialized", "tools/list", "DELETE"] * 2


def test_our_own_deadline_and_a_missing_credential_are_nobodys_fault() -> None:
    async def go() -> list[ProbeResult]:
        async with h.serving(hang) as bad, h.serving(h.good_modern) as fine:
            loop = asyncio.get_running_loop()
            servers = [Server(f"bad{i}", bad.url, timeout_s=30, allow_private=True) for i in range(2)]
            servers += [Server(f"ok{i}", fine.url, allow_private=True) for i in range(3)]
            servers.append(Server("nokey", fine.url, allow_private=True))
            memories: dict[str, Memory] = {}
            results = await probe_round(
                servers,
                minute=0,
                credentials={"nokey": Unavailable("a referenced secret could not be read")},
                deadline=loop.time() + 4.0,
                spread_s=0,
                region="eu-west-1",
                per_host=8,
                memories=memories,
            )
            assert {slug for slug, memory in memories.items() if memory.era} == {"ok0", "ok1", "ok2"}
            return results

    began = time.monotonic()
    results = asyncio.run(go())
    assert time.monotonic() - began < 10
    assert [verdict(r) for r in results] == [
        ("unknown", None, "prober_error"),
        ("unknown", None, "prober_error"),
        UP,
        UP,
        UP,
        ("unknown", None, "credential_unavailable"),
    ]


def test_never_more_than_so_many_at_one_host() -> None:
    now = most = 0

    async def counting(call: h.Call) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.02)
        now -= 1
        await h.good_modern(call)

    async def go() -> None:
        async with h.serving(counting) as running:
            servers = [Server(f"s{i}", running.url, allow_private=True) for i in range(12)]
            deadline = asyncio.get_running_loop().time() + 10
            how: dict[str, Any] = {"minute": 0, "credentials": {}, "deadline": deadline, "spread_s": 0.0}
            results = await probe_round(servers, region="a", per_host=4, memories={}, **how)
            assert [verdict(result) for result in results] == [UP] * 12

    asyncio.run(go())
    assert most == 4


def test_jitter_is_stable_differs_by_region_and_stays_inside() -> None:
    values = {region: jitter(region, "x", 8) for region in ("a", "b", "c")}
    assert values == {region: jitter(region, "x", 8) for region in values}
    assert len(set(values.values())) == 3
    assert all(0 <= value < 8 for value in values.values())


def test_a_round_of_nobody() -> None:
    how: dict[str, Any] = {"minute": 0, "credentials": {}, "deadline": 0, "spread_s": 0, "region": "a", "per_host": 1}
    assert asyncio.run(probe_round([], memories={}, **how)) == []
