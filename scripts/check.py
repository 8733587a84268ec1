"""Every check there is, as `make test` and CI run it: `python scripts/check.py [--lint] [pytest arguments]`.

With CI=true whatever is missing is a failure. The slow static checks run beside the tests; what they said comes after.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CI = os.environ.get("CI", "").lower() in ("1", "true")
CORE = ("layers/core/python/lookout", "functions", "scripts")
EXACT = ("*/lookout/verdict/*", "*/lookout/history/*")
"""Rooms whose every line and branch must be covered."""
WAITING = ("tests/e2e", "tests/browser", "tests/matrix", "tests/conformance")
"""Tests that mostly wait for others: a browser, the local AWS, real servers. They run beside all the rest."""


@dataclass(frozen=True)
class Tool:
    """A program that some tests need: their marker, its names, its Debian package.

    `everywhere`: it is installed on any machine that lets us; a package that starts a service is installed in CI alone.
    """

    marker: str
    names: tuple[str, ...]
    package: str
    everywhere: bool


TOOLS = (
    Tool("browser", ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"), "chromium", True),
    Tool("alertmanager", ("prometheus-alertmanager",), "prometheus-alertmanager", False),
    Tool("prometheus", ("promtool",), "prometheus", False),
)


@dataclass(frozen=True)
class Check:
    """A command, and the environment it needs besides ours."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """How a check went. `seconds` it took."""

    check: Check
    code: int
    output: str
    seconds: float


QUICK = (
    Check("ruff check", ("ruff", "check", ".")),
    Check("ruff format", ("ruff", "format", "--check", ".")),
    Check("import rules", ("lint-imports",)),
)
TYPES = (
    Check("mypy, core", ("mypy", *CORE)),
    Check("mypy, infra", ("mypy", "--cache-dir", ".mypy_cache/infra", "infra", "app.py")),
)


def run(check: Check) -> Outcome:
    """Run a check, keeping what it says."""
    began = time.monotonic()
    done = subprocess.run(  # noqa: S603 -- our own commands
        check.command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return Outcome(check, done.returncode, done.stdout, time.monotonic() - began)


failed: list[str] = []
"""Names of the checks that failed, said again in the last line: what they said may be pages above it."""


def tell(outcome: Outcome) -> bool:
    """One line for a check that passed, all it said for one that did not."""
    print(f"  {'✗' if outcome.code else '✓'} {outcome.check.name:<28} {outcome.seconds:6.1f} s", flush=True)
    if outcome.code:
        print(outcome.output, flush=True)
        failed.append(outcome.check.name)
    return outcome.code == 0


def ensure(tool: Tool) -> str | None:
    """Have it, installing Debian's where that is possible; what is wrong where it is not."""
    if any(shutil.which(name) for name in tool.names):
        return None
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if (tool.everywhere or CI) and shutil.which("apt-get") and (not sudo or shutil.which("sudo")):
        print(f"Installing {tool.package} with apt-get, for the tests marked {tool.marker}", flush=True)
        for arguments in (["update"], ["install", "-y", "--no-install-recommends", tool.package]):
            command = [*sudo, "apt-get", "-q", *arguments]
            subprocess.run(command, check=False, stdout=subprocess.DEVNULL)  # noqa: S603 -- our own command
    if any(shutil.which(name) for name in tool.names):
        return None
    return f"the tests marked {tool.marker} need it and there is none: apt-get install {tool.package} (Debian)"


def coverage() -> bool:
    """Report coverage: the limit of pyproject.toml for all, 100 % for what judges and counts."""
    combined = run(Check("coverage combine", ("coverage", "combine", "--quiet")))
    if combined.code:
        return tell(combined)
    overall = run(Check("coverage, all", ("coverage", "report")))
    exact = run(
        Check(
            "coverage, verdict and history", ("coverage", "report", f"--include={','.join(EXACT)}", "--fail-under=100")
        )
    )
    last = overall.output.strip().splitlines()
    if last and not overall.code:
        print("  " + last[-1] if last[-1].startswith("TOTAL") else "  " + "\n  ".join(last[-4:]), flush=True)
    return all([tell(overall), tell(exact)])


def main() -> int:
    """Run it all; exit code 1 where anything failed."""
    arguments = sys.argv[1:]
    began = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(run, QUICK))
        good = False not in [tell(outcome) for outcome in outcomes]
        types: list[Future[Outcome]] = [pool.submit(run, check) for check in TYPES]
        if arguments[:1] == ["--lint"]:
            good = all([good, *(tell(job.result()) for job in types)])
        else:
            good = tests(arguments) and good
            good = all([good, *(tell(job.result()) for job in types)])
            good = coverage() and good
    verdict = "Everything passed" if good else f"FAILED ({', '.join(failed)})"
    print(f"{verdict} in {time.monotonic() - began:.0f} s", flush=True)
    return 0 if good else 1


def tests(arguments: list[str]) -> bool:
    """The tests, measured: in two runs side by side, or, with arguments, in one."""
    missing = {tool.marker: why for tool in TOOLS if (why := ensure(tool)) is not None}
    if missing and CI:
        print("\n".join(missing.values()), file=sys.stderr)
        failed.append("tests")
        return False
    marked: tuple[str, ...] = ()
    if missing:
        print("\n".join(f"{why}. Going on without them." for why in missing.values()), flush=True)
        marked = ("-m", " and ".join(f"not {marker}" for marker in missing))
    for stale in ROOT.glob(".coverage*"):
        stale.unlink()
    command = (sys.executable, "-m", "coverage", "run", "-m", "pytest", "-q", *marked)
    if arguments:
        return told_at_once("tests", (*command, *arguments))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(run, Check("tests that wait for others", (*command, *WAITING)))
        rest = told_at_once("tests", (*command, *(f"--ignore={folder}" for folder in WAITING)))
        outcome = waiting.result()
        # Of one that passed, what it counted.
        print("".join(outcome.output.splitlines(keepends=True)[-1:]), end="", flush=True)
        return tell(outcome) and rest


def told_at_once(name: str, command: tuple[str, ...]) -> bool:
    """Run a check whose own words go to the terminal as they come."""
    done = subprocess.run(command, cwd=ROOT, check=False)  # noqa: S603 -- our own command
    if done.returncode:
        failed.append(name)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
