"""Where a server's tokens come from, sans-I/O: a generator that yields requests and is sent what they were told.

    the server, asked without a credential    401, WWW-Authenticate: ... resource_metadata="URL"
    protected resource metadata (RFC 9728)    from that URL, else well-known with the path inserted, else at the root
    authorization server metadata             RFC 8414, then OpenID Connect; its issuer must be the one looked for

Authorization, sections "Protected Resource Metadata Discovery" and "Authorization Server Metadata Discovery". A server
without protected resource metadata is asked as 2025-03-26 has it: for the metadata of its own origin. All of it comes
from the internet: every URL goes through the guard of whoever carries out the requests.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from lookout.credentials.messages import Ask, Told, Unobtainable
from lookout.probe.quoting import quote

BASIC, POST = "client_secret_basic", "client_secret_post"
URL_LIMIT: Final = 2000
_CHALLENGE: Final = re.compile(r"""\bresource_metadata\s*=\s*(?:"([^"]{1,2000})"|([^\s,"]{1,2000}))""", re.IGNORECASE)
_WORD: Final = r"[\x21\x23-\x5b\x5d-\x7e]+"
"""One scope (RFC 6749, 3.3)."""
_SCOPE: Final = re.compile(rf"{_WORD}(?: {_WORD})*")
_ASKED: Final = re.compile(rf'\bscope\s*=\s*"({_SCOPE.pattern})"', re.IGNORECASE)
SCOPE_LIMIT: Final = 1000
_PROTECTED: Final = "/.well-known/oauth-protected-resource"
_VERSION: Final = "2026-07-28"
_META: Final = "io.modelcontextprotocol/"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to ask for a token. `methods` are tried in order; `resource` is what the server's metadata calls itself.

    `scope` is what the server's challenge asks for, else all its metadata names ("Scope Selection Strategy").
    """

    url: str
    methods: tuple[str, ...] = (BASIC, POST)
    resource: str | None = None
    scope: str | None = None


def discover(server_url: str) -> Generator[Ask, Told, Endpoint]:
    """The token endpoint of an MCP server. Raises Unobtainable."""
    challenged = yield _unauthenticated(server_url)
    challenge = challenged.headers.get("www-authenticate", "")[:8192]
    resource = yield from _protected_resource(server_url, challenge)
    if resource is None:
        issuer, called = _origin(server_url), None
    else:
        issuer, called = _issuer(resource), resource["resource"]
    metadata = yield from _authorization_server(issuer, fallback=resource is None)
    return _endpoint(metadata, called, _scope(challenge, resource or {}))


def _unauthenticated(server_url: str) -> Ask:
    """A modern request: it leaves no session behind."""
    meta = {_META + "protocolVersion": _VERSION, _META + "clientCapabilities": {}}
    message = {"jsonrpc": "2.0", "id": 0, "method": "server/discover", "params": {"_meta": meta}}
    headers = {
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": _VERSION,
        "mcp-method": "server/discover",
    }
    return Ask("the server, asked where tokens come from", "POST", server_url, headers, json.dumps(message).encode())


def _protected_resource(server_url: str, challenge: str) -> Generator[Ask, Told, Mapping[str, Any] | None]:
    step = "protected resource metadata"
    if found := _CHALLENGE.search(challenge):
        told = yield _get(step, found[1] or found[2])
        if told.status != 200 or not told.value:
            raise Unobtainable(f"{step}: the URL in WWW-Authenticate answered HTTP {told.status} without JSON")
        return _checked(told.value, server_url)
    parts = urlsplit(server_url)
    path = parts.path.rstrip("/")
    for url in dict.fromkeys((f"{_origin(server_url)}{_PROTECTED}{path}", f"{_origin(server_url)}{_PROTECTED}")):
        told = yield _get(step, url)
        if told.status == 200 and told.value:
            return _checked(told.value, server_url)
    return None


def _checked(metadata: Mapping[str, Any], server_url: str) -> Mapping[str, Any]:
    """RFC 9728, 3.3: metadata for another resource must not be used."""
    resource = metadata.get("resource")
    if not isinstance(resource, str) or not _covers(resource, server_url):
        shown = quote(str(resource), 120)
        raise Unobtainable(f"protected resource metadata: it is for {shown}, not for this server", refused=True)
    return metadata


