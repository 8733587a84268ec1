"""Conformance: what one server's answers show of how well it keeps to the specification. Pure, sans-I/O.

Every rule is in `RULES`, described in docs/reference/rules.md, and broken by one test server of its own. A check takes
what the exchange received and returns findings; it never raises, whatever a server sent, and never fetches anything.
"""

from lookout.probe.rules.active import ActiveCheck, active_checks
from lookout.probe.rules.authorization import check_prm, metadata_urls
from lookout.probe.rules.lifecycle import (
    check_capabilities,
    check_discover,
    check_endpoint_event,
    check_fallback,
    check_initialize,
    check_redirect,
)
from lookout.probe.rules.pages import check_pages
from lookout.probe.rules.registry import RULES, distinct, finding
from lookout.probe.rules.reply import check_reply, names_metadata
from lookout.probe.rules.rule import Rule
from lookout.probe.rules.tools import check_inner_schemas, check_tools

__all__ = [
    "RULES",
    "ActiveCheck",
    "Rule",
    "active_checks",
    "check_capabilities",
    "check_discover",
    "check_endpoint_event",
    "check_fallback",
    "check_initialize",
    "check_inner_schemas",
    "check_pages",
    "check_prm",
    "check_redirect",
    "check_reply",
    "check_tools",
    "distinct",
    "finding",
    "metadata_urls",
    "names_metadata",
]
