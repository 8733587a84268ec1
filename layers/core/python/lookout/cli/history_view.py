"""How `lookout history` prints what it read: a table for a person, JSON, or CSV. Pure.

Names that could be a server's words pass through `quote`; in CSV nothing begins as a spreadsheet's formula does.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lookout.history.report import Period, Probe, Report
from lookout.history.slo import Burn
from lookout.history.uptime import Tally, percent
from lookout.jobs.reading import Told
from lookout.probe.quoting import quote
from lookout.status.api_json import error_budget, percentiles
from lookout.status.text import duration, plural, ratio, rfc3339
from lookout.verdict.case import Incident

COUNTS: Final = ("ok", "fail", "unknown", "excluded", "degraded")
PHASES: Final = (
    "dns",
    "tcp",
    "tls",
    "connect",
    "discover",
    "initialize",
    "initialized",
    "tools_list",
    "resources",
    "resource_templates",
    "prompts",
    "tool_call",
)
"""Columns of their own in CSV; what took place beside them is summed up as `other`."""
COLUMNS: Final = ("time", "region", "status", "reason", "latency_ms", *(f"{one}_ms" for one in PHASES), "other_ms")


def _counts(tally: Tally) -> dict[str, Any]:
    return {
        "uptime": ratio(tally.uptime),
        "uptime_percent": percent(tally.uptime),
        "coverage": ratio(tally.coverage),
        **{name: getattr(tally, name) for name in COUNTS},
        "due": tally.due,
    }


def _period(period: Period) -> dict[str, Any]:
    return {
        "period": period.name,
        "begin": rfc3339(period.begin),
        "end": rfc3339(period.end),
        **_counts(period.tally),
        "latency_ms": {region: percentiles(found) for region, found in period.latency.items()},
    }


def _incident(incident: Incident) -> dict[str, Any]:
    ended = incident.resolved_at
    return {
        "id": incident.id,
        "kind": incident.kind,
        "status": incident.status,
        "started_at": rfc3339(incident.started_at),
        "resolved_at": None if ended is None else rfc3339(ended),
        "duration_seconds": None if ended is None else ended - incident.started_at,
        "resolution": incident.resolution,
        "layer": incident.failure.layer,
        "reason": incident.failure.reason,
        "message": incident.failure.message,
        "regions": list(incident.regions),
    }


def to_json(told: Told, slo: str, window: str, timezone: str) -> dict[str, Any]:
    """The object `--json` prints."""
    report = told.report
    whole = _period(report.whole)
    del whole["period"]
    return {
        "slug": report.slug,
        "region": report.region,
        "window": window,
        "timezone": timezone,
        "first": None if report.first is None else rfc3339(report.first),
        **whole,
        "uptime_time": ratio(report.uptime_time),
        "slo": slo,
        "error_budget": error_budget(slo, told.budget, told.burns),
        "incidents": [_incident(incident) for incident in told.incidents],
        "periods": [_period(period) for period in report.periods],
    }


# --- CSV -----------------------------------------------------------------------------------------------------------


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _probe(probe: Probe) -> list[Any]:
    at, region, sample = probe
    rest = [ms for phase, ms in sample.phases.items() if phase not in PHASES]
    phases = [*map(sample.phases.get, PHASES), sum(rest) if rest else None]
    return [rfc3339(at), region, sample.status.value, sample.reason, sample.latency_ms, *phases]


def to_csv(probes: Iterable[Probe]) -> Iterator[str]:
    """A heading, then a line per probe; a phase that did not take place is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for probe in probes:
        writer.writerow([_cell(value) for value in _probe(probe)])
        if out.tell() > 1 << 16:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()


# --- for a person --------------------------------------------------------------------------------------------------


def to_text(told: Told, slo: str, window: str, timezone: str) -> str:
    """All of it as text, without colours, as wide as it needs to be."""
    report = told.report
    table = _table(report, timezone)
    console = Console(width=60 + 26 * len(report.whole.latency), file=io.StringIO(), color_system=None)
    with console.capture() as captured:
        console.print(table)
    rows = [line.rstrip() for line in captured.get().splitlines()]
    return "\n".join([*_heading(told, slo, window), "", *rows, *_incidents(told.incidents)]) + "\n"


def _heading(told: Told, slo: str, window: str) -> Iterator[str]:
    report, tally = told.report, told.report.whole.tally
    yield f"{quote(report.slug, 63)}, last {window}" + (f", as {report.region} saw it" if report.region else "")
    judged = "probes" if report.region else "judged rounds"
    by_time = percent(report.uptime_time, 3)
    yield (
        f"Uptime    {percent(tally.uptime, 3) or 'not known'} of {tally.ok + tally.fail:,} {judged}"
        + (f", {by_time} of the time" if by_time else "")
        + f"; coverage {percent(tally.coverage, 1) or 'not known'}"
    )
    yield f"Budget    {_left(told.budget)} of 30 days at {quote(slo, 20)}; {_burning(told.burns)}"


def _left(budget: Fraction | None) -> str:
    if budget is None:
        return "not known"
    percents = abs(budget.numerator) * 100 // budget.denominator
    return f"{percents}% left" if budget >= 0 else f"overspent by {percents}%"


def _burning(burns: Iterable[Burn]) -> str:
    said = []
    for burn in burns:
        rate = "-" if burn.long_rate is None else f"{float(burn.long_rate):.1f}"
        said.append(f"{burn.rule.name} {rate}{' (too fast)' if burn.burning else ''}")
    return "burn rate " + ", ".join(said)


def _incidents(incidents: tuple[Incident, ...]) -> Iterator[str]:
    if incidents:
        yield ""
        yield plural(len(incidents), "outage")
    for one in incidents:
        lasted = "goes on" if one.resolved_at is None else duration(one.resolved_at - one.started_at)
        why = f"{one.failure.reason or one.status}: {quote(one.failure.message, 120)}".rstrip(": ")
        yield f"  {rfc3339(one.started_at)}  {lasted:>12}  {why}"


def _table(report: Report, timezone: str) -> Table:
    """Uptime never without its coverage; what is not known is a dash."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Hour" if report.periods[0].name.endswith("Z") else f"Day ({timezone})", no_wrap=True)
    for name in ("Uptime", "Coverage", "Failed", "Unknown", "Left out"):
        table.add_column(name, justify="right", no_wrap=True)
    regions = list(report.whole.latency)
    for region in regions:
        table.add_column(f"{region}\np50/p95/p99 ms", justify="right", no_wrap=True)
    for period in report.periods:
        table.add_row(Text(period.name), *_cells(period.tally, period.latency, regions))
    table.add_row(Text("All"), *_cells(report.whole.tally, report.whole.latency, regions), style="bold")
    return table


def _cells(tally: Tally, latency: Mapping[str, Any], regions: Iterable[str]) -> Iterator[str]:
    low = tally.coverage is not None and 2 * tally.coverage < 1
    yield percent(tally.uptime, 3) or "-"
    yield (percent(tally.coverage, 1) or "-") + ("!" if low else "")
    for count in (tally.fail, tally.unknown, tally.excluded):
        yield str(count) if tally.due or tally.excluded else "-"
    for region in regions:
        found = latency.get(region)
        yield f"{found.p50}/{found.p95}/{found.p99}" if found else "-"
