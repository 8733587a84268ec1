"""notify, in two steps: a notice becomes one delivery per sink; a delivery becomes one request and one record.

What the queue promises is all that this builds on: messages of a group come in the order they were sent, the next one
after the one before it is gone; each comes at least once. So a delivery is tried until the receiver acknowledges it,
refuses it for good, or a day is over (`lookout.notify.retry`), and a record of that makes a second message harmless.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from lookout.config.model import Sink, Site
from lookout.config.references import is_reference
from lookout.errors import ConflictError, SecretError
from lookout.notify.firing import KIND, Firing, of_notice
from lookout.notify.render import Dialog
from lookout.notify.request import Request, Target
from lookout.notify.retry import TRIED_FOR_S, Answer, next_wait
from lookout.notify.text import moment
from lookout.store.deliveries import Delivery, Untold
from lookout.verdict.case import Notice
from lookout.verdict.quiet import Waiting, waiting, waits_until, weight

_LOST: Final = ("failed", "dead")
QUIET_ATTEMPTS: Final = 4


class Outbox(Protocol):
    """What notify reads and writes."""

    def site(self) -> Site | None:
        """The site, for its sinks."""
        ...

    def notice(self, notice_id: str) -> Notice | None:
        """One notice."""
        ...

    def delivery(self, notice_id: str, sink: str) -> Delivery | None:
        """How a delivery stands."""
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

    def keep_firing(self, firing: Firing) -> None:
        """Remember what an Alertmanager sink is to be told again and again."""
        ...

    def untold(self, about: str, sink: str) -> Untold | None:
        """The opening of an incident (its `dedup_key`) that did not reach a sink."""
        ...

    def keep_untold(self, about: str, sink: str, untold: Untold, now: int) -> None:
        """Remember that."""
        ...

    def quieted(self, sink: str, about: str) -> Waiting | None:
        """What waits for the end of a sink's quiet hours about an incident (its `dedup_key`)."""
        ...

    def keep_quieted(self, waiting: Waiting, delivery: Delivery, now: int) -> None:
        """Let one more wait, and record that delivery. Raises ConflictError when what waits moved since it was read."""
        ...


@dataclass(frozen=True, slots=True)
class Task:
    """One delivery as queued. `attempt` is how often its message was received, from 1; `queued` when it was sent."""

    notice: str
    sink: str
    attempt: int
    queued: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended.

    `result` is delivered, failed (another attempt changes nothing), retrying, dead (given up after a day), waiting (its
    time has not come: nothing was tried), quiet (it waits for a digest: the sink has quiet hours), or known (it was
    over before). `wait_s` None means it is over, else how long to wait before the next attempt.
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
    """(receipt handle, seconds): no sooner than that, as far as the queue can wait; what comes early waits again."""
    bury: Callable[[str, str, str], None]
    """(notice id, sink, group): into the dead-letter queue."""
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
        attributes = record["attributes"]
        if attributes["MessageGroupId"] in waiting:
            kept.append(record["messageId"])
            continue
        outcome = attempt(_task(record), ports)
        outcomes.append(outcome)
        if outcome.wait_s is not None:
            ports.delay(record["receiptHandle"], outcome.wait_s)
            waiting.add(attributes["MessageGroupId"])
            kept.append(record["messageId"])
    return outcomes, kept


