from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest
from botocore.exceptions import NoCredentialsError
from click.testing import CliRunner, Result
from lookout.cli.main import cli
from lookout.config.model import Server, Site
from lookout.probe.result import Status
from lookout.verdict.state import ServerState


class Tables:
    site: Site | None = Site("Acme", "us-east-1", ("us-west-2",))
    statuses: ClassVar[dict[str, Status]] = {}
    error: Exception | None = None
    home = ""

    def __init__(self, home: str) -> None:
        type(self).home = home

    def roster(self) -> tuple[Site | None, list[Server]]:
        if self.error is not None:
            raise self.error
        return self.site, [Server(slug, f"https://{slug}/mcp") for slug in self.statuses]

    def server_states(self) -> dict[str, ServerState]:
        return {slug: ServerState(slug, status) for slug, status in self.statuses.items()}


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> type[Tables]:
    made = type("Made", (Tables,), {"statuses": {"a": Status.UP, "b": Status.DEGRADED, "c": Status.DOWN}})
    monkeypatch.setattr("lookout.store.Store", made)
    return made


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["status", *arguments])


@pytest.mark.parametrize(("arguments", "code"), [((), 1), (("a",), 0), (("b",), 3), (("c",), 1)])
def test_the_exit_code_says_how_it_is(tables: type[Tables], arguments: tuple[str, ...], code: int) -> None:
    result = run("--home", "us-east-1", *arguments)
    assert result.exit_code == code
    assert len(result.stdout.splitlines()) == (1 if arguments else 3)


def test_json(tables: type[Tables]) -> None:
    result = run("--home", "eu-west-1", "--json", "a")
    assert [s["slug"] for s in json.loads(result.stdout)["servers"]] == ["a"]
    assert tables.home == "eu-west-1"


def test_home_comes_from_the_file(tables: type[Tables], tmp_path: Path) -> None:
    path = tmp_path / "lookout.yaml"
    path.write_text(
        "name: Acme\nhome: eu-central-1\nregions: [us-west-2]\nservers: [{slug: a, url: 'https://a.example/mcp'}]\n"
    )
    run("--config", str(path))
    assert tables.home == "eu-central-1"


@pytest.mark.parametrize(
    ("change", "arguments", "said"),
    [
        ({}, ["--config", "/nonexistent.yaml"], "--home"),
        ({}, ["--home", "us-east-1", "d"], "no server 'd'; there are: a, b, c"),
        ({"site": None}, ["--home", "us-east-1"], "no Lookout is deployed in us-east-1"),
        ({"error": NoCredentialsError()}, ["--home", "us-east-1"], "cannot be read"),
    ],
)
def test_what_cannot_be_told_is_exit_code_2(
    tables: type[Tables], change: dict[str, Any], arguments: list[str], said: str
) -> None:
    for name, value in change.items():
        setattr(tables, name, value)
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""
