"""rollup: hours that are over become chunks, days become summaries.

What it writes is joined to what is there and put in the place of exactly that (`Archive.replace_chunk`), so it may run
twice, two at once, or again for rounds that came late: nothing is counted twice, nothing is lost, and where nothing is
new nothing is written. It catches up with whatever is still there: rounds are kept for three days (`ROUNDS_TTL_S`), and
hours it did not come to in that time are gaps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from lookout import settings
from lookout.config.model import Server
from lookout.errors import ConflictError
from lookout.history.chunk import DAY, HOUR, Chunk, build, join, never_due
from lookout.history.day import DaySummary, sketches, summarise
from lookout.history.packing import pack_chunk, pack_day
from lookout.history.spans import FOREVER
from lookout.store import Store
from lookout.verdict.schedule import HORIZON_S

ATTEMPTS = 4
BACKDATED_S = 2 * HOUR
"""So long after midnight the day before is summed up again: an incident that is resolved now may have ended in it."""


def settled_hours(judged: int, now: int) -> range:
    """Hours whose rounds are all still kept and whose every minute was judged, or never will be; oldest first."""
    first = -(-(now - settings.ROUNDS_TTL_S) // HOUR) * HOUR
    end = min(now, max(judged + 60, now - HORIZON_S)) // HOUR * HOUR
    return range(first, end, HOUR)


def roll_up(store: Store, now: int) -> dict[str, int]:
    """Roll up what is not yet, or not whole; returns `{"chunks": n, "days": n}` written.

    A shard that cannot be rolled up does not keep the others waiting: an ExceptionGroup is raised at the end.
    """
    _, servers = store.roster()
    judged = {state.shard: state.judged for state in store.shard_states()}
    written = {"chunks": 0, "days": 0}
    by_shard: dict[str, list[Server]] = {}
    for server in servers:
        by_shard.setdefault(server.shard, []).append(server)
    errors: list[Exception] = []
    for shard, members in sorted(by_shard.items()):
        try:
            chunks, days = _roll_up_shard(store, shard, members, settled_hours(judged.get(shard, 0), now), now)
        except Exception as error:  # noqa: BLE001 - whatever one shard suffers, the others have history; raised below
            errors.append(error)
        else:
            written["chunks"] += chunks
            written["days"] += days
    if errors:
        raise ExceptionGroup(f"{len(errors)} of {len(by_shard)} shards could not be rolled up", errors)
    return written


def _roll_up_shard(store: Store, shard: str, servers: Sequence[Server], hours: range, now: int) -> tuple[int, int]:
    """Chunks and days written."""
    if not hours:
        return 0, 0
    marks = {hour: mark for hour, mark in store.late_hours(shard, now).items() if hour in hours}
    books = {server.slug: _Book(store.days(server.slug, hours[0] // DAY * DAY, now + DAY, now)) for server in servers}
    chunks = 0
    for hour in _unfinished(hours, list(books.values()), marks):
        verdicts = store.verdicts(shard, hour, now, consistent=True)
        found = store.rounds(shard, hour, hour + HOUR - 60, now, consistent=True)
        rounds = [one for by_region in found.values() for one in by_region.values()]
        for server in servers:
            book = books[server.slug]
            chunk = build(server.slug, hour, verdicts, rounds, server.due if book.known(hour) else never_due)
            if not chunk.empty:
                chunks += _keep_chunk(store, chunk, now)
                book.first = min(book.first, hour)
            if verdicts or rounds or not chunk.empty:
                book.add(hour)
    days = 0
    for slug, book in books.items():
        for day in sorted(book.touched):
            days += _keep_day(store, slug, day, book.hours, now)
    for hour, mark in marks.items():
        store.forget_late(shard, hour, mark)
    return chunks, days


class _Book:
    """What is known of one server: which hours are done, since when it counts, which days are to be summed up."""

    def __init__(self, days: Iterable[DaySummary]) -> None:
        self.hours: set[int] = set()
        self.first = FOREVER
        self.touched: set[int] = set()
        for day in days:
            self.hours.update(day.hours)
            if day.tally.due or day.tally.excluded:
                self.first = min(self.first, day.first)

    def known(self, hour: int) -> bool:
        """Was the server judged before that hour?"""
        return self.first < hour

    def add(self, hour: int) -> None:
        """An hour is done."""
        self.hours.add(hour)
        self.touched |= {hour // DAY * DAY, (hour - BACKDATED_S) // DAY * DAY}


def _unfinished(hours: Iterable[int], books: Sequence[_Book], marks: Mapping[int, bytes]) -> Iterator[int]:
    """Hours that have a mark, that somebody known by then lacks, or that nobody has."""
    for hour in hours:
        lacking = any(book.known(hour) and hour not in book.hours for book in books)
        if hour in marks or lacking or not any(hour in book.hours for book in books):
            yield hour


def _keep_chunk(store: Store, chunk: Chunk, now: int) -> int:
    """Join a chunk to the stored one; how many were written. Raises ConflictError when others keep winning."""
    for attempt in range(ATTEMPTS):
        held = store.held_chunks(chunk.slug, chunk.hour, chunk.hour + HOUR, now, consistent=True).get(chunk.hour)
        joined = chunk if held is None or held.value is None else join(held.value, chunk)
        before = held.data if held is not None else None
        if before == pack_chunk(joined):
            return 0
        try:
            store.replace_chunk(joined, before)
        except ConflictError:
            if attempt == ATTEMPTS - 1:
                raise
        else:
            return 1
    return 0


def _keep_day(store: Store, slug: str, day: int, done: Iterable[int], now: int) -> int:
    """Sum a day up from its chunks, all of them; how many were written. Raises ConflictError as `_keep_chunk`."""
    for attempt in range(ATTEMPTS):
        held = store.held_days(slug, day, day + DAY, now, consistent=True).get(day)
        chunks = store.chunks(slug, day, day + DAY, now, consistent=True)
        if held is None and not chunks:
            return 0
        hours = {*done, *(held.value.hours if held is not None and held.value is not None else ())}
        incidents = [incident.span for incident in store.incidents_since(slug, day)]
        summary = summarise(slug, day, chunks, incidents, hours)
        before = held.data if held is not None else None
        if before == pack_day(summary):
            return 0
        try:
            store.replace_day(summary, before)
        except ConflictError:
            if attempt == ATTEMPTS - 1:
                raise
        else:
            store.put_sketches(slug, day, sketches(day, chunks))
            return 1
    return 0
