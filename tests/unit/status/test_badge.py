from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from lookout.history.uptime import Tally
from lookout.probe.result import Status
from lookout.status import badge
from lookout.status.view import ServerView

from tests.unit.status import sample


def server(slug: str = "acme-search") -> ServerView:
    view = sample.snapshot().server(slug)
    assert view is not None
    return view


def shown(view: ServerView | None, metric: str = "", window: str = "", label: str = "") -> tuple[str, str, str]:
    item = badge.badge(view, metric, window, label, sample.NOW)
    return item.label, item.message, item.color


def test_status() -> None:
    assert shown(server()) == ("mcp", "up · 99.96% 30d", "brightgreen")
    assert shown(server("acme-files"), window="24h") == ("mcp", "down · 98.33% 24h", "red")
    assert shown(server("partner-crm"))[1:] == ("auth required · 100% 30d", "blue")
    assert shown(server("acme-billing"))[2] == "yellow"
    assert shown(server("weather"))[2] == "lightgrey"
    assert shown(server("newcomer"))[1:] == ("pending", "lightgrey")


@pytest.mark.parametrize(
    ("tally", "message", "color"),
    [
        (Tally(), "no data 7d", "lightgrey"),
        (Tally(ok=10_000), "100% 7d", "brightgreen"),
        (Tally(ok=99_999, fail=1), "99.99% 7d", "brightgreen"),
        (Tally(ok=995, fail=5), "99.5% 7d", "green"),
        (Tally(ok=98, fail=2), "98% 7d", "yellow"),
        (Tally(ok=96, fail=4), "96% 7d", "orange"),
        (Tally(fail=4), "0% 7d", "red"),
    ],
)
def test_uptime(tally: Tally, message: str, color: str) -> None:
    assert shown(replace(server(), windows={"7d": tally}), "uptime", "7d") == ("mcp uptime", message, color)


def test_tools_latency_and_certificate() -> None:
    assert shown(server(), "tools") == ("mcp", "12 tools", "blue")
    assert shown(server("newcomer"), "tools")[1:] == ("no data", "lightgrey")
    assert shown(server(), "latency") == ("mcp latency", "212 ms", "brightgreen")
    assert shown(server("acme-files"), "latency")[1:] == ("no data", "lightgrey")
    assert shown(server(), "tls") == ("mcp tls", "expires in 61 days", "brightgreen")
    for seconds, message, color in (
        (0, "expired", "red"),
        (86400, "expires in 1 day", "red"),
        (10 * 86400, "expires in 10 days", "orange"),
        (20 * 86400, "expires in 20 days", "yellow"),
    ):
        view = replace(server(), state=server().state.with_(tls_not_after=sample.NOW + seconds))
        assert shown(view, "tls")[1:] == (message, color)
    assert shown(server("newcomer"), "tls")[1] == "no data"


def test_what_cannot_be_said_is_an_error_that_still_draws() -> None:
    for item in (
        badge.badge(None, "", "", "", sample.NOW),
        badge.badge(server(), "nonsense", "", "", sample.NOW),
        badge.badge(server(), "uptime", "3y", "", sample.NOW),
    ):
        assert item.error
        assert item.endpoint()["isError"] is True
        ET.fromstring(badge.svg(item))


def test_the_shields_endpoint() -> None:
    assert badge.badge(server(), "", "", "Acme", sample.NOW).endpoint() == {
        "schemaVersion": 1,
        "label": "Acme",
        "message": "up · 99.96% 30d",
        "color": "brightgreen",
        "isError": False,
        "cacheSeconds": 60,
    }


@pytest.mark.parametrize(
    "label", ["<script>alert(1)</script>", '"><x y="', "a\x00\n\u202eb", "]]>&amp;", "x" * 500, "日本語"]
)
def test_a_label_is_only_text(label: str) -> None:
    item = badge.badge(server(), "", "", label, sample.NOW)
    root = ET.fromstring(badge.svg(item))
    assert {element.tag.rpartition("}")[2] for element in root.iter()} == {
        "svg",
        "title",
        "clipPath",
        "rect",
        "g",
        "text",
    }
    assert root.get("role") == "img"
    assert root.get("aria-label") == f"{item.label}: {item.message}"
    assert len(item.label) <= badge.LABEL_LIMIT
    assert "\u202e" not in item.label


def _luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("name", badge.COLORS)
def test_white_text_is_legible_on_every_colour(name: str) -> None:
    assert 1.05 / (_luminance(badge.COLORS[name]) + 0.05) >= 4.5


def test_wider_text_is_wider() -> None:
    assert badge.width("iiii") < badge.width("nnnn") < badge.width("MMMM")
    assert {Status(s) for s in badge._STATUS_COLORS} < set(Status)
