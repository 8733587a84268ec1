from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from lookout.errors import LocalError
from lookout.local import install
from lookout.local.layout import Layout


class Machine:
    """A machine whose installers are recorded, not run."""

    def __init__(self, node: int) -> None:
        self.calls: list[list[str]] = []
        self.node = node
        self.fails: str | None = None

    def run(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        self.calls.append(list(command))
        if "venv" in command:
            (Path(command[-1]) / "bin").mkdir(parents=True)
            (Path(command[-1]) / "bin" / "python").touch()
        if command[-1].endswith("requirements-node.txt"):
            self.node = 24
        if self.fails and any(self.fails in word for word in command):
            return subprocess.CompletedProcess(command, 1, "line\n" * 30 + "the reason", "")
        return subprocess.CompletedProcess(command, 0, f"v{self.node}.1.0\n", "")

    def which(self, name: str, path: str | None = None) -> str | None:
        return f"/usr/bin/{name}" if self.node else None

    @property
    def installed(self) -> list[str]:
        words = [" ".join(call) for call in self.calls]
        found = [Path(w.split(" -r ")[1]).name for w in words if " -r " in w]
        return [*found, *("npm" for w in words if "npm ci" in w), *("editable" for w in words if "--editable" in w)]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(node=22)
    monkeypatch.setattr(install.subprocess, "run", made.run)
    monkeypatch.setattr(install.shutil, "which", made.which)
    return made


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    for name in (install.RUN, install.DEV, install.LOCAL, install.NODE, "pyproject.toml", "package-lock.json"):
        (tmp_path / name).write_text(name)
    return Layout.of(tmp_path)


def everything(layout: Layout, *, dev: bool = False) -> list[install.Outcome]:
    heard: list[install.Outcome] = []
    install.everything(layout, dev=dev, tell=heard.append)
    return heard


def test_the_first_time_everything_is_installed_from_locks(machine: Machine, layout: Layout) -> None:
    heard = everything(layout)
    assert all(outcome.fresh for outcome in heard)
    assert sorted(machine.installed) == ["editable", "npm", "requirements-local.txt", "requirements.txt"]
    assert all("--require-hashes" in call for call in machine.calls if "-r" in call)


def test_the_second_time_there_is_nothing_to_do(machine: Machine, layout: Layout) -> None:
    everything(layout)
    machine.calls.clear()
    assert not any(outcome.fresh for outcome in everything(layout))
    assert machine.installed == []


@pytest.mark.parametrize(
    ("changed", "again"),
    [
        ("requirements.txt", ["editable", "requirements.txt"]),
        ("requirements-local.txt", ["requirements-local.txt"]),
        ("package-lock.json", ["npm"]),
        ("pyproject.toml", ["editable", "requirements.txt"]),
    ],
)
def test_only_what_changed_is_installed_again(machine: Machine, layout: Layout, changed: str, again: list[str]) -> None:
    everything(layout)
    machine.calls.clear()
    (layout.root / changed).write_text("changed")
    everything(layout)
    assert sorted(machine.installed) == again


def test_what_development_needs_includes_what_running_needs(machine: Machine, layout: Layout) -> None:
    everything(layout)
    everything(layout, dev=True)
    machine.calls.clear()
    everything(layout)
    everything(layout, dev=True)
    assert machine.installed == []


def test_an_installation_cut_short_is_done_again(machine: Machine, layout: Layout) -> None:
    machine.fails = "--editable"
    with pytest.raises(LocalError, match="Lookout could not be installed"):
        everything(layout)
    machine.fails = None
    machine.calls.clear()
    everything(layout)
    assert {"requirements.txt", "editable"} <= set(machine.installed)


@pytest.mark.parametrize("had", [0, 18])
def test_where_there_is_no_node_pypi_brings_it(machine: Machine, layout: Layout, had: int) -> None:
    machine.node = had
    everything(layout)
    assert "requirements-node.txt" in machine.installed
    assert machine.installed.index("requirements-node.txt") < machine.installed.index("npm")


def test_a_node_that_does_not_run_is_no_node(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise OSError

    monkeypatch.setattr(install.subprocess, "run", broken)
    assert install.node_version("/usr/bin") == 0


def test_a_failure_shows_the_end_of_what_the_installer_said(machine: Machine, layout: Layout) -> None:
    machine.fails = "ci"
    with pytest.raises(LocalError, match=r"CDK CLI could not be installed(.|\n)*the reason") as caught:
        install.cdk_cli(layout)
    assert len(str(caught.value).splitlines()) < 20


def test_a_proxy_that_re_signs_is_recognised(machine: Machine, layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 1, "npm error code SELF_SIGNED_CERT_IN_CHAIN", "")
    monkeypatch.setattr(install.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(LocalError, match="NODE_EXTRA_CA_CERTS"):
        install.cdk_cli(layout)


def test_an_installer_that_is_not_there(layout: Layout) -> None:
    with pytest.raises(LocalError, match="No such file"):
        install.run_quiet("it", ["/nonexistent/npm"], cwd=layout.root)


def test_an_old_python_is_refused() -> None:
    with pytest.raises(LocalError, match=r"Python 3\.11 or newer is needed, this is 3\.10\.2"):
        install.check_python((3, 10, 2))
    install.check_python((3, 11, 0))


def test_our_programs_come_first(layout: Layout) -> None:
    assert install.tool_path(layout, "/usr/bin").split(os.pathsep) == [str(layout.venv / "bin"), "/usr/bin"]


def test_a_missing_venv_module_is_explained(machine: Machine, layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 1, "Error: ensurepip is not available", "")
    monkeypatch.setattr(install.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(LocalError, match="apt-get install python3-venv"):
        install.ministack(layout)
