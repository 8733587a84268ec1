"""The stacks, synthesized once per kind: for AWS, for AWS with the home region probing too, and for the local AWS."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from lookout.config.model import Config, Heartbeat, Server, Sink, Site

from infra.application import HOME_STACK, build, probe_stack
from infra.config import ROOT, Deployment

HOME = "us-east-1"
REGIONS = ("us-west-2", "eu-west-1")
ACCOUNT = "ACCOUNT"

CONFIG = Config(
    Site(
        "Acme",
        HOME,
        REGIONS,
        sinks=(
            Sink("hook", "webhook", "https://ops.acme.dev/lookout", signing="secret:lookout-signing"),
            Sink("oncall", "slack", "secret:slack-url"),
            Sink("ops", "slack", "ssm:/ops/slack", allow_private=True),
            Sink("mail", "email", "", options={"from": "lookout@status.acme.dev", "to": ["ann@acme.dev"]}),
            Sink("topic", "sns", "arn:aws:sns:eu-west-1:111122223333:alerts"),
            Sink("bus", "eventbridge", "default"),
            Sink("prometheus", "alertmanager", "https://alertmanager.acme.dev"),
            Sink("other-bus", "eventbridge", "arn:aws:events:eu-west-1:111122223333:event-bus/ops"),
        ),
        heartbeat=Heartbeat("secret:beat-address"),
        alarm_email="ops@acme.dev",
    ),
    (
        Server("plain", "https://plain.acme.dev/mcp"),
        Server("search", "https://mcp.acme.dev/mcp", auth={"bearer": "secret:acme-token"}, notify=("oncall",)),
        Server("keyed", "https://key.acme.dev/mcp", auth={"headers": {"X-Key": "secret:team/key#a", "X-Fixed": "no"}}),
        Server(
            "granted",
            "https://grant.acme.dev/mcp",
            auth={
                "oauth": {"client_id": "secret:team/key#b", "client_secret": "ssm:/lookout/secret", "scope": "a"},
                "client_certificate": {"certificate": "ssm:/lookout/certificate", "key": "secret:client-key"},
                "expires": "2027-01-31",
            },
        ),
    ),
)
WITHOUT_SECRETS = Config(Site("Plain", HOME, (HOME, "eu-west-1")), (Server("plain", "https://plain.acme.dev/mcp"),))


@dataclass(frozen=True)
class Assembly:
    """A synthesized application; `resources` by stack and CloudFormation type."""

    folder: Path
    regions: tuple[str, ...]

    @cached_property
    def templates(self) -> dict[str, dict[str, Any]]:
        names = (HOME_STACK, *(probe_stack(region) for region in self.regions))
        return {name: json.loads((self.folder / f"{name}.template.json").read_text()) for name in names}

    @property
    def home(self) -> dict[str, Any]:
        return self.templates[HOME_STACK]

    def of(self, stack: str, kind: str) -> dict[str, dict[str, Any]]:
        """Properties by logical id."""
        found = self.templates[stack]["Resources"].items()
        return {name: resource.get("Properties", {}) for name, resource in found if resource["Type"] == kind}


def application(folder: Path) -> cdk.App:
    """An app with the flags of cdk.json, which bundles nothing."""
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    return cdk.App(
        outdir=str(folder), context={**context, "aws:cdk:bundling-stacks": [], "aws:cdk:enable-path-metadata": True}
    )


def synthesize(folder: Path, config: Config, *, local: bool = False) -> Assembly:
    app = application(folder)
    build(app, Deployment(config, local=local, local_port=4599))
    app.synth()
    return Assembly(folder, config.site.regions)


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    return synthesize(tmp_path_factory.mktemp("aws"), CONFIG)


@pytest.fixture(scope="session")
def aws_home_probes(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    return synthesize(tmp_path_factory.mktemp("home"), WITHOUT_SECRETS)


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    return synthesize(tmp_path_factory.mktemp("local"), CONFIG, local=True)


@pytest.fixture(scope="session")
def infra_application() -> Any:
    """`application`, for tests that build their own."""
    return application


@pytest.fixture(scope="session")
def infra_config() -> Config:
    return CONFIG
