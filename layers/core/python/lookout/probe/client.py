"""One probe of one server -> ProbeResult. Whatever the server does is a value; nothing it does raises."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import ssl
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from lookout.config.model import Server
from lookout.probe.credential import ANONYMOUS, Credential
from lookout.probe.exchange import Plan, Session, exchange, goodbye
from lookout.probe.extras import PHASES
from lookout.probe.failure import Failure
from lookout.probe.messages import Reply, Request
from lookout.probe.network import Resolver, Wire, system_resolver
from lookout.probe.quoting import mask
from lookout.probe.result import Era, Layer, ProbeResult, Reason, Status
from lookout.probe.rules.past import Past
from lookout.probe.session import CANCEL_PHASE
from lookout.probe.transport import Transport
from lookout.probe.verdict import conclude

STEP_S: Final = 10.0
GOODBYE_S: Final = 2.0
CANCEL_GRACE_S: Final = 0.1
"""For a server to stop working at what was cancelled, before its session is deleted."""
_FIRST_SHARE: Final = 0.45
"""Of a probe's time, how much a server of unknown era may take over `server/discover`."""
_AGAIN: Final = frozenset(
    {Reason.DNS_FAILED, Reason.CONNECT_REFUSED, Reason.CONNECT_FAILED, Reason.CONNECT_TIMEOUT, Reason.CONNECTION_LOST}
)
"""Network errors, tried once more on a new connection (SHAPES 8)."""
_LATE: Final = (Reason.DEADLINE, Reason.FIRST_BYTE_TIMEOUT)
_PLACEHOLDER: Final = re.compile(r"\{[^}]*\}|\$\{?[A-Za-z_]|%7B[^/]*%7D", re.IGNORECASE)
_log = logging.getLogger(__name__)

Watcher = Callable[[Request, Reply | Failure], None]


@dataclass(slots=True)
class Attempt:
    """One try: its exchange, what it saw, and how it ended."""

    session: Session
    wire: Wire
    timings: dict[str, float] = field(default_factory=dict)
    failure: Failure | None = None
    ended: float = 0.0
    """Loop time at which the exchange was over, before the session was deleted."""
    beyond_s: float = 0.0
    """Seconds spent on what only rules want, and on an era that is not the server's: part of no latency."""


async def probe_server(
    server: Server,
    *,
    deadline: float,
    now_ms: Callable[[], int],
    credential: Credential = ANONYMOUS,
    known_era: Era | None = None,
    forced: bool = False,
    resolver: Resolver = system_resolver,
    ssl_context: ssl.SSLContext | None = None,
    watch: Watcher | None = None,
    past: Past | None = None,
) -> ProbeResult:
    """Probe once. `deadline` is loop time. Our bug: unknown/prober_error.

    `forced`: speak `known_era` or nothing. `ssl_context` replaces the default where the credential has none.
    `past` is what earlier probes of this server showed, and is added to. `watch` is told every request with its
    reply, as they come.
    """
    loop = asyncio.get_running_loop()
    at_ms, begin = now_ms(), loop.time()
    if _PLACEHOLDER.search(server.url):
        message = "the address contains an unexpanded placeholder"
        return ProbeResult(server.slug, Status.DOWN, at_ms, Layer.HTTP, Reason.MISCONFIGURED, message)
    ends = min(deadline, begin + server.timeout_s)
    plan = Plan(known_era, forced, server.lists, server.tool_call, server.active_checks, past or Past())
    try:
        attempt = await _try(server, plan, credential, ends, resolver, ssl_context, watch)
        reason = attempt.failure.reason if attempt.failure is not None else None
        if reason is Reason.AUTH_REQUIRED and credential.renew is not None:
            fresh = await credential.renew(ends)
            if isinstance(fresh, Credential):
                credential = fresh
                attempt = await _try(server, plan, credential, ends, resolver, ssl_context, watch)
        elif reason in _AGAIN and loop.time() + 1 < ends:
            attempt = await _try(server, plan, credential, ends, resolver, ssl_context, watch)
    except Exception as error:  # noqa: BLE001 - our bug must not look like their outage, nor harm other probes
        # Not `exception`: what the server said may stand in the trace, and our secrets in that.
        trace = mask("".join(traceback.format_exception(error)), credential.secrets)
        _log.error("a probe of %s went wrong\n%s", server.slug, trace)
        message = f"Lookout itself failed: {type(error).__name__}"
        return ProbeResult(server.slug, Status.UNKNOWN, at_ms, reason=Reason.PROBER_ERROR, message=message)
    failure = attempt.failure
    if failure is not None and deadline < begin + server.timeout_s and attempt.ended >= deadline:
        message = "our own time ran out before the server's was up"
        return ProbeResult(server.slug, Status.UNKNOWN, at_ms, reason=Reason.PROBER_ERROR, message=message)
    took = {phase: ms for phase, ms in attempt.timings.items() if phase not in PHASES}
    total = (attempt.ended - begin - attempt.beyond_s) * 1000
    timings = {**attempt.wire.evidence.timings, **took, "total": total}
    return conclude(server, at_ms, attempt.session, attempt.wire.evidence, timings, failure, credential)


