"""What a throttled table leaves undone is asked for again, after pauses that grow."""

from __future__ import annotations

from typing import Any

import pytest
from lookout.store import portable
from lookout.store.lines import Line
from lookout.store.portable import Portable

ITEMS = [{"pk": {"S": "acme"}, "sk": {"S": f"hour#{i}"}, "data": {"B": "AA=="}} for i in range(4)]
LINES = [Line(i + 2, "history", item) for i, item in enumerate(ITEMS)]


class Throttled:
    """Does one item of each batch."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def batch_write_item(self, RequestItems: dict[str, list[Any]]) -> dict[str, Any]:  # noqa: N803 -- as boto3 has it
        ((table, (first, *rest)),) = RequestItems.items()
        self.written.append(first["PutRequest"]["Item"]["sk"]["S"])
        return {"UnprocessedItems": {table: rest}} if rest else {}

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 -- as boto3 has it
        ((table, wanted),) = RequestItems.items()
        first, *rest = wanted["Keys"]
        left = {table: {**wanted, "Keys": rest}} if rest else {}
        return {"Responses": {table: [{**first, "data": {"B": b"\0"}}]}, "UnprocessedKeys": left}


def test_nothing_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    db, pauses = Throttled(), list[float]()
    monkeypatch.setattr(portable, "client", lambda service, home: db)
    monkeypatch.setattr(portable.time, "sleep", pauses.append)
    tables = Portable("us-east-1")
    tables.add("history", ITEMS)
    assert db.written == [f"hour#{i}" for i in range(4)]
    assert pauses == [0.05, 0.1, 0.2]
    assert list(tables.stored(LINES).values()) == ITEMS
    assert pauses[3:] == [0.05, 0.1, 0.2]
    tables._pause_s = 4.0
    tables.add("history", ITEMS[:2])
    tables._pause_s = 4.0
    tables.add("history", ITEMS[:3])
    assert pauses[6:] == [4.0, 4.0, 5.0]
