"""The generated validators: fresh, from the official schemas, and of one mind with the official types.

`recorded.jsonl` is what real servers answered: a result a line, with its server, method and version, written by
`python -m tests.servers.record`. The oracle is `mcp_types`, which the official SDK validates with.
"""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest
from lookout.probe.messages import Reply
from lookout.probe.result import Era
from lookout.probe.rules import check_reply, shapes
from lookout.probe.rules.results import LISTS
from lookout.probe.rules.shapes import DIALECTS, dialect_error, shape_error
from lookout.probe.versions import KNOWN, MODERN
from mcp_types.methods import validate_server_result
from pydantic import ValidationError

ROOT = Path(__file__).parents[4]
SCHEMAS = ROOT / "layers/core/python/lookout/probe/rules/schemas"
RECORDED = [json.loads(line) for line in (Path(__file__).parent / "recorded.jsonl").read_text().splitlines()]
DEFINITIONS = {
    "initialize": "InitializeResult",
    "server/discover": "DiscoverResult",
    **{method: definition for method, (definition, _, _) in LISTS.items()},
}
WRONG: tuple[Any, ...] = (..., None, True, "true", 7, -1, 0.5, "x", [], {})
"""What takes the place of each value in turn; `...` takes the value away."""

_FLAGS = ("readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint", "listChanged", "subscribe")
EXPLAINED: dict[str, Callable[[tuple[Any, ...], Any], bool]] = {
    "an optional value may be null to mcp_types, and not to the schema": lambda path, wrong: wrong is None,
    "text that means a boolean is one to mcp_types": lambda path, wrong: wrong == "true" and path[-1] in _FLAGS,
    "true is an integer to mcp_types": lambda path, wrong: wrong is True and path[-1] == "ttlMs",
    "true is a property's schema to mcp_types, and to MCP only since 2026-07-28": lambda path, wrong: (
        wrong in (True, "true") and path[-2:-1] == ("properties",)
    ),
    "the identity in _meta is not looked at by mcp_types": lambda path, wrong: "_meta" in path and len(path) > 1,
}
"""Why our verdict may be `invalid` where that of mcp_types is `valid`. The other way round there is no difference."""


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a result, of a list only the first item."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*path, 0))


def with_wrong(result: Any, path: tuple[Any, ...], wrong: Any) -> Any:
    out = copy.deepcopy(result)
    parent = out
    for key in path[:-1]:
        parent = parent[key]
    if wrong is ...:
        del parent[path[-1]]
    else:
        parent[path[-1]] = wrong
    return out


def ours(record: dict[str, Any], result: Any) -> bool:
    return shape_error(record["version"], DEFINITIONS[record["method"]], result, "result") is None


def theirs(record: dict[str, Any], result: Any) -> bool:
    try:
        validate_server_result(record["method"], record["version"], result)
    except ValidationError:
        return False
    return True


def test_what_real_servers_answered_is_valid_to_both_and_no_rule_calls_it_an_error() -> None:
    assert {record["version"] for record in RECORDED} == set(KNOWN)
    assert {record["method"] for record in RECORDED} == set(DEFINITIONS)
    for record in RECORDED:
        assert (ours(record, record["result"]), theirs(record, record["result"])) == (True, True), record
        era = Era.MODERN if record["version"] in MODERN else Era.LEGACY
        reply = Reply(200, {}, None, "application/json", "", {"jsonrpc": "2.0", "id": 1, "result": record["result"]})
        assert check_reply(record["method"], era, record["version"], reply, wanted_id=1) == [], record


@pytest.mark.parametrize("version", KNOWN)
def test_the_same_verdict_on_every_answer_with_any_one_thing_wrong(version: str) -> None:
    differing, explained = [], set()
    for record in (each for each in RECORDED if each["version"] == version):
        for path in places(record["result"]):
            for wrong in WRONG:
                result = with_wrong(record["result"], path, wrong)
                mine, other = ours(record, result), theirs(record, result)
                if mine == other:
                    continue
                reasons = [reason for reason, holds in EXPLAINED.items() if holds(path, wrong)]
                explained |= set(reasons)
                if mine or not reasons:
                    differing.append((record["server"], record["method"], path, wrong, mine))
    assert differing == []
    assert explained


def test_what_is_committed_is_what_the_generator_gives() -> None:
    command = [sys.executable, str(ROOT / "scripts/schemas.py"), "--offline", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_every_schema_says_where_it_came_from() -> None:
    origins = json.loads((SCHEMAS / "PROVENANCE.json").read_text())
    assert set(origins) == {path.stem for path in SCHEMAS.glob("*.json")} - {"PROVENANCE"}
    assert set(KNOWN) < set(origins)
    for origin in origins.values():
        assert {"package", "version"} <= set(origin) or origin["derived_from"] in origins


def test_no_schema_of_ours_refers_to_anything_outside_itself() -> None:
    for path in SCHEMAS.glob("*.json"):
        text = path.read_text()
        assert text.count('"$ref": "#/definitions/') == text.count('"$ref": "')
    assert 'uniqueItems": true' not in (SCHEMAS / "dialect-2020-12.json").read_text()


def test_the_terse_validators_judge_as_the_generator_itself_does() -> None:
    for version in KNOWN:
        schema = json.loads((SCHEMAS / f"{version}.json").read_text())
        root = {"$schema": "http://json-schema.org/draft-07/schema#", **schema, "$ref": "#/definitions/ListToolsResult"}
        whole = fastjsonschema.compile(root, use_default=False, use_formats=False)
        (record,) = [each for each in RECORDED if (each["version"], each["method"]) == (version, "tools/list")][:1]
        for path in places(record["result"]):
            for wrong in WRONG:
                result = with_wrong(record["result"], path, wrong)
                try:
                    whole(result)
                    valid = True
                except fastjsonschema.JsonSchemaValueException:
                    valid = False
                assert ours(record, result) == valid, (version, path, wrong)


def test_an_error_names_the_place_and_the_want() -> None:
    tool = {"name": "n", "inputSchema": {"type": "object", "properties": {"a": 3}}}
    assert shape_error("2025-06-18", "Tool", tool, "tool n") == "tool n.inputSchema.properties.a must be object"
    assert shape_error("2025-06-18", "Tool", {}, "tool n") == "tool n must contain inputSchema, name"
    assert shape_error("2025-06-18", "DiscoverResult", {}, "result") is None
    assert shape_error(None, "Tool", {}, "tool n") == shape_error("2025-11-25", "Tool", {}, "tool n")


def test_a_value_nested_beyond_python_is_an_error_not_a_crash() -> None:
    deep: Any = True
    for _ in range(5000):
        deep = {"not": deep}
    for dialect in DIALECTS:
        assert dialect_error(dialect, deep, "inputSchema") == "inputSchema is nested too deeply"


def test_validators_are_loaded_when_first_asked_for() -> None:
    code = (
        "import sys, lookout.probe.rules as r\n"
        "assert not [m for m in sys.modules if '.rules.wire.' in m or m.startswith(('fastjsonschema', 'jsonschema'))]\n"
        "r.check_tools('2025-06-18', None, [{}])\n"
        "assert [m for m in sys.modules if '.rules.wire.' in m] == ['lookout.probe.rules.wire.v2025_06_18']\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert shapes.__doc__
