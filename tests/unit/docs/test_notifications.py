"""docs/notifications.md has an example of every kind of sink, and tells of every notice that is sent."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from lookout.cli.main import cli
from lookout.config.sinks import KINDS, kind_of
from lookout.notify.render import RENDERERS
from lookout.notify.samples import TYPES
from lookout.notify.sinks.alertmanager import NAMES

from tests.unit.docs.pages import fences, names, read, rows, section
from tests.unit.docs.test_configuration import whole

PAGE = read("docs/notifications.md")
EXAMPLES = [sink for text in fences(PAGE, "yaml") for sink in yaml.safe_load(text)["sinks"].values()]


def test_every_kind_can_be_rendered() -> None:
    assert set(KINDS) == {*RENDERERS, "slack_bot"}


@pytest.mark.parametrize("kind", KINDS)
def test_there_is_an_example_of_every_kind(kind: str) -> None:
    assert kind in [kind_of(example) for example in EXAMPLES]


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_of_a_kind_can_be_previewed_with_every_type(kind: str, tmp_path: Path) -> None:
    sinks = {f"sink-{i}": sink for i, sink in enumerate(EXAMPLES) if kind_of(sink) == kind}
    path = tmp_path / "lookout.yaml"
    path.write_text(whole(yaml.safe_dump({"sinks": sinks})), encoding="utf-8")
    checked = CliRunner().invoke(cli, ["check", str(path)])
    assert checked.exit_code == 0, checked.output
    for notice_type in TYPES:
        shown = CliRunner().invoke(cli, ["notify", "preview", "--type", notice_type, "--config", str(path)])
        assert shown.exit_code == 0, shown.output
        assert shown.output.count(f" ({kind})\n") == len(sinks)


def test_the_names_of_alerts_are_those_that_are_sent() -> None:
    (row,) = (row for row in rows(section(PAGE, "### Alertmanager")) if row[0] == "`alertname`")
    assert set(names(row[1])) == {*NAMES.values(), "MCPNotice"}


def test_what_is_told_when_names_types_the_webhook_knows() -> None:
    told = {word for row in rows(section(PAGE, "## What is told when")) for word in row[0].split(", ")}
    known = read("docs/reference/webhook.md")
    assert {"incident.opened", "incident.resolved", "drift.detected", "region.stale"} <= told
    assert [word for word in told if not re.search(rf"`{re.escape(word)}`", known)] == []
