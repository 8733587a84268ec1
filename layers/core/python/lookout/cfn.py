"""The answer a CloudFormation custom resource owes (user guide, "Custom resource response objects").

Whatever happens an answer is sent: without one CloudFormation waits for an hour. A failure that has been answered is
not raised: Lambda would invoke again and apply, minutes later, what the stack has rolled back from.
"""

from __future__ import annotations

import json
import logging
import signal
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NoReturn

REASON_LIMIT: Final = 900
PHYSICAL_ID: Final = "lookout-configuration"
RESERVE_S: Final = 10.0
"""Seconds kept back from the work so that the answer can still be sent."""

_log = logging.getLogger(__name__)


class _OutOfTimeError(BaseException):
    """Not an Exception: no client library on the way may take it for an error of its own and try again."""


def respond(event: Mapping[str, Any], work: Callable[[], Mapping[str, str]], seconds: float) -> bool:
    """Run `work` and PUT SUCCESS with its data, or FAILED with why, to the event's ResponseURL; was it SUCCESS?

    `seconds` is the time there is, sending included. Raises OSError where the answer itself cannot be sent.
    """
    data: Mapping[str, str] = {}
    reason = ""
    try:
        with _alarm(max(0.1, seconds - RESERVE_S)):
            data = work()
    except _OutOfTimeError:
        reason = "not done in the time there is: what was applied stays; deploy again to go on"
        _log.error(reason)
    except Exception as error:  # noqa: BLE001 - every failure has to be answered; it is logged with its trace
        reason = f"{type(error).__name__}: {error}"
        _log.exception("the custom resource failed")
    _put(event, "FAILED" if reason else "SUCCESS", reason or "done", data)
    return not reason


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise _OutOfTimeError in the block after `seconds`. Only a main thread can be interrupted; Lambda uses it."""

    def strike(*_: object) -> NoReturn:
        raise _OutOfTimeError

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.signal(signal.SIGALRM, strike)
    before, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, before)
        signal.signal(signal.SIGALRM, handler)


def _put(event: Mapping[str, Any], status: str, reason: str, data: Mapping[str, str]) -> None:
    body = {
        "Status": status,
        "Reason": reason[:REASON_LIMIT],
        "PhysicalResourceId": event.get("PhysicalResourceId", PHYSICAL_ID),
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": dict(data),
    }
    text = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")  # at most 4,096 bytes are taken
    # The URL is CloudFormation's own, from its event, signed for an empty content type.
    request = urllib.request.Request(event["ResponseURL"], text, {"content-type": ""}, method="PUT")  # noqa: S310 - see above
    with urllib.request.urlopen(request, timeout=RESERVE_S - 2):  # noqa: S310 - see above
        pass
