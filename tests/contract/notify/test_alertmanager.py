"""Alertmanager: its API's rules, labels that never change within an incident, and the webhook it sends itself."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import jsonschema
import pytest
from lookout.notify.firing import RESENT_S, Firing, again, of_notice, settled
from lookout.notify.render import render
from lookout.notify.request import HttpRequest, Target
from lookout.notify.sinks.alertmanager import HOLD_S, NEWS_S, fingerprint
from lookout.notify.text import rfc3339
from lookout.verdict.case import Incident, Notice
from lookout.verdict.state import Failure

from tests.contract.notify.sample import (
    BURN,
    DRIFT,
    EVERY,
    FAILURE,
    INCIDENT,
    MAINTENANCE,
    OPEN,
    OPENED,
    PRIVATE,
    RESOLVED,
    SITE,
    STALE,
    STARTED,
    UPDATED,
)
from tests.contract.notify.targets import body, posted

MOMENT = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}
LABELS = {
    "type": "object",
    "minProperties": 1,
    "propertyNames": {"pattern": "^[a-zA-Z_][a-zA-Z0-9_]*$"},
    "additionalProperties": {"type": "string", "minLength": 1},
}
POSTABLE = jsonschema.Draft202012Validator(
    {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["labels"],
            "additionalProperties": False,
            "properties": {
                "labels": {**LABELS, "required": ["alertname"]},
                "annotations": LABELS,
                "startsAt": MOMENT,
                "endsAt": MOMENT,
                "generatorURL": {"type": "string", "pattern": "^https?://"},
            },
        },
    }
)
"""postableAlerts of api/v2/openapi.yaml, and what Alertmanager refuses beyond it."""


@pytest.mark.parametrize("name", EVERY)
def test_alertmanager_takes_every_notice(name: str) -> None:
    made = body(EVERY[name], "alertmanager")
    POSTABLE.validate(made)
    assert made[0]["startsAt"] <= made[0]["endsAt"]


def test_where_it_is_sent_and_with_what() -> None:
    made = posted(OPEN, "alertmanager")
    assert made.url == "https://am.acme.dev/api/v2/alerts"
    assert made.headers["authorization"] == "Bearer t0ken"
    bare = render(OPEN, Target("alertmanager", "https://am", options={"headers": {"X-Team": "a"}}), SITE, OPENED)
    assert isinstance(bare, HttpRequest)
    assert bare.headers["X-Team"] == "a"
    assert "authorization" not in bare.headers


def test_an_alert_is_what_shapes_says() -> None:
    assert body(OPEN, "alertmanager") == [
        {
            "labels": {
                "alertname": "MCPServerDown",
                "server": "acme-search",
                "severity": "critical",
                "failure_layer": "jsonrpc",
                "job": "lookout",
                "source": "external",
            },
            "annotations": {
                "summary": "Acme Search is DOWN from 3/3 regions",
                "description": "initialize error (HTTP 502): HTTP 502 from origin",
                "previous_status": "up",
                "probe_result": "down",
                "notice_severity": "critical",
                "incident": OPEN.dedup_key,
                "status_page": f"{SITE}/status/acme-search/",
            },
            "startsAt": "2026-08-22T14:32:00Z",
            "endsAt": rfc3339(OPENED + HOLD_S),
            "generatorURL": f"{SITE}/incidents/{OPEN.dedup_key}/",
        }
    ]


def test_a_resolution_ends_the_same_alert() -> None:
    (opened,), (resolved,) = body(OPEN, "alertmanager"), body(RESOLVED, "alertmanager")
    assert resolved["labels"] == opened["labels"]
    assert resolved["startsAt"] == opened["startsAt"]
    assert resolved["endsAt"] == "2026-08-22T14:46:02Z"


def test_nothing_that_changes_during_an_incident_is_a_label() -> None:
    """Another severity, layer, reason, region, status: the same alert."""
    first = replace(INCIDENT, evidence=FAILURE)
    later = Failure("tcp", "connect_refused", "refused")
    changed = replace(
        UPDATED,
        status="credential_rejected",
        severity="high",
        failure=later,
        regions=UPDATED.regions[:1],
        incident=replace(first, failure=later, regions=("eu-west-1",), flapping=True),
    )
    told = [body(notice, "alertmanager")[0]["labels"] for notice in (replace(OPEN, incident=first), changed)]
    assert told[0] == told[1]


@pytest.mark.parametrize(
    ("notice", "name"),
    [(STALE, "MCPProbeRegionStale"), (DRIFT, "MCPToolSchemaDrift"), (MAINTENANCE, "MCPNotice")],
)
def test_alerts_have_the_names_that_are_promised(notice: Notice, name: str) -> None:
    assert body(notice, "alertmanager")[0]["labels"]["alertname"] == name


def test_news_are_told_apart_and_have_their_own_severity() -> None:
    started, ended = (body(notice, "alertmanager")[0]["labels"] for notice in (MAINTENANCE, EVERY["maintenance over"]))
    assert started != ended
    assert (started["notice"], started["severity"]) == (MAINTENANCE.type, "info")


def test_what_nothing_resolves_ends_by_itself() -> None:
    made = body(DRIFT, "alertmanager")[0]
    assert made["labels"]["severity"] == DRIFT.severity
    assert made["endsAt"] == rfc3339(OPENED + NEWS_S)
    assert "failure_layer" not in made["labels"]


def test_a_private_server_has_no_links() -> None:
    made = body(PRIVATE, "alertmanager")[0]
    assert "generatorURL" not in made
    assert "status_page" not in made["annotations"]


# --- sent again each minute -------------------------------------------------------------------------------------

NOW = STARTED + 900


def kept(notice: Notice = OPEN, at: int = NOW) -> Firing:
    made = of_notice(notice, "prometheus", SITE, at)
    assert made is not None
    return made


def test_what_is_open_fires_on_and_what_is_over_is_told_for_five_minutes() -> None:
    (opened,) = body(OPEN, "alertmanager")
    for later in (NOW, NOW + 60, NOW + 30 * 86_400):
        assert again(kept(), later) == {**opened, "endsAt": rfc3339(later + HOLD_S)}
    over = kept(RESOLVED)
    for later in (NOW, NOW + RESENT_S):
        assert again(over, later) == body(RESOLVED, "alertmanager")[0]
    assert again(over, NOW + RESENT_S + 1) is None


@pytest.mark.parametrize("name", [name for name, notice in EVERY.items() if notice.incident is not None])
def test_every_alert_of_an_incident_can_be_sent_again(name: str) -> None:
    POSTABLE.validate([again(kept(EVERY[name]), NOW)])


def test_news_are_not_sent_again() -> None:
    assert of_notice(MAINTENANCE, "prometheus", SITE, NOW) is None
    assert body(MAINTENANCE, "alertmanager")[0]["endsAt"] == rfc3339(OPENED + NEWS_S)


def test_what_ended_without_a_notice_for_this_sink_ends_all_the_same() -> None:
    assert settled(kept(), None) == settled(kept(), INCIDENT) == kept()
    over = settled(kept(), RESOLVED.incident)
    assert again(over, NOW) == {**kept().alert, "endsAt": "2026-08-22T14:46:02Z"}
    assert again(over, NOW + RESENT_S) is None
    told = kept(RESOLVED, NOW + 600)
    assert settled(told, RESOLVED.incident) == told


def test_a_burn_alert_that_is_not_kept_any_more_is_over() -> None:
    """Its server's next one took its place, or it has long been over: its end did not arrive."""
    burning = kept(replace(BURN, dedup_key="slo_01J00000000000000000000000"))
    assert burning.alert["labels"]["alertname"] == "MCPErrorBudgetBurn"
    assert again(settled(burning, BURN.incident), NOW + 900) is not None
    lost = settled(burning, None)
    assert again(lost, burning.told_at + RESENT_S + 1) is None
    assert settled(lost, None) == lost


