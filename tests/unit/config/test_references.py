from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lookout.config.moments import unix_seconds
from lookout.config.references import Reference, is_reference, parse_reference, references
from lookout.config.tool_call import tool_call_problems


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("secret:acme-token", Reference("secret", "acme-token")),
        ("secret:team/a_b+c=d.e@f-1", Reference("secret", "team/a_b+c=d.e@f-1")),
        ("secret:acme#client_secret", Reference("secret", "acme", "client_secret")),
        ("ssm:/a", Reference("ssm", "/a")),
        ("ssm:/lookout/acme.dev/token_1", Reference("ssm", "/lookout/acme.dev/token_1")),
        ("env:ACME_TOKEN", Reference("env", "ACME_TOKEN")),
    ],
)
def test_a_reference_is_read_and_written(text: str, reference: Reference) -> None:
    assert parse_reference(text) == reference
    assert str(reference) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "secret:",
        "secret:a b",
        "secret:a#",
        "secret:a#b#c",
        "secret:a\n",
        "secret:" + "a" * 513,
        "ssm:a",
        "ssm:/",
        "ssm:/a/",
        "ssm:/a//b",
        "ssm:" + "/a" * 16,
        "ssm:/" + "a" * 1000,
        "ssm:/a#b",
        "env:",
        "env:1A",
        "env:A-B",
        "Secret:a",
        "https://a.example",
    ],
)
def test_what_is_malformed_is_none(text: str) -> None:
    assert parse_reference(text) is None


def test_every_reference_is_found_wherever_it_stands() -> None:
    value = {"a": "secret:x", "b": [{"c": "ssm:/y"}, 3, None], "d": ("text", "secret:x#k")}
    assert list(references(value)) == [Reference("secret", "x"), Reference("ssm", "/y"), Reference("secret", "x", "k")]
    assert not is_reference(None)


@given(st.text())
def test_what_parses_begins_like_a_reference(text: str) -> None:
    assert parse_reference(text) is None or is_reference(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1970-01-02", 86400),
        ("2027-01-31T12:00:00Z", 1801396800),
        ("2027-01-31t12:00:00z", 1801396800),
        ("2027-01-31 13:00:00.5+01:00", 1801396800),
        ("2027-02-30", None),
        ("0001-01-01T00:00:00+23:59", -62135683140),
        ("9999-12-31T23:59:59-23:59", 253402387139),
        ("x", None),
    ],
)
def test_moments(text: str, moment: int | None) -> None:
    assert unix_seconds(text) == moment


def said(**result: object) -> list[str]:
    return [message for _, message in tool_call_problems((), {"tool": "t", "result": result})]


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "$ref": "#/definitions/a~1b",
            "definitions": {"a/b": {}},
        },
        {"$ref": "#/allOf/1", "allOf": [{}, True]},
        {"properties": {"$ref": {"type": "string"}, "$id": {"type": "string"}}},
        {"definitions": {"node": {"items": {"$ref": "#/definitions/node"}}}, "$ref": "#/definitions/node"},
    ],
)
def test_a_sound_schema_passes(schema: dict[str, object]) -> None:
    assert said(schema=schema) == []


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"default": {"$ref": "http://169.254.169.254/x"}}},
        {"enum": [{"$ref": "file:///etc/passwd"}]},
        {"allOf": [{"not": {"$ref": "other.json#/x"}}]},
        {"$ref": "//x.example"},
        {"$ref": "#anchor"},
    ],
)
def test_a_reference_that_would_be_fetched_is_refused_wherever_it_hides(schema: dict[str, object]) -> None:
    assert said(schema=schema) == ["refers to another document, and nothing is fetched: copy it under definitions"]


@pytest.mark.parametrize("pointer", ["#/definitions/y", "#/allOf/2", "#/type", "#/allOf/x"])
def test_a_reference_that_leads_nowhere_is_refused(pointer: str) -> None:
    schema = {"type": "object", "allOf": [{}, {}], "properties": {"x": {"$ref": pointer}}}
    assert said(schema=schema) == ["refers to what is not in this schema"]


def test_a_schema_nothing_could_satisfy_is_refused() -> None:
    schema = {"required": ["content"], "additionalProperties": False}
    assert said(schema=schema) == ["cannot be evaluated: items ['content'] are required but not allowed"]


def test_an_expression_too_deep_is_refused() -> None:
    assert said(jmespath="!" * 999 + "a") == ["is nested too deeply"]
    assert said(jmespath="items[?starts_with(name, 'a')] | length(@) > `0` && contains(keys(@), 'x')") == []
