"""The probe against real servers made by others: each is up, in its own era, with no finding of severity error."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from lookout.config.model import Server
from lookout.probe.client import probe_server
from lookout.probe.credential import ANONYMOUS, Credential
from lookout.probe.result import Era, ProbeResult, Reason, Status

from tests.matrix.conftest import BEARER, Probed, every, options, probe, settled
from tests.servers.real.catalogue import CONFIGURATIONS, TOKEN, Configuration
from tests.servers.real.fleet import Fleet

pytestmark = pytest.mark.matrix

KEYS = {
    "url", "status", "era", "protocol_version", "transport", "server", "layer", "reason", "message", "findings",
    "timings_ms", "tls", "tools", "http_status",
}  # fmt: skip
PROBES = 10
PROBES_OF_GATEWAYS = 3
"""A gateway starts a process per session."""
SILENT_STREAMS = ("mcp-lite", "@modelcontextprotocol/server")
"""Where a wrongly remembered HTTP+SSE is tried too. On the others a GET opens a stream on which nothing comes for five
seconds, which `test_is_up_when_a_stream_is_remembered_that_says_nothing` waits for once."""


def assert_up(probed: Probed, configuration: Configuration, era: str, version: str) -> None:
    """Up, as it should be spoken to, and nothing held against it that is not so.

    Slow is not what is asked here: all of them share this machine's cores.
    """
    result = probed.result
    words = f"{configuration}: {result}"
    if result["reason"] == "slow":
        assert (result["status"], probed.exit_code) == ("degraded", 3), words
    else:
        assert (result["status"], probed.exit_code) == ("up", 0), words
        assert (result["layer"], result["reason"], result["message"]) == (None, None, ""), words
    assert (result["era"], result["protocol_version"]) == (era, version), words
    assert result["transport"] == configuration.transport, words
    assert result["tools"]["count"] == configuration.tools, words
    assert result["tools"]["hash"], words
    assert probed.errors == [], words
    assert result["server"]["name"], words
    assert set(result) >= KEYS, words
    assert {"tcp", "total", "discover" if era == "modern" else "initialize", "tools_list"} <= set(result["timings_ms"])


@every(lambda c: True)
def test_is_up_in_its_own_era(fleet: Fleet, configuration: Configuration) -> None:
    probed = probe(fleet.address(configuration), *options(configuration), env=BEARER)
    assert_up(probed, configuration, configuration.era, configuration.protocol_version)


@pytest.mark.parametrize(
    ("configuration", "era"),
    [pytest.param(c, era, id=f"{c} as {era}") for c in CONFIGURATIONS for era in c.forced],
)
def test_is_up_in_each_era_it_speaks(fleet: Fleet, configuration: Configuration, era: str) -> None:
    probed = probe(fleet.address(configuration), *options(configuration, "--era", era), env=BEARER)
    assert_up(probed, configuration, era, configuration.forced[era])


@pytest.mark.parametrize(
    ("configuration", "era"),
    [
        pytest.param(c, era, id=f"{c} remembered as {era}")
        for c in CONFIGURATIONS
        for era in ("modern", "legacy", "sse")
        if era not in c.forced and c.detected and (era != "sse" or c.package in SILENT_STREAMS)
    ],
)
def test_is_up_when_a_wrong_era_is_remembered(fleet: Fleet, configuration: Configuration, era: str) -> None:
    """An upgraded server, or a replaced one: the era that was remembered is found anew."""
    result = remembering(fleet, configuration, era)
    assert result.status is Status.UP or result.reason is Reason.SLOW, result
    assert (str(result.era), result.protocol_version) == (configuration.era, configuration.protocol_version), result
    assert [finding for finding in result.findings if finding.severity == "error"] == [], result


@every(lambda c: (c.package, c.version, c.serves) == ("mcp", "1.30.0", "stateless"))
def test_is_up_when_a_stream_is_remembered_that_says_nothing(fleet: Fleet, configuration: Configuration) -> None:
    """Five seconds without the endpoint event, and then what any first contact does."""
    result = remembering(fleet, configuration, "sse")
    assert (result.status, result.reason) == (Status.DEGRADED, Reason.SLOW), result
    assert (str(result.era), result.protocol_version) == ("legacy", configuration.protocol_version), result


def remembering(fleet: Fleet, configuration: Configuration, era: str) -> ProbeResult:
    """A probe as a function's is: with the era an earlier one found."""
    server = Server("real", fleet.address(configuration), allow_private=True)
    credential = Credential({"Authorization": f"Bearer {TOKEN}"}) if configuration.guarded else ANONYMOUS

    async def once() -> ProbeResult:
        deadline = asyncio.get_running_loop().time() + 30
        now_ms = lambda: time.time_ns() // 1_000_000  # noqa: E731 -- one use
        return await probe_server(server, deadline=deadline, now_ms=now_ms, credential=credential, known_era=Era(era))

    return asyncio.run(once())


