"""app.py as the CDK CLI runs it, and what it reads from the context."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from lookout.errors import ConfigError

from infra.config import ROOT, Deployment, read_deployment

GOOD = """\
name: Acme
home: us-east-1
regions: [us-west-2]
servers:
  - slug: acme
    url: https://mcp.acme.dev/mcp
    auth: {bearer: secret:acme-token}
"""


def run_app(folder: Path, text: str, **context: str) -> subprocess.CompletedProcess[str]:
    """Run app.py offline: without credentials, and with every proxy pointing nowhere."""
    config = folder / "lookout.yaml"
    config.write_text(text)
    flags = json.loads((ROOT / "cdk.json").read_text())["context"]
    given = {**flags, "config": str(config), "templates": "true", **context}
    nowhere = "http://127.0.0.1:9"
    env = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "CDK_"))},
        "CDK_CONTEXT_JSON": json.dumps(given),
        "CDK_OUTDIR": str(folder / "out"),
        "HTTPS_PROXY": nowhere,
        "HTTP_PROXY": nowhere,
    }
    command = [sys.executable, str(ROOT / "app.py")]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_a_wrong_configuration_says_where_and_synthesizes_nothing(tmp_path: Path) -> None:
    done = run_app(tmp_path, GOOD.replace("    url:", "    nmae: Acme\n    url:"))
    assert done.returncode == 2
    assert f"{tmp_path}/lookout.yaml:6:5: servers[0].nmae:" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("out/*.template.json"))


def test_it_synthesizes_offline(tmp_path: Path) -> None:
    done = run_app(tmp_path, GOOD)
    assert done.returncode == 0, done.stderr
    assert {p.name for p in tmp_path.glob("out/*.template.json")} == {
        "LookoutHome.template.json",
        "LookoutProbe-us-west-2.template.json",
    }


def read(tmp_path: Path, **context: Any) -> Deployment:
    path = tmp_path / "lookout.yaml"
    path.write_text(GOOD)
    return read_deployment(cdk.App(context={"config": str(path), **context}, outdir=str(tmp_path / "out")).node)


def test_the_context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("CDK_DEFAULT_ACCOUNT", "123456789012")
    plain = read(tmp_path)
    assert (plain.local, plain.local_port, plain.account, plain.x86) == (False, 4566, "123456789012", False)
    assert (plain.home, plain.regions) == ("us-east-1", ("us-west-2",))
    assert (plain.secrets("servers"), plain.secrets("sinks"), plain.parameters("servers")) == (("acme-token",), (), ())
    assert read(tmp_path, local="true", localPort="4599").local_port == 4599
    assert read(tmp_path, local="true").local_port == 4566
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:5001")
    assert read(tmp_path, local="true").local_port == 5001
    assert read(tmp_path).local_port == 4566


def test_a_port_that_is_none_is_a_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="localPort"):
        read(tmp_path, local="true", localPort="many")


def test_the_tools_are_pinned() -> None:
    package = json.loads((ROOT / "package.json").read_text())
    lock = json.loads((ROOT / "package-lock.json").read_text())
    assert package["devDependencies"] == {"aws-cdk": "2.1148.1"}
    assert lock["packages"]["node_modules/aws-cdk"]["version"] == "2.1148.1"
    assert not [entry for entry in lock["packages"].values() if "resolved" in entry]
    assert json.loads((ROOT / "cdk.json").read_text())["app"] == "python app.py"
