"""What one exchange amounts to: the status of a single probe, its layer and reason. Pure."""

from __future__ import annotations

import email.utils
from collections.abc import Iterator, Mapping
from typing import Final

from lookout.config.model import Server
from lookout.probe.credential import Credential
from lookout.probe.failure import Failure
from lookout.probe.network import Evidence
from lookout.probe.quoting import mask, masked, quote
from lookout.probe.result import Finding, Layer, Network, ProbeResult, Reason, Status
from lookout.probe.rules.tools import check_inner_schemas
from lookout.probe.session import Session
from lookout.probe.versions import at_least
from lookout.surface.model import Surface, surface_of

_UNKNOWN: Final = frozenset({Reason.RATE_LIMITED, Reason.BOT_WALL})
_LISTS: Final = ("resources", "resource_templates", "prompts")


def conclude(
    server: Server,
    at_ms: int,
    session: Session,
    evidence: Evidence,
    timings: Mapping[str, float],
    failure: Failure | None,
    credential: Credential,
) -> ProbeResult:
    """The result of a probe that ended with `failure`, or went through."""
    whole = failure is None
    if failure is None:
        failure = _unmet(server, session)

    def safe(text: str | None, limit: int = 300) -> str:
        return quote(mask(text or "", credential.secrets), limit)

    status, layer, reason, message = Status.UP, None, None, ""
    if failure is not None:
        status, reason = _status(failure, session, credential)
        layer, message = failure.layer, safe(failure.message)
    elif server.strict and (wrong := [f.rule for f in session.findings if f.severity == "error"]):
        status, layer, reason = Status.DEGRADED, Layer.MCP, Reason.NONCONFORMANT
        message = f"breaks the specification: {', '.join(dict.fromkeys(wrong))}"
    elif timings["total"] > server.slow_after_ms:
        status, reason = Status.DEGRADED, Reason.SLOW
        message = f"took {timings['total'] / 1000:.1f} s, slow_after is {server.slow_after_ms / 1000:g} s"
    lists = {name: getattr(session, name) for name in _LISTS}
    protocol, name, version = (
        safe(text, limit) or None
        for text, limit in ((session.protocol_version, 40), (session.server_name, 100), (session.server_version, 60))
    )
    surface = _surface(session, credential, protocol, name, version) if session.tools is not None else None
    digest = surface.hashes.tools if surface is not None else None
    findings = [*session.findings, *_inner(session, digest)]
    return ProbeResult(
        slug=server.slug,
        status=status,
        at_ms=at_ms,
        layer=layer,
        reason=reason,
        message=message,
        http_status=(failure.http_status if failure is not None else None) or session.http_status,
        era=session.era,
        protocol_version=protocol,
        transport=session.transport,
        server_name=name,
        server_version=version,
        tools_count=len(session.tools) if session.tools is not None else None,
        tools_hash=digest,
        timings_ms=timings,
        tls=evidence.tls,
        address=evidence.address,
        findings=tuple(Finding(f.rule, f.severity, safe(f.message)) for f in findings),
        counts={name: len(items) for name, items in lists.items() if items is not None},
        credential_expires=credential.expires,
        retry_after_s=_retry_after(failure, at_ms),
        network=Network(evidence.addresses, evidence.http_version, evidence.first_byte_ms, evidence.received),
        surface=surface if whole else None,
    )


def _surface(
    session: Session, credential: Credential, protocol: str | None, name: str | None, version: str | None
) -> Surface | None:
    """What was listed, without our secrets, should the server repeat them; None where that cannot be canonical."""
    lists = {member: getattr(session, member) for member in ("tools", *_LISTS)}
    past, listed, rest = session.past, session.past.listed, (credential.secrets, protocol, name, version)
    if any(lists[member] is not None for member in _LISTS) or listed is None or session.tools is not listed.tools:
        listed = None
    if listed is not None and past.surface is not None and past.surface[0] is listed and past.surface[1] == rest:
        return past.surface[2]
    surface = surface_of(
        **masked(lists, credential.secrets),
        server_name=name,
        server_version=version,
        era=session.era.value if session.era is not None else None,
        protocol_version=protocol,
    )
    past.surface = (listed, rest, surface) if listed is not None else None
    return surface


def _inner(session: Session, digest: str | None) -> list[Finding]:
    """Whether the tools' schemas are schemas: looked at when the surface is another than the last one judged."""
    past = session.past
    if digest is not None and digest != past.hash:
        past.inner = check_inner_schemas(session.protocol_version, session.era, session.tools or ())
        past.hash = digest
    return past.inner if digest is not None else []


def _status(failure: Failure, session: Session, credential: Credential) -> tuple[Status, Reason]:
    reason = failure.reason
    if reason in _UNKNOWN:
        return Status.UNKNOWN, reason
    if reason is Reason.AUTH_REQUIRED:
        if credential.configured:
            return Status.CREDENTIAL_REJECTED, Reason.CREDENTIAL_REJECTED
        return Status.AUTH_REQUIRED, reason
    if reason is Reason.INCOMPATIBLE_VERSION or (failure.usable and session.era is not None):
        return Status.DEGRADED, reason
    return Status.DOWN, reason


def _unmet(server: Server, session: Session) -> Failure | None:
    """The first of the owner's expectations that is not met."""
    return next(_expectations(server, session), None)


def _expectations(server: Server, session: Session) -> Iterator[Failure]:
    names = {str(tool["name"]) for tool in session.tools or ()}
    missing = [name for name in server.expect_tools if name not in names]
    if missing:
        message = f"expected tools are missing: {', '.join(missing)}"
        yield Failure(Layer.SURFACE, Reason.TOOL_MISSING, message)
    if server.expect_min_tools is not None and len(session.tools or ()) < server.expect_min_tools:
        message = f"{len(session.tools or ())} tools, expected are at least {server.expect_min_tools}"
        yield Failure(Layer.SURFACE, Reason.TOO_FEW_TOOLS, message)
    if server.expect_server_name is not None and session.server_name != server.expect_server_name:
        message = f"the server calls itself {session.server_name or 'nothing'}, expected is {server.expect_server_name}"
        yield Failure(Layer.SURFACE, Reason.WRONG_SERVER, message)
    wanted = server.expect_protocol_version
    if wanted is not None and not at_least(session.protocol_version, wanted):
        message = f"protocol version {session.protocol_version}, expected is at least {wanted}"
        yield Failure(Layer.MCP, Reason.VERSION_TOO_OLD, message)


def _retry_after(failure: Failure | None, at_ms: int) -> int | None:
    """Seconds a 429 or 503 asks us to wait (RFC 9110, Retry-After), at most a day; None where it does not say."""
    if failure is None or failure.reply is None or failure.reply.status not in (429, 503):
        return None
    text = failure.reply.headers.get("retry-after", "").strip()
    if text.isdecimal() and len(text) < 10:
        return min(int(text), 86_400)
    moment = email.utils.parsedate_tz(text[:60])
    if moment is None:
        return None
    try:
        seconds = int(email.utils.mktime_tz(moment)) - at_ms // 1000
    except (ValueError, OverflowError):
        return None
    return min(max(0, seconds), 86_400)
