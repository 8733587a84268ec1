"""docs/reference/environment.md names every variable we read, and by whom it is read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest
from lookout import settings
from lookout.local.layout import ENV_PORT

from tests.unit.docs.pages import ROOT, names, read, rows, section

PAGE = read("docs/reference/environment.md")
OF_FUNCTIONS = {names(row[0])[0]: row for row in rows(section(PAGE, "## Of the functions"))}
OF_COMMANDS = {name: row for row in rows(section(PAGE, "## Of the commands")) for name in names(row[0])}
OURS = re.compile(r"\bLOOKOUT_[A-Z_]+\b")


class Recorder(Mapping[str, str]):
    """An environment that has everything, and remembers what was asked for."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return "x"

    def __iter__(self) -> Iterator[str]:
        return iter(self.asked)

    def __len__(self) -> int:
        return len(self.asked)


def read_by(folder: str) -> set[str]:
    """The variables a function reads: those of the settings its handler makes."""
    text = (ROOT / "functions" / folder / "handler.py").read_text(encoding="utf-8")
    (kind,) = set(re.findall(r"settings\.(\w+Settings)\.from_env\(os\.environ\)", text))
    recorder = Recorder()
    getattr(settings, kind).from_env(recorder)
    return recorder.asked


@pytest.mark.parametrize("folder", settings.FUNCTIONS)
def test_a_function_reads_what_the_page_says(folder: str) -> None:
    said = {name for name, row in OF_FUNCTIONS.items() if row[1] == "all" or folder in row[1].split(", ")}
    powertools = {name for name in said if name.startswith("POWERTOOLS_")}
    assert said - powertools == read_by(folder) | {"AWS_REGION"}


def test_every_name_in_settings_is_there_and_no_other_of_ours() -> None:
    constants = {value for name, value in vars(settings).items() if name.startswith("ENV_")}
    assert {name for name in OF_FUNCTIONS if OURS.fullmatch(name)} == constants
    assert {name for name in OF_COMMANDS if OURS.fullmatch(name)} == {ENV_PORT}


def test_no_other_variable_of_ours_is_read_anywhere() -> None:
    sources = [ROOT / "Makefile", ROOT / "app.py"]
    for folder in ("layers/core/python/lookout", "functions", "infra", "scripts"):
        sources += sorted((ROOT / folder).rglob("*.py"))
    used = {name for path in sources for name in OURS.findall(path.read_text(encoding="utf-8"))}
    assert used == {name for name in (*OF_FUNCTIONS, *OF_COMMANDS) if OURS.fullmatch(name)}
