"""The official conformance suite, with our probe as the client."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.conformance import suite
from tests.conformance.scenarios import OTHERS, PROBER, Scenario
from tests.servers.real import install

pytestmark = pytest.mark.matrix


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    """The suite and the Node it runs on."""
    install.everything()


@pytest.mark.parametrize("scenario", PROBER, ids=str)
def test_the_probe_passes(scenario: Scenario, tmp_path: Path) -> None:
    client = suite.PROBE_WITH_CREDENTIALS if scenario.credentials else suite.PROBE
    if scenario.call is not None:
        client = [*client, "--call", scenario.call[0], "--arguments", scenario.call[1]]
    ran = suite.try_client(client, scenario.name, scenario.version, tmp_path)
    assert ran.code == 0, ran.said
    assert json.loads(ran.printed)["status"] == scenario.status, ran.printed
    assert any("SUCCESS" in statuses for statuses in ran.checks.values()), ran.said


def test_every_scenario_of_the_suite_is_accounted_for() -> None:
    named = {scenario.name for scenario in PROBER}
    assert suite.client_scenarios() == named | set(OTHERS)
    assert not named & set(OTHERS)


def test_the_baseline_is_of_scenarios_that_are_run() -> None:
    entries = yaml.safe_load(suite.BASELINE.read_text(encoding="utf-8"))["client"]
    assert {entry.split(":")[0] for entry in entries} <= {scenario.name for scenario in PROBER}
