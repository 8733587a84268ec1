"""Installs what the developer's commands need, from lock files, once. Standard library only: it runs first.

Each thing installed leaves a stamp: the hash of its lock file, of the interpreter, and of where it lies. An unchanged
stamp means there is nothing to do. Nothing is installed outside the working copy.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lookout.errors import LocalError
from lookout.local.layout import Layout, read_json, write_json

OLDEST_PYTHON: Final = (3, 11)
OLDEST_NODE: Final = 20
STAMP: Final = ".lookout-installed.json"
RUN: Final = "requirements.txt"
DEV: Final = "requirements-dev.txt"
LOCAL: Final = "requirements-local.txt"
NODE: Final = "requirements-node.txt"
IN_VENV: Final = sys.prefix != sys.base_prefix
_PYTHON: Final = f"python{sys.version_info[0]}.{sys.version_info[1]}"
BASE_PYTHON: Final = str(Path(sys.base_prefix, "bin", _PYTHON)) if IN_VENV else sys.executable
"""The interpreter environments are made from: never that of an environment, which may be about to be removed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One thing installed, or found installed (`fresh` false). `seconds` is how long that took."""

    what: str
    fresh: bool
    seconds: float


def digest(parts: Iterable[str | Path]) -> str:
    """SHA-256 over the given texts and files' bytes."""
    total = hashlib.sha256()
    for part in parts:
        total.update(part.read_bytes() if isinstance(part, Path) else part.encode())
        total.update(b"\0")
    return total.hexdigest()


def check_python(version: tuple[int, ...] = tuple(sys.version_info[:3])) -> None:
    """Raise LocalError where this Python is too old."""
    if version[:2] < OLDEST_PYTHON:
        wanted, found = (".".join(str(n) for n in v) for v in (OLDEST_PYTHON, version))
        raise LocalError(f"Python {wanted} or newer is needed, this is {found}: make PYTHON=/path/to/python3.13 up")


