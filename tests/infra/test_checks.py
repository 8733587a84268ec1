"""cdk-nag and cfn-lint over everything that would be deployed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import aws_s3 as s3

from infra import nag
from infra.application import build
from infra.config import Deployment


def report(folder: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((folder / "validation-report.json").read_text())
    return value


def test_nag_finds_nothing_that_is_not_acknowledged(aws: Any, aws_home_probes: Any) -> None:
    for assembly in (aws, aws_home_probes):
        found = [p for p in report(assembly.folder)["pluginReports"] if p["pluginName"] == "AwsSolutions"]
        assert [p["conclusion"] for p in found] == ["success"]


def test_nag_is_awake(tmp_path: Path, infra_application: Any, infra_config: Any) -> None:
    app = infra_application(tmp_path)
    home = build(app, Deployment(infra_config))
    s3.Bucket(home, "Careless")
    with pytest.raises(RuntimeError, match=r"(?i)validation"):
        app.synth()
    assert "AwsSolutions-S10" in json.dumps(report(tmp_path))


def test_every_acknowledgement_is_needed(
    tmp_path: Path, infra_application: Any, infra_config: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = nag.ACKNOWLEDGED
    monkeypatch.setattr(nag, "ACKNOWLEDGED", ())
    app = infra_application(tmp_path)
    home = build(app, Deployment(infra_config))
    with pytest.raises(RuntimeError, match=r"(?i)validation"):
        app.synth()
    text = json.dumps(report(tmp_path))
    for one in known:
        assert one.reason
        assert nag.rule_id(home, one.rule, "us-east-1").removeprefix("AwsSolutions::") in text, one


def test_cfn_lint(aws: Any, aws_home_probes: Any, local: Any) -> None:
    lint = shutil.which("cfn-lint", path=str(Path(sys.executable).parent)) or "cfn-lint"
    names = ("LookoutHome", "LookoutProbe-eu-west-1")
    paths = [str(a.folder / f"{name}.template.json") for a in (aws, aws_home_probes, local) for name in names]
    # W3005: the CDK makes every function depend on its role, which it refers to anyway.
    command = [lint, "--ignore-checks", "W3005", "--", *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_acknowledgements_name_constructs_that_exist(aws: Any) -> None:
    paths = {
        resource["Metadata"]["aws:cdk:path"].split("/", 1)[1]
        for template in aws.templates.values()
        for resource in template["Resources"].values()
        if "aws:cdk:path" in resource.get("Metadata", {})
    }
    for one in nag.ACKNOWLEDGED:
        for at in one.at:
            assert any(path == at or path.startswith(at + "/") for path in paths), at


def test_stacks_are_small_enough(aws: Any) -> None:
    for name, template in aws.templates.items():
        assert len(template["Resources"]) < 200, name
        assert len(json.dumps(template)) < 500_000
