"""What every sink's rendering owes, and what each format owes its readers."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lookout import USER_AGENT, __version__
from lookout.errors import SecretError
from lookout.local.receiver import verify
from lookout.notify.render import RENDERERS, Request, Target, render
from lookout.notify.signing import sign
from lookout.notify.slack import escape
from lookout.verdict.state import Notice
from standardwebhooks import Webhook, WebhookVerificationError

from tests.contract.notify.sample import (
    BACK,
    DRIFT,
    EVERY,
    EVIL,
    GONE,
    HOSTILE,
    HOSTILE_DRIFT,
    OPEN,
    OPENED,
    PRIVATE,
    REMOVED,
    RESOLVED,
    SITE,
    STALE,
    UNSTABLE,
    UPDATED,
)

OLD = "whsec_" + base64.b64encode(b"o" * 24).decode()
NEW = "whsec_" + base64.b64encode(b"n" * 32).decode()
TARGETS = {
    "webhook": Target("webhook", "https://ops.acme.dev/lookout", OLD),
    "slack": Target("slack", "https://hooks.slack.com/services/T/B/x"),
}
DOCUMENT = Path(__file__).parents[3] / "docs" / "reference" / "webhook.md"


def request(notice: Notice, kind: str, now: int = OPENED) -> Request:
    return render(notice, TARGETS[kind], SITE, now)


def body(notice: Notice, kind: str) -> Any:
    return json.loads(request(notice, kind).body)


def test_every_kind_is_held_to_this() -> None:
    assert set(TARGETS) == set(RENDERERS)


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("name", EVERY)
class TestEverySink:
    def test_it_is_small_json_for_the_sinks_own_address(self, kind: str, name: str) -> None:
        made = request(EVERY[name], kind)
        assert made.url == TARGETS[kind].url
        assert made.headers["content-type"] == "application/json"
        assert made.headers["user-agent"] == USER_AGENT
        assert isinstance(json.loads(made.body), dict)
        assert len(made.body) < 256 * 1024

    def test_the_same_moment_gives_the_same_bytes(self, kind: str, name: str) -> None:
        assert request(EVERY[name], kind) == request(Notice.from_json(EVERY[name].to_json()), kind)

    def test_headers_are_one_line_of_ascii(self, kind: str, name: str) -> None:
        for key, value in request(EVERY[name], kind).headers.items():
            assert re.fullmatch(r"[a-z-]+", key)
            assert re.fullmatch(r"[\x20-\x7e]+", value)


@pytest.mark.parametrize("kind", TARGETS)
def test_a_private_server_has_no_link_to_a_public_page(kind: str) -> None:
    assert SITE.encode() in request(OPEN, kind).body
    assert SITE.encode() not in request(PRIVATE, kind).body


# --- webhook: SHAPES 1 ------------------------------------------------------------------------------------------


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
            "started_at": "2026-08-22T14:32:00Z",
            "resolved_at": None,
            "duration_seconds": None,
        },
        "drift": None,
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
        "started_at": "2026-08-22T14:32:00Z",
        "resolved_at": "2026-08-22T14:46:02Z",
        "duration_seconds": 842,
    }


@pytest.mark.parametrize("name", EVERY)
def test_the_official_library_accepts_the_signature(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = int(datetime.now(UTC).timestamp())
    made = request(EVERY[name], "webhook", now)
    assert Webhook(OLD).verify(made.body, made.headers) == json.loads(made.body)
    assert verify(OLD, made.headers, made.body, now) is None
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(made.body.replace(b'"version":"1"', b'"version":"2"'), made.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(made.body, made.headers)


def test_while_one_secret_replaces_another_both_receivers_accept() -> None:
    now = int(datetime.now(UTC).timestamp())
    made = render(OPEN, Target("webhook", "https://x.example", f"{NEW} {OLD}\n"), SITE, now)
    assert len(made.headers["webhook-signature"].split()) == 2
    for secret in (OLD, NEW):
        Webhook(secret).verify(made.body, made.headers)


def test_an_attempt_later_has_the_same_id_and_its_own_time() -> None:
    first, second = request(OPEN, "webhook"), request(OPEN, "webhook", OPENED + 300)
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == OPEN.id
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


def test_without_a_secret_there_is_no_signature() -> None:
    assert "webhook-signature" not in render(OPEN, Target("webhook", "https://x.example"), SITE, OPENED).headers


@pytest.mark.parametrize("secret", ["", " ", "whsec_", "hunter2!", "whsec_hunter2", "whsec_hüntér"])
def test_a_secret_of_the_wrong_form_is_named_without_its_value(secret: str) -> None:
    with pytest.raises(SecretError) as caught:
        sign(secret, "evt", 0, b"")
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


# --- Slack: SHAPES 2 --------------------------------------------------------------------------------------------


def test_slack_is_what_shapes_says() -> None:
    assert body(OPEN, "slack") == {
        "text": "🔴 [EXTERNAL] Acme Search is DOWN from 3/3 regions — initialize error (HTTP 502)",
        "attachments": [
            {
                "color": "#c40040",
                "blocks": [
                    {
                        "type": "header",
                        "text": {"type": "plain_text", "text": "🔴 Acme Search — down", "emoji": True},
                    },
                    {
                        "type": "section",
                        "text": {
                            "type": "mrkdwn",
                            "text": "`https://mcp.acme.dev/mcp` — *initialize error (HTTP 502)*: HTTP 502 from origin",
                        },
                    },
                    {
                        "type": "section",
                        "fields": [
                            {"type": "mrkdwn", "text": "*Failure layer*\njsonrpc"},
                            {
                                "type": "mrkdwn",
                                "text": "*First seen*\n"
                                "<!date^1787409120^{date_short_pretty} {time}|2026-08-22T14:32:00Z>",
                            },
                            {"type": "mrkdwn", "text": "*Regions failing*\n3 of 3 (Dublin, Oregon, Singapore)"},
                            {"type": "mrkdwn", "text": "*Consecutive rounds*\n3"},
                            {"type": "mrkdwn", "text": "*Previous status*\nup (23 d)"},
                            {"type": "mrkdwn", "text": "*Severity*\ncritical"},
                        ],
                    },
                    {
                        "type": "actions",
                        "elements": [
                            {
                                "type": "button",
                                "text": {"type": "plain_text", "text": "Open status page"},
                                "url": f"{SITE}/status/acme-search/",
                            }
                        ],
                    },
                    {
                        "type": "context",
                        "elements": [{"type": "mrkdwn", "text": f"external MCP probe · {OPEN.dedup_key} · lookout"}],
                    },
                ],
            }
        ],
    }


def fields(notice: Notice) -> dict[str, str]:
    section = body(notice, "slack")["attachments"][0]["blocks"][2]
    return dict(field["text"].removeprefix("*").split("*\n", 1) for field in section["fields"])


def test_a_recovery_says_how_long_it_was() -> None:
    made = body(RESOLVED, "slack")
    assert made["text"] == "✅ [EXTERNAL] Acme Search recovered"
    assert made["attachments"][0]["color"] == "#2eb67d"
    assert made["attachments"][0]["blocks"][0]["text"]["text"] == "✅ Acme Search — recovered"
    assert fields(RESOLVED)["Downtime"] == "14 m 02 s"
    assert fields(RESOLVED)["Regions ok"] == "3 of 3 (Dublin, Oregon, Singapore)"
    assert fields(RESOLVED)["Previous status"] == "down"


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 m 00 s"), (3661, "1 h 01 m"), (100_000, "1 d 03 h"), (-5, "0 m 00 s")]
)
def test_durations_of_every_size(seconds: int, said: str) -> None:
    incident = replace(RESOLVED.incident, resolved_at=RESOLVED.incident.started_at + seconds)
    assert fields(replace(RESOLVED, incident=incident))["Downtime"] == said


@pytest.mark.parametrize(("seconds", "said"), [(60, "up (1 m)"), (7300, "up (2 h)"), (90_000, "up (1 d)")])
def test_how_long_it_had_been_well(seconds: int, said: str) -> None:
    assert fields(replace(OPEN, previous_since=OPEN.incident.started_at - seconds))["Previous status"] == said


def test_what_is_watched_no_more_has_not_recovered() -> None:
    assert body(REMOVED, "slack")["text"] == "⚪ [EXTERNAL] Acme Search is no longer watched (removed)"
    assert body(UPDATED, "slack")["text"].startswith("🟠 [EXTERNAL] Acme Search rejects our credential from 3/3")


def objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(inner)


@pytest.mark.parametrize("name", EVERY)
def test_slacks_limits_hold_for_the_longest_input(name: str) -> None:
    made = body(EVERY[name], "slack")
    assert len(made["text"]) <= 4000
    blocks = made["attachments"][0]["blocks"]
    assert len(blocks) <= 50
    for block in blocks:
        if block["type"] == "header":
            assert 1 <= len(block["text"]["text"]) <= 150
        if block["type"] == "section":
            assert len(block.get("text", {}).get("text", "")) <= 3000
            assert len(block.get("fields", ())) <= 10
            assert all(1 <= len(field["text"]) <= 2000 for field in block.get("fields", ()))
        if block["type"] == "actions":
            assert all(len(e["url"]) <= 3000 and len(e["text"]["text"]) <= 75 for e in block["elements"])
        if block["type"] == "context":
            assert len(block["elements"]) <= 10


def test_a_surface_change_lists_what_was_removed_changed_and_added() -> None:
    made = body(DRIFT, "slack")
    assert made["text"] == "🟡 [EXTERNAL] Acme Search changed what it offers: breaking"
    assert made["attachments"][0]["color"] == "#daa038"
    listed = made["attachments"][0]["blocks"][1]["text"]["text"].split("\n")
    assert listed[1].startswith("*Removed* `tool-0`, `tool-1`, ")
    assert listed[1].endswith("`tool-9`, +2 more")
    assert listed[2:] == ["*Changed* `search: required added, description changed`", "*Added* `find`"]
    assert fields(DRIFT) == {
        "Class": "breaking",
        "Seen from": "Dublin, Oregon",
        "Surface": "aaaaaaaaaaaa → bbbbbbbbbbbb",
        "Severity": "high",
    }
    assert body(UNSTABLE, "slack")["text"] == "🟡 [EXTERNAL] Acme Search alternates in what it offers: unknown"


def test_the_webhook_of_a_surface_change_holds_the_whole_of_it() -> None:
    made = body(DRIFT, "webhook")
    assert made["drift"] == DRIFT.drift
    assert set(made["incident"].values()) == {None}
    assert made["links"] == {"status_page": f"{SITE}/status/acme-search/", "incident": None}
    assert body(OPEN, "webhook")["drift"] is None


@pytest.mark.parametrize("notice", [HOSTILE, HOSTILE_DRIFT], ids=["failure", "drift"])
def test_nothing_a_server_says_is_markup(notice: Notice) -> None:
    """Left of our own dates no angle bracket is bare, every ampersand starts one of Slack's three entities."""
    made = body(notice, "slack")
    texts = [made["text"], *(o["text"] for o in objects(made["attachments"]) if isinstance(o.get("text"), str))]
    for text in texts:
        rest = re.sub(r"<!date\^\d+\^[^<>|]*\|[0-9TZ:-]+>", "", text)
        assert "<" not in rest
        assert ">" not in rest
        assert re.search(r"&(?!amp;|lt;|gt;)", rest) is None
        assert all(c.isprintable() or c == "\n" for c in rest)
    section = made["attachments"][0]["blocks"][1]["text"]["text"]
    assert "`" not in section.split("` — *")[0].removeprefix("`") or notice is HOSTILE_DRIFT


