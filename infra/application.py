"""All stacks of one deployment."""

from __future__ import annotations

from typing import Final

import aws_cdk as cdk

from infra import nag
from infra.config import Deployment
from infra.stacks.home import HomeStack
from infra.stacks.probe import ProbeStack

HOME_STACK: Final = "LookoutHome"


def probe_stack(region: str) -> str:
    """The name of a region's probe stack."""
    return f"LookoutProbe-{region}"


def build(app: cdk.App, deployment: Deployment) -> HomeStack:
    """Put the home stack and one probe stack per region into `app`; on AWS, with cdk-nag's rules over all of it."""

    def synthesizer() -> cdk.IStackSynthesizer | None:
        # The local AWS enforces IAM, and has none of the roles that the default synthesizer assumes.
        return cdk.CliCredentialsStackSynthesizer() if deployment.local else None

    def env(region: str) -> cdk.Environment:
        return cdk.Environment(account=deployment.account, region=region)

    home = HomeStack(app, HOME_STACK, deployment, env=env(deployment.home), synthesizer=synthesizer())
    stacks: list[cdk.Stack] = [home]
    for region in deployment.regions:
        probe = ProbeStack(app, probe_stack(region), deployment, env=env(region), synthesizer=synthesizer())
        probe.add_stack_dependency(home, "dispatch reads the tables")
        stacks.append(probe)
    cdk.Tags.of(app).add("app", "lookout")
    if not deployment.local:
        nag.check(app, stacks, deployment.home)
    return home
