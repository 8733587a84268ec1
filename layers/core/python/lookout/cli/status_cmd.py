"""`lookout status`: what the judge last decided, read with the caller's own credentials."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import click
from rich.console import Console

from lookout.cli import board
from lookout.cli.options import home_options, json_option
from lookout.errors import LocalError, LookoutError


def home_of(home: str | None, config: Path) -> str:
    """The home region: as given, else from the configuration file. Raises LookoutError where neither says."""
    if home:
        return home
    if not config.exists():
        raise LocalError(f"there is no {config} here: say which region Lookout lives in with --home")
    from lookout.config.load import load_config

    return load_config(config).site.home


@click.command()
@click.argument("slug", required=False)
@home_options
@json_option
def status(slug: str | None, home: str | None, config: Path, *, as_json: bool) -> None:
    """Show how the watched servers (or one of them, SLUG) are.

    Exit code: 0 all well, 3 a server degraded, 1 a server failing, 2 this command could not tell.
    """
    sys.exit(show(home_of(home, config), slug, as_json=as_json))


def show(home: str, slug: str | None, *, as_json: bool) -> int:
    """Print the state of the servers whose home region is `home`; the exit code."""
    from botocore.exceptions import BotoCoreError, ClientError
    from pynamodb.exceptions import PynamoDBException

    from lookout.store import Store

    try:
        store = Store(home)
        site, servers = store.roster()
        states = store.server_states()
    except (BotoCoreError, ClientError, PynamoDBException) as error:
        raise LookoutError(f"Lookout's tables in {home} cannot be read: {error}") from error
    if site is None:
        raise LookoutError(f"no Lookout is deployed in {home}: run `make deploy` (or `make up`) first")
    shown = board.rows([s for s in servers if slug in (None, s.slug)], states)
    if slug is not None and not shown:
        raise LookoutError(f"no server {slug!r}; there are: {', '.join(s.slug for s in servers)}")
    if as_json:
        click.echo(json.dumps(board.to_json(site, shown), indent=2))
    elif sys.stdout.isatty():
        Console().print(board.table(site, shown, time.time()))
    else:
        for row in shown:
            click.echo(board.line(row))
    return board.exit_code(shown)