def _task(record: Mapping[str, Any]) -> Task:
    attributes, body = record["attributes"], json.loads(record["body"])
    received, sent_ms = int(attributes["ApproximateReceiveCount"]), int(attributes["SentTimestamp"])
    return Task(body["notice"], body["sink"], received, sent_ms // 1000)


def attempt(task: Task, ports: Ports) -> Outcome:
    """Try one delivery, and record how it ended: last of all, so that whatever interrupts it is done again."""
    outbox = ports.outbox
    notice, done = outbox.notice(task.notice), outbox.delivery(task.notice, task.sink)
    if done is not None and _settled(done, task, notice, outbox):
        return Outcome(task, "known", done.answer)
    if done is not None and not done.over and (early_s := done.due - ports.now()) > 0:
        return Outcome(task, "waiting", done.answer, early_s)
    outcome = Outcome(task, "failed", "the notice has expired") if notice is None else _try(task, notice, done, ports)
    now = ports.now()
    if notice is not None and outcome.result in _LOST:
        if outcome.result == "dead":
            ports.bury(notice.id, task.sink, group(notice, task.sink))
        if opens(notice):
            outbox.keep_untold(notice.dedup_key, task.sink, Untold(notice.id), now)
    if outcome.result == "quiet":
        return outcome
    made = 1 + (done.attempts if done is not None else 0)
    due = now + outcome.wait_s if outcome.wait_s is not None else 0
    outbox.record_delivery(task.notice, Delivery(task.sink, outcome.result, outcome.answer, now, made, due))
    return outcome


def _settled(done: Delivery, task: Task, notice: Notice | None, outbox: Outbox) -> bool:
    """Is there nothing to do for this message?

    What was refused or given up is tried again where somebody sent it anew since; but not an opening of which the
    notice of the end has told.
    """
    if done.result not in _LOST:
        return done.over
    if task.queued < done.at:
        return True
    untold = outbox.untold(notice.dedup_key, task.sink) if notice is not None else None
    return untold is not None and untold.notice == task.notice and untold.told


def _try(task: Task, notice: Notice, done: Delivery | None, ports: Ports) -> Outcome:
    site = ports.outbox.site()
    sink = site.sink(task.sink) if site is not None else None
    if sink is None:
        return Outcome(task, "failed", "the sink is no longer configured")
    return _wait(task, notice, sink, done, ports) or _attempt(task, notice, sink, ports)


def _wait(task: Task, notice: Notice, sink: Sink, done: Delivery | None, ports: Ports) -> Outcome | None:
    """Let it wait, where it comes in the sink's quiet hours, or where what came before it still waits; else None."""
    severity = weight(notice)
    if not any(hours.holds(severity) for hours in sink.quiet):
        return None
    for again in reversed(range(QUIET_ATTEMPTS)):
        now = ports.now()
        until = waits_until(sink, severity, now)
        before = ports.outbox.quieted(sink.name, notice.dedup_key)
        if until is None and before is None:
            break
        answer = f"quiet hours until {moment(until)}, then in a digest" if until is not None else "in the next digest"
        record = Delivery(sink.name, "quiet", answer, now, done.attempts if done is not None else 0)
        try:
            ports.outbox.keep_quieted(waiting(sink.name, notice, now, before), record, now)
        except ConflictError:
            if not again:
                raise
        else:
            return Outcome(task, "quiet", answer)
    return None


def opens(notice: Notice) -> bool:
    """Is it the first of its incident?"""
    return notice.incident is not None and notice.incident.resolved_at is None and notice.sequence == 0


def _attempt(task: Task, notice: Notice, sink: Sink, ports: Ports) -> Outcome:
    missed = _missed(notice, sink.name, ports.outbox)
    try:
        told = replace(notice, opening_undelivered=missed is not None)
        if sink.kind == KIND and (firing := of_notice(told, sink.name, ports.site_url, ports.now())) is not None:
            ports.outbox.keep_firing(firing)
        answer = _converse(Dialog(told, target_of(sink, ports.resolve), ports.site_url, ports.now()), sink, ports)
    except SecretError as error:
        answer = Answer(None, str(error))
    if answer.delivered:
        if missed is not None:
            ports.outbox.keep_untold(notice.dedup_key, sink.name, replace(missed, told=True), ports.now())
        return Outcome(task, "delivered", str(answer))
    if not answer.retryable:
        return Outcome(task, "failed", str(answer))
    left_s = task.queued + TRIED_FOR_S - ports.now()
    wait_s = next_wait(task.attempt, ports.chance(), answer.retry_after_s, left_s)
    return Outcome(task, "retrying" if wait_s is not None else "dead", str(answer), wait_s)


def _missed(notice: Notice, sink: str, outbox: Outbox) -> Untold | None:
    """For the notice of an incident's end: the opening, where it did not reach this sink."""
    if notice.incident is None or notice.incident.resolved_at is None:
        return None
    untold = outbox.untold(notice.dedup_key, sink)
    opening = outbox.delivery(untold.notice, sink) if untold is not None else None
    return untold if opening is None or opening.result != "delivered" else None


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
