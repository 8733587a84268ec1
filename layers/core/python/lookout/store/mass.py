"""Where notices of a mass failure are kept, and moved from: `lookout.verdict.gathering` says which, and when.

    held / #mass             the digests, compare-and-set on `version`
    held / notice id         a notice nobody has decided about, written by whoever wrote its incident
    mass#<digest> / notice id   one that a digest tells in its stead; `version` is that of the digests when it was taken

The digests sort before the notices of their partition, so one query reads both, and the version is never newer than
what was read with it. An INSERT into the partition `notice` is what wakes notify, so releasing is moving there.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

from pynamodb.exceptions import TransactWriteError
from pynamodb.transactions import TransactWrite

from lookout import settings
from lookout.errors import ConflictError
from lookout.store.archive import conflict
from lookout.store.casebook import dump
from lookout.store.models import IncidentItem, models
from lookout.verdict.case import Notice
from lookout.verdict.gathering import Book, Step, Taken

BOOK_KEY: Final = (settings.HELD_PARTITION, "#mass")


class MassBook:
    """The held notices of one Lookout and its digests, in its home region."""

    def __init__(self, home: str) -> None:
        self.home = home
        self._item = models(home).incident

    def read(self) -> Book:
        """Everything, consistently: one query where nothing is going on, and one more for each digest."""
        version, digests, held = 0, "", []
        for row in self._item.query(settings.HELD_PARTITION, consistent_read=True):
            if row.sk == BOOK_KEY[1]:
                version, digests = int(row.version or 0), row.data or ""
            else:
                held.append(_notice(row))
        book = Book.from_json(version, json.loads(digests)) if digests else Book()
        taken = {
            digest.id: tuple(
                Taken(_notice(row), int(row.version or 0))
                for row in self._item.query(f"mass#{digest.id}", consistent_read=True)
            )
            for digest in book.digests
        }
        return replace(book, held=tuple(held), taken=taken)

    def keep(self, step: Step, now: int) -> None:
        """Store one step in one transaction. Raises ConflictError when anybody stored another since the book was read.

        At most 100 items; the largest, notices, are a few KB, so that they are far from the 4 MB a transaction takes.
        """
        item = self._item
        before = step.version - 1
        book = Book(step.version, step.digests)
        unmoved = item.version == before if before else item.pk.does_not_exist()
        new, old = item.pk.does_not_exist(), item.pk.exists()
        try:
            with TransactWrite(connection=models(self.home).connection) as transaction:
                row = item(*BOOK_KEY, data=dump(book.to_json()), version=book.version)
                transaction.save(row, condition=unmoved)
                for notice, digest in step.taken:
                    transaction.delete(item(settings.HELD_PARTITION, notice.id), condition=old)
                    ttl = now + settings.TAKEN_TTL_S
                    text = dump(notice.to_json())
                    taken = item(f"mass#{digest}", notice.id, data=text, version=book.version, ttl=ttl)
                    transaction.save(taken, condition=new)
                for notice, digest in step.released:
                    source = f"mass#{digest}" if digest else settings.HELD_PARTITION
                    transaction.delete(item(source, notice.id), condition=old)
                    transaction.save(self._outbox(notice, now), condition=new)
                for notice in step.told:
                    transaction.save(self._outbox(notice, now), condition=new)
        except TransactWriteError as error:
            if conflict(error):
                raise ConflictError("the held notices were decided about by another tick") from error
            raise

    def _outbox(self, notice: Notice, now: int) -> IncidentItem:
        text = dump(notice.to_json())
        return self._item(settings.NOTICE_PARTITION, notice.id, data=text, ttl=now + settings.NOTICES_TTL_S)


def _notice(row: IncidentItem) -> Notice:
    return Notice.from_json(json.loads(row.data or "{}"))
