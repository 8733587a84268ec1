"""docs/configuration.md explains every key of lookout.yaml and no other, and every example there is can be deployed."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from lookout.config.load import parse_config
from lookout.config.structure import schema

from tests.unit.docs.pages import ROOT, fences, names, pages, read, rows, section

PAGE = read("docs/configuration.md")
SCHEMA = schema()
SERVER = SCHEMA["$defs"]["server"]["properties"]
TABLES = {
    "## The whole": SCHEMA["properties"],
    "## servers": SERVER,
    "## sinks": SCHEMA["$defs"]["sink"]["properties"],
}
UNMISTAKABLE = {"home", "regions", "servers", "sinks", "defaults", "maintenance", "routes"}


def nested(properties: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(outermost key, key) of every property below one of the server's keys."""

    def below(node: dict[str, Any]) -> Iterator[str]:
        for name, child in node.get("properties", {}).items():
            yield name
            yield from below(child)

    for name, child in properties.items():
        for key in below(child):
            yield name, key


def tables() -> dict[str, list[list[str]]]:
    """The rows of the table of keys directly under each heading of TABLES."""
    return {head: rows(re.split(r"^###", section(PAGE, head), flags=re.MULTILINE)[0]) for head in TABLES}


@pytest.mark.parametrize("heading", list(TABLES))
def test_every_key_has_a_row_and_no_row_is_of_something_else(heading: str) -> None:
    assert sorted(names(row[0])[0] for row in tables()[heading]) == sorted(TABLES[heading])


def test_what_may_stand_in_defaults_is_marked() -> None:
    marked = [names(row[0])[0] for row in tables()["## servers"] if "•" in row[0]]
    assert sorted(marked) == sorted(SCHEMA["properties"]["defaults"]["properties"])


def test_what_is_required_is_called_so() -> None:
    for heading, required in (
        ("## The whole", SCHEMA["required"]),
        ("## servers", SCHEMA["$defs"]["server"]["required"]),
    ):
        said = [names(row[0])[0] for row in tables()[heading] if row[1] == "required"]
        assert sorted(said) == sorted(required)


@pytest.mark.parametrize(("outer", "key"), list(nested(SERVER)))
def test_keys_within_keys_are_explained_where_their_key_is(outer: str, key: str) -> None:
    row = next(row for row in tables()["## servers"] if names(row[0]) == [outer])
    own = section(PAGE, f"### {outer}") if f"\n### {outer}\n" in PAGE else ""
    assert key in names(" ".join(row)) or f"`{key}`" in own or re.search(rf"\b{key}:", own), f"{outer}.{key}"


def test_every_key_of_a_maintenance_window_is_explained() -> None:
    said = names(" ".join(row[0] for row in rows(section(PAGE, "## Maintenance windows"))))
    assert sorted(said) == sorted(SCHEMA["$defs"]["window"]["properties"])


def test_every_key_of_a_route_is_explained() -> None:
    said = names(" ".join(row[0] for row in rows(section(PAGE, "## routes"))))
    assert sorted(said) == sorted(SCHEMA["$defs"]["route"]["properties"])


def test_the_defaults_of_the_table_are_those_of_the_loader() -> None:
    config = parse_config("home: us-east-1\nregions: [eu-west-1]\nservers: [{slug: a, url: 'https://a.dev'}]")
    server, site = config.servers[0], config.site
    said = {names(row[0])[0]: row[1].strip("`") for head in ("## The whole", "## servers") for row in tables()[head]}
    assert said["name"] == "the slug"
    assert (said["per_host"], said["spread"]) == (str(site.per_host), f"{site.spread_s}s")
    assert (said["interval"], said["timeout"]) == (f"{server.interval_s}s", f"{server.timeout_s}s")
    assert said["slow_after"] == f"{server.slow_after_ms // 1000}s"
    assert (said["down_after"], said["up_after"]) == (str(server.down_after), str(server.up_after))
    assert (said["slo"], said["visibility"]) == (server.slo, server.visibility)
    flags = ("allow_private", "paused", "strict", "active_checks")
    assert {said[key] for key in flags} == {"false"} == {str(getattr(server, key)).lower() for key in flags}


# --- examples ---------------------------------------------------------------------------------------------------


def claims(text: str) -> bool:
    """Is this meant as a lookout.yaml, or as a part of one?"""
    try:
        value = yaml.load(text, yaml.BaseLoader)
    except yaml.YAMLError:
        return False
    return isinstance(value, dict) and bool(UNMISTAKABLE & value.keys() or value.keys() <= SERVER.keys())


def whole(text: str) -> str:
    """A part of a lookout.yaml, made whole with the least that is missing."""
    text = textwrap.dedent(text)
    keys = yaml.load(text, yaml.BaseLoader).keys()
    if not UNMISTAKABLE & keys:
        text = "servers:\n  - slug: example\n    url: https://mcp.acme.dev/mcp\n" + textwrap.indent(text, "    ")
    elif "servers" not in keys:
        text += "\nservers: [{slug: example, url: 'https://mcp.acme.dev/mcp'}]"
    for key, value in (("home", "us-east-1"), ("regions", "[us-west-2, eu-west-1, ap-southeast-1]")):
        if key not in keys:
            text += f"\n{key}: {value}"
    return text


def in_pages() -> Iterator[Any]:
    for page in pages():
        for number, block in enumerate(fences(page.read_text(encoding="utf-8"), "yaml")):
            if claims(textwrap.dedent(block)):
                yield pytest.param(whole(block), id=f"{page.relative_to(ROOT)}-{number}")


def files() -> list[Path]:
    found = [ROOT / "lookout.yaml", *sorted((ROOT / "examples").rglob("*.y*ml"))]
    return [path for path in found if claims(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_example_file_can_be_deployed(path: Path) -> None:
    assert parse_config(path.read_text(encoding="utf-8"), path.name).servers


@pytest.mark.parametrize("text", list(in_pages()))
def test_every_example_in_a_page_can_be_deployed(text: str) -> None:
    assert parse_config(text).servers


def test_there_are_examples_to_test() -> None:
    assert len(files()) >= 5
    assert len(list(in_pages())) >= 3
    assert not claims("name: CI\non: push\njobs: {}\n")
    assert claims("tool_call: {tool: search}\n")


def test_the_example_of_every_key_has_every_key() -> None:
    text = read("examples/everything.yaml")
    everything = {*SCHEMA["properties"], *SERVER, *TABLES["## sinks"], *(key for _, key in nested(SERVER))}
    assert [key for key in sorted(everything) if not re.search(rf"\b{key}:", text)] == []
