"""docs/compatibility.md lists what the matrix and the conformance suite run, at the versions that are locked."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest
import yaml

from tests.conformance.scenarios import OTHERS, PROBER
from tests.servers.real.catalogue import CONFIGURATIONS, PROCESSES, Configuration
from tests.unit.docs.pages import ROOT, read

PAGE = read("docs/compatibility.md")
REAL = ROOT / "tests" / "servers" / "real"
NODE = json.loads((REAL / "node" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
ENVIRONMENTS = {process.name: process.environment for process in PROCESSES}


def row(configuration: Configuration) -> str:
    """A configuration's row in the table of servers."""
    found = f"{configuration.era}, {configuration.protocol_version}" + ("" if configuration.detected else " (told)")
    others = [f"{era}, {version}" for era, version in configuration.forced.items() if era != configuration.era]
    sessions = "none left" if configuration.keeps else ""
    cells = [configuration.package, configuration.version, configuration.mode, found, "; ".join(others), sessions]
    return "| " + " | ".join(cells) + " |"


def table(heading: str) -> list[str]:
    """The rows of the table under a heading, without its head."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\|.*\|$", section, re.MULTILINE)[2:]


def test_the_table_of_servers_is_what_the_matrix_probes() -> None:
    expected = [row(configuration) for configuration in CONFIGURATIONS]
    assert table("Servers") == expected, "\n".join(["the table should be", *expected])


def test_no_configuration_is_listed_twice() -> None:
    assert Counter(map(str, CONFIGURATIONS)).most_common(1)[0][1] == 1


def test_every_process_is_probed() -> None:
    assert {configuration.process for configuration in CONFIGURATIONS} == set(ENVIRONMENTS)


@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=str)
def test_versions_are_the_locked_ones(configuration: Configuration) -> None:
    name = configuration.package.split(" (")[0]
    environment = ENVIRONMENTS[configuration.process]
    if environment == "node":
        assert NODE[f"node_modules/{name}"]["version"] == configuration.version
    else:
        lock = (REAL / "environments" / f"{environment}.txt").read_text(encoding="utf-8")
        assert f"\n{name}=={configuration.version} " in f"\n{lock}"


@pytest.mark.parametrize("path", sorted((REAL / "environments").glob("*.txt")), ids=lambda path: path.stem)
def test_environments_are_locked_by_hash_and_name_no_host(path: object) -> None:
    text = (REAL / "environments" / str(path)).read_text(encoding="utf-8")
    assert "://" not in text
    entries = re.split(r"\n(?=\S)", text.strip())
    assert [entry.split(" ")[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_node_packages_are_locked_by_hash_and_name_no_host() -> None:
    wanted = json.loads((REAL / "node" / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert all(re.fullmatch(r"[0-9][\w.-]*", version) for version in wanted.values())
    installed = {name: entry for name, entry in NODE.items() if name}
    assert [name for name, entry in installed.items() if "integrity" not in entry or "resolved" in entry] == []


def test_the_tables_of_scenarios_are_what_the_suite_runs_and_what_it_does_not() -> None:
    names = list(dict.fromkeys((scenario.name, scenario.shows) for scenario in PROBER))
    versions = {name: [s.version or "extension" for s in PROBER if s.name == name] for name, _ in names}
    expected = [f"| `{name}` | {', '.join(versions[name])} | {shows} |" for name, shows in names]
    assert table("Scenarios that apply") == expected, "\n".join(["the table should be", *expected])
    expected = [f"| `{name}` | {why} |" for name, why in OTHERS.items()]
    assert table("Scenarios that do not") == expected, "\n".join(["the table should be", *expected])


def test_every_check_that_is_expected_to_fail_is_named() -> None:
    baseline = yaml.safe_load(read("tests/conformance/expected-failures.yml"))["client"]
    assert [entry for entry in baseline if f"`{entry}`" not in PAGE] == []
