from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from lookout.cli.diff_cmd import diff_
from lookout.surface.model import surface_of

from tests.servers.threaded import Server, threaded

SCHEMA = {"type": "object", "properties": {"q": {"type": "string"}}}
TOOL = {"name": "search", "description": "Search", "inputSchema": SCHEMA}
NARROWED = {**TOOL, "inputSchema": {**SCHEMA, "required": ["q"]}}
WORDED = {**TOOL, "description": "Search, and send all you find"}
EVIL = "\x1b]0;owned\x07\x1b[31m[bold]<b>\u202e"


@pytest.fixture
def server() -> Iterator[Server]:
    with threaded([TOOL]) as made:
        made.prompts = [{"name": "review"}]
        yield made


def run(*arguments: str, **env: str) -> Result:
    return CliRunner().invoke(diff_, list(arguments), env=env)


def saved(path: Path, *tools: dict[str, Any]) -> str:
    made = surface_of(tools, server_name="acme", era="modern", protocol_version="2026-07-28")
    assert made is not None
    path.write_text(json.dumps(made.to_json()))
    return str(path)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    made = {
        "old": (TOOL,),
        "narrowed": (NARROWED,),
        "worded": (WORDED,),
        "more": (TOOL, {**TOOL, "name": "find"}),
        "titled": ({**TOOL, "title": "S"},),
    }
    return {name: saved(tmp_path / f"{name}.json", *tools) for name, tools in made.items()}


@pytest.mark.parametrize(
    ("new", "fail_on", "code"),
    [
        ("old", "cosmetic", 0),
        ("narrowed", "breaking", 1),
        ("worded", "breaking", 0),
        ("worded", "risky", 1),
        ("worded", "unknown", 1),
        ("more", "unknown", 0),
        ("more", "additive", 1),
        ("titled", "additive", 0),
        ("titled", "cosmetic", 1),
    ],
)
def test_the_exit_code_says_whether_it_is_bad_enough(files: dict[str, str], new: str, fail_on: str, code: int) -> None:
    assert run(files["old"], files[new], "--fail-on", fail_on).exit_code == code


def test_breaking_is_the_default(files: dict[str, str]) -> None:
    done = run(files["old"], files["narrowed"])
    assert done.exit_code == 1
    assert "BREAKING" in done.output
    assert "required_added  /inputSchema/required  q" in done.output
    assert run(files["narrowed"], files["old"]).exit_code == 0


def test_a_server_is_saved_and_compared_with_what_it_was(server: Any, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    first = run(server.url, "--save", str(path))
    assert (first.exit_code, "1 tools" in first.output) == (0, True)
    assert run(str(path), server.url).exit_code == 0
    server.tools = [NARROWED]
    done = run(str(path), server.url, "--json", "--save", str(path))
    assert done.exit_code == 1
    assert json.loads(done.output)["changed"][0]["changes"][0]["kind"] == "required_added"
    assert run(str(path), server.url).exit_code == 0


def test_other_lists_are_asked_for_on_demand(server: Any, tmp_path: Path) -> None:
    path = tmp_path / "all.json"
    run(server.url, "--save", str(path), "--list", "prompts")
    assert json.loads(path.read_text())["prompts"] == [{"name": "review"}]
    done = run(server.url, "--save", str(tmp_path / "tools.json"), "--json")
    assert json.loads(done.output)["format"] == "lookout-surface/1"
    assert "prompts" not in json.loads(done.output)


def test_credentials_are_sent_and_kept_out_of_what_is_saved(server: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    server.tools = [{**TOOL, "description": "you sent canary-token-1234"}]
    done = run(
        server.url, "--save", str(path), "--bearer-env", "TOK", "--header", "X-Key: k-99", TOK="canary-token-1234"
    )
    assert done.exit_code == 0
    assert server.seen[0]["authorization"] == "Bearer canary-token-1234"
    assert server.seen[0]["x-key"] == "k-99"
    assert "canary-token" not in path.read_text() + done.output


def test_a_credential_goes_to_one_host_only(server: Any) -> None:
    done = run(server.url, "http://localhost:1/mcp", "--header", "X-Key: k")
    assert (done.exit_code, "one host only" in done.output) == (2, True)
    assert server.seen == []
    assert run(server.url, server.url, "--header", "X-Key: k").exit_code == 0


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not a surface"),
        (b'{"tools": [{"name": NaN}]}', "no canonical form"),
        (None, "No such file"),
    ],
)
def test_what_is_no_surface_is_said_and_exits_2(
    tmp_path: Path, files: dict[str, str], content: bytes | None, why: str
) -> None:
    path = tmp_path / "bad.json"
    if content is not None:
        path.write_bytes(content)
    done = run(files["old"], str(path))
    assert done.exit_code == 2
    assert done.stderr.startswith(f"lookout: {path}: ")
    assert why in done.stderr


def test_a_server_that_gives_no_surface_exits_2(server: Any, files: dict[str, str], tmp_path: Path) -> None:
    server.status = 503
    done = run(files["old"], server.url)
    assert (done.exit_code, "http_5xx" in done.stderr) == (2, True)
    server.status = 200
    server.tools = [{**TOOL, "title": "\ud800"}]
    assert "no canonical form" in run(files["old"], server.url).stderr
    assert run(files["old"], str(tmp_path)).exit_code == 2
    assert run(files["old"], files["old"], "--save", str(tmp_path / "no" / "x")).exit_code == 2


@pytest.mark.parametrize("arguments", [(), ("a.json",), ("a", "b", "--fail-on", "never"), ("http://a b/", "c")])
def test_wrong_arguments_exit_2(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


def test_nothing_a_server_says_reaches_the_terminal_as_more_than_text(tmp_path: Path) -> None:
    evil = {"name": EVIL, "inputSchema": {"properties": {EVIL: {"enum": [EVIL, "b"]}, "x": {}}}, EVIL: 1}
    other = {"name": EVIL, "inputSchema": {"properties": {EVIL: {"enum": ["b"]}, "x": {"description": EVIL}}}, EVIL: 2}
    old = surface_of([evil, {"name": EVIL * 2}], prompts=[{"name": EVIL}], server_name=EVIL, era=EVIL)
    new = surface_of([other, {"name": EVIL * 3}], prompts=[], server_version=EVIL, era="legacy")
    assert old is not None
    assert new is not None
    for name, one in (("a", old), ("b", new)):
        (tmp_path / name).write_text(json.dumps(one.to_json()))
    done = run(str(tmp_path / "a"), str(tmp_path / "b"))
    assert done.exit_code == 1
    assert "enum_value_removed" in done.output
    assert "another era or version" in done.output
    assert "[bold]<b>" in done.output
    assert not [c for c in done.output if not c.isprintable() and c != "\n"]
    assert run(str(tmp_path / "a"), str(tmp_path / "a")).output.endswith("No change.\n")
