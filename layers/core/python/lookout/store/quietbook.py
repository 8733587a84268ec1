"""What waits for a sink in its quiet hours, as it is stored: a row per sink and incident, in one partition.

    quieted / <sink>#<dedup_key>    the newest notice about it, how many wait, since when; compare-and-set on `version`

A row is written with the record of the delivery that it stands for, and deleted with the digest that tells of it. So
each notice waits once, and is told once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from pynamodb.exceptions import DoesNotExist, TransactWriteError
from pynamodb.transactions import TransactWrite

from lookout import settings
from lookout.errors import ConflictError
from lookout.store.archive import conflict
from lookout.store.casebook import dump
from lookout.store.deliveries import Delivery, Deliverybook
from lookout.store.models import IncidentItem, models
from lookout.verdict.case import Notice
from lookout.verdict.quiet import Waiting

QUIETED: Final = "quieted"
"""Partition key of the rows."""


class Quietbook(Deliverybook):
    """What waits for the sinks of one Lookout, in its home region."""

    def quieted(self, sink: str, about: str) -> Waiting | None:
        """What waits for a sink about an incident or change (its `dedup_key`). Read consistently."""
        try:
            return _read(self._m.incident.get(QUIETED, f"{sink}#{about}", consistent_read=True))
        except DoesNotExist:
            return None

    def all_quieted(self) -> list[Waiting]:
        """Everything that waits for anybody. Read consistently."""
        return [_read(row) for row in self._m.incident.query(QUIETED, consistent_read=True)]

    def keep_quieted(self, waiting: Waiting, delivery: Delivery, now: int) -> None:
        """Let the newest notice of `waiting` wait, and say so in the record of its delivery.

        Raises ConflictError where what waited was told, or became more, since it was read.
        """
        item = self._m.incident
        row = item(
            QUIETED,
            f"{waiting.sink}#{waiting.notice.dedup_key}",
            data=dump(
                {
                    "notice": waiting.notice.to_json(),
                    "count": waiting.count,
                    "since": waiting.since,
                    "severity": waiting.severity,
                }
            ),
            version=waiting.version + 1,
            ttl=now + settings.NOTICES_TTL_S,
        )
        unmoved = item.version == waiting.version if waiting.version else item.pk.does_not_exist()
        try:
            with TransactWrite(connection=models(self.home).connection) as transaction:
                transaction.save(row, condition=unmoved)
                transaction.save(self._delivery_item(waiting.notice.id, delivery))
        except TransactWriteError as error:
            if conflict(error):
                raise ConflictError("what waits for the sink was told, or became more, at the same time") from error
            raise

    def tell_quieted(self, rows: Sequence[Waiting], digest: Notice | None, now: int) -> None:
        """Put the digest into the outbox (None: nobody is told) and let what it tells of wait no longer.

        Raises ConflictError where another tick was first, or one of the rows became more since it was read.
        """
        item = self._m.incident
        try:
            with TransactWrite(connection=models(self.home).connection) as transaction:
                for row in rows:
                    key = (QUIETED, f"{row.sink}#{row.notice.dedup_key}")
                    transaction.delete(item(*key), condition=item.version == row.version)
                if digest is not None:
                    ttl = now + settings.NOTICES_TTL_S
                    text = dump(digest.to_json())
                    told = item(settings.NOTICE_PARTITION, digest.id, data=text, ttl=ttl)
                    transaction.save(told, condition=item.pk.does_not_exist())
        except TransactWriteError as error:
            if conflict(error):
                raise ConflictError("what waits for the sink was told, or became more, at the same time") from error
            raise


def _read(row: IncidentItem) -> Waiting:
    kept = json.loads(row.data or "{}")
    sink = str(row.sk).partition("#")[0]
    notice = Notice.from_json(kept["notice"])
    return Waiting(sink, notice, kept["count"], kept["since"], kept["severity"], int(row.version or 0))
