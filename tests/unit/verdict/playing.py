"""Minutes of one server, each written as what the regions say, played with the judge.

u up, d down (HTTP 502), x down (refused), c credential rejected, g degraded (conformance), s degraded (slow),
l rate limited, ? unknown, - silent
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lookout.config.model import Server, Sink, Site
from lookout.history.round import Round
from lookout.history.uptime import Counting
from lookout.probe.result import Layer, ProbeResult, Reason, Status, TlsFacts
from lookout.verdict.case import Incident, Notice
from lookout.verdict.judge import judge_minute
from lookout.verdict.state import ServerState, ShardState

REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")
SITE = Site("Acme", "us-east-1", REGIONS, (Sink("hook", "webhook", "https://ops.example/x"),))
SERVER = Server("acme", "https://mcp.example/mcp", "Acme", shard="s000", notify=("hook",))
START = 1_790_000_040 // 60 * 60
DAY = 86400
SAYS: Mapping[str, tuple[Status, Layer | None, Reason | None]] = {
    "u": (Status.UP, None, None),
    "d": (Status.DOWN, Layer.HTTP, Reason.HTTP_5XX),
    "x": (Status.DOWN, Layer.TCP, Reason.CONNECT_REFUSED),
    "c": (Status.CREDENTIAL_REJECTED, Layer.HTTP, Reason.CREDENTIAL_REJECTED),
    "g": (Status.DEGRADED, None, Reason.NONCONFORMANT),
    "s": (Status.DEGRADED, None, Reason.SLOW),
    "l": (Status.UNKNOWN, Layer.HTTP, Reason.RATE_LIMITED),
    "?": (Status.UNKNOWN, None, Reason.PROBER_ERROR),
}


@dataclass
class Play:
    """A server's life so far. `covering` is asked for the window that covers a minute."""

    server: Server = SERVER
    covering: Callable[[int], Counting | None] = lambda minute: None
    latency_ms: int = 12
    tls_not_after: int | None = None
    credential_expires: int | None = None
    minute: int = START
    state: ShardState = field(default_factory=lambda: ShardState("s000"))
    open: dict[str, Incident] = field(default_factory=dict)
    incidents: dict[str, Incident] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    codes: str = ""

    @property
    def now(self) -> ServerState:
        """The server's state."""
        return self.state.servers[self.server.slug]

    @property
    def told(self) -> list[str]:
        """`type kind`, of every notice."""
        return [f"{n.type} {n.incident.kind if n.incident else '-'}" for n in self.notices]

    def hear(self, *script: str) -> Play:
        """Judge one minute after another."""
        for says in script:
            rounds = {
                region: Round("s000", self.minute, region, (self._result(letter),))
                for region, letter in zip(REGIONS, says, strict=True)
                if letter != "-"
            }
            judged = judge_minute(self.state, self.minute, rounds, [self.server], SITE, self.open, None, self._covering)
            for incident in judged.incidents:
                self.incidents[incident.id] = self.open[incident.id] = incident
                if incident.resolved_at is not None:
                    del self.open[incident.id]
            self.state = judged.state
            self.notices += judged.notices
            self.codes += judged.verdicts.get(self.server.slug, ".")
            assert sorted(self.now.incidents.values()) == sorted(self.open)
            assert ServerState.from_json(self.now.to_json()) == self.now
            self.minute += 60
        return self

    def _covering(self, server: Server, minute: int) -> Counting | None:
        return self.covering(minute)

    def _result(self, letter: str) -> ProbeResult:
        status, layer, reason = SAYS[letter]
        return ProbeResult(
            self.server.slug,
            status,
            self.minute * 1000 + 2500,
            layer,
            reason,
            timings_ms={"total": self.latency_ms},
            tls=TlsFacts(not_after=self.tls_not_after) if self.tls_not_after is not None else None,
            credential_expires=self.credential_expires,
            address="203.0.113.9",
        )


def window(first: int, last: int, counting: Counting = Counting.EXCLUDE) -> Callable[[int], Counting | None]:
    """A window over the minutes START + 60 first .. last, that too."""
    return lambda minute: counting if START + 60 * first <= minute <= START + 60 * last else None
