"""docs/reference/metrics.md names every metric, with its labels, and no other."""

from __future__ import annotations

import ast
import re
from fractions import Fraction

from lookout.notify.dispatcher import Outcome
from lookout.probe.result import Status
from lookout.settings import FUNCTIONS, METRICS_NAMESPACE
from lookout.status import metrics

from tests.unit.docs.pages import ROOT, names, read, rows, section
from tests.unit.status import sample

PAGE = read("docs/reference/metrics.md")
SERVED = {names(row[0])[0]: row for row in rows(section(PAGE, "## `GET /metrics`"))}
OWN = {names(row[0])[0]: row for row in rows(section(PAGE, f"## CloudWatch, namespace `{METRICS_NAMESPACE}`"))}


def test_the_table_is_what_is_served() -> None:
    assert list(SERVED) == [family.name for family in metrics.FAMILIES]


def test_the_labels_are_those_that_are_served() -> None:
    snapshot = sample.snapshot()
    for family in metrics.FAMILIES:
        labels = {tuple(labels) for labels, _ in family.samples(snapshot)}
        if labels:  # a metric the sample has no value for is tested where its values are
            (found,) = labels
            assert [word.strip() for word in SERVED[family.name][1].split(",")] == list(found), family.name


def test_every_metric_an_example_uses_is_served() -> None:
    used = re.findall(r"\b(?:probe|mcp)_[a-z0-9_]+\b", "".join(re.findall(r"expr: (.*)", PAGE)))
    assert used
    assert set(used) <= SERVED.keys()


def measured() -> dict[str, set[str]]:
    """Metric names by function, from what its handler passes to add_metric; `*` stands for what is filled in."""
    out: dict[str, set[str]] = {}
    for folder in FUNCTIONS:
        tree = ast.parse((ROOT / "functions" / folder / "handler.py").read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_metric":
                name = node.args[0]
                parts = name.values if isinstance(name, ast.JoinedStr) else [name]
                text = "".join(str(p.value) if isinstance(p, ast.Constant) else "*" for p in parts)
                out.setdefault(folder, set()).add(text)
    return out


def results() -> set[str]:
    """How an attempt at a delivery can end, as the docstring of Outcome lists it."""
    said = (Outcome.__doc__ or "").split("`result` is ")[1].split("`wait_s`")[0]
    return set(re.findall(r"\b(delivered|failed|retrying|dead|waiting|quiet|known)\b", said))


def test_every_metric_of_our_own_has_a_row_and_no_row_is_of_something_else() -> None:
    known = set()
    for folder, found in measured().items():
        for name in found:
            filled = {name.replace("*", result.title()) for result in results()} if "*" in name else {name}
            known |= {(one, f"service={folder}") for one in filled}
    assert {(name, row[1]) for name, row in OWN.items()} == known


def test_formulas_and_statuses_are_the_codes() -> None:
    tally = sample.snapshot().servers[0].windows["24h"]
    assert "`ok / (ok + fail)`" in SERVED["mcp_uptime_ratio"][2]
    assert tally.uptime == Fraction(tally.ok, tally.ok + tally.fail)
    assert len(list(metrics.FAMILIES[4].samples(sample.snapshot()))) == len(Status) * len(sample.snapshot().servers)
