"""`lookout probe URL`: one probe, now, from here. No AWS, no configuration; addresses on this machine are allowed."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lookout.cli.asking import credential_of, require_url
from lookout.config.model import Server
from lookout.probe.client import probe_server
from lookout.probe.result import Era, ProbeResult, Status

COLOURS = {
    Status.UP: "green",
    Status.DEGRADED: "yellow",
    Status.AUTH_REQUIRED: "blue",
    Status.UNKNOWN: "magenta",
}


def exit_code(status: Status) -> int:
    """0 up or auth_required, 3 degraded, 1 anything else."""
    return {Status.UP: 0, Status.AUTH_REQUIRED: 0, Status.DEGRADED: 3}.get(status, 1)


def as_json(url: str, result: ProbeResult) -> dict[str, Any]:
    """The object `--json` prints; every key is always there."""
    tls = result.tls
    return {
        "url": url,
        "status": result.status.value,
        "era": result.era.value if result.era else None,
        "protocol_version": result.protocol_version,
        "transport": result.transport,
        "server": {"name": result.server_name, "version": result.server_version},
        "layer": result.layer.value if result.layer else None,
        "reason": result.reason.value if result.reason else None,
        "message": result.message,
        "findings": [{"rule": f.rule, "severity": f.severity, "message": f.message} for f in result.findings],
        "timings_ms": {phase: round(ms, 1) for phase, ms in result.timings_ms.items()},
        "tls": {
            "version": tls.version,
            "cipher": tls.cipher,
            "subject": tls.subject,
            "issuer": tls.issuer,
            "not_before": tls.not_before,
            "not_after": tls.not_after,
            "names": list(tls.names),
            "fingerprint_sha256": tls.fingerprint,
        }
        if tls
        else {},
        "tools": {"count": result.tools_count, "hash": result.tools_hash},
        "http_status": result.http_status,
    }


def show(url: str, result: ProbeResult, now: float, console: Console) -> None:
    """The same for a person. Rich prints Text as it is: no markup from a server is interpreted."""
    colour = COLOURS.get(result.status, "red")
    console.print(Text.assemble((result.status.value.upper().replace("_", " "), f"bold {colour}"), "  ", url))
    if result.reason is not None:
        where = f"{result.layer.value} · " if result.layer else ""
        console.print(Text(f"  {where}{result.reason.value}: {result.message}"))
    rows = Table(box=None, show_header=False, padding=(0, 2))
    rows.add_column(justify="right")
    longest = max((ms for phase, ms in result.timings_ms.items() if phase != "total"), default=0.0) or 1.0
    for phase, ms in result.timings_ms.items():
        bar = "" if phase == "total" else "▇" * max(1, round(24 * ms / longest))
        rows.add_row(Text(f"{ms:.1f} ms"), Text(phase), Text(bar, style=colour))
    console.print(rows)
    facts = []
    if result.era is not None:
        facts.append(f"{result.era.value} era, protocol {result.protocol_version}")
    if result.server_name:
        facts.append(f"server {result.server_name} {result.server_version or ''}".rstrip())
    if result.tools_count is not None:
        facts.append(f"{result.tools_count} tools, surface {(result.tools_hash or 'unhashable')[:12]}")
    if result.tls is not None and result.tls.not_after is not None:
        days = int((result.tls.not_after - now) // 86400)
        facts.append(f"{result.tls.version}, certificate of {result.tls.issuer[:80]} ends in {days} days")
    for fact in facts:
        console.print(Text(f"  {fact}"))
    for finding in result.findings:
        console.print(Text(f"  {finding.severity}: {finding.rule}: {finding.message}"))


@click.command()
@click.argument("url")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
@click.option("--header", "headers", multiple=True, metavar="'K: V'", help="Send this header too; may be repeated.")
@click.option("--bearer-env", metavar="NAME", help="Send the bearer token this environment variable holds.")
@click.option("--timeout", type=click.FloatRange(1, 120), default=20.0, show_default=True, metavar="S", help="Seconds.")
@click.option("--era", type=click.Choice([each.value for each in Era]), help="Speak this era and no other.")
def probe(
    url: str, json_: bool, headers: tuple[str, ...], bearer_env: str | None, timeout: float, era: str | None
) -> None:
    """Probe the MCP server at URL once, now, from here.

    Exit status: 0 up or auth_required, 3 degraded, 1 any failing status, 2 usage error.
    """
    server = Server("here", require_url(url), timeout_s=round(timeout), allow_private=True)
    credential = credential_of(headers, bearer_env)

    async def once() -> ProbeResult:
        return await probe_server(
            server,
            credential=credential,
            deadline=asyncio.get_running_loop().time() + timeout + 1,
            now_ms=lambda: time.time_ns() // 1_000_000,
            known_era=Era(era) if era else None,
            forced=era is not None,
        )

    result = asyncio.run(once())
    if json_:
        click.echo(json.dumps(as_json(url, result), indent=2))
    else:
        show(url, result, time.time(), Console(highlight=False))
    raise SystemExit(exit_code(result.status))
