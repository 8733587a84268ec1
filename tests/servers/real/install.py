"""Installs the real servers of the matrix under .local/servers, once: `python -m tests.servers.real.install`.

Each lives in an environment of its own, from a locked list, because their packages contradict each other. What is
installed is stamped with the digest of its list and of the interpreter; an unchanged stamp means there is nothing to
do. Two processes may run this at once: the second waits for the first. What cannot be installed is an error, never a
server less.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from lookout.local.install import BASE_PYTHON, NODE, Outcome, digest, run_quiet
from lookout.local.layout import read_json, write_json
from uv import find_uv_bin

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
HOME = ROOT / ".local" / "servers"
LISTS = HERE / "environments"
PACKAGES = HOME / "npm"
"""The Node packages, servers and conformance suite alike; PACKAGES/node_modules holds them."""
NODE_BIN = HOME / "node" / "bin"
STAMP = "installed.json"


def python_of(environment: str) -> Path:
    """The interpreter of an environment; `environment` is the name of its list without the suffix."""
    return HOME / environment / "bin" / "python"


def environments() -> list[str]:
    """Every Python environment there is a locked list for."""
    return sorted(path.stem for path in LISTS.glob("*.txt"))


@contextmanager
def _alone() -> Iterator[None]:
    """One process at a time."""
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _once(what: str, place: Path, stamp: str, make: Callable[[], None]) -> Outcome:
    began = time.monotonic()
    fresh = read_json(place / STAMP) != stamp
    if fresh:
        shutil.rmtree(place, ignore_errors=True)
        make()
        write_json(place / STAMP, stamp)
    return Outcome(what, fresh, time.monotonic() - began)


def _environment(uv: str, name: str, locked: Path) -> Outcome:
    place = HOME / name

    def make() -> None:
        run_quiet(name, [uv, "venv", "--quiet", "--no-project", "--python", BASE_PYTHON, str(place)], cwd=ROOT)
        install = [uv, "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--python", str(place)]
        run_quiet(name, [*install, "-r", str(locked)], cwd=ROOT)

    return _once(name, place, digest([str(place), sys.version, BASE_PYTHON, locked]), make)


def _packages() -> Outcome:
    """The Node packages; the Node they run on must be installed."""
    manifest, lock = HERE / "node" / "package.json", HERE / "node" / "package-lock.json"

    def make() -> None:
        PACKAGES.mkdir(parents=True)
        for source in (manifest, lock):
            shutil.copy(source, PACKAGES)
        command = [str(NODE_BIN / "npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        run_quiet("the Node packages", command, cwd=PACKAGES, path=path_with_node())

    return _once("Node packages", PACKAGES, digest([str(PACKAGES), manifest, lock]), make)


def path_with_node() -> str:
    """PATH with the Node installed here before any other."""
    return os.pathsep.join([str(NODE_BIN), os.environ.get("PATH", os.defpath)])


def everything(tell: Callable[[Outcome], None] = lambda _: None) -> None:
    """All of it, two at a time. Raises lookout.errors.LocalError."""
    uv = find_uv_bin()
    with _alone(), ThreadPoolExecutor(2) as pool:

        def node() -> None:
            tell(_environment(uv, "node", ROOT / NODE))
            tell(_packages())

        def python(name: str) -> None:
            tell(_environment(uv, name, LISTS / f"{name}.txt"))

        jobs = [pool.submit(node), *(pool.submit(python, name) for name in environments())]
        for job in jobs:
            job.result()


if __name__ == "__main__":
    started = time.monotonic()

    def tell(outcome: Outcome) -> None:
        print(f"  {outcome.what:<20} {outcome.seconds:5.1f} s {'' if outcome.fresh else '(was there)'}", flush=True)

    everything(tell)
    print(f"  {time.monotonic() - started:.1f} s")
