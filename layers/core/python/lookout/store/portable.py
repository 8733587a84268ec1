"""The tables as whole: every item there is, and items put back. For export and import; nothing else reads so much."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from lookout.errors import ConflictError
from lookout.store.aws import client
from lookout.store.lines import TABLES, Item, Key, Line, key_names, key_of, lives, moved_in, moves

READ_AT_ONCE = 100
"""What BatchGetItem takes."""
WRITE_AT_ONCE = 25
"""What BatchWriteItem takes."""
SHORTEST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 5.0


class Portable:
    """The tables of one Lookout, in its home region."""

    def __init__(self, home: str) -> None:
        self.home = home
        self._db = client("dynamodb", home)
        self._pause_s = SHORTEST_PAUSE_S

    def items(self, now: int) -> Iterator[tuple[str, Item]]:
        """Every item that moves and has not expired, as stored, with the key of its table; in the order of the file.

        One partition at a time is held. A table is read twice: once for the names of its partitions, which nothing else
        knows of servers that are gone, and once for the items.
        """
        for table in TABLES:
            for partition in sorted(self._partitions(table)):
                if moves(table, partition):
                    for item in self._partition(table, partition):
                        if lives(item, now):
                            yield table, item

    def _partitions(self, table: str) -> set[str]:
        name = key_names(table)[0]
        pages = self._db.get_paginator("scan").paginate(
            TableName=TABLES[table], ProjectionExpression="#k", ExpressionAttributeNames={"#k": name}
        )
        return {item[name]["S"] for page in pages for item in page["Items"]}

    def _partition(self, table: str, partition: str) -> Iterator[Item]:
        pages = self._db.get_paginator("query").paginate(
            TableName=TABLES[table],
            KeyConditionExpression="#k = :k",
            ExpressionAttributeNames={"#k": key_names(table)[0]},
            ExpressionAttributeValues={":k": {"S": partition}},
            ConsistentRead=True,
        )
        for page in pages:
            yield from map(_as_text, page["Items"])

    def stored(self, lines: Sequence[Line]) -> dict[tuple[str, Key], Item]:
        """What is there under the keys of at most `READ_AT_ONCE` lines, as stored."""
        wanted: dict[str, Any] = {}
        for line in lines:
            keys = wanted.setdefault(TABLES[line.table], {"Keys": [], "ConsistentRead": True})["Keys"]
            keys.append({name: line.item[name] for name in key_names(line.table)})
        out: dict[tuple[str, Key], Item] = {}
        by_name = {name: table for table, name in TABLES.items()}
        while wanted:
            answer = self._db.batch_get_item(RequestItems=wanted)
            for name, found in answer["Responses"].items():
                for item in map(_as_text, found):
                    out[by_name[name], key_of(by_name[name], item)] = item
            wanted = self._rest(answer.get("UnprocessedKeys"))
        return out

    def add(self, table: str, items: Sequence[Item]) -> None:
        """Put at most `WRITE_AT_ONCE` items where none are."""
        wanted: Any = {TABLES[table]: [{"PutRequest": {"Item": self._as_bytes(item)}} for item in items]}
        while wanted:
            wanted = self._rest(self._db.batch_write_item(RequestItems=wanted).get("UnprocessedItems"))

    def _rest(self, left: Any) -> Any:
        """What a batch left undone, after a pause that doubles as long as anything is: the table is throttled."""
        if left:
            time.sleep(self._pause_s)
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        else:
            self._pause_s = SHORTEST_PAUSE_S
        return left or {}

    def put(self, table: str, item: Item, before: Item | None) -> None:
        """Put one item in the place of what was read. Raises ConflictError where something else is there by now."""
        if before is None:
            names: dict[str, str] = {"#k": key_names(table)[0]}
            condition, values = "attribute_not_exists(#k)", {}
        else:
            names = {f"#{i}": name for i, name in enumerate(before)}
            condition = " AND ".join(f"#{i} = :{i}" for i in range(len(before)))
            values = {"ExpressionAttributeValues": {f":{i}": _attribute(v) for i, v in enumerate(before.values())}}
        try:
            self._db.put_item(
                TableName=TABLES[table],
                Item=self._as_bytes(item),
                ConditionExpression=condition,
                ExpressionAttributeNames=names,
                **values,
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "ConditionalCheckFailedException":
                raise ConflictError(f"{table} {' '.join(key_of(table, item))}: somebody else has written it") from error
            raise

    def _as_bytes(self, item: Item) -> dict[str, Any]:
        return {name: _attribute(value) for name, value in moved_in(item, self.home).items()}


def _as_text(item: Mapping[str, Any]) -> Item:
    return {name: _text(value) for name, value in item.items()}


def _text(value: Mapping[str, Any]) -> dict[str, Any]:
    return _mapped(value, lambda data: base64.b64encode(bytes(data)).decode())


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    return _mapped(value, base64.b64decode)


def _mapped(value: Mapping[str, Any], binary: Callable[[Any], Any]) -> dict[str, Any]:
    ((kind, content),) = value.items()
    if kind == "B":
        return {"B": binary(content)}
    if kind == "L":
        return {"L": [_mapped(one, binary) for one in content]}
    if kind == "M":
        return {"M": {name: _mapped(one, binary) for name, one in content.items()}}
    return {kind: content}


def in_lots(lines: Iterable[Line], size: int) -> Iterator[list[Line]]:
    """Lines in lots of at most so many, each of one table."""
    lot: list[Line] = []
    for line in lines:
        if lot and (len(lot) == size or lot[0].table != line.table):
            yield lot
            lot = []
        lot.append(line)
    if lot:
        yield lot
