"""The GitHub Action: its steps are run as a runner runs them, against a server that listens, with what it installs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml
from lookout.surface.changes import Class
from lookout.surface.model import surface_of

from tests.servers.threaded import Server, threaded

ROOT = Path(__file__).parents[3]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
WORKFLOW = yaml.safe_load((ROOT / "examples" / "ci" / "surface.yml").read_text(encoding="utf-8"))
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}
TOOL = {"name": "search", "inputSchema": {"type": "object", "properties": {"q": {"type": "string"}}}}
ONLY = """
import sys
from importlib.machinery import PathFinder
class Only(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.split(".")[0] in {refused!r}:
            raise ModuleNotFoundError(f"{{name}} is not among what the action installs", name=name)
        return None
sys.meta_path.insert(0, Only)
"""


@pytest.fixture
def server() -> Iterator[Server]:
    with threaded([TOOL]) as made:
        yield made


@pytest.fixture
def runner(tmp_path: Path) -> Path:
    """A runner's folder in which the action's environment holds this Python, and of its packages the locked ones."""
    names = {re.sub(r"[-_.]+", "-", line.split("==")[0]).lower() for line in locked()}
    ours = {"lookout-mcp", "setuptools", "pip"}
    refused = {
        module
        for module, found in packages_distributions().items()
        if not {re.sub(r"[-_.]+", "-", name).lower() for name in found} & (names | ours)
    }
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(ONLY.format(refused=refused))
    python = tmp_path / "lookout-diff" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{site}:$PYTHONPATH" exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    made = surface_of([TOOL])
    assert made is not None
    (tmp_path / "baseline.json").write_text(json.dumps(made.to_json()))
    return tmp_path


def locked() -> list[str]:
    text = (ROOT / "requirements-action.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if "==" in line]


def compare(runner: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """Run the step as a runner does: inputs replaced in its `env`, its script by `bash -e -o pipefail`."""
    step = STEPS["Compare"]
    given = {name: str(one.get("default", "")) for name, one in ACTION["inputs"].items()} | inputs
    env = {k: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda m: given[m[1]], v) for k, v in step["env"].items()}
    for name in ("summary", "output"):
        (runner / name).touch()
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
        env={
            **env,
            "PATH": os.environ["PATH"],
            "RUNNER_TEMP": str(runner),
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_STEP_SUMMARY": str(runner / "summary"),
            "GITHUB_OUTPUT": str(runner / "output"),
            "TOKEN_OF_MINE": "tok-987654",
        },
        cwd=runner,
        capture_output=True,
        text=True,
        check=False,
    )


def test_nothing_changed(runner: Path, server: Any) -> None:
    done = compare(runner, a="baseline.json", b=server.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert "No change." in done.stdout
    assert (runner / "output").read_text() == "class=none\n"


def test_a_break_fails_the_step_and_is_in_the_summary(runner: Path, server: Any) -> None:
    server.tools = []
    done = compare(runner, a="baseline.json", b=server.url)
    assert done.returncode == 1
    assert "removed" not in done.stderr
    assert "- search" in (runner / "summary").read_text()
    assert (runner / "output").read_text() == "class=breaking\n"


def test_fail_on_and_the_token_reach_the_command(runner: Path, server: Any) -> None:
    server.tools = [{**TOOL, "title": "Search"}]
    assert compare(runner, a="baseline.json", b=server.url).returncode == 0
    strict = compare(runner, a="baseline.json", b=server.url, **{"fail-on": "cosmetic", "bearer-env": "TOKEN_OF_MINE"})
    assert strict.returncode == 1
    assert server.seen[-1]["authorization"] == "Bearer tok-987654"


def test_what_a_server_says_is_no_command_and_no_markup(runner: Path, server: Any) -> None:
    server.tools = [{"name": "##[add-mask]x\n::error::<img src=x>`", "inputSchema": {"type": "object"}}]
    done = compare(runner, a="baseline.json", b=server.url)
    lines = done.stdout.splitlines()
    (stop,) = [i for i, line in enumerate(lines) if line.startswith("::stop-commands::")]
    token = lines[stop].removeprefix("::stop-commands::")
    assert re.fullmatch("[0-9a-f]{32}", token)
    assert (stop, lines[-1]) == (0, f"::{token}::")
    assert "<img" not in (runner / "summary").read_text()
    assert "&lt;img" in (runner / "summary").read_text()


def test_a_surface_that_cannot_be_had_exits_2(runner: Path) -> None:
    done = compare(runner, a="baseline.json", b="http://127.0.0.1:1/mcp")
    assert (done.returncode, (runner / "output").read_text()) == (2, "")
    assert "connect_refused" in done.stdout
    assert done.stderr == ""
    assert compare(runner, a="baseline.json", b="--save=x").returncode == 2


def test_inputs_never_stand_in_a_script() -> None:
    assert not [step["name"] for step in ACTION["runs"]["steps"] if "${{" in step["run"]]


def test_the_example_gives_inputs_there_are_and_what_is_required() -> None:
    (step,) = [s for s in WORKFLOW["jobs"]["surface"]["steps"] if "lookout" in s.get("uses", "")]
    required = {name for name, one in ACTION["inputs"].items() if one.get("required")}
    assert required <= set(step["with"]) <= set(ACTION["inputs"])
    assert step["with"]["fail-on"] in set(Class)


def test_it_installs_by_hash_what_is_locked_and_leaves_the_rest() -> None:
    script = STEPS["Install Lookout"]["run"]
    assert "--require-hashes" in script
    names = {line.split("==")[0] for line in locked()}
    assert {"click", "httpx", "rfc8785"} <= names
    assert not names & {"aws-cdk-lib", "boto3", "pynamodb"}
