"""`lookout diff A [B]`: what changed between two surfaces, each a server's address or a saved file. No AWS.

What a server says reaches the terminal through `quote`: printable, on one line, without escapes.
"""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import click
from rich.console import Console
from rich.text import Text

from lookout.cli.asking import credential_of, require_url
from lookout.config.model import Server
from lookout.errors import FormatError
from lookout.probe.client import probe_server
from lookout.probe.credential import ANONYMOUS, Credential
from lookout.probe.quoting import quote
from lookout.probe.result import Era, ProbeResult
from lookout.surface.changes import Class, change
from lookout.surface.diff import Drift, diff
from lookout.surface.items import KINDS
from lookout.surface.model import TOO_MUCH, Surface

FILE_LIMIT: Final = 32 * 1024 * 1024
"""Bytes of a saved file: indented, a surface takes several times its own size."""
COLOURS: Final = {
    Class.BREAKING: "bold red",
    Class.RISKY: "yellow",
    Class.UNKNOWN: "magenta",
    Class.ADDITIVE: "green",
    Class.COSMETIC: "blue",
}
LISTS: Final = ("resources", "resource_templates", "prompts")


class UnreadableError(click.ClickException):
    """A surface cannot be had: said on stderr, exit code 2."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        """Print the message."""
        click.echo(f"lookout: {self.format_message()}", err=True, file=file)


def _is_url(place: str) -> bool:
    return place.startswith(("http://", "https://"))


def _from_file(place: str) -> Surface:
    try:
        with Path(place).open("rb") as file:
            data = file.read(FILE_LIMIT + 1)
    except OSError as error:
        raise UnreadableError(f"{place}: {error.strerror}") from error
    if len(data) > FILE_LIMIT:
        raise UnreadableError(f"{place}: more than {FILE_LIMIT >> 20} MiB")
    try:
        return Surface.from_json(json.loads(data))
    except FormatError as error:
        raise UnreadableError(f"{place}: {error}") from error
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"{place}: not JSON") from error


def _from_server(
    url: str, credential: Credential, timeout_s: float, era: str | None, lists: tuple[str, ...]
) -> Surface:
    server = Server("here", url, timeout_s=round(timeout_s), allow_private=True, lists=lists)

    async def once() -> ProbeResult:
        return await probe_server(
            server,
            credential=credential,
            deadline=asyncio.get_running_loop().time() + timeout_s + 1,
            now_ms=lambda: time.time_ns() // 1_000_000,
            known_era=Era(era) if era else None,
            forced=era is not None,
        )

    result = asyncio.run(once())
    if result.surface is not None:
        return result.surface
    if result.tools_count is not None and result.tools_hash is None:
        raise UnreadableError(f"{url}: {TOO_MUCH}")
    why = f"{result.reason.value}: {result.message}" if result.reason else "no tools were listed"
    raise UnreadableError(f"{url}: {result.status.value}: {quote(why)}")


def save(surface: Surface, path: Path) -> None:
    """Write a surface so that its own diff reads well: indented, sorted. Raises UnreadableError."""
    try:
        path.write_text(json.dumps(surface.to_json(), indent=2, ensure_ascii=True) + "\n", encoding="utf-8")
    except OSError as error:
        raise UnreadableError(f"{path}: {error.strerror}") from error


def _facts(surface: Surface) -> str:
    counts = [
        f"{len(items)} {kind.member.replace('_', ' ')}" for kind in KINDS if (items := surface.items(kind)) is not None
    ]
    name = quote(f"{surface.server_name or ''} {surface.server_version or ''}", 100) or "a server"
    asked = " ".join(quote(part, 40) for part in (surface.era, surface.protocol_version) if part)
    return f"{name}: {', '.join(counts)}, surface {surface.hashes.full[:12]}{f' ({asked})' if asked else ''}"


def show(old: Surface, new: Surface, found: Drift, console: Console) -> None:
    """For a person. Rich prints Text as it is, and no text of a server's is anything else."""

    def line(cls: Class, *parts: str) -> None:
        console.print(Text.assemble((f"  {cls.value:<9}", COLOURS[cls]), *parts), soft_wrap=True)

    console.print(Text(f"A  {_facts(old)}"), soft_wrap=True)
    console.print(Text(f"B  {_facts(new)}"), soft_wrap=True)
    if (old.era, old.protocol_version) != (new.era, new.protocol_version) and None not in (old.era, new.era):
        console.print(Text("Asked in another era or version: some servers show other tools then.", "yellow"))
    if found.empty:
        console.print(Text("No change.", "green"))
        return
    console.print(Text(found.cls.value.upper(), COLOURS[found.cls]))
    for sign, verb, names in (("-", "removed", found.removed), ("+", "added", found.added)):
        for name in names:
            kind = name.split(":")[0] if name.split(":")[0] in {k.name for k in KINDS} and ":" in name else "tool"
            line(change("", f"{kind}_{verb}").cls, f"{sign} {quote(name, 120)}")
    for one in found.changed:
        console.print(Text(f"  {'':<9}~ {quote(one.item, 120)}"), soft_wrap=True)
        for c in one.changes:
            detail = f"  {quote(c.detail, 120)}" if c.detail else ""
            line(c.cls, f"    {c.kind}  {quote(c.path, 200)}{detail}")


