"""What one deployment is made from: the user's configuration and the few switches of the CDK context."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from constructs import Node
from lookout.config.load import load_config
from lookout.config.model import Config
from lookout.errors import ConfigError, Problem

ROOT: Final = Path(__file__).resolve().parent.parent
"""The working copy: where functions/ and layers/ are."""
DEFAULT_CONFIG: Final = "lookout.yaml"
DEFAULT_LOCAL_PORT: Final = 4566
_REFERENCE: Final = "secret:"


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
    def x86(self) -> bool:
        """Lambda runs on Arm, where it is cheaper; the local AWS runs functions on this machine."""
        return self.local and platform.machine().lower() in ("x86_64", "amd64")

    @property
    def server_secrets(self) -> tuple[str, ...]:
        """Names of the secrets that servers' credentials refer to, sorted."""
        values: list[object] = []
        for server in self.config.servers:
            values.append(server.auth.get("bearer"))
            values.extend(dict(server.auth.get("headers", {})).values())
        return _secret_names(values)

    @property
    def sink_secrets(self) -> tuple[str, ...]:
        """Names of the secrets that sinks refer to, sorted."""
        return _secret_names(value for sink in self.config.site.sinks for value in (sink.url, sink.signing))


def _secret_names(values: Iterable[object]) -> tuple[str, ...]:
    return tuple(
        sorted({v.removeprefix(_REFERENCE) for v in values if isinstance(v, str) and v.startswith(_REFERENCE)})
    )


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
