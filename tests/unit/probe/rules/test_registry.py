"""The rules, their page and their test servers are the same list."""

from __future__ import annotations

import re

import pytest
from lookout.probe.result import Era
from lookout.probe.rules import RULES, Rule, distinct, finding
from lookout.probe.versions import KNOWN

from tests.servers.rules import BREACHES
from tests.unit.docs.pages import read, rows, section

PAGE = read("docs/reference/rules.md")
ROWS = {cells[0].strip("`"): cells for cells in rows(PAGE)}


def versions(rule: Rule) -> str:
    """The versions of a rule as the page says them."""
    first, last = KNOWN.index(rule.versions[0]), KNOWN.index(rule.versions[-1])
    if rule.versions != KNOWN[first : last + 1]:
        return "all but " + ", ".join(version for version in KNOWN if version not in rule.versions)
    if len(rule.versions) == 1:
        return rule.versions[0]
    if last == len(KNOWN) - 1:
        return f"from {rule.versions[0]}" if first else "all"
    return f"{rule.versions[0]} to {rule.versions[-1]}" if first else f"to {rule.versions[-1]}"


def test_the_page_has_every_rule_and_no_other() -> None:
    assert set(ROWS) == set(RULES)
    assert len(rows(PAGE)) == len(RULES)


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_the_page_says_of_a_rule_what_the_code_says(rule: Rule) -> None:
    levels = ", ".join((rule.severity, *rule.also))
    assert ROWS[rule.id] == [f"`{rule.id}`", levels, versions(rule), rule.meaning, rule.section]
    assert (f"`{rule.id}`" in section(PAGE, "## Active checks").split("\n|", 1)[1]) == (rule.kind == "active")


def test_every_rule_named_in_the_page_is_a_rule() -> None:
    named = set(re.findall(r"`([A-Z]+(?:-[A-Z0-9]+)+)`", PAGE))
    assert named == set(RULES)


def test_every_rule_has_a_server_that_breaks_it_and_every_server_a_rule() -> None:
    assert set(BREACHES) == set(RULES)
    assert {rule for rule, breach in BREACHES.items() if breach.active} == {
        rule.id for rule in RULES.values() if rule.kind == "active"
    }


def test_a_rule_is_held_against_its_own_versions_and_transports() -> None:
    rule = RULES["SESS-CHARSET"]
    assert rule.applies(Era.LEGACY, "2025-06-18")
    assert not rule.applies(Era.LEGACY, "2024-11-05")
    assert not rule.applies(Era.SSE, "2025-06-18")
    assert not rule.applies(None, None)
    assert RULES["RPC-BOTH"].applies(None, None)
    assert RULES["RPC-BOTH"].applies(None, "2031-01-01")


def test_a_finding_has_a_severity_of_its_rule_and_a_quoted_message() -> None:
    assert finding("RPC-JSON", "a\x1b[31m\nb").message == "a [31m b"
    assert finding("RPC-JSON", "x", "warning").severity == "warning"
    with pytest.raises(ValueError, match="RPC-BOTH is never info"):
        finding("RPC-BOTH", "x", "info")
    with pytest.raises(KeyError):
        finding("NO-SUCH-RULE", "x")


def test_findings_are_told_once_and_not_without_end() -> None:
    every = [finding("RPC-BOTH", str(index % 30)) for index in range(90)]
    assert [each.message for each in distinct(every)] == [str(index) for index in range(20)]
