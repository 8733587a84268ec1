from __future__ import annotations

import importlib
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner
from lookout import __version__
from lookout.cli.main import COMMANDS, cli
from lookout.errors import ConfigError, LookoutError, Problem


def test_help_lists_every_command_and_imports_none() -> None:
    code = "import sys\nfrom lookout.cli.main import cli\n"
    code += "cli(['--help'], standalone_mode=False)\nprint(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    helped, modules = done.stdout.rsplit("\n", 2)[0], done.stdout.rsplit("\n", 2)[1]
    assert all(f"  {name}" in helped for name in COMMANDS)
    assert not [m for m in ("boto3", "httpx", "pynamodb", "rich", "aws_cdk") if f"'{m}'" in modules]


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_is_there_and_helps(name: str) -> None:
    result = CliRunner().invoke(cli, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert result.output.startswith(f"Usage: cli {name}")


def test_the_version() -> None:
    assert CliRunner().invoke(cli, ["--version"]).output == f"lookout {__version__}\n"


def test_an_unknown_command_is_a_usage_error() -> None:
    result = CliRunner().invoke(cli, ["probes"])
    assert result.exit_code == 2
    assert "No such command" in result.stderr


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (LookoutError("it is so"), "lookout: it is so\n"),
        (ConfigError([Problem("lookout.yaml", 3, 5, "url", "no")]), "lookout: lookout.yaml:3:5: url: no\n"),
    ],
)
def test_our_errors_are_messages_not_tracebacks(
    error: LookoutError, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    @click.command()
    def status() -> None:
        raise error

    monkeypatch.setattr(importlib.import_module("lookout.cli.status_cmd"), "status", status)
    result = CliRunner().invoke(cli, ["status"])
    assert (result.exit_code, result.stderr, result.stdout) == (2, said, "")
