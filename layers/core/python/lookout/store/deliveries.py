"""The outbox as it is stored: notices, how the delivery of each to each sink stands, what is remembered beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, Final

from pynamodb.exceptions import DoesNotExist

from lookout import settings
from lookout.notify.firing import RESENT_S, Firing
from lookout.store.archive import Archive
from lookout.store.casebook import dump
from lookout.store.models import IncidentItem
from lookout.verdict.case import Notice

FIRING: Final = "firing"
"""Partition key of what Alertmanager sinks are told each minute."""
ANSWER_LIMIT: Final = 300
"""Characters of an answer that are kept."""
AT_ONCE: Final = 16
"""Notices whose deliveries are asked for at the same time."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the delivery of one notice to one sink stands. Times are unix seconds."""

    sink: str
    result: str
    """delivered; retrying; failed: the receiver refused it for good; dead: given up after a day of attempts; quiet: it
    waits for the end of the sink's quiet hours, and is told in a digest then."""
    answer: str
    """The receiver's last answer, or what went wrong on the way to it."""
    at: int
    """When that was."""
    attempts: int = 0
    """How many were made; 0 in records of versions that did not count."""
    due: int = 0
    """Retrying: no attempt before then."""

    @property
    def over(self) -> bool:
        """Nothing more comes of it, unless it is asked for anew."""
        return self.result != "retrying"


@dataclass(frozen=True, slots=True)
class Untold:
    """The opening of an incident that did not reach a sink. `told` is set once the end has told of both."""

    notice: str
    told: bool = False


class Deliverybook(Archive):
    """The outbox of one Lookout, in its home region."""

    def notice(self, notice_id: str) -> Notice | None:
        """One notice."""
        try:
            row = self._m.incident.get(settings.NOTICE_PARTITION, notice_id, consistent_read=True)
        except DoesNotExist:
            return None
        return Notice.from_json(json.loads(row.data))

    def recent_notices(self, limit: int) -> list[Notice]:
        """Newest first."""
        query = self._m.incident.query(settings.NOTICE_PARTITION, scan_index_forward=False, limit=limit)
        return [Notice.from_json(json.loads(row.data)) for row in query]

    def notices_like(self, prefix: str, limit: int) -> list[Notice]:
        """Those whose id begins so, oldest first."""
        like = self._m.incident.sk.startswith(prefix)
        query = self._m.incident.query(settings.NOTICE_PARTITION, like, limit=limit)
        return [Notice.from_json(json.loads(row.data)) for row in query]

    def delivery(self, notice_id: str, sink: str) -> Delivery | None:
        """How this delivery stands; None before the first attempt. Read consistently."""
        found = self._recall(f"delivery#{notice_id}", sink)
        return Delivery(sink, **found) if found is not None else None

    def record_delivery(self, notice_id: str, delivery: Delivery) -> None:
        """Remember how a delivery stands: what is recorded as delivered is never sent again."""
        self._delivery_item(notice_id, delivery).save()

    def _delivery_item(self, notice_id: str, delivery: Delivery) -> IncidentItem:
        known = asdict(delivery)
        del known["sink"]
        known["answer"] = delivery.answer[:ANSWER_LIMIT]
        return self._kept(f"delivery#{notice_id}", delivery.sink, known, delivery.at)

    def deliveries(self, notice_id: str) -> list[Delivery]:
        """How the deliveries of one notice stand, by sink; a sink that was not tried yet is not among them."""
        found = self._m.incident.query(f"delivery#{notice_id}")
        return [Delivery(row.sk, **json.loads(row.data)) for row in found]

    def deliveries_of(self, notice_ids: Sequence[str]) -> list[list[Delivery]]:
        """`deliveries` of each: one query a notice."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(self.deliveries, notice_ids))

    def conversation(self, about: str, sink: str) -> Mapping[str, Any] | None:
        """What a sink remembers of an incident or change, such as which message is its own. Read consistently."""
        return self._recall(f"conversation#{about}", sink)

    def keep_conversation(self, about: str, sink: str, memory: Mapping[str, Any], now: int) -> None:
        """Remember it until NOTICES_TTL_S after the last notice about it."""
        self._remember(f"conversation#{about}", sink, memory, now)

    def firing(self, now: int) -> list[Firing]:
        """What Alertmanager sinks were told, and is not long over."""
        query = self._m.incident.query(FIRING)
        return [Firing(**json.loads(row.data)) for row in query if row.ttl > now]

    def keep_firing(self, firing: Firing) -> None:
        """Remember it: what is over for as long as it is said again, what is not for as long as an incident lasts."""
        keep_s = settings.CHANGES_TTL_S if firing.ended_at is None else 2 * RESENT_S
        row = self._m.incident(FIRING, f"{firing.sink}#{firing.about}", data=dump(asdict(firing)))
        row.ttl = firing.told_at + keep_s
        row.save()

    def untold(self, about: str, sink: str) -> Untold | None:
        """The opening of an incident (its `dedup_key`) that did not reach a sink. Read consistently."""
        found = self._recall(f"untold#{about}", sink)
        return Untold(**found) if found is not None else None

    def keep_untold(self, about: str, sink: str, untold: Untold, now: int) -> None:
        """Remember it for NOTICES_TTL_S."""
        self._remember(f"untold#{about}", sink, asdict(untold), now)

    def _recall(self, pk: str, sk: str) -> dict[str, Any] | None:
        try:
            row = self._m.incident.get(pk, sk, consistent_read=True)
        except DoesNotExist:
            return None
        found: dict[str, Any] = json.loads(row.data)
        return found

    def _remember(self, pk: str, sk: str, value: Mapping[str, Any], now: int) -> None:
        self._kept(pk, sk, value, now).save()

    def _kept(self, pk: str, sk: str, value: Mapping[str, Any], now: int) -> IncidentItem:
        return self._m.incident(pk, sk, data=dump(dict(value)), ttl=now + settings.NOTICES_TTL_S)
