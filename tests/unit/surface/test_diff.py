from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from lookout.surface.changes import KINDS, Class, Side
from lookout.surface.diff import CHANGES_LIMIT, NAMES_LIMIT, diff, unreadable
from lookout.surface.items import PROMPT, RESOURCE, TOOL
from lookout.surface.model import Surface, surface_of
from lookout.surface.schema_diff import schema_changes

OBJECT = {"type": "object", "properties": {"q": {"type": "string"}, "n": {"type": "integer"}}, "required": ["q"]}


def surface(*tools: dict[str, Any], **lists: Any) -> Surface:
    made = surface_of(tools, **lists)
    assert made is not None
    return made


def tool(schema: Any = OBJECT, name: str = "search", **more: Any) -> dict[str, Any]:
    return {"name": name, "description": "Search", "inputSchema": schema, **more}


def within(schema: dict[str, Any]) -> dict[str, Any]:
    """`schema` as the parameter `q`."""
    return {"type": "object", "properties": {"q": schema}}


def told(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str, str]]:
    found = diff(surface(old), surface(new))
    return [(c.path, c.kind, c.cls.value) for one in found.changed for c in one.changes]


# (before, after, kind, class as an input, class as an output): one line per row of the published table and its inverse.
TABLE: list[tuple[dict[str, Any], dict[str, Any], str, str, str]] = [
    (OBJECT, {**OBJECT, "required": ["q", "n"]}, "required_added", "breaking", "additive"),
    (OBJECT, {**OBJECT, "required": []}, "required_removed", "additive", "breaking"),
    (within({"type": ["string", "null"]}), within({"type": "string"}), "type_narrowed", "breaking", "additive"),
    (within({"type": "string"}), within({"type": ["string", "null"]}), "type_widened", "additive", "breaking"),
    (within({"type": "string"}), within({}), "type_widened", "additive", "breaking"),
    (within({"type": "integer"}), within({"type": "number"}), "type_widened", "additive", "breaking"),
    (within({"type": "number"}), within({"type": "integer"}), "type_narrowed", "breaking", "additive"),
    (within({"type": "string"}), within({"type": "integer"}), "type_changed", "breaking", "breaking"),
    (within({"enum": ["a", "b"]}), within({"enum": ["a"]}), "enum_value_removed", "breaking", "additive"),
    (within({"enum": ["a"]}), within({"enum": ["a", "b"]}), "enum_value_added", "additive", "breaking"),
    (within({"const": 1}), within({"enum": [1.0, 2]}), "enum_value_added", "additive", "breaking"),
    (within({}), within({"const": 1}), "values_limited", "breaking", "additive"),
    (within({"enum": [1]}), within({}), "values_freed", "additive", "breaking"),
    (within({"minimum": 1}), within({"minimum": 2}), "bound_tightened", "breaking", "additive"),
    (within({"maxLength": 9}), within({"maxLength": 8}), "bound_tightened", "breaking", "additive"),
    (within({}), within({"maxItems": 8}), "bound_tightened", "breaking", "additive"),
    (within({"exclusiveMaximum": 2**60}), within({}), "bound_loosened", "additive", "breaking"),
    (within({"minLength": 9}), within({"minLength": 8}), "bound_loosened", "additive", "breaking"),
    (within({}), within({"pattern": "^a"}), "constraint_added", "breaking", "additive"),
    (within({"format": "uri"}), within({}), "constraint_removed", "additive", "breaking"),
    (within({"pattern": "^a"}), within({"pattern": "^b"}), "constraint_changed", "unknown", "unknown"),
    (within({}), within({"uniqueItems": True}), "constraint_added", "breaking", "additive"),
    (within({"uniqueItems": True}), within({"uniqueItems": False}), "constraint_removed", "additive", "breaking"),
    (OBJECT, {**OBJECT, "additionalProperties": False}, "additional_closed", "breaking", "additive"),
    ({**OBJECT, "additionalProperties": False}, OBJECT, "additional_opened", "additive", "breaking"),
    (
        within({"type": "array"}),
        within({"type": "array", "items": False}),
        "schema_forbids_all",
        "breaking",
        "breaking",
    ),
    (within({"items": False}), within({"items": {"minimum": 1}}), "schema_allows_all", "additive", "breaking"),
    (
        within({"items": {"type": "number"}}),
        within({"items": {"type": "integer"}}),
        "type_narrowed",
        "breaking",
        "additive",
    ),
    (
        within({"prefixItems": [{}, {"enum": [1]}]}),
        within({"prefixItems": [{}, {"enum": [1, 2]}]}),
        "enum_value_added",
        "additive",
        "breaking",
    ),
    (
        within({"additionalProperties": {"type": "string"}}),
        within({"additionalProperties": {"type": "integer"}}),
        "type_changed",
        "breaking",
        "breaking",
    ),
    (
        within({"patternProperties": {"a": {}}}),
        within({"patternProperties": {"a": {"minimum": 1}}}),
        "bound_tightened",
        "breaking",
        "additive",
    ),
    (OBJECT, {**OBJECT, "properties": {"q": {"type": "string"}}}, "property_removed", "risky", "breaking"),
    (
        {**OBJECT, "additionalProperties": False},
        {**OBJECT, "additionalProperties": False, "properties": {"q": {"type": "string"}}},
        "property_forbidden",
        "breaking",
        "breaking",
    ),
    (OBJECT, {**OBJECT, "properties": {**OBJECT["properties"], "x": {}}}, "property_added", "additive", "additive"),
    (within({"$ref": "#/$defs/a"}), within({"$ref": "#/$defs/b"}), "reference_changed", "unknown", "unknown"),
    (within({"anyOf": [{}]}), within({"anyOf": [{}, {"type": "null"}]}), "combinator_changed", "unknown", "unknown"),
    (within({"not": {"const": 1}}), within({}), "combinator_changed", "unknown", "unknown"),
    (within({"contains": {}}), within({"contains": {"minimum": 1}}), "keyword_changed", "unknown", "unknown"),
    (within({"minimum": 1, "exclusiveMinimum": True}), within({"minimum": 1}), "keyword_changed", "unknown", "unknown"),
    (within({"type": 7}), within({"type": "string"}), "keyword_changed", "unknown", "unknown"),
    (within({"enum": "abc"}), within({"enum": ["abc"]}), "keyword_changed", "unknown", "unknown"),
    (within({"uniqueItems": "yes"}), within({}), "keyword_changed", "unknown", "unknown"),
    ({"properties": [1]}, {"properties": {}}, "keyword_changed", "unknown", "unknown"),
    (within({"items": [{}]}), within({"items": [{}, {}]}), "keyword_changed", "unknown", "unknown"),
    (within({"patternProperties": {"a": {}}}), within({}), "keyword_changed", "unknown", "unknown"),
    ({"$defs": {"a": {}}}, {"$defs": {}}, "definition_changed", "unknown", "unknown"),
    ({"$defs": 1}, {"$defs": {}}, "definition_changed", "unknown", "unknown"),
    (within({"items": 7}), within({"items": 8}), "schema_unreadable", "unknown", "unknown"),
    (within({"deprecated": True}), within({}), "deprecated_changed", "risky", "risky"),
    (within({"default": 1}), within({"default": 2}), "default_changed", "risky", "risky"),
    (within({"description": "a"}), within({"description": "b"}), "description_changed", "risky", "risky"),
    (within({"anyOf": [{}]}), within({"anyOf": [{"description": "b"}]}), "description_changed", "risky", "risky"),
    (within({"title": "a"}), within({}), "title_changed", "cosmetic", "cosmetic"),
    (within({"examples": [1]}), within({"examples": [2]}), "examples_changed", "cosmetic", "cosmetic"),
    (within({}), within({"$comment": "b"}), "comment_changed", "cosmetic", "cosmetic"),
]


