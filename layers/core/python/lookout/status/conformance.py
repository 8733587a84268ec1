"""What a server's answers break of the specification, as pages and machines show it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from lookout import PROJECT_URL
from lookout.probe.result import Finding
from lookout.probe.rules.registry import RULES
from lookout.verdict.state import ServerState

RULES_URL = f"{PROJECT_URL}/blob/main/docs/reference/rules.md"


@dataclass(frozen=True, slots=True)
class Breach:
    """One rule that is broken: `severity` error or warning, `meaning` one sentence, `section` of the specification."""

    rule: str
    severity: str
    meaning: str
    section: str


def breaches(state: ServerState) -> list[Breach]:
    """Errors first; a rule this version no longer knows is left out."""
    found = [Finding.from_code(code) for code in state.findings]
    known = [(RULES[f.rule], f.severity) for f in found if f.rule in RULES]
    out = [Breach(rule.id, severity, rule.meaning, rule.section) for rule, severity in known]
    return sorted(out, key=lambda breach: (breach.severity, breach.rule))
