"""Who is asked again within the minute, when, and for how long: decision 12, Q1."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from lookout.config.model import Server
from lookout.history.round import Round
from lookout.jobs.confirming import confirm
from lookout.probe.result import ProbeResult, Reason, Status

MINUTE = 1_790_000_040 // 60 * 60
SERVER = Server("acme", "https://mcp.example/mcp", shard="s000", confirm_every_s=15, timeout_s=10)


class Clock:
    """A wall clock on which only sleeping and probing take time. Probes take `takes_s` and say `script`, by slug."""

    def __init__(self, now: float, takes_s: float = 1, **script: str) -> None:
        self.now, self.takes_s, self.script = now, takes_s, script
        self.asked: list[tuple[float, tuple[str, ...]]] = []

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    async def probe(self, servers: Sequence[Server]) -> list[ProbeResult]:
        began = self.now
        self.asked.append((began - MINUTE, tuple(server.slug for server in servers)))
        self.now += self.takes_s
        says = {server.slug: self.script[server.slug][len(self.asked) - 1] for server in servers}
        status = {"d": Status.DOWN, "u": Status.UP, "?": Status.UNKNOWN}
        return [
            ProbeResult(slug, status[letter], round(began * 1000), surface_address="address")
            for slug, letter in says.items()
        ]

    def confirmations(self, *servers: Server, until: float = MINUTE + 300, at: int = 4) -> list[Round]:
        results = tuple(ProbeResult(s.slug, Status.DOWN, (MINUTE + at) * 1000, reason=Reason.HTTP_5XX) for s in servers)
        round_ = Round("s000", MINUTE, "us-west-2", results)

        async def gather() -> list[Round]:
            found = confirm(round_, servers, until=until, wall=lambda: self.now, sleep=self.sleep, probe=self.probe)
            return [one async for one in found]

        return asyncio.run(gather())


def test_a_failing_server_is_asked_again_until_its_minute_is_over() -> None:
    clock = Clock(MINUTE + 6, acme="dddd")
    found = clock.confirmations(SERVER)
    assert [at for at, _ in clock.asked] == [19, 34]
    assert [(one.minute, one.region, one.confirmation) for one in found] == [
        (MINUTE, "us-west-2", 1),
        (MINUTE, "us-west-2", 2),
    ]
    assert found[0].results[0].surface_address is None


def test_until_it_does_not_fail() -> None:
    for letter in "u?":
        clock = Clock(MINUTE + 6, acme="d" + letter + "d", other="d" + letter + "d")
        assert len(clock.confirmations(SERVER, at=1)) == 2


def test_one_that_takes_long_is_asked_when_it_ended_and_may_take_its_whole_time() -> None:
    slow = replace(SERVER, timeout_s=20)
    clock = Clock(MINUTE + 24, takes_s=20, acme="dddd")
    assert len(clock.confirmations(slow)) == 1
    assert [at for at, _ in clock.asked] == [24]


def test_who_does_not_want_it_or_did_not_fail_is_left_alone() -> None:
    clock = Clock(MINUTE + 6, acme="dd", other="ud", third="dd")
    other = replace(SERVER, slug="other", timeout_s=30)
    found = clock.confirmations(SERVER, other, replace(SERVER, slug="third", confirm_every_s=None))
    assert [slugs for _, slugs in clock.asked] == [("acme", "other"), ("acme",)]
    assert [len(one.results) for one in found] == [2, 1]


def test_an_invocation_that_has_no_time_left_asks_nobody() -> None:
    clock = Clock(MINUTE + 6, acme="d")
    assert clock.confirmations(SERVER, until=MINUTE + 28) == []
    assert clock.asked == []
