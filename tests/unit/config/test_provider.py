"""Whose server is it: registrable domains, without the network."""

from __future__ import annotations

import pytest
from lookout.config.provider import provider_of


@pytest.mark.parametrize(
    ("url", "provider"),
    [
        ("https://mcp.acme.dev/mcp", "acme.dev"),
        ("https://eu.mcp.acme.co.uk:8443/mcp?x=1", "acme.co.uk"),
        ("https://MCP.Acme.DEV./mcp", "acme.dev"),
        ("https://a.b.github.io/", "b.github.io"),
        ("https://search.acme.workers.dev/mcp", "acme.workers.dev"),
        ("https://acme.fly.dev/mcp", "acme.fly.dev"),
        ("https://github.io/", "github.io"),
        ("https://www.ck/", "www.ck"),
        ("https://mcp.xn--85x722f.xn--55qx5d.cn/", "xn--85x722f.xn--55qx5d.cn"),
        ("http://localhost:3000/mcp", "localhost"),
        ("https://mcp.corp.internal/", "corp.internal"),
        ("https://203.0.113.5/mcp", "203.0.113.5"),
        ("https://[2001:DB8::1]:8443/mcp", "2001:db8::1"),
        ("file:///mcp", ""),
    ],
)
def test_the_provider_of_an_address(url: str, provider: str) -> None:
    assert provider_of(url) == provider
