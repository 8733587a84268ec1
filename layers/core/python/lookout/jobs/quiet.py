"""At a tick: what waited for a sink's quiet hours is told in a digest once they are over.

What waits is read whole, in one query: most of the time nothing does.
"""

from __future__ import annotations

from lookout.errors import ConflictError
from lookout.store import Store
from lookout.verdict.case import Notice
from lookout.verdict.quiet import over


def tell_quieted(store: Store, now: int) -> tuple[Notice, ...]:
    """The digests that went to the outbox. What another tick tells, or became more meanwhile, is left to the next."""
    rows = store.all_quieted()
    site, _ = store.roster() if rows else (None, [])
    if site is None:
        return ()
    told: list[Notice] = []
    for part, digest in over(rows, site, now):
        try:
            store.tell_quieted(part, digest, now)
        except ConflictError:
            continue
        told += () if digest is None else (digest,)
    return tuple(told)