@pytest.mark.parametrize(("before", "after", "kind", "as_input", "as_output"), TABLE)
def test_the_table(before: Any, after: Any, kind: str, as_input: str, as_output: str) -> None:
    assert [(k, c) for _, k, c in told(tool(before), tool(after))] == [(kind, as_input)]
    base = tool()
    found = told({**base, "outputSchema": before}, {**base, "outputSchema": after})
    assert [(k, c) for _, k, c in found] == [(kind, as_output)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {"title": "Search"}, [("/title", "title_changed", "cosmetic")]),
        ({}, {"icons": [{"src": "x"}]}, [("/icons", "icons_changed", "cosmetic")]),
        ({"description": "a"}, {"description": "b"}, [("/description", "description_changed", "risky")]),
        ({}, {"outputSchema": {}}, [("/outputSchema", "output_schema_added", "additive")]),
        ({"outputSchema": {}}, {}, [("/outputSchema", "output_schema_removed", "breaking")]),
        ({}, {"execution": {"taskSupport": "required"}}, [("/execution", "field_changed", "unknown")]),
        (
            {"annotations": {"readOnlyHint": True}},
            {"annotations": {"readOnlyHint": False}},
            [("/annotations/readOnlyHint", "hint_changed", "risky")],
        ),
        ({}, {"annotations": {"destructiveHint": False}}, [("/annotations/destructiveHint", "hint_changed", "risky")]),
        ({}, {"annotations": {"openWorldHint": True}}, [("/annotations/openWorldHint", "hint_stated", "cosmetic")]),
        ({}, {"annotations": {"title": "S"}}, [("/annotations/title", "title_changed", "cosmetic")]),
        ({}, {"annotations": {"speedHint": 1}}, [("/annotations/speedHint", "field_changed", "unknown")]),
        ({"annotations": 7}, {}, [("/annotations", "field_changed", "unknown")]),
        ({}, {"_meta": {"x": 1}}, []),
    ],
)
def test_the_rest_of_a_tool(before: Any, after: Any, expected: Any) -> None:
    base = {"name": "search", "inputSchema": OBJECT}
    assert told({**base, **before}, {**base, **after}) == expected


