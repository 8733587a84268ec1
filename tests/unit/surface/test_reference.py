"""docs/reference/drift.md names every kind of change with its classes, and none that is not."""

from __future__ import annotations

import re
from pathlib import Path

from lookout.surface import confirm, model
from lookout.surface.canonical import DEPTH
from lookout.surface.changes import KINDS, Class

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "drift.md").read_text(encoding="utf-8")


def test_the_table_is_the_codes() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (\w+) \| .+ \|$", PAGE, re.MULTILINE)
    assert {kind: (i, o) for kind, i, o in rows} == {k: (i.value, o.value) for k, (i, o) in KINDS.items()}
    assert re.findall(r"^\| `(\w+)` \| [^|]+ \| (?:high|warning|info) \|$", PAGE, re.MULTILINE) == list(Class)


def test_the_numbers_are_the_codes() -> None:
    assert f"beyond {DEPTH} levels, more than {model.ITEMS_LIMIT:,} items or {model.SIZE_LIMIT >> 20} MiB" in PAGE
    assert (confirm.CONFIRMED, confirm.CALM, confirm.TURNS) == (2, 5, 4)
    assert f"until {confirm.SETTLED} probes in a row agree" in PAGE
