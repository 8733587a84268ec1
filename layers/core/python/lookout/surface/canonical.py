"""Canonical bytes of JSON values (RFC 8785) and of JSON Schemas, in which the order of a set does not count.

What RFC 8785 cannot write is settled here: an integer beyond 2^53 becomes `{"$int": "<digits>"}`; NaN, half a surrogate
pair and anything nested deeper than `DEPTH` have no canonical form, which is None and never an exception.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import rfc8785

SAFE_INTEGER: Final = 2**53
DEPTH: Final = 100
"""Levels of nesting that are followed; real schemas stay far below."""

ANNOTATIONS: Final = frozenset({"title", "description", "examples", "$comment", "default"})
"""Schema keywords that say nothing about which values are valid (JSON Schema 2020-12, Validation, 9)."""
UNORDERED: Final = frozenset({"required", "enum", "type"})
"""Schema keywords whose array is a set."""
BY_NAME: Final = frozenset(
    {"properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"}
)
"""Schema keywords that hold schemas by name: their keys are names, never keywords."""
NESTED: Final = frozenset(
    {
        *("items", "prefixItems", "additionalItems", "contains", "unevaluatedItems"),
        *("additionalProperties", "propertyNames", "unevaluatedProperties"),
        *("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "contentSchema"),
    }
)
"""Schema keywords that hold a schema, or a list of them."""


_PLAIN_FLOATS: Final = (1e-4, 1e15)
"""Between these both write a float in the same way (ECMAScript, Number::toString)."""
_OURS: Final = re.compile(r"\$+int")


class UncanonicalError(ValueError):
    """A value has no canonical form."""


class _Plain:
    """Makes values that RFC 8785 can write, and notes whether the standard library's encoder would write the same."""

    def __init__(self) -> None:
        self.usual = True

    def of(self, value: Any, depth: int = 0) -> Any:
        """A key like our own `$int` gets one more `$`, so that none is mistaken."""
        if isinstance(value, str) or value is None:
            return value
        if depth > DEPTH:
            raise UncanonicalError
        if isinstance(value, dict):
            return {self._key(key): self.of(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.of(item, depth + 1) for item in value]
        if isinstance(value, bool):
            return value
        if isinstance(value, int):
            return value if abs(value) < SAFE_INTEGER else {"$int": str(value)}
        if isinstance(value, float) and value.is_integer():
            return self.of(int(value), depth)
        if not (isinstance(value, float) and _PLAIN_FLOATS[0] <= abs(value) < _PLAIN_FLOATS[1]):
            self.usual = False
        return value

    def _key(self, key: Any) -> Any:
        if not isinstance(key, str):
            raise UncanonicalError
        if not key.isascii() and max(key) >= "\ud800":
            self.usual = False  # RFC 8785 sorts keys by UTF-16, the standard library by code points
        return "$" + key if key[:1] == "$" and _OURS.fullmatch(key) else key


def encode(value: Any) -> bytes:
    """RFC 8785 bytes. Raises UncanonicalError.

    Where all numbers and keys are usual ones the standard library writes the same bytes, ten times as fast: this keeps
    the cost of what a hostile server makes us hash out of others' latencies.
    """
    try:
        plain = _Plain()
        simple = plain.of(value)
        if not plain.usual:
            return rfc8785.dumps(simple)
        return json.dumps(simple, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise UncanonicalError from error


def usual(value: Any) -> bool:
    """Will `encode` be quick? Raises UncanonicalError."""
    plain = _Plain()
    try:
        plain.of(value)
    except (ValueError, RecursionError) as error:
        raise UncanonicalError from error
    return plain.usual


def canonical(value: Any) -> bytes | None:
    """RFC 8785 bytes, or None where there are none."""
    try:
        return encode(value)
    except UncanonicalError:
        return None


def digest(value: Any) -> str:
    """SHA-256 hex of the canonical bytes. Raises UncanonicalError."""
    return hashlib.sha256(encode(value)).hexdigest()


def unordered(value: Any) -> Any:
    """A list in an order of our own; anything else as it is. Raises UncanonicalError."""
    return sorted(value, key=_rank) if isinstance(value, list) else value


def _rank(item: Any) -> tuple[int, Any]:
    """Scalars by themselves, the rest by its bytes: quick for the long lists there are."""
    if isinstance(item, str):
        return 0, item
    if isinstance(item, int | float) and not isinstance(item, bool):
        return 1, item
    return 2, encode(item)


def shape(schema: Any, *, annotations: bool, depth: int = 0) -> Any:
    """A schema whose sets are sorted, with or without `ANNOTATIONS`. Raises UncanonicalError."""
    if not isinstance(schema, dict):
        return schema
    if depth > DEPTH:
        raise UncanonicalError

    def below(value: Any) -> Any:
        return shape(value, annotations=annotations, depth=depth + 2)

    out = {}
    for keyword, value in schema.items():
        if keyword in UNORDERED:
            out[keyword] = unordered(value)
        elif annotations or keyword not in ANNOTATIONS:
            out[keyword] = _children(keyword, value, below)
    return out


def _children(keyword: str, value: Any, below: Callable[[Any], Any]) -> Any:
    if keyword in BY_NAME and isinstance(value, dict):
        return {name: below(child) for name, child in value.items()}
    if keyword in NESTED:
        return [below(child) for child in value] if isinstance(value, list) else below(value)
    return value


def pointer(*parts: object) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def schemas(schema: Any, at: str = "", depth: int = 0) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object schema within a schema with its pointer, outermost first. Raises UncanonicalError when too deep."""
    if not isinstance(schema, dict):
        return
    if depth > DEPTH:
        raise UncanonicalError
    yield at, schema
    for keyword, value in schema.items():
        if keyword in BY_NAME and isinstance(value, dict):
            children = [(pointer(keyword, name), child) for name, child in value.items()]
        elif keyword in NESTED and isinstance(value, list):
            children = [(pointer(keyword, index), child) for index, child in enumerate(value)]
        elif keyword in NESTED:
            children = [(pointer(keyword), value)]
        else:
            continue
        for path, child in children:
            yield from schemas(child, at + path, depth + 2)
