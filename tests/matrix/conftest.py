"""The fleet of real servers, and the command line that probes them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from click.testing import CliRunner
from lookout.cli.main import cli

from tests.servers.real import install
from tests.servers.real.catalogue import CONFIGURATIONS, PROCESSES, TOKEN, Configuration
from tests.servers.real.fleet import Fleet

BEARER = {"LOOKOUT_TEST_TOKEN": TOKEN}


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Every real server, installed and started; what cannot be is a failure, here and in CI."""
    install.everything()
    running = Fleet(PROCESSES, tmp_path_factory.mktemp("fleet"))
    try:
        yield running
    finally:
        running.stop()


@dataclass(frozen=True)
class Probed:
    """What `lookout probe --json` said."""

    exit_code: int
    result: dict[str, Any]

    @property
    def errors(self) -> list[dict[str, Any]]:
        """Findings of severity error."""
        return [finding for finding in self.result["findings"] if finding["severity"] == "error"]


def probe(url: str, *options: str, env: dict[str, str] | None = None) -> Probed:
    """Probe as a person does on the command line."""
    done = CliRunner().invoke(cli, ["probe", url, "--json", *options], env=env)
    assert done.exit_code in (0, 1, 3), f"{done.output}\n{done.exception!r}"
    return Probed(done.exit_code, json.loads(done.stdout))


def every(which: Callable[[Configuration], Any]) -> Any:
    """Parametrise over the configurations `which` is true of."""
    found = [configuration for configuration in CONFIGURATIONS if which(configuration)]
    return pytest.mark.parametrize("configuration", found, ids=str)


def settled(fleet: Fleet, configuration: Configuration) -> dict[str, Any]:
    """What the server holds open, once it has noticed that we are gone."""
    deadline = time.monotonic() + 5
    while True:
        held = fleet.watched(configuration)
        if not (held.get("open") or held.get("in_flight")) or time.monotonic() > deadline:
            return held
        time.sleep(0.02)


def options(configuration: Configuration, *more: str) -> tuple[str, ...]:
    """Options a probe of this server needs: its token, and its era where detection would kill it."""
    guard = ("--bearer-env", "LOOKOUT_TEST_TOKEN") if configuration.guarded else ()
    era = () if configuration.detected or "--era" in more else ("--era", configuration.era)
    return (*guard, *era, *more)
