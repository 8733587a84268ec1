"""Slack: SHAPES 2, and the limits of Block Kit for the longest input there is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from lookout.verdict.case import Notice

from tests.contract.notify.sample import (
    BACK,
    DRIFT,
    EVERY,
    GONE,
    HOSTILE,
    HOSTILE_DRIFT,
    OPEN,
    REMOVED,
    RESOLVED,
    SITE,
    STALE,
    UNSTABLE,
    UPDATED,
)
from tests.contract.notify.targets import body


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
                            "verbatim": True,
                        },
                    },
                    {
                        "type": "section",
                        "fields": [
                            {"type": "mrkdwn", "text": "*Failure layer*\njsonrpc", "verbatim": True},
                            {
                                "type": "mrkdwn",
                                "text": "*First seen*\n"
                                "<!date^1787409120^{date_short_pretty} {time}|2026-08-22T14:32:00Z>",
                                "verbatim": True,
                            },
                            {
                                "type": "mrkdwn",
                                "text": "*Regions failing*\n3 of 3 (Dublin, Oregon, Singapore)",
                                "verbatim": True,
                            },
                            {"type": "mrkdwn", "text": "*Consecutive rounds*\n3", "verbatim": True},
                            {"type": "mrkdwn", "text": "*Previous status*\nup (23 d)", "verbatim": True},
                            {"type": "mrkdwn", "text": "*Severity*\ncritical", "verbatim": True},
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
                        "elements": [
                            {
                                "type": "mrkdwn",
                                "text": f"external MCP probe · {OPEN.dedup_key} · lookout",
                                "verbatim": True,
                            }
                        ],
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


@pytest.mark.parametrize("kind", ["slack", "slack_bot"])
@pytest.mark.parametrize("name", EVERY)
def test_slacks_limits_hold_for_the_longest_input(name: str, kind: str) -> None:
    made = body(EVERY[name], kind)
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
