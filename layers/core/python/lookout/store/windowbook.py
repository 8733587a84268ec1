"""Maintenance windows that are not (or no longer) of lookout.yaml: made by hand, or kept from a file that changed.

A row's key begins with when it is over (or never), so that those a minute can need are one short query.
"""

from __future__ import annotations

import json
from typing import Final

from pynamodb.exceptions import PutError, TransactWriteError
from pynamodb.transactions import TransactWrite

from lookout import settings
from lookout.config.window import Window
from lookout.errors import ConflictError
from lookout.store.archive import Archive, conflict
from lookout.store.models import IncidentItem, models
from lookout.verdict.maintenance import over_at

MAINTENANCE: Final = "maintenance"
_NEVER: Final = 9_999_999_999


class Windowbook(Archive):
    """The stored windows of one Lookout, in its home region. Times are unix seconds and come in as arguments."""

    def maintenance(self, since: int, now: int) -> list[Window]:
        """The stored windows that are not over before `since`; those of the file are in the site. One query."""
        item = self._m.incident
        found = item.query(MAINTENANCE, item.sk >= f"{max(since, 0):010d}")
        return [Window.from_item(json.loads(row.data)) for row in found if row.ttl is None or row.ttl > now]

    def add_window(self, window: Window) -> None:
        """Store a new window. Raises ConflictError when it is stored already."""
        try:
            self._window_item(window).save(condition=self._m.incident.pk.does_not_exist())
        except PutError as error:
            if conflict(error):
                raise ConflictError(f"the window {window.id} is stored already") from error
            raise

    def change_window(self, before: Window, after: Window | None) -> None:
        """Put `after` in the place of what was read (None: remove it). Raises ConflictError when it moved since."""
        item = self._m.incident
        old = self._window_item(before)
        new = self._window_item(after) if after is not None else None
        unmoved = item.data == old.data
        try:
            with TransactWrite(connection=models(self.home).connection) as transaction:
                if new is None or new.sk != old.sk:
                    transaction.delete(item(old.pk, old.sk), condition=unmoved)
                if new is not None:
                    transaction.save(new, condition=item.pk.does_not_exist() if new.sk != old.sk else unmoved)
        except TransactWriteError as error:
            if conflict(error):
                raise ConflictError(f"the window {before.id} was changed by another") from error
            raise

    def keep_window(self, window: Window) -> None:
        """Store a window of a file that changed, as it was. Repeating it changes nothing."""
        self._window_item(window).save()

    def _window_item(self, window: Window) -> IncidentItem:
        over = over_at(window)
        data = json.dumps(window.to_item(), separators=(",", ":"), sort_keys=True, ensure_ascii=False)
        ttl = None if over is None else over + settings.WINDOWS_TTL_S
        return self._m.incident(MAINTENANCE, f"{_NEVER if over is None else over:010d}#{window.id}", data=data, ttl=ttl)
