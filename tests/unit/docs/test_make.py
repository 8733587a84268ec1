"""Makefile and pages name the same targets; what `make` explains is explained."""

from __future__ import annotations

import re

import pytest

from tests.unit.docs.pages import ROOT, pages, read

MAKEFILE = read("Makefile")
TARGETS = dict(re.findall(r"^([a-z-]+):[^=#\n]*(?:## (.*))?$", MAKEFILE, re.MULTILINE))
EXPLAINED = [name for name, text in TARGETS.items() if text]
MENTION = re.compile(r"(?:^ {4,}|`)(?:[A-Z_]+=\S+ )*make((?: [A-Z]+=\S+)*)(?: ([a-z-]+))?", re.MULTILINE)
VARIABLES = {"ARGS", "CONFIG", "PYTHON"}


def mentioned(text: str) -> set[str]:
    return {target for _, target in MENTION.findall(text) if target}


def test_the_patterns_find_what_is_there() -> None:
    assert {"up", "down", "test", "deploy"} <= set(EXPLAINED)
    assert mentioned("    make up     all of it\n`make down`, `LOOKOUT_PORT=5566 make synth`") == {
        "up",
        "down",
        "synth",
    }
    assert mentioned("to make sure") == set()


@pytest.mark.parametrize("page", [str(page.relative_to(ROOT)) for page in pages()])
def test_a_page_mentions_only_targets_and_variables_there_are(page: str) -> None:
    text = read(page)
    assert mentioned(text) - TARGETS.keys() == set()
    given = {name for before, _ in MENTION.findall(text) for name in re.findall(r"([A-Z]+)=", before)}
    given |= set(re.findall(r"make [a-z-]+ (?:[A-Z]+=\S+ )*([A-Z]+)=", text))
    assert given <= VARIABLES
    assert all(f"$({name})" in MAKEFILE or f"$(or $({name})" in MAKEFILE for name in VARIABLES)


@pytest.mark.parametrize("target", EXPLAINED)
def test_every_target_is_mentioned_where_people_begin(target: str) -> None:
    begin = "".join(read(page) for page in ("README.md", "CONTRIBUTING.md", "docs/quickstart.md"))
    assert target in mentioned(begin)


def test_every_target_people_use_explains_itself() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony
    assert sorted(phony[1].split()) == sorted(TARGETS)
    assert [name for name in TARGETS if name not in EXPLAINED] == ["setup-dev"]
