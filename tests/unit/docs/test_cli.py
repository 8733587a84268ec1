"""docs/reference/cli.md names every command, argument and option of `lookout`, and none that is not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner
from lookout.cli.main import cli

from tests.unit.docs.pages import names, read, rows, section

PAGE = read("docs/reference/cli.md")


def walk(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """(path, command) of everything below `command`."""
    if not isinstance(command, click.Group):
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield f"{path} {name}", found
        yield from walk(found, f"{path} {name}")


COMMANDS = dict(walk(cli, "lookout"))
LEAVES = [path for path, command in COMMANDS.items() if not isinstance(command, click.Group)]


def own(path: str) -> str:
    """The section of one command, without those of the commands below it."""
    rank = "#" * len(path.split())
    return re.split(r"^#", section(PAGE, f"{rank} {path}"), maxsplit=1, flags=re.MULTILINE)[0]


def options(command: click.Command) -> set[str]:
    return {name for p in command.params if isinstance(p, click.Option) for name in (*p.opts, *p.secondary_opts)}


def test_every_command_has_a_section_and_no_section_is_of_something_else() -> None:
    headings = re.findall(r"^##+ (lookout .*)$", PAGE, re.MULTILINE)
    assert sorted(headings) == sorted(COMMANDS)


@pytest.mark.parametrize("path", LEAVES)
def test_every_option_is_in_the_table_of_its_command_and_no_other(path: str) -> None:
    table = [row for row in rows(own(path)) if row[0].startswith("`-")]
    assert sorted(name for row in table for name in names(row[0])) == sorted(options(COMMANDS[path]))


@pytest.mark.parametrize("path", LEAVES)
def test_the_usage_line_is_the_commands(path: str) -> None:
    command = COMMANDS[path]
    pieces = " ".join(command.collect_usage_pieces(click.Context(command)))
    arguments = [p.human_readable_name.upper() for p in command.params if isinstance(p, click.Argument)]
    usage = re.search(rf"^    {re.escape(path)} (.*)$", own(path), re.MULTILINE)
    assert usage, f"a line of usage is missing under {path}"
    assert re.findall(r"[A-Z]+", usage[1]) == ["OPTIONS", *arguments]
    assert usage[1].count("[") == 1 + sum(not p.required for p in command.params if isinstance(p, click.Argument)), (
        pieces
    )


@pytest.mark.parametrize("path", LEAVES)
def test_values_and_defaults_are_the_commands(path: str) -> None:
    table = {names(row[0])[0]: row for row in rows(own(path)) if row[0].startswith("`-")}
    for option in COMMANDS[path].params:
        if not isinstance(option, click.Option) or option.is_flag:
            continue
        row = table[option.opts[0]]
        if option.show_default:
            default = option.default
            assert row[1].strip("`") == (f"{default:g}" if isinstance(default, float) else str(default)), option.name
        if isinstance(option.type, click.Choice):
            assert set(option.type.choices) <= {*names(row[1]), *names(row[2])}, option.name


@pytest.mark.parametrize("path", LEAVES)
def test_help_says_what_everything_is_for(path: str) -> None:
    command = COMMANDS[path]
    assert command.help
    assert [p.name for p in command.params if isinstance(p, click.Option) and not p.help] == []


def test_the_first_table_lists_the_top_commands() -> None:
    top = [path for path in COMMANDS if path.count(" ") == 1]
    assert [names(row[0])[0] for row in rows(PAGE) if row[0].startswith("[`lookout")] == top


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", "docs/quickstart.md", "docs/configuration.md", "docs/runbook.md"]
)
def test_other_pages_name_only_commands_and_options_there_are(page: str) -> None:
    text = read(page)
    shown = re.findall(r"(?:^ {4}|`)(?:\.venv/bin/)?(lookout(?: [^`\n]*)?)", text, re.MULTILINE)
    for line in shown:
        words = line.split("#")[0].split("   ")[0].split()
        group = isinstance(COMMANDS.get(" ".join(words[:2])), click.Group)
        path = " ".join(words[: 3 if group else 2])
        if len(words) == 1 or words[1].startswith(("<", "-")):
            continue
        assert path in COMMANDS, line
        given = {re.split(r"[=\]]", word.strip("[],"))[0] for word in words if word.strip("[").startswith("--")}
        assert given <= options(COMMANDS[path]), line


def test_the_json_of_a_probe_has_the_keys_of_the_table() -> None:
    """An address with a placeholder: nothing is sent, and every key is there all the same."""
    done = CliRunner().invoke(cli, ["probe", "https://{host}/mcp", "--json"])
    assert done.exit_code == 1, done.output
    table = [row for row in rows(own("lookout probe")) if len(row) == 2]
    assert sorted(key for row in table for key in names(row[0])) == sorted(json.loads(done.stdout))
