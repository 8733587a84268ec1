"""slack_bot against a Slack of our own: one message per incident, its timeline in the thread, through every failure."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lookout.notify.render import Dialog
from lookout.notify.request import HttpRequest
from lookout.notify.retry import Answer
from lookout.notify.sinks.slack_bot import Thread

from tests.contract.notify.sample import ACKNOWLEDGED, EVERY, OPEN, OPENED, RESOLVED, SITE, UPDATED
from tests.contract.notify.targets import BOT

UPDATES = [replace(UPDATED, id=f"evt_0000000000000000000000000{n}", created_at=OPENED + 60 * n) for n in range(3)]
STORY = [OPEN, *UPDATES, replace(RESOLVED, dedup_key=OPEN.dedup_key)]


class Slack:
    """Keeps messages; answers as told, or does as asked."""

    def __init__(self) -> None:
        self.messages: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []
        self.memory: dict[str, Any] | None = None

    def take(self, request: HttpRequest, fault: str = "") -> Answer:
        """`fault`: `before` it is done, `after` it was done (the answer is lost), or an error of Slack's."""
        assert request.headers["authorization"] == "Bearer xoxb-1"
        assert request.headers["content-type"] == "application/json; charset=utf-8"
        method, asked = request.url.removeprefix("https://slack.com/api/"), json.loads(request.body)
        if fault == "before":
            return Answer(None, "no connection")
        if fault and fault != "after":
            return Answer(200, "", body=json.dumps({"ok": False, "error": fault}).encode())
        self.calls.append(method)
        if method == "chat.update" and asked["ts"] not in self.messages:
            return Answer(200, "", body=b'{"ok":false,"error":"message_not_found"}')
        ts = asked.get("ts") or f"17.{len(self.messages):06}"
        self.messages[ts] = {**self.messages.get(ts, {}), **asked}
        if fault == "after":
            return Answer(None, "the connection was cut")
        said = {"ok": True, "channel": "C9", "ts": ts, "message": asked}
        return Answer(200, "", body=json.dumps(said, separators=(",", ":")).encode())

    def deliver(self, notice: Any, *faults: str) -> Answer:
        """One attempt, as the dispatcher makes it."""
        dialog, answer, taken, todo = Dialog(notice, BOT, SITE, OPENED), Answer(200, ""), 0, list(faults)
        while (request := dialog.step(self.memory, taken)) is not None:
            assert isinstance(request, HttpRequest)
            answer, after = dialog.learn(self.memory, self.take(request, todo.pop(0) if todo else ""))
            self.memory, taken = dict(after or {}), taken + 1
            assert taken < 5
            if not answer.delivered:
                break
        return answer

    @property
    def tops(self) -> list[dict[str, Any]]:
        return [message for message in self.messages.values() if "thread_ts" not in message]

    @property
    def replies(self) -> list[dict[str, Any]]:
        return [message for message in self.messages.values() if "thread_ts" in message]


def test_an_incident_is_one_message_and_its_thread() -> None:
    slack = Slack()
    assert all(slack.deliver(notice).delivered for notice in STORY)
    (top,) = slack.tops
    assert top["text"] == "✅ [EXTERNAL] Acme Search recovered"
    assert top["attachments"][0]["color"] == "#2eb67d"
    assert [reply["thread_ts"] for reply in slack.replies] == ["17.000000"] * 4
    assert [reply.get("reply_broadcast", False) for reply in slack.replies] == [False, False, False, True]
    assert slack.replies[0]["text"].startswith("2026-08-22 14:34 UTC: 🟠 [EXTERNAL] Acme Search rejects our credential")
    assert slack.calls == ["chat.postMessage", *["chat.postMessage", "chat.update"] * 4]


def test_the_first_message_goes_to_the_channel_and_later_ones_to_the_one_slack_named() -> None:
    slack = Slack()
    slack.deliver(OPEN)
    assert slack.tops[0]["channel"] == "C012"
    slack.deliver(RESOLVED)
    assert slack.tops[0]["channel"] == slack.replies[0]["channel"] == "C9"


