"""Receivers that fail in the ways receivers do, and a notify that is killed at the worst moment, on a clock of ours."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from lookout.config.model import Sink, Site
from lookout.notify.dispatcher import Ports, deliver_messages, fan_out
from lookout.notify.request import HttpRequest, Request
from lookout.notify.retry import Answer
from lookout.store.aws import LONGEST_DELAY_S
from lookout.store.deliveries import Delivery, Untold
from lookout.verdict.case import Notice

from tests.property.fifo import Fifo, Message

Fault = Callable[[float], tuple[Answer, float] | None]
"""(time of the request) -> how it is answered and after how long, or None: not by this fault."""
ACKNOWLEDGED: Final = Answer(204)


class KilledError(Exception):
    """The function's process ends here."""


@dataclass
class Received:
    """One request as a receiver saw it."""

    at: float
    id: str
    body: dict[str, Any]
    answer: Answer


@dataclass
class Receiver:
    """Fails by the first of its faults that applies, else acknowledges at once."""

    faults: list[Fault] = field(default_factory=list)
    got: list[Received] = field(default_factory=list)

    def take(self, request: HttpRequest, now: float) -> tuple[Answer, float]:
        found = next((answer for fault in self.faults if (answer := fault(now)) is not None), (ACKNOWLEDGED, 0.05))
        self.got.append(Received(now, request.headers["webhook-id"], json.loads(request.body), found[0]))
        return found


def down(since: float, until: float) -> Fault:
    """Nothing listens."""
    refused = Answer(None, "the connection to the receiver failed (ConnectError)")
    return lambda now: (refused, 0.05) if since <= now < until else None


def first(times: int, answer: Answer, takes_s: float = 0.05) -> Fault:
    """The first requests are answered so."""
    left = [times]

    def fault(now: float) -> tuple[Answer, float] | None:
        del now
        left[0] -= 1
        return (answer, takes_s) if left[0] >= 0 else None

    return fault


def some_faults(chance: Random, start: float) -> list[Fault]:
    """One to three of those that receivers are known for: together they last for less than a day."""
    begins = start + chance.uniform(0, 1800)
    faults = {
        "down for an hour": lambda: down(begins, begins + 3600),
        "500 nine times": lambda: first(9, Answer(500, "oops")),
        "hangs": lambda: first(chance.randint(1, 5), Answer(None, "the receiver did not answer within 10 s"), 10.0),
        "limits": lambda: first(chance.randint(1, 4), Answer(429, "", chance.choice([1, 45, 700, 5000]))),
        "rests for half a day and more": lambda: first(1, Answer(503, "", chance.randint(43_000, 60_000))),
        "closes mid-response": lambda: first(chance.randint(1, 3), Answer(None, "the connection failed (ReadError)")),
        "slow": lambda: lambda now: (ACKNOWLEDGED, 9.9),
    }
    return [faults[name]() for name in chance.sample(list(faults), chance.randint(1, 3))]


@dataclass
class World:
    """The outbox, the queue, the receivers and a clock. Everything that happens, happens in `run`."""

    chance: Random
    receivers: Mapping[str, Receiver]
    start: float
    kills: int = 0
    """So many times notify is killed, at whatever moment comes first."""
    losses: int = 0
    """So many deletions of messages are lost, so that the queue delivers them twice."""
    now: float = 0
    queue: Fifo = field(default_factory=Fifo)
    dead: list[Message] = field(default_factory=list)
    notices: dict[str, Notice] = field(default_factory=dict)
    records: dict[tuple[str, str], Delivery] = field(default_factory=dict)
    missed: dict[tuple[str, str], Untold] = field(default_factory=dict)
    coming: list[tuple[float, Notice]] = field(default_factory=list)
    repeats: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Acknowledgements that were never recorded, because notify was killed after them."""
    forgotten: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Failures that were never recorded, for the same reason: what the receiver asked for is forgotten with them."""

    def site(self) -> Site:
        sinks = tuple(Sink(name, "webhook", f"https://{name}.example/x") for name in self.receivers)
        return Site("Acme", "us-east-1", ("eu-west-1",), sinks)

    def notice(self, notice_id: str) -> Notice | None:
        return self.notices.get(notice_id)

    def delivery(self, notice_id: str, sink: str) -> Delivery | None:
        return self.records.get((notice_id, sink))

    def record_delivery(self, notice_id: str, delivery: Delivery) -> None:
        if self._dies():
            kept = self.repeats if delivery.result == "delivered" else self.forgotten
            kept[notice_id, delivery.sink] += 1
            raise KilledError
        self.records[notice_id, delivery.sink] = delivery

    def conversation(self, about: str, sink: str) -> Mapping[str, Any] | None:
        raise AssertionError("no sink of these schedules converses")

    def keep_conversation(self, about: str, sink: str, memory: Mapping[str, Any], now: int) -> None:
        raise AssertionError("no sink of these schedules converses")

    def untold(self, about: str, sink: str) -> Untold | None:
        return self.missed.get((about, sink))

    def keep_untold(self, about: str, sink: str, untold: Untold, now: int) -> None:
        self.missed[about, sink] = untold

    def _dies(self) -> bool:
        if self.kills and self.chance.random() < 0.3:
            self.kills -= 1
            return True
        return False

    def send(self, request: Request, allow_private: bool) -> Answer:
        assert isinstance(request, HttpRequest)
        name = request.url.removeprefix("https://").partition(".")[0]
        answer, takes_s = self.receivers[name].take(request, self.now)
        self.now += takes_s
        return answer

    def delay(self, handle: str, seconds: int) -> None:
        if self._dies():
            raise KilledError
        self.queue.delay(handle, self.now, min(seconds, LONGEST_DELAY_S))

    def bury(self, notice: str, sink: str, group: str) -> None:
        self.dead.append(Message("", group, json.dumps({"notice": notice, "sink": sink}), self.now, self.now))

    def enqueue(self, notice: str, sink: str, group: str) -> None:
        body = json.dumps({"notice": notice, "sink": sink})
        self.queue.send(self.now, group, body, f"{notice}#{sink}")

    @property
    def ports(self) -> Ports:
        return Ports(
            outbox=self,
            resolve=lambda reference: reference,
            send=self.send,
            delay=self.delay,
            bury=self.bury,
            now=lambda: int(self.now),
            chance=self.chance.random,
            site_url="https://status.example",
        )

    def tell(self, at: float, notice: Notice) -> None:
        """The stream hands a notice over at some time."""
        self.notices[notice.id] = notice
        self.coming.append((at, notice))

    def run(self) -> None:
        """Until nothing is left to do. As many messages as there are groups are worked on at the same time.

        What is done for one group touches no other, so a message is worked on at once from beginning to end, on a
        clock of its own, and hidden for that long.
        """
        self.coming.sort(key=lambda one: one[0])
        while self.coming or self.queue.messages:
            moments = [
                at for at in (self.coming[0][0] if self.coming else None, self.queue.next_at()) if at is not None
            ]
            moment = min(moments)
            self.now = moment
            while self.coming and self.coming[0][0] <= moment:
                fan_out([self.coming.pop(0)[1]], self.enqueue)
            message = self.queue.receive(moment)
            if message is not None:
                self._work(message)

    def _work(self, message: Message) -> None:
        try:
            _, kept = deliver_messages([message.record()], self.ports)
        except KilledError:
            return
        if kept:
            assert kept == [message.id]
        elif self.losses and self.chance.random() < 0.5:
            self.losses -= 1
        else:
            self.queue.delete(message.id)
