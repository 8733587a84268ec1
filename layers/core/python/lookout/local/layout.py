"""Where things are in a working copy. Standard library only."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lookout.errors import LocalError

DEFAULT_PORT: Final = 4566
ENV_PORT: Final = "LOOKOUT_PORT"
DEMO_PORTS: Final = {
    "receiver": 4,
    "demo-modern": 5,
    "demo-sse-body": 6,
    "demo-token": 7,
    "demo-slow": 8,
    "demo-flaky": 9,
}
"""Offset of each demo port from the local AWS's port."""
DEMO_SLUGS: Final = tuple(name for name in DEMO_PORTS if name != "receiver")

UNSAFE_PORTS: Final = frozenset(
    {1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, *range(6665, 6670), 6679, 6697, 10080}
)
"""Ports from 1024 on that browsers do not fetch from (Fetch, "port blocking")."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths of one working copy. `state` is .local/, which holds everything `make up` creates."""

    root: Path
    state: Path

    @classmethod
    def of(cls, root: Path, state: Path | None = None) -> Layout:
        """The layout of the working copy at `root`; `state` elsewhere than .local/ for tests."""
        return cls(root.resolve(), (state or root / ".local").resolve())

    @property
    def venv(self) -> Path:
        """Lookout's own virtual environment."""
        return self.root / ".venv"

    @property
    def ministack_venv(self) -> Path:
        """MiniStack's: it pins an exact botocore and runs Lambda functions with its own interpreter."""
        return self.root / ".local" / "ministack-venv"

    @property
    def run(self) -> Path:
        """One JSON file per process we started."""
        return self.state / "run"

    @property
    def logs(self) -> Path:
        """One log per process we started, and one per deployment."""
        return self.state / "logs"

    @property
    def data(self) -> Path:
        """What the local AWS keeps across restarts."""
        return self.state / "data"

    @property
    def demo_config(self) -> Path:
        """The lookout.yaml of the demo, with the usual ports."""
        return self.root / "examples" / "local" / "lookout.yaml"

    @property
    def config(self) -> Path:
        """The lookout.yaml that is deployed: the demo's with the ports in use."""
        return self.state / "lookout.yaml"

    @property
    def outputs(self) -> Path:
        """Stack outputs of the last deployment, as `cdk deploy --outputs-file` writes them."""
        return self.state / "outputs.json"

    @property
    def received(self) -> Path:
        """What the webhook receiver got, one JSON object per line."""
        return self.state / "received.jsonl"

    @property
    def secrets(self) -> Path:
        """The demo's secrets, made once per working copy."""
        return self.state / "secrets.json"


def find_root(start: Path | None = None) -> Path:
    """The working copy `start` (default: the current directory) or this package lies in. Raises LocalError."""
    package = Path(__file__).resolve()
    for place in (start or Path.cwd(), package):
        for folder in (place, *place.parents):
            if (folder / "layers" / "core" / "python" / "lookout").is_dir() and (folder / "pyproject.toml").is_file():
                return folder
    raise LocalError("this command needs Lookout's source: run it in a clone of the repository")


def chosen_port(environ: Mapping[str, str] = os.environ) -> int:
    """LOOKOUT_PORT, or 4566. Raises LocalError where it is not a usable port."""
    text = environ.get(ENV_PORT, "") or str(DEFAULT_PORT)
    if not text.isdecimal() or not 1024 <= int(text) <= 65500:
        raise LocalError(f"{ENV_PORT}={text!r} is not a port: choose a number from 1024 to 65500, e.g. {ENV_PORT}=5566")
    port = int(text)
    for shown in (port, port + DEMO_PORTS["receiver"]):
        if shown in UNSAFE_PORTS:
            raise LocalError(
                f"{ENV_PORT}={port} would put a page on port {shown}, which browsers refuse to open: choose another, "
                f"e.g. {ENV_PORT}=5566"
            )
    return port


def other_port(port: int) -> int:
    """A port to offer where `port`, or one of those beside it, is taken: a thousand further, if that is usable."""
    wanted = port - port % 10 + 1000
    while True:
        try:
            return chosen_port({ENV_PORT: str(wanted if wanted <= 65_000 else DEFAULT_PORT + 1000)})
        except LocalError:
            wanted += 10


def write_json(path: Path, value: Any, *, secret: bool = False) -> None:
    """Write `value` so that a reader sees the old or the new file, never half of one. `secret`: for this user only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if secret else 0o644)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=1)
    fresh.replace(path)


def read_json(path: Path) -> Any:
    """The JSON value in `path`; None where there is no such file or it is not JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError, UnicodeDecodeError):
        return None
