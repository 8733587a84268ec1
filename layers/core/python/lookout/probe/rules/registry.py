"""Every rule by id, and the one way to make a finding of it. A finding never makes a usable server down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from lookout.probe.quoting import quote
from lookout.probe.result import Finding
from lookout.probe.rules.catalogue import CATALOGUE
from lookout.probe.rules.rule import Rule, Severity

FINDINGS_LIMIT: Final = 20
"""Findings one set of rules gives at most."""

RULES: Final[Mapping[str, Rule]] = MappingProxyType({rule.id: rule for rule in CATALOGUE})
"""Every rule by id."""


def finding(rule_id: str, message: str, severity: Severity | None = None) -> Finding:
    """A finding of a rule. Raises KeyError for an unknown rule, ValueError for a severity it lacks: our bugs."""
    rule = RULES[rule_id]
    chosen = severity or rule.severity
    if chosen not in (rule.severity, *rule.also):
        raise ValueError(f"{rule_id} is never {chosen}")
    return Finding(rule_id, chosen, quote(message))


def distinct(findings: Iterable[Finding], limit: int = FINDINGS_LIMIT) -> list[Finding]:
    """Without repetitions, in order, `limit` at most."""
    return list(dict.fromkeys(findings))[:limit]
