"""A notice and a sink -> the request to send. Pure: secrets are resolved, time is given.

A kind is one module of `lookout.notify.sinks`. `slack_bot` takes more than one request, and remembers something in
between: it has steps (`Dialog`) where the others have a rendering.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lookout.notify.request import HttpRequest, Request, Target
from lookout.notify.retry import Answer
from lookout.notify.sinks import (
    alertmanager,
    discord,
    email,
    eventbridge,
    google_chat,
    ntfy,
    opsgenie,
    pagerduty,
    slack,
    slack_bot,
    sns,
    teams,
    telegram,
    webhook,
)
from lookout.verdict.case import Notice

Renderer = Callable[[Notice, Target, str, int], Request]
Memory = Mapping[str, Any]

RENDERERS: Final[Mapping[str, Renderer]] = {
    "webhook": webhook.request,
    "slack": slack.request,
    "alertmanager": alertmanager.request,
    "pagerduty": pagerduty.request,
    "opsgenie": opsgenie.request,
    "discord": discord.request,
    "teams": teams.request,
    "google_chat": google_chat.request,
    "telegram": telegram.request,
    "ntfy": ntfy.request,
    "email": email.request,
    "sns": sns.request,
    "eventbridge": eventbridge.request,
}
_READERS: Final[Mapping[str, Callable[[Answer], Answer]]] = {"telegram": telegram.read}


def render(notice: Notice, target: Target, site_url: str, now: int) -> Request:
    """The request of `notice` for a target that takes one; `now` (unix s) is the time of this attempt."""
    return RENDERERS[target.kind](notice, target, site_url, now)


@dataclass(frozen=True, slots=True)
class Dialog:
    """The delivery of one notice to one target, step by step.

    `step` gives the request to send, or None when it is over; `learn` what the answer to it means, and what is to be
    remembered before the next step. A kind that takes one request remembers nothing.
    """

    notice: Notice
    target: Target
    site_url: str
    now: int

    @property
    def remembers(self) -> bool:
        """Does this kind remember anything of an incident?"""
        return self.target.kind == "slack_bot"

    def step(self, memory: Memory | None, taken: int) -> Request | None:
        """The next request, after `taken` of them were delivered."""
        if self.target.kind == "slack_bot":
            thread = slack_bot.Thread.from_json(memory)
            made: HttpRequest | None = slack_bot.step(self.notice, thread, self.target, self.site_url)
            return made
        return None if taken else render(self.notice, self.target, self.site_url, self.now)

    def learn(self, memory: Memory | None, answer: Answer) -> tuple[Answer, Memory | None]:
        """The answer as this kind means it, and the memory after it."""
        if self.target.kind == "slack_bot":
            read, thread = slack_bot.learn(self.notice, slack_bot.Thread.from_json(memory), answer)
            return read, thread.to_json()
        return _READERS[self.target.kind](answer) if self.target.kind in _READERS else answer, None
