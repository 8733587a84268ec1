"""A round is kept in the home region or, where that takes no writes now, in the queue of the region that probed.

`keep` is the probe's side; `drain` writes later what waits. Both write the same way, under the round's own key, so a
round that was stored after all, or comes twice, changes nothing.
"""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from lookout.errors import FormatError
from lookout.history.round import Round, pack, unpack
from lookout.store.outage import outage

MESSAGE_LIMIT: Final = 256 * 1024
"""Bytes of one message that every region's SQS takes."""
FIRST_S: Final = 10
LONGEST_S: Final = 300
"""The longest a waiting round rests: less than `verdict.watch.DRAIN_S`, for which the judge waits after an outage."""

_REFUSED: Final = "refused"

_log = logging.getLogger(__name__)

Put = Callable[[Round], bool]
"""Stores a round under its key; False where it is there already. Raises what the store raises."""


class Kept(StrEnum):
    """Where a round is."""

    STORED = "stored"
    KNOWN = "known"
    """It was there already."""
    WAITING = "waiting"
    """In the region's queue."""


def keep(round_: Round, put: Put, wait: Callable[[str], None], patience_s: float) -> Kept:
    """Store a round; put it into the queue (`wait`) where the home region does not take it within `patience_s`.

    The store's own retries may take longer than the invocation has left: they are not waited for, and do no harm when
    they succeed later. Raises what is a mistake of ours, and the queue's error where neither takes the round.
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix="round")
    try:
        return Kept.STORED if pool.submit(put, round_).result(patience_s) else Kept.KNOWN
    except Exception as error:
        if not outage(error):
            raise
        _log.warning("the home region does not take round %s %d: %s", round_.shard, round_.minute, _named(error))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    wait(message(round_))
    return Kept.WAITING


def message(round_: Round) -> str:
    """The body of the queue's message: the packed round, base64."""
    body = base64.b64encode(pack(round_)).decode()
    if len(body) > MESSAGE_LIMIT:
        raise FormatError(f"round {round_.shard} {round_.minute} is too large to wait: {len(body)} bytes")
    return body


def parse(body: str) -> Round:
    """Inverse of `message`. Raises FormatError."""
    try:
        return unpack(base64.b64decode(body, validate=True))
    except binascii.Error as error:
        raise FormatError(f"a waiting round is damaged: {error}") from error


def rest_s(attempt: int, chance: float) -> int:
    """Seconds until attempt + 1 (`attempt` from 1, `chance` in 0..1): doubling, jittered by half, at most LONGEST_S."""
    ceiling = min(LONGEST_S, FIRST_S << min(max(attempt, 1) - 1, 10))
    return round(ceiling * (1 + chance) / 2)


@dataclass(frozen=True, slots=True)
class Drained:
    """What became of a batch, in numbers; `kept` are the ids of messages that stay in the queue."""

    stored: int
    known: int
    waiting: int
    refused: int
    """Not taken for another reason than an outage: damaged, or a mistake of ours."""
    oldest_s: int
    """How long the oldest of `kept` has been in the queue; 0 where none is."""
    kept: tuple[str, ...]


def drain(
    records: Iterable[Mapping[str, Any]],
    put: Put,
    delay: Callable[[str, int], None],
    now: int,
    chance: Callable[[], float],
) -> Drained:
    """Store what a batch of the queue holds, in any order. `delay(receipt handle, seconds)`: no sooner than that.

    After a first outage the rest of the batch is not tried: each attempt may take seconds, and nothing is lost.
    """
    count = dict.fromkeys((*Kept, _REFUSED), 0)
    kept: list[str] = []
    oldest_s = 0
    for record in records:
        became = _store_again(record, put) if not count[Kept.WAITING] else Kept.WAITING
        count[became] += 1
        if became in (Kept.STORED, Kept.KNOWN):
            continue
        attributes = record["attributes"]
        oldest_s = max(oldest_s, now - int(attributes["SentTimestamp"]) // 1000)
        delay(record["receiptHandle"], rest_s(int(attributes["ApproximateReceiveCount"]), chance()))
        kept.append(record["messageId"])
    return Drained(count[Kept.STORED], count[Kept.KNOWN], count[Kept.WAITING], count[_REFUSED], oldest_s, tuple(kept))


def _store_again(record: Mapping[str, Any], put: Put) -> str:
    """A `Kept`, or `refused`."""
    try:
        return Kept.STORED if put(parse(record["body"])) else Kept.KNOWN
    except Exception as error:  # noqa: BLE001 - whatever one message suffers, the others are tried, and it is kept
        if outage(error):
            _log.warning("the home region does not take waiting round %s: %s", record["messageId"], _named(error))
            return Kept.WAITING
        _log.exception("waiting round %s cannot be stored", record["messageId"])
        return _REFUSED


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:300]