async def _try(
    server: Server,
    plan: Plan,
    credential: Credential,
    ends: float,
    resolver: Resolver,
    context: ssl.SSLContext | None,
    watch: Watcher | None,
) -> Attempt:
    loop = asyncio.get_running_loop()
    wire = Wire(ends, allow_private=server.allow_private, resolver=resolver, step_s=STEP_S)
    transport = Transport(server.url, wire, credential.headers, credential.ssl_context or context, STEP_S)
    attempt = Attempt(
        Session(first_patience_s=(ends - loop.time()) * _FIRST_SHARE, past=plan.past), wire, transport.timings
    )
    given: set[str] = set()
    late: Request | None = None
    spent: defaultdict[str, float] = defaultdict(float)
    """Seconds by phase, without what came below HTTP."""
    steps = exchange(attempt.session, plan)
    try:
        request = next(steps)
        while True:
            phase, sent, below = request.phase, loop.time(), sum(wire.evidence.timings.values())
            try:
                reply = await transport.send(request)
            except Failure as failure:
                if watch is not None:
                    watch(request, failure)
                late = request if failure.reason in _LATE else late
                request = steps.throw(failure)
                continue
            finally:
                spent[phase] += loop.time() - sent - (sum(wire.evidence.timings.values()) - below) / 1000
            if watch is not None:
                watch(request, reply)
            given.add(reply.headers.get("mcp-session-id", ""))
            request = steps.send(reply)
    except StopIteration:
        pass
    except Failure as failure:
        attempt.failure = failure
    finally:
        attempt.ended = loop.time()
        # A server that does not know `server/discover` is not slow for it.
        aside = (*PHASES, "discover") if attempt.session.era in (Era.LEGACY, Era.SSE) else PHASES
        attempt.beyond_s = sum(spent[phase] for phase in aside)
        steps.close()
        await _say_goodbye(transport, wire, goodbye(attempt.session, given, late), watch)
    return attempt


async def _say_goodbye(transport: Transport, wire: Wire, requests: Iterable[Request], watch: Watcher | None) -> None:
    """Cancel what was given up and DELETE every session a reply named, also after a failure or the deadline; what comes
    back is never held against the server. One that refuses `server/discover` may have begun a session all the same.
    """
    try:
        wire.deadline = asyncio.get_running_loop().time() + GOODBYE_S
        for request in requests:
            with contextlib.suppress(Failure):
                reply = await transport.send(request)
                if watch is not None:
                    watch(request, reply)
                if request.phase == CANCEL_PHASE:
                    await asyncio.sleep(CANCEL_GRACE_S)
    finally:
        await transport.aclose()
