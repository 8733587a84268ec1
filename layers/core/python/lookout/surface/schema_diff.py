"""What changed between two JSON Schemas, keyword by keyword. Both are data: nothing is compiled, no `$ref` is followed.

A schema is a conjunction of its keywords, so one that narrows narrows the whole, and only a schema of which every
changed keyword widens is widened. Keywords whose effect depends on others (combinators, references, `contains`) are
compared as text: what differs there is `unknown`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from lookout.surface.canonical import (
    ANNOTATIONS,
    BY_NAME,
    DEPTH,
    NESTED,
    UncanonicalError,
    canonical,
    pointer,
    schemas,
    shape,
)
from lookout.surface.changes import Change, Class, Side, change

Schema = Mapping[str, Any]
CHANGES_LIMIT: Final = 1000
"""Changes of each sort that are looked for in one schema: what has more is `schema_unreadable` besides."""
VALUES_LIMIT: Final = 1000
"""Values of an `enum` that are told apart; a longer one is compared as a whole."""
_MISSING: Final = object()
_TYPES: Final = frozenset({"null", "boolean", "object", "array", "number", "integer", "string"})
_LOWER: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_CONSTRAINTS: Final = ("pattern", "format", "contentEncoding", "contentMediaType", "multipleOf")
_REFERENCES: Final = frozenset({"$ref", "$dynamicRef", "$recursiveRef", "$id", "$anchor", "$dynamicAnchor"})
_COMBINATORS: Final = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "then", "else"})
_ANNOTATION_KINDS: Final = {
    "title": "title_changed",
    "description": "description_changed",
    "examples": "examples_changed",
    "$comment": "comment_changed",
    "default": "default_changed",
}
_FLOWING: Final = frozenset(
    {
        *("properties", "patternProperties", "$defs", "definitions", "items", "prefixItems", "additionalItems"),
        *("additionalProperties", "propertyNames", "allOf", "anyOf"),
    }
)
"""Keywords under which a narrower schema makes the whole narrower. Under the others it may make it wider."""


def schema_changes(old: Any, new: Any, side: Side, at: str) -> list[Change]:
    """The changes from one schema to another, annotations included. Never raises, whatever the two are."""
    try:
        found = list(islice(_compare(old, new, side, at, 0), CHANGES_LIMIT))
        if not (_flows(old) and _flows(new)):
            found = [replace(c, cls=Class.UNKNOWN) if c.cls is Class.ADDITIVE else c for c in found]
        texts = list(islice(_annotations(old, new, at), CHANGES_LIMIT))
        cut = [change(at, "schema_unreadable", side)] if CHANGES_LIMIT in (len(found), len(texts)) else []
    except (UncanonicalError, RecursionError):
        return [change(at, "schema_unreadable", side)]
    return [*found, *texts, *cut]


def same(old: Any, new: Any) -> bool:
    """Equal as JSON, whatever the order of keys; what has no canonical form equals nothing."""
    data = canonical(old)
    return data is not None and data == canonical(new)


def short(value: Any) -> str:
    """A value in a few characters."""
    text = value if isinstance(value, str) else (canonical(value) or b"?").decode()
    return text if len(text) <= 120 else text[:119] + "…"


def _compare(old: Any, new: Any, side: Side, at: str, depth: int) -> Iterator[Change]:
    if depth > DEPTH:
        raise UncanonicalError
    old, new = _as_object(old), _as_object(new)
    if old is False or new is False:
        if old is not new:
            yield change(at, "schema_forbids_all" if new is False else "schema_allows_all", side)
        return
    if not (isinstance(old, dict) and isinstance(new, dict)):
        if not same(old, new):
            yield change(at, "schema_unreadable", side)
        return
    done = set(ANNOTATIONS)
    for keywords, rule in _RULES:
        if any(keyword in schema for keyword in keywords for schema in (old, new)):
            yield from rule(old, new, side, at, depth)
        done.update(keywords)
    for keyword in sorted((old.keys() | new.keys()) - done):
        if not _same_shape(keyword, old.get(keyword, _MISSING), new.get(keyword, _MISSING)):
            yield change(at + pointer(keyword), _kind_of(keyword), side)


def _as_object(schema: Any) -> Any:
    return {} if schema is True or schema is _MISSING else schema


def _same_shape(keyword: str, old: Any, new: Any) -> bool:
    if old is _MISSING or new is _MISSING:
        return False
    return same(shape({keyword: old}, annotations=False), shape({keyword: new}, annotations=False))


def _kind_of(keyword: str) -> str:
    if keyword in _REFERENCES:
        return "reference_changed"
    if keyword in _COMBINATORS:
        return "combinator_changed"
    return "deprecated_changed" if keyword == "deprecated" else "keyword_changed"


def _types(old: dict[str, Any], new: dict[str, Any], side: Side, at: str, depth: int) -> Iterator[Change]:
    del depth
    before, after = _type_set(old), _type_set(new)
    path = at + "/type"
    if before is None or after is None:
        if not _same_shape("type", old.get("type", _MISSING), new.get("type", _MISSING)):
            yield change(path, "keyword_changed", side)
    elif before != after:
        kind = "type_narrowed" if after < before else "type_widened" if after > before else "type_changed"
        yield change(path, kind, side, f"{short(old.get('type', 'any'))} → {short(new.get('type', 'any'))}")


def _type_set(schema: dict[str, Any]) -> set[str] | None:
    """The types a schema admits; None where `type` is malformed. Every integer is a number."""
    stated = schema.get("type", _MISSING)
    if stated is _MISSING:
        return set(_TYPES)
    names = [stated] if isinstance(stated, str) else stated
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return None
    return {*names, "integer"} if "number" in names else set(names)


def _values(old: dict[str, Any], new: dict[str, Any], side: Side, at: str, depth: int) -> Iterator[Change]:
    """`enum` and `const` together: the values there may be."""
    del depth
    before, after = _value_set(old), _value_set(new)
    path = at + ("/enum" if "enum" in old or "enum" in new else "/const")
    if isinstance(before, str) or isinstance(after, str):
        for keyword in ("enum", "const"):
            if keyword in old.keys() | new.keys() and not _same_shape(
                keyword, old.get(keyword, _MISSING), new.get(keyword, _MISSING)
            ):
                yield change(at + pointer(keyword), "keyword_changed", side)
    elif before is None and after is not None:
        yield change(path, "values_limited", side)
    elif after is None:
        if before is not None:
            yield change(path, "values_freed", side)
    elif before is not None:
        for gone in sorted(before.keys() - after.keys()):
            yield change(path, "enum_value_removed", side, short(before[gone]))
        for come in sorted(after.keys() - before.keys()):
            yield change(path, "enum_value_added", side, short(after[come]))


def _value_set(schema: dict[str, Any]) -> dict[bytes, Any] | str | None:
    """The values by canonical bytes; None where any may be; a text where they cannot be told."""
    sets = []
    if "enum" in schema:
        if not isinstance(schema["enum"], list) or len(schema["enum"]) > VALUES_LIMIT:
            return "not compared"
        sets.append({canonical(value): value for value in schema["enum"]})
    if "const" in schema:
        sets.append({canonical(schema["const"]): schema["const"]})
    if any(None in values for values in sets):
        return "not compared"
    if not sets:
        return None
    return {key: value for key, value in sets[0].items() if key is not None and all(key in other for other in sets)}


def _bounds(old: dict[str, Any], new: dict[str, Any], side: Side, at: str, depth: int) -> Iterator[Change]:
    del depth
    for keyword in (*_LOWER, *_UPPER):
        pair = before, after = [schema.get(keyword, _MISSING) for schema in (old, new)]
        if before is after or (_MISSING not in pair and same(before, after)):
            continue
        path = at + pointer(keyword)
        if any(k in schema and not _number(schema[k]) for schema in (old, new) for k in _related(keyword)):
            yield change(path, "keyword_changed", side)  # draft 4 has a boolean exclusiveMinimum
        elif after is _MISSING:
            yield change(path, "bound_loosened", side, f"{short(before)} → none")
        elif before is _MISSING:
            yield change(path, "bound_tightened", side, f"none → {short(after)}")
        else:
            kind = "bound_tightened" if (after > before) == (keyword in _LOWER) else "bound_loosened"
            yield change(path, kind, side, f"{short(before)} → {short(after)}")


def _related(keyword: str) -> tuple[str, ...]:
    stem = "inimum" if keyword.endswith("inimum") else "aximum"
    return (f"m{stem}", f"exclusiveM{stem}") if keyword.endswith("imum") else (keyword,)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _constraints(old: dict[str, Any], new: dict[str, Any], side: Side, at: str, depth: int) -> Iterator[Change]:
    del depth
    unique = [schema.get("uniqueItems", False) for schema in (old, new)]
    if not same(*unique):
        known = all(isinstance(value, bool) for value in unique)
        kind = ("constraint_added" if unique[1] else "constraint_removed") if known else "keyword_changed"
        yield change(at + "/uniqueItems", kind, side)
    for keyword in _CONSTRAINTS:
        if keyword in old and keyword in new:
            if not same(old[keyword], new[keyword]):
                detail = f"{short(old[keyword])} → {short(new[keyword])}"
                yield change(at + pointer(keyword), "constraint_changed", side, detail)
        elif keyword in new:
            yield change(at + pointer(keyword), "constraint_added", side, short(new[keyword]))
        elif keyword in old:
            yield change(at + pointer(keyword), "constraint_removed", side, short(old[keyword]))


def _objects(old: dict[str, Any], new: dict[str, Any], side: Side, at: str, depth: int) -> Iterator[Change]:
    """`properties`, `patternProperties`, `additionalProperties` and `required`, which depend on each other."""
    before, after = old.get("properties", {}), new.get("properties", {})
    must, must_now = old.get("required", []), new.get("required", [])
    if not (isinstance(before, dict) and isinstance(after, dict) and _names(must) and _names(must_now)):
        for keyword in ("properties", "required", "patternProperties", "additionalProperties"):
            if not _same_shape(keyword, old.get(keyword, {}), new.get(keyword, {})):
                yield change(at + pointer(keyword), "keyword_changed", side)
        return
    for name in sorted(set(must_now) - set(must)):
        yield change(at + "/required", "required_added", side, short(name))
    for name in sorted(set(must) - set(must_now)):
        yield change(at + "/required", "required_removed", side, short(name))
    for name in sorted(before.keys() - after.keys()):
        yield change(at + pointer("properties", name), _removed(old, new), side)
    for name in sorted(after.keys() - before.keys()):
        yield from _added(old, new, name, side, at, depth)
    for name in sorted(before.keys() & after.keys()):
        yield from _compare(before[name], after[name], side, at + pointer("properties", name), depth + 2)
    yield from _patterns(old, new, side, at, depth)
    yield from _additional(old, new, side, at, depth)


def _names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _removed(old: Schema, new: Schema) -> str:
    """What it means that a property is no longer described: what else the object may hold decides."""
    rest = new.get("additionalProperties", True)
    if old.get("patternProperties") or new.get("patternProperties"):
        return "property_unclear"
    if rest is False:
        return "property_forbidden"
    return "property_removed" if rest is True or rest == {} else "property_unclear"


def _added(old: dict[str, Any], new: dict[str, Any], name: str, side: Side, at: str, depth: int) -> Iterator[Change]:
    """A property that is now described. Where it could be sent before, its schema may ask for more than was asked."""
    path = at + pointer("properties", name)
    if old.get("patternProperties") or old.get("unevaluatedProperties", True) not in (True, False):
        yield change(path, "property_unclear", side)
        return
    yield change(path, "property_added", side)
    rest = old.get("additionalProperties", True)
    asked = rest is not False and name in old.get("required", [])
    if asked or (isinstance(rest, dict) and rest):
        yield from _compare(rest, new["properties"][name], side, path, depth + 2)


def _patterns(old: dict[str, Any], new: dict[str, Any], side: Side, at: str, depth: int) -> Iterator[Change]:
    before, after = old.get("patternProperties", {}), new.get("patternProperties", {})
    path = at + "/patternProperties"
    if not (isinstance(before, dict) and isinstance(after, dict)) or before.keys() != after.keys():
        if not same(before, after):
            yield change(path, "keyword_changed", side)
        return
    for pattern in sorted(before):
        yield from _compare(before[pattern], after[pattern], side, path + pointer(pattern), depth + 2)


def _additional(old: dict[str, Any], new: dict[str, Any], side: Side, at: str, depth: int) -> Iterator[Change]:
    before, after = (_as_object(schema.get("additionalProperties", True)) for schema in (old, new))
    path = at + "/additionalProperties"
    if before is False or after is False:
        if before is not after:
            yield change(path, "additional_closed" if after is False else "additional_opened", side)
    else:
        yield from _compare(before, after, side, path, depth + 1)


def _arrays(old: dict[str, Any], new: dict[str, Any], side: Side, at: str, depth: int) -> Iterator[Change]:
    """`items`, `prefixItems` and the older `additionalItems`."""
    for keyword in ("prefixItems", "items", "additionalItems", "propertyNames"):
        before, after = old.get(keyword, True), new.get(keyword, True)
        path = at + pointer(keyword)
        if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
            for index, pair in enumerate(zip(before, after, strict=True)):
                yield from _compare(*pair, side, path + pointer(index), depth + 2)
        elif isinstance(before, list) or isinstance(after, list):
            yield change(path, "keyword_changed", side)
        else:
            yield from _compare(before, after, side, path, depth + 1)


def _definitions(old: dict[str, Any], new: dict[str, Any], side: Side, at: str, depth: int) -> Iterator[Change]:
    """`$defs`: compared where they stand. Which values flow through them is the same as outside, or `_flows` says."""
    for keyword in ("$defs", "definitions"):
        before, after = old.get(keyword, {}), new.get(keyword, {})
        path = at + pointer(keyword)
        if not (isinstance(before, dict) and isinstance(after, dict)):
            if not same(before, after):
                yield change(path, "definition_changed", side)
            continue
        for name in sorted(before.keys() | after.keys()):
            if name in before and name in after:
                yield from _compare(before[name], after[name], side, path + pointer(name), depth + 2)
            else:
                yield change(path + pointer(name), "definition_changed", side)


Rule = Callable[[dict[str, Any], dict[str, Any], Side, str, int], Iterator[Change]]
_RULES: Final[tuple[tuple[tuple[str, ...], Rule], ...]] = (
    (("type",), _types),
    (("enum", "const"), _values),
    ((*_LOWER, *_UPPER), _bounds),
    ((*_CONSTRAINTS, "uniqueItems"), _constraints),
    (("properties", "required", "patternProperties", "additionalProperties"), _objects),
    (("prefixItems", "items", "additionalItems", "propertyNames"), _arrays),
    (("$defs", "definitions"), _definitions),
)


def _flows(schema: Any, flowing: bool = True, depth: int = 0) -> bool:
    """Does every reference stand where a narrower target makes the whole narrower?"""
    if depth > DEPTH:
        raise UncanonicalError
    if isinstance(schema, list):
        return all(_flows(child, flowing, depth + 1) for child in schema)
    if not isinstance(schema, dict):
        return True
    if not flowing and _REFERENCES & schema.keys():
        return False
    for keyword, value in schema.items():
        below = flowing and keyword in _FLOWING
        if keyword in BY_NAME and isinstance(value, dict):
            if not all(_flows(child, below, depth + 2) for child in value.values()):
                return False
        elif keyword in NESTED and not _flows(value, below, depth + 1):
            return False
    return True


def _annotations(old: Any, new: Any, at: str) -> Iterator[Change]:
    """Annotations of schemas that are in both. Raises UncanonicalError."""
    before, after = dict(schemas(old)), dict(schemas(new))
    for path in sorted(before.keys() & after.keys()):
        for word in sorted(ANNOTATIONS & (before[path].keys() | after[path].keys())):
            pair = [schema.get(word, _MISSING) for schema in (before[path], after[path])]
            if _MISSING in pair or not same(*pair):
                yield change(at + path + pointer(word), _ANNOTATION_KINDS[word])
