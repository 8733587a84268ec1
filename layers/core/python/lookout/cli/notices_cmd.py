"""`lookout notices`: what people were told, whether it arrived, and what did not, again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from lookout.cli.options import home_options, json_option
from lookout.cli.status_cmd import home_of
from lookout.cli.tables import open_tables
from lookout.errors import LookoutError

if TYPE_CHECKING:
    from lookout.jobs.notices import Replay
    from lookout.store import Store
    from lookout.verdict.case import Notice

F = TypeVar("F", bound=Callable[..., Any])


@click.group()
def notices() -> None:
    """What people were told, and whether it arrived: list it, look into it, send again what did not."""


@notices.command("list")
@click.option("--open", "only_open", is_flag=True, help="Those alone that a sink is still to get.")
@click.option("--failed", "only_failed", is_flag=True, help="Those alone that did not reach a sink.")
@json_option
@home_options
def list_(home: str | None, config: Path, *, only_open: bool, only_failed: bool, as_json: bool) -> None:
    """List the newest 50 notices, newest first; with --open or --failed, those among the newest 1000."""
    from lookout.cli import notices_view
    from lookout.jobs import notices as letters

    wanted = {*(letters.OPEN if only_open else ()), *(letters.FAILED if only_failed else ())}
    with open_tables(home_of(home, config)) as (store, _, _):
        found = letters.listed(store, int(time.time()), wanted or None)
    if as_json:
        click.echo(json.dumps({"notices": [notices_view.letter_json(one) for one in found]}, indent=2))
    else:
        click.echo(notices_view.table(found), nl=False)


@notices.command()
@click.argument("id_", metavar="ID")
@json_option
@home_options
def show(id_: str, home: str | None, config: Path, *, as_json: bool) -> None:
    """Show the notice ID (or the only one whose id begins so): attempts and last answer of each of its sinks."""
    from lookout.cli import notices_view
    from lookout.jobs import notices as letters

    with open_tables(home_of(home, config)) as (store, _, _):
        found = letters.find(store, id_, int(time.time()))
    if as_json:
        click.echo(json.dumps(notices_view.letter_json(found), indent=2))
    else:
        click.echo(notices_view.letter_text(found), nl=False)


@notices.command()
@click.argument("id_", metavar="ID", required=False)
@click.option("--failed", "all_failed", is_flag=True, help="All that did not arrive, of the newest 1000.")
@click.option("--sink", metavar="NAME", help="To this sink alone.")
@json_option
@home_options
def replay(
    id_: str | None, sink: str | None, home: str | None, config: Path, *, all_failed: bool, as_json: bool
) -> None:
    """Send the notice ID again, or all that --failed, to the sinks they did not reach: with the same webhook-id."""
    from lookout.cli import notices_view
    from lookout.jobs import notices as letters

    if (id_ is None) != all_failed:
        raise click.UsageError("give the ID of a notice, or --failed for all that did not arrive")
    now, where = int(time.time()), home_of(home, config)
    with open_tables(where) as (store, site, _):
        chosen = letters.listed(store, now, letters.FAILED) if id_ is None else [letters.find(store, id_, now)]
        done = letters.replay(store, site, chosen, sink, now, _resend(where, now)) if chosen else []
        _clear(store, done, where)
    if as_json:
        click.echo(json.dumps({"replayed": [notices_view.replay_json(one) for one in done]}, indent=2))
    else:
        click.echo(notices_view.replay_text(done) or "every notice arrived\n", nl=False)
    if id_ is not None and done and all(one.why for one in done):
        raise LookoutError("nothing was sent")


def _resend(home: str, now: int) -> Callable[[Notice, str], None]:
    from lookout import settings
    from lookout.notify.dispatcher import group
    from lookout.store import aws, deadletters

    url = deadletters.queue_url(settings.DELIVERIES_QUEUE, home)
    return lambda notice, sink: aws.send_delivery(url, home, notice.id, sink, group(notice, sink), str(now))


def _clear(store: Store, done: list[Replay], home: str) -> None:
    """No dead letter is kept of what was looked at here, and of what has arrived since: the alarm is for the others."""
    from lookout import settings
    from lookout.store import deadletters

    seen = {(one.notice.id, one.sink) for one in done}

    def over(notice_id: str, sink: str) -> bool:
        if (notice_id, sink) in seen or store.notice(notice_id) is None:
            return True
        found = store.delivery(notice_id, sink)
        return found is not None and found.result == "delivered"

    deadletters.clear(deadletters.queue_url(settings.DELIVERIES_DLQ, home), home, over)
