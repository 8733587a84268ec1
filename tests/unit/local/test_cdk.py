"""The runner of the CDK CLI, with a stand-in for `npx` that says what it was given."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from lookout.errors import LocalError
from lookout.local import cdk, processes
from lookout.local.layout import Layout, read_json


def layout_with(tmp_path: Path, script: str) -> Layout:
    npx = tmp_path / ".venv" / "bin" / "npx"
    npx.parent.mkdir(parents=True)
    npx.write_text(f"#!/bin/sh\n{script}\n")
    npx.chmod(0o755)
    return Layout.of(tmp_path)


def test_deploy_says_how_it_goes_and_returns_the_outputs(tmp_path: Path) -> None:
    layout = layout_with(
        tmp_path,
        """echo "$@" > arguments
        env > environment
        echo 'LookoutHome: deploying... [1/2]'
        echo ' ✅  LookoutHome'
        echo '{"LookoutHome": {"SiteUrl": "http://x"}}' > .local/outputs.json""",
    )
    heard: list[cdk.Progress] = []
    lines: list[str] = []
    aws = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    outputs = cdk.deploy(
        layout,
        Path("lookout.yaml"),
        aws=aws,
        local=True,
        outputs_file=layout.outputs,
        tell=heard.append,
        echo=lines.append,
    )
    assert outputs == {"LookoutHome": {"SiteUrl": "http://x"}} == cdk.outputs(layout.outputs)
    assert heard == [cdk.Progress("LookoutHome", False), cdk.Progress("LookoutHome", True)]
    assert lines[-1] == " ✅  LookoutHome"
    arguments = (tmp_path / "arguments").read_text()
    assert arguments.startswith("--no-install cdk deploy --all --require-approval never")
    assert "-c config=lookout.yaml -c local=true" in arguments
    assert "AWS_ENDPOINT_URL=http://127.0.0.1:1" in (tmp_path / "environment").read_text()
    assert "LookoutHome" in (layout.logs / "deploy.log").read_text()
    assert processes.recorded(layout.run, cdk.NAME) is None


def test_a_real_account_gets_the_callers_variables_and_no_local_flag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    layout = layout_with(tmp_path, 'echo "$@" > arguments; env > environment')
    cdk.deploy(layout, Path("lookout.yaml"), aws=None, local=False, outputs_file=layout.outputs)
    assert "local=true" not in (tmp_path / "arguments").read_text()
    environment = (tmp_path / "environment").read_text()
    assert "AWS_PROFILE=mine" in environment
    assert "PYTHONPATH" not in environment


def test_kept_tables_are_imported_only_where_it_is_asked(tmp_path: Path) -> None:
    layout = layout_with(tmp_path, 'echo "$@" >> arguments')
    for adopt in (False, True):
        cdk.deploy(layout, Path("a.yaml"), aws=None, local=False, outputs_file=layout.outputs, adopt=adopt)
    plain, adopting = (tmp_path / "arguments").read_text().splitlines()
    assert "--import-existing-resources" not in plain
    assert adopting == f"{plain} --import-existing-resources"


def test_a_failure_that_is_known_ends_with_what_to_do(tmp_path: Path) -> None:
    layout = layout_with(tmp_path, "echo 'ExpiredToken: it has expired'; exit 1")
    said: list[str] = []
    with pytest.raises(LocalError) as failed:
        cdk.run(layout, ["deploy"], aws=None, log=layout.logs / "deploy.log", echo=said.append)
    assert said == ["ExpiredToken: it has expired"]
    assert "ExpiredToken" not in str(failed.value)
    assert str(failed.value).endswith("It goes on where it ended.")


def test_the_local_deployment_never_sees_the_callers_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "precious")
    env = cdk.environment(Layout.of(tmp_path), {"AWS_ACCESS_KEY_ID": "test"})
    assert {k: v for k, v in env.items() if k.startswith("AWS_")} == {"AWS_ACCESS_KEY_ID": "test"}
    assert env["PATH"].split(os.pathsep)[0] == str(tmp_path.resolve() / ".venv" / "bin")


def test_a_failure_says_where_to_look_and_shows_the_end(tmp_path: Path) -> None:
    layout = layout_with(tmp_path, "echo it went wrong; exit 1")
    with pytest.raises(LocalError, match=r"`cdk bootstrap` failed(.|\n)*bootstrap\.log(.|\n)*it went wrong"):
        cdk.bootstrap(layout, "000000000000", ["us-east-1", "eu-west-1"], aws={})
    assert read_json(layout.outputs) is None


def test_what_takes_too_long_is_ended_with_everything_it_started(tmp_path: Path) -> None:
    layout = layout_with(tmp_path, "sleep 600 & echo $! > child; wait")
    with pytest.raises(LocalError, match="failed"):
        cdk.run(layout, ["deploy"], aws={}, log=layout.logs / "deploy.log", timeout_s=0.5)
    assert int((tmp_path / "child").read_text()) not in processes.table()


def test_an_interruption_ends_it(tmp_path: Path) -> None:
    layout = layout_with(tmp_path, "echo $$ > leader; echo working; sleep 600")

    def interrupt(_: str) -> None:
        record = processes.running(layout.run, cdk.NAME)
        assert record is not None
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cdk.run(layout, ["deploy"], aws={}, log=layout.logs / "deploy.log", echo=interrupt)
    assert int((tmp_path / "leader").read_text()) not in processes.table()


def test_without_a_cli_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LocalError, match="make setup"):
        cdk.run(Layout.of(tmp_path), ["deploy"], aws={}, log=tmp_path / "log")
