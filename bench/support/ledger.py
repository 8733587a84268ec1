"""What the store's own calls consume, call by call.

Writes: what the local AWS charges (`ReturnConsumedCapacity`), which it works out from the sizes of the items. Reads: it
charges the same for every read, however large; so they are counted from the bytes that each call returned.
"""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pynamodb.connection.base import Connection

WRITES = frozenset({"PutItem", "DeleteItem", "UpdateItem", "TransactWriteItems"})
READS = frozenset({"GetItem", "Query", "Scan"})


@dataclass(slots=True)
class Ledger:
    """Units by step. Calls outside a step are not noted."""

    writes: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    reads: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    _step: str | None = None

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """What is called within belongs to `name`."""
        before, self._step = self._step, name
        try:
            yield
        finally:
            self._step = before

    def note(self, operation: str, request: dict[str, Any], answer: dict[str, Any]) -> None:
        """Add what one call consumed. Raises RuntimeError where that cannot be told."""
        if self._step is None:
            return
        if operation in WRITES:
            charged = answer.get("ConsumedCapacity")
            if not charged:
                raise RuntimeError(f"{operation} did not say what it consumed")
            units = sum(float(one["CapacityUnits"]) for one in (charged if isinstance(charged, list) else [charged]))
            self.writes[self._step] += units
        elif operation in READS:
            items = answer["Items"] if "Items" in answer else [answer.get("Item", {})]
            whole = max(1, -(-sum(map(item_bytes, items)) // 4096))
            self.reads[self._step] += whole if request.get("ConsistentRead") else whole / 2
        else:
            raise RuntimeError(f"what {operation} consumes is not known here")

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear every call PynamoDB makes in this process."""
        original = Connection.dispatch

        def dispatch(connection: Connection, operation_name: str, operation_kwargs: dict[str, Any]) -> Any:
            if self._step is not None:
                operation_kwargs = {**operation_kwargs, "ReturnConsumedCapacity": "TOTAL"}
            answer = original(connection, operation_name, operation_kwargs)
            self.note(operation_name, operation_kwargs, answer)
            return answer

        Connection.dispatch = dispatch  # type: ignore[method-assign]  # for the length of the measurement
        try:
            yield
        finally:
            Connection.dispatch = original  # type: ignore[method-assign]  # as it was


def item_bytes(item: dict[str, Any]) -> int:
    """The size of a low-level item, as the DynamoDB developer guide counts it ("Item sizes and formats")."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: dict[str, Any]) -> int:
    (kind, content) = next(iter(value.items()))
    if kind == "S":
        return len(content.encode())
    if kind == "B":
        return len(content if isinstance(content, bytes) else base64.b64decode(content))
    if kind == "N":
        digits = len(str(content).lstrip("-").replace(".", "").strip("0"))
        return (digits + 1) // 2 + 1
    if kind == "L":
        return 3 + sum(1 + _value_bytes(one) for one in content)
    return 1
