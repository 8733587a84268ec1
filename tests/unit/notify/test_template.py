from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lookout.notify.render import render
from lookout.notify.request import HttpRequest, Target
from lookout.notify.sinks.webhook import payload
from lookout.notify.template import ROOTS, fill, problems

from tests.contract.notify.sample import EVERY, HOSTILE, OPEN, OPENED, SITE

PAYLOAD = payload(OPEN, SITE)


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("{server.name} is {status}", "Acme Search is down"),
        ("{failure}", PAYLOAD["failure"]),
        ("{quorum.regions_failing}", 3),
        ("{quorum.regions_failing} of {quorum.regions_total}", "3 of 3"),
        ("{regions.1.city}", "Oregon"),
        ("{server.tags}", ["prod"]),
        ("tags {server.tags}", 'tags ["prod"]'),
        ("{drift}", None),
        ("drift: {drift}", "drift: "),
        ("{drift.class}", None),
        ("{regions.99.city}", None),
        ("{regions.city}", None),
        ("{status.x}", None),
        ("{{server}} }}{{", "{server} }{"),
        ("", ""),
        (7, 7),
        (None, None),
        (
            {"a": ["{status}", {"b": "{type}"}], "{status}": True},
            {"a": ["down", {"b": "incident.opened"}], "{status}": True},
        ),
    ],
)
def test_placeholders_become_values(template: Any, filled: Any) -> None:
    assert fill(template, PAYLOAD) == filled
    assert list(problems(template)) == []


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{", "has a brace alone: write {{ or }} for a brace"),
        ("a } b", "has a brace alone: write {{ or }} for a brace"),
        ("{}", "has '{}', which is no placeholder such as {server.name}"),
        ("{server.name!r}", "has '{server.name!r}', which is no placeholder such as {server.name}"),
        ("{server[name]}", "has '{server[name]}', which is no placeholder such as {server.name}"),
        ("{__class__}", "has '{__class__}', and lookout/v1 has no __class__"),
        ({"a": ["{host}"]}, "has '{host}', and lookout/v1 has no host"),
    ],
)
def test_what_is_no_placeholder_is_named(template: Any, problem: str) -> None:
    assert list(problems(template)) == [problem]


def test_a_path_may_begin_with_any_key_of_the_body_and_with_no_other() -> None:
    assert set(PAYLOAD) == ROOTS


@settings(deadline=None)
@given(st.text(), st.text())
def test_no_value_changes_the_shape_of_what_is_sent(value: str, name: str) -> None:
    """Whatever stands in the place of a value is that value after parsing, also one that looks like a placeholder."""
    template = {"title": "<{failure.message}>", "whole": "{failure.message}", "fixed": "x"}
    filled = json.loads(json.dumps(fill(template, {"failure": {"message": value, name: "{status}"}})))
    assert filled["title"] == f"<{filled['whole']}>"
    assert set(filled) == {"title", "whole", "fixed"}


@pytest.mark.parametrize("name", EVERY)
def test_a_template_is_what_a_webhook_sends(name: str) -> None:
    options = {
        "template": {"text": "{server.name}: {failure.message}", "all": "{quorum}"},
        "headers": {"X-Team": "search"},
    }
    made = render(EVERY[name], Target("webhook", "https://x.example", options=options), SITE, OPENED)
    assert isinstance(made, HttpRequest)
    told = json.loads(made.body)
    assert set(told) == {"text", "all"}
    assert made.headers["X-Team"] == "search"
    assert made.headers["webhook-id"] == EVERY[name].id


def test_the_flat_body_has_one_level() -> None:
    made = render(OPEN, Target("webhook", "https://x.example", options={"compat": "alivemcp"}), SITE, OPENED)
    assert isinstance(made, HttpRequest)
    assert json.loads(made.body) == {
        "event": "downtime_started",
        "server_slug": "acme-search",
        "timestamp": "2026-08-22T14:34:07Z",
        "probe_result": "down",
        "previous_status": "up",
        "probe_count": 3,
        "failure_layer": "jsonrpc",
        "last_error": "HTTP 502 from origin",
        "dashboard_url": f"{SITE}/status/acme-search/",
    }
    events = {}
    for name in ("resolved", "burn", "burn faster", "burn over", "drift", "updated", "hostile"):
        made = render(EVERY[name], Target("webhook", "https://x.example", options={"compat": "alivemcp"}), SITE, OPENED)
        assert isinstance(made, HttpRequest)
        events[name] = json.loads(made.body)["event"]
    assert events == {
        "resolved": "downtime_resolved",
        "burn": "slo_breach_warning",
        "burn faster": "slo_burn",
        "burn over": "slo_burn",
        "drift": "schema_drift_detected",
        "updated": "incident_updated",
        "hostile": "downtime_started",
    }
    assert HOSTILE.type == OPEN.type
