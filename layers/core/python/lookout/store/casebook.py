"""Incidents as they are stored: rows under their server, newest last, each with a version of its own.

The judge writes them in its transaction with the state (`Store.commit`); people write them here. Both write only over
what they read, so that neither loses what the other wrote.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from pynamodb.exceptions import DoesNotExist, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from lookout import settings
from lookout.errors import ConflictError
from lookout.store.archive import conflict
from lookout.store.burnbook import Burnbook
from lookout.store.models import IncidentItem, models
from lookout.verdict import burning, ids
from lookout.verdict.case import Incident, Notice

TOUCHED: Final = "touched"
"""Partition key of the marks by which publish learns that a person changed an incident: no state says so."""
TOUCHED_TTL_S: Final = 86_400
AT_ONCE: Final = 10
"""Servers whose incidents are asked for at the same time: as many as a client keeps connections."""
DURING: Final = 50
"""Incidents of other kinds that are passed, at most, in search of an outage that began before a window. While one goes
on there are few: most kinds need a server that works."""
SHOWN_OF: Final = 3
"""So many times as many incidents are read as are shown of each sort."""
NOTICES_READ: Final = 1_000
"""Notices that are read, at most, in search of those about one incident."""


def dump(value: Any) -> str:
    """JSON, the same for the same value."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


