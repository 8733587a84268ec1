"""What the layers hold, and that their locks say exactly what they must."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from lookout import settings

from infra.application import HOME_STACK
from infra.config import ROOT
from infra.constructs.layers import Pip, pip_command

VENDOR = ROOT / "layers" / "vendor"
PIN = re.compile(r"^([a-z0-9-]+)==([^ ;\\]+)", re.MULTILINE)
OF_THE_RUNTIME = {"boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"}


def pins(path: Path) -> dict[str, str]:
    return dict(PIN.findall(path.read_text(encoding="utf-8")))


def test_the_vendor_lock_is_hashed_and_leaves_out_what_the_runtime_brings() -> None:
    text = (VENDOR / "requirements.txt").read_text(encoding="utf-8")
    locked = pins(VENDOR / "requirements.txt")
    wanted = {line for line in (VENDOR / "requirements.in").read_text().split("\n") if line and line[0] != "#"}
    assert wanted <= set(locked)
    assert not OF_THE_RUNTIME & set(locked)
    assert "aws-xray-sdk" not in locked
    assert not re.search(r"--(extra-)?index-url|--find-links|://", text)
    entries = re.split(r"\n(?=\S)", text.strip())
    assert len(entries) == len(locked)
    assert all("--hash=sha256:" in entry for entry in entries)


def test_lambda_runs_the_versions_that_were_tested() -> None:
    tested = pins(ROOT / "requirements-dev.txt")
    locked = pins(VENDOR / "requirements.txt")
    assert {name: tested.get(name) for name in locked} == locked


def test_pip_builds_for_lambda_or_for_this_machine() -> None:
    lambda_, local = pip_command(local=False), pip_command(local=True)
    assert "manylinux2014_aarch64" in lambda_
    assert "--platform" not in local
    for command in (lambda_, local):
        assert {"--require-hashes", "--no-deps", "--only-binary"} <= set(command)


def bundle(command: list[str], folder: Path) -> bool:
    image = cdk.DockerImage.from_registry("unused")
    return Pip().try_bundle(str(folder), cdk.BundlingOptions(image=image, command=command))


def test_a_failing_pip_is_an_error_and_not_docker(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="vendor layer could not be built"):
        bundle(["pip", "install", "--no-index", "--quiet", "lookout-has-no-such-dependency"], tmp_path)


def test_bundling_installs_into_the_python_folder(tmp_path: Path) -> None:
    source = tmp_path / "thing"
    source.mkdir()
    (source / "thing.py").write_text("")
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires=[]\nbuild-backend="backend"\nbackend-path=["."]\n[project]\nname="thing"\nversion="1"\n'
    )
    wheel = "thing-1-py3-none-any.whl"
    (source / "backend.py").write_text(
        "import zipfile\n"
        "def build_wheel(folder, *_a, **_k):\n"
        f"    with zipfile.ZipFile(folder + '/{wheel}', 'w') as z:\n"
        "        z.writestr('thing.py', '')\n"
        "        z.writestr('thing-1.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: thing\\nVersion: 1\\n')\n"
        "        wheel = 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n'\n"
        "        z.writestr('thing-1.dist-info/WHEEL', wheel)\n"
        "        z.writestr('thing-1.dist-info/RECORD', '')\n"
        f"    return '{wheel}'\n"
    )
    out = tmp_path / "out"
    out.mkdir()
    assert bundle(["pip", "install", "--quiet", "--no-index", "--no-build-isolation", str(source)], out)
    assert (out / "python" / "thing.py").exists()


def core(assembly: Any) -> Path:
    for properties in assembly.of(HOME_STACK, "AWS::Lambda::LayerVersion").values():
        folder: Path = assembly.folder / f"asset.{properties['Content']['S3Key'].removesuffix('.zip')}"
        if properties["Description"].endswith("the package"):
            return folder
    raise AssertionError("no core layer")


def test_the_core_layer_is_our_package_and_no_developers_tool(aws: Any) -> None:
    package = core(aws) / "python" / "lookout"
    held = {path.name for path in package.iterdir()}
    assert {"settings.py", "store", "verdict", "status", "probe", "config"} <= held
    assert not {"cli", "local", "__pycache__"} & held
    assert [path.name for path in package.parent.iterdir()] == ["lookout"]
    assert not list(package.rglob("*.pyc"))
    assert sum(path.stat().st_size for path in package.rglob("*") if path.is_file()) < 2_000_000


def test_every_handler_imports_from_the_core_layer_alone(aws: Any) -> None:
    """With the layer in place of the working copy, as in Lambda."""
    code = "import runpy, sys; sys.path.insert(0, sys.argv[1]); import lookout; "
    code += "assert lookout.__file__.startswith(sys.argv[1]); [runpy.run_path(path) for path in sys.argv[2:]]"
    handlers = sorted(str(path) for path in (ROOT / "functions").glob("*/handler.py"))
    assert len(handlers) == len(settings.FUNCTIONS)
    layer = str(core(aws) / "python")
    done = subprocess.run(
        [sys.executable, "-B", "-c", code, layer, *handlers], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