def test_added_and_removed_items_of_every_kind() -> None:
    old = surface(tool(), resources=[{"uri": "a:b", "name": "b"}], prompts=[{"name": "p"}], resource_templates=[])
    new = surface(tool(name="find"), resources=[], prompts=[], resource_templates=[{"uriTemplate": "a:{x}"}])
    found = diff(old, new)
    assert (found.cls, found.changed) == (Class.BREAKING, ())
    assert found.added == ("find", "template:a:{x}")
    assert found.removed == ("search", "resource:a:b", "prompt:p")
    assert (found.old_hash, found.new_hash) == (f"sha256:{old.hashes.full}", f"sha256:{new.hashes.full}")
    only = diff(surface(resources=[{"uri": "a:b"}]), surface(resources=[]))
    assert only.cls is Class.RISKY


def test_a_list_that_was_not_asked_for_is_not_compared() -> None:
    assert diff(surface(tool(), prompts=[{"name": "p"}]), surface(tool())).empty


def test_prompts_and_resources() -> None:
    def prompt(*arguments: Any, **more: Any) -> Surface:
        return surface(prompts=[{"name": "p", "arguments": list(arguments), **more}])

    def kinds(old: Surface, new: Surface) -> list[tuple[str, str, str]]:
        return [(c.path, c.kind, c.cls.value) for c in diff(old, new).changed[0].changes]

    a, must = {"name": "a"}, {"name": "a", "required": True}
    assert kinds(prompt(), prompt(a)) == [("/arguments/a", "argument_added", "additive")]
    assert kinds(prompt(), prompt(must)) == [("/arguments/a", "argument_required", "breaking")]
    assert kinds(prompt(a), prompt(must)) == [("/arguments/a", "argument_required", "breaking")]
    assert kinds(prompt(must), prompt(a)) == [("/arguments/a", "argument_optional", "additive")]
    assert kinds(prompt(a), prompt()) == [("/arguments/a", "argument_removed", "risky")]
    assert kinds(prompt(a), prompt({**a, "description": "x"})) == [
        ("/arguments/a/description", "description_changed", "risky")
    ]
    assert kinds(prompt(a, a), prompt(a)) == [("/arguments", "field_changed", "unknown")]
    assert kinds(prompt(), prompt(title="x")) == [("/title", "title_changed", "cosmetic")]

    def resource(**more: Any) -> Surface:
        return surface(resources=[{"uri": "a:b", "name": "b", **more}])

    assert kinds(resource(), resource(mimeType="a/b")) == [("/mimeType", "mime_type_changed", "risky")]
    assert kinds(resource(), resource(name="c")) == [("/name", "name_changed", "cosmetic")]
    assert kinds(resource(), resource(annotations={"priority": 1})) == [("/annotations", "field_changed", "unknown")]


def test_a_property_that_was_asked_for_without_a_schema_is_narrowed_by_one() -> None:
    old = {"required": ["x"], "properties": {}}
    assert [k for _, k, _ in told(tool(old), tool({**old, "properties": {"x": {"type": "string"}}}))] == [
        "type_narrowed",
        "property_added",
    ]
    mapped = {"additionalProperties": {"type": "string"}}
    assert ("/inputSchema/properties/x/type", "type_changed", "breaking") in told(
        tool(mapped), tool({**mapped, "properties": {"x": {"type": "integer"}}})
    )


