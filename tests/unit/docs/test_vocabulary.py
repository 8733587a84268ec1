"""The words pages use for statuses, layers, eras and notices are those of the code: all of them, and no others."""

from __future__ import annotations

import ast
import re

import pytest
from lookout.history.uptime import OUTCOME_CODES
from lookout.probe.result import Era, Layer, Status

from tests.unit.docs.pages import CORE, names, read, rows, section

README = read("README.md")
WEBHOOK = read("docs/reference/webhook.md")
NOTICE = re.compile(r"(?:incident|drift|tls|credential|slo|latency|region|maintenance)\.[a-z]+|digest")
BODY = {key: row[1] for row in rows(section(WEBHOOK, "## Body")) for key in names(row[0])}


def words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",")]


def table_of_statuses() -> dict[str, str]:
    """What each status counts as, by the README."""
    found = rows(section(README, "## How it decides"))
    return {status: row[2] for row in found for status in words(row[0])}


def test_the_readme_explains_every_status() -> None:
    assert sorted(table_of_statuses()) == sorted(Status)


@pytest.mark.parametrize("status", list(Status))
def test_a_status_counts_as_the_readme_says(status: Status) -> None:
    counted = "ok" if status.ok else "fail" if status.failing else "neither"
    assert table_of_statuses()[status] == counted


def test_the_readme_names_every_layer() -> None:
    found = re.search(r"names a layer \(([a-z, ]+)\)", README)
    assert found
    assert words(found[1]) == list(Layer)


def test_a_webhook_names_the_statuses_it_can_have() -> None:
    said = words(BODY["probe_result"].split(":")[1].split(".")[0])
    never = {Status.PENDING}  # a notice is of a server that was judged or is watched no more
    assert sorted(said) == sorted(set(Status) - never)


def announced() -> set[str]:
    """Types of notices: what the package passes on as one, wherever it makes or renders notices."""
    out: set[str] = set()
    for room in ("verdict", "notify", "jobs", "store"):
        for path in sorted((CORE / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and NOTICE.fullmatch(node.value):
                    out.add(node.value)
    return out


def test_a_webhook_names_the_types_there_are() -> None:
    assert {"incident.opened", "incident.updated", "incident.resolved"} <= announced()
    assert set(names(BODY["type"])) == announced()


def test_the_command_line_names_every_era() -> None:
    (row,) = (row for row in rows(read("docs/reference/cli.md")) if row[0] == "`era`")
    assert [word for word in re.findall(r"\b[a-z]+\b", row[1]) if word in list(Era)] == list(Era)


def test_a_judged_round_has_a_code_for_every_status_it_can_have() -> None:
    assert set(OUTCOME_CODES) == set(Status) - {Status.PAUSED, Status.PENDING}
