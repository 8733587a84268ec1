"""What an Alertmanager sink has been told is firing, kept to be told again each minute. Pure.

Alertmanager forgets an alert at its `endsAt`, and all of them when it restarts: its clients are expected to say again
and again what fires, and for some minutes what does not any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from lookout.notify.sinks.alertmanager import HOLD_S, alert
from lookout.notify.text import rfc3339
from lookout.verdict.burning import PREFIX as BURNS
from lookout.verdict.case import Incident, Notice

KIND: Final = "alertmanager"
RESENT_S: Final = 300
"""What is resolved is said again for so long."""


@dataclass(frozen=True, slots=True)
class Firing:
    """The alert of one incident (`about`: its `dedup_key`) at one sink. Times are unix seconds."""

    sink: str
    about: str
    slug: str
    alert: Mapping[str, Any]
    """A postableAlert; its `endsAt` is made anew each time."""
    told_at: int
    """When it was kept last."""
    ended_at: int | None = None


def of_notice(notice: Notice, sink: str, site_url: str, now: int) -> Firing | None:
    """What a notice says of its incident; None where it is about none, which nothing would ever resolve."""
    if notice.incident is None:
        return None
    made = alert(notice, site_url, now)
    return Firing(sink, notice.dedup_key, notice.slug, made, now, notice.incident.resolved_at)


def settled(firing: Firing, incident: Incident | None) -> Firing:
    """With the end of the incident, where that has come and its notice has not: it waits, or is for other sinks now.

    A burn alert that is not found any more is over as well: its server has another one, or none of late.
    """
    if firing.ended_at is None and incident is None and firing.about.startswith(BURNS):
        return replace(firing, ended_at=firing.told_at)
    if firing.ended_at is None and incident is not None and incident.resolved_at is not None:
        return replace(firing, ended_at=incident.resolved_at, told_at=incident.resolved_at)
    return firing


def again(firing: Firing, now: int, hold_s: int = HOLD_S) -> dict[str, Any] | None:
    """The postableAlert to send now: it fires for `hold_s` more, or ended when it did; None: said long enough."""
    if firing.ended_at is None:
        return {**firing.alert, "endsAt": rfc3339(now + hold_s)}
    if now - firing.told_at > RESENT_S:
        return None
    return {**firing.alert, "endsAt": rfc3339(firing.ended_at)}
