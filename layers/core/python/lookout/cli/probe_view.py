"""What `lookout probe` shows: the exchange step by step, what was found, and every message where that is asked for.

Everything a server said is quoted: no control character, no terminal escape and no markup of its reaches the terminal.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from lookout.probe.failure import Failure
from lookout.probe.messages import Reply, Request
from lookout.probe.quoting import mask, quote
from lookout.probe.result import ProbeResult, Status

COLOURS: Final = {
    Status.UP: "green",
    Status.DEGRADED: "yellow",
    Status.AUTH_REQUIRED: "blue",
    Status.UNKNOWN: "magenta",
}
SEVERITIES: Final = {"error": "red", "warning": "yellow", "info": "dim"}
BAR: Final = 16
TOOLS_SHOWN: Final = 30
BODY_LINES: Final = 60
_BELOW: Final = ("dns", "tcp", "tls")


@dataclass(frozen=True, slots=True)
class Step:
    """One request of the exchange and what came of it."""

    request: Request
    outcome: Reply | Failure


def as_json(url: str, result: ProbeResult) -> dict[str, Any]:
    """The object `--json` prints; every key is always there."""
    tls, network = result.tls, result.network
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
            "chain": list(tls.chain),
            "chain_not_after": tls.chain_not_after,
        }
        if tls
        else {},
        "tools": {"count": result.tools_count, "hash": result.tools_hash},
        "http_status": result.http_status,
        "counts": dict(result.counts),
        "credential_expires": result.credential_expires,
        "retry_after_s": result.retry_after_s,
        "network": {
            "address": result.address,
            "addresses": list(network.addresses) if network else [],
            "http_version": network.http_version if network else "",
            "first_byte_ms": round(network.first_byte_ms, 1) if network and network.first_byte_ms is not None else None,
            "received_bytes": network.received if network else 0,
        },
    }


def show(url: str, result: ProbeResult, steps: Sequence[Step], now: float, console: Console) -> None:
    """The whole result for a person. `now` is unix seconds."""
    for part in _parts(url, result, steps, now):
        console.print(part)


def _parts(url: str, result: ProbeResult, steps: Sequence[Step], now: float) -> Iterator[RenderableType]:
    yield headline(url, result)
    if result.reason is not None:
        where = f"{result.layer.value} · " if result.layer else ""
        yield Text(f"  {where}{result.reason.value}: {result.message}")
    facts = list(_facts(result))
    if facts:
        yield Text("  " + " · ".join(facts))
    yield Text("")
    yield from _timeline(result, steps)
    if result.surface is not None and result.surface.tools:
        yield from _tools(result.surface.tools, result.tools_hash)
    if result.tls is not None and result.tls.not_after is not None:
        yield from _certificate(result, now)
    if result.findings:
        yield Text("\nFindings", style="bold")
        for finding in result.findings:
            colour = SEVERITIES.get(finding.severity, "")
            yield Text.assemble(f"  {finding.severity:<8}", (f"{finding.rule}  ", colour), finding.message)


def headline(url: str, result: ProbeResult) -> Text:
    """Status and address."""
    colour = COLOURS.get(result.status, "red")
    return Text.assemble((result.status.value.upper().replace("_", " "), f"bold {colour}"), "  ", quote(url, 500))


def _facts(result: ProbeResult) -> Iterator[str]:
    if result.era is not None:
        yield f"{result.era.value} era"
        yield f"protocol {result.protocol_version}"
        yield str(result.transport)
    if result.server_name:
        yield f"server {result.server_name} {result.server_version or ''}".rstrip()
    if result.tools_count is not None:
        yield f"{result.tools_count} tools"
    for name, count in result.counts.items():
        yield f"{count} {name.replace('_', ' ')}"
    if result.retry_after_s is not None:
        yield f"asks to wait {result.retry_after_s} s"
    if result.credential_expires is not None:
        yield f"the credential expires {_day(result.credential_expires)}"


def _timeline(result: ProbeResult, steps: Sequence[Step]) -> Iterator[Text]:
    """One line per phase below HTTP and per request, with a bar where in the probe it was."""
    rows = [(result.timings_ms[phase], phase, _below(result, phase)) for phase in _BELOW if phase in result.timings_ms]
    rows += [(_took(step), _asked(step.request), _came(step)) for step in steps]
    whole = max(sum(took for took, _, _ in rows), 0.001)
    width = max((len(what) for _, what, _ in rows), default=0)
    begun = 0.0
    for took, what, came in rows:
        begin = min(BAR - 1, int(BAR * begun / whole))
        length = max(1, min(BAR - begin, round(BAR * took / whole)))
        bar = (" " * begin + "▇" * length).ljust(BAR)
        colour = COLOURS.get(result.status, "red")
        yield _line(f"{took:8.1f} ms  ", (bar, colour), f"  {what:<{width}}  ", (came, "dim"))
        begun += took
    yield _line((f"{result.timings_ms.get('total', 0.0):8.1f} ms  {'':<{BAR}}  total", "bold"))


def _line(*parts: str | tuple[str, str]) -> Text:
    text = Text.assemble(*parts)
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _took(step: Step) -> float:
    return step.outcome.took_ms if isinstance(step.outcome, Reply) else 0.0


def _asked(request: Request) -> str:
    return f"{request.method} {request.rpc}" if request.rpc else f"{request.method} ({request.phase})"


def _came(step: Step) -> str:
    if isinstance(step.outcome, Failure):
        return step.outcome.reason.value
    reply = step.outcome
    kind = quote(reply.media_type, 40)
    size = f"{reply.size:,} B" if reply.size else ""
    moved = f"after {reply.redirects} redirects" if reply.redirects else ""
    return " ".join(part for part in (str(reply.status), kind, size, moved) if part)


def _below(result: ProbeResult, phase: str) -> str:
    network = result.network
    if phase == "dns" and network is not None:
        return ", ".join(network.addresses[:3])
    if phase == "tcp":
        return result.address or ""
    return f"{result.tls.version} {result.tls.cipher}" if result.tls is not None and phase == "tls" else ""


def _tools(tools: Sequence[Mapping[str, Any]], digest: str | None) -> Iterator[RenderableType]:
    yield Text(f"\nTools ({len(tools)}), surface {(digest or 'unhashable')[:12]}", style="bold")
    table = Table(box=None, show_header=False, padding=(0, 2))
    table.add_column(no_wrap=True, max_width=40)
    table.add_column(overflow="ellipsis", no_wrap=True)
    for tool in tools[:TOOLS_SHOWN]:
        about = tool.get("description")
        table.add_row(
            Text(quote(str(tool.get("name")), 60)), Text(quote(about, 120) if isinstance(about, str) else "", "dim")
        )
    yield table
    if len(tools) > TOOLS_SHOWN:
        yield Text(f"  and {len(tools) - TOOLS_SHOWN} more", style="dim")


def _certificate(result: ProbeResult, now: float) -> Iterator[RenderableType]:
    tls = result.tls
    if tls is None or tls.not_after is None:
        return
    days = int((tls.not_after - now) // 86_400)
    ends = f"ends in {days} days" if days >= 0 else f"ended {-days} days ago"
    yield Text("\nCertificate", style="bold")
    yield Text(f"  {tls.subject or 'nobody'}, issued by {tls.issuer or 'nobody'}")
    yield Text(f"  {_day(tls.not_before)} to {_day(tls.not_after)}: {ends}")
    if tls.names:
        yield Text(f"  for {', '.join(tls.names[:8])}")
    if len(tls.chain) > 1:
        yield Text(f"  chain of {len(tls.chain)}, the first to end does so {_day(tls.first_not_after)}")


def _day(moment: int | None) -> str:
    if moment is None:
        return "?"
    try:
        return datetime.datetime.fromtimestamp(moment, datetime.UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return "?"


def messages(step: Step, secrets: Sequence[str]) -> Iterator[Text]:
    """One request and its reply in full, bounded, every secret masked."""

    def line(text: str, style: str = "") -> Text:
        indent = len(text) - len(text.lstrip(" "))
        return Text(" " * indent + quote(mask(text.strip(), secrets), 400), style=style)

    request = step.request
    yield line(f"→ {_asked(request)}" + (f" at {request.target}" if request.target else ""), "bold cyan")
    for name, value in request.headers.items():
        yield line(f"    {name}: {value}", "dim")
    if request.body:
        yield from (line(text) for text in _pretty(json.loads(request.body)))
    if isinstance(step.outcome, Failure):
        yield line(f"✗ {step.outcome.layer.value} · {step.outcome.reason.value}: {step.outcome.message}", "bold red")
        return
    reply = step.outcome
    yield line(f"← {reply.status} in {reply.took_ms:.1f} ms", "bold cyan")
    for name, value in reply.headers.items():
        yield line(f"    {name}: {value}", "dim")
    if reply.event is not None:
        yield line(f"    event {reply.event.type}: {reply.event.data.decode('utf-8', 'replace')}")
    if reply.message is not None:
        yield from (line(text) for text in _pretty(reply.message))
    elif reply.excerpt:
        yield line(f"    {reply.excerpt}")


def _pretty(value: Any) -> Iterator[str]:
    lines = json.dumps(value, indent=2).splitlines()
    yield from (f"    {line}" for line in lines[:BODY_LINES])
    if len(lines) > BODY_LINES:
        yield f"    … {len(lines) - BODY_LINES} more lines"
