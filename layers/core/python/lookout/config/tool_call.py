"""What `tool_call` gets wrong beyond its form: a schema or an expression that could never be evaluated. Pure.

The schema is read as draft-07, the newest dialect the runtime evaluates; it may refer to itself, never to another
document: nothing is ever fetched for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote

import fastjsonschema
import jmespath
import jsonschema
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions

from lookout.config.document import Path
from lookout.config.structure import Found, suggestion

SIZE_LIMIT: Final = 4096
"""Bytes of one `tool_call` as JSON: forty of them travel to the probe in one invocation."""
_DIALECT: Final = "http://json-schema.org/draft-07/schema"
_SAMPLE: Final[Mapping[str, Any]] = {
    "content": [{"type": "text", "text": ""}],
    "structuredContent": {},
    "isError": False,
}


def tool_call_problems(path: Path, value: Mapping[str, Any]) -> Iterator[Found]:
    """`path` is that of `tool_call`."""
    try:
        size = len(json.dumps(value, allow_nan=False, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    except ValueError:
        yield path, "holds a number that JSON does not know (.nan or .inf)"
        return
    if size > SIZE_LIMIT:
        yield path, f"is larger than {SIZE_LIMIT} bytes as JSON: ask the tool for less"
    result = value.get("result", {})
    if "jmespath" in result and (problem := _expression(result["jmespath"])):
        yield (*path, "result", "jmespath"), problem
    if "schema" in result:
        yield from _schema((*path, "result", "schema"), result["schema"])


def _expression(text: str) -> str | None:
    try:
        parsed = jmespath.compile(text).parsed
    except JMESPathError as error:
        said = str(error).split("\n", maxsplit=1)[0].removeprefix("Invalid jmespath expression: ").rstrip(": ")[:160]
        return f"is not a JMESPath expression: {said}"
    except RecursionError:
        return "is nested too deeply"
    known = Functions.FUNCTION_TABLE
    for name in _functions(parsed):
        if name not in known:
            return f"calls {name[:60]}(), which JMESPath does not have; {suggestion(name, known)}"
    return None


def _functions(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        if node.get("type") == "function_expression":
            yield str(node["value"])
        for child in node.get("children", ()):
            yield from _functions(child)


def _schema(path: Path, schema: Mapping[str, Any]) -> Iterator[Found]:
    said = str(schema.get("$schema", _DIALECT)).removesuffix("#")
    if said != _DIALECT:
        yield (
            (*path, "$schema"),
            f"is another dialect than draft-07 ({_DIALECT}#), the one that is evaluated: remove it",
        )
        return
    try:
        jsonschema.Draft7Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        message = " ".join(error.message.split())[:120]
        yield (*path, *error.absolute_path), f"is not sound JSON Schema (draft-07): {message}"
        return
    foreign = list(_foreign(path, schema))
    yield from foreign
    if not foreign:
        yield from _endless(path, schema)


def _foreign(path: Path, schema: Mapping[str, Any]) -> Iterator[Found]:
    for at, key, value in _pointers(path, schema):
        if key == "$id":
            yield at, "would change what references mean: remove it"
        elif value != "#" and not value.startswith("#/"):
            yield at, "refers to another document, and nothing is fetched: copy it under definitions"


def _endless(path: Path, schema: Mapping[str, Any]) -> Iterator[Found]:
    """Follow every reference, then try the schema on a result: there is nothing left to fetch."""
    for at, _, reference in _pointers(path, schema):
        if not _points(schema, reference.removeprefix("#")):
            yield at, "refers to what is not in this schema"
            return
    try:
        for _error in jsonschema.Draft7Validator(schema).iter_errors(dict(_SAMPLE)):
            pass
    except RecursionError:
        yield path, "refers to itself without end"
        return
    try:  # what evaluates it is stricter: it refuses what nothing could satisfy
        fastjsonschema.compile(dict(schema))
    except fastjsonschema.JsonSchemaDefinitionException as error:
        message = str(error).removeprefix("data: ").removeprefix("data ")
        yield path, f"cannot be evaluated: {' '.join(message.split())[:120]}"


def _points(part: Any, pointer: str) -> bool:
    """Does a JSON pointer (RFC 6901), as a URI fragment, lead to a schema?"""
    for token in unquote(pointer).split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        if isinstance(part, list) and key.isdecimal() and int(key) < len(part):
            part = part[int(key)]
        elif isinstance(part, Mapping) and key in part:
            part = part[key]
        else:
            return False
    return isinstance(part, Mapping | bool)


def _pointers(path: Path, part: Any) -> Iterator[tuple[Path, str, str]]:
    """Every `$id` and `$ref`: its path, which of the two, and what it says."""
    if isinstance(part, list):
        for i, item in enumerate(part):
            yield from _pointers((*path, i), item)
    elif isinstance(part, Mapping):
        for key, value in part.items():
            if key in ("$id", "$ref") and isinstance(value, str):
                yield (*path, key), key, value
            yield from _pointers((*path, key), value)
