"""What becomes of notices that a mass failure holds back (decision 12, X3 and X4; decision 15). Pure.

Every notice of an incident that opened in a mass failure is written to the held ones, and to nobody. The tick alone
decides about them, from a `Book`:

    held      notices nobody has decided about, of all scopes
    digests   one for each mass failure people were told of, with the notices it told in their stead

    held ──take──> a digest, which is told ──────────> stays there for good
      └──release──> the outbox                └─ its end: openings that nobody resolved ──release──> the outbox

Each decision is a `Step`. A step is one transaction that also moves the book's version on, so steps of two ticks never
mix, and a tick that dies between two steps leaves a book from which the next one goes on. Notices are moved, never
copied: each is in exactly one of held, a digest and the outbox.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Self, TypeVar

from lookout.config.model import Site
from lookout.verdict import ids
from lookout.verdict.case import Notice
from lookout.verdict.digests import Told, tell
from lookout.verdict.mass import Standing

_T = TypeVar("_T")
STEP_MOVES: Final = 49
"""A move is two items of a transaction, which takes 100; one more is the book's own."""
MISSES: Final = 2
"""Ticks in a row at which its scope does not hold; then a digest ends."""


@dataclass(frozen=True, slots=True)
class Digest:
    """A mass failure that is told as one. Times are unix seconds."""

    id: str
    """`mass_<ULID>`: the dedup_key of all its notices."""
    scope: str
    opened_at: int
    told: int = 0
    """The book's version at which it was told last: what it took later, it has yet to tell. 0: never told."""
    misses: int = 0
    missed_at: int = 0
    """The minute of the last miss: two ticks of one minute count once."""
    ended_at: int = 0
    """0 while it is open. One that ended is kept until all its openings that nobody resolved are released."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A notice that a digest tells in its stead. `version`: of the book, when it was taken."""

    notice: Notice
    version: int


