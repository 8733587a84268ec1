"""What people ask of notices, with their own credentials: which there are, how each was delivered, send one again."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from lookout.config.model import Site
from lookout.errors import LookoutError
from lookout.notify.retry import TRIED_FOR_S
from lookout.store import Delivery, Store
from lookout.verdict.case import Notice

LOOKED_THROUGH: Final = 1_000
"""The newest notices, in which the open and the failed ones are searched."""
LISTED: Final = 50
NAMED: Final = 5
"""Notices an ambiguous id is answered with."""
LOST_AFTER_S: Final = TRIED_FOR_S + 7_200
"""Nobody waits longer for an attempt: a delivery of which nothing was heard for so long has no message any more."""
FAILED: Final = frozenset({"failed", "dead", "lost"})
OPEN: Final = frozenset({"waiting", "retrying"})
_ID: Final = re.compile(r"evt_[0-9A-HJKMNP-TV-Z]{1,26}")
_LENGTH: Final = 30

Resend = Callable[[Notice, str], None]
"""(notice, sink): put that delivery into the queue once more."""


@dataclass(frozen=True, slots=True)
class Stand:
    """How the delivery of a notice to one sink stands."""

    sink: str
    result: str
    """waiting (not tried yet), retrying, quiet (it waits for a digest), delivered, failed (refused for good), dead
    (given up), or lost."""
    delivery: Delivery | None


@dataclass(frozen=True, slots=True)
class Letter:
    """A notice, and how it stands with each of its sinks."""

    notice: Notice
    stands: tuple[Stand, ...]

    def any_of(self, results: Collection[str]) -> bool:
        """Does it stand so with any of its sinks?"""
        return any(stand.result in results for stand in self.stands)


@dataclass(frozen=True, slots=True)
class Replay:
    """What became of the wish to send a notice to a sink again; `why` is empty where it was put into the queue."""

    notice: Notice
    sink: str
    why: str = ""


def letter(notice: Notice, deliveries: Iterable[Delivery], now: int) -> Letter:
    """The notice with its sinks, and those that were tried though they are not among them any more."""
    tried = {one.sink: one for one in deliveries}
    sinks = dict.fromkeys([*notice.sinks, *tried])
    return Letter(notice, tuple(Stand(sink, _result(notice, tried.get(sink), now), tried.get(sink)) for sink in sinks))


def _result(notice: Notice, delivery: Delivery | None, now: int) -> str:
    if delivery is not None and delivery.over:
        return delivery.result
    heard = notice.created_at if delivery is None else max(delivery.at, delivery.due)
    if now - heard > LOST_AFTER_S:
        return "lost"
    return "waiting" if delivery is None else "retrying"


def listed(store: Store, now: int, results: Collection[str] | None = None) -> list[Letter]:
    """The newest notices, newest first: LISTED of them, or those of LOOKED_THROUGH that stand so with any sink."""
    notices = store.recent_notices(LISTED if results is None else LOOKED_THROUGH)
    deliveries = store.deliveries_of([notice.id for notice in notices])
    found = [letter(notice, tried, now) for notice, tried in zip(notices, deliveries, strict=True)]
    return found if results is None else [one for one in found if one.any_of(results)]


def find(store: Store, prefix: str, now: int) -> Letter:
    """The notice whose id begins so. Raises LookoutError where there is none, or more than one, and says which."""
    text = "evt_" + prefix.removeprefix("evt_").upper()
    if not _ID.fullmatch(text):
        raise LookoutError(f"{prefix!r} is no id of a notice, nor the beginning of one: `lookout notices list`")
    found = store.notices_like(text, NAMED + 1)
    if not found:
        raise LookoutError(
            f"there is no notice {text}{'' if len(text) == _LENGTH else '...'}: they are kept for 30 days, and "
            "a mass failure has a digest in their stead; `lookout notices list` shows the newest"
        )
    if len(found) > 1:
        some = ", ".join(one.id for one in found[:NAMED]) + (", ..." if len(found) > NAMED else "")
        raise LookoutError(f"{text} is the beginning of more than one id ({some}): write more of it")
    return letter(found[0], store.deliveries(found[0].id), now)


def replay(
    store: Store, site: Site, letters: Sequence[Letter], sink: str | None, now: int, resend: Resend
) -> list[Replay]:
    """Send again what did not arrive, oldest first; to one sink, or to each it did not reach.

    Not what a sink has acknowledged, nor what is still being tried; and nothing that would tell it of the past: where a
    later notice of the same incident has reached it, the earlier one stays unsent.
    """
    if sink is not None and not any(stand.sink == sink for one in letters for stand in one.stands):
        sinks = ", ".join(sorted({stand.sink for one in letters for stand in one.stands})) or "nobody"
        raise LookoutError(f"no such notice is for the sink {sink!r}, but for {sinks}")
    configured = {one.name for one in site.sinks}
    out = []
    for one in sorted(letters, key=lambda one: (one.notice.id[:14], one.notice.sequence, one.notice.id)):
        after = _later(store, one.notice, now) if one.any_of(FAILED) else []
        for stand in one.stands:
            if sink in (None, stand.sink):
                why = _refusal(stand, configured, after)
                if not why:
                    resend(one.notice, stand.sink)
                out.append(Replay(one.notice, stand.sink, why))
    return out


def _later(store: Store, notice: Notice, now: int) -> list[Letter]:
    """The notices of the same incident that came after it."""
    if notice.incident is None:
        return []
    until = max(now, notice.incident.opened_at) + 86_400  # whatever this machine's clock says
    about = [one for one in store.notices_about(notice.incident, until) if one.sequence > notice.sequence]
    return [
        letter(one, tried, now)
        for one, tried in zip(about, store.deliveries_of([one.id for one in about]), strict=True)
    ]


def _refusal(stand: Stand, configured: Collection[str], after: Sequence[Letter]) -> str:
    if stand.result == "delivered":
        return "it was delivered"
    if stand.result == "quiet":
        return "it waits for the end of quiet hours, or a digest has told of it"
    if stand.result in OPEN:
        return "it is still being tried"
    if stand.sink not in configured:
        return "the sink is no longer configured"
    for later in after:
        if any(one.sink == stand.sink and one.result == "delivered" for one in later.stands):
            return f"what came after it was delivered ({later.notice.type}, {later.notice.id})"
    return ""
