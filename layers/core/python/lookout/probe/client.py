"""One probe of one server -> ProbeResult. Whatever the server does is a value; nothing it does raises."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from collections.abc import Callable, Mapping
from typing import Final

from lookout.config.model import Server
from lookout.probe.exchange import Session, exchange
from lookout.probe.messages import Request
from lookout.probe.network import Failure, Resolver, Wire, system_resolver
from lookout.probe.quoting import mask, quote
from lookout.probe.result import Era, Layer, ProbeResult, Reason, Status
from lookout.probe.surface import tools_hash
from lookout.probe.transport import Transport

STEP_S: Final = 10.0
GOODBYE_S: Final = 2.0
_UNKNOWN: Final = frozenset({Reason.RATE_LIMITED, Reason.BOT_WALL})
_AGAIN: Final = frozenset(
    {Reason.DNS_FAILED, Reason.CONNECT_REFUSED, Reason.CONNECT_FAILED, Reason.CONNECT_TIMEOUT, Reason.CONNECTION_LOST}
)
"""Network errors, tried once more on a new connection (SHAPES 8)."""


async def probe_server(
    server: Server,
    *,
    credentials: Mapping[str, str],
    deadline: float,
    now_ms: Callable[[], int],
    known_era: Era | None = None,
    resolver: Resolver = system_resolver,
    ssl_context: ssl.SSLContext | None = None,
) -> ProbeResult:
    """Probe once. `deadline` is loop time; `credentials` are request headers. Our bug: unknown/prober_error."""
    loop = asyncio.get_running_loop()
    at_ms, begin = now_ms(), loop.time()
    if re.search(r"\{[^}]*\}|\$\{?[A-Za-z_]", server.url):
        message = "the address contains an unexpanded placeholder"
        return ProbeResult(server.slug, Status.DOWN, at_ms, Layer.HTTP, Reason.MISCONFIGURED, message)
    ends = min(deadline, begin + server.timeout_s)
    for last in (False, True):
        wire = Wire(ends, allow_private=server.allow_private, resolver=resolver, step_s=STEP_S)
        session = Session()
        timings: dict[str, float] = {}
        try:
            failure = await _run(server, wire, session, credentials, timings, known_era, ssl_context)
        except Exception as error:  # noqa: BLE001 - our bug must not look like their outage, nor harm other probes
            return ProbeResult(
                server.slug, Status.UNKNOWN, at_ms, reason=Reason.PROBER_ERROR, message=type(error).__name__
            )
        if failure is None or failure.reason not in _AGAIN or last or loop.time() + 1 > ends:
            break
    timings = {**wire.evidence.timings, **timings, "total": (loop.time() - begin) * 1000}
    cut_short = failure is not None and loop.time() >= ends
    if cut_short and deadline < begin + server.timeout_s:
        message = "our own time ran out before the server's was up"
        return ProbeResult(server.slug, Status.UNKNOWN, at_ms, reason=Reason.PROBER_ERROR, message=message)
    return _result(server, at_ms, session, wire, timings, failure, credentials)


async def _run(
    server: Server,
    wire: Wire,
    session: Session,
    credentials: Mapping[str, str],
    timings: dict[str, float],
    known_era: Era | None,
    context: ssl.SSLContext | None,
) -> Failure | None:
    loop = asyncio.get_running_loop()
    transport = Transport(server.url, wire, credentials, context, STEP_S)
    steps = exchange(session, known_era)
    try:
        request = next(steps)
        while True:
            begin = loop.time()
            spent = sum(wire.evidence.timings.values())
            try:
                reply = await transport.send(request)
            finally:
                below = sum(wire.evidence.timings.values()) - spent
                took = (loop.time() - begin) * 1000 - below
                timings[request.phase] = timings.get(request.phase, 0.0) + max(0.0, took)
            request = steps.send(reply)
    except StopIteration:
        return None
    except Failure as failure:
        return failure
    finally:
        steps.close()
        await _goodbye(transport, wire, session)


async def _goodbye(transport: Transport, wire: Wire, session: Session) -> None:
    """DELETE the session, also after a failure or the deadline; what the server answers is never held against it."""
    if session.session_id is not None:
        wire.deadline = asyncio.get_running_loop().time() + GOODBYE_S
        version = session.protocol_version or ""
        headers = {"mcp-session-id": session.session_id, "mcp-protocol-version": version}
        with contextlib.suppress(Failure):
            await transport.send(Request("delete", "DELETE", headers))
    await transport.aclose()


def _status(failure: Failure, credentials: Mapping[str, str]) -> tuple[Status, Reason]:
    if failure.reason in _UNKNOWN:
        return Status.UNKNOWN, failure.reason
    if failure.reason is Reason.AUTH_REQUIRED and credentials:
        return Status.CREDENTIAL_REJECTED, Reason.CREDENTIAL_REJECTED
    if failure.reason is Reason.AUTH_REQUIRED:
        return Status.AUTH_REQUIRED, failure.reason
    if failure.reason in (Reason.INCOMPATIBLE_VERSION, Reason.PAGINATION):
        return Status.DEGRADED, failure.reason
    return Status.DOWN, failure.reason


def _result(
    server: Server,
    at_ms: int,
    session: Session,
    wire: Wire,
    timings: dict[str, float],
    failure: Failure | None,
    credentials: Mapping[str, str],
) -> ProbeResult:
    names = {str(tool["name"]) for tool in session.tools or ()}
    missing = [name for name in server.expect_tools if name not in names]
    if failure is None and missing:
        message = f"expected tools are missing: {', '.join(missing)}"
        failure = Failure(Layer.SURFACE, Reason.TOOL_MISSING, message)
    status, layer, reason, message = Status.UP, None, None, ""
    if failure is not None:
        status, reason = _status(failure, credentials)
        layer, message = failure.layer, quote(mask(failure.message, credentials.values()))
    elif timings["total"] > server.slow_after_ms:
        status, reason = Status.DEGRADED, Reason.SLOW
        message = f"took {timings['total'] / 1000:.1f} s, slow_after is {server.slow_after_ms / 1000:g} s"
    return ProbeResult(
        slug=server.slug,
        status=status,
        at_ms=at_ms,
        layer=layer,
        reason=reason,
        message=message,
        http_status=session.http_status,
        era=session.era,
        protocol_version=quote(session.protocol_version, 40) if session.protocol_version else None,
        transport="streamable-http" if session.era else None,
        server_name=quote(session.server_name, 100) if session.server_name else None,
        server_version=quote(session.server_version, 60) if session.server_version else None,
        tools_count=len(session.tools) if session.tools is not None else None,
        tools_hash=tools_hash(session.tools) if session.tools is not None else None,
        timings_ms=timings,
        tls=wire.evidence.tls,
        address=wire.evidence.address,
        findings=tuple(session.findings),
    )
