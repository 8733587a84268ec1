"""Discord, Microsoft Teams, Google Chat, Telegram, ntfy: their limits, and servers that attack each of them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from lookout.notify.retry import Answer
from lookout.notify.sinks import telegram

from tests.contract.notify.sample import DRIFT, EVERY, HOSTILE, HOSTILE_DRIFT, OPEN, RESOLVED, SITE
from tests.contract.notify.targets import body, posted

ATTACKS = pytest.mark.parametrize("notice", [HOSTILE, HOSTILE_DRIFT], ids=["failure", "drift"])


def texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts(inner)


@pytest.mark.parametrize("kind", ["discord", "teams", "google_chat", "telegram", "ntfy", "slack", "slack_bot"])
@ATTACKS
def test_no_terminal_control_or_direction_reaches_anybody(kind: str, notice: Any) -> None:
    for text in texts(body(notice, kind)):
        assert all(char.isprintable() or char == "\n" for char in text), text[:80]


class Tags(HTMLParser):
    """Which tags a text has, and what it reads without them. Raises where they are not balanced."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[Any] = []
        self.plain = ""
        self._open: list[str] = []
        self.outside = ""
        """What stands outside of <code>."""
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[Any]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.plain += data
        if "code" not in self._open:
            self.outside += data


# --- Discord ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
def test_discords_limits_hold_for_the_longest_input(name: str) -> None:
    made = body(EVERY[name], "discord")
    (embed,) = made["embeds"]
    assert made["allowed_mentions"] == {"parse": []}
    assert 1 <= len(embed["title"]) <= 256
    assert 1 <= len(embed["description"]) <= 4096
    assert len(embed["fields"]) <= 25
    assert all(1 <= len(f["name"]) <= 256 and 1 <= len(f["value"]) <= 1024 for f in embed["fields"])
    assert len(embed["footer"]["text"]) <= 2048
    counted = [embed["title"], embed["description"], embed["footer"]["text"]]
    counted += [text for field in embed["fields"] for text in (field["name"], field["value"])]
    assert sum(map(len, counted)) <= 6000
    assert 0 <= embed["color"] <= 0xFFFFFF


def test_discord_reads_well() -> None:
    (embed,) = body(OPEN, "discord")["embeds"]
    read = re.sub(r"\\(.)", r"\1", embed["title"])
    assert read == "🔴 [EXTERNAL] Acme Search is DOWN from 3/3 regions — initialize error (HTTP 502)"
    assert embed["description"].split("\n")[0] == "`https://mcp.acme.dev/mcp`"
    assert embed["url"] == f"{SITE}/status/acme-search/"
    assert {"name": "First seen", "value": "<t:1787409120:f>", "inline": True} in embed["fields"]


def discord_markup(text: str) -> str:
    """What is left for Discord to interpret: not what is escaped, and not the inside of code spans."""
    without = re.sub(r"\\[!-/:-@\[-`{-~]", "", text)
    return re.sub(r"`[^`]*`", "", without)


@ATTACKS
def test_nothing_a_server_says_is_markup_in_discord(notice: Any) -> None:
    (embed,) = body(notice, "discord")["embeds"]
    for text in (embed["title"], embed["description"], *(f["value"] for f in embed["fields"])):
        rest = re.sub(r"<t:\d+:f>", "", discord_markup(text))
        rest = re.sub(r"^\*\*(Removed|Changed|Added)\*\*", "", rest, flags=re.MULTILINE)
        rest = re.sub(r"^\*\*([\w\s…]*)\*\*(: )?", r"\1", rest, flags=re.MULTILINE)
        assert re.search(r"[*_~|<>@#\[\]()`\\]", rest) is None, rest[:200]


# --- Microsoft Teams --------------------------------------------------------------------------------------------


