"""Prometheus text 0.0.4 and OpenMetrics 1.0.0 of the last stored results (SHAPES 4). Pure.

Nothing here probes. A series whose value is not known is left out, never 0. blackbox_exporter's names keep its meaning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lookout.history.slo import budget_left, objective
from lookout.probe.result import Status
from lookout.status.text import clean, public_url
from lookout.status.view import ServerView, Snapshot
from lookout.surface.changes import Class

TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
BUDGET_WINDOW: Final = "30d"

Labels = dict[str, str]
Sample = tuple[Labels, float]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric. `kind` is gauge, counter or info; a counter's name ends in `_total`, an info metric's in `_info`."""

    name: str
    kind: str
    help: str
    samples: Callable[[Snapshot], Iterable[Sample]]


def _servers(value: Callable[[ServerView], float | None]) -> Callable[[Snapshot], Iterator[Sample]]:
    def samples(snapshot: Snapshot) -> Iterator[Sample]:
        for view in snapshot.servers:
            number = value(view)
            if number is not None:
                yield {"server": view.slug}, number

    return samples


def _up(view: ServerView) -> float | None:
    status = view.state.status
    return 1 if status.ok else 0 if status.failing else None


def _probe_success(snapshot: Snapshot) -> Iterator[Sample]:
    for view in snapshot.servers:
        for seen in view.state.regions:
            status = Status(seen.status)
            if status.ok or status.failing:
                yield _where(view, seen.region), float(status.ok)


def _where(view: ServerView, region: str) -> Labels:
    return {"server": view.slug, "instance": public_url(view.url), "region": region}


def _probe_duration(snapshot: Snapshot) -> Iterator[Sample]:
    for view in snapshot.servers:
        for seen in view.state.regions:
            if seen.latency_ms is not None:
                yield _where(view, seen.region), seen.latency_ms / 1000


def _cert_expiry(snapshot: Snapshot) -> Iterator[Sample]:
    for view in snapshot.servers:
        if view.state.tls_not_after is not None:
            yield {"server": view.slug, "instance": public_url(view.url)}, view.state.tls_not_after


def _one_hot(snapshot: Snapshot) -> Iterator[Sample]:
    for view in snapshot.servers:
        for status in Status:
            yield {"server": view.slug, "status": status.value}, float(view.state.status is status)


def _failed(snapshot: Snapshot) -> Iterator[Sample]:
    for view in snapshot.servers:
        for seen in view.state.regions:
            if Status(seen.status).failing:
                yield {**_where(view, seen.region), "layer": seen.layer or "", "reason": seen.reason or ""}, 1


def _protocol(snapshot: Snapshot) -> Iterator[Sample]:
    for view in snapshot.servers:
        state = view.state
        if state.era or state.protocol_version:
            yield (
                {
                    "server": view.slug,
                    "protocol_version": clean(state.protocol_version or "", 60),
                    "era": state.era or "",
                    "transport": state.transport or "",
                },
                1,
            )


def _tools_hash(snapshot: Snapshot) -> Iterator[Sample]:
    for view in snapshot.servers:
        for region, tracks in view.state.surface.tracks.items():
            yield {"server": view.slug, "region": region, "hash": tracks[0].seen[:12]}, 1


def _drifts(snapshot: Snapshot) -> Iterator[Sample]:
    for view in snapshot.servers:
        for cls in Class if view.state.surface.tracks else ():
            yield {"server": view.slug, "class": cls.value}, view.state.drifts.get(cls.value, 0)


def _windows(coverage: bool) -> Callable[[Snapshot], Iterator[Sample]]:
    def samples(snapshot: Snapshot) -> Iterator[Sample]:
        for view in snapshot.servers:
            for window, tally in view.windows.items():
                value = tally.coverage if coverage else tally.uptime
                if value is not None:
                    yield {"server": view.slug, "window": window}, float(value)

    return samples


def _budget(snapshot: Snapshot) -> Iterator[Sample]:
    for view in snapshot.servers:
        tally, target = view.windows.get(BUDGET_WINDOW), objective(view.slo)
        left = budget_left(tally, view.slo) if tally is not None else None
        if left is not None and target is not None:
            yield {"server": view.slug, "objective": str(float(target))}, float(left)


def _last_probe(snapshot: Snapshot) -> Iterator[Sample]:
    for view in snapshot.servers:
        for seen in view.state.regions:
            yield {"server": view.slug, "region": seen.region}, seen.checked_at


def _region_success(snapshot: Snapshot) -> Iterator[Sample]:
    for region, at in snapshot.regions.items():
        if at:
            yield {"region": region}, at


