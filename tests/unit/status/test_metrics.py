from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from lookout.status import metrics
from lookout.status.view import Snapshot
from lookout.surface.changes import Class
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse_text

from tests.unit.status import sample

PROMETHEUS_ACCEPT = (
    "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def series(snapshot: Snapshot, kind: str = metrics.TEXT) -> Series:
    parse = parse_open if kind == metrics.OPENMETRICS else parse_text
    out: Series = {}
    for family in parse(metrics.render(snapshot, kind).decode()):
        for s in family.samples:
            key = (s.name, tuple(sorted(s.labels.items())))
            assert key not in out
            out[key] = s.value
    return out


def test_both_formats_say_the_same() -> None:
    assert series(sample.snapshot(), metrics.TEXT) == series(sample.snapshot(), metrics.OPENMETRICS)
    assert metrics.render(sample.snapshot(), metrics.OPENMETRICS).endswith(b"# EOF\n")
    assert b"# EOF" not in metrics.render(sample.snapshot(), metrics.TEXT)


def get(found: Series, name: str, **labels: str) -> float | None:
    hits = [v for (n, ls), v in found.items() if n == name and set(labels.items()) <= set(ls)]
    assert len(hits) <= 1, hits
    return hits[0] if hits else None


def test_values() -> None:
    found = series(sample.snapshot())
    assert get(found, "probe_success", server="acme-search", region="eu-west-1") == 1
    assert get(found, "probe_success", server="acme-files", region="eu-west-1") == 0
    assert get(found, "probe_duration_seconds", server="acme-search", region="eu-west-1") == 0.143
    assert get(found, "mcp_server_up", server="acme-search") == 1
    assert get(found, "mcp_server_up", server="acme-files") == 0
    assert get(found, "mcp_server_status", server="acme-files", status="down") == 1
    assert get(found, "mcp_server_status", server="acme-files", status="up") == 0
    assert get(found, "mcp_probe_failed_info", server="acme-files", region="us-west-2", reason="http_5xx") == 1
    assert get(found, "mcp_probe_consecutive_failures", server="acme-files") == 24
    assert get(found, "mcp_protocol_version_info", server="acme-billing", era="modern") == 1
    assert get(found, "mcp_tools_count", server="acme-search") == 12
    assert get(found, "mcp_tools_hash_info", server="acme-search", region="us-west-2", hash="9f86d081884c") == 1
    drifts = {c: get(found, "mcp_tool_schema_drift_total", **{"server": "acme-search", "class": c}) for c in Class}
    assert drifts == {"breaking": 0, "risky": 2, "unknown": 0, "additive": 0, "cosmetic": 0}
    assert get(found, "mcp_uptime_ratio", server="acme-files", window="24h") == 1416 / 1440
    assert get(found, "mcp_coverage_ratio", server="weather", window="24h") == 1386 / 1440
    assert get(found, "mcp_slo_error_budget_remaining_ratio", server="acme-search", objective="0.999") == pytest.approx(
        0.668, abs=0.01
    )
    assert (
        get(found, "mcp_last_probe_timestamp_seconds", server="acme-search", region="us-west-2") == sample.MINUTE - 50
    )
    assert get(found, "mcp_monitor_region_last_success_timestamp_seconds", region="us-west-2") == sample.MINUTE
    assert get(found, "probe_ssl_earliest_cert_expiry", server="acme-search") == sample.NOW + 61 * 86400
    assert get(found, "mcp_credential_expiry_timestamp_seconds", server="acme-search") == sample.NOW + 40 * 86400
    assert get(found, "mcp_monitor_build_info", version="0.1.0") == 1
    assert get(found, "probe_success", instance="https://crm.partner.example/v1/mcp", region="us-west-2") == 1


def test_what_is_not_known_is_left_out() -> None:
    found = series(sample.snapshot())
    for name in ("probe_success", "mcp_server_up"):
        assert not [key for key in found if key[0] == name and ("server", "weather") in key[1]]
    newcomer = {name for name, labels in found if ("server", "newcomer") in labels}
    assert newcomer == {"mcp_server_status"}
    bare = replace(sample.snapshot(), servers=(), regions={"us-west-2": 0})
    assert {name for name, _ in series(bare, metrics.OPENMETRICS)} == {"mcp_monitor_build_info"}


@pytest.mark.parametrize("kind", [metrics.TEXT, metrics.OPENMETRICS])
def test_hostile_labels_are_escaped(kind: str) -> None:
    snap = sample.snapshot()
    first = snap.servers[0]
    bad = 'x"} 1\nmcp_server_up{server="forged"} 1 \\'
    view = replace(
        first, slug=bad, url="https://h/" + bad, state=first.state.with_(protocol_version=bad, tools_hash=bad)
    )
    found = series(replace(snap, servers=(view,), version=bad), kind)
    assert get(found, "mcp_server_up") == 1
    assert ("mcp_server_up", (("server", "forged"),)) not in found
    assert get(found, "mcp_server_up", server='x"} 1 mcp_server_up{server="forged"} 1 \\') == 1


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", metrics.TEXT),
        ("*/*", metrics.TEXT),
        ("text/html", metrics.TEXT),
        ("application/openmetrics-text", metrics.OPENMETRICS),
        ("application/openmetrics-text; version=1.0.0; charset=utf-8", metrics.OPENMETRICS),
        ("application/openmetrics-text;version=2.0.0,text/plain;q=0.5", metrics.TEXT),
        (PROMETHEUS_ACCEPT, metrics.OPENMETRICS),
        ("application/openmetrics-text;q=0.2, text/plain;q=0.9", metrics.TEXT),
        ("application/openmetrics-text;q=nonsense", metrics.TEXT),
    ],
)
def test_negotiation(accept: str, kind: str) -> None:
    assert metrics.negotiate(accept) == kind


def test_names_are_unique_and_none_is_a_servers_own() -> None:
    names = [family.name for family in metrics.FAMILIES]
    assert len(set(names)) == len(names)
    theirs = {
        "mcp_tool_call_duration_seconds",
        "mcp_tool_call_total",
        "mcp_initialize_duration_seconds",
        "mcp_active_sessions",
    }
    assert theirs.isdisjoint(names)


def test_the_reference_names_every_metric() -> None:
    text = (Path(__file__).parents[3] / "docs/reference/metrics.md").read_text()
    assert [family.name for family in metrics.FAMILIES if f"| `{family.name}` |" not in text] == []
