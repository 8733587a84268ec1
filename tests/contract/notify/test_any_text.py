"""Whatever a server says, in any alphabet and of any length: every medium shows it, and none acts on it."""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from lookout.notify.request import SesEmail
from lookout.verdict.case import Notice

from tests.contract.notify.sample import DRIFT, FAILURE, OPEN
from tests.contract.notify.targets import HTTP, TARGETS, body, posted, request
from tests.contract.notify.test_chats import Tags, discord_markup

MARKS = st.text(st.sampled_from("<>&@#*_~`|[](){}\\/:.!-+=\"'\r\n\x00\x1b\u202e\ud800 aA0…"), max_size=300)
TEXT = st.one_of(st.text(max_size=400), MARKS)


@st.composite
def notices(draw: Any) -> Notice:
    """An outage or a surface change; every word of the server's is any text."""
    words = [draw(TEXT) for _ in range(3)]
    if draw(st.booleans()):
        failure = replace(FAILURE, message=words[0], reason=words[1], layer=words[2])
        return replace(OPEN, failure=failure)
    changes = [{"path": words[0], "kind": "required_added", "class": "breaking", "detail": words[1]}]
    changed = [{"tool": words[2], "changes": changes}]
    return replace(DRIFT, drift={**(DRIFT.drift or {}), "added": words[:2], "removed": words[1:], "changed": changed})


@settings(max_examples=60, deadline=None)
@given(notices())
def test_every_sink_can_say_it(notice: Notice) -> None:
    for kind in TARGETS:
        assert request(notice, kind) == request(notice, kind)
    for kind in (*HTTP, "slack_bot"):
        posted(notice, kind).body.decode("utf-8")


@settings(max_examples=60, deadline=None)
@given(notices())
def test_in_slack_nothing_begins_a_link_or_a_mention(notice: Notice) -> None:
    made = body(notice, "slack")
    blocks = made["attachments"][0]["blocks"]
    texts = [made["text"], blocks[1]["text"]["text"], *(field["text"] for field in blocks[2]["fields"])]
    for text in texts:
        rest = re.sub(r"<!date\^\d+\^[^<>|]*\|[0-9TZ:-]+>", "", text)
        assert re.search(r"[<>]|&(?!amp;|lt;|gt;)", rest) is None


@settings(max_examples=60, deadline=None)
@given(notices())
def test_in_discord_no_mark_is_left_to_interpret(notice: Notice) -> None:
    (embed,) = body(notice, "discord")["embeds"]
    for text in (embed["title"], *(field["value"] for field in embed["fields"])):
        rest = re.sub(r"<t:\d+:f>", "", discord_markup(text))
        assert rest == "-" or re.search(r"[!-/:-@\[-`{-~]", rest) is None, rest


@settings(max_examples=60, deadline=None)
@given(notices())
def test_html_of_every_kind_is_balanced_and_has_our_tags_alone(notice: Notice) -> None:
    told = Tags(body(notice, "telegram")["text"])
    assert set(told.tags) <= {"b", "i", "code"}
    assert told.attributes == []
    for widget in body(notice, "google_chat")["cardsV2"][0]["card"]["sections"][0]["widgets"]:
        text = widget.get("textParagraph", widget.get("decoratedText", {})).get("text", "")
        assert set(Tags(text).tags) <= {"b"}
    mail = request(notice, "email")
    assert isinstance(mail, SesEmail)
    part = message_from_bytes(mail.raw, policy=default).get_body(("html",))
    assert part is not None
    source = str(part.get_content()).replace('<meta charset="utf-8">', "").replace("<!doctype html>", "")
    assert "script" not in Tags(source).tags
    assert {name for name, _ in Tags(source).attributes} <= {"lang", "style", "href"}