def test_no_name_of_a_tool_ends_its_code_span() -> None:
    section = body(HOSTILE_DRIFT, "slack")["attachments"][0]["blocks"][1]["text"]["text"]
    assert len(re.findall(r"`[^`]*`", section)) == 1 + 3 * 10
    assert section.count("`") == 2 * 31


@pytest.mark.parametrize("limit", range(2, 40))
def test_a_cut_never_goes_through_an_entity(limit: int) -> None:
    made = escape("a&b<c>" * 10, limit)
    assert len(made) <= limit
    assert re.fullmatch(r"(?:[abc]|&amp;|&lt;|&gt;)*…", made)


def test_an_escape_loses_nothing_but_what_cannot_be_seen() -> None:
    assert escape(" a\n\tb \u202e\x07c ", 100) == "a b c"
    assert len(escape(EVIL, 1000)) <= 1000


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


@pytest.mark.parametrize(
    ("notice", "said"),
    [
        (STALE, "🟠 [EXTERNAL] Probing region Dublin (eu-west-1) is silent"),
        (BACK, "✅ [EXTERNAL] Probing region Dublin (eu-west-1) reports again"),
        (GONE, "⚪ [EXTERNAL] Probing region Dublin (eu-west-1) is no longer probed from"),
    ],
)
def test_slack_says_what_became_of_a_region(notice: Notice, said: str) -> None:
    made = body(notice, "slack")
    assert made["text"] == said
    blocks = made["attachments"][0]["blocks"]
    assert "None" not in json.dumps(blocks)
    fields = {f["text"].split("\n")[0]: f["text"].split("\n")[1] for f in blocks[2]["fields"]}
    assert fields["*Regions silent*"] == ("1 of 3" if notice is STALE else "0 of 3")
    assert ("*Last report*" in fields) == (notice is STALE)
    assert blocks[3]["elements"][0]["url"] == f"{SITE}/"
