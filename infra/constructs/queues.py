"""The queue of deliveries, and the queues where what cannot be done ends up."""

from __future__ import annotations

from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_sqs as sqs
from constructs import Construct
from lookout import settings

MAX_RECEIVES: Final = 1000
"""The most that SQS counts. Notify gives a delivery up by itself, after a day; this is for one it cannot even try."""
VISIBILITY_S: Final = 90


class DeadLetters(sqs.Queue):
    """A queue somebody must look at: it keeps messages for 14 days, and has an alarm."""

    def __init__(self, scope: Construct, id_: str, *, name: str, local: bool) -> None:
        super().__init__(
            scope,
            id_,
            queue_name=name,
            fifo=True if name.endswith(".fifo") else None,
            retention_period=cdk.Duration.days(14),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=not local,
        )


class WaitingRounds(sqs.Queue):
    """Where a probing region keeps the rounds that the home region does not take, for as long as they are wanted.

    That is as long as rounds are kept at home: one that came later would find neither the verdicts of its hour, nor its
    hour rolled up again. There is no dead-letter queue on purpose: however often it was tried, a round goes on waiting.
    """

    def __init__(self, scope: Construct, id_: str, *, local: bool) -> None:
        super().__init__(
            scope,
            id_,
            queue_name=settings.WAITING_QUEUE,
            retention_period=cdk.Duration.seconds(settings.ROUNDS_TTL_S),
            visibility_timeout=cdk.Duration.seconds(VISIBILITY_S),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=not local,
        )


class Heartbeats(sqs.Queue):
    """Where the home region says, each minute in which all is well, that it is. Nobody reads it.

    What is watched is the number of messages sent. They are forgotten after a minute, the least that SQS has.
    """

    def __init__(self, scope: Construct, id_: str, *, local: bool) -> None:
        super().__init__(
            scope,
            id_,
            queue_name=settings.HEARTBEAT_QUEUE,
            retention_period=cdk.Duration.minutes(1),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=not local,
        )


class Queues(Construct):
    """The queues of the home region. The local AWS speaks plain HTTP, so there TLS is not enforced."""

    def __init__(self, scope: Construct, id_: str, *, local: bool) -> None:
        super().__init__(scope, id_)
        self.judge_dead = DeadLetters(self, "JudgeDead", name=settings.JUDGE_DLQ, local=local)
        self.outbox_dead = DeadLetters(self, "OutboxDead", name=settings.OUTBOX_DLQ, local=local)
        self.deliveries_dead = DeadLetters(self, "DeliveriesDead", name=settings.DELIVERIES_DLQ, local=local)
        self.deliveries = sqs.Queue(
            self,
            "Deliveries",
            queue_name=settings.DELIVERIES_QUEUE,
            fifo=True,
            retention_period=cdk.Duration.days(14),
            visibility_timeout=cdk.Duration.seconds(VISIBILITY_S),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.deliveries_dead, max_receive_count=MAX_RECEIVES),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=not local,
        )

    @property
    def arns(self) -> dict[str, str]:
        """By resource of the grants table."""
        return {
            "queue/judge-dead": self.judge_dead.queue_arn,
            "queue/outbox-dead": self.outbox_dead.queue_arn,
            "queue/deliveries": self.deliveries.queue_arn,
            "queue/deliveries-dead": self.deliveries_dead.queue_arn,
        }