@every(lambda c: c.guarded)
def test_a_guarded_server_wants_a_credential_and_says_when_it_is_wrong(
    fleet: Fleet, configuration: Configuration
) -> None:
    url = fleet.address(configuration)
    without = probe(url)
    assert (without.result["status"], without.exit_code) == ("auth_required", 0)
    assert without.result["http_status"] == 401
    assert without.errors == []
    wrong = probe(url, "--bearer-env", "LOOKOUT_TEST_TOKEN", env={"LOOKOUT_TEST_TOKEN": "not-that-one"})
    assert (wrong.result["status"], wrong.exit_code) == ("credential_rejected", 1)
    assert "not-that-one" not in str(wrong.result)


def test_the_same_tools_on_one_page_or_several_have_one_hash(fleet: Fleet) -> None:
    for configuration in (c for c in CONFIGURATIONS if c.moods):
        url = fleet.address(configuration)
        whole = probe(url, "--era", configuration.era)
        fleet.watched(configuration, "paged")
        paged = probe(url, "--era", configuration.era)
        fleet.watched(configuration, "ok")
        assert whole.result["tools"] == paged.result["tools"], configuration
        assert (paged.result["status"], paged.errors) == ("up", []), f"{configuration}: {paged.result}"


@every(lambda c: c.keeps and c.detected)
def test_no_session_is_left_open(fleet: Fleet, configuration: Configuration, record_property: Any) -> None:
    url = fleet.address(configuration)
    probes = PROBES_OF_GATEWAYS if configuration.package == "supergateway" else PROBES
    for _ in range(probes):
        assert probe(url, *options(configuration), env=BEARER).result["tools"]["count"] == configuration.tools
    if "legacy" in configuration.forced and configuration.era != "legacy":
        for _ in range(probes):
            legacy = probe(url, *options(configuration, "--era", "legacy"), env=BEARER)
            assert legacy.result["tools"]["count"] == configuration.tools
    after = probe(url, *options(configuration), env=BEARER)
    assert after.result["tools"]["count"] == configuration.tools, f"it did not survive: {after.result}"
    held = settled(fleet, configuration)
    record_property("sessions", held)
    assert held["open"] == 0, f"{configuration}: {held}"
    assert held.get("in_flight", 0) == 0, f"{configuration}: {held}"


@every(lambda c: c.moods and (c.keeps or c.era == "sse"))
def test_no_session_is_left_open_when_the_list_fails_or_never_comes(fleet: Fleet, configuration: Configuration) -> None:
    url = fleet.address(configuration)
    era = "legacy" if "legacy" in configuration.forced else configuration.era
    try:
        fleet.watched(configuration, "fail")
        failed = probe(url, "--era", era)
        assert (failed.result["status"], failed.result["reason"]) == ("down", "list_failed"), failed.result
        fleet.watched(configuration, "hang")
        late = probe(url, "--era", era, "--timeout", "1")
        assert (late.result["status"], late.result["reason"]) == ("down", "deadline"), late.result
    finally:
        fleet.watched(configuration, "ok")
    after = probe(url, "--era", era)
    assert after.result["tools"]["count"] == configuration.tools, f"it did not survive: {after.result}"
    held = settled(fleet, configuration)
    assert (held.get("open", 0), held["in_flight"]) == (0, 0), f"{configuration}: {held}"
