"""Whose server is it: the registrable domain of an address. For the command line and `cdk synth`; not in Lambda."""

from __future__ import annotations

from functools import cache
from urllib.parse import urlsplit

from publicsuffixlist import PublicSuffixList


@cache
def _suffixes() -> PublicSuffixList:
    """The Public Suffix List that comes with the package: nothing is looked up. Its private part counts as well."""
    return PublicSuffixList()


def provider_of(url: str) -> str:
    """`https://mcp.acme.co.uk/mcp` -> `acme.co.uk`; an IP address, and a name that is itself a suffix, are themselves.

    Who hosts there is another each: of `one.github.io` it is `one.github.io`. Empty where the URL has no host.
    """
    host = (urlsplit(url).hostname or "").rstrip(".").lower()
    if ":" in host or host.replace(".", "").isdecimal():
        return host
    return _suffixes().privatesuffix(host) or host
