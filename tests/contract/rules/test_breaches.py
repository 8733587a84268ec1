"""The real probe against a server for every rule: exactly that finding, and none from a server that conforms."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from lookout.config.model import Server
from lookout.probe.client import probe_server
from lookout.probe.result import ProbeResult
from lookout.probe.round_runner import Memory, probe_round, verify_era
from lookout.probe.rules import RULES

from tests.servers import hostile
from tests.servers.rules import BREACHES, CONFORMING


def probe(script: hostile.Script, times: int = 1, **options: Any) -> list[ProbeResult]:
    async def go() -> list[ProbeResult]:
        memory, results = Memory(), []
        async with hostile.serving(script) as running:
            server = Server("x", running.url, timeout_s=5, allow_private=True, **options)
            for _ in range(times):
                result = await probe_server(
                    server,
                    deadline=asyncio.get_running_loop().time() + 10,
                    now_ms=lambda: 1_000,
                    known_era=memory.era,
                    past=memory.past,
                )
                memory.learn(result)
                results.append(result)
        return results

    return asyncio.run(go())


@pytest.mark.parametrize("rule", RULES)
def test_a_server_that_breaks_one_rule_gives_that_finding_and_no_other(rule: str) -> None:
    breach = BREACHES[rule]
    *before, result = probe(breach.make(), breach.times, active_checks=breach.active, lists=breach.lists)
    assert {(each.rule, each.severity) for each in result.findings} == {
        (rule, breach.severity or RULES[rule].severity)
    }, result
    assert all(each.findings == () for each in before)
    assert all(each.message.isprintable() for each in result.findings)


@pytest.mark.parametrize("active", [False, True])
@pytest.mark.parametrize("name", CONFORMING)
def test_a_server_that_conforms_gives_no_finding(name: str, active: bool) -> None:
    for result in probe(CONFORMING[name](), 2, active_checks=active):
        assert result.findings == ()


def test_what_is_looked_at_daily_is_asked_once_told_again_and_asked_anew_after_a_day() -> None:
    asked: list[int] = []

    async def go() -> list[tuple[str, ...]]:
        memories: dict[str, Memory] = {}
        told = []
        async with hostile.serving(BREACHES["SEC-ORIGIN"].make()) as running:
            server = Server("x", running.url, timeout_s=5, allow_private=True, active_checks=True)
            daily = next(minute for minute in range(0, 1440 * 60, 60) if verify_era("eu-west-1", "x", minute))
            for minute in (daily + 60, daily + 120, daily):
                (result,) = await probe_round(
                    [server],
                    minute=minute,
                    credentials={},
                    deadline=asyncio.get_running_loop().time() + 20,
                    spread_s=0,
                    region="eu-west-1",
                    per_host=1,
                    memories=memories,
                )
                told.append(tuple(each.rule for each in result.findings))
                asked.append(sum("origin" in call.headers for call in running.calls))
        return told

    assert asyncio.run(go()) == [("SEC-ORIGIN",)] * 3
    assert asked == [1, 1, 2]
