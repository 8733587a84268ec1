"""Tools, one by one: the invalid are reported, those without a name left out, and no list is blanked.

Measured on the development machine, 30 tools, 122 KB: check_tools 0.4 ms (handshake versions) and 1.0 ms (2026-07-28,
which also walks the schemas), check_reply 0.01 ms, check_inner_schemas 13 ms; parsing the same list takes 1.6 ms.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError
from lookout.probe.result import Era
from lookout.probe.rules import check_inner_schemas, check_tools
from lookout.probe.rules.positions import members
from mcp.shared.inbound import find_invalid_x_mcp_header

NEW, MIDDLE, OLD = "2026-07-28", "2025-11-25", "2025-03-26"
GOOD: dict[str, Any] = {"name": "good", "description": "Does good.", "inputSchema": {"type": "object"}}


def tool(**fields: Any) -> dict[str, Any]:
    return {key: value for key, value in {**GOOD, **fields}.items() if value is not ...}


def schema(**keywords: Any) -> dict[str, Any]:
    return {"type": "object", **keywords}


def check(*tools: Any, version: str | None = NEW, order: tuple[str, ...] = ()) -> tuple[list[str], list[str]]:
    era = Era.MODERN if version == NEW else Era.LEGACY
    kept, findings = check_tools(version, era, tools, order)
    return [each["name"] for each in kept], [f"{each.rule} {each.severity}" for each in findings]


def header(value: Any = "Region", kind: Any = "string", **more: Any) -> dict[str, Any]:
    return schema(properties={"a": {"type": kind, "x-mcp-header": value, **more}})


SHAPELESS = {
    "null": None,
    "text": "search",
    "a list": [],
    "no name": tool(name=...),
    "a name of number": tool(name=3),
    "a schema of text": tool(name="bad", inputSchema="object"),
    "a schema of a list": tool(name="bad", inputSchema=[7]),
    "a schema of another type": tool(name="bad", inputSchema={"type": "string"}),
    "a schema without type": tool(name="bad", inputSchema={}),
    "description of number": tool(name="bad", description=3),
    "annotations of text": tool(name="bad", annotations="readOnly"),
    "a hint of text": tool(name="bad", annotations={"readOnlyHint": "yes"}),
}


@pytest.mark.parametrize("version", ["2025-03-26", "2025-06-18", MIDDLE, NEW, None, "2031-01-01"])
@pytest.mark.parametrize("name", SHAPELESS)
def test_one_shapeless_tool_does_not_blank_the_list(name: str, version: str | None) -> None:
    named = isinstance(SHAPELESS[name], dict) and isinstance(SHAPELESS[name].get("name"), str)
    kept = ["good", "bad"] if named else ["good"]
    assert check(GOOD, SHAPELESS[name], version=version) == (kept, ["TOOL-SCHEMA error"])


def test_2024_11_05_has_no_annotations_to_be_wrong() -> None:
    assert check(tool(annotations="readOnly"), version="2024-11-05") == (["good"], [])
    assert check(tool(inputSchema={"type": "string"}), version="2024-11-05") == (["good"], ["TOOL-SCHEMA error"])


@pytest.mark.parametrize("fields", [{"inputSchema": None}, {"inputSchema": ...}])
def test_a_tool_without_input_schema(fields: dict[str, Any]) -> None:
    for version, rule in (
        (NEW, "TOOL-INPUT-NULL error"),
        (MIDDLE, "TOOL-INPUT-NULL error"),
        (OLD, "TOOL-SCHEMA error"),
    ):
        assert check(tool(name="bad", **fields), GOOD, version=version) == (["bad", "good"], [rule])


ODD: dict[str, tuple[dict[str, Any], str]] = {
    "a name with a space": (tool(name="a b"), "TOOL-NAME warning"),
    "a name with a slash": (tool(name="a/b"), "TOOL-NAME warning"),
    "an empty name": (tool(name=""), "TOOL-NAME warning"),
    "a name of 129": (tool(name="a" * 129), "TOOL-NAME warning"),
    "a name with a line break": (tool(name="a\n"), "TOOL-NAME warning"),
    "no description": (tool(description=...), "TOOL-NO-DESCRIPTION info"),
    "a blank description": (tool(description=" \n"), "TOOL-NO-DESCRIPTION info"),
    "a requirement nobody describes": (
        tool(inputSchema=schema(properties={"a": {}}, required=["a", "b"])),
        "TOOL-REQUIRED-UNDEFINED info",
    ),
    "a reference to the network": (
        tool(inputSchema=schema(properties={"a": {"$ref": "HTTPS://evil.example/a.json"}})),
        "TOOL-REF-NETWORK warning",
    ),
    "a reference without scheme": (
        tool(outputSchema={"allOf": [{"$ref": "//evil.example/a.json"}]}),
        "TOOL-REF-NETWORK warning",
    ),
    "a dialect of the network": (
        tool(inputSchema=schema(**{"$schema": "https://evil.example/dialect"})),
        "TOOL-REF-NETWORK warning",
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_what_keeps_no_client_from_using_a_tool(name: str) -> None:
    odd, expected = ODD[name]
    assert check(odd) == ([odd["name"]], [expected])


@pytest.mark.parametrize(
    "sound",
    [
        tool(name="a" * 128),
        tool(name="A-z_0.9"),
        tool(inputSchema=schema(**{"$schema": "http://json-schema.org/draft-07/schema#"})),
        tool(inputSchema=schema(**{"$schema": "https://json-schema.org/draft/2020-12/schema"})),
        tool(inputSchema=schema(properties={"a": {"$ref": "#/$defs/a"}}, **{"$defs": {"a": {}}})),
        tool(inputSchema=schema(properties={"$ref": {"type": "string"}}, required=["$ref"])),
        tool(inputSchema=schema(default={"$ref": "https://data.example/"}, properties={"x-mcp-header": {}})),
        tool(inputSchema=header()),
        tool(inputSchema=schema(required=[])),
        tool(outputSchema={"type": "object"}, annotations={"title": "t", "readOnlyHint": True}, _meta={"x": 1}),
    ],
)
def test_sound_tools_give_no_finding(sound: dict[str, Any]) -> None:
    assert check(sound) == ([sound["name"]], [])


def test_names_are_free_before_2025_11_25_and_schemas_before_2026_07_28() -> None:
    odd = tool(name="a b", inputSchema=header(value="no token", kind="number", **{"$ref": "https://evil.example/"}))
    assert check(odd, version=OLD) == (["a b"], [])


HEADERS = [
    header(),
    header(kind="integer"),
    header(kind="boolean"),
    header(kind="number"),
    header(kind=["string", "null"]),
    header(kind=None),
    header(value="no token"),
    header(value=""),
    header(value=7),
    header(value=None),
    header(value="a:b"),
    schema(**{"x-mcp-header": "Root"}),
    schema(properties={"a": {"items": header()}}),
    schema(properties={"a": {"properties": {"b": {"type": "string", "x-mcp-header": "Deep"}}}}),
    schema(allOf=[header()]),
    schema(anyOf=[{"properties": {"a": {"type": "string", "x-mcp-header": "A"}}}]),
    schema(**{"$defs": {"a": {"type": "string", "x-mcp-header": "A"}}}),
    schema(
        properties={"a": {"type": "string", "x-mcp-header": "Same"}, "b": {"type": "string", "x-mcp-header": "same"}}
    ),
    schema(properties={"a": {"type": "string", "default": {"x-mcp-header": "data"}}}),
    schema(examples=[{"x-mcp-header": "data"}], const={"x-mcp-header": 1}, enum=[{"x-mcp-header": 1}]),
    schema(properties={"x-mcp-header": {"type": "string"}}),
    schema(properties={"properties": {"type": "string", "x-mcp-header": "Named"}}),
    schema(dependentSchemas={"a": header()}),
    schema(patternProperties={"a": {"type": "string", "x-mcp-header": "A"}}),
    schema(prefixItems=[{"x-mcp-header": "A"}]),
    schema(**{"if": {"x-mcp-header": "A"}}),
]


@pytest.mark.parametrize("annotated", HEADERS, ids=json.dumps)
def test_header_annotations_are_judged_as_the_official_sdk_judges_them(annotated: dict[str, Any]) -> None:
    wrong = find_invalid_x_mcp_header(annotated) is not None
    expected = ([], ["TOOL-X-MCP-HEADER warning"]) if wrong else (["good"], [])
    assert check(tool(inputSchema=annotated)) == expected


def test_names_that_are_there_twice_and_tools_in_another_order() -> None:
    one, two = tool(name="one"), tool(name="two")
    assert check(one, two, one) == (["one", "two", "one"], ["TOOL-DUP-NAME warning"])
    assert check(two, one, order=("one", "two")) == (["two", "one"], ["M-ORDER info"])
    assert check(one, two, order=("one", "two")) == (["one", "two"], [])
    assert check(one, order=("one", "two")) == (["one"], [])
    assert check(two, one, order=("one", "two"), version=MIDDLE) == (["two", "one"], [])


def test_a_thousand_faults_are_one_finding_of_each_rule_that_says_how_many() -> None:
    names, findings = check(*[tool(name=f"a b{i}", description="") for i in range(1000)], None)
    assert len(names) == 1000
    assert findings == ["TOOL-NAME warning", "TOOL-NO-DESCRIPTION info", "TOOL-SCHEMA error"]
    _, found = check_tools(NEW, Era.MODERN, [tool(name=f"t{i}", description="") for i in range(1000)])
    assert found[0].message == "t0; t1; t2; and 997 more"


def test_names_that_attack_a_terminal_are_quoted() -> None:
    _, found = check_tools(NEW, Era.MODERN, [tool(name="\x1b[31m" + "x" * 10_000)])
    assert found[0].message.isprintable()
    assert len(found[0].message) <= 300


def inner(*schemas: Any, version: str = NEW) -> list[str]:
    tools = [tool(inputSchema=each) for each in schemas]
    return [each.rule for each in check_inner_schemas(version, Era.MODERN, tools)]


INNER = [
    {"type": "object"},
    {"type": "objekt"},
    {"type": ["string", "null"]},
    {"type": []},
    {"type": 3},
    {"type": "object", "properties": []},
    {"type": "object", "properties": {"a": 3}},
    {"type": "object", "properties": {"a": True}},
    {"type": "object", "properties": {"a": {"type": "strin"}}},
    {"type": "object", "properties": {"a": {"type": "string", "required": True}}},
    {"type": "object", "required": "a"},
    {"type": "object", "required": [1]},
    {"type": "object", "minProperties": -1},
    {"type": "object", "minProperties": 1.0},
    {"type": "object", "additionalProperties": {"enum": "a"}},
    {"allOf": []},
    {"anyOf": [{"not": {"if": 3}}]},
    {"items": [{"type": "string"}]},
    {"prefixItems": [{"type": "string"}]},
    {"multipleOf": 0},
    {"exclusiveMinimum": True},
    {"description": 3},
    {"title": {}, "type": "object"},
    {"$defs": {"a": {"type": "nope"}}},
    {"definitions": {"a": {"type": "nope"}}},
    {"dependencies": {"a": ["b"], "c": {"type": "string"}}},
    {"dependencies": {"a": 3}},
    {"dependentRequired": {"a": "b"}},
    {"$anchor": "1x"},
    {"$id": "http://x/#y"},
    {"const": {"type": "nope"}, "default": [], "examples": [1], "enum": []},
    {"deprecated": 1},
    {"format": 1},
    {"unevaluatedProperties": 7},
]
DIALECTS = {
    None: Draft202012Validator,
    "https://json-schema.org/draft/2020-12/schema": Draft202012Validator,
    "http://json-schema.org/draft-07/schema#": Draft7Validator,
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("each", INNER, ids=json.dumps)
def test_inner_schemas_are_judged_as_jsonschema_judges_them(each: dict[str, Any], dialect: str | None) -> None:
    whole = each | ({} if dialect is None else {"$schema": dialect})
    try:
        DIALECTS[dialect].check_schema(whole, format_checker=FormatChecker(formats=()))
        expected = []
    except SchemaError:
        expected = ["TOOL-INNER-SCHEMA"]
    assert inner(whole) == expected


def test_what_is_explained_differently_from_jsonschema() -> None:
    """`uniqueItems` of the metaschema is not asked for (quadratic time on hostile numbers), patterns are not compiled
    (ECMA 262 is not Python's, and they come from the server), and another dialect than the two is not judged.
    """
    assert inner({"required": ["a", "a"]}, {"pattern": "("}) == []
    assert inner({"$schema": "http://json-schema.org/draft-04/schema#", "type": 3}) == []
    assert inner({"$schema": 3, "type": 3}) == []
    assert inner({"type": "nope"}, version=OLD) == []


def test_an_inner_schema_beyond_the_limits_is_not_judged() -> None:
    deep: Any = {"type": "nope"}
    for _ in range(3000):
        deep = {"properties": {"a": deep}}
    wide = {"properties": {str(i): {"type": "nope"} for i in range(30_000)}}
    assert inner(deep, wide) == []
    colliding = {"required": [i * (2**61 - 1) for i in range(19_000)]}
    assert inner(colliding) == ["TOOL-INNER-SCHEMA"]


def test_depth_and_members_are_counted() -> None:
    assert members({"a": {"b": 1}}, 2, 9) == 2
    assert members({"a": {"b": [1]}}, 2, 9) is None
    assert members({"a": {"b": []}}, 2, 9) == 2
    assert members([1, 2, 3], 9, 2) is None
    assert members("text", 1, 1) == 0


def test_of_a_list_without_end_the_first_are_judged_and_all_are_kept() -> None:
    names, findings = check(*[tool(name=f"t{i}") for i in range(2000)], *[tool(name="a b")] * 3, None)
    assert len(names) == 2003
    assert findings == ["TOOL-DUP-NAME warning"]
    required = [f"p{i}" for i in range(5000)]
    _, found = check_tools(NEW, Era.MODERN, [tool(inputSchema=schema(required=required))])
    assert found[0].message == "tool good: p0, p1, p2, and 997 more"
    wide = {"properties": {str(i): {"type": "string"} for i in range(9_000)}}
    wrong = {**wide, "type": "nope"}
    assert inner(wrong) == ["TOOL-INNER-SCHEMA"]
    assert inner(wide, wide, wide, wrong) == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "name",
                    "inputSchema",
                    "outputSchema",
                    "type",
                    "properties",
                    "required",
                    "$ref",
                    "$schema",
                    "items",
                    "_meta",
                    "x-mcp-header",
                    "allOf",
                    "description",
                    "annotations",
                    "title",
                    "icons",
                    "execution",
                    "$defs",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@given(st.lists(json_values, max_size=4), st.sampled_from([OLD, MIDDLE, NEW, None, "2024-11-05", "x"]))
def test_nothing_raises_whatever_a_tool_is(tools: list[Any], version: str | None) -> None:
    for era in (None, *Era):
        kept, findings = check_tools(version, era, tools)
        findings = findings + check_inner_schemas(version, era, kept)
        assert all(isinstance(each["name"], str) for each in kept)
        assert all(len(each.message) <= 300 and each.message.isprintable() for each in findings)
        check_inner_schemas(version, era, [each for each in tools if isinstance(each, dict)])
