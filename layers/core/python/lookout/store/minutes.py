"""The verdicts of the last three days by the minute, for a warm process: an hour that is over is read once.

A process that starts reads the newest hours of all shards first, so many a minute. What it has not read yet is missing,
and whoever asks can tell by the length of the answer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, Protocol

from lookout.history.chunk import HOUR
from lookout.history.minutes import by_server
from lookout.history.slo import WINDOWS_S
from lookout.verdict.schedule import HORIZON_S

AT_ONCE: Final = 80
"""Hours of a shard that are read in one minute, beside the two newest ones of each: one is 13 ms of a whole CPU."""
LATE_S: Final = 300
"""An hour is over once a minute so long after it was judged: minutes are judged in order, and reads lag by seconds."""
_REACH: Final = max(WINDOWS_S) // HOUR
_NEWEST: Final = 2


class Verdicts(Protocol):
    """What is read."""

    def verdicts(self, shard: str, hour: int, now: int) -> dict[int, dict[str, str]]:
        """`{minute: {slug: outcome code}}` of the judged minutes of one hour."""
        ...


class Minutes:
    """The outcome codes of every server of the shards that are asked for, as texts (`history.minutes`)."""

    def __init__(self) -> None:
        self._over: dict[tuple[str, int], dict[str, str]] = {}
        self._running: dict[tuple[str, int], dict[str, str]] = {}

    def read(self, store: Verdicts, shards: Collection[str], now: int) -> list[Exception]:
        """Read what is not known yet, newest first. A shard that cannot be read does not keep the others waiting."""
        current = now // HOUR * HOUR
        first = current - _REACH * HOUR
        self._over = {key: codes for key, codes in self._over.items() if key[0] in shards and key[1] >= first}
        self._running = {}
        newest = dict.fromkeys(sorted(shards), 0)
        errors: list[Exception] = []
        left = AT_ONCE
        for age, hour in enumerate(range(current, first - 1, -HOUR)):
            for shard in list(newest):
                if (shard, hour) in self._over:
                    continue
                if age >= _NEWEST:
                    left -= 1
                    if left < 0:
                        return errors
                try:
                    found = store.verdicts(shard, hour, now)
                except Exception as error:  # noqa: BLE001 - returned
                    errors.append(error)
                    del newest[shard]
                    continue
                newest[shard] = max(newest[shard], *found, 0)
                self._keep(shard, hour, found, newest[shard], now)
        return errors

    def _keep(self, shard: str, hour: int, found: Mapping[int, Mapping[str, str]], newest: int, now: int) -> None:
        end = hour + HOUR
        over = newest >= end + LATE_S or now >= end + HORIZON_S
        codes = by_server(found, hour, min(end, now // 60 * 60 + 60))
        (self._over if over else self._running)[shard, hour] = codes

    def of(self, shard: str, slug: str, now: int) -> str:
        """The codes of a server's last minutes, the running one last; as many as are known without a gap."""
        parts: list[str] = []
        current = now // HOUR * HOUR
        for hour in range(current, current - _REACH * HOUR - 1, -HOUR):
            codes = self._over.get((shard, hour))
            if codes is None:
                codes = self._running.get((shard, hour))
            if codes is None:
                break
            minutes = min(HOUR, now // 60 * 60 + 60 - hour) // 60
            parts.append(codes.get(slug, "." * minutes))
        return "".join(reversed(parts))
