"""One deployed Lookout for all end-to-end tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lookout.local.layout import Layout
from lookout.local.ministack import ACCOUNT

from tests.e2e.world import HOME, World, deployed, until

ROOT = Path(__file__).parent.parent.parent
AWS_SINKS = {
    "mail": {"email": ["oncall@acme.dev", "sre@acme.dev"], "from": "lookout@acme.dev"},
    "topic": {"sns": f"arn:aws:sns:{HOME}:{ACCOUNT}:acme-alerts"},
    "bus": {"eventbridge": "acme-events"},
}
"""Deployed for what `test_aws_sinks` tells them; notify may send to them and to nothing else of their kinds."""


@pytest.fixture(name="until")
def until_fixture() -> Callable[..., Any]:
    """`until(question, seconds)`: the first true answer."""
    return until


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory, new_port: Callable[[], int]) -> Iterator[World]:
    """Deployed once for all end-to-end tests."""
    with deployed(Layout.of(ROOT, tmp_path_factory.mktemp("world")), new_port(), AWS_SINKS) as made:
        yield made
