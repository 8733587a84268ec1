"""The file of `lookout export`: JSON Lines, version 1. Pure; docs/data-model.md documents it.

    {"format":"lookout-export","version":1}
    {"item":{...},"table":"history"}            an item of DynamoDB, in DynamoDB's own JSON; B is Base64
    {"end":1}                                   how many items there were: a file without it was cut short

Members and attributes are sorted, tables come in the order of `TABLES`, items in that of their keys: equal tables make
equal bytes. The site's home region is left out, since moving house changes it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from lookout import settings
from lookout.errors import FormatError, Problem
from lookout.history import packing
from lookout.history.wire import Reader

FORMAT: Final = "lookout-export"
VERSION: Final = 1
TABLES: Final = {
    "history": settings.HISTORY_TABLE,
    "incidents": settings.INCIDENTS_TABLE,
    "servers": settings.SERVERS_TABLE,
}
"""In the order of the file. The servers come last: a Lookout begins to watch one when everything else of it is there.

Rounds are not among them: they live for three days, and what they say is in the hours of history.
"""
SITE: Final = "#site"
LINE_LIMIT: Final = 1 << 20
"""Bytes: an item of DynamoDB is at most 400 KB."""
PROBLEMS_SHOWN: Final = 20
_READABLE: Final = {"hour": (1, packing.CHUNK_VERSION), "day": (packing.DAY_VERSION,), "latency": (1,)}
_NEEDED: Final = {
    ("servers", "servers"): {"data": "S"},
    ("history", "hour"): {"data": "B"},
    ("incidents", "state"): {"packed": "B", "version": "N"},
}
"""What an item of a kind must have, with the type of it: an import looks into these."""
_NUMBER: Final = re.compile(r"-?\d{1,38}(\.\d{1,38})?")
_AGAIN: Final = "the file is damaged: export again"

Item = dict[str, dict[str, Any]]
"""Attributes as the DynamoDB API has them, `{"S": ...}`, but that a `B` is Base64."""
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One item of a file. `table` is a key of `TABLES`."""

    number: int
    table: str
    item: Item

    @property
    def key(self) -> Key:
        """The values of its key attributes."""
        return key_of(self.table, self.item)


def key_names(table: str) -> tuple[str, ...]:
    """The key attributes of a table."""
    return ("slug",) if table == "servers" else ("pk", "sk")


def key_of(table: str, item: Item) -> Key:
    """The values of an item's key attributes."""
    return tuple(item[name]["S"] for name in key_names(table))


_OF_A_PLACE: Final = ("quieted", "report", "burning", "watch", "touched", "firing")


def moves(table: str, partition: str) -> bool:
    """Does a partition move?

    The outbox does not (what is put into it is sent, and what waits for it is told), nor what is of the last minutes of
    a place: the tick's memory of itself, and which pages are to be written at once.
    """
    return table != "incidents" or not (
        partition in (settings.NOTICE_PARTITION, settings.HELD_PARTITION, *_OF_A_PLACE)
        or partition.startswith(("delivery#", "untold#", "mass#"))
    )


def lives(item: Item, now: int) -> bool:
    """Is it not expired?"""
    return "ttl" not in item or int(item["ttl"]["N"]) > now


def _dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def header() -> str:
    """The first line."""
    return _dump({"format": FORMAT, "version": VERSION}) + "\n"


def line(table: str, item: Item) -> str:
    """The line of an item."""
    return _dump({"table": table, "item": item}) + "\n"


def end(count: int) -> str:
    """The last line."""
    return _dump({"end": count}) + "\n"


def moved_out(item: Item) -> Item:
    """An item as the file has it: the site without its home."""
    if item.get("slug") != {"S": SITE}:
        return item
    site = json.loads(item["data"]["S"])
    return {"slug": item["slug"], "data": {"S": _dump({name: v for name, v in site.items() if name != "home"})}}


def moved_in(item: Item, home: str) -> Item:
    """An item of the file as a Lookout at `home` keeps it."""
    if item.get("slug") != {"S": SITE}:
        return item
    return _defined(item, {**json.loads(item["data"]["S"]), "home": home})


def resharded(item: Item, by: Item) -> Item:
    """A definition as it is here, in the shard where `by` has it; the site as it is here."""
    if item["slug"] == {"S": SITE}:
        return item
    here, there = (json.loads(one["data"]["S"]) for one in (item, by))
    return _defined(item, {**here, "shard": there.get("shard", "")})


def _defined(item: Item, definition: Mapping[str, Any]) -> Item:
    text = _dump(definition)
    return {**item, "data": {"S": text}, "digest": {"S": hashlib.sha256(text.encode()).hexdigest()[:16]}}


