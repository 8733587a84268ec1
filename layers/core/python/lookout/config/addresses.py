"""What may stand where an address is asked for. Pure: nothing is looked up."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from lookout.net import public_address


def address_problem(url: str, *, private: bool) -> str | None:
    """What is wrong with a URL, without repeating it; `private` allows http and addresses nobody outside can reach."""
    if re.search(r"[^\x21-\x7e]", url):
        return "must not contain spaces or characters beyond ASCII: percent-encode them (in a host name: xn--...)"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "is not a URL such as https://mcp.example.com/mcp"
    if parts.scheme not in ("http", "https") or not host or port == 0:
        return "must be a URL such as https://mcp.example.com/mcp"
    if "@" in parts.netloc:
        return "must not carry a user or password: they are secrets, and belong in one (auth; webhook: secret:NAME)"
    if parts.fragment:
        return "must not have a fragment (#...)"
    if private:
        return None
    if parts.scheme == "http":
        return "must be https: http is read by everybody on the way (it is allowed together with allow_private: true)"
    if _local(host):
        return "has a private or local address: add allow_private: true if that is meant"
    return None


def _local(host: str) -> bool:
    try:
        return not public_address(host)
    except ValueError:
        return host.lower().rstrip(".") == "localhost" or host.lower().rstrip(".").endswith(".localhost")