def test_a_definition_counts_as_what_refers_to_it_unless_it_is_turned_around() -> None:
    def schema(target: Any, use: Any) -> dict[str, Any]:
        return {"properties": {"x": use}, "$defs": {"A": target}}

    used, negated = {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]}, {"not": {"$ref": "#/$defs/A"}}
    wide, narrow = {"type": ["string", "null"]}, {"type": "string"}
    path = "/inputSchema/$defs/A/type"
    assert told(tool(schema(wide, used)), tool(schema(narrow, used))) == [(path, "type_narrowed", "breaking")]
    assert told(tool(schema(narrow, used)), tool(schema(wide, used))) == [(path, "type_widened", "additive")]
    assert told(tool(schema(narrow, negated)), tool(schema(wide, negated))) == [(path, "type_widened", "unknown")]


def test_a_schema_that_changed_everywhere_says_so_and_no_more() -> None:
    old = {"properties": {f"p{n}": {"type": "string", "title": "a"} for n in range(3000)}}
    new = {"properties": {f"p{n}": {"type": ["string", "null"], "title": "b"} for n in range(3000)}}
    found = told(tool(old), tool(new))
    assert len(found) == 2001
    assert found[0][1:] == ("schema_unreadable", "unknown")
    long = [str(n) for n in range(1001)]
    assert told(tool(within({"enum": long})), tool(within({"enum": long[1:]}))) == [
        ("/inputSchema/properties/q/enum", "keyword_changed", "unknown")
    ]


def test_names_used_twice_lose_no_tool() -> None:
    one, two = tool(description="one"), tool(description="two")
    assert diff(surface(one, two), surface(two, one)).empty
    assert diff(surface(one, two), surface(one)).removed == ("search (2)",)


def test_pointers_are_escaped() -> None:
    assert told(tool(within({"properties": {"a/~": {"minimum": 1}}})), tool(within({"properties": {"a/~": {}}})))[0][
        0
    ].endswith("/a~1~0/minimum")


def test_the_json_of_a_drift_is_bounded_and_says_what_is_left_out() -> None:
    old = surface(*[tool(name=f"t{i}", description="x") for i in range(60)])
    new = surface(
        *[tool({}, name=f"t{i}", description="y") for i in range(60)], *[tool(name=f"n{i}") for i in range(90)]
    )
    found = diff(old, new)
    data = found.to_json()
    assert len(data["added"]) == NAMES_LIMIT
    assert sum(len(one["changes"]) for one in data["changed"]) == CHANGES_LIMIT
    total = len(found.added) + sum(len(one.changes) for one in found.changed)
    assert data["more"] == total - NAMES_LIMIT - CHANGES_LIMIT
    assert len(json.dumps(data)) < 20_000
    name = "n" * 10_000
    assert len(json.dumps(diff(surface(), surface(tool(name=name))).to_json())) < 1000
    assert "more" not in diff(old, old).to_json()


def test_what_cannot_be_read_is_unknown() -> None:
    found = unreadable("sha256:a", "sha256:b")
    assert found.empty
    assert found.to_json()["class"] == "unknown"


def test_every_kind_of_the_table_is_reported_somewhere_here() -> None:
    source = __import__("pathlib").Path(__file__).read_text()
    reported = {kind for kind in KINDS if f'"{kind}"' in source}
    others = {f"{kind.name}_{verb}" for kind in (TOOL, RESOURCE, PROMPT) for verb in ("added", "removed")}
    others |= {"template_added", "template_removed", "property_unclear", "item_changed"}
    assert set(KINDS) == reported | others


NAMES = st.sampled_from(["a", "b", "c"])
VALUES = st.sampled_from([None, True, 0, 1, 2.5, -7, "", "a", "abc", 2**60])