def test_an_acknowledgement_is_told_in_the_thread() -> None:
    slack = Slack()
    slack.deliver(OPEN)
    slack.deliver(replace(ACKNOWLEDGED, id="evt_a"))
    assert len(slack.replies) == 1


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from(["", "before", "internal_error", "ratelimited"]), max_size=2), max_size=12))
def test_failures_before_anything_was_done_repeat_nothing(schedule: list[list[str]]) -> None:
    slack = Slack()
    for notice in STORY:
        while not slack.deliver(notice, *(schedule.pop() if schedule else [])).delivered:
            pass
    assert len(slack.tops) == 1
    assert len(slack.replies) == len(STORY) - 1
    assert slack.tops[0]["text"] == "✅ [EXTERNAL] Acme Search recovered"


@pytest.mark.parametrize("step", [0, 1])
def test_an_answer_that_is_lost_repeats_that_one_step(step: int) -> None:
    slack = Slack()
    slack.deliver(OPEN)
    slack.deliver(UPDATES[0], *[""] * step, "after")
    assert slack.deliver(UPDATES[0]).delivered
    assert len(slack.tops) == 1
    assert len(slack.replies) == (2 if step == 0 else 1)


def test_what_was_said_is_not_said_again() -> None:
    slack = Slack()
    slack.deliver(OPEN)
    before = dict(slack.messages)
    assert slack.deliver(OPEN).delivered
    assert slack.messages == before


def test_a_message_that_was_deleted_is_made_anew() -> None:
    slack = Slack()
    slack.deliver(OPEN)
    slack.messages.clear()
    answer = slack.deliver(UPDATES[0], "", "message_not_found")
    assert answer.retryable
    assert not answer.delivered
    assert slack.deliver(UPDATES[0]).delivered
    assert len(slack.tops) == 1


@pytest.mark.parametrize("error", ["invalid_auth", "channel_not_found", "not_in_channel", "msg_too_long"])
def test_what_slack_refuses_for_good_is_final_and_named(error: str) -> None:
    assert Slack().deliver(OPEN, error) == Answer(None, f"Slack says {error}", final=True)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"ok":1}', b'{"ok":false,"error":"<!channel>"}', b"\xff"]
)
def test_an_answer_that_is_none_of_slacks_is_tried_again(body: bytes) -> None:
    answer, memory = Dialog(OPEN, BOT, SITE, OPENED).learn(None, Answer(200, "", body=body))
    assert answer == Answer(None, "Slack says something that is no answer of its API")
    assert answer.retryable
    assert Thread.from_json(memory) == Thread()


def test_a_2xx_that_names_no_message_is_not_asked_for_again() -> None:
    answer, _ = Dialog(OPEN, BOT, SITE, OPENED).learn(None, Answer(200, "", body=b'{"ok":true,"ts":7}'))
    assert answer.final


def test_an_answer_cut_short_still_says_which_message_it_made() -> None:
    cut = b'{"ok":true,"channel":"C9","ts":"17.000100","message":{"text":"' + b"x" * 1000
    answer, memory = Dialog(OPEN, BOT, SITE, OPENED).learn(None, Answer(200, "", body=cut))
    assert answer.delivered
    assert Thread.from_json(memory) == Thread("C9", "17.000100", OPEN.id, OPEN.id)


def test_an_http_error_is_passed_on() -> None:
    answer, _ = Dialog(OPEN, BOT, SITE, OPENED).learn(None, Answer(429, "", 30))
    assert answer == Answer(429, "", 30)


@pytest.mark.parametrize("name", EVERY)
def test_nobody_is_called_and_nothing_unfurls(name: str) -> None:
    slack = Slack()
    slack.deliver(EVERY[name])
    slack.deliver(replace(EVERY[name], id="evt_again", type="incident.updated"))
    for message in slack.messages.values():
        assert (message["link_names"], message["parse"]) == (False, "none")
        assert len(message["text"]) <= 4000