def read(file: BinaryIO, name: str, problems: list[Problem]) -> Iterator[Line]:
    """The items of a file, one at a time; what is wrong with it is added to `problems`, and skipped.

    A file of another format or a newer version, or one that was cut short, is one problem.
    """
    first = _value(file.readline(LINE_LIMIT), 1)
    wrong = first if isinstance(first, str) else _wrong_header(first)
    if wrong:
        problems.append(Problem(name, 1, 1, "", wrong))
        return
    number, count = 1, 0
    while raw := file.readline(LINE_LIMIT):
        number += 1
        value = _value(raw, number)
        if isinstance(value, Mapping) and set(value) == {"end"}:
            if value["end"] != count or file.readline(1):
                problems.append(Problem(name, number, 1, "end", f"{count} items came before it: {_AGAIN}"))
            return
        count += 1
        wrong = value if isinstance(value, str) else _wrong_item(value)
        if wrong:
            problems.append(Problem(name, number, 1, "", wrong))
            if len(problems) >= PROBLEMS_SHOWN:
                return
        else:
            yield Line(number, value["table"], value["item"])
    problems.append(Problem(name, number, 1, "", f"the file was cut short, its last line is missing: {_AGAIN}"))


def _value(raw: bytes, number: int) -> Any:
    """What a line says: a value that is not a string; or, a string, what is wrong with it."""
    if len(raw) >= LINE_LIMIT:
        return f"a line of {LINE_LIMIT:,} bytes or more: no item is so large; {_AGAIN}"
    try:
        value = json.loads(raw)
    except ValueError:
        return (
            f"not JSON: {_AGAIN}"
            if number > 1
            else "not an export of Lookout: name a file that `lookout export FILE` wrote"
        )
    return value if isinstance(value, dict) else f"not a JSON object: {_AGAIN}"


def _wrong_header(value: Mapping[str, Any]) -> str | None:
    if value.get("format") != FORMAT:
        return "not an export of Lookout: name a file that `lookout export FILE` wrote"
    version = value.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or not 1 <= version <= VERSION:
        return (
            f"an export of version {version!r}, and this Lookout reads version {VERSION}: "
            f"update this one to the version that wrote it, then import again"
        )
    return None


def _wrong_item(value: Mapping[str, Any]) -> str | None:
    table, item = value.get("table"), value.get("item")
    if set(value) != {"item", "table"} or table not in TABLES:
        return f"no item of a table there is ({', '.join(TABLES)}): {_AGAIN}"
    if not isinstance(item, dict) or not all(map(_sound, item.values())):
        return f"its attributes are not those of a DynamoDB item: {_AGAIN}"
    names = key_names(table)
    if not all(isinstance(item.get(name, {}).get("S"), str) and item[name]["S"] for name in names):
        return f"an item of this table has a key of {' and '.join(names)}: {_AGAIN}"
    if not moves(table, item[names[0]]["S"]):
        return "a notice or a delivery, which no export holds: to import it would send it again. Remove the line"
    return _unreadable(table, item)


def _sound(attribute: Any) -> bool:
    if not isinstance(attribute, dict) or len(attribute) != 1:
        return False
    ((kind, value),) = attribute.items()
    if kind == "L":
        return isinstance(value, list) and all(map(_sound, value))
    if kind == "M":
        return isinstance(value, dict) and all(map(_sound, value.values()))
    if kind == "BOOL":
        return isinstance(value, bool)
    try:
        return isinstance(value, str) and (
            kind == "S"
            or (kind == "N" and _NUMBER.fullmatch(value) is not None)
            or (kind == "B" and _bytes(value) is not None)
        )
    except binascii.Error:
        return False


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _unreadable(table: str, item: Item) -> str | None:
    """Would this Lookout fail to read it back?"""
    kind = table if table == "servers" else item["sk" if table == "history" else "pk"]["S"].split("#")[0]
    for name, value in _NEEDED.get((table, kind), {}).items():
        if value not in item.get(name, {}):
            return f"it has no {name}: {_AGAIN}"
    if table == "servers" and not _is_object(item["data"]["S"]):
        return f"its data is not a JSON object: {_AGAIN}"
    packed = next((item[name]["B"] for name in ("data", "packed") if "B" in item.get(name, {})), None)
    if packed is not None:
        data = _bytes(packed)
        if not data or data[0] not in _READABLE.get(kind, (1,)):
            version = data[0] if data else "none"
            return f"a packed record of version {version}, which this Lookout cannot read: update it, then import again"
        try:
            Reader(data[1:])
        except FormatError as error:
            return f"{error}: {_AGAIN}"
    return None


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