@dataclass(frozen=True, slots=True)
class Book:
    """Everything the tick decides from. `version` is the compare-and-set token; 0 means never stored."""

    version: int = 0
    digests: tuple[Digest, ...] = ()
    held: tuple[Notice, ...] = ()
    taken: Mapping[str, tuple[Taken, ...]] = field(default_factory=dict)
    """By the id of the digest; of those in `digests`."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON object of what is stored in one item: the digests."""
        return {"digests": [asdict(digest) for digest in self.digests]}

    @classmethod
    def from_json(cls, version: int, data: Mapping[str, Any]) -> Self:
        """Inverse of `to_json`."""
        return cls(version, tuple(Digest(**digest) for digest in data["digests"]))

    @property
    def idle(self) -> bool:
        """Is there nothing to decide?"""
        return not self.held and not self.digests

    def after(self, step: Step) -> Book:
        """The book once a step is stored."""
        gone = {notice.id for notice, _ in (*step.taken, *step.released)}
        taken = {
            digest.id: (
                *(one for one in self.taken.get(digest.id, ()) if one.notice.id not in gone),
                *(Taken(notice, step.version) for notice, to in step.taken if to == digest.id),
            )
            for digest in step.digests
        }
        return Book(step.version, step.digests, tuple(one for one in self.held if one.id not in gone), taken)


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction: over the version before `version`, all or nothing."""

    version: int
    digests: tuple[Digest, ...]
    taken: tuple[tuple[Notice, str], ...] = ()
    """From the held ones to the digest of that id."""
    released: tuple[tuple[Notice, str], ...] = ()
    """To the outbox, held no longer: from the digest of that id, or, where it is empty, from the held ones."""
    told: tuple[Notice, ...] = ()
    """New in the outbox: digests."""


def gather(book: Book, standing: Standing, site: Site, now: int) -> list[Step]:
    """The steps of a tick at `now`, in order. None where nothing is to be done."""
    steps: list[Step] = []
    for stage in (_look, _take, _tell, _release):
        for step in stage(book, standing, site, now):
            steps.append(step)
            book = book.after(step)
    return steps


def _look(book: Book, standing: Standing, site: Site, now: int) -> Iterator[Step]:
    """Which scopes hold: digests open, and those whose scope does not hold any more count that."""
    del site
    minute = now // 60 * 60
    owned = _owners(book)
    wanted = {one.held for one in book.held if opens(one) and one.dedup_key not in owned} & set(standing.scopes)
    digests = []
    for digest in book.digests:
        if digest.ended_at:
            digests.append(digest)
        elif digest.scope in standing.scopes:
            digests.append(replace(digest, misses=0, missed_at=0))
        elif minute > digest.missed_at:
            digests.append(replace(digest, misses=digest.misses + 1, missed_at=minute))
        else:
            digests.append(digest)
    there = {digest.scope for digest in digests if not digest.ended_at}
    new = [(scope, "mass_" + ids.ulid(now, scope, str(book.version))) for scope in sorted(wanted - there)]
    digests += [Digest(key, scope, now) for scope, key in new]
    if tuple(digests) != book.digests:
        yield Step(book.version + 1, tuple(digests))


def _take(book: Book, standing: Standing, site: Site, now: int) -> Iterator[Step]:
    """Every held notice is taken by a digest or released; where another of its incident goes first, it waits."""
    del site, now
    owners = _owners(book)
    by_scope = {digest.scope: digest for digest in book.digests if not digest.ended_at}
    taken: list[tuple[Notice, str]] = []
    released: dict[str, Notice] = {}
    for notice in sorted(book.held, key=lambda one: (one.dedup_key, one.sequence, one.id)):
        key = notice.dedup_key
        if key not in owners and opens(notice) and notice.held in standing.scopes:
            owners[key] = by_scope[notice.held]
        if key not in owners:
            released.setdefault(key, notice)
        elif not owners[key].ended_at:
            taken.append((notice, owners[key].id))
    moves = [(notice, digest, True) for notice, digest in taken] + [(one, "", False) for one in released.values()]
    for number, part in enumerate(_parts(moves)):
        yield Step(
            book.version + 1 + number,
            book.digests,
            taken=tuple((notice, digest) for notice, digest, takes in part if takes),
            released=tuple((replace(notice, held=""), digest) for notice, digest, takes in part if not takes),
        )


def _tell(book: Book, standing: Standing, site: Site, now: int) -> Iterator[Step]:
    """Open digests that took an opening since they were told are told; of the others those that are over end.

    One that a tick opened, and then died before it took anything, is over as well, and nobody hears of it.
    """
    del standing
    for digest in book.digests:
        rows = book.taken.get(digest.id, ())
        news = {one.notice.dedup_key for one in rows if one.version > digest.told and opens(one.notice)}
        going = _unresolved(rows)
        if digest.ended_at or not (news or digest.misses >= MISSES or not going):
            continue
        after = replace(digest, told=book.version + 1) if news else replace(digest, ended_at=now)
        told = Told(
            digest.id, digest.scope, digest.opened_at, now, book.version + 1, first=not digest.told, over=not news
        )
        others = tuple(one for one in book.digests if one.id != digest.id)
        keeps = bool(news or going)
        step = Step(
            book.version + 1,
            (*others, after) if keeps else others,
            told=tell(told, [one.notice for one in rows], news, site),
        )
        yield step
        book = book.after(step)


def _release(book: Book, standing: Standing, site: Site, now: int) -> Iterator[Step]:
    """Openings that nobody resolved when their digest ended are told by themselves from here on."""
    del standing, site, now
    for digest in book.digests:
        if not digest.ended_at:
            continue
        going = [(replace(notice, held=""), digest.id) for notice in _unresolved(book.taken.get(digest.id, ()))]
        parts = list(_parts(going))
        for number, part in enumerate(parts, 1):
            kept = book.digests
            if number == len(parts):
                kept = tuple(one for one in book.digests if one.id != digest.id)
            step = Step(book.version + 1, kept, released=tuple(part))
            yield step
            book = book.after(step)


def opens(notice: Notice) -> bool:
    """Is it the first notice of its incident?"""
    return notice.type == "incident.opened"


def _owners(book: Book) -> dict[str, Digest]:
    """The digest that has an incident's opening, by the incident."""
    return {
        one.notice.dedup_key: digest
        for digest in book.digests
        for one in book.taken.get(digest.id, ())
        if opens(one.notice)
    }


def _unresolved(rows: Iterable[Taken]) -> list[Notice]:
    """The openings of incidents whose end was not taken."""
    kept = list(rows)
    over = {one.notice.dedup_key for one in kept if one.notice.type == "incident.resolved"}
    return [one.notice for one in kept if opens(one.notice) and one.notice.dedup_key not in over]


def _parts(moves: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """So many as fit one step."""
    for first in range(0, len(moves), STEP_MOVES):
        yield moves[first : first + STEP_MOVES]
