"""slack_bot: one message per incident that is kept up to date, its timeline in the thread below. Pure.

Slack's Web API, with a bot token (scope chat:write): chat.postMessage, then chat.update. It answers 200 to everything;
`ok` in the body says whether it was done. What has to be remembered of an incident and a sink is a `Thread`: where the
message is, and which notice it and the thread say already. A step that was done is remembered before the next one is
taken, so an attempt that comes again after a failure, or after our own end, repeats at most one step.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Self

from lookout.notify.facts import Phase, phase
from lookout.notify.request import HttpRequest, Target, post
from lookout.notify.retry import Answer
from lookout.notify.sinks.slack import blocks, line
from lookout.notify.text import moment
from lookout.notify.words import tell
from lookout.verdict.case import Notice

API: Final = "https://slack.com/api"
_PASSING: Final = frozenset(
    {"ratelimited", "rate_limited", "internal_error", "fatal_error", "request_timeout", "service_unavailable"}
)
"""Errors another attempt may not meet."""
_LOST: Final = frozenset(
    {"message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found", "is_inactive"}
)
"""Errors that mean: our message is gone. A new one is posted."""


@dataclass(frozen=True, slots=True)
class Thread:
    """What is remembered of one incident in one channel. `ts` is the message; empty: there is none yet.

    `shown` is the id of the notice the message shows, `said` that of the newest one told in the thread.
    """

    channel: str = ""
    ts: str = ""
    shown: str = ""
    said: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> Self:
        """Inverse of `to_json`; of nothing, an empty one."""
        known = data or {}
        return cls(*(str(known.get(name, "")) for name in ("channel", "ts", "shown", "said")))


def step(notice: Notice, thread: Thread, target: Target, site_url: str) -> HttpRequest | None:
    """The next request, or None: everything was said.

    First the message; with a later notice of the same incident a line in its thread, then the message made anew.
    """
    if not thread.ts:
        return _call("chat.postMessage", target, {"channel": target.options["channel"], **_message(notice, site_url)})
    if thread.shown == notice.id:
        return None
    if thread.said != notice.id:
        text = f"{moment(notice.created_at)}: {line(tell(notice, site_url))}"
        reply = {"channel": thread.channel, "thread_ts": thread.ts, "text": text, **_QUIET}
        if phase(notice) is Phase.RESOLVED:
            reply["reply_broadcast"] = True
        return _call("chat.postMessage", target, reply)
    return _call("chat.update", target, {"channel": thread.channel, "ts": thread.ts, **_message(notice, site_url)})


def learn(notice: Notice, thread: Thread, answer: Answer) -> tuple[Answer, Thread]:
    """What the answer to `step` means, and what is to be remembered from it.

    An answer that is delivered: the step was done, take the next. A message that is gone is forgotten, which is worth
    another attempt.
    """
    if not answer.delivered:
        return answer, thread
    said = _read(answer.body)
    if said.get("ok") is not True:
        return _refused(str(said.get("error", "")), thread)
    if not thread.ts:
        channel, ts = said.get("channel"), said.get("ts")
        if not isinstance(channel, str) or not isinstance(ts, str):
            return Answer(None, "Slack does not say which message it made", final=True), thread
        return Answer(200, "posted"), Thread(channel[:100], ts[:100], notice.id, notice.id)
    if thread.said != notice.id:
        return Answer(200, "said in the thread"), replace(thread, said=notice.id)
    return Answer(200, "updated"), replace(thread, shown=notice.id)


_QUIET: Final = {"unfurl_links": False, "unfurl_media": False, "link_names": False, "parse": "none"}
"""No previews of what a server names, and nobody called by it."""


def _message(notice: Notice, site_url: str) -> dict[str, Any]:
    story = tell(notice, site_url)
    attachment = {"color": story.color, "fallback": line(story), "blocks": blocks(story)}
    return {"text": line(story), "attachments": [attachment], **_QUIET}


def _call(method: str, target: Target, body: dict[str, Any]) -> HttpRequest:
    if method == "chat.update":
        body = {key: value for key, value in body.items() if key not in ("unfurl_links", "unfurl_media")}
    made = post(f"{API}/{method}", body, {"authorization": f"Bearer {target.url}"})
    made.headers["content-type"] = "application/json; charset=utf-8"
    return made


def _read(body: bytes) -> dict[str, Any]:
    """The answer as an object. It repeats the message, so its end may be beyond what was read: its ids come first."""
    try:
        said = json.loads(body)
    except ValueError:
        found = re.match(rb'\{"ok":true,"channel":"([A-Z0-9]+)","ts":"([0-9.]+)"', body)
        return {"ok": True, "channel": found[1].decode(), "ts": found[2].decode()} if found else {}
    return said if isinstance(said, dict) else {}


def _refused(error: str, thread: Thread) -> tuple[Answer, Thread]:
    name = error if re.fullmatch(r"[a-z_]{1,60}", error) else "something that is no answer of its API"
    if name in _LOST:
        return Answer(None, f"Slack says {name}: the message is made anew"), Thread()
    return Answer(None, f"Slack says {name}", final=name == error and name not in _PASSING), thread