def elements(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from elements(inner)


@pytest.mark.parametrize("name", EVERY)
def test_a_card_for_teams_is_small_and_knows_no_markdown(name: str) -> None:
    made = posted(EVERY[name], "teams")
    assert len(made.body.decode().encode("utf-16-le")) <= 28 * 1024
    message = body(EVERY[name], "teams")
    assert message["type"] == "message"
    (attachment,) = message["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert {one["type"] for one in elements(card["body"])} == {"RichTextBlock", "TextRun"}
    assert all(one["text"] for one in elements(card["body"]) if one["type"] == "TextRun")
    assert all(one["inlines"] for one in elements(card["body"]) if one["type"] == "RichTextBlock")


def test_teams_reads_well() -> None:
    card = body(RESOLVED, "teams")["attachments"][0]["content"]
    lines = ["".join(run["text"] for run in block["inlines"]) for block in card["body"]]
    assert lines[0] == "✅ Acme Search — recovered"
    assert "Downtime: 14 m 02 s" in lines
    assert card["body"][0]["inlines"][0]["color"] == "Good"
    assert card["actions"] == [
        {"type": "Action.OpenUrl", "title": "Open status page", "url": f"{SITE}/status/acme-search/"}
    ]


# --- Google Chat ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
def test_a_message_for_google_chat_is_within_its_limit(name: str) -> None:
    made = posted(EVERY[name], "google_chat")
    assert len(made.body) <= 32_000
    assert made.url.endswith("?key=k&token=t&messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD")
    message = body(EVERY[name], "google_chat")
    assert message["thread"] == {"threadKey": EVERY[name].dedup_key}
    assert set(message) == {"fallbackText", "thread", "cardsV2"}


def test_google_chat_reads_well() -> None:
    card = body(DRIFT, "google_chat")["cardsV2"][0]["card"]
    assert card["header"]["title"] == "🟡 Acme Search — changed what it offers"
    widgets = card["sections"][0]["widgets"]
    assert widgets[3]["textParagraph"]["text"] == "<b>Added</b> find"
    assert {"decoratedText": {"topLabel": "Class", "text": "breaking", "wrapText": True}} in widgets
    assert widgets[-1]["buttonList"]["buttons"][0]["onClick"]["openLink"]["url"] == f"{SITE}/status/acme-search/"


@ATTACKS
def test_nothing_a_server_says_is_markup_in_google_chat(notice: Any) -> None:
    card = body(notice, "google_chat")["cardsV2"][0]["card"]
    for widget in card["sections"][0]["widgets"]:
        text = widget.get("textParagraph", widget.get("decoratedText", {})).get("text", "")
        read = Tags(text)
        assert set(read.tags) <= {"b"}
        assert read.attributes == []
        assert html.unescape(re.sub(r"</?b>", "", text)) == read.plain


# --- Telegram ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
def test_telegrams_limit_holds_and_previews_are_off(name: str) -> None:
    made = body(EVERY[name], "telegram")
    assert made["chat_id"] == "-1001"
    assert made["parse_mode"] == "HTML"
    assert made["link_preview_options"] == {"is_disabled": True}
    assert 1 <= len(Tags(made["text"]).plain) <= 4096
    assert len(made["text"]) <= 4096
    assert made.get("disable_notification", False) == (EVERY[name].severity == "info")


@ATTACKS
def test_a_servers_words_are_code_in_telegram(notice: Any) -> None:
    """Where Telegram makes no links, mentions, tags or commands of them."""
    read = Tags(body(notice, "telegram")["text"])
    assert set(read.tags) <= {"b", "i", "code"}
    assert read.attributes == []
    # The name is the user's own, cut from the same text.
    own = read.outside.split("\n", 1)[1]
    assert re.search(r"[@#/]|https?:|evil", own) is None


def test_telegram_says_in_the_body_how_long_to_wait() -> None:
    limited = Answer(429, "slow", body=b'{"ok":false,"error_code":429,"parameters":{"retry_after":37}}')
    assert telegram.read(limited).retry_after_s == 37
    for odd in (b"", b"[]", b'{"parameters":{"retry_after":"soon"}}', b'{"parameters":null}', b"\xff"):
        assert telegram.read(Answer(429, "slow", body=odd)).retry_after_s is None
    assert telegram.read(Answer(429, "slow", 5, body=limited.body)).retry_after_s == 5
    assert telegram.read(Answer(200, "ok")) == Answer(200, "ok")


def test_the_bots_token_is_in_the_address_alone() -> None:
    made = posted(OPEN, "telegram")
    assert made.url == "https://api.telegram.org/bot1:abc/sendMessage"
    assert b"1:abc" not in made.body


# --- ntfy -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
def test_ntfys_limits_hold_so_that_no_message_becomes_an_attachment(name: str) -> None:
    made = body(EVERY[name], "ntfy")
    assert made["topic"] == "acme-alerts"
    assert 1 <= len(made["message"].encode()) <= 4096
    assert 1 <= len(made["title"].encode()) <= 250
    assert made["priority"] in (2, 3, 4, 5)
    assert "markdown" not in made
    assert len(made["tags"]) == 1


def test_ntfy_is_published_at_the_root_with_the_token() -> None:
    made = posted(OPEN, "ntfy")
    assert made.url == "https://ntfy.sh/"
    assert made.headers["authorization"] == "Bearer tk_1"
    told = body(OPEN, "ntfy")
    assert told["priority"] == 5
    assert told["tags"] == ["red_circle"]
    assert told["click"] == f"{SITE}/status/acme-search/"
    assert told["message"].split("\n")[:2] == ["HTTP 502 from origin", "https://mcp.acme.dev/mcp"]
