"""Active checks against real servers: they harm none, and find what the official suite finds."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from lookout.config.model import Server
from lookout.probe.client import probe_server
from lookout.probe.credential import ANONYMOUS, Credential
from lookout.probe.result import Era, ProbeResult
from lookout.probe.rules.registry import RULES

from tests.conformance import suite
from tests.matrix.conftest import BEARER, every, options, probe, settled
from tests.servers.real.catalogue import CONFIGURATIONS, MODERN, TOKEN, Configuration
from tests.servers.real.catalogue import NEWEST as NEWEST_HANDSHAKE
from tests.servers.real.fleet import Fleet

pytestmark = pytest.mark.matrix

LEGACY = [
    ("SESS-404", "server-session-lifecycle", "server-session-terminated-returns-404"),
    ("SEC-ORIGIN", "dns-rebinding-protection", "localhost-host-rebinding-rejected"),
    ("TOOL-NAME", "tools-list", "tools-name-format"),
]
NEWEST = [
    ("M-NEG-META", "server-stateless", "sep-2575-request-meta-invalid-missing-meta"),
    ("M-NEG-VERSION", "server-stateless", "sep-2575-http-server-unsupported-version-400"),
    ("M-NEG-MISMATCH", "http-header-validation", "sep-2243-server-reject-error-code"),
    ("RPC-METHOD-NOT-FOUND", "server-stateless", "sep-2575-http-server-method-not-found-404"),
    ("M-DISCOVER-MISSING", "server-stateless", "sep-2575-server-implements-discover"),
    ("M-SERVERINFO", "server-stateless", "sep-2575-server-identifies-in-result-meta"),
]
"""Our rule, the suite's scenario, and its check that asks the same."""
JUDGED = [
    c
    for c in CONFIGURATIONS
    if c.transport == "streamable-http" and not c.guarded and (c.package, c.version, c.serves) in {
        ("mcp", "1.30.0", "stateful"),
        ("mcp", "2.3.0", "stateless-json"),
        ("@modelcontextprotocol/sdk", "1.32.2", "stateful"),
        ("@modelcontextprotocol/server-everything", "2026.8.31", ""),
        ("@modelcontextprotocol/server", "2.4.0", "modern"),
        ("aiohttp-tiny-mcp", "0.5.8", "http"),
        ("mcp-lite", "0.10.0", "lite-stateful"),
    }
]  # fmt: skip


def asked(fleet: Fleet, configuration: Configuration, era: str) -> ProbeResult:
    """A probe whose owner asked for active checks."""
    server = Server("real", fleet.address(configuration), allow_private=True, active_checks=True)
    credential = Credential({"Authorization": f"Bearer {TOKEN}"}) if configuration.guarded else ANONYMOUS

    async def once() -> ProbeResult:
        deadline = asyncio.get_running_loop().time() + 30
        at_ms = time.time_ns() // 1_000_000
        return await probe_server(
            server, deadline=deadline, now_ms=lambda: at_ms, credential=credential, known_era=Era(era)
        )

    return asyncio.run(once())


@every(lambda c: c.detected and c.process != "supergateway")
def test_active_checks_harm_nobody(fleet: Fleet, configuration: Configuration) -> None:
    """Not even a gateway; the one left out starts a process for each of a dozen requests."""
    for era, version in configuration.forced.items():
        result = asked(fleet, configuration, era)
        assert (str(result.era), result.protocol_version) == (era, version), result
        assert result.tools_count == configuration.tools, result
        assert [finding for finding in result.findings if finding.severity == "error"] == [], result
        after = probe(fleet.address(configuration), *options(configuration, "--era", era), env=BEARER)
        assert after.result["tools"]["hash"] == result.tools_hash, after
    if configuration.keeps:
        held = settled(fleet, configuration)
        assert held["open"] == 0, f"{configuration}: {held}"


@pytest.mark.parametrize("configuration", JUDGED, ids=str)
def test_rules_agree_with_the_official_suite(fleet: Fleet, configuration: Configuration, tmp_path: Path) -> None:
    url = fleet.address(configuration)
    ours = {finding.rule for finding in asked(fleet, configuration, configuration.era).findings}
    table = NEWEST if configuration.era == "modern" else LEGACY
    version = MODERN if configuration.era == "modern" else NEWEST_HANDSHAKE
    table = [row for row in table if RULES[row[0]].applies(Era(configuration.era), configuration.protocol_version)]
    runs = {
        scenario: suite.try_server(url, scenario, version, tmp_path / scenario)
        for scenario in {row[1] for row in table}
    }
    for rule, scenario, check in table:
        verdicts = runs[scenario].checks.get(check)
        assert verdicts, f"{rule}: {scenario} made no check {check}:\n{runs[scenario].said}"
        assert (rule in ours) == bool({"FAILURE", "WARNING"} & set(verdicts)), f"{rule}: {ours} here, there {verdicts}"
