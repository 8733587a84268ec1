"""How the servers are, in a form to print: as plain lines, as a table, as JSON. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from rich import box
from rich.table import Table
from rich.text import Text

from lookout.config.model import Server, Site
from lookout.probe.result import Status
from lookout.regions import city
from lookout.verdict.state import ServerState

STYLES: Final = {
    Status.UP: "green",
    Status.DEGRADED: "yellow",
    Status.AUTH_REQUIRED: "cyan",
    Status.CREDENTIAL_REJECTED: "bold red",
    Status.DOWN: "bold red",
}
MARKS: Final = {
    Status.UP: "●",
    Status.DEGRADED: "◐",
    Status.AUTH_REQUIRED: "◍",
    Status.CREDENTIAL_REJECTED: "✖",
    Status.DOWN: "✖",
}
EXIT_OK, EXIT_FAILING, EXIT_DEGRADED = 0, 1, 3


@dataclass(frozen=True, slots=True)
class Row:
    """One server. `regions` has a cell per probing region: status and latency, where that region said something."""

    slug: str
    title: str
    url: str
    status: Status
    since: int
    message: str
    regions: Mapping[str, tuple[str, int | None]]


def rows(servers: Sequence[Server], states: Mapping[str, ServerState]) -> list[Row]:
    """One row per server, in the order given; one not judged yet is pending."""
    out = []
    for server in servers:
        state = states.get(server.slug) or ServerState(server.slug)
        status = Status.PAUSED if server.paused else state.status
        message = ""
        if state.failure is not None and (status.failing or status is Status.DEGRADED):
            message = state.failure.message or (state.failure.reason or "")
        cells = {view.region: (str(view.status), view.latency_ms) for view in state.regions}
        out.append(Row(server.slug, server.title, server.url, status, state.since, message, cells))
    return out


def exit_code(shown: Sequence[Row]) -> int:
    """0 where all is well, 3 where a server is degraded, 1 where one fails."""
    if any(row.status.failing for row in shown):
        return EXIT_FAILING
    return EXIT_DEGRADED if any(row.status is Status.DEGRADED for row in shown) else EXIT_OK


def to_json(site: Site, shown: Sequence[Row]) -> dict[str, Any]:
    """The JSON of `lookout status --json`; times are RFC 3339, null where a server was never judged."""
    servers = []
    for row in shown:
        cells = {name: {"status": status, "latency_ms": ms} for name, (status, ms) in row.regions.items()}
        servers.append({**asdict(row), "status": str(row.status), "since": instant(row.since), "regions": cells})
    return {"site": site.name, "home": site.home, "servers": servers}


def instant(moment: int) -> str | None:
    """A unix second as RFC 3339; None for 0."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def ago(moment: int, now: float) -> str:
    """How long since: 40s, 12m, 5h, 3d; empty for never."""
    if not moment:
        return ""
    seconds = max(0, int(now) - moment)
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "m"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{seconds // unit}{name}"
    return f"{seconds // 86_400}d"


def clean(text: str) -> str:
    """A server's own words, without what a terminal would act on."""
    return "".join(c if c.isprintable() else "·" for c in text)


def table(site: Site, shown: Sequence[Row], now: float) -> Table:
    """A table with a column per probing region."""
    out = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False)
    out.add_column("Server", no_wrap=True)
    out.add_column("Status", no_wrap=True)
    for region in site.regions:
        out.add_column(city(region), justify="right", no_wrap=True)
    out.add_column("For", justify="right", no_wrap=True)
    out.add_column("", overflow="ellipsis", no_wrap=True, style="dim")
    for row in shown:
        style = STYLES.get(row.status, "dim")
        mark = MARKS.get(row.status, "○")
        out.add_row(
            Text(row.slug),
            Text(f"{mark} {row.status}", style=style),
            *(_cell(row.regions.get(region)) for region in site.regions),
            ago(row.since, now),
            Text(clean(row.message)),
        )
    return out


def _cell(said: tuple[str, int | None] | None) -> Text:
    if said is None:
        return Text("·", style="dim")
    status, latency_ms = said
    known = Status(status) if status in list(Status) else Status.UNKNOWN
    text = f"{latency_ms} ms" if known.ok and latency_ms is not None else status
    return Text(text, style=STYLES.get(known, "dim"))


def line(row: Row) -> str:
    """One server in one plain line."""
    said = " ".join(
        f"{region}={status}{f'/{ms}ms' if ms is not None else ''}"
        for region, (status, ms) in sorted(row.regions.items())
    )
    return f"{row.slug}: {row.status}{f' ({clean(row.message)})' if row.message else ''} {said}".rstrip()