@click.command("diff")
@click.argument("a")
@click.argument("b", required=False)
@click.option("--json", "json_", is_flag=True, help="Print one JSON object: the `drift` of a webhook.")
@click.option(
    "--fail-on",
    type=click.Choice([each.value for each in Class]),
    default=Class.BREAKING.value,
    show_default=True,
    help="The least bad class of change that exits 1.",
)
@click.option(
    "--save", "save_to", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Save B (A without B)."
)
@click.option(
    "--list", "lists", multiple=True, type=click.Choice(LISTS), help="Ask for this list too; may be repeated."
)
@click.option("--header", "headers", multiple=True, metavar="'K: V'", help="Send this header too; may be repeated.")
@click.option("--bearer-env", metavar="NAME", help="Send the bearer token this environment variable holds.")
@click.option("--timeout", type=click.FloatRange(1, 120), default=20.0, show_default=True, metavar="S", help="Seconds.")
@click.option("--era", type=click.Choice([each.value for each in Era]), help="Speak this era and no other.")
def diff_(
    a: str,
    b: str | None,
    json_: bool,
    fail_on: str,
    save_to: Path | None,
    lists: tuple[str, ...],
    headers: tuple[str, ...],
    bearer_env: str | None,
    timeout: float,
    era: str | None,
) -> None:
    """Compare what two MCP servers offer, or one server with what it offered before.

    A and B are each a server's address or a file that --save wrote (or the result of a tools/list). With A and --save
    alone, A is saved. Exit status: 0 nothing of the class --fail-on or worse, 1 something, 2 a surface cannot be had.
    """
    if b is None and save_to is None:
        raise click.UsageError("nothing to compare A with: give B, or --save FILE to keep A for later")
    credential = credential_of(headers, bearer_env)
    places = [place for place in (a, b) if place is not None]
    hosts = {urlsplit(require_url(place)).netloc for place in places if _is_url(place)}
    if credential.configured and len(hosts) > 1:
        raise click.UsageError(
            "a credential goes to one host only: save one of the two first (--save), and compare that"
        )

    def load(place: str) -> Surface:
        sent = credential if credential.configured else ANONYMOUS
        return _from_server(place, sent, timeout, era, lists) if _is_url(place) else _from_file(place)

    surfaces = [load(place) for place in places]
    if save_to is not None:
        save(surfaces[-1], save_to)
    if b is None:
        click.echo(json.dumps(surfaces[0].to_json(), indent=2) if json_ else _facts(surfaces[0]))
        return
    old, new = surfaces
    found = diff(old, new)
    if json_:
        click.echo(json.dumps(found.to_json(), indent=2))
    else:
        show(old, new, found, Console(highlight=False))
    failed = not found.empty and found.cls.rank <= Class(fail_on).rank
    raise SystemExit(1 if failed else 0)
