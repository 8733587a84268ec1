"""Moving house: everything a Lookout knows into a file, and a file into a Lookout. Repeating either changes nothing.

An import looks before it writes: nothing is written where the file is not whole, or where, unless `replace`, something
else is stored under one of its keys. It can be run again after it was interrupted: what is there by then is the same.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lookout.errors import ConfigError, FormatError, Problem
from lookout.history import packing
from lookout.history.chunk import join
from lookout.history.round import pack_json, unpack_json
from lookout.store import Store
from lookout.store.database import STATE_KEY
from lookout.store.lines import PROBLEMS_SHOWN, Item, Line, end, header, line, lives, moved_out, read, resharded
from lookout.store.portable import READ_AT_ONCE, WRITE_AT_ONCE, Portable, in_lots

STATE_VERSIONS: Final = (1,)


def export(tables: Portable, now: int) -> Iterator[str]:
    """The lines of the file."""
    yield header()
    count = 0
    for table, item in tables.items(now):
        count += 1
        yield line(table, moved_out(item))
    yield end(count)


@dataclass(slots=True)
class Imported:
    """How many items were put where none was, were there already, were changed, or had expired."""

    added: int = 0
    same: int = 0
    replaced: int = 0
    expired: int = 0


@dataclass(slots=True)
class _Plan:
    """What is to be done with which line of the file."""

    add: set[int] = field(default_factory=set)
    change: set[int] = field(default_factory=set)
    incidents: set[str] = field(default_factory=set)
    """Those the file knows."""


def import_file(tables: Portable, store: Store, path: Path, now: int, *, replace: bool) -> Imported:
    """Put a file into the tables. Raises ConfigError, before anything is written, where that must not be."""
    plan, done = _Plan(), Imported()
    for one in _lines(path):
        if one.table == "incidents" and one.key[0].startswith("server#"):
            plan.incidents.add(one.key[1])
    problems: list[Problem] = []
    for lot in in_lots(_lines(path), READ_AT_ONCE):
        _compare(tables, store, path, lot, now, plan, done, problems, replace=replace)
        if len(problems) >= PROBLEMS_SHOWN:
            break
    if problems:
        raise ConfigError(problems[:PROBLEMS_SHOWN])
    for lot in in_lots((one for one in _lines(path) if one.number in plan.add | plan.change), WRITE_AT_ONCE):
        _write(tables, lot, plan, done)
    return done


def _lines(path: Path) -> Iterator[Line]:
    """The items of the file. Raises ConfigError at its end, or after some twenty, where lines are wrong."""
    problems: list[Problem] = []
    with path.open("rb") as file:
        yield from read(file, str(path), problems)
    if problems:
        raise ConfigError(problems)


def _compare(
    tables: Portable,
    store: Store,
    path: Path,
    lot: list[Line],
    now: int,
    plan: _Plan,
    done: Imported,
    problems: list[Problem],
    *,
    replace: bool,
) -> None:
    living = [one for one in lot if lives(one.item, now)]
    done.expired += len(lot) - len(living)
    stored = tables.stored(living)
    for one in living:
        there = stored.get((one.table, one.key))
        if there is None:
            plan.add.add(one.number)
        elif moved_out(there) == one.item or (replace and _changed(one, there) == there):
            done.same += 1
        elif wrong := _forbidden(store, one, plan, replace=replace):
            problems.append(Problem(str(path), one.number, 1, f"{one.table} {' '.join(one.key)}", wrong))
        else:
            plan.change.add(one.number)


def _forbidden(store: Store, one: Line, plan: _Plan, *, replace: bool) -> str | None:
    if not replace:
        return (
            "something else is stored here under this key: import into a Lookout that has not run yet, or let the "
            "file win with --replace (docs/reference/cli.md says what that does)"
        )
    if one.table == "incidents" and one.key[0] == STATE_KEY:
        states = store.shard_state(one.key[1]).servers.values()
        unknown = [incident for incident in store.open_incidents(states).values() if incident.id not in plan.incidents]
        if unknown:
            named = ", ".join(f"{incident.slug} ({incident.id})" for incident in unknown)
            return f"here an incident is open that the file does not know: {named}. Import again when it is resolved"
    return None


def _write(tables: Portable, lot: list[Line], plan: _Plan, done: Imported) -> None:
    """A lot of one table. What the running Lookout may be writing too is put only where nothing came in between."""
    new = [one for one in lot if one.number in plan.add]
    if lot[0].table == "history":
        if new:
            tables.add("history", [one.item for one in new])
    else:
        for one in new:
            tables.put(one.table, one.item, None)
    done.added += len(new)
    changing = [one for one in lot if one.number in plan.change]
    stored = tables.stored(changing) if changing else {}
    for one in changing:
        there = stored.get((one.table, one.key))
        tables.put(one.table, one.item if there is None else _changed(one, there), there)
        done.replaced += 1


def _changed(one: Line, there: Item) -> Item:
    """What the file makes of what is stored.

    Hours are joined, so that no probe of either is lost. What the judge remembers is the file's, but a minute that was
    judged here is not judged again. Definitions stay, since lookout.yaml is where they are made; a server's shard is
    the file's, which is where the judge's memory of it is.
    """
    if one.table == "servers":
        return resharded(there, one.item)
    if one.table == "history" and one.key[1].startswith("hour#"):
        return {**one.item, "data": _joined(one, there)}
    if one.table == "incidents" and one.key[0] == STATE_KEY:
        return {**one.item, **_remembered(one.item, there)}
    return one.item


def _joined(one: Line, there: Item) -> dict[str, Any]:
    slug = one.key[0]
    theirs = packing.unpack_chunk(slug, base64.b64decode(one.item["data"]["B"]))
    try:
        ours = packing.unpack_chunk(slug, base64.b64decode(there["data"]["B"]))
    except FormatError:
        return one.item["data"]
    return {"B": base64.b64encode(packing.pack_chunk(join(ours, theirs))).decode()}


def _remembered(item: Item, there: Item) -> Item:
    theirs, ours = (unpack_json(base64.b64decode(one["packed"]["B"]), STATE_VERSIONS)[1] for one in (item, there))
    packed = pack_json(STATE_VERSIONS[0], {**theirs, "judged": max(theirs["judged"], ours["judged"])})
    return {
        "packed": {"B": base64.b64encode(packed).decode()},
        "version": {"N": str(int(there["version"]["N"]) + 1)},
    }
