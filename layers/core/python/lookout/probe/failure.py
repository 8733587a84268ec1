"""Why a probe cannot go on; a reply without a usable result is explained in the lowest layer that explains it."""

from __future__ import annotations

from typing import Final

from lookout.probe.envelope import Answer, Broken
from lookout.probe.messages import Reply
from lookout.probe.result import Layer, Reason


class Failure(Exception):  # noqa: N818 - it is the server's failure, not an error of ours
    """A probe that cannot go on: the layer, the reason, and what can be said. Stays inside lookout.probe.

    `reply` is the answer it was read from; None where there was none. `usable`: another client may well be served, so
    that a server whose era was found is degraded, not down.
    """

    def __init__(
        self, layer: Layer, reason: Reason, message: str, reply: Reply | None = None, *, usable: bool = False
    ) -> None:
        super().__init__(message)
        self.layer, self.reason, self.message, self.reply, self.usable = layer, reason, message, reply, usable

    @property
    def http_status(self) -> int | None:
        """The status it came with."""
        return self.reply.status if self.reply is not None else None

    @property
    def code(self) -> int | None:
        """The JSON-RPC error code it came with."""
        answer = self.reply.answer if self.reply is not None else None
        return answer.error_code if isinstance(answer, Answer) else None


BELOW_HTTP: Final = frozenset({Layer.DNS, Layer.TCP, Layer.TLS})
"""Layers on which no reply is possible: another request to the same address says the same."""

_OF_HTTP: Final = frozenset({Reason.CONTENT_TYPE, Reason.NOT_MCP, Reason.TOO_LARGE, Reason.BAD_ENCODING})
_WALL_HEADERS: Final = ("cf-mitigated", "x-amzn-waf-action", "x-datadome")
_WALL_WORDS: Final = ("just a moment...", "challenge-platform", "captcha", "enable javascript and cookies")


def bot_wall(reply: Reply) -> bool:
    """Did something in front of the server ask whether we are human? Its word says nothing about the server."""
    if any(name in reply.headers for name in _WALL_HEADERS):
        return True
    if not reply.html:
        return False
    return reply.status == 403 or (
        reply.status in (200, 202, 405, 429, 503) and any(word in reply.excerpt.lower() for word in _WALL_WORDS)
    )


def of_status(reply: Reply) -> Failure:
    """What an HTTP status of 300 or more says."""
    status, words = reply.status, f": {reply.excerpt}" if reply.excerpt and not reply.html else ""
    if bot_wall(reply):
        return Failure(Layer.HTTP, Reason.BOT_WALL, f"HTTP {status} from a bot wall, not from the server", reply)
    if status in (429, 503):
        after = reply.headers.get("retry-after", "")
        words = f", Retry-After {after[:40]}" if after else words
    if status == 429:
        return Failure(Layer.HTTP, Reason.RATE_LIMITED, f"HTTP 429{words}", reply)
    if status in (401, 403):
        return Failure(Layer.HTTP, Reason.AUTH_REQUIRED, f"HTTP {status}{words}", reply)
    if status == 426:
        return Failure(Layer.HTTP, Reason.WRONG_TRANSPORT, "HTTP 426: this address wants another protocol", reply)
    if status < 400:
        return Failure(Layer.HTTP, Reason.REDIRECT_NOT_FOLLOWED, f"HTTP {status} leads nowhere{words}", reply)
    reason = Reason.HTTP_5XX if status >= 500 else Reason.HTTP_4XX
    return Failure(Layer.HTTP, reason, f"HTTP {status}{words}", reply)


def of_reply(reply: Reply, rpc_reason: Reason, what: str) -> Failure:
    """Why `what` (a method's name) got no usable result; `rpc_reason` is for an error the server itself reports."""
    answer, status = reply.answer, reply.status
    if status in (401, 403, 429) or status >= 500 or bot_wall(reply):
        return of_status(reply)
    if isinstance(answer, Answer) and answer.error_code is not None:
        message = f"{what} failed: error {answer.error_code}: {answer.error_message}"
        return Failure(Layer.JSONRPC, rpc_reason, message, reply)
    if status >= 300:
        return of_status(reply)
    if isinstance(answer, Broken):
        layer = Layer.HTTP if answer.reason in _OF_HTTP else Layer.JSONRPC
        return Failure(layer, answer.reason, answer.message, reply)
    message = f"{what} was answered HTTP {status} without a message"
    return Failure(Layer.JSONRPC, Reason.NO_RESPONSE, message, reply)
