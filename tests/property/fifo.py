"""An SQS FIFO queue as its documentation describes it, with a clock that is given: what deliveries build on.

Messages of a group come in the order they were sent, one at a time: while one is hidden (received and not deleted, or
put back with a delay) its group is locked, and other groups are not. What is not deleted comes again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

VISIBILITY_S: Final = 90
HIDDEN_AT_MOST_S: Final = 43_200
DEDUPLICATED_S: Final = 300
MAX_RECEIVES: Final = 1000


@dataclass
class Message:
    """One message. `visible_at` is when it may be received (again)."""

    id: str
    group: str
    body: str
    sent_at: float
    visible_at: float
    received_at: float = 0
    receives: int = 0

    def record(self) -> dict[str, Any]:
        """As Lambda hands it to a function."""
        return {
            "messageId": self.id,
            "receiptHandle": self.id,
            "body": self.body,
            "attributes": {
                "ApproximateReceiveCount": str(self.receives),
                "SentTimestamp": str(int(self.sent_at * 1000)),
                "MessageGroupId": self.group,
            },
            "eventSource": "aws:sqs",
        }


@dataclass
class Fifo:
    """The queue, and `dead`, where it puts what was received too often."""

    messages: list[Message] = field(default_factory=list)
    dead: list[Message] = field(default_factory=list)
    seen: dict[str, float] = field(default_factory=dict)
    count: int = 0

    def send(self, now: float, group: str, body: str, deduplication: str) -> None:
        """Put a message in, unless one of the same deduplication id came within five minutes."""
        if now - self.seen.get(deduplication, -DEDUPLICATED_S) < DEDUPLICATED_S:
            return
        self.seen[deduplication] = now
        self.count += 1
        self.messages.append(Message(f"m-{self.count}", group, body, now, now))

    def heads(self) -> list[Message]:
        """The first message of each group: the only one that can be received."""
        first: dict[str, Message] = {}
        for message in self.messages:
            first.setdefault(message.group, message)
        return list(first.values())

    def next_at(self) -> float | None:
        """When there is something to receive; None while it is empty."""
        return min((message.visible_at for message in self.heads()), default=None)

    def receive(self, now: float) -> Message | None:
        """The first that is visible, or nothing."""
        for message in self.heads():
            if message.visible_at <= now:
                message.receives += 1
                if message.receives > MAX_RECEIVES:
                    self.messages.remove(message)
                    self.dead.append(message)
                    continue
                message.received_at, message.visible_at = now, now + VISIBILITY_S
                return message
        return None

    def delay(self, handle: str, now: float, seconds: int) -> None:
        """Hide a received message from now on for so long: for half a day at most, counted from its receipt."""
        message = next(one for one in self.messages if one.id == handle)
        assert 0 <= seconds <= HIDDEN_AT_MOST_S
        assert now + seconds - message.received_at <= HIDDEN_AT_MOST_S, "InvalidParameterValue"
        assert now <= message.visible_at, "the message is not in flight"
        message.visible_at = now + seconds

    def delete(self, handle: str) -> None:
        """It is done."""
        self.messages = [message for message in self.messages if message.id != handle]

    def move(self, now: float, dead: list[Message]) -> None:
        """A redrive: what is dead is sent anew, in its order."""
        for message in dead:
            self.count += 1
            self.messages.append(Message(f"m-{self.count}", message.group, message.body, now, now))
