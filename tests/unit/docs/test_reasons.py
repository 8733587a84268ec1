"""docs/reference/reasons.md and lookout.probe.result.Reason say the same, both ways."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from lookout.probe.result import Layer, Reason, Status

from tests.unit.docs.pages import CORE, ROOT, read

PAGE = read("docs/reference/reasons.md")
ENTRY = re.compile(r"^### `(\w+)`\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
FIRST_LINE = re.compile(r"\*([a-z, ]+) · ([a-z_, ]+)\.\* \S")
ENTRIES = dict(ENTRY.findall(PAGE))


def words(text: str) -> set[str]:
    return {word.strip() for word in text.split(",")}


def named_together() -> Iterator[tuple[str, str]]:
    """(layer, reason) wherever the probe's code names both in one call."""
    for path in sorted((CORE / "probe").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            said = [a for a in node.args if isinstance(a, ast.Attribute) and isinstance(a.value, ast.Name)]
            layers = [a.attr for a in said if getattr(a.value, "id", "") == "Layer"]
            reasons = [a.attr for a in said if getattr(a.value, "id", "") == "Reason"]
            if len(layers) == len(reasons) == 1:
                yield Layer[layers[0]].value, Reason[reasons[0]].value


def proved() -> Iterator[tuple[str, str, str]]:
    """(status, layer, reason) wherever a contract test of the probe expects the three of a server."""
    for path in sorted((ROOT / "tests/contract/probe").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Tuple) and len(node.elts) == 3:
                status, layer, reason = (e.value if isinstance(e, ast.Constant) else "" for e in node.elts)
                if status in set(Status) and layer in {*Layer, None} and reason in set(Reason):
                    yield status, layer or "none", reason


def told() -> set[tuple[str, str, str]]:
    """Every (status, layer, reason) the page allows."""
    first = {name: FIRST_LINE.match(entry) for name, entry in ENTRIES.items()}
    return {
        (status, layer, name)
        for name, found in first.items()
        if found
        for layer in words(found[1])
        for status in words(found[2])
    }


def test_every_reason_has_one_entry_and_no_entry_is_of_something_else() -> None:
    assert sorted(name for name, _ in ENTRY.findall(PAGE)) == sorted(Reason)


@pytest.mark.parametrize("name", list(ENTRIES))
def test_an_entry_says_where_what_why_and_what_to_do(name: str) -> None:
    entry = ENTRIES[name]
    first = FIRST_LINE.match(entry)
    assert first, f"begin with *layer · status.* and what happened: {entry[:60]!r}"
    assert words(first[1]) <= {*Layer, "none"}
    assert words(first[2]) <= set(Status)
    for part in ("Likely", "Do"):
        assert re.search(rf"^- {part}: .{{10,}}$", entry, re.MULTILINE), f"{name}: a line `- {part}: ...` is missing"


def test_the_code_names_no_layer_the_page_does_not() -> None:
    found = set(named_together())
    assert len(found) > 10
    assert found <= {(layer, reason) for _, layer, reason in told()}


def test_servers_are_called_what_the_page_says() -> None:
    found = set(proved())
    assert len(found) > 20
    assert found <= told()


def test_the_page_names_every_layer() -> None:
    introduction = PAGE.split("\n## ")[0]
    assert re.findall(r"\*\*([a-z]+)\*\* ", introduction) == list(Layer)
