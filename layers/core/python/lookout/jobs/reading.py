"""History as somebody asks for it, read from the archive: hours that were rolled up, and those that are not yet.

The archive is read chunk by chunk and never held whole: 90 days of one server are hundreds of thousands of probes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import tzinfo
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from lookout import settings
from lookout.config.model import Server, Site
from lookout.history.calendar import LocalDay, local_days
from lookout.history.chunk import DAY, HOUR, MINUTE, Chunk, build
from lookout.history.report import Probe, Report, hours, probes_of, report
from lookout.history.slo import BUDGET_DAYS, WINDOWS_S, Burn, budget_left, burns
from lookout.history.spans import Span
from lookout.history.uptime import total
from lookout.history.windows import Rolled, Windows
from lookout.store import Store
from lookout.verdict.case import Incident
from lookout.verdict.maintenance import Calendar

WINDOWS: Final = {"24h": 1, "7d": 7, "30d": 30, "90d": 90}
"""Days of each; 24h is the last 86,400 seconds, the others so many days of the site's zone, with the running one."""


@dataclass(frozen=True, slots=True)
class Told:
    """A report, with what is no sum of its periods: the outages in it, and how the objective stands now.

    `budget` is what is left of 30 days' error budget (None: no data); it and `burns` are the same in every window.
    """

    report: Report
    incidents: tuple[Incident, ...]
    budget: Fraction | None
    burns: tuple[Burn, ...]


def periods(window: str, now: int, zone: tzinfo) -> tuple[list[LocalDay], Span]:
    """The periods of a window, and the window itself: by the hour (UTC) for 24h, else by the day of `zone`."""
    if window == "24h":
        span = (now - DAY, now)
        return hours(*span), span
    days = local_days(now, WINDOWS[window], zone)
    return days, (days[0].begin, now)


def tell(store: Store, site: Site, server: Server, window: str, region: str | None, now: int) -> Told:
    """One server's history over a window of `WINDOWS`."""
    zone = ZoneInfo(site.timezone)
    parts, span = periods(window, now, zone)
    recent_since = (now - WINDOWS_S[-1]) // MINUTE * MINUTE
    recent: dict[int, str] = {}
    chunks = _noting(each_hour(store, server, min(span[0], recent_since), now, now), recent_since, recent)
    incidents = tuple(store.incidents_since(server.slug, span[0]))
    windows = (*site.maintenance, *store.maintenance(span[0], now))
    excluded = Calendar(windows, span[0], now).excluded(server)
    found = report(server.slug, chunks, parts, span, [one.span for one in incidents], excluded, region)
    month = local_days(now, BUDGET_DAYS, zone)
    rolled = Rolled.of(month, store.days(server.slug, month[0].begin, now + 1, now))
    known = Windows(rolled, recent, recent_since, now)
    rates = burns({length_s: known.last(length_s) for length_s in WINDOWS_S}, server.slo)
    return Told(found, incidents, budget_left(total(known.days), server.slo), rates)


def _noting(chunks: Iterable[Chunk], since: int, codes: dict[int, str]) -> Iterator[Chunk]:
    """The same chunks; the codes of their minutes since then are put into `codes`."""
    for chunk in chunks:
        for i, code in enumerate(chunk.outcomes):
            if chunk.hour + MINUTE * i >= since:
                codes[chunk.hour + MINUTE * i] = code
        yield chunk


def each_probe(
    store: Store, server: Server, window: str, region: str | None, now: int, zone: tzinfo
) -> Iterator[Probe]:
    """Every probe of the window, oldest first; of one minute by region."""
    since, until = periods(window, now, zone)[1]
    for probe in probes_of(each_hour(store, server, since, until, now), region):
        if since <= probe[0] < until:
            yield probe


def each_hour(store: Store, server: Server, since: int, until: int, now: int) -> Iterator[Chunk]:
    """The chunks of one server's hours that touch [since, until), oldest first.

    An hour of the last three days that has no chunk is made from its rounds and verdicts: the running one always is. A
    round that came late shows when its hour is rolled up again, and so does a minute that nobody judged.
    """
    expected = -(-(now - settings.ROUNDS_TTL_S) // HOUR) * HOUR
    expected = max(expected, since // HOUR * HOUR)
    for chunk in store.each_chunk(server.slug, since // HOUR * HOUR, until, now):
        yield from _unrolled(store, server, range(expected, chunk.hour, HOUR), until, now)
        yield chunk
        expected = max(expected, chunk.hour + HOUR)
    yield from _unrolled(store, server, range(expected, until, HOUR), until, now)


def _unrolled(store: Store, server: Server, missing: range, until: int, now: int) -> Iterator[Chunk]:
    for hour in missing:
        verdicts = store.verdicts(server.shard, hour, now)
        if hour + HOUR <= now and not any(server.slug in codes for codes in verdicts.values()):
            continue
        rounds = store.rounds(server.shard, hour, min(hour + HOUR, until) - 1, now).values()
        chunk = build(server.slug, hour, verdicts, (one for by_region in rounds for one in by_region.values()))
        if not chunk.empty:
            yield chunk
