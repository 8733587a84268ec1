"""What breaks the specification is always shown: on the page, to machines and to agents."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from lookout.probe.result import Era, Finding, ProbeResult, Status
from lookout.status import api_json, markdown
from lookout.status.conformance import breaches
from lookout.status.pages import render_site
from lookout.verdict.state import ServerState

from tests.unit.status import sample


def server(snapshot: Any, slug: str) -> Any:
    return next(view for view in snapshot.servers if view.slug == slug)


def test_errors_come_first_and_a_rule_that_is_gone_is_left_out() -> None:
    state = ServerState("x", findings=("wTOOL-NAME", "eRPC-ID-RESULT", "wGONE", "TOOL-DUP-NAME"))
    found = [(breach.severity, breach.rule) for breach in breaches(state)]
    assert found == [("", "TOOL-DUP-NAME"), ("error", "RPC-ID-RESULT"), ("warning", "TOOL-NAME")]
    assert all(breach.meaning.endswith(".") and breach.section for breach in breaches(state))


def test_a_rounds_packing_keeps_rule_and_severity_and_leaves_out_what_is_only_info() -> None:
    findings = (
        Finding("RPC-ID-RESULT", "error", "words"),
        Finding("TOOL-NAME", "warning", "words"),
        Finding("RPC-ID-ERROR", "info", "words"),
    )
    result = ProbeResult("x", Status.UP, 0, era=Era.LEGACY, findings=findings)
    kept = ProbeResult.from_compact(json.loads(json.dumps(result.compact()))).findings
    assert kept == (Finding("RPC-ID-RESULT", "error", ""), Finding("TOOL-NAME", "warning", ""))


def test_page_json_and_markdown_say_it() -> None:
    snapshot = sample.snapshot()
    view = server(snapshot, "acme-search")
    page = next(p for p in render_site(snapshot, sample.NOW) if p.path == "status/acme-search/index.html").body.decode()
    for part in (
        "Where it departs from the specification",
        "RPC-ID-RESULT",
        "TOOL-NAME",
        "A result carries another id",
    ):
        assert part in page
    assert "GONE-SINCE" not in page
    assert api_json._server(snapshot, view)["conformance"] == [
        {"rule": "RPC-ID-RESULT", "severity": "error"},
        {"rule": "TOOL-NAME", "severity": "warning"},
    ]
    assert "- error `RPC-ID-RESULT`: " in markdown.server(snapshot, view, sample.NOW).decode()
    clean = replace(view, state=view.state.with_(findings=()))
    assert "specification" not in markdown.server(snapshot, clean, sample.NOW).decode()
