"""Options that several commands have, each with the same words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def config_option(help_text: str) -> Callable[[F], F]:
    """`--config`, the lookout.yaml: as `config`."""
    return click.option(
        "--config",
        "-c",
        type=click.Path(path_type=Path),
        default=Path("lookout.yaml"),
        show_default=True,
        help=help_text,
    )


def home_options(command: F) -> F:
    """Where Lookout lives: `--home` and `--config`, for `status_cmd.home_of`."""
    home = click.option("--home", metavar="REGION", help="Home region. Default: the one lookout.yaml names.")
    return home(config_option("Where the home region is read.")(command))


def json_option(command: F) -> F:
    """`--json`: as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)
