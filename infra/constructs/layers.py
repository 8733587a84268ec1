"""The two layers of every function: `core`, our own package as it lies, and `vendor`, what Lambda's runtime lacks.

A change of our code uploads tens of kilobytes per region; the vendor layer changes when its lock file does.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from typing import Final

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.config import ROOT, Deployment

RUNTIME: Final = lambda_.Runtime.PYTHON_3_13
_LAMBDA_WHEELS: Final = ("--platform", "manylinux2014_aarch64", "--implementation", "cp", "--python-version", "3.13")
_NOT_IN_LAMBDA: Final = (
    "**/__pycache__",
    "**/*.egg-info",
    "**/.*",
    "python/lookout/cli",
    "python/lookout/local",
)
"""Caches, and the rooms that only a developer's machine needs: a change there deploys nothing."""


@jsii.implements(cdk.ILocalBundling)
class Pip:
    """Bundles with this interpreter's pip, from the arguments in the bundling command: they are in the asset's hash."""

    def try_bundle(self, output_dir: str, options: cdk.BundlingOptions) -> bool:
        """Install into `output_dir`. Raises where pip fails: returning False would fall through to Docker."""
        command = [sys.executable, "-m", *(options.command or ()), "--target", f"{output_dir}/python"]
        done = subprocess.run(  # noqa: S603 -- the arguments are ours, from this module
            command, cwd=ROOT / "layers" / "vendor", capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"the vendor layer could not be built:\n{done.stdout}{done.stderr}")
        return True


def pip_command(*, local: bool) -> list[str]:
    """The arguments of pip but for the target: for Lambda's platform, or for this machine's."""
    common = ["pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile"]
    wheels = () if local else _LAMBDA_WHEELS
    return [*common, "--only-binary", ":all:", *wheels, "--require-hashes", "-r", "requirements.txt"]


class Layers(Construct):
    """Both layers of one stack; `versions` in the order functions take them."""

    def __init__(self, scope: Construct, id_: str, deployment: Deployment) -> None:
        super().__init__(scope, id_)
        architecture = lambda_.Architecture.X86_64 if deployment.x86 else lambda_.Architecture.ARM_64
        # The host's platform is part of the hash: a folder of assets may be shared by two machines.
        host = f"{sysconfig.get_platform()}-{sys.version_info.major}.{sys.version_info.minor}"
        bundling = cdk.BundlingOptions(
            image=cdk.DockerImage.from_registry("public.ecr.aws/sam/build-python3.13"),
            command=pip_command(local=deployment.local),
            environment={"BUILT_FOR": host} if deployment.local else {},
            local=Pip(),  # type: ignore[arg-type] # jsii.implements is invisible to mypy
        )
        vendor = lambda_.Code.from_asset(str(ROOT / "layers" / "vendor"), exclude=["*.in", "**/.*"], bundling=bundling)
        core = lambda_.Code.from_asset(
            str(ROOT / "layers" / "core"), exclude=list(_NOT_IN_LAMBDA), ignore_mode=cdk.IgnoreMode.GLOB
        )
        self.versions = [
            lambda_.LayerVersion(
                self,
                name,
                code=code,
                description=f"Lookout: {what}",
                compatible_runtimes=[RUNTIME],
                compatible_architectures=[architecture],
            )
            for name, code, what in (("Vendor", vendor, "locked dependencies"), ("Core", core, "the package"))
        ]
