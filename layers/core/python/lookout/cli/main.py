"""The `lookout` command: which commands there are, and how its errors look.

A command's module is imported when that command is run, so `lookout --help` and `lookout probe` stay quick.
"""

from __future__ import annotations

import importlib
from typing import Any, Final, cast

import click

from lookout import __version__
from lookout.errors import LookoutError

COMMANDS: Final = {
    "probe": ("lookout.cli.probe_cmd:probe", "Probe one MCP server now, from this machine, and explain the result."),
    "diff": (
        "lookout.cli.diff_cmd:diff_",
        "What changed between two surfaces: a server's address or a saved file each.",
    ),
    "check": ("lookout.cli.check_cmd:check", "Check lookout.yaml: what is wrong, in which line, and how to mend it."),
    "status": ("lookout.cli.status_cmd:status", "How the watched servers are, as Lookout judged them."),
    "history": ("lookout.cli.history_cmd:history", "Uptime, coverage and latency of one server, up to 90 days back."),
    "maintenance": (
        "lookout.cli.maintenance_cmd:maintenance",
        "Windows in which nobody is told of failures: make one, list them, end one.",
    ),
    "export": ("lookout.cli.export_cmd:export_", "Write everything Lookout knows into a file, as JSON Lines."),
    "import": ("lookout.cli.export_cmd:import_", "Put such a file into the Lookout that is deployed here."),
    "incidents": (
        "lookout.cli.incidents_cmd:incidents",
        "What went wrong: list it, look into it, take it in hand, write about it.",
    ),
    "notices": (
        "lookout.cli.notices_cmd:notices",
        "What people were told, and whether it arrived: list it, look into it, send again what did not.",
    ),
    "notify": ("lookout.cli.notify_cmd:notify", "See what sinks are sent, and try them with a sample."),
    "deploy": ("lookout.cli.deploy_cmd:deploy", "Deploy lookout.yaml to your AWS account."),
    "destroy": ("lookout.cli.deploy_cmd:destroy", "Remove Lookout from your AWS account."),
    "local": ("lookout.cli.local_cmd:local", "Run everything on this machine, without an AWS account."),
}
"""Each command: where it is, and the line `--help` shows for it."""


class Failure(click.ClickException):
    """A LookoutError on its way to the user: its message on stderr, exit code 2."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        """Print the message."""
        click.echo(f"lookout: {self.format_message()}", err=True, file=file)


class LazyGroup(click.Group):
    """A group that knows its commands' names and short help without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- as click calls it
        """Names, in the order of COMMANDS."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- as click calls it
        """Import the command's module."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name][0].split(":")
        return cast("click.Command", getattr(importlib.import_module(module), name))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 -- as click calls it
        """The commands' section of `--help`, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run; turn our own errors into messages."""
        try:
            return super().invoke(ctx)
        except LookoutError as error:
            raise Failure(str(error)) from error


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, "--version", message="lookout %(version)s")
def cli() -> None:
    """Lookout watches MCP servers from the outside: from several regions, every minute, with a real exchange."""


def main() -> None:
    """Entry point of the `lookout` script."""
    cli()
