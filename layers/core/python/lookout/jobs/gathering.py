"""The tick's last work: what was held back for a mass failure is told in a digest, or each by itself.

After judging, so that what this tick judged itself is decided about as well. A tick where nothing is held or open reads
one item's worth and no more.
"""

from __future__ import annotations

from typing import Final, Protocol

from lookout.errors import ConflictError
from lookout.store import Store
from lookout.verdict.case import Notice
from lookout.verdict.gathering import Book, Step, gather
from lookout.verdict.mass import standing

STUCK_S: Final = 600
"""A tick that is refused leaves the work to the one that was first; where so old a notice is still held, nobody was."""


class Ledger(Protocol):
    """Where held notices and digests are kept."""

    def read(self) -> Book:
        """As it stands."""
        ...

    def keep(self, step: Step, now: int) -> None:
        """Store one step. Raises ConflictError when somebody stored another since it was read."""
        ...


def gather_held(store: Store, ledger: Ledger, now: int) -> tuple[Notice, ...]:
    """Decide about everything that is held; the notices that went to the outbox.

    Where another tick decides at the same time, one of the two gives up; what it stored until then stands. The states
    are read after what is held: they are not older than what they have to explain. Raises ConflictError where it is
    refused, and notices have been held for ten minutes.
    """
    book = ledger.read()
    if book.idle:
        return ()
    site, servers = store.roster()
    if site is None:
        return ()
    states = {slug: state for shard in store.shard_states(consistent=True) for slug, state in shard.servers.items()}
    told: list[Notice] = []
    for step in gather(book, standing(states, servers, site), site, now):
        try:
            ledger.keep(step, now)
        except ConflictError:
            if any(now - notice.created_at > STUCK_S for notice in book.held):
                raise
            break
        told += (*(notice for notice, _ in step.released), *step.told)
    return tuple(told)