def schema_strategy() -> st.SearchStrategy[Any]:
    def nodes(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.fixed_dictionaries(
            {},
            optional={
                "type": st.sampled_from(["string", "number", "integer", "object", "array", ["string", "null"], []]),
                "enum": st.lists(VALUES, min_size=1, max_size=3),
                "const": VALUES,
                "minimum": st.integers(-3, 3),
                "exclusiveMaximum": st.integers(-3, 3),
                "minLength": st.integers(0, 3),
                "maxItems": st.integers(0, 2),
                "maxProperties": st.integers(0, 2),
                "pattern": st.sampled_from(["a", "^$"]),
                "uniqueItems": st.booleans(),
                "required": st.lists(NAMES, unique=True, max_size=2),
                "properties": st.dictionaries(NAMES, inner, max_size=2),
                "additionalProperties": inner,
                "patternProperties": st.dictionaries(st.sampled_from(["a", "^b"]), inner, max_size=1),
                "propertyNames": inner,
                "unevaluatedProperties": inner,
                "items": inner,
                "prefixItems": st.lists(inner, min_size=1, max_size=2),
                "contains": inner,
                "not": inner,
                "anyOf": st.lists(inner, min_size=1, max_size=2),
                "oneOf": st.lists(inner, min_size=1, max_size=2),
                "if": inner,
                "then": inner,
                "$ref": st.sampled_from(["#/$defs/A", "#/$defs/B"]),
            },
        )

    return st.recursive(st.booleans() | st.just({}), nodes, max_leaves=8)


SCHEMA = schema_strategy()
ROOT = st.tuples(SCHEMA, SCHEMA, SCHEMA).map(
    lambda three: {**(three[0] if isinstance(three[0], dict) else {}), "$defs": {"A": three[1], "B": three[2]}}
)
INSTANCES: list[Any] = [
    *(None, True, 0, 1, 2, 2.5, -7, "", "a", "b", "abc", 2**60, {}, [], [1], [1, 1], ["a", None], [{}, 0, "abc"]),
    *({"a": 1}, {"a": "a"}, {"b": None}, {"a": {}, "b": []}, {"a": {"a": 1}}, {"c": "abc", "a": [1]}, {"b": {"c": 0}}),
]
OPEN = {"property_added"}
"""The one narrowing that is called additive: a new optional parameter of an object that took anything."""


def _valid(schema: Any) -> list[bool] | None:
    """Which instances a schema admits, as a validator of the field says; None where its references go in circles."""
    try:
        return [Draft202012Validator(schema).is_valid(instance) for instance in INSTANCES]
    except RecursionError:
        return None


def _mutated(schema: Any, rng: random.Random) -> Any:
    """The schema with one keyword, somewhere in it, dropped: most of its neighbours stay as they are."""
    if not isinstance(schema, dict) or not schema:
        return rng.choice([True, {}, {"type": "string"}, {"minimum": 1}])
    key = rng.choice(sorted(schema))
    inner = schema[key]
    if isinstance(inner, dict) and rng.random() < 0.8 and inner:
        name = rng.choice(sorted(inner))
        deeper = key in ("properties", "$defs", "patternProperties")
        return {**schema, key: {**inner, name: _mutated(inner[name], rng)} if deeper else _mutated(inner, rng)}
    if isinstance(inner, list) and inner and key != "type":
        return {**schema, key: inner[1:]}
    return {k: v for k, v in schema.items() if k != key or k == "$defs"}


@settings(max_examples=150, deadline=None)
@given(ROOT, ROOT, st.randoms(use_true_random=False), st.sampled_from(["other", "drop", "add"]))
def test_a_narrowing_is_never_called_additive(one: Any, other: Any, rng: random.Random, how: str) -> None:
    """Whenever a value is seen to be admitted before and refused after, no input change may be called harmless."""
    changed = _mutated(one, rng)
    old, new = {"other": (one, other), "drop": (one, changed), "add": (changed, one)}[how]
    before, after = _valid(old), _valid(new)
    if before is None or after is None:
        return
    harmless = {Class.ADDITIVE, Class.COSMETIC}
    for side, lost in ((Side.INPUT, (before, after)), (Side.OUTPUT, (after, before))):
        if any(was and not now for was, now in zip(*lost, strict=True)):
            changes = schema_changes(old, new, side, "")
            assert {c.kind for c in changes} & OPEN or {c.cls for c in changes} - harmless, (old, new, changes)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "required", "properties", "$defs", "enum", "items", "minimum"]), inner
        )
    ),
    max_leaves=10,
)


@settings(max_examples=300, deadline=None)
@given(JSON, JSON)
def test_never_raises_whatever_stands_there(old: Any, new: Any) -> None:
    for side in Side:
        schema_changes(old, new, side, "")
        assert not [
            c
            for c in schema_changes(old, json.loads(json.dumps(old)), side, "")
            if "nan" not in repr(old) and "inf" not in repr(old)
        ]


ITEM = st.dictionaries(
    st.sampled_from(["name", "uri", "description", "inputSchema", "outputSchema", "annotations", "arguments", "x"]),
    JSON,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(ITEM, max_size=3), st.lists(ITEM, max_size=3))
def test_a_surface_equals_itself_and_differs_where_its_hash_does(one: Any, other: Any) -> None:
    old, new = (surface_of(x, prompts=x, resources=x) for x in (one, other))
    if old is None or new is None:
        return
    assert diff(old, old).empty
    found = diff(old, new)
    assert found.empty == (old.hashes.full == new.hashes.full)
    assert found.cls in Class
    json.dumps(found.to_json())
