"""rollup: hours that are over become chunks, days become summaries. Idempotent; catches up after any pause.

The two newest complete hours are always built again, so that rounds which arrived late are in their chunk.
"""

from __future__ import annotations

from collections.abc import Sequence

from lookout.history.chunk import DAY, HOUR, build, summarise
from lookout.store import Store
from lookout.verdict.schedule import HORIZON_S, ROUND_DEADLINE_S

REBUILD_HOURS = 2


def complete_hours(now: int) -> list[int]:
    """Hours within the horizon of rounds whose every minute must have been judged, oldest first."""
    last = (now - ROUND_DEADLINE_S) // HOUR * HOUR - HOUR
    first = -(-(now - HORIZON_S) // HOUR) * HOUR
    return list(range(first, last + 1, HOUR))


def roll_up(store: Store, now: int) -> dict[str, int]:
    """Roll up what is not yet; returns `{"chunks": n, "days": n}` written.

    A shard that cannot be rolled up does not keep the others waiting: an ExceptionGroup is raised at the end.
    """
    _, servers = store.roster()
    hours = complete_hours(now)
    written = {"chunks": 0, "days": 0}
    by_shard: dict[str, list[str]] = {}
    for server in servers:
        by_shard.setdefault(server.shard, []).append(server.slug)
    errors: list[Exception] = []
    for shard, slugs in sorted(by_shard.items()):
        try:
            chunks, days = _roll_up_shard(store, shard, slugs, hours, now)
        except Exception as error:  # noqa: BLE001 - whatever one shard suffers, the others have history; raised below
            errors.append(error)
        else:
            written["chunks"] += chunks
            written["days"] += days
    if errors:
        raise ExceptionGroup(f"{len(errors)} of {len(by_shard)} shards could not be rolled up", errors)
    return written


def _roll_up_shard(store: Store, shard: str, slugs: Sequence[str], hours: Sequence[int], now: int) -> tuple[int, int]:
    """Chunks and days written."""
    always = set(hours[-REBUILD_HOURS:])
    first_day = hours[0] // DAY * DAY
    done = {slug: {h for d in store.days(slug, first_day, now + DAY, now) for h in d.hours} for slug in slugs}
    chunks = 0
    touched: set[tuple[str, int]] = set()
    for hour in hours:
        missing = [slug for slug in slugs if hour in always or hour not in done[slug]]
        verdicts = store.verdicts(shard, hour, now) if missing else {}
        if not verdicts:
            continue
        rounds = [r for found in store.rounds(shard, hour, hour + HOUR - 60, now).values() for r in found.values()]
        for slug in missing:
            chunk = build(slug, hour, verdicts, rounds)
            if chunk.tally.due or chunk.tally.excluded:
                store.put_chunk(chunk)
                chunks += 1
                touched.add((slug, hour // DAY * DAY))
    for slug, day in sorted(touched):
        store.put_day(summarise(slug, day, store.chunks(slug, day, day + DAY, now)))
    return chunks, len(touched)
