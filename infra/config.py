"""What one deployment is made from: the user's configuration and the few switches of the CDK context."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from constructs import Node
from lookout.config.load import load_config
from lookout.config.model import Config
from lookout.config.references import references
from lookout.errors import ConfigError, Problem

ROOT: Final = Path(__file__).resolve().parent.parent
"""The working copy: where functions/ and layers/ are."""
DEFAULT_CONFIG: Final = "lookout.yaml"
DEFAULT_LOCAL_PORT: Final = 4566


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment. `account` None means the one whose credentials deploy; nothing is looked up at synthesis."""

    config: Config
    local: bool = False
    """For the local AWS: built for this machine, plain HTTP, nothing kept on destroy."""
    local_port: int = DEFAULT_LOCAL_PORT
    account: str | None = None

    @property
    def home(self) -> str:
        """The region of the tables."""
        return self.config.site.home

    @property
    def regions(self) -> tuple[str, ...]:
        """The probing regions."""
        return self.config.site.regions

    @property
    def watchers(self) -> tuple[str, ...]:
        """The regions that watch the home region: the other ones that probe; where there is none, the home region."""
        return tuple(region for region in self.regions if region != self.home) or (self.home,)

    @property
    def x86(self) -> bool:
        """Lambda runs on Arm, where it is cheaper; the local AWS runs functions on this machine."""
        return self.local and platform.machine().lower() in ("x86_64", "amd64")

    def secrets(self, kind: str) -> tuple[str, ...]:
        """Names of the secrets that `servers`, `sinks` or the `heartbeat` refer to, sorted."""
        return self._names(kind, "secret")

    def parameters(self, kind: str) -> tuple[str, ...]:
        """Names of the SSM parameters they refer to, sorted; each begins with a slash."""
        return self._names(kind, "ssm")

    def sinks(self, kind: str) -> tuple[str, ...]:
        """What the sinks of one kind are given, such as the ARNs of topics; sorted."""
        return tuple(sorted({sink.url for sink in self.config.site.sinks if sink.kind == kind}))

    @property
    def identities(self) -> tuple[str, ...]:
        """What SES may have verified for the e-mail sinks: their addresses, the domains of these, and those above."""
        mails = [sink.options for sink in self.config.site.sinks if sink.kind == "email"]
        addresses = {address for mail in mails for address in (mail["from"], *mail["to"])}
        domains: set[str] = set()
        for address in addresses:
            labels = address.rpartition("@")[2].split(".")
            domains |= {".".join(labels[first:]) for first in range(len(labels) - 1)}
        return tuple(sorted(addresses | domains))

    def _names(self, kind: str, store: str) -> tuple[str, ...]:
        values: dict[str, list[object]] = {
            "servers": [server.auth for server in self.config.servers],
            "sinks": [sink.referring for sink in self.config.site.sinks],
            "heartbeat": [beat.url] if (beat := self.config.site.heartbeat) else [],
        }
        return tuple(sorted({found.name for found in references(values[kind]) if found.store == store}))


def read_deployment(node: Node) -> Deployment:
    """From the context of the app: `config` (path), `local`, `localPort`. Raises ConfigError."""
    path = Path(str(node.try_get_context("config") or DEFAULT_CONFIG))
    local = str(node.try_get_context("local") or "false").lower() == "true"
    return Deployment(
        config=load_config(path),
        local=local,
        local_port=_local_port(node.try_get_context("localPort")) if local else DEFAULT_LOCAL_PORT,
        account=os.environ.get("CDK_DEFAULT_ACCOUNT") or None,
    )


def _local_port(given: object) -> int:
    """The `localPort` of the context, else the port of AWS_ENDPOINT_URL, else 4566."""
    text = str(given or urlsplit(os.environ.get("AWS_ENDPOINT_URL", "")).port or DEFAULT_LOCAL_PORT)
    if not text.isdecimal():
        problem = Problem("cdk", 0, 0, "localPort", f"{text!r} is not a port: pass a number, e.g. -c localPort=4566")
        raise ConfigError([problem])
    return int(text)
