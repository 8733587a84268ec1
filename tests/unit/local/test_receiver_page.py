"""Whatever came is told in words a person reads, and is nothing but text."""

from __future__ import annotations

import base64
import copy
import html
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from random import Random
from typing import Any

import pytest
from lookout.local.receiver import BODY_LIMIT, Inbox
from lookout.local.receiver_page import SHOWN, page, raw
from lookout.local.told import story_of
from lookout.notify.sinks.alertmanager import webhook_v4
from lookout.notify.sinks.webhook import flat, payload
from lookout.notify.words import tell
from standardwebhooks import Webhook

from tests.contract.notify.sample import DRIFT, EVERY, EVIL, HOSTILE, OPEN, RESOLVED, SITE

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
NOW = 1_800_000_000.0
TAGS = {"html", "head", "meta", "title", "style", "body", "header", "main", "article", "h1", "h2", "p", "a", "code"}
TAGS |= {"dl", "div", "dt", "dd", "span", "strong", "ul", "li"}
LOST_DURATION = {"opened", "private", "regional", "limited", "strange"}
"""Of these the story says for how long it was well before: no body does."""
FOLLOWING = {"burn faster", "digest updated"}
"""These follow a first one: the body does not say so."""


class Read(HTMLParser):
    """What a browser makes of a page: its tags, where links lead, and the text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data


def received(tmp_path: Path, *bodies: Any) -> list[dict[str, Any]]:
    """Bodies as the inbox keeps them: bytes as they are, anything else as JSON; each signed."""
    inbox = Inbox(tmp_path / "received.jsonl", SECRET, clock=lambda: NOW)
    for index, body in enumerate(bodies):
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        signature = Webhook(SECRET).sign(f"evt_{index}", datetime.fromtimestamp(NOW, UTC), sent.decode())
        headers = {"webhook-id": f"evt_{index}", "webhook-timestamp": str(int(NOW)), "webhook-signature": signature}
        inbox.receive(headers, sent)
    return list(inbox.events)


def body_of(name: str) -> Any:
    return json.loads(json.dumps(payload(EVERY[name], SITE)))


@pytest.mark.parametrize("name", EVERY)
def test_a_body_is_told_in_the_words_of_every_sink(name: str) -> None:
    told, wanted = story_of(body_of(name)), tell(EVERY[name], SITE)
    assert told is not None
    assert (told.tone, told.name, told.address, told.cause, told.page) == (
        wanted.tone,
        wanted.name,
        wanted.address,
        wanted.cause,
        wanted.page,
    )
    assert told.listings == wanted.listings
    assert wanted.detail.startswith(told.detail)
    if name not in FOLLOWING:
        assert told.line == wanted.line
    if name not in LOST_DURATION and "hostile" not in name:
        assert told.facts == wanted.facts


def test_an_outage_its_end_and_a_change_read_well_newest_first(tmp_path: Path) -> None:
    events = received(tmp_path, *(json.loads(json.dumps(payload(one, SITE))) for one in (OPEN, RESOLVED, DRIFT)))
    shown = Read(page(events))
    assert shown.tags <= TAGS
    lines = ("🔴 [EXTERNAL] Acme Search is DOWN from 3/3 regions — initialize error (HTTP 502)", "recovered", "Removed")
    places = [shown.text.index(line) for line in lines]
    assert places == sorted(places, reverse=True)
    assert "initialize error (HTTP 502): HTTP 502 from origin" in shown.text
    assert shown.text.count("✓ signature verified") == 3
    assert shown.links.count(f"{SITE}/status/acme-search/") == 3
    assert "/events/1" in shown.links


@pytest.mark.parametrize("form", [flat, webhook_v4])
def test_another_format_is_shown_as_it_came(tmp_path: Path, form: Any) -> None:
    shown = Read(page(received(tmp_path, json.loads(json.dumps(form(OPEN, SITE))))))
    assert shown.tags <= TAGS
    assert "acme-search" in shown.text
    assert "✓ signature verified" in shown.text


@pytest.mark.parametrize("name", [name for name in EVERY if "hostile" in name])
def test_what_a_server_says_is_text(tmp_path: Path, name: str) -> None:
    events = received(tmp_path, body_of(name))
    source = page(events)
    shown = Read(source)
    assert shown.tags <= TAGS
    assert shown.attributes <= {"lang", "charset", "http-equiv", "content", "name", "class", "href"}
    assert all(link.startswith((SITE, "/events")) for link in shown.links)
    assert all(char.isprintable() or char == "\n" for char in shown.text)
    assert "<script" not in source
    assert len(source.encode()) < 40_000


def test_bodies_of_any_form_are_shown(tmp_path: Path) -> None:
    ours = payload(OPEN, SITE)
    odd: list[Any] = [{**ours, key: value} for key in ours for value in (None, 3, "x", [], {}, [3], {"a": EVIL})]
    odd += [None, 3, "x", [1], {}, {"version": "1"}, {"type": {"a": 1}}, b"not json", b"", b"[" * 100_000]
    odd += [{**ours, "timestamp": "9" * 50}, {**ours, "links": {"status_page": "javascript:alert(1)"}}]
    odd += [{**ours, "server": {**ours["server"], "name": ["<b>"], "url": {"<i>": 1}}}]
    for first in range(0, len(odd), SHOWN):
        events = received(tmp_path / str(first), *odd[first : first + SHOWN])
        shown = Read(page(events))
        assert shown.tags <= TAGS
        assert not [link for link in shown.links if link.startswith("javascript")]
        for event in events:
            assert raw(event)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in a body."""
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value[:3]) if isinstance(value, list) else ()
    for key, one in inner:
        yield from _places(one, (*path, key))


