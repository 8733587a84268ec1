"""`lookout maintenance`: windows made by hand, beside those of lookout.yaml, with the caller's own credentials."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, NoReturn

import click

from lookout.cli import maintenance_view as view
from lookout.cli.options import home_options, json_option
from lookout.cli.status_cmd import home_of
from lookout.cli.tables import open_tables
from lookout.errors import ConflictError, LookoutError


@click.group()
def maintenance() -> None:
    """Windows in which nobody is told of failures: make one, list them, end one."""


@maintenance.command()
@click.option("--server", "servers", metavar="SLUG", multiple=True, help="Of this server; may be given again.")
@click.option("--tag", "tags", metavar="TAG", multiple=True, help="Of every server with this tag; may be given again.")
@click.option("--all", "everybody", is_flag=True, help="Of every server.")
@click.option("--from", "from", metavar="TIME", help="When it begins, local or with Z or an offset. Default: now.")
@click.option("--until", metavar="TIME", help="When it is over, at most 31 days later.")
@click.option("--for", "for", metavar="DURATION", help="How long it lasts, instead of --until: 90m, 2h, 1d.")
@click.option("--rrule", metavar="RULE", help="It comes again: a recurrence rule of RFC 5545.")
@click.option("--start", metavar="TIME", help="With --rrule: none before, and what INTERVAL and COUNT count from.")
@click.option("--duration", metavar="DURATION", help="With --rrule: how long each lasts.")
@click.option("--timezone", metavar="ZONE", help="The time zone it counts in. Default: the site's.")
@click.option(
    "--uptime",
    type=click.Choice(["exclude", "count_up", "count_as_is"]),
    default="exclude",
    show_default=True,
    help="How its rounds count: not at all, as up, or as what was seen.",
)
@click.option("--reason", default="", metavar="TEXT", help="Why; shown on the status page.")
@home_options
@json_option
def add(home: str | None, config: Path, *, everybody: bool, as_json: bool, **said: Any) -> None:
    """Make a window: once (--until or --for), or again and again (--rrule and --duration)."""
    from lookout.cli.declaring import window_of
    from lookout.config.window import MOST_WINDOWS

    if everybody is bool(said["servers"] or said["tags"]):
        raise LookoutError("say whom it is of: --server SLUG, --tag TAG, or --all alone")
    now = int(time.time())
    with open_tables(home_of(home, config)) as (store, site, servers):
        window, problems = window_of(said, servers, site.timezone, now)
        if window is None:
            raise LookoutError("\n".join(problems))
        if len(store.maintenance(now, now)) >= MOST_WINDOWS:
            raise LookoutError(f"there are {MOST_WINDOWS} windows that are not over: end one first")
        try:
            store.add_window(window)
        except ConflictError:
            raise LookoutError(f"that window is there already: {window.id}") from None
        shown = view.row(window, site.timezone, now)
    click.echo(json.dumps(view.to_json(shown), indent=2) if as_json else view.sentence(shown))


@maintenance.command("list")
@home_options
@json_option
def list_(home: str | None, config: Path, *, as_json: bool) -> None:
    """Show the windows that are not over: those of lookout.yaml and those made by hand."""
    now = int(time.time())
    with open_tables(home_of(home, config)) as (store, site, _):
        windows = [*site.maintenance, *store.maintenance(now, now)]
        shown = view.rows(windows, site.timezone, now)
    if as_json:
        click.echo(json.dumps([view.to_json(row) for row in shown], indent=2))
    else:
        click.echo("\n".join(view.line(row) for row in shown) or "no window is running or to come")


@maintenance.command()
@click.argument("window_id", metavar="ID")
@home_options
def end(window_id: str, home: str | None, config: Path) -> None:
    """End the window ID: one that runs ends with this minute and is kept; one that never began is removed."""
    from lookout.verdict.maintenance import ended

    now = int(time.time())
    with open_tables(home_of(home, config)) as (store, site, _):
        by_hand = {window.id: window for window in store.maintenance(now, now)}
        window = by_hand.get(window_id)
        if window is None:
            _no_such(window_id, [one.id for one in site.maintenance], list(by_hand))
        after = ended(window, now)
        try:
            store.change_window(window, after)
        except ConflictError:
            raise LookoutError(f"{window_id} was changed by another just now: see `lookout maintenance list`") from None
    if after is None:
        click.echo(f"{window_id} is removed: it had not begun")
    else:
        click.echo(f"{window_id} ends at {view.clock(after.ended_at or now, site.timezone)}")


def _no_such(window_id: str, of_file: list[str], by_hand: list[str]) -> NoReturn:
    if window_id in of_file:
        raise LookoutError(f"{window_id} is of lookout.yaml: shorten or remove it there, and `lookout deploy`")
    raise LookoutError(f"there is no window {window_id} that is not over; there is {', '.join(by_hand) or 'none'}")
