"""PagerDuty and Opsgenie: every payload by the documented fields of their APIs, written down as JSON Schema."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from lookout.notify.facts import Phase, phase
from lookout.notify.render import render
from lookout.notify.request import HttpRequest, Target
from lookout.notify.words import just_taken
from lookout.verdict.case import Notice

from tests.contract.notify.sample import (
    ACKNOWLEDGED,
    BACK,
    BURN,
    DRIFT,
    EVERY,
    HOSTILE,
    MAINTENANCE,
    OPEN,
    OPENED,
    RESOLVED,
    SITE,
    STALE,
    TEST,
    UPDATED,
)
from tests.contract.notify.targets import body, posted

SCHEMAS = Path(__file__).parent / "schemas"


def schema(name: str) -> Any:
    found = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found, format_checker=jsonschema.FormatChecker())


assert ACKNOWLEDGED.incident is not None
AFTERWARDS = replace(ACKNOWLEDGED, incident=ACKNOWLEDGED.incident.noting(OPENED + 120, "updated"))
ALERT, CHANGE = schema("pagerduty-alert"), schema("pagerduty-change")
CREATE, CLOSE = schema("opsgenie-create"), schema("opsgenie-close")


@pytest.mark.parametrize("name", EVERY)
def test_pagerduty_takes_every_notice(name: str) -> None:
    made = posted(EVERY[name], "pagerduty")
    assert len(made.body) <= 512 * 1024
    validator = {"/v2/enqueue": ALERT, "/v2/change/enqueue": CHANGE}[
        made.url.removeprefix("https://events.pagerduty.com")
    ]
    validator.validate(json.loads(made.body))


@pytest.mark.parametrize(
    ("notice", "action"),
    [
        (OPEN, "trigger"),
        (UPDATED, "trigger"),
        (AFTERWARDS, "trigger"),
        (ACKNOWLEDGED, "acknowledge"),
        (RESOLVED, "resolve"),
        (STALE, "trigger"),
        (BACK, "resolve"),
        (DRIFT, "trigger"),
        (BURN, "trigger"),
        (TEST, "trigger"),
    ],
)
def test_what_pagerduty_is_asked_to_do(notice: Notice, action: str) -> None:
    made = body(notice, "pagerduty")
    assert (made["event_action"], made["dedup_key"]) == (action, notice.dedup_key)
    assert made["routing_key"] == "r" * 32


def test_news_are_change_events_which_call_nobody() -> None:
    assert posted(MAINTENANCE, "pagerduty").url == "https://events.pagerduty.com/v2/change/enqueue"
    assert body(MAINTENANCE, "pagerduty")["payload"]["summary"] == "[EXTERNAL] Maintenance of 30 servers has begun"


def test_pagerduty_reads_well() -> None:
    payload = body(OPEN, "pagerduty")["payload"]
    assert payload["summary"] == "[EXTERNAL] Acme Search is DOWN from 3/3 regions — initialize error (HTTP 502)"
    assert (payload["severity"], payload["source"], payload["group"]) == ("critical", "acme-search", "prod")
    assert payload["timestamp"] == "2026-08-22T14:34:07Z"
    assert payload["custom_details"]["failure"]["reason"] == "initialize_error"


@pytest.mark.parametrize("kind", ["pagerduty", "opsgenie"])
@pytest.mark.parametrize(("region", "host"), [("us", ""), ("eu", "eu.")])
def test_an_account_in_europe_has_its_own_host(kind: str, region: str, host: str) -> None:
    made = render(OPEN, Target(kind, "k", options={"region": region}), SITE, OPENED)
    assert isinstance(made, HttpRequest)
    assert made.url.startswith(f"https://{'events' if kind == 'pagerduty' else 'api'}.{host}{kind}.com/v2/")


@pytest.mark.parametrize("name", EVERY)
def test_opsgenie_takes_every_notice(name: str) -> None:
    notice, made = EVERY[name], posted(EVERY[name], "opsgenie")
    assert made.headers["authorization"] == "GenieKey 0p5-key"
    told = json.loads(made.body)
    if phase(notice) is Phase.RESOLVED:
        assert made.url == f"https://api.eu.opsgenie.com/v2/alerts/{notice.dedup_key}/close?identifierType=alias"
        CLOSE.validate(told)
    elif just_taken(notice):
        assert made.url == f"https://api.eu.opsgenie.com/v2/alerts/{notice.dedup_key}/acknowledge?identifierType=alias"
        CLOSE.validate(told)
    else:
        assert made.url == "https://api.eu.opsgenie.com/v2/alerts"
        CREATE.validate(told)
        assert sum(len(key) + len(value) for key, value in told["details"].items()) <= 8000


def test_opsgenie_reads_well() -> None:
    made = body(OPEN, "opsgenie")
    assert made["message"] == "Acme Search is DOWN from 3/3 regions"
    assert (made["alias"], made["priority"], made["entity"]) == (OPEN.dedup_key, "P1", "acme-search")
    assert made["tags"] == ["prod", "external", "incident.opened"]
    assert "Regions failing: 3 of 3 (Dublin, Oregon, Singapore)" in made["description"].split("\n")
    assert body(RESOLVED, "opsgenie")["note"] == "Acme Search recovered"


def test_a_server_cannot_end_the_line_it_is_quoted_in() -> None:
    for kind in ("pagerduty", "opsgenie"):
        told = body(HOSTILE, kind)
        said = told["payload"]["summary"] if kind == "pagerduty" else told["message"]
        assert all(char.isprintable() for char in said)


@pytest.mark.parametrize(
    ("validator", "wrong"),
    [
        (ALERT, {"event_action": "trigger", "routing_key": "r" * 32, "payload": {"summary": "x", "source": "y"}}),
        (ALERT, {"event_action": "open", "routing_key": "r" * 32, "dedup_key": "d"}),
        (CREATE, {"message": "x" * 131}),
        (CREATE, {"message": "x", "priority": "P0"}),
        (CLOSE, {"note": "x", "alias": "y"}),
    ],
)
def test_the_schemas_can_fail(validator: Any, wrong: Any) -> None:
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(wrong)