class Casebook(Burnbook):
    """The incidents of one Lookout, in its home region. Times are unix seconds and come in as arguments."""

    def _incident_item(self, incident: Incident) -> IncidentItem:
        """The incident as its next version."""
        return self._m.incident(
            f"server#{incident.slug}",
            incident.id,
            data=dump(incident.to_json()),
            open=None if incident.resolved_at is not None else 1,
            version=incident.version + 1,
        )

    def _unmoved(self, incident: Incident) -> Condition:
        """It is as it was read: nobody wrote it since, and it was not there where it is new."""
        item = self._m.incident
        if incident.version:
            same: Condition = item.version == incident.version
            return same
        # An incident of older versions has none, and is open.
        fresh: Condition = item.pk.does_not_exist() | ((item.open == 1) & item.version.does_not_exist())
        return fresh

    @staticmethod
    def _read_incident(row: IncidentItem) -> Incident:
        return Incident.from_json(json.loads(row.data or "{}"), int(row.version or 0))

    def _notice_item(self, notice: Notice) -> IncidentItem:
        """A notice for the outbox; one that is held, for the tick to decide about, for as long as that takes."""
        if notice.held:
            return self._m.incident(settings.HELD_PARTITION, notice.id, data=dump(notice.to_json()))
        ttl = notice.created_at + settings.NOTICES_TTL_S
        return self._m.incident(settings.NOTICE_PARTITION, notice.id, data=dump(notice.to_json()), ttl=ttl)

    def incidents(self, slug: str, limit: int) -> list[Incident]:
        """A server's incidents, newest first."""
        query = self._m.incident.query(f"server#{slug}", scan_index_forward=False, limit=limit)
        return [self._read_incident(row) for row in query]

    def incidents_since(self, slug: str, since: int) -> list[Incident]:
        """A server's outages that had not ended before `since`, newest first. Reads as `incidents_touching`."""
        return [incident for incident in self.incidents_touching(slug, since) if incident.kind == "availability"]

    def incidents_touching(self, slug: str, since: int) -> list[Incident]:
        """A server's outages that had not ended before `since`, and what else opened since; newest first.

        Reads its incidents since then, and at most `DURING` of those before.
        """
        out: list[Incident] = []
        passed = 0
        for row in self._m.incident.query(f"server#{slug}", scan_index_forward=False, page_size=20):
            incident = self._read_incident(row)
            outage = incident.kind == "availability"
            if outage and incident.resolved_at is not None and incident.resolved_at <= since:
                break
            if outage or incident.opened_at >= since:
                out.append(incident)
                continue
            passed += 1
            if passed >= DURING:
                break
        return out

    def incident(self, slug: str, incident_id: str) -> Incident | None:
        """One incident, read consistently; a burn alert too, which is kept elsewhere, until the server's next one."""
        if incident_id.startswith(burning.PREFIX):
            known = self.burning_of(slug)
            return known.incident if known is not None and known.id == incident_id else None
        try:
            row = self._m.incident.get(f"server#{slug}", incident_id, consistent_read=True)
        except DoesNotExist:
            return None
        return self._read_incident(row)

    def shown_incidents(self, slug: str, open_ids: Iterable[str], limit: int) -> list[Incident]:
        """A server's newest outages and its newest warnings, at most `limit` each among its newest three times as many;
        and those of `open_ids`, which may be older. Newest first. Queries alone.
        """
        found: dict[str, Incident] = {}
        room = {True: limit, False: limit}
        for incident in self.incidents(slug, SHOWN_OF * limit):
            outage = incident.kind == "availability"
            if room[outage] or incident.resolved_at is None:
                found[incident.id] = incident
                room[outage] = max(0, room[outage] - 1)
        for incident_id in open_ids:
            if incident_id not in found:
                for row in self._m.incident.query(f"server#{slug}", self._m.incident.sk == incident_id):
                    found[incident_id] = self._read_incident(row)
        return [found[incident_id] for incident_id in sorted(found, reverse=True)]

    def newest_incidents(self, slugs: Sequence[str], limit: int) -> list[Incident]:
        """Of each server at most so many, newest first: one query a server."""
        found = self._of_each(slugs, lambda slug: self.incidents(slug, limit))
        return sorted(found, key=lambda incident: incident.id, reverse=True)

    def incidents_like(self, slugs: Sequence[str], prefix: str, limit: int) -> list[Incident]:
        """Those whose id begins so, of each server at most `limit`: one query a server, whose key finds them."""

        def ask(slug: str) -> list[Incident]:
            like = self._m.incident.sk.startswith(prefix)
            return [self._read_incident(row) for row in self._m.incident.query(f"server#{slug}", like, limit=limit)]

        return sorted(self._of_each(slugs, ask), key=lambda incident: incident.id)

    @staticmethod
    def _of_each(slugs: Sequence[str], ask: Callable[[str], list[Incident]]) -> Iterator[Incident]:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for found in pool.map(ask, slugs):
                yield from found

    def keep_incident(self, incident: Incident, notices: Sequence[Notice], now: int) -> None:
        """Store what a person, or a reminder, made of an incident that was read, with its notices; publish is told.

        Raises ConflictError when anybody wrote it since: read again.
        """
        item = self._m.incident
        known = incident.version
        same: Condition = item.version == known if known else item.pk.exists() & item.version.does_not_exist()
        mark = f"{incident.id}#{known + 1}"
        touched = item(TOUCHED, incident.slug, data=mark, ttl=now + TOUCHED_TTL_S)
        try:
            with TransactWrite(connection=models(self.home).connection) as transaction:
                transaction.save(self._incident_item(incident), condition=same)
                transaction.save(touched)
                for notice in notices:
                    transaction.save(self._notice_item(notice), condition=item.pk.does_not_exist())
        except TransactWriteError as error:
            if conflict(error):
                raise ConflictError(f"incident {incident.id} was changed by another") from error
            raise

    def touched(self, now: int) -> dict[str, str]:
        """The servers whose incidents a person changed within a day, each with a text that every change changes."""
        return {row.sk: row.data for row in self._m.incident.query(TOUCHED) if row.ttl > now}

    def notices_about(self, incident: Incident, until: int) -> list[Notice]:
        """Notices about an incident, oldest first: of all made since it opened the first and the last 500 are read."""
        item = self._m.incident
        span = item.sk.between(ids.notice_floor(incident.opened_at), ids.notice_floor(until + 1))
        found: dict[str, Notice] = {}
        for forward in (True, False):
            query = item.query(settings.NOTICE_PARTITION, span, scan_index_forward=forward, limit=NOTICES_READ // 2)
            for row in query:
                if incident.id in row.data:
                    notice = Notice.from_json(json.loads(row.data))
                    if notice.dedup_key == incident.id:
                        found[notice.id] = notice
        return [found[notice_id] for notice_id in sorted(found)]
