"""heartbeat: see whether all is well and, if it is, tell the other regions and the dead-man service of lookout.yaml.

Whatever fails on the way out is a value: the next minute is the next attempt, and each way out is tried whatever became
of the others. What cannot be read is raised: nothing is sent then, and that is what the others listen for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Final, Protocol

from lookout.config.model import Heartbeat, Server, Site
from lookout.config.references import is_reference
from lookout.errors import SecretError
from lookout.notify.retry import Answer
from lookout.store.deliveries import Delivery
from lookout.verdict.case import Notice
from lookout.verdict.heartbeat import Pulse, ailments, waiting
from lookout.verdict.state import ShardState
from lookout.verdict.watch import Watch

PATIENCE_S: Final = 20.0
"""How long the queues of all regions together are waited for."""
LOOKED_AT: Final = 20
"""Newest notices that are looked at: where nobody takes notices up, these are among them."""


class Home(Protocol):
    """What is read of the tables."""

    def roster(self) -> tuple[Site | None, list[Server]]:
        """The site and its servers."""
        ...

    def shard_states(self) -> list[ShardState]:
        """Of every shard."""
        ...

    def recent_notices(self, limit: int) -> list[Notice]:
        """Newest first."""
        ...

    def delivery(self, notice_id: str, sink: str) -> Delivery | None:
        """How the delivery stands; None before the first attempt."""
        ...


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways out."""

    regions: Sequence[str]
    """The regions that watch the home region."""
    tell: Callable[[str], None]
    """Tell one of them. Raises what AWS raises."""
    resolve: Callable[[str], str]
    """A reference -> its value. Raises SecretError."""
    call: Callable[[str, bool], Answer]
    """(URL, allow_private) -> how it ended."""


@dataclass(frozen=True, slots=True)
class Beat:
    """What came of it. Where anything is `withheld`, nothing was sent."""

    withheld: tuple[str, ...] = ()
    """Why nothing was sent."""
    told: tuple[str, ...] = ()
    """The regions that know."""
    called: bool = False
    """The dead-man service took it."""
    failed: tuple[str, ...] = ()
    """What could not be told, and why. Never holds the address, which may be a secret."""


def beat(home: Home, watch: Watch, published: int | None, now: int, ways: Ways) -> Beat:
    """One heartbeat at `now`. `published`: when the public read model was written, None where there is none."""
    site, servers = home.roster()
    judged = {state.shard: state.judged for state in home.shard_states() if state.judged}
    pulse = Pulse(watch, judged, published, _untried(home, now))
    withheld = ailments(pulse, site, servers, now)
    if withheld:
        return Beat(withheld)
    told, failed = _tell(ways)
    heartbeat = site.heartbeat if site is not None else None
    if heartbeat is None:
        return Beat(told=told, failed=failed)
    answer = _call(heartbeat, ways)
    if answer.delivered:
        return Beat(told=told, called=True, failed=failed)
    return Beat(told=told, failed=(*failed, f"the heartbeat of lookout.yaml: {answer}"))


def _untried(home: Home, now: int) -> tuple[str, ...]:
    """Down to the newest that was tried: what was passed over before it has alarms of its own, and may never be."""
    out: list[str] = []
    for notice in waiting(home.recent_notices(LOOKED_AT), now):
        if all(home.delivery(notice.id, sink) is not None for sink in notice.sinks):
            break
        out.append(notice.id)
    return tuple(out)


def _tell(ways: Ways) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The regions that were told, and what failed. One that hangs holds up neither the others nor the call."""
    pool = ThreadPoolExecutor(max(1, len(ways.regions)), thread_name_prefix="tell")
    asked = {region: pool.submit(ways.tell, region) for region in ways.regions}
    wait(asked.values(), PATIENCE_S)
    pool.shutdown(wait=False, cancel_futures=True)
    told, failed = [], []
    for region, future in asked.items():
        error = future.exception() if future.done() else TimeoutError(f"no answer within {PATIENCE_S:g} s")
        if error is None:
            told.append(region)
        else:
            failed.append(f"{region}: {type(error).__name__}: {error}"[:300])
    return tuple(told), tuple(failed)


def _call(heartbeat: Heartbeat, ways: Ways) -> Answer:
    try:
        url = ways.resolve(heartbeat.url) if is_reference(heartbeat.url) else heartbeat.url
    except SecretError as error:
        return Answer(None, str(error))
    return ways.call(url.strip(), heartbeat.allow_private)
