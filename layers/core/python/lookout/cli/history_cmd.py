"""`lookout history SLUG`: uptime, coverage and latency of one server, with the caller's credentials."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Final

import click

from lookout.cli.options import home_options, json_option
from lookout.cli.status_cmd import home_of
from lookout.cli.tables import open_tables
from lookout.errors import LookoutError

WINDOWS: Final = ("24h", "7d", "30d", "90d")
"""Those of `lookout.jobs.reading`, which is not imported for `--help`."""
NOTHING_YET: Final = (
    "a server is first judged some minutes after it was deployed, and not at all while it is paused "
    "(`lookout status` says how it is); a longer `--window` may reach further back"
)


@click.command()
@click.argument("slug")
@click.option("--window", type=click.Choice(WINDOWS), default="24h", show_default=True, help="How far back.")
@click.option("--region", metavar="REGION", help="What this region saw, instead of what was judged.")
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print every probe of the window as CSV.")
@home_options
def history(
    slug: str, window: str, region: str | None, home: str | None, config: Path, *, as_json: bool, as_csv: bool
) -> None:
    """Show the history of the server SLUG: by the hour for 24h, by the day for longer windows."""
    if as_json and as_csv:
        raise click.UsageError("--json and --csv are two forms of one output: choose one")
    for text in show(home_of(home, config), slug, window, region, "json" if as_json else "csv" if as_csv else "table"):
        click.echo(text, nl=False)


def show(home: str, slug: str, window: str, region: str | None, form: str) -> Iterator[str]:
    """The output, piece by piece. Raises LookoutError where the tables cannot be read, or hold nothing of that kind."""
    from zoneinfo import ZoneInfo

    from lookout.cli import history_view
    from lookout.jobs import reading

    now = int(time.time())
    with open_tables(home) as (store, site, servers):
        server = next((one for one in servers if one.slug == slug), None)
        if server is None:
            raise LookoutError(f"no server {slug!r}; there are: {', '.join(one.slug for one in servers) or 'none'}")
        if form == "csv":
            probes = reading.each_probe(store, server, window, region, now, ZoneInfo(site.timezone))
            first = next(probes, None)
            if first is not None:
                yield from history_view.to_csv(chain([first], probes))
                return
        told = reading.tell(store, site, server, window, region, now)
        known = sorted({*site.regions, *told.report.regions})
        if region is not None and region not in known:
            raise LookoutError(f"{region} does not probe here; there are: {', '.join(known)}")
        if told.report.first is None or form == "csv":
            who = f" by {region}" if region else ""
            raise LookoutError(f"nothing is known of {slug!r} in the last {window}{who}: {NOTHING_YET}")
    if form == "json":
        yield json.dumps(history_view.to_json(told, server.slo, window, site.timezone), indent=2) + "\n"
    else:
        yield history_view.to_text(told, server.slo, window, site.timezone)
