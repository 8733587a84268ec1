"""`lookout probe URL`: one probe, now, from here. No AWS, no configuration; addresses on this machine are allowed."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Mapping
from typing import Any

import click
from rich.console import Console

from lookout.cli.asking import credential_of, require_url
from lookout.cli.probe_view import Step, as_json, messages, show
from lookout.cli.probe_watch import watch
from lookout.config.model import Server
from lookout.probe.client import probe_server
from lookout.probe.credential import Credential
from lookout.probe.failure import Failure
from lookout.probe.messages import Reply, Request
from lookout.probe.quoting import masked
from lookout.probe.result import Era, ProbeResult, Status
from lookout.probe.rules.past import Past

WATCH_S = 60.0
WATCH_LEAST_S = 5.0


def exit_code(status: Status) -> int:
    """0 up or auth_required, 3 degraded, 1 anything else."""
    return {Status.UP: 0, Status.AUTH_REQUIRED: 0, Status.DEGRADED: 3}.get(status, 1)


def _call(tool: str | None, arguments: str | None) -> Mapping[str, Any] | None:
    if tool is None:
        if arguments is not None:
            raise click.BadParameter("goes with --call", param_hint="--arguments")
        return None
    try:
        value = json.loads(arguments or "{}")
    except ValueError as error:
        raise click.BadParameter(f"is not JSON: {error}", param_hint="--arguments") from None
    if not isinstance(value, dict):
        raise click.BadParameter("must be a JSON object", param_hint="--arguments")
    return {"tool": tool, "arguments": value}


class Prober:
    """Probes one server again and again, and shows each exchange as it is wished."""

    def __init__(self, server: Server, credential: Credential, era: Era | None, console: Console) -> None:
        self.server, self.credential, self.era, self.console = server, credential, era, console
        self.verbose = False
        self.steps: list[Step] = []
        self._past = Past()

    async def once(self, before: ProbeResult | None = None) -> ProbeResult:
        """One probe; the era found `before` is remembered."""
        self.steps = []
        known = self.era or (before.era if before is not None and not before.status.failing else None)
        return await probe_server(
            self.server,
            credential=self.credential,
            deadline=asyncio.get_running_loop().time() + self.server.timeout_s + 1,
            now_ms=lambda: time.time_ns() // 1_000_000,
            known_era=known,
            forced=self.era is not None,
            past=self._past,
            watch=self._saw,
        )

    def _saw(self, request: Request, outcome: Reply | Failure) -> None:
        step = Step(request, masked(outcome, self.credential.secrets))
        self.steps.append(step)
        if self.verbose:
            for line in messages(step, self.credential.secrets):
                self.console.print(line)


@click.command()
@click.argument("url")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
@click.option("--header", "headers", multiple=True, metavar="'K: V'", help="Send this header too; may be repeated.")
@click.option("--bearer-env", metavar="NAME", help="Send the bearer token this environment variable holds.")
@click.option("--timeout", type=click.FloatRange(1, 120), default=20.0, show_default=True, metavar="S", help="Seconds.")
@click.option("--era", type=click.Choice([each.value for each in Era]), help="Speak this era and no other.")
@click.option("--call", "tool", metavar="TOOL", help="Call this tool too. Choose one that only reads.")
@click.option("--arguments", metavar="JSON", help="The arguments of --call, a JSON object.")
@click.option(
    "--list",
    "lists",
    multiple=True,
    type=click.Choice(["resources", "resource_templates", "prompts"]),
    help="List these too; may be repeated.",
)
@click.option("--active-checks", is_flag=True, help="Also send what no client sends. Only at a server of your own.")
@click.option("-v", "--verbose", is_flag=True, help="Show every message, with credentials masked.")
@click.option(
    "--watch",
    "every_s",
    is_flag=False,
    flag_value=WATCH_S,
    type=click.FloatRange(WATCH_LEAST_S),
    metavar="[S]",
    help="Probe every S seconds (60), one line each, until interrupted.",
)
@click.option("--count", type=click.IntRange(1), metavar="N", help="End --watch after N probes.")
def probe(
    url: str,
    json_: bool,
    headers: tuple[str, ...],
    bearer_env: str | None,
    timeout: float,
    era: str | None,
    tool: str | None,
    arguments: str | None,
    lists: tuple[str, ...],
    active_checks: bool,
    verbose: bool,
    every_s: float | None,
    count: int | None,
) -> None:
    """Probe the MCP server at URL once, now, from here.

    Exit status: 0 up or auth_required, 3 degraded, 1 any failing status, 2 usage error. With --watch, that of the last
    probe.
    """
    if count is not None and every_s is None:
        raise click.BadParameter("goes with --watch", param_hint="--count")
    server = Server(
        "here",
        require_url(url),
        timeout_s=round(timeout),
        allow_private=True,
        lists=lists,
        tool_call=_call(tool, arguments),
        active_checks=active_checks,
    )
    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
    prober = Prober(server, credential_of(headers, bearer_env), Era(era) if era else None, console)
    prober.verbose = verbose and not json_
    if every_s is not None:
        raise SystemExit(_watch(prober, every_s, count, json_))
    result = asyncio.run(prober.once())
    if json_:
        click.echo(json.dumps(as_json(url, result), indent=2))
    else:
        show(url, result, prober.steps, time.time(), console)
    raise SystemExit(exit_code(result.status))


def _watch(prober: Prober, every_s: float, count: int | None, json_: bool) -> int:
    """Until interrupted or `count` probes are done; with `json_` one JSON object a line."""

    def tell(result: ProbeResult) -> None:
        if json_:
            click.echo(json.dumps(as_json(prober.server.url, result)))

    async def once(before: ProbeResult | None) -> ProbeResult:
        result = await prober.once(before)
        tell(result)
        return result

    tally = asyncio.run(watch(once, every_s, count, None if json_ else prober.console))
    if not json_:
        prober.console.print(tally.summary())
    return exit_code(tally.last.status) if tally.last is not None else 1
