"""History as it is stored: hourly chunks, daily summaries and latency sketches of each server.

`replace_...` writes only in the place of what was read, so that of two rollups at once the slower one reads again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from pynamodb.exceptions import DeleteError, PutError, TransactWriteError, UpdateError

from lookout import settings
from lookout.errors import ConflictError, FormatError
from lookout.history import packing
from lookout.history.chunk import DAY, HOUR, Chunk
from lookout.history.day import DaySummary
from lookout.history.latency import Sketch
from lookout.store.models import HistoryItem, models
from lookout.store.outage import code_of

_log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Held(Generic[T]):
    """What an item held when it was read: a value (None: damaged), and its bytes, for `replace_...`."""

    value: T | None
    data: bytes | None


def conflict(error: PutError | UpdateError | DeleteError | TransactWriteError) -> bool:
    """Was a write refused because somebody else was there first?"""
    return code_of(error) in (
        "ConditionalCheckFailedException",
        "TransactionCanceledException",
        "TransactionConflictException",
    )


class Archive:
    """The history table of one Lookout, in its home region. Times are unix seconds and come in as arguments."""

    def __init__(self, home: str) -> None:
        self.home = home
        self._m = models(home)

    def put_chunk(self, item: Chunk) -> None:
        """Store one server's hour, whatever is there."""
        self._chunk_item(item).save()

    def replace_chunk(self, item: Chunk, before: bytes | None) -> None:
        """Store one server's hour in the place of the bytes that were read. Raises ConflictError where others are."""
        self._replace(self._chunk_item(item), before)

    def _chunk_item(self, item: Chunk) -> HistoryItem:
        ttl = item.hour + settings.CHUNKS_TTL_S
        return self._m.history(item.slug, f"hour#{item.hour // HOUR}", data=packing.pack_chunk(item), ttl=ttl)

    def chunks(self, slug: str, since: int, until: int, now: int, *, consistent: bool = False) -> list[Chunk]:
        """The chunks of hours in [since, until), oldest first. One that cannot be read is logged and left out."""
        return list(self.each_chunk(slug, since, until, now, consistent=consistent))

    def each_chunk(self, slug: str, since: int, until: int, now: int, *, consistent: bool = False) -> Iterator[Chunk]:
        """The same one at a time, as they are read."""
        for row in self._span(slug, "hour", since, until, HOUR, now, consistent=consistent):
            held = self._held(row, packing.unpack_chunk)
            if held.value is not None:
                yield held.value

    def held_chunks(
        self, slug: str, since: int, until: int, now: int, *, consistent: bool = False
    ) -> dict[int, Held[Chunk]]:
        """The same by hour, with the bytes they were read from."""
        return {
            int(row.sk.removeprefix("hour#")) * HOUR: self._held(row, packing.unpack_chunk)
            for row in self._span(slug, "hour", since, until, HOUR, now, consistent=consistent)
        }

    def put_day(self, summary: DaySummary) -> None:
        """Store one server's day, whatever is there."""
        self._day_item(summary).save()

    def replace_day(self, summary: DaySummary, before: bytes | None) -> None:
        """Store one server's day in the place of the bytes that were read. Raises ConflictError where others are."""
        self._replace(self._day_item(summary), before)

    def _day_item(self, summary: DaySummary) -> HistoryItem:
        ttl = summary.day + settings.DAYS_TTL_S
        return self._m.history(summary.slug, f"day#{summary.day // DAY}", data=packing.pack_day(summary), ttl=ttl)

    def days(self, slug: str, since: int, until: int, now: int) -> list[DaySummary]:
        """The daily summaries of days in [since, until), oldest first."""
        return [one.value for one in self.held_days(slug, since, until, now).values() if one.value is not None]

    def held_days(
        self, slug: str, since: int, until: int, now: int, *, consistent: bool = False
    ) -> dict[int, Held[DaySummary]]:
        """The same by day, with the bytes they were read from (none for version 1, which had none)."""
        out: dict[int, Held[DaySummary]] = {}
        for row in self._span(slug, "day", since, until, DAY, now, consistent=consistent):
            day = int(row.sk.removeprefix("day#")) * DAY
            if not row.data:
                out[day] = Held(DaySummary.from_item(slug, day, {"tally": row.tally, "hours": row.hours}), None)
            else:
                out[day] = self._held(row, packing.unpack_day)
        return out

    def put_sketches(self, slug: str, day: int, sketches: Mapping[str, Sketch]) -> None:
        """Store one server's latency sketches of a day, whatever is there."""
        data, ttl = packing.pack_sketches(sketches), day + settings.DAYS_TTL_S
        self._m.history(slug, f"latency#{day // DAY}", data=data, ttl=ttl).save()

    def sketches(self, slug: str, since: int, until: int, now: int) -> dict[int, dict[str, Sketch]]:
        """The latency sketches by region of days in [since, until), by day."""
        out: dict[int, dict[str, Sketch]] = {}
        for row in self._span(slug, "latency", since, until, DAY, now):
            held = self._held(row, lambda _, data: packing.unpack_sketches(data))
            if held.value is not None:
                out[int(row.sk.removeprefix("latency#")) * DAY] = held.value
        return out

    def _span(
        self, slug: str, kind: str, since: int, until: int, unit: int, now: int, *, consistent: bool = False
    ) -> Iterator[HistoryItem]:
        if until <= since:
            return
        span = self._m.history.sk.between(f"{kind}#{since // unit}", f"{kind}#{(until - 1) // unit}")
        for row in self._m.history.query(slug, span, consistent_read=consistent):
            if row.ttl > now:
                yield row

    @staticmethod
    def _held(row: HistoryItem, unpack: Callable[[str, bytes], T]) -> Held[T]:
        data = bytes(row.data or b"")
        try:
            return Held(unpack(row.pk, data), data)
        except FormatError:
            _log.exception("history %s %s cannot be read: it is left out", row.pk, row.sk)
            return Held(None, data)

    def _replace(self, row: HistoryItem, before: bytes | None) -> None:
        data = self._m.history.data
        try:
            row.save(condition=data.does_not_exist() if before is None else data == before)
        except PutError as error:
            if conflict(error):
                raise ConflictError(f"history {row.pk} {row.sk}: somebody else has written it") from error
            raise
