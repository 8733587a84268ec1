"""`lookout export` and `lookout import`: everything into a file, and a file into a Lookout."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TextIO

import click

from lookout.cli.options import home_options
from lookout.cli.status_cmd import home_of
from lookout.cli.tables import open_tables
from lookout.errors import LookoutError


@click.command("export")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@home_options
def export_(file: Path | None, home: str | None, config: Path) -> None:
    """Write everything Lookout knows into FILE (or to the standard output), as JSON Lines.

    Private servers are in it, so FILE is made for you alone to read. It holds no secret, only references to them.
    """
    region = home_of(home, config)
    if file is None:
        _export(region, sys.stdout)
        return
    part = file.with_name(f"{file.name}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as out:
            _export(region, out)
        part.replace(file)
    except OSError as error:
        raise LookoutError(f"{file} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def _export(home: str, out: TextIO) -> None:
    from lookout.jobs import moving
    from lookout.store.portable import Portable

    count = 0
    with open_tables(home):
        for text in moving.export(Portable(home), int(time.time())):
            out.write(text)
            count += 1
    click.echo(f"{count - 2:,} items written", err=True)


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--replace", is_flag=True, help="Let the file win where something else is stored.")
@home_options
def import_(file: Path, home: str | None, config: Path, *, replace: bool) -> None:
    """Put FILE, which `lookout export` wrote, into the Lookout that is deployed here.

    Nothing is written where the file is not whole, or where something else is stored under one of its keys. To repeat
    an import does no harm. Nobody is told anything: notices are not part of an export.
    """
    from lookout.jobs import moving
    from lookout.store.portable import Portable

    region = home_of(home, config)
    with open_tables(region) as (store, _, _):
        done = moving.import_file(Portable(region), store, file, int(time.time()), replace=replace)
    said = {"added": done.added, "replaced": done.replaced, "were there": done.same, "had expired": done.expired}
    click.echo(", ".join(f"{count:,} {what}" for what, count in said.items()))
