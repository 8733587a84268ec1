"""`lookout incidents`: what went wrong with the watched servers, and what people say to it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from lookout.cli.options import home_options, json_option
from lookout.cli.status_cmd import home_of
from lookout.cli.tables import aws_errors, open_tables
from lookout.errors import LookoutError

if TYPE_CHECKING:
    from lookout.config.model import Server

KINDS: Final = ("availability", "regional", "latency", "limited", "certificate", "credential", "drift")
F = TypeVar("F", bound=Callable[..., Any])


def _of_server(command: F) -> F:
    """`--server`, where an id is given."""
    return click.option("--server", metavar="SLUG", help="The server it is of: also one that is watched no longer.")(
        command
    )


def _by(command: F) -> F:
    return click.option("--by", metavar="NAME", help="Who you are. Default: the name of your AWS identity.")(command)


@click.group()
def incidents() -> None:
    """What went wrong with the watched servers: list it, look into it, take it in hand, write about it."""


@incidents.command("list")
@click.option("--open", "open_only", is_flag=True, help="Those alone that are not over.")
@click.option("--server", metavar="SLUG", help="Of this server alone: also of one that is watched no longer.")
@click.option("--kind", type=click.Choice(KINDS), help="Of this kind alone.")
@json_option
@home_options
def list_(
    server: str | None, kind: str | None, home: str | None, config: Path, *, open_only: bool, as_json: bool
) -> None:
    """List incidents: open ones first, then the newest 20 of each server, newest first."""
    from lookout.cli import incidents_view
    from lookout.jobs import incidents as cases

    now = int(time.time())
    with open_tables(home_of(home, config)) as (store, _, servers):
        found = cases.listed(store, servers, slug=server, kind=kind, open_only=open_only)
    if server is not None and not found and server not in {one.slug for one in servers}:
        raise LookoutError(f"no server {server!r}; there are: {', '.join(one.slug for one in servers) or 'none'}")
    if as_json:
        click.echo(json.dumps({"incidents": [incidents_view.incident_json(one) for one in found]}, indent=2))
    else:
        click.echo(incidents_view.table(found, now), nl=False)


@incidents.command()
@click.argument("id_", metavar="ID")
@_of_server
@json_option
@home_options
def show(id_: str, server: str | None, home: str | None, config: Path, *, as_json: bool) -> None:
    """Show the incident ID (or the only one whose id begins so): timeline, first failure, notices and deliveries."""
    from lookout.cli import incidents_view
    from lookout.jobs import incidents as cases

    now = int(time.time())
    with open_tables(home_of(home, config)) as (store, _, servers):
        case = cases.show(store, cases.find(store, _slugs(server, servers), id_), now)
    if as_json:
        click.echo(json.dumps(incidents_view.case_json(case), indent=2))
    else:
        click.echo(incidents_view.case_text(case, now), nl=False)


@incidents.command()
@click.argument("id_", metavar="ID")
@_by
@click.option("--note", default="", metavar="TEXT", help="Say what you know, for everybody: it is on the page.")
@click.option("--private", is_flag=True, help="The note is for those alone who may read the tables.")
@_of_server
@home_options
def ack(
    id_: str, by: str | None, note: str, server: str | None, home: str | None, config: Path, *, private: bool
) -> None:
    """Acknowledge the open incident ID: it is in hand. A change of tools is accepted by that, and so resolved."""
    from lookout.cli import person
    from lookout.jobs import incidents as cases

    now, where = int(time.time()), home_of(home, config)
    text = person.note(note) if note else ""
    with open_tables(where) as (store, site, servers):
        found = cases.find(store, _slugs(server, servers), id_)
        name = _name(by, where)
        after, notice = cases.take(store, site, servers, found, now, name, text, public=not private)
    told = f"told to {', '.join(notice.sinks)}" if notice.sinks else "it has no sinks to tell"
    if notice.held:
        told = "it is in a mass failure, whose digest speaks for it"
    done = "accepted and resolved" if after.resolved_at is not None else "acknowledged"
    click.echo(f"{after.id} ({after.slug}, {after.kind}) {done} by {name}; {told}")


@incidents.command()
@click.argument("id_", metavar="ID")
@click.argument("text")
@_by
@click.option("--private", is_flag=True, help="For those alone who may read the tables; else it is on the page.")
@_of_server
@home_options
def note(
    id_: str, text: str, by: str | None, server: str | None, home: str | None, config: Path, *, private: bool
) -> None:
    """Add TEXT to the timeline of the incident ID, open or over. Nobody is told."""
    from lookout.cli import person
    from lookout.jobs import incidents as cases

    now, where = int(time.time()), home_of(home, config)
    written = person.note(text)
    with open_tables(where) as (store, _, servers):
        found = cases.find(store, _slugs(server, servers), id_)
        after = cases.note(store, found, now, _name(by, where), written, public=not private)
    who = "for whoever may read the tables" if private or not after.public else "public: it is on the incident's page"
    click.echo(f"{after.id} ({after.slug}, {after.kind}): the note is {who}")


def _slugs(server: str | None, servers: list[Server]) -> list[str]:
    return [server] if server is not None else [one.slug for one in servers]


def _name(by: str | None, home: str) -> str:
    from lookout.cli import person

    if by is not None:
        return person.name(by)
    from lookout.store.aws import caller_arn

    with aws_errors(home):
        return person.name(person.of_arn(caller_arn(home)))
