"""What was told of burning error budgets, as it is stored: a row for each server that had an alert.

Its key is `burning / slug`. It is compared and set on `version`, in one transaction with the notice of what it says.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from pynamodb.exceptions import DoesNotExist, TransactWriteError
from pynamodb.transactions import TransactWrite

from lookout import settings
from lookout.errors import ConflictError
from lookout.store.archive import Archive, conflict
from lookout.store.models import IncidentItem
from lookout.verdict.burning import Burning
from lookout.verdict.case import Notice

BURNING: Final = "burning"
"""Partition key of the rows. One that is over stays for a while: the next may not open at once."""


class Burnbook(Archive):
    """The burn alerts of one Lookout, in its home region."""

    def all_burning(self) -> dict[str, Burning]:
        """The last alert of each server that had one of late, by slug."""
        return {str(row.sk): _read(row) for row in self._m.incident.query(BURNING)}

    def burning_of(self, slug: str) -> Burning | None:
        """The last alert of one server. Read consistently."""
        try:
            return _read(self._m.incident.get(BURNING, slug, consistent_read=True))
        except DoesNotExist:
            return None

    def keep_burning(self, burning: Burning, notices: Sequence[Notice], now: int) -> None:
        """Store it and the notices together. Raises ConflictError when somebody kept it since it was read."""
        item = self._m.incident
        ttl = None if burning.open else now + settings.BURNS_TTL_S
        row = item(BURNING, burning.slug, data=_dump(burning.to_json()), version=burning.version + 1, ttl=ttl)
        unmoved = item.version == burning.version if burning.version else item.pk.does_not_exist()
        try:
            with TransactWrite(connection=self._m.connection) as transaction:
                transaction.save(row, condition=unmoved)
                for notice in notices:
                    expires = notice.created_at + settings.NOTICES_TTL_S
                    told = item(settings.NOTICE_PARTITION, notice.id, data=_dump(notice.to_json()), ttl=expires)
                    transaction.save(told, condition=item.pk.does_not_exist())
        except TransactWriteError as error:
            if conflict(error):
                raise ConflictError(f"the burn alert of {burning.slug} was kept by another tick") from error
            raise


def _dump(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def _read(row: IncidentItem) -> Burning:
    return Burning.from_json(str(row.sk), int(row.version or 0), json.loads(row.data or "{}"))
