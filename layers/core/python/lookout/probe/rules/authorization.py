"""Protected-resource metadata, as an MCP client needs it (MCP, Authorization; RFC 9728)."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from lookout.probe.result import Finding
from lookout.probe.rules.registry import finding
from lookout.probe.rules.words import described

_WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"
_NAMED: Final = re.compile(r"""\bresource_metadata\s*=\s*(?:"([^"]{1,2000})"|([^\s,"]{1,2000}))""", re.IGNORECASE)
_PORTS: Final = {"http": 80, "https": 443}


def metadata_urls(endpoint_url: str, challenge: str) -> tuple[list[str], bool]:
    """Where to look for the metadata of an endpoint, in order, and whether its WWW-Authenticate named the place.

    Only addresses on the endpoint's own origin: what a server names elsewhere is not fetched, and not judged.
    """
    parts = urlsplit(endpoint_url)
    origin = f"{parts.scheme}://{parts.netloc}"
    if "resource_metadata" not in challenge:
        path = parts.path.rstrip("/")
        return list(dict.fromkeys((f"{origin}{_WELL_KNOWN}{path}", f"{origin}{_WELL_KNOWN}"))), False
    named = _NAMED.search(challenge[:8192])
    url = (named[1] or named[2]) if named else ""
    return ([url] if url.startswith(origin + "/") and url.isascii() and url.isprintable() else []), True


def check_prm(endpoint_url: str, document: Any, named: bool = True) -> list[Finding]:
    """Judge the metadata of the endpoint: the parsed JSON document, or None where there was none or it was no JSON.

    `named`: WWW-Authenticate said where it is. What nobody named and nobody found is the fault of the 401 itself.
    """
    if document is None and not named:
        message = "a 401 names no resource_metadata in WWW-Authenticate, and no well-known address has it"
        return [finding("AUTH-WWW-AUTHENTICATE", message)]
    if document is None:
        return [finding("AUTH-PRM", "the protected-resource metadata that WWW-Authenticate names is not to be had")]
    if not isinstance(document, dict):
        return [finding("AUTH-PRM", f"the protected-resource metadata is {described(document)}, not an object")]
    found = []
    resource = document.get("resource")
    if not isinstance(resource, str) or not _covers(resource, endpoint_url):
        message = f"the protected-resource metadata is of {described(resource)}, not of this endpoint"
        found.append(finding("AUTH-PRM", message))
    servers = document.get("authorization_servers")
    if not isinstance(servers, list) or not servers or not all(isinstance(each, str) for each in servers):
        found.append(finding("AUTH-PRM", "the protected-resource metadata names no authorization_servers"))
    return found


def _covers(resource: str, endpoint: str) -> bool:
    """The same resource, or the one above it: clients accept a parent path of the same origin."""
    try:
        whole, part = urlsplit(resource), urlsplit(endpoint)
        if _origin(whole) != _origin(part):
            return False
    except ValueError:
        return False
    parent = whole.path.rstrip("/") + "/"
    return whole.query in ("", part.query) and (part.path.rstrip("/") + "/").startswith(parent)


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or _PORTS.get(url.scheme)
