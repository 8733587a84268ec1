"""`lookout notify`: see what a sink would be sent, and send it a sample, with the caller's own credentials."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from lookout.cli.options import config_option
from lookout.errors import LookoutError
from lookout.notify.samples import TYPES

if TYPE_CHECKING:
    from lookout.config.model import Config, Sink
    from lookout.notify.retry import Answer
    from lookout.verdict.case import Notice

SITE_URL: Final = "https://status.example.com"
"""Where the links of a preview lead; a sample that is sent has none."""
_CONFIG = config_option("The file that has the sinks.")
_TYPE = click.option(
    "--type",
    "-t",
    "notice_type",
    type=click.Choice(list(TYPES)),
    default="incident.opened",
    show_default=True,
    help="The type of notice.",
)


@click.group()
def notify() -> None:
    """See what sinks are sent, and try them with a sample."""


@notify.command()
@click.argument("sink", required=False)
@_TYPE
@_CONFIG
def preview(sink: str | None, notice_type: str, config: Path) -> None:
    """Show what SINK, or every sink, would be sent. Nothing is sent, and no secret is read."""
    from lookout.config.load import load_config
    from lookout.notify.preview import preview as shown
    from lookout.notify.samples import sample

    loaded = load_config(config)
    sinks = loaded.site.sinks if sink is None else (_sink(loaded, sink),)
    if not sinks:
        raise LookoutError(f"{config} has no sinks: docs/notifications.md has an example of each")
    now = int(time.time())
    notice = sample(notice_type, now)
    parts = [f"# {one.name} ({one.kind})\n{shown(notice, one, SITE_URL, now)}" for one in sinks]
    click.echo("\n\n".join(parts))


@notify.command()
@click.argument("sink")
@_TYPE
@_CONFIG
def test(sink: str, notice_type: str, config: Path) -> None:
    """Send SINK a sample now, from this machine, and print the answer. Needs AWS credentials that may read its secrets.

    A sample of an incident's end (incident.resolved) closes what one of its beginning opened.
    """
    from lookout.config.load import load_config
    from lookout.notify.samples import sample

    loaded = load_config(config)
    chosen = _sink(loaded, sink)
    answer = _sent(loaded, chosen, sample(notice_type, int(time.time()), public=False))
    if not answer.delivered:
        raise LookoutError(f"{sink} was not told: {answer}")
    click.echo(f"{sink} ({chosen.kind}) took the {notice_type}: {answer}")


def _sink(config: Config, name: str) -> Sink:
    from lookout.config.structure import suggestion

    found = config.site.sink(name)
    if found is None:
        raise LookoutError(f"{name} is not under sinks; {suggestion(name, [one.name for one in config.site.sinks])}")
    return found


def _sent(config: Config, sink: Sink, notice: Notice) -> Answer:
    """One attempt, of as many steps as its kind takes. Nothing is remembered. Raises SecretError."""
    from lookout.credentials.secrets import Secrets
    from lookout.notify.deliver import deliver
    from lookout.notify.dispatcher import target_of
    from lookout.notify.render import Dialog, Memory
    from lookout.notify.request import HttpRequest
    from lookout.notify.retry import Answer
    from lookout.store import aws
    from lookout.store.messages import deliver_to_aws

    home = config.site.home
    stores = {
        "secret": lambda name: aws.secret_value(home, name),
        "ssm": lambda name: aws.parameter_value(home, name),
    }
    target = target_of(sink, Secrets(stores, time.monotonic).resolve)
    dialog, taken = Dialog(notice, target, SITE_URL, int(time.time())), 0
    answer = Answer(None, "there was nothing to send")
    known: Memory | None = None
    while (request := dialog.step(known, taken)) is not None:
        if isinstance(request, HttpRequest):
            answer = deliver(request, sink.allow_private)
        else:
            answer = deliver_to_aws(request, home)
        answer, known = dialog.learn(known, answer)
        taken += 1
        if not answer.delivered:
            break
    return answer