def test_an_incident_of_an_older_version_has_the_layer_it_is_known_by() -> None:
    old = Incident.from_json({k: v for k, v in INCIDENT.to_json().items() if k not in ("evidence", "kind", "timeline")})
    assert kept(replace(OPEN, incident=old)).alert["labels"]["failure_layer"] == "jsonrpc"


# --- what Alertmanager sends itself -----------------------------------------------------------------------------


def sent(notice: Notice) -> Any:
    made = render(notice, Target("webhook", "https://x.example", options={"format": "alertmanager-v4"}), SITE, OPENED)
    assert isinstance(made, HttpRequest)
    return json.loads(made.body)


@pytest.mark.parametrize("name", EVERY)
def test_its_receivers_get_the_whole_form(name: str) -> None:
    made = sent(EVERY[name])
    assert list(made) == [
        "version",
        "groupKey",
        "truncatedAlerts",
        "status",
        "receiver",
        "groupLabels",
        "commonLabels",
        "commonAnnotations",
        "externalURL",
        "alerts",
    ]
    assert made["version"] == "4"
    (alert,) = made["alerts"]
    assert list(alert) == ["status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"]
    assert made["status"] == alert["status"]
    assert alert["status"] in ("firing", "resolved")
    assert re.fullmatch("[0-9a-f]{16}", alert["fingerprint"])
    for key in ("startsAt", "endsAt"):
        datetime.strptime(alert[key], "%Y-%m-%dT%H:%M:%SZ")


def test_what_fires_has_no_end_and_what_is_resolved_has_one() -> None:
    assert sent(OPEN)["alerts"][0]["endsAt"] == "0001-01-01T00:00:00Z"
    assert sent(OPEN)["status"] == "firing"
    assert sent(RESOLVED)["alerts"][0]["endsAt"] == "2026-08-22T14:46:02Z"
    assert sent(RESOLVED)["status"] == "resolved"
    assert sent(OPEN)["groupKey"] == sent(RESOLVED)["groupKey"]


def test_a_fingerprint_is_of_names_and_values_whatever_their_order() -> None:
    """The first is FNV-1a's offset basis, the second what Alertmanager 0.25 said of these labels."""
    assert fingerprint({}) == "cbf29ce484222325"
    labels = {"alertname": "MCPServerDown", "failure_layer": "jsonrpc", "job": "lookout", "server": "real"}
    assert fingerprint({**labels, "severity": "critical", "source": "external"}) == "9964c3945d25ce67"
    assert fingerprint({"a": "1", "b": "2"}) == fingerprint({"b": "2", "a": "1"})
    assert len({fingerprint(s) for s in ({"a": "bc"}, {"ab": "c"}, {"a": "b", "c": ""}, {"a": "cb"})}) == 4