FAMILIES: Final[Sequence[Family]] = (
    Family("probe_success", "gauge", "Whether the last probe from this region was ok.", _probe_success),
    Family("probe_duration_seconds", "gauge", "How long the last probe took in all.", _probe_duration),
    Family("probe_ssl_earliest_cert_expiry", "gauge", "When the certificate ends, unix seconds.", _cert_expiry),
    Family("mcp_server_up", "gauge", "The verdict of all regions: 1 ok, 0 failing.", _servers(_up)),
    Family("mcp_server_status", "gauge", "1 for the status the server has, 0 for every other.", _one_hot),
    Family("mcp_probe_failed_info", "info", "Why the last probe from this region failed.", _failed),
    Family(
        "mcp_probe_consecutive_failures",
        "gauge",
        "Failing rounds in a row.",
        _servers(lambda view: view.state.fail_rounds if view.state.last_round else None),
    ),
    Family("mcp_protocol_version_info", "info", "The protocol the server speaks.", _protocol),
    Family("mcp_tools_count", "gauge", "Tools the server lists.", _servers(lambda view: view.state.tools_count)),
    Family("mcp_tools_hash_info", "info", "The first 12 hex digits of the SHA-256 of what it offers.", _tools_hash),
    Family("mcp_tool_schema_drift_total", "counter", "Changes of what it offers that were told.", _drifts),
    Family("mcp_uptime_ratio", "gauge", "ok / (ok + fail) over judged rounds.", _windows(coverage=False)),
    Family("mcp_coverage_ratio", "gauge", "(ok + fail) / rounds that were due.", _windows(coverage=True)),
    Family(
        "mcp_slo_error_budget_remaining_ratio",
        "gauge",
        "Error budget left over 30 days; below 0 when overspent.",
        _budget,
    ),
    Family(
        "mcp_credential_expiry_timestamp_seconds",
        "gauge",
        "When the credential we probe with ends, where that is known.",
        _servers(lambda view: view.state.credential_expires),
    ),
    Family("mcp_last_probe_timestamp_seconds", "gauge", "When this region last probed the server.", _last_probe),
    Family(
        "mcp_monitor_region_last_success_timestamp_seconds",
        "gauge",
        "The newest round this region stored.",
        _region_success,
    ),
    Family("mcp_monitor_build_info", "info", "This Lookout.", lambda snapshot: [({"version": snapshot.version}, 1)]),
)


_SUFFIXES: Final = {"info": "_info", "counter": "_total"}
"""What OpenMetrics adds to a family's name in its samples."""


def negotiate(accept: str) -> str:
    """TEXT or OPENMETRICS, by the qualities of an Accept header; TEXT where both are as welcome, or neither is."""
    best = {"openmetrics": 0.0, "text": 0.0}
    for part in accept.split(","):
        kind, *parameters = [piece.strip().lower() for piece in part.split(";")]
        quality, version = 1.0, None
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                quality = float(value) if re.fullmatch(r"[01](\.[0-9]{0,3})?", value) else 0.0
            elif name.strip() == "version":
                version = value.strip('"')
        if kind == "application/openmetrics-text" and version in (None, "1.0.0", "0.0.1"):
            best["openmetrics"] = max(best["openmetrics"], quality)
        elif kind in ("text/plain", "text/*", "*/*"):
            best["text"] = max(best["text"], quality)
    return OPENMETRICS if best["openmetrics"] > best["text"] else TEXT


def _escaped(value: str) -> str:
    return clean(value, 1000).replace("\\", "\\\\").replace('"', '\\"')


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))


def _line(name: str, labels: Labels, value: float) -> str:
    inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"{name}{{{inside}}} {_number(value)}" if inside else f"{name} {_number(value)}"


def render(snapshot: Snapshot, content_type: str, families: Sequence[Family] = FAMILIES) -> bytes:
    """Every family that has a sample. `content_type` is TEXT or OPENMETRICS."""
    open_metrics = content_type == OPENMETRICS
    lines = []
    for family in families:
        samples = list(family.samples(snapshot))
        if not samples:
            continue
        name = family.name.removesuffix(_SUFFIXES.get(family.kind, "")) if open_metrics else family.name
        kind = "gauge" if family.kind == "info" and not open_metrics else family.kind
        lines += [f"# HELP {name} {family.help}", f"# TYPE {name} {kind}"]
        if open_metrics and name.endswith("_seconds"):
            lines.append(f"# UNIT {name} seconds")
        lines += [_line(family.name, labels, value) for labels, value in samples]
    if open_metrics:
        lines.append("# EOF")
    return ("\n".join(lines) + "\n").encode()
