"""`lookout check`: what lookout.yaml would watch, or every problem in it. It reads one file and calls nobody."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from lookout.config.model import Config, Server, Sink
from lookout.errors import ConfigError

EXIT_WRONG = 2
_CREDENTIALS = {"bearer": "bearer", "oauth": "OAuth", "client_certificate": "client certificate"}


@click.command()
@click.argument("path", type=click.Path(path_type=Path), default=Path("lookout.yaml"))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(path: Path, *, as_json: bool) -> None:
    """Check the configuration file PATH (lookout.yaml): say what it watches, or what is wrong and how to mend it.

    Exit code: 0 it can be deployed, 2 it cannot.
    """
    from lookout.config.load import load_config, remarks

    try:
        config = load_config(path)
    except ConfigError as error:
        _show_problems(error, as_json=as_json)
        sys.exit(EXIT_WRONG)
    said = remarks(config)
    if as_json:
        names = {"secrets": names_of(config, "secret"), "parameters": names_of(config, "ssm")}
        click.echo(json.dumps({"ok": True, **config.to_json(), **names, "remarks": said}, indent=2))
        return
    _show(config)
    for remark in said:
        click.echo(f"note: {remark}")


def names_of(config: Config, store: str) -> list[str]:
    """Names of the secrets (`secret`) or parameters (`ssm`) a configuration refers to, sorted and once."""
    from lookout.config.references import references

    values = ([server.auth for server in config.servers], config.site.addresses)
    return sorted({reference.name for reference in references(values) if reference.store == store})


def _show_problems(error: ConfigError, *, as_json: bool) -> None:
    if as_json:
        problems = [
            {"file": p.file, "line": p.line, "column": p.column, "key": p.key, "message": p.message}
            for p in error.problems
        ]
        click.echo(json.dumps({"ok": False, "problems": problems}, indent=2))
        return
    for problem in error.problems:
        click.echo(str(problem), err=True)
    count = len(error.problems)
    click.echo(f"{count} problem{'s' if count > 1 else ''}. Nothing was changed.", err=True)


def _show(config: Config) -> None:
    from rich.console import Console

    from lookout.cli.board import clean
    from lookout.cli.maintenance_view import declared, whom
    from lookout.config.references import is_reference
    from lookout.regions import city

    site = config.site
    cities = ", ".join(f"{region} ({city(region)})" for region in site.regions)
    click.echo(f"{clean(site.name)}: {_count(len(config.servers), 'server')}, home {site.home}, probed from {cities}")
    Console(width=None if sys.stdout.isatty() else 160, soft_wrap=not sys.stdout.isatty()).print(_table(config.servers))
    for sink in site.sinks:
        signed = f", signed with {' and '.join(sink.signing.split())}" if sink.signing else ""
        told = sum(sink.name in server.notify for server in config.servers)
        click.echo(f"{sink.name} ({sink.kind}) is told of {_count(told, 'server')}: {_where(sink)}{signed}")
    if site.heartbeat is not None:
        where = site.heartbeat.url
        click.echo(f"heartbeat: {f'the address in {where}' if is_reference(where) else where}, each minute all is well")
    if site.alarm_email is not None:
        click.echo(f"alarms of {site.home} and the probing regions: {clean(site.alarm_email)}, once confirmed for each")
    for window in site.maintenance:
        click.echo(f"maintenance of {whom(window)}: {declared(window, site.timezone)}")
    for store, words in (("secret", "Secrets"), ("ssm", "Parameters")):
        if names := names_of(config, store):
            click.echo(f"{words} needed in {site.home}: {', '.join(names)}")


def _where(sink: Sink) -> str:
    """Where its notices go, as far as the file says it."""
    from lookout.config.references import is_reference

    if sink.kind == "email":
        return f"{', '.join(sink.options['to'])}, from {sink.options['from']}"
    held = {"slack_bot": "token", "telegram": "token", "pagerduty": "key", "opsgenie": "key"}.get(sink.kind, "address")
    return f"the {held} in {sink.url}" if is_reference(sink.url) else sink.url


def _table(servers: tuple[Server, ...]) -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from lookout.cli.board import clean

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("Server", "URL", "Every", "Down after", "Credential", "Tells", ""):
        table.add_column(heading, overflow="fold")
    for server in servers:
        flags = [flag for flag, on in _flags(server).items() if on]
        cells = (
            server.slug,
            server.url,
            f"{server.interval_s // 60} min",
            f"{server.down_after} rounds",
            ", ".join(sorted(_credential(server.auth))) or "none",
            ", ".join(server.notify) or "nobody",
            ", ".join(flags),
        )
        table.add_row(*(Text(clean(cell)) for cell in cells))
    return table


def _flags(server: Server) -> dict[str, bool]:
    return {
        "private": not server.public,
        "paused": server.paused,
        "may be at a private address": server.allow_private,
    }


def _credential(auth: Mapping[str, Any]) -> Iterator[str]:
    for key, words in _CREDENTIALS.items():
        if key in auth:
            yield words
    yield from dict(auth.get("headers", {}))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
