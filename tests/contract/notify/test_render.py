"""What every sink's rendering owes its readers, and what the webhook owes them (SHAPES 1)."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lookout import USER_AGENT, __version__
from lookout.errors import SecretError
from lookout.local.receiver import verify
from lookout.notify.render import RENDERERS, render
from lookout.notify.request import HttpRequest, Target
from lookout.notify.signing import sign
from lookout.notify.words import tell
from lookout.verdict.case import Entry, Notice
from standardwebhooks import Webhook, WebhookVerificationError

from tests.contract.notify.sample import (
    ACKNOWLEDGED,
    BACK,
    ESCALATED,
    EVERY,
    INCIDENT,
    OPEN,
    OPENED,
    PRIVATE,
    QUIETLY,
    RESOLVED,
    SITE,
    STALE,
)
from tests.contract.notify.targets import HTTP, NEW, OLD, TARGETS, body, posted, request

DOCUMENT = Path(__file__).parents[3] / "docs" / "reference" / "webhook.md"


def test_every_kind_is_held_to_this() -> None:
    assert set(TARGETS) == set(RENDERERS)


@pytest.mark.parametrize("kind", [*HTTP, "slack_bot"])
@pytest.mark.parametrize("name", EVERY)
class TestEveryPost:
    def test_it_is_small_json(self, kind: str, name: str) -> None:
        made = posted(EVERY[name], kind)
        assert made.headers["content-type"].startswith("application/json")
        assert made.headers["user-agent"] == USER_AGENT
        assert isinstance(json.loads(made.body), dict | list)
        assert len(made.body) < 256 * 1024

    def test_the_same_moment_gives_the_same_bytes(self, kind: str, name: str) -> None:
        assert posted(EVERY[name], kind) == posted(Notice.from_json(EVERY[name].to_json()), kind)

    def test_address_and_headers_are_one_line_of_ascii(self, kind: str, name: str) -> None:
        made = posted(EVERY[name], kind)
        assert re.fullmatch(r"https://[\x21-\x7e]+", made.url)
        for key, value in made.headers.items():
            assert re.fullmatch(r"[a-z-]+", key)
            assert re.fullmatch(r"[\x20-\x7e]+", value)


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("name", EVERY)
def test_no_rendering_says_none(kind: str, name: str) -> None:
    """Text for people: a value that is not known is left out, or said in words."""
    made = request(EVERY[name], kind)
    if kind not in ("webhook", "pagerduty", "eventbridge", "sns"):  # these hold lookout/v1 itself
        text = made.body if isinstance(made, HttpRequest) else repr(made).encode()
        assert b"None" not in text


@pytest.mark.parametrize("kind", [*HTTP, "slack_bot"])
def test_a_private_server_has_no_link_to_a_public_page(kind: str) -> None:
    assert SITE.encode() in posted(OPEN, kind).body
    assert SITE.encode() not in posted(PRIVATE, kind).body


# --- webhook: SHAPES 1 ------------------------------------------------------------------------------------------


def test_an_escalation_says_after_how_long() -> None:
    assert body(ESCALATED, "webhook")["escalation"] == {"after_seconds": 5400}


def test_the_webhook_is_what_shapes_says() -> None:
    assert body(OPEN, "webhook") == {
        "version": "1",
        "type": "incident.opened",
        "id": OPEN.id,
        "timestamp": "2026-08-22T14:34:07Z",
        "server_slug": "acme-search",
        "probe_result": "down",
        "previous_status": "up",
        "status": "down",
        "dedup_key": OPEN.dedup_key,
        "severity": "critical",
        "server": {
            "slug": "acme-search",
            "name": "Acme Search",
            "url": "https://mcp.acme.dev/mcp",
            "visibility": "public",
            "tags": ["prod"],
        },
        "failure": {
            "layer": "jsonrpc",
            "reason": "initialize_error",
            "message": "HTTP 502 from origin",
            "http_status": 502,
            "era": "legacy",
            "protocol_version": "2025-06-18",
        },
        "quorum": {
            "regions_total": 3,
            "regions_failing": 3,
            "regions_unknown": 0,
            "rule": "2-of-3",
            "consecutive_rounds": 3,
        },
        "regions": [
            {
                "region": "eu-west-1",
                "city": "Dublin",
                "status": "down",
                "latency_ms": 312,
                "reason": "initialize_error",
                "checked_at": "2026-08-22T14:34:02Z",
            },
            {
                "region": "us-west-2",
                "city": "Oregon",
                "status": "down",
                "latency_ms": 298,
                "reason": "initialize_error",
                "checked_at": "2026-08-22T14:34:02Z",
            },
            {
                "region": "ap-southeast-1",
                "city": "Singapore",
                "status": "down",
                "latency_ms": None,
                "reason": "connect_timeout",
                "checked_at": "2026-08-22T14:34:03Z",
            },
        ],
        "incident": {
            "id": OPEN.dedup_key,
            "kind": "availability",
            "started_at": "2026-08-22T14:32:00Z",
            "resolved_at": None,
            "duration_seconds": None,
            "resolution": None,
            "flapping": False,
            "acknowledged_at": None,
            "acknowledged_by": None,
            "opening_undelivered": False,
        },
        "drift": None,
        "digest": None,
        "maintenance": None,
        "escalation": None,
        "report": None,
        "slo": None,
        "links": {
            "status_page": f"{SITE}/status/acme-search/",
            "incident": f"{SITE}/incidents/{OPEN.dedup_key}/",
        },
        "monitor": {"name": "lookout", "version": __version__, "kind": "external"},
    }


def shape(value: Any) -> Any:
    """Keys in their order; a list is its first entry's."""
    if isinstance(value, dict):
        return [(key, shape(inner)) for key, inner in value.items()]
    return [shape(value[0])] if isinstance(value, list) and value else None


