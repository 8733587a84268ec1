"""What `auth` and references get wrong: secrets in the open, headers that are ours, two of one. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from lookout.config.addresses import address_problem
from lookout.config.document import Path
from lookout.config.moments import unix_seconds
from lookout.config.references import is_reference, parse_reference
from lookout.config.structure import Found

_OURS: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "connection",
        "content-length",
        "content-type",
        "host",
        "mcp-method",
        "mcp-name",
        "mcp-protocol-version",
        "mcp-session-id",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    }
)
"""Headers the exchange itself sets."""
_PRINTABLE: Final = re.compile(r"[\x21-\x7e]+( [\x21-\x7e]+)*")

_ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x22\x24-\x7e]+")


def auth_problems(path: Path, server: Mapping[str, Any], home: str) -> Iterator[Found]:
    """`path` is the server's."""
    auth = server.get("auth", {})
    path = (*path, "auth")
    slug = server.get("slug", "server")
    if "bearer" in auth:
        yield from reference_problem((*path, "bearer"), auth["bearer"], "a token", f"{slug}-token", home)
    if "bearer" in auth and "oauth" in auth:
        yield (*path, "oauth"), "sets Authorization, and so does bearer: keep one of them"
    yield from _headers(path, auth, f"{slug}-token", home)
    yield from _oauth((*path, "oauth"), auth.get("oauth", {}), slug, home, private=server.get("allow_private", False))
    for key, text in auth.get("client_certificate", {}).items():
        what = "a private key" if key == "key" else "a certificate"
        yield from reference_problem((*path, "client_certificate", key), text, what, f"{slug}-client-{key}", home)
    if "expires" in auth and unix_seconds(auth["expires"]) is None:
        yield (*path, "expires"), "is no day of the calendar or time of the day"


def _headers(path: Path, auth: Mapping[str, Any], name: str, home: str) -> Iterator[Found]:
    seen = {"authorization"} if auth.keys() & {"bearer", "oauth"} else set()
    for header, text in auth.get("headers", {}).items():
        at = (*path, "headers", header)
        if header.lower() in _OURS:
            yield at, "is set by the exchange itself: remove it"
            continue
        if header.lower() in seen:
            yield at, "is set twice (bearer and oauth set Authorization; letter case makes no difference)"
        seen.add(header.lower())
        yield from reference_problem(at, text, "a credential", name, home)


def _oauth(path: Path, oauth: Mapping[str, Any], slug: str, home: str, *, private: bool) -> Iterator[Found]:
    if is_reference(oauth.get("client_id")):
        yield from reference_problem((*path, "client_id"), oauth["client_id"], "", f"{slug}-client-id", home)
    if "client_secret" in oauth:
        at, name = (*path, "client_secret"), f"{slug}-client-secret"
        yield from reference_problem(at, oauth["client_secret"], "a client secret", name, home)
    for key in ("client_id", "scope", "audience"):
        if key in oauth and not _PRINTABLE.fullmatch(oauth[key]):
            yield (*path, key), "must be printable ASCII, with single spaces at most"
    if "token_url" in oauth and (problem := address_problem(oauth["token_url"], private=private)):
        yield (*path, "token_url"), problem
    if "resource" in oauth and not _ABSOLUTE.fullmatch(oauth["resource"]):
        yield (*path, "resource"), "must be an absolute URI without a fragment, such as https://mcp.example.com/mcp"


def reference_problem(path: Path, text: str, what: str, name: str, home: str) -> Iterator[Found]:
    """What is wrong with a reference to `what`; `name` is proposed for one. The text is never repeated."""
    if text.startswith("env:"):
        yield path, f"env: works on the command line only: {store_it(name, home, path[-1])}"
    elif parse_reference(text) is not None:
        return
    elif text.startswith("ssm:"):
        form = "segments of letters, digits and _.-, each after a slash, at most 15"
        yield path, f"is not ssm:/path ({form}), as in ssm:/lookout/{name}"
    elif text.startswith("secret:") and "#" in text:
        yield path, f"is not secret:NAME#KEY (the KEY is of letters, digits and _.-), as in secret:{name}#token"
    elif text.startswith("secret:"):
        yield path, f"is not secret:NAME (letters, digits and /_+=.@-), as in secret:{name}"
    else:
        yield path, f"{what} must not stand in this file: {store_it(name, home, path[-1])}"


def store_it(name: str, home: str, key: str | int) -> str:
    """How to put a value where it belongs."""
    command = f"aws secretsmanager create-secret --region {home} --name {name} --secret-string file:///dev/stdin"
    return f"store it (`{command}`) and write `{key}: secret:{name}`"