@pytest.mark.parametrize("seed", range(8))
def test_what_looks_like_ours_and_is_not_is_shown(seed: int) -> None:
    rng = Random(seed)
    bodies = [body_of(name) for name in EVERY]
    strange = (
        None,
        True,
        0,
        -1,
        10**30,
        1.5,
        float("nan"),
        "",
        "<b>",
        "\ud800",
        "9999-12-31T23:59Z",
        [],
        {},
        [[]],
        {"a": 1},
    )
    for _ in range(40):
        body = copy.deepcopy(rng.choice(bodies))
        for _ in range(rng.randint(1, 3)):
            *path, last = rng.choice(list(_places(body)))
            part = body
            for key in path:
                part = part[key]
            part[last] = copy.deepcopy(rng.choice(strange))
        event = {"id": "evt", "verified": True, "payload": body, "body": json.dumps(body), "number": 1}
        assert Read(page([event])).tags <= TAGS
        assert raw(event)


def test_a_wrong_signature_shows_nothing_of_the_body(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path / "received.jsonl", SECRET, clock=lambda: NOW)
    attack = "<script>alert(1)</script>"
    headers = {"webhook-id": attack, "webhook-timestamp": str(int(NOW)), "webhook-signature": "v1,no"}
    inbox.receive(headers, json.dumps(payload(HOSTILE, SITE)).encode())
    source = page(list(inbox.events))
    shown = Read(source)
    assert "✗ refused" in shown.text
    assert "no signature matches" in shown.text
    assert "DOWN" not in shown.text
    assert html.escape(attack) in source


def test_huge_bodies_make_no_huge_page(tmp_path: Path) -> None:
    body = {"version": "2", "type": "x" * 10_000, "more": "y" * (BODY_LIMIT - 20_000)}
    events = received(tmp_path, *[body] * 3) * (SHOWN + 1)
    source = page(events)
    assert len(source) < 100_000
    assert f"{3 * (SHOWN + 1) - SHOWN} older ones are in the JSON" in source


def test_an_empty_inbox_says_what_to_do() -> None:
    assert "Nothing yet" in page([])
