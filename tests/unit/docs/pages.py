"""The documentation as the tests of this folder read it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
CORE = ROOT / "layers/core/python/lookout"
_INSTALLED = {"node_modules", "cdk.out", "__pycache__"}
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\|(.+)\|$", re.MULTILINE)


def read(path: str) -> str:
    """A page, by its path from the root."""
    return (ROOT / path).read_text(encoding="utf-8")


def pages() -> list[Path]:
    """Every Markdown file of the repository: none of what was installed or built into it."""
    found = []
    for folder, below, files in os.walk(ROOT):
        below[:] = [name for name in below if not name.startswith(".") and name not in _INSTALLED]
        if "pyvenv.cfg" in files:
            below.clear()
            continue
        found += [Path(folder, name) for name in files if name.endswith(".md")]
    return sorted(found)


def fences(text: str, language: str) -> Iterator[str]:
    """The code blocks of one language, without their indentation."""
    for indent, kind, body in _FENCE.findall(text):
        if kind == language:
            yield re.sub(rf"^{indent}", "", body, flags=re.MULTILINE)


def prose(text: str) -> str:
    """A page without its fenced and indented code."""
    return re.sub(r"^(    |\t).*$", "", _FENCE.sub("", text), flags=re.MULTILINE)


def section(text: str, heading: str) -> str:
    """What stands under a heading (given with its #), up to the next one of its rank or higher."""
    rank = len(heading) - len(heading.lstrip("#"))
    found = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{rank}}} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"there is no heading {heading!r}"
    return found[1]


def rows(text: str) -> list[list[str]]:
    """The cells of every table row, but for headings and rules; `\\|` inside a cell is a bar."""
    out: list[list[str]] = []
    for line in _ROW.findall(text):
        cells = [cell.replace("\0", "|").strip() for cell in line.replace("\\|", "\0").split("|")]
        if all(re.fullmatch(r":?-+:?", cell) for cell in cells):
            out.pop()
        else:
            out.append(cells)
    return out


def names(cell: str) -> list[str]:
    """What stands in back quotes in a cell."""
    return re.findall(r"`([^`]+)`", cell)
