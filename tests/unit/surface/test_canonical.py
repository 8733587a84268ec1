from __future__ import annotations

import hashlib
import json
import random
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st
from lookout.errors import FormatError
from lookout.surface.canonical import BY_NAME, NESTED, UNORDERED, canonical, digest
from lookout.surface.items import KINDS, PROMPT, TOOL
from lookout.surface.model import ITEMS_LIMIT, Surface, hashes_of, item_hashes, surface_of, tools_hash

NAMES = st.sampled_from(["a", "b", "type", "required", "properties", "description", "title", "items", "enum", "$int"])
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5)
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)
ITEMS = st.lists(
    st.dictionaries(NAMES | st.sampled_from(["name", "inputSchema", "annotations", "_meta"]), JSON), max_size=4
)


def tool(name: str = "search", **more: Any) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {"q": {"type": ["string", "null"], "description": "What to look for", "enum": ["x", "y"]}},
        "required": ["q", "limit"],
    }
    return {"name": name, "description": "Search", "inputSchema": schema, **more}


def shuffled(value: Any, rng: random.Random, schema: bool = False) -> Any:
    """The same JSON with its keys, and where it is a schema its sets, in another order."""
    if isinstance(value, list):
        return [shuffled(v, rng, schema and isinstance(v, dict)) for v in value]
    if not isinstance(value, dict):
        return value
    out = {}
    for key, child in rng.sample(list(value.items()), len(value)):
        if schema and key in UNORDERED and isinstance(child, list):
            out[key] = rng.sample([shuffled(v, rng) for v in child], len(child))
        elif schema and key in BY_NAME and isinstance(child, dict):
            out[key] = {n: shuffled(child[n], rng, schema=True) for n in rng.sample(list(child), len(child))}
        else:
            out[key] = shuffled(child, rng, schema=schema and key in NESTED)
    return out


def shuffled_tool(one: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    order = rng.sample(list(one), len(one))
    return {
        k: shuffled(one[k], rng, schema=k in ("inputSchema", "outputSchema") and isinstance(one[k], dict))
        for k in order
    }


@settings(max_examples=100, deadline=None)
@given(ITEMS, st.randoms(use_true_random=False))
def test_reordering_never_changes_a_hash(tools: list[dict[str, Any]], rng: random.Random) -> None:
    other = [shuffled_tool(t, rng) for t in rng.sample(tools, len(tools))]
    assert hashes_of({"tools": other}) == hashes_of({"tools": tools})


def test_the_order_of_sets_counts_in_data_that_is_no_schema() -> None:
    ordered = {"inputSchema": {"properties": {"x": {"default": {"enum": [1, 2]}}}}}
    other = {"inputSchema": {"properties": {"x": {"default": {"enum": [2, 1]}}}}}
    assert tools_hash([ordered]) != tools_hash([other])


@settings(max_examples=100, deadline=None)
@given(JSON)
def test_different_values_have_different_bytes_and_equal_ones_the_same(value: Any) -> None:
    data = canonical(value)
    assert data is not None
    again = canonical(json.loads(json.dumps(value)))
    assert again == data
    assert canonical([value, 0]) != data


WIDE = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
SAFE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(-1e15, 1e15)
    | st.floats(1e-8, 1e-3)
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda f: not f.is_integer())
    | WIDE,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(WIDE.filter(lambda k: "int" not in k), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(SAFE)
def test_the_quick_way_writes_what_rfc_8785_says(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize(
    ("one", "other"),
    [(2**53, 2**53 + 1), (2**63 - 1, 2**63), (2**53, {"$int": str(2**53)}), (True, 1), (0, False), ("1", 1)],
)
def test_what_json_tells_apart_stays_apart(one: Any, other: Any) -> None:
    assert canonical(one) is not None
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), (-0.0, 0), (2**53, float(2**53)), (1e300, int(1e300))])
def test_what_json_holds_equal_is_equal(one: Any, other: Any) -> None:
    assert canonical(one) == canonical(other) is not None


def _deep(levels: int) -> Any:
    value: Any = 0
    for _ in range(levels):
        value = {"properties": value}
    return value


@pytest.mark.parametrize(
    "bad",
    [
        float("nan"),
        float("-inf"),
        "\ud800",
        {"\udfff": 1},
        10**5000,
        _deep(101),
        _deep(20_000),
        [[[_deep(99)]]],
        {1, 2},
    ],
    ids=["nan", "inf", "surrogate", "surrogate key", "5,001 digits", "101 deep", "20,000 deep", "lists", "no JSON"],
)
def test_what_has_no_canonical_form_has_no_hash(bad: Any) -> None:
    assert canonical(bad) is None
    assert tools_hash([{"name": "x", "inputSchema": bad}, {"name": "fine"}]) is None
    assert surface_of([{"name": "x", "annotations": {"title": bad}}]) is None


def test_a_surface_is_bounded() -> None:
    assert tools_hash([{"name": str(i)} for i in range(ITEMS_LIMIT)]) is not None
    assert tools_hash([{"name": str(i)} for i in range(ITEMS_LIMIT + 1)]) is None
    assert tools_hash([{"name": "x", "description": "y" * (4 << 20)}]) is None


