"""examples/alertmanager routes by labels Lookout sends, and its rules ask for metrics Lookout and servers have."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml
from lookout.notify.sinks.alertmanager import NAMES, labels

from tests.unit.docs.pages import names, read, rows

FOLDER = "examples/alertmanager"
ROUTING = yaml.safe_load(read(f"{FOLDER}/alertmanager.yml"))
RULES = yaml.safe_load(read(f"{FOLDER}/rules.yml"))["groups"][0]["rules"]
PROMETHEUS = yaml.safe_load(read(f"{FOLDER}/prometheus.yml"))
OUTSIDE = labels("availability", "acme-search", "jsonrpc")


def matches(matchers: list[str], alert: dict[str, str]) -> bool:
    """As Alertmanager reads `name="value"` and `name!="value"`."""
    for matcher in matchers:
        found = re.fullmatch(r'(\w+)(!?=)"([^"]*)"', matcher)
        assert found, matcher
        if (alert.get(found[1], "") == found[3]) != (found[2] == "="):
            return False
    return True


def receiver(alert: dict[str, str]) -> str:
    """Who is told: the first route that matches."""
    route = ROUTING["route"]
    name: str = next((one["receiver"] for one in route["routes"] if matches(one["matchers"], alert)), route["receiver"])
    return name


def test_outside_and_inside_are_told_apart() -> None:
    assert receiver(OUTSIDE) == "outside-page"
    assert receiver(labels("drift", "acme-search", None)) == "outside"
    told = {rule["alert"]: receiver({**rule["labels"], "alertname": rule["alert"]}) for rule in RULES}
    assert told == {"MCPToolCallsFail": "inside", "MCPExporterDown": "inside-page", "LookoutSilent": "inside-page"}
    assert {one["name"] for one in ROUTING["receivers"]} == {"inside", "inside-page", "outside", "outside-page"}


def test_an_outage_seen_from_outside_silences_inside_symptoms_of_its_server_alone() -> None:
    (rule,) = ROUTING["inhibit_rules"]
    inside = {"alertname": "MCPToolCallsFail", "source": "internal", "severity": "warning", "server": "acme-search"}
    assert matches(rule["source_matchers"], OUTSIDE)
    assert matches(rule["target_matchers"], inside)
    assert not matches(rule["target_matchers"], {**inside, "severity": "critical"})
    assert not matches(rule["target_matchers"], OUTSIDE)
    assert rule["equal"] == ["server"]


def test_names_in_it_are_those_that_are_sent_and_measured() -> None:
    sent = set(re.findall(r'alertname="(\w+)"', json.dumps(ROUTING).replace('\\"', '"')))
    assert sent <= set(NAMES.values())
    documented = {name for row in rows(read("docs/reference/metrics.md")) for name in names(row[0])}
    asked = {word for rule in RULES for word in re.findall(r"\bmcp_\w+", rule["expr"])}
    servers_own = {"mcp_tool_call_total"}
    assert asked - servers_own <= documented


def test_the_parts_are_put_together() -> None:
    jobs: Any = {job["job_name"] for job in PROMETHEUS["scrape_configs"]}
    assert jobs == {"mcp", "lookout"}
    assert PROMETHEUS["rule_files"] == ["rules.yml"]
    services = yaml.safe_load(read(f"{FOLDER}/compose.yml"))["services"]
    mounted = {volume.split(":")[0] for service in services.values() for volume in service["volumes"]}
    assert {"./alertmanager.yml", "./prometheus.yml", "./rules.yml"} <= mounted
