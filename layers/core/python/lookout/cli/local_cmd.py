"""`lookout local`: everything on this machine."""

from __future__ import annotations

import json
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import click

from lookout.cli import board
from lookout.cli.local_view import Plain, Terminal, event_line
from lookout.errors import LocalError
from lookout.local import processes
from lookout.local.demo_handle import Demo, running_demo
from lookout.local.demo_servers import FAULTS
from lookout.local.layout import DEMO_SLUGS, Layout, chosen_port, find_root
from lookout.local.ministack import MiniStack, running_ministack

EVERY_S = 2.0
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
a_server = click.argument("slug", type=click.Choice(DEMO_SLUGS), metavar="SLUG")


def _layout() -> Layout:
    return Layout.of(find_root())


@click.group()
def local() -> None:
    """Run everything on this machine: a local AWS, demo MCP servers, the real deployment."""


@local.command()
@click.option("--follow/--no-follow", "follow", default=None, help="Stay and show. Default: if this is a terminal.")
@click.option("--detach", is_flag=True, help="The same as --no-follow.")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(10),
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="Give up after this long.",
)
@click.option("--force", is_flag=True, help="Deploy though nothing changed.")
@click.option("--json", "as_json", is_flag=True, help="Do not stay; print how it stands as JSON, the steps on stderr.")
def up(*, follow: bool | None, detach: bool, timeout_s: float, force: bool, as_json: bool) -> None:
    """Start everything and wait for the first verdicts; then show what is going on, until Ctrl-C.

    Ctrl-C ends every process and keeps the data. With --no-follow, or where the output is not a terminal, the command
    returns when everything is ready, and `lookout local down` ends it.
    """
    from lookout.local.steps import Steps
    from lookout.local.up import describe, last_events
    from lookout.local.up import down as end
    from lookout.local.up import up as start

    layout, terminal = _layout(), sys.stdout.isatty() and not as_json
    stay = False if detach or as_json else terminal if follow is None else follow
    say = partial(click.echo, err=as_json)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    began = time.monotonic()
    interrupted = False
    with Terminal() if terminal else Plain(say) as view:
        try:
            stack = start(layout, chosen_port(), Steps(view.step), timeout_s=timeout_s, force=force)
            view.ready(time.monotonic() - began, stack.urls)
            with stack.ministack.applied():
                _watch(view, stack.layout, stack.ministack, stack.demo, stack.config.site.home, stay=stay)
        except KeyboardInterrupt:
            interrupted = True
    if interrupted:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # an impatient second Ctrl-C would leave processes behind
        say("\nEnding…")
        end(layout)
        say("Everything is ended; the data is kept. Start again: make up")
    elif as_json:
        click.echo(json.dumps({**describe(layout), "events": last_events(layout, 20)}, indent=2))
    elif not stay:
        click.echo("Runs in the background. Show: lookout local status   End: make down")


def _interrupt(number: int, frame: Any) -> None:
    del number, frame
    raise KeyboardInterrupt


def _watch(view: Terminal | Plain, layout: Layout, ministack: MiniStack, demo: Demo, home: str, *, stay: bool) -> None:
    """Show how things are, once or until interrupted."""
    from botocore.exceptions import BotoCoreError, ClientError
    from pynamodb.exceptions import PynamoDBException

    from lookout.store import Store

    while True:
        try:
            store = Store(home)
            site, servers = store.roster()
            if site is not None:
                view.state(site, board.rows(servers, store.server_states()), demo.events())
        except (LocalError, BotoCoreError, ClientError, PynamoDBException):
            if not ministack.ready or running_demo(layout) is None:
                raise LocalError("the local AWS or the demo servers have ended: start them with `make up`") from None
        if not stay:
            return
        time.sleep(EVERY_S)


@local.command()
@click.option("--purge", is_flag=True, help="Also remove the local AWS's data, the demo's secrets, and the logs.")
@as_json
def down(*, purge: bool, as_json: bool) -> None:
    """End every process `up` started. The data is kept."""
    from lookout.local.up import down as end
    from lookout.local.up import purge as remove

    layout = _layout()
    ended = end(layout)
    if purge:
        remove(layout)
    if as_json:
        click.echo(json.dumps({"ended": ended, "purged": purge}))
    else:
        click.echo(f"Ended: {', '.join(ended)}." if ended else "Nothing was running.")


def _demo(layout: Layout) -> Demo:
    found = running_demo(layout)
    if found is None:
        raise LocalError("the demo servers do not run: start them with `make up`")
    return found


@local.command("break")
@a_server
@click.option("--how", type=click.Choice(FAULTS), default="500", show_default=True, help="In which way it fails.")
@as_json
def break_(slug: str, how: str, *, as_json: bool) -> None:
    """Make a demo server fail, to see what happens: HTTP 500, hang, refuse connections, or answer HTML."""
    after = _demo(_layout()).set_fault(slug, how)
    text = f"{slug} fails now ({how}). Three rounds from now it is down. Mend it: lookout local mend {slug}"
    click.echo(json.dumps(after) if as_json else text)


@local.command()
@a_server
@as_json
def mend(slug: str, *, as_json: bool) -> None:
    """Make a broken demo server work again."""
    after = _demo(_layout()).set_fault(slug, None)
    click.echo(json.dumps(after) if as_json else f"{slug} works again. Two rounds from now it is up.")


@local.command()
@as_json
def status(*, as_json: bool) -> None:
    """Which processes run, where to look, and how the demo servers are. Exit codes as of `lookout status`."""
    from lookout.cli.status_cmd import show
    from lookout.local.up import describe, last_events

    layout = _layout()
    ministack = running_ministack(layout)
    found = describe(layout)
    if as_json:
        click.echo(json.dumps({**found, "events": last_events(layout, 20)}, indent=2))
        return
    if ministack is None:
        raise LocalError("nothing runs: start it with `make up`")
    for name, facts in found["running"].items():
        click.echo(f"{name}: process {facts['pid']}, log {facts['log']}")
    for title, url in found["urls"].items():
        click.echo(f"{title}: {url}")
    for event in last_events(layout, 5):
        click.echo(f"notice: {event_line(event)}")
    with ministack.applied():
        sys.exit(show("us-east-1", None, as_json=False))


@local.command()
@click.argument("name", required=False, type=click.Choice(["ministack", "demo", "deploy", "bootstrap"]))
@click.option("--lines", "-n", type=click.IntRange(1), default=40, show_default=True, help="Of each log.")
@as_json
def logs(name: str | None, lines: int, *, as_json: bool) -> None:
    """The end of the logs: the local AWS's (its functions' words are in it), the demo's, the last deployment's."""
    layout = _layout()
    found = sorted(layout.logs.glob(f"{name or '*'}.log"))
    if as_json:
        click.echo(json.dumps({path.stem: processes.tail(path, lines).splitlines() for path in found}, indent=2))
        return
    for path in found:
        click.echo(f"== {_shown(path)}")
        click.echo(processes.tail(path, lines))


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
