"""Which digests of days and weeks were told, as it is stored: a row per sink and kind, in one partition.

    report / <sink>#<kind>    the moment told last, and by which rule; compare-and-set on `version`

A row is written in one transaction with the digest that it stands for, so that of two that tell it one does.
"""

from __future__ import annotations

import json
from typing import Final

from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError
from pynamodb.transactions import TransactWrite

from lookout import settings
from lookout.errors import ConflictError
from lookout.store.archive import Archive, conflict
from lookout.verdict.case import Notice
from lookout.verdict.reports import Mark

REPORT: Final = "report"
"""Partition key of the rows. Those of a sink that is gone expire."""


class Reportbook(Archive):
    """The digests of one Lookout, in its home region."""

    def report_marks(self) -> dict[tuple[str, str], Mark]:
        """What was told last, by sink and kind. Read consistently."""
        out: dict[tuple[str, str], Mark] = {}
        for row in self._m.incident.query(REPORT, consistent_read=True):
            sink, _, kind = str(row.sk).partition("#")
            kept = json.loads(row.data or "{}")
            out[sink, kind] = Mark(sink, kind, kept["rule"], kept["moment"], int(row.version or 0))
        return out

    def keep_report(self, mark: Mark, digest: Notice | None, now: int) -> None:
        """Store the mark, and the digest with it (None: nobody is told).

        Raises ConflictError where somebody else stored the mark since it was read: nothing is stored then.
        """
        item = self._m.incident
        row = item(
            REPORT,
            f"{mark.sink}#{mark.kind}",
            data=json.dumps({"rule": mark.rule, "moment": mark.moment}, separators=(",", ":"), sort_keys=True),
            version=mark.version + 1,
            ttl=now + settings.NOTICES_TTL_S,
        )
        unmoved = item.version == mark.version if mark.version else item.pk.does_not_exist()
        try:
            with TransactWrite(connection=Connection(region=self.home)) as transaction:
                transaction.save(row, condition=unmoved)
                if digest is not None:
                    text = json.dumps(digest.to_json(), separators=(",", ":"), sort_keys=True, ensure_ascii=False)
                    expires = digest.created_at + settings.NOTICES_TTL_S
                    told = item(settings.NOTICE_PARTITION, digest.id, data=text, ttl=expires)
                    transaction.save(told, condition=item.pk.does_not_exist())
        except TransactWriteError as error:
            if conflict(error):
                raise ConflictError(f"the {mark.kind} digest of {mark.sink} was told by another") from error
            raise