def run_quiet(what: str, command: Sequence[str], *, cwd: Path, path: str | None = None) -> None:
    """Run an installer; its output is shown only where it fails. Raises LocalError."""
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    if path is not None:
        env["PATH"] = path
    try:
        done = subprocess.run(
            list(command), cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
    except OSError as error:
        raise LocalError(f"{what} could not be installed: {command[0]}: {error.strerror}") from error
    if done.returncode:
        tail = "\n".join(done.stdout.strip().splitlines()[-15:])
        if "SELF_SIGNED_CERT" in tail or "CERTIFICATE_VERIFY_FAILED" in tail:
            tail += "\nA proxy seems to re-sign TLS: name its CA with NODE_EXTRA_CA_CERTS, PIP_CERT and SSL_CERT_FILE."
        raise LocalError(f"{what} could not be installed: `{' '.join(command)}` said:\n{tail}")


def _stamp(layout: Layout, locks: Iterable[Path], place: Path) -> str:
    return digest([str(layout.root), str(place), sys.version, sys.base_prefix, *locks])


def _stamped(place: Path, key: str, stamp: str) -> bool:
    value = read_json(place / STAMP)
    return isinstance(value, dict) and value.get(key) == stamp


def _set_stamps(place: Path, **stamps: str) -> None:
    value = read_json(place / STAMP)
    write_json(place / STAMP, {**(value if isinstance(value, dict) else {}), **stamps})


def _make_venv(place: Path, *, keep: bool) -> None:
    """A virtual environment at `place`, made anew unless `keep` and it works."""
    python = place / "bin" / "python"
    if keep and python.exists():
        return
    shutil.rmtree(place, ignore_errors=True)
    done = subprocess.run(
        [BASE_PYTHON, "-m", "venv", str(place)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        advice = "On Debian and Ubuntu: apt-get install python3-venv" if "ensurepip" in done.stdout else done.stdout
        raise LocalError(f"a virtual environment could not be made at {place}.\n{advice.strip()}")


def _pip(what: str, place: Path, lock: Path, root: Path) -> None:
    python = str(place / "bin" / "python")
    common = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", "--no-deps"]
    run_quiet(what, [*common, "--require-hashes", "-r", str(lock)], cwd=root)


def python_packages(layout: Layout, *, dev: bool) -> Outcome:
    """Lookout itself (editable) and what it needs, in .venv; `dev` adds what the tests and checks need."""
    began = time.monotonic()
    name = DEV if dev else RUN
    what = "Python packages for development" if dev else "Python packages"
    project = layout.root / "pyproject.toml"
    stamps = {lock: _stamp(layout, [layout.root / lock, project], layout.venv) for lock in (RUN, DEV)}
    # requirements-dev.txt holds all of requirements.txt, so one that is current satisfies both.
    if any(_stamped(layout.venv, lock, stamps[lock]) for lock in ((DEV,) if dev else (RUN, DEV))):
        return Outcome(what, False, time.monotonic() - began)
    base = _stamp(layout, [], layout.venv)
    _make_venv(layout.venv, keep=_stamped(layout.venv, "base", base))
    _set_stamps(layout.venv, base=base, **{RUN: "", DEV: ""})
    _pip(what, layout.venv, layout.root / name, layout.root)
    python = str(layout.venv / "bin" / "python")
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation"]
    run_quiet("Lookout", [python, "-m", "pip", "install", *options, "--editable", str(layout.root)], cwd=layout.root)
    _set_stamps(layout.venv, **{name: stamps[name]})
    return Outcome(what, True, time.monotonic() - began)


def ministack(layout: Layout) -> Outcome:
    """The local AWS, in a virtual environment of its own."""
    began = time.monotonic()
    place, lock = layout.ministack_venv, layout.root / LOCAL
    stamp = _stamp(layout, [lock], place)
    if _stamped(place, LOCAL, stamp):
        return Outcome("Local AWS (MiniStack)", False, time.monotonic() - began)
    _make_venv(place, keep=False)
    _pip("MiniStack", place, lock, layout.root)
    _set_stamps(place, **{LOCAL: stamp})
    return Outcome("Local AWS (MiniStack)", True, time.monotonic() - began)


def tool_path(layout: Layout, path: str | None = None) -> str:
    """PATH for subprocesses: the virtual environment's programs first, so `python3` and `node` are ours."""
    return os.pathsep.join([str(layout.venv / "bin"), path if path is not None else os.environ.get("PATH", os.defpath)])


def node_version(path: str) -> int:
    """Major version of the `node` that PATH finds, where it has npm beside it; 0 where there is none that runs."""
    node = shutil.which("node", path=path)
    if node is None or shutil.which("npm", path=path) is None:
        return 0
    try:
        done = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    major = done.stdout.strip().removeprefix("v").split(".")[0]
    return int(major) if major.isdecimal() and done.returncode == 0 else 0


def node(layout: Layout) -> Outcome:
    """Node 20 or newer: the machine's if it has one, else the one PyPI carries, put into .venv (which must exist)."""
    began = time.monotonic()
    if node_version(tool_path(layout)) >= OLDEST_NODE:
        return Outcome("Node", False, time.monotonic() - began)
    _pip("Node", layout.venv, layout.root / NODE, layout.root)
    if node_version(tool_path(layout)) < OLDEST_NODE:
        raise LocalError(f"Node {OLDEST_NODE} or newer is needed, and the one from PyPI does not run on this machine.")
    return Outcome("Node (from PyPI)", True, time.monotonic() - began)


def cdk_cli(layout: Layout) -> Outcome:
    """The CDK CLI, exactly as package-lock.json says, in node_modules."""
    began = time.monotonic()
    place = layout.root / "node_modules"
    stamp = _stamp(layout, [layout.root / "package-lock.json"], place)
    if _stamped(place, "npm", stamp):
        return Outcome("CDK CLI", False, time.monotonic() - began)
    path = tool_path(layout)
    npm = shutil.which("npm", path=path) or "npm"
    command = [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    run_quiet("the CDK CLI", command, cwd=layout.root, path=path)
    _set_stamps(place, npm=stamp)
    return Outcome("CDK CLI", True, time.monotonic() - began)


def everything(layout: Layout, *, dev: bool, tell: Callable[[Outcome], None]) -> None:
    """All of it, what can go side by side side by side; `tell` hears of each as it is done. Raises LocalError."""
    check_python()

    def packages_and_node() -> None:
        tell(python_packages(layout, dev=dev))
        if node_version(os.environ.get("PATH", os.defpath)) < OLDEST_NODE:
            tell(node(layout))
            tell(cdk_cli(layout))

    def cli_with_own_node() -> None:
        if node_version(os.environ.get("PATH", os.defpath)) >= OLDEST_NODE:
            tell(cdk_cli(layout))

    with ThreadPoolExecutor(3) as pool:
        jobs = [
            pool.submit(packages_and_node),
            pool.submit(lambda: tell(ministack(layout))),
            pool.submit(cli_with_own_node),
        ]
    for job in jobs:
        job.result()
