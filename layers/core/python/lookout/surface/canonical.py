"""Canonical bytes of JSON values (RFC 8785) and of JSON Schemas, in which the order of a set does not count.

What RFC 8785 cannot write is settled here: an integer beyond 2^53 becomes `{"$int": "<digits>"}`; NaN, half a surrogate
pair and anything nested deeper than `DEPTH` have no canonical form, which is None and never an exception.
"""

from __future__ import annotations

import hashlib
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


_OURS: Final = re.compile(r"\$+int")


class UncanonicalError(ValueError):
    """A value has no canonical form."""


def _plain(value: Any, depth: int) -> Any:
    """The value as RFC 8785 can write it. A key like our own `$int` gets one more `$`, so that none is mistaken."""
    if depth > DEPTH:
        raise UncanonicalError
    if isinstance(value, dict):
        return {_key(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= SAFE_INTEGER:
        return {"$int": str(value)}
    if isinstance(value, float) and value.is_integer() and abs(value) >= SAFE_INTEGER:
        return {"$int": str(int(value))}
    return value


def _key(key: Any) -> Any:
    return "$" + key if isinstance(key, str) and _OURS.fullmatch(key) else key


def encode(value: Any) -> bytes:
    """RFC 8785 bytes. Raises UncanonicalError."""
    try:
        return rfc8785.dumps(_plain(value, 0))
    except (ValueError, TypeError, RecursionError) as error:
        raise UncanonicalError from error


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
    """A list sorted by the canonical bytes of its items; anything else as it is. Raises UncanonicalError."""
    return sorted(value, key=encode) if isinstance(value, list) else value


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
