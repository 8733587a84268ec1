"""notify, in two steps: a notice becomes one delivery per sink; a delivery becomes one request and one record."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from lookout.config.model import Sink, Site
from lookout.config.references import is_reference
from lookout.errors import SecretError
from lookout.notify.render import Dialog
from lookout.notify.request import Request, Target
from lookout.notify.retry import Answer, backoff
from lookout.store.database import Delivery
from lookout.verdict.state import Notice


class Outbox(Protocol):
    """What notify reads and writes."""

    def site(self) -> Site | None:
        """The site, for its sinks."""
        ...

    def notice(self, notice_id: str) -> Notice | None:
        """One notice."""
        ...

    def delivery(self, notice_id: str, sink: str) -> Delivery | None:
        """How a delivery ended."""
        ...

    def record_delivery(self, notice_id: str, delivery: Delivery) -> None:
        """Remember it."""
        ...

    def conversation(self, about: str, sink: str) -> Mapping[str, Any] | None:
        """What a sink remembers of an incident or change (its `dedup_key`); None before it does."""
        ...

    def keep_conversation(self, about: str, sink: str, memory: Mapping[str, Any], now: int) -> None:
        """Remember that."""
        ...


@dataclass(frozen=True, slots=True)
class Task:
    """One delivery as queued; `attempt` counts from 1."""

    notice: str
    sink: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended.

    `result` is delivered, failed (another attempt changes nothing), retrying, or known (it was delivered before);
    `wait_s` None means it is over, else how long to wait before the next attempt.
    """

    task: Task
    result: str
    answer: str = ""
    wait_s: int | None = None


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything a delivery needs from outside."""

    outbox: Outbox
    resolve: Callable[[str], str]
    """`secret:NAME` or another reference -> its value. Raises SecretError."""
    send: Callable[[Request, bool], Answer]
    """(request, allow_private) -> how it ended."""
    delay: Callable[[str, int], None]
    """(receipt handle, seconds): no sooner than that."""
    now: Callable[[], int]
    chance: Callable[[], float]
    site_url: str


def group(notice: Notice, sink: str) -> str:
    """The queue's message group: deliveries of one incident to one sink keep their order, and hold up nobody else."""
    return f"{notice.dedup_key}#{sink}"


def fan_out(notices: Iterable[Notice], enqueue: Callable[[str, str, str], None]) -> int:
    """Queue one delivery per (notice, sink): `enqueue(notice id, sink, group)`; how many. Nobody gets what is held."""
    count = 0
    for notice in (one for one in notices if not one.held):
        for sink in notice.sinks:
            enqueue(notice.id, sink, group(notice, sink))
            count += 1
    return count


def deliver_messages(records: Iterable[Mapping[str, Any]], ports: Ports) -> tuple[list[Outcome], list[str]]:
    """Attempt what a batch of the deliveries queue holds: how each attempt ended, and the messages to be kept.

    A message that has to wait makes the later ones of its group wait too, untried: a resolution never overtakes its
    opening. An error of our own is raised, and the queue sends the whole batch again: what was delivered is known.
    """
    outcomes: list[Outcome] = []
    kept: list[str] = []
    waiting: set[str] = set()
    for record in records:
        attributes, body = record["attributes"], json.loads(record["body"])
        if attributes["MessageGroupId"] in waiting:
            kept.append(record["messageId"])
            continue
        outcome = attempt(Task(body["notice"], body["sink"], int(attributes["ApproximateReceiveCount"])), ports)
        outcomes.append(outcome)
        if outcome.wait_s is not None:
            ports.delay(record["receiptHandle"], outcome.wait_s)
            waiting.add(attributes["MessageGroupId"])
            kept.append(record["messageId"])
    return outcomes, kept


def attempt(task: Task, ports: Ports) -> Outcome:
    """Try one delivery, and record how it ended."""
    done = ports.outbox.delivery(task.notice, task.sink)
    if done is not None and done.result == "delivered":
        return Outcome(task, "known", done.answer)
    outcome = _attempt(task, ports)
    ports.outbox.record_delivery(task.notice, Delivery(task.sink, outcome.result, outcome.answer, ports.now()))
    return outcome


def _attempt(task: Task, ports: Ports) -> Outcome:
    notice, site = ports.outbox.notice(task.notice), ports.outbox.site()
    sink = site.sink(task.sink) if site is not None else None
    if notice is None:
        return Outcome(task, "failed", "the notice has expired")
    if sink is None:
        return Outcome(task, "failed", "the sink is no longer configured")
    try:
        answer = _converse(Dialog(notice, target_of(sink, ports.resolve), ports.site_url, ports.now()), sink, ports)
    except SecretError as error:
        answer = Answer(None, str(error))
    if answer.retryable and not answer.delivered:
        wait_s = backoff(task.attempt, ports.chance(), answer.retry_after_s)
        return Outcome(task, "retrying", str(answer), wait_s)
    return Outcome(task, "delivered" if answer.delivered else "failed", str(answer))


def _converse(dialog: Dialog, sink: Sink, ports: Ports) -> Answer:
    """Take the steps of one delivery. What one of them taught is kept before the next one."""
    about = dialog.notice.dedup_key
    memory = ports.outbox.conversation(about, sink.name) if dialog.remembers else None
    answer, taken = Answer(200, "said before"), 0
    while (request := dialog.step(memory, taken)) is not None:
        answer, after = dialog.learn(memory, ports.send(request, sink.allow_private))
        if after is not None and after != memory:
            ports.outbox.keep_conversation(about, sink.name, after, ports.now())
        memory, taken = after, taken + 1
        if not answer.delivered:
            break
    return answer


def target_of(sink: Sink, resolve: Callable[[str], str]) -> Target:
    """The sink with every reference in it resolved. Raises SecretError."""

    def value(part: Any) -> Any:
        if isinstance(part, Mapping):
            return {key: value(inner) for key, inner in part.items()}
        if isinstance(part, list | tuple):
            return [value(inner) for inner in part]
        return resolve(part).strip() if is_reference(part) else part

    signing = " ".join(map(value, sink.signing.split())) if sink.signing else None
    return Target(sink.kind, value(sink.url), signing, sink.allow_private, value(sink.options))
