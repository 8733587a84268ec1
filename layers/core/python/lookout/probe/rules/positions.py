"""Where the schemas inside a tool's schema are. A schema a server sent is walked, never compiled and never resolved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

_ONE: Final = frozenset(
    {
        "additionalItems",
        "additionalProperties",
        "contains",
        "contentSchema",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
_SEVERAL: Final = frozenset({"allOf", "anyOf", "items", "oneOf", "prefixItems"})
_NAMED: Final = frozenset(
    {"$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"}
)
_INNER: Final = _ONE | _SEVERAL | _NAMED
_CONTAINERS: Final = (dict, list)

Path = tuple[str, ...] | None
"""The property names from the root, or None where anything but `properties` lies between."""


def positions(schema: Any, limit: int) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every place where JSON Schema 2020-12 or draft-07 has a schema, the root first, `limit` places at most.

    What is data (`default`, `const`, `enum`, `examples`) is not entered, whatever it looks like.
    """
    waiting: list[tuple[Path, Any]] = [((), schema)]
    seen = 0
    while waiting and seen < limit:
        path, node = waiting.pop()
        if not isinstance(node, dict):
            continue
        seen += 1
        yield path, node
        for keyword in _INNER & node.keys():
            value = node[keyword]
            if isinstance(value, dict):
                if keyword == "properties":
                    waiting += [(None if path is None else (*path, name), each) for name, each in value.items()]
                elif keyword in _NAMED:
                    waiting += [(None, each) for each in value.values()]
                else:
                    waiting.append((None, value))
            elif isinstance(value, list) and keyword in _SEVERAL:
                waiting += [(None, each) for each in value]


def mentions(value: Any, keys: frozenset[str]) -> bool:
    """Whether any object inside a JSON value has one of the keys. Quick: most schemas need no closer look."""
    waiting = [value]
    for node in waiting:
        if isinstance(node, dict):
            if not keys.isdisjoint(node):
                return True
            waiting += [each for each in node.values() if isinstance(each, _CONTAINERS)]
        else:
            waiting += [each for each in node if isinstance(each, _CONTAINERS)]
    return False


def members(value: Any, depth: int, limit: int) -> int | None:
    """How many members a JSON value has on all its levels; None where it has more than `limit`, or more levels.

    The cost is bounded by `limit`.
    """
    level, seen = [value], 0
    for _ in range(depth + 1):
        inner: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                inner += each.values()
            elif isinstance(each, list):
                inner += each
            if len(inner) + seen > limit:
                return None
        if not inner:
            return seen
        seen += len(inner)
        level = inner
    return None
