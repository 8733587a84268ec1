"""Reads what the local AWS serves under names like `bucket.s3-website.us-east-1.localhost`.

Browsers and curl know that everything under `localhost` is this machine; the resolver Python asks often does not.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit, urlunsplit

_DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Page:
    """What came back, whatever its status."""

    status: int
    content_type: str
    text: str


def get(url: str, timeout_s: float = 10.0) -> Page:
    """GET `url`, its host (localhost, 127.0.0.1 or *.localhost) taken to be this machine. Raises OSError."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "http" or not (host in ("127.0.0.1", "localhost") or host.endswith(".localhost")):
        raise OSError(f"{url} is not an address of this machine")
    place = urlunsplit(("http", f"127.0.0.1:{parts.port or 80}", parts.path or "/", parts.query, ""))
    request = urllib.request.Request(place, headers={"host": parts.netloc})  # noqa: S310 -- http, as checked above
    try:
        with _DIRECT.open(request, timeout=timeout_s) as answer:
            return Page(answer.status, answer.headers.get("content-type", ""), answer.read().decode(errors="replace"))
    except urllib.error.HTTPError as error:
        return Page(error.code, error.headers.get("content-type", ""), error.read().decode(errors="replace"))


def serves(url: str) -> bool:
    """Does `url` answer 200?"""
    try:
        return get(url).status == 200
    except OSError:
        return False
