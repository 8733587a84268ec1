from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from lookout.cli.deploy_cmd import secret_names
from lookout.cli.main import cli
from lookout.config.load import load_config
from lookout.errors import LocalError
from lookout.local import account, cdk

YAML = """
name: Acme
home: us-east-1
regions: [us-west-2, us-east-1, eu-west-1]
servers:
  - {slug: a, url: "https://a.example/mcp", auth: {bearer: secret:token}}
  - {slug: b, url: "https://b.example/mcp", auth: {headers: {x-key: secret:key}}}
sinks:
  hook: {webhook: "https://ops.example/hook", signing: secret:signing}
"""


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    calls: list[Any] = []

    def deploy(_: Any, config: Path, *, aws: Any, local: bool, **__: Any) -> dict[str, dict[str, str]]:
        calls.append(("deploy", config.name, aws, local))
        return {"LookoutHome": {"SiteUrl": "https://d.cloudfront.net"}}

    monkeypatch.setattr(account, "identity", lambda region: ("123456789012", "arn:aws:iam::123456789012:user/me"))
    monkeypatch.setattr(account, "bootstrapped", lambda region: region == "us-west-2")
    monkeypatch.setattr(account, "secret_exists", lambda region, name: name == "token")
    monkeypatch.setattr(cdk, "deploy", deploy)
    monkeypatch.setattr(cdk, "run", lambda layout, arguments, **_: calls.append(arguments))
    monkeypatch.setattr(cdk, "bootstrap", lambda layout, number, regions, **_: calls.append((number, regions)))
    return calls


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "lookout.yaml"
    path.write_text(YAML)
    return str(path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def test_deploy_bootstraps_what_is_not_and_says_what_came_of_it(aws: list[Any], config: str) -> None:
    result = run("deploy", "--config", config, "--yes")
    assert result.exit_code == 0, result.output
    assert aws == [("123456789012", ["us-east-1", "eu-west-1"]), ("deploy", "lookout.yaml", None, False)]
    assert "https://d.cloudfront.net" in result.stdout
    assert "Account 123456789012" in result.stdout
    for name in ("key", "signing"):
        assert f"the secret '{name}' is missing" in result.stdout
    assert "the secret 'token'" not in result.stdout


def test_json_is_json_only(aws: list[Any], config: str) -> None:
    result = run("deploy", "--config", config, "--yes", "--json")
    assert json.loads(result.stdout) == {"LookoutHome": {"SiteUrl": "https://d.cloudfront.net"}}
    assert "Account 123456789012" in result.stderr


@pytest.mark.parametrize("command", ["deploy", "destroy"])
def test_nothing_happens_unasked(aws: list[Any], config: str, command: str) -> None:
    result = run(command, "--config", config)
    assert result.exit_code == 2
    assert "say --yes" in result.stderr
    assert aws == []


@pytest.mark.parametrize("command", ["deploy", "destroy"])
def test_without_credentials_nothing_happens(
    aws: list[Any], config: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(region: str) -> tuple[str, str]:
        raise LocalError("AWS did not accept your credentials")

    monkeypatch.setattr(account, "identity", refused)
    result = run(command, "--config", config, "--yes")
    assert result.exit_code == 2
    assert "did not accept" in result.stderr
    assert aws == []


def test_a_broken_file_is_said_before_aws_is_asked(aws: list[Any], tmp_path: Path) -> None:
    path = tmp_path / "lookout.yaml"
    path.write_text("name: x\nnonsense: 1\n")
    result = run("deploy", "--config", str(path), "--yes")
    assert result.exit_code == 2
    assert "nonsense" in result.stderr
    assert aws == []


def test_destroy(aws: list[Any], config: str) -> None:
    result = run("destroy", "--config", config, "--yes")
    assert result.exit_code == 0, result.output
    assert aws == [["destroy", "--all", "--force", "-c", f"config={Path(config).resolve()}"]]
    assert "still there" in result.stdout


def test_all_secrets_are_found(config: str) -> None:
    assert secret_names(load_config(config)) == ["key", "signing", "token"]
