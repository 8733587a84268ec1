from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from lookout.cli.deploy_cmd import stack_names, wanted_references
from lookout.cli.main import cli
from lookout.config.load import load_config
from lookout.errors import LocalError
from lookout.local import account, cdk

from infra.application import HOME_STACK, probe_stack

YAML = """
name: Acme
home: us-east-1
regions: [us-west-2, us-east-1, eu-west-1]
servers:
  - {slug: a, url: "https://a.example/mcp", auth: {bearer: secret:token}}
  - {slug: b, url: "https://b.example/mcp", auth: {headers: {x-key: "secret:key#one", x-two: "secret:key#two"}}}
  - {slug: c, url: "https://c.example/mcp", auth: {bearer: "ssm:/lookout/c"}}
sinks:
  hook: {webhook: "https://ops.example/hook", signing: secret:signing}
"""


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    calls: list[Any] = []

    def deploy(_: Any, config: Path, *, aws: Any, local: bool, adopt: bool, **__: Any) -> dict[str, dict[str, str]]:
        calls.append(("deploy", config.name, aws, local, *(["adopting"] if adopt else [])))
        return {"LookoutHome": {"SiteUrl": "https://d.cloudfront.net"}}

    monkeypatch.setattr(account, "identity", lambda region: ("123456789012", "arn:aws:iam::123456789012:user/me"))
    monkeypatch.setattr(account, "bootstrapped", lambda region: region == "us-west-2")
    monkeypatch.setattr(account, "secret_exists", lambda region, name: name == "token")
    monkeypatch.setattr(account, "parameter_exists", lambda region, name: False)
    monkeypatch.setattr(account, "stack_exists", lambda region, name: False)
    monkeypatch.setattr(account, "kept_tables", lambda region, names: [])
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
    assert aws == [("123456789012", ("us-east-1", "eu-west-1")), ("deploy", "lookout.yaml", None, False)]
    assert "https://d.cloudfront.net" in result.stdout
    assert "Account 123456789012" in result.stdout
    assert "https://d.cloudfront.net/metrics" in result.stdout
    for what in ("secret 'key'", "secret 'signing'", "parameter '/lookout/c'"):
        assert result.stdout.count(f"Create the {what}, which is missing") == 1
    assert "secret 'token'" not in result.stdout
    assert f"lookout status --config {config}" in result.stdout


def test_tables_an_earlier_lookout_left_are_taken_over(
    aws: list[Any], config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "kept_tables", lambda region, names: [n for n in names if n.endswith("history")])
    result = run("deploy", "--config", config, "--yes")
    assert "taken over, with what is in them: lookout-history" in result.stdout
    assert aws[-1] == ("deploy", "lookout.yaml", None, False, "adopting")


def test_tables_of_a_lookout_that_stands_are_its_own(
    aws: list[Any], config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "stack_exists", lambda region, name: (region, name) == ("us-east-1", "LookoutHome"))
    monkeypatch.setattr(account, "kept_tables", lambda region, names: list(names))
    assert run("deploy", "--config", config, "--yes").exit_code == 0
    assert aws[-1] == ("deploy", "lookout.yaml", None, False)


def test_every_region_in_the_way_is_named_before_anything_is_done(
    aws: list[Any], config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(region: str) -> bool:
        if region == "us-east-1":
            return True
        raise LocalError(f"region {region} refuses your credentials")

    monkeypatch.setattr(account, "bootstrapped", refuse)
    result = run("deploy", "--config", config, "--yes")
    assert result.exit_code == 2
    assert "nothing was deployed" in result.stderr
    for region in ("us-west-2", "eu-west-1"):
        assert f"region {region} refuses" in result.stderr
    assert aws == []


def test_a_file_that_is_not_there_is_said(aws: list[Any], tmp_path: Path) -> None:
    result = run("deploy", "--config", str(tmp_path / "other.yaml"), "--yes")
    assert result.exit_code == 2
    assert "other.yaml" in result.stderr
    assert aws == []


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
    assert "Kept on purpose: the tables" in result.stdout


def test_every_reference_is_found_once(config: str) -> None:
    found = [str(reference) for reference in wanted_references(load_config(config))]
    assert found == ["secret:key", "secret:signing", "secret:token", "ssm:/lookout/c"]


def test_the_heartbeat_s_address_is_asked_for_too(tmp_path: Path) -> None:
    path = tmp_path / "lookout.yaml"
    path.write_text(f"{YAML}heartbeat: ssm:/lookout/beat\n", encoding="utf-8")
    assert "ssm:/lookout/beat" in [str(reference) for reference in wanted_references(load_config(path))]


def test_the_stacks_are_called_what_infra_calls_them(config: str) -> None:
    names = stack_names(load_config(config))
    assert names == [HOME_STACK, *(probe_stack(region) for region in ("us-west-2", "us-east-1", "eu-west-1"))]
