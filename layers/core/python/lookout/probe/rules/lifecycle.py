"""How a server introduces itself: version negotiation, identity, capabilities (MCP, Lifecycle and Discovery)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

from lookout.probe.envelope import Answer
from lookout.probe.messages import Reply
from lookout.probe.result import Finding
from lookout.probe.rules.registry import distinct, finding
from lookout.probe.rules.shapes import shape_error
from lookout.probe.rules.words import described
from lookout.probe.versions import HANDSHAKE, KNOWN, MODERN

SERVER_INFO: Final = "io.modelcontextprotocol/serverInfo"
_METHOD_NOT_FOUND: Final = -32601
_VERSION_UNSUPPORTED: Final = -32022


def check_initialize(asked: str, result: dict[str, Any], answered_before: Collection[str] = ()) -> list[Finding]:
    """The negotiated version and the identity in an InitializeResult (`check_reply` says which fields it lacks).

    `asked` is the version the request named; `answered_before` the versions this server has negotiated at other
    probes, without which an older answer is simply its newest version.
    """
    found: list[Finding] = []
    given = result.get("protocolVersion")
    if isinstance(given, str) and given not in KNOWN:
        message = f"initialize: negotiated {described(given)}, which is no published version"
        found.append(finding("LIFE-VERSION-UNKNOWN", message, "warning"))
    elif isinstance(given, str) and given != asked and asked in HANDSHAKE and asked in answered_before:
        message = f"initialize: asked for {asked} and got {given}, although it has answered with {asked} before"
        found.append(finding("LIFE-VERSION-ECHO", message))
    return distinct([*found, *_identity(result.get("serverInfo"))])


def check_discover(result: dict[str, Any]) -> list[Finding]:
    """The identity in a DiscoverResult."""
    meta = result.get("_meta")
    info = meta.get(SERVER_INFO) if isinstance(meta, dict) else None
    if isinstance(info, dict):
        return distinct(_identity(info))
    where = ", which stands outside it" if "serverInfo" in result else ""
    return [finding("M-SERVERINFO", f"server/discover: _meta has no {SERVER_INFO}{where}")]


def _identity(info: Any) -> Iterator[Finding]:
    if isinstance(info, dict):
        for name in ("name", "version"):
            if info.get(name) == "":
                yield finding("LIFE-INFO-EMPTY", f"serverInfo.{name} is empty")


def check_capabilities(capabilities: Any, version: str | None = None) -> list[Finding]:
    """Declared capabilities, by the schema of their version (None: the newest); no object at all is another rule's."""
    if not isinstance(capabilities, dict):
        return []
    found = []
    for name, value in list(capabilities.items())[:100]:
        error = shape_error(version or MODERN[-1], "ServerCapabilities", {name: value}, "capabilities")
        if error is None and not isinstance(value, dict) and name not in ("experimental", "extensions"):
            error = f"capabilities.{name} is {described(value)}, not an object"
        if error is not None:
            found.append(finding("CAP-SHAPE", error))
    return distinct(found)


def check_fallback(discover: Reply, initialize: Reply) -> list[Finding]:
    """A server that knows no server/discover, and tells `initialize` that it speaks only versions which have it."""
    first, second = discover.answer, initialize.answer
    if not (isinstance(first, Answer) and isinstance(second, Answer)):
        return []
    data = second.error_data
    listed = data.get("supported") if isinstance(data, dict) else None
    modern = isinstance(listed, list) and any(each in MODERN for each in listed)
    if first.error_code == _METHOD_NOT_FOUND and second.error_code == _VERSION_UNSUPPORTED and modern:
        return [
            finding("M-DISCOVER-MISSING", "initialize is refused for a stateless version, server/discover is unknown")
        ]
    return []


def check_redirect(configured: str, final: str) -> list[Finding]:
    """Both are URLs; they differ where redirects were followed."""
    if configured == final:
        return []
    return [finding("HTTP-M-REDIRECT", f"redirects to {final}; point the entry there to save a request")]


def check_endpoint_event(fault: str | None) -> list[Finding]:
    """`fault` is why the first event of an HTTP+SSE stream gives no address to post to, None where it does."""
    return [] if fault is None else [finding("SSE-ENDPOINT", fault)]
