"""What to do after an attempt. Pure: the random number and the time come in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

FIRST_S: Final = 5
LONGEST_S: Final = 900
"""No wait of ours is longer, so that a receiver that is back gets what waits for it within a quarter of an hour."""
TRIED_FOR_S: Final = 86_400
"""From when a delivery was queued: what was not acknowledged by then is given up."""
RETRIED: Final = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Answer:
    """How an attempt ended: an HTTP status, or None with what went wrong on the way. Never holds a secret.

    `final` marks what another attempt cannot change, such as an address that must not be called. `body` is the
    beginning of what was answered, for the kinds that have to read it: never shown, never stored.
    """

    status: int | None
    text: str = ""
    retry_after_s: int | None = None
    final: bool = False
    body: bytes = field(default=b"", repr=False, compare=False)

    @property
    def delivered(self) -> bool:
        """The receiver acknowledged it: any 2xx."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def retryable(self) -> bool:
        """Worth another attempt: network errors, 408, 425, 429 and 5xx (SHAPES 1, Delivery)."""
        return not self.final and (self.status is None or self.status in RETRIED or self.status >= 500)

    def __str__(self) -> str:
        return f"HTTP {self.status} {self.text}".strip() if self.status is not None else self.text


def backoff(attempt: int, chance: float, retry_after_s: int | None = None) -> int:
    """Seconds until attempt + 1: exponential with full jitter (`chance` in 0..1), never sooner than Retry-After."""
    ceiling = min(LONGEST_S, FIRST_S << max(0, min(attempt, 20) - 1))
    return max(1, round(ceiling * chance), retry_after_s or 0)


def next_wait(attempt: int, chance: float, retry_after_s: int | None, left_s: int) -> int | None:
    """Seconds until attempt + 1, or None: give up. `left_s` is how long it may still be tried.

    Where time runs out before the wait is over there is one attempt at its very end; but none before Retry-After, so
    a receiver that asks for more time than there is gets none.
    """
    if left_s <= 0 or (retry_after_s or 0) > left_s:
        return None
    return min(left_s, backoff(attempt, chance, retry_after_s))


def retry_after(header: str, now: float) -> int | None:
    """Seconds a Retry-After header asks for, at most a day (RFC 9110, 10.2.3: seconds or a date); None for neither."""
    text = header.strip()
    if text.isdecimal() and text.isascii():
        return min(int(text[:6]), 86_400)
    try:
        moment = parsedate_to_datetime(text[:40])
    except ValueError:
        return None
    at = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(0, round(at.timestamp() - now)), 86_400)
