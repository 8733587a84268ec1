"""What is remembered (a list in the same bytes as last time is not judged again), and what is no latency."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from lookout.config.model import Server
from lookout.probe.client import probe_server
from lookout.probe.credential import Credential
from lookout.probe.result import Era, ProbeResult, Status
from lookout.probe.rules.past import Past

from tests.servers import hostile as h

PAGE = {"resultType": "complete", "ttlMs": 0, "cacheScope": "public"}


def probes(lists: list[Any], credentials: list[Credential] | None = None) -> tuple[list[ProbeResult], Past]:
    """One probe per list, with one past."""
    past = Past()
    remaining = iter(lists)

    async def serve(call: h.Call) -> None:
        await call.result({**PAGE, "tools": next(remaining)})

    async def go() -> list[ProbeResult]:
        async with h.serving(h.on("tools/list", serve)) as running:
            return [
                await probe_server(
                    Server("x", running.url, allow_private=True),
                    deadline=asyncio.get_running_loop().time() + 10,
                    now_ms=lambda: 0,
                    credential=credential,
                    known_era=Era.MODERN,
                    past=past,
                )
                for credential in credentials or [Credential()] * len(lists)
            ]

    return asyncio.run(go()), past


def bare(result: ProbeResult) -> ProbeResult:
    return replace(result, timings_ms={}, network=None, surface=None)


TOOL = {
    "name": "search",
    "description": "Finds.",
    "inputSchema": {"type": "object", "properties": {"n": {"minimum": 1}}},
}
BAD = {"name": "not a name!", "description": "x", "inputSchema": {"type": "object"}}


def test_the_same_bytes_give_the_same_result_from_memory() -> None:
    (first, second), _ = probes([[TOOL, BAD]] * 2)
    assert second.surface is first.surface is not None
    assert bare(second) == bare(first)
    assert "TOOL-NAME" in {finding.rule for finding in second.findings}


def test_another_list_is_judged_anew_however_alike() -> None:
    alike = {**TOOL, "inputSchema": {"type": "object", "properties": {"n": {"minimum": True}}}}
    (first, second, third), _ = probes([[TOOL], [alike], [TOOL, BAD]])
    assert len({result.tools_hash for result in (first, second, third)}) == 3
    assert "TOOL-NAME" not in {finding.rule for finding in second.findings}
    assert "TOOL-NAME" in {finding.rule for finding in third.findings}


def test_another_order_is_told_once() -> None:
    other = {**TOOL, "name": "fetch"}
    results, _ = probes([[TOOL, other], [other, TOOL], [other, TOOL]])
    assert ["M-ORDER" in {finding.rule for finding in result.findings} for result in results] == [False, True, False]
    assert len({result.tools_hash for result in results}) == 1


def test_a_list_on_the_stream_of_an_old_server_is_judged_every_time() -> None:
    lists = iter([[TOOL], [TOOL, BAD], [TOOL]])

    async def answer(server: h.OldServer, call: h.Call) -> None:
        await call.http(202, b"Accepted", "text/plain")
        if call.rpc == "tools/list":
            await server.tell({"jsonrpc": "2.0", "id": call.body["id"], "result": {"tools": next(lists)}})
        elif "id" in call.body:
            await server.tell(server.message(call))

    async def go() -> list[ProbeResult]:
        past = Past()
        async with h.serving(h.OldServer(answer=answer)) as running:
            return [
                await probe_server(
                    Server("x", running.url, allow_private=True),
                    deadline=asyncio.get_running_loop().time() + 10,
                    now_ms=lambda: 0,
                    known_era=Era.SSE,
                    past=past,
                )
                for _ in range(3)
            ]

    first, second, third = asyncio.run(go())
    assert [len(result.surface.tools) if result.surface else None for result in (first, second, third)] == [1, 2, 1]
    assert first.tools_hash == third.tools_hash != second.tools_hash


def test_a_rotated_secret_is_masked_though_the_bytes_are_the_same() -> None:
    echo = {**TOOL, "description": "for token-one and token-two"}
    credentials = [Credential({"Authorization": f"Bearer {t}"}, secrets=(t,)) for t in ("token-one", "token-two")]
    (first, second), past = probes([[echo]] * 2, credentials)
    assert first.surface is not None
    assert second.surface is not None
    assert first.surface.tools[0]["description"] == "for [secret] and token-two"
    assert second.surface.tools[0]["description"] == "for token-one and [secret]"
    assert past.listed is not None


def test_a_legacy_server_that_hangs_on_what_it_does_not_know_is_not_slow() -> None:
    async def serve(call: h.Call) -> None:
        if call.rpc == "server/discover":
            await asyncio.sleep(30)
        await h.good_legacy(call)

    async def go() -> ProbeResult:
        async with h.serving(serve) as running:
            server = Server("x", running.url, allow_private=True, timeout_s=2, slow_after_ms=700)
            deadline = asyncio.get_running_loop().time() + 10
            return await probe_server(server, deadline=deadline, now_ms=lambda: 0)

    result = asyncio.run(go())
    assert (result.status, result.era) == (Status.UP, Era.LEGACY), result.message