def test_the_documented_webhook_is_the_one_we_send() -> None:
    documented = re.search(r"```json\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert documented is not None
    assert shape(json.loads(documented[1])) == shape(body(OPEN, "webhook"))


@pytest.mark.parametrize("name", EVERY)
def test_no_key_ever_comes_or_goes(name: str) -> None:
    made, usual = body(EVERY[name], "webhook"), body(OPEN, "webhook")
    assert list(made) == list(usual)
    for key in ("failure", "quorum", "incident", "links", "monitor"):
        assert list(made[key]) == list(usual[key])
    for key in ("server_slug", "probe_result", "previous_status", "timestamp"):
        assert made[key]
    assert datetime.strptime(made["timestamp"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def test_a_resolution_says_how_long_it_was() -> None:
    assert body(RESOLVED, "webhook")["incident"] == {
        "id": OPEN.dedup_key,
        "kind": "availability",
        "started_at": "2026-08-22T14:32:00Z",
        "resolved_at": "2026-08-22T14:46:02Z",
        "duration_seconds": 842,
        "resolution": "recovered",
        "flapping": False,
        "acknowledged_at": None,
        "acknowledged_by": None,
        "opening_undelivered": False,
    }


def test_an_acknowledgement_says_who_has_it_and_what_they_know_unless_that_is_private() -> None:
    line = Entry(OPENED, "acknowledged", "a disk", "ann")
    known = replace(ACKNOWLEDGED, incident=replace(INCIDENT, timeline=(line,)))
    story = tell(known, SITE)
    assert story.verb == "is acknowledged"
    assert story.note == "a disk"
    assert ("Acknowledged by", "ann") in [(fact.name, fact.value) for fact in story.facts]
    assert body(known, "webhook")["incident"]["acknowledged_by"] == "ann"
    later = replace(known, type="incident.reminder")
    assert (tell(later, SITE).verb, tell(later, SITE).note) == ("is still failing from 3/3 regions", "")
    assert ("Acknowledged by", "ann") in [(fact.name, fact.value) for fact in tell(later, SITE).facts]
    for kind in TARGETS:
        assert "leaked" not in repr(request(QUIETLY, kind)), kind


@pytest.mark.parametrize("name", EVERY)
def test_the_official_library_accepts_the_signature(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = int(datetime.now(UTC).timestamp())
    made = posted(EVERY[name], "webhook", now)
    assert Webhook(OLD).verify(made.body, made.headers) == json.loads(made.body)
    assert verify(OLD, made.headers, made.body, now) is None
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(made.body.replace(b'"version":"1"', b'"version":"2"'), made.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(made.body, made.headers)


def test_while_one_secret_replaces_another_both_receivers_accept() -> None:
    now = int(datetime.now(UTC).timestamp())
    made = render(OPEN, Target("webhook", "https://x.example", f"{NEW} {OLD}\n"), SITE, now)
    assert isinstance(made, HttpRequest)
    assert len(made.headers["webhook-signature"].split()) == 2
    for secret in (OLD, NEW):
        Webhook(secret).verify(made.body, made.headers)


def test_an_attempt_later_has_the_same_id_and_its_own_time() -> None:
    first, second = posted(OPEN, "webhook"), posted(OPEN, "webhook", OPENED + 300)
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == OPEN.id
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


def test_without_a_secret_there_is_no_signature() -> None:
    made = render(OPEN, Target("webhook", "https://x.example"), SITE, OPENED)
    assert isinstance(made, HttpRequest)
    assert "webhook-signature" not in made.headers


@pytest.mark.parametrize("secret", ["", " ", "whsec_", "hunter2!", "whsec_hunter2", "whsec_hüntér"])
def test_a_secret_of_the_wrong_form_is_named_without_its_value(secret: str) -> None:
    with pytest.raises(SecretError) as caught:
        sign(secret, "evt", 0, b"")
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


# --- a region that fell silent ----------------------------------------------------------------------------------


def test_the_webhook_of_a_silent_region_has_a_server_nobody_can_have() -> None:
    told, back = body(STALE, "webhook"), body(BACK, "webhook")
    assert (told["type"], told["severity"], told["probe_result"]) == ("region.stale", "warning", "unknown")
    assert told["server_slug"] == told["server"]["slug"] == "region:eu-west-1"
    assert told["server"]["url"] is None
    assert told["regions"][0]["checked_at"] == "2026-08-22T14:31:07Z"
    assert told["links"] == {"status_page": f"{SITE}/", "incident": None}
    assert told["incident"]["resolved_at"] is None
    assert told["dedup_key"] == back["dedup_key"] == back["incident"]["id"]
    assert told["id"] != back["id"]
    assert (back["probe_result"], back["severity"]) == ("up", "info")
    assert back["incident"]["duration_seconds"] == 842
