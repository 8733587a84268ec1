"""Every relative link of every page leads somewhere, anchors too; every path that is named is there."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.unit.docs.pages import ROOT, pages, prose

LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\]|!\[[^\]]*\]\([^)]*\))*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
DEFINITION = re.compile(r"^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
NAMED = re.compile(r"`((?:bench|docs|examples|functions|infra|layers|scripts|site|tests)/[\w./-]*)`")
PAGES = [str(page.relative_to(ROOT)) for page in pages()]


def links(text: str) -> Iterator[str]:
    for target in (*LINK.findall(text), *DEFINITION.findall(text)):
        if not re.match(r"[a-z][a-z0-9+.-]*:|//", target):
            yield html.unescape(target)


@cache
def anchors(page: Path) -> frozenset[str]:
    """What may stand after # in a link to this page, as GitHub makes it from its headings; and named anchors."""
    text = prose(page.read_text(encoding="utf-8"))
    out: set[str] = set(re.findall(r"<a (?:name|id)=\"([^\"]+)\"", text))
    for heading in re.findall(r"^#+ +(.+?) *#*$", text, re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        number = 0
        while (made := f"{slug}-{number}" if number else slug) in out:
            number += 1
        out.add(made)
    return frozenset(out)


def broken(page: Path) -> list[str]:
    out = []
    for target in links(prose(page.read_text(encoding="utf-8"))):
        path, _, anchor = target.partition("#")
        place = page if not path else (page.parent / unquote(path))
        found = place.exists() and place.resolve().is_relative_to(ROOT)
        if not found or (anchor and place.suffix == ".md" and anchor not in anchors(place)):
            out.append(target)
    return out


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    assert broken(ROOT / page) == []


@pytest.mark.parametrize("page", PAGES)
def test_paths_that_are_named_are_there(page: str) -> None:
    named = NAMED.findall((ROOT / page).read_text(encoding="utf-8"))
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_page_of_docs_can_be_found_from_the_readme() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen:
            continue
        seen.add(page)
        for target in links(page.read_text(encoding="utf-8")):
            place = (page.parent / unquote(target.partition("#")[0])).resolve()
            if place.suffix == ".md" and place.exists():
                waiting.append(place)
            elif place.is_dir():
                waiting += place.glob("*.md")
    lost = [str(page.relative_to(ROOT)) for page in (ROOT / "docs").rglob("*.md") if page not in seen]
    assert lost == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("[a](there.md)", []),
        ("[a](there.md#a-heading) [b](#own)\n\n## Own\n", []),
        ("[![alt](there.md)](gone.md)", ["gone.md"]),
        ("[a](gone.md)", ["gone.md"]),
        ("[a](there.md#gone)", ["there.md#gone"]),
        ("[a](../outside.md)", ["../outside.md"]),
        ("[a](https://example.com/gone)", []),
        ("```\n[a](gone.md)\n```\n", []),
    ],
)
def test_this_test_finds_what_is_broken(
    text: str, wrong: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.unit.docs.test_links.ROOT", tmp_path / "repository")
    (tmp_path / "repository").mkdir()
    (tmp_path / "outside.md").touch()
    (tmp_path / "repository/there.md").write_text("# A heading\n")
    (tmp_path / "repository/page.md").write_text(text)
    assert broken(tmp_path / "repository/page.md") == wrong
