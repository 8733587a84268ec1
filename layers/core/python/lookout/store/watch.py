"""Where the watch over the watchers is kept: one item, compare-and-set, with the notices of what it decided."""

from __future__ import annotations

import json

from pynamodb.exceptions import DoesNotExist, TransactWriteError
from pynamodb.transactions import TransactWrite

from lookout import settings
from lookout.errors import ConflictError
from lookout.store.models import models
from lookout.store.outage import code_of
from lookout.verdict.case import Notice
from lookout.verdict.watch import Watch

WATCH_KEY = ("watch", "regions")
_CONFLICTS = frozenset({"TransactionCanceledException", "TransactionConflictException"})


class WatchLog:
    """The watch of one Lookout, in its home region."""

    def __init__(self, home: str) -> None:
        self.home = home
        self._item = models(home).incident

    def read(self) -> Watch:
        """The watch as last kept, read consistently; a new one where there is none."""
        try:
            row = self._item.get(*WATCH_KEY, consistent_read=True)
        except DoesNotExist:
            return Watch()
        return Watch.from_json(int(row.version or 0), json.loads(row.data or "{}"))

    def keep(self, watch: Watch, notices: tuple[Notice, ...]) -> None:
        """Store both in one transaction. Raises ConflictError when somebody kept it since `watch` was read."""
        item = self._item
        data = json.dumps(watch.to_json(), separators=(",", ":"), sort_keys=True)
        row = item(*WATCH_KEY, data=data, version=watch.version + 1)
        unmoved = item.version == watch.version if watch.version else item.pk.does_not_exist()
        try:
            with TransactWrite(connection=models(self.home).connection) as transaction:
                transaction.save(row, condition=unmoved)
                for notice in notices:
                    text = json.dumps(notice.to_json(), separators=(",", ":"), sort_keys=True, ensure_ascii=False)
                    ttl = notice.created_at + settings.NOTICES_TTL_S
                    told = item(settings.NOTICE_PARTITION, notice.id, data=text, ttl=ttl)
                    transaction.save(told, condition=item.pk.does_not_exist())
        except TransactWriteError as error:
            if code_of(error) in _CONFLICTS:
                raise ConflictError("the watch was kept by another tick") from error
            raise