def test_what_is_slow_to_write_is_bounded_sooner() -> None:
    assert tools_hash([{"name": "x", "y": [1e-9] * 60_000}]) is not None
    assert tools_hash([{"name": "x", "y": [1e-9] * 120_000}]) is None
    assert tools_hash([{"name": "x", "y": [0.25] * 120_000}]) is not None
    assert tools_hash([{"name": "x", "y": ["z" * 600_000, {"\U0001f600": 1}]}]) is None


def test_the_three_hashes_tell_three_things() -> None:
    def parts(**more: Any) -> dict[str, str]:
        return item_hashes(TOOL, tool(**more))

    def differing(**more: Any) -> set[str]:
        before, after = parts(), parts(**more)
        return {part for part in before if before[part] != after[part]}

    schema = tool()["inputSchema"]
    worded = {**schema, "properties": {"q": {**schema["properties"]["q"], "description": "Anything"}}}
    limited = {**schema, "required": ["q"]}
    named = {**schema, "properties": {**schema["properties"], "description": {"type": "string"}}}
    assert differing(inputSchema=worded) == {"text", "full"}
    assert differing(description="Searches") == {"text", "full"}
    assert differing(annotations={"title": "Search"}) == {"text", "full"}
    assert differing(inputSchema=limited) == {"contract", "full"}
    assert differing(inputSchema=named) == {"contract", "full"}
    assert differing(annotations={"readOnlyHint": True}) == {"contract", "full"}
    assert differing(icons=[]) == {"full"}
    assert differing(_meta={"framework": 1}) == set()


def test_what_changes_with_a_resources_content_is_no_change_of_it() -> None:
    def hashed(**more: Any) -> Any:
        made = surface_of([], resources=[{"uri": "file:///a", "name": "a", **more}])
        return made.hashes if made else None

    same = hashed(size=9, annotations={"priority": 1, "lastModified": "2026-01-01T00:00:00Z"}, _meta={})
    assert same == hashed(size=10, annotations={"priority": 1, "lastModified": "2026-01-02T00:00:00Z"})
    assert same != hashed(annotations={"priority": 0.5})


def test_arguments_of_a_prompt_have_no_order() -> None:
    one = {"name": "p", "arguments": [{"name": "a", "required": True}, {"name": "b", "description": "B"}]}
    assert item_hashes(PROMPT, one) == item_hashes(PROMPT, {**one, "arguments": one["arguments"][::-1]})
    assert item_hashes(PROMPT, {"name": "p", "arguments": 7}) != item_hashes(PROMPT, {"name": "p"})


def test_a_list_not_asked_for_is_not_an_empty_one() -> None:
    without, empty = surface_of([tool()]), surface_of([tool()], prompts=[])
    assert without is not None
    assert empty is not None
    assert without.hashes.full == without.hashes.tools == empty.hashes.tools == tools_hash([tool()])
    assert without.address == without.hashes.full[:32] != empty.address


def test_the_hash_is_sha256_over_names_and_hashes_in_canonical_json() -> None:
    """What docs/reference/drift.md says, by hand."""
    one = b'{"name":"x"}'
    listed = b'{"tools":[["x","' + hashlib.sha256(one).hexdigest().encode() + b'"]]}'
    assert tools_hash([{"name": "x", "_meta": {}}]) == hashlib.sha256(listed).hexdigest()
    assert digest({"name": "x"}) == hashlib.sha256(one).hexdigest()


LISTS = ITEMS | st.none()


@settings(max_examples=40, deadline=None)
@given(ITEMS, LISTS, LISTS, LISTS)
def test_a_surface_survives_being_saved(tools: Any, resources: Any, templates: Any, prompts: Any) -> None:
    made = surface_of(
        tools,
        resources=resources,
        resource_templates=templates,
        prompts=prompts,
        server_name="s",
        server_version="1",
        era="legacy",
        protocol_version="2025-11-25",
        credential="abc",
    )
    assert made is not None
    read = Surface.from_json(json.loads(json.dumps(made.to_json())))
    assert (read.hashes, read.credential, read.era, read.server_name) == (made.hashes, "abc", "legacy", "s")
    assert read.to_json() == made.to_json()
    assert [read.items(kind) is None for kind in KINDS] == [made.items(kind) is None for kind in KINDS]


@pytest.mark.parametrize(
    "bad",
    [
        None,
        [],
        {},
        {"tools": 1},
        {"tools": None},
        {"tools": [1]},
        {"tools": [], "prompts": {}},
        {"tools": [], "format": "lookout-surface/9"},
        {"tools": [], "era": 1},
        {"tools": [], "server": {"name": []}},
        {"tools": [{"name": "\ud800"}]},
    ],
)
def test_a_file_that_is_no_surface_is_refused(bad: Any) -> None:
    with pytest.raises(FormatError, match="surface"):
        Surface.from_json(bad)


def test_a_bare_tools_list_result_is_a_surface() -> None:
    read = Surface.from_json({"tools": [tool()], "nextCursor": None, "_meta": {}})
    assert read.hashes.tools == tools_hash([tool()])