def _covers(resource: str, server_url: str) -> bool:
    """The same origin, and the same path or one above it."""
    try:
        same = _origin(resource) == _origin(server_url)
    except ValueError:
        return False
    above, path = urlsplit(resource).path.rstrip("/"), urlsplit(server_url).path.rstrip("/")
    return same and len(resource) <= URL_LIMIT and (path == above or path.startswith(above + "/"))


def _issuer(resource: Mapping[str, Any]) -> str:
    servers = resource.get("authorization_servers")
    issuer = servers[0] if isinstance(servers, list) and servers else None
    if not isinstance(issuer, str) or not _usable(issuer):
        raise Unobtainable("protected resource metadata: it names no authorization server", refused=True)
    return issuer


def _authorization_server(issuer: str, *, fallback: bool) -> Generator[Ask, Told, Mapping[str, Any]]:
    step, statuses = "authorization server metadata", []
    for url in _metadata_urls(issuer):
        told = yield _get(step, url)
        statuses.append(str(told.status))
        if told.status != 200 or not told.value:
            continue
        said = told.value.get("issuer")
        if not isinstance(said, str) or _canonical(said) != _canonical(issuer):
            wrong = f"its issuer is {quote(str(said), 120)}, not {quote(issuer, 120)}"
            raise Unobtainable(f"{step}: {wrong}", refused=True)
        return told.value
    where = "this server" if fallback else quote(issuer, 120)
    raise Unobtainable(
        f"{step}: {where} has none (HTTP {', '.join(statuses)}); auth.oauth.token_url can name the endpoint"
    )


def _metadata_urls(issuer: str) -> list[str]:
    """RFC 8414 with the path inserted, OpenID Connect with the path inserted, OpenID Connect with the path before."""
    origin, path = _origin(issuer), urlsplit(issuer).path.rstrip("/")
    oauth, openid = "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"
    return list(dict.fromkeys((f"{origin}{oauth}{path}", f"{origin}{openid}{path}", f"{origin}{path}{openid}")))


def _scope(challenge: str, resource: Mapping[str, Any]) -> str | None:
    if (found := _ASKED.search(challenge)) and len(found[1]) <= SCOPE_LIMIT:
        return found[1]
    listed = resource.get("scopes_supported")
    names = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    text = " ".join(names)
    return text if _SCOPE.fullmatch(text) and len(text) <= SCOPE_LIMIT else None


def _endpoint(metadata: Mapping[str, Any], resource: str | None, scope: str | None) -> Endpoint:
    url = metadata.get("token_endpoint")
    if not isinstance(url, str) or not _usable(url):
        raise Unobtainable("authorization server metadata: it names no token endpoint", refused=True)
    offered = metadata.get("token_endpoint_auth_methods_supported")
    if not isinstance(offered, list):
        return Endpoint(url, (BASIC,), resource, scope)  # RFC 8414, 2: the default
    methods = tuple(method for method in (BASIC, POST) if method in offered)
    if not methods:
        shown = quote(", ".join(str(method) for method in offered[:10]), 120) or "none"
        message = f"authorization server metadata: it takes neither {BASIC} nor {POST}, but {shown}"
        raise Unobtainable(message, refused=True)
    return Endpoint(url, methods[:1], resource, scope)


def _get(step: str, url: str) -> Ask:
    if not _usable(url):
        raise Unobtainable(f"{step}: its address is no URL that could be used", refused=True)
    return Ask(step, "GET", url, {"accept": "application/json"})


def _usable(url: str) -> bool:
    """Of a form that can be requested; whether it may be is for the guard to say."""
    if len(url) > URL_LIMIT or not re.fullmatch(r"[\x21-\x7e]+", url):
        return False
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
        )
    except ValueError:
        return False


def _origin(url: str) -> str:
    """Scheme, host and port, in lower case and without a port that says nothing. Raises ValueError."""
    parts = urlsplit(url)
    scheme, host, port = parts.scheme.lower(), parts.hostname or "", parts.port
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}" + ("" if port in (None, {"https": 443, "http": 80}.get(scheme)) else f":{port}")


def _canonical(issuer: str) -> str:
    """An issuer without a path is the same with and without its slash (RFC 3986, 6.2.3); else every byte counts."""
    return issuer.removesuffix("/") if issuer.count("/") == 3 else issuer
