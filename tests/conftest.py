"""What every test may lean on: a local AWS of the session's own, on a free port, stopped by process id."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from lookout.local.layout import Layout
from lookout.local.ministack import start_ministack

ROOT = Path(__file__).parent.parent
# No example fails for the time it takes: that depends on what else the machine does. In CI the examples are always the
# same; a developer's runs look for new ones.
CI = os.environ.get("CI", "").lower() in ("1", "true")
hypothesis.settings.register_profile("lookout", deadline=None, derandomize=CI)
hypothesis.settings.load_profile("lookout")


@pytest.fixture(scope="session")
def new_port() -> Callable[[], int]:
    """Gives ports nobody listens on now."""

    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
            return port

    return find


@pytest.fixture(scope="module")
def local_aws(tmp_path_factory: pytest.TempPathFactory, new_port: Callable[[], int]) -> Iterator[str]:
    """Endpoint of a bare local AWS; the environment points at it while the module's tests run."""
    layout = Layout.of(ROOT, tmp_path_factory.mktemp("aws"))
    aws = start_ministack(new_port(), layout.data, persist=False, layout=layout)
    try:
        with aws.applied():
            yield aws.endpoint
    finally:
        aws.stop()
