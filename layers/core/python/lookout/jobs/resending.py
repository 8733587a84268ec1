"""Each minute: tell every Alertmanager sink again what fires, and for five minutes what does not any more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from lookout.config.model import Sink, Site
from lookout.errors import SecretError
from lookout.notify.dispatcher import target_of
from lookout.notify.firing import KIND, Firing, again, settled
from lookout.notify.request import Request
from lookout.notify.retry import Answer
from lookout.notify.sinks.alertmanager import HOLD_S, post_alerts
from lookout.verdict.case import Incident


class Alerts(Protocol):
    """What is read for it."""

    def site(self) -> Site | None:
        """The site, for its sinks."""
        ...

    def firing(self, now: int) -> list[Firing]:
        """What was told, and is not long over."""
        ...

    def incident(self, slug: str, incident_id: str) -> Incident | None:
        """One incident as it is; None for what is no server's, such as a mass failure."""
        ...


@dataclass(frozen=True, slots=True)
class Resent:
    """What one sink was told, and how it answered."""

    sink: str
    alerts: int
    answer: Answer


def resend(
    book: Alerts,
    resolve: Callable[[str], str],
    send: Callable[[Request, bool], Answer],
    now: int,
    hold_s: int = HOLD_S,
) -> list[Resent]:
    """One request for each Alertmanager sink of which anything fires, all at the same time. The next minute retries.

    `hold_s`: how long what fires does so without being told again; four times the interval at which this is done.
    """
    site = book.site()
    sinks = [sink for sink in site.sinks if sink.kind == KIND] if site is not None else []
    if not sinks:
        return []
    kept = book.firing(now)
    incidents = {key: book.incident(*key) for key in {(firing.slug, firing.about) for firing in kept}}
    known = [settled(firing, incidents[firing.slug, firing.about]) for firing in kept]
    told = [(sink, _alerts(known, sink.name, now, hold_s)) for sink in sinks]
    with ThreadPoolExecutor(len(sinks)) as pool:
        jobs = [pool.submit(_tell, sink, alerts, resolve, send) for sink, alerts in told if alerts]
        return [job.result() for job in jobs]


def _alerts(known: Sequence[Firing], sink: str, now: int, hold_s: int) -> list[dict[str, Any]]:
    made = (again(firing, now, hold_s) for firing in known if firing.sink == sink)
    return [alert for alert in made if alert is not None]


def _tell(
    sink: Sink,
    alerts: Sequence[dict[str, Any]],
    resolve: Callable[[str], str],
    send: Callable[[Request, bool], Answer],
) -> Resent:
    try:
        answer = send(post_alerts(alerts, target_of(sink, resolve)), sink.allow_private)
    except SecretError as error:
        answer = Answer(None, str(error))
    return Resent(sink.name, len(alerts), answer)
