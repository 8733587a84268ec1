"""Runs the official conformance suite, in either direction, and reads what it found."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.servers.real import install

HERE = Path(__file__).parent
BASELINE = HERE / "expected-failures.yml"
ENTRY = install.PACKAGES / "node_modules" / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
PROBE = [str(Path(sys.executable).parent / "lookout"), "probe", "--json"]
PROBE_WITH_CREDENTIALS = [sys.executable, str(HERE / "with_credentials.py")]
TIMEOUT_S = 60


@dataclass(frozen=True)
class Ran:
    """One run: its exit code, all it said, the status of every check by its id, and what the client printed."""

    code: int
    said: str
    checks: dict[str, list[str]]
    printed: str = ""

    def passed(self, check: str) -> bool:
        """Every time the check was made it succeeded, and it was made."""
        return set(self.checks.get(check, ["absent"])) == {"SUCCESS"}


def _run(arguments: list[str], results: Path | None) -> Ran:
    env = {**os.environ, "PATH": install.path_with_node(), "NODE_NO_WARNINGS": "1", "NO_COLOR": "1"}
    command = [str(install.NODE_BIN / "node"), str(ENTRY), *arguments]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env, timeout=TIMEOUT_S, check=False
    )
    checks: dict[str, list[str]] = {}
    for path in results.rglob("checks.json") if results is not None else ():
        for check in json.loads(path.read_text(encoding="utf-8")):
            checks.setdefault(check["id"], []).append(check["status"])
    printed = "".join(path.read_text(encoding="utf-8") for path in results.rglob("stdout.txt")) if results else ""
    return Ran(done.returncode, done.stdout, checks, printed)


def client_scenarios() -> set[str]:
    """Names of every scenario for clients the installed suite has."""
    return set(re.findall(r"^ +- (\S+)", _run(["list", "--client"], None).said, re.MULTILINE))


def try_client(client: list[str], scenario: str, version: str, results: Path) -> Ran:
    """Have the suite play the server for `client`, to which it appends an address."""
    arguments = ["client", "--command", shlex.join(client), "--scenario", scenario, "--timeout", "20000"]
    arguments += ["--spec-version", version] if version else []
    return _run([*arguments, "--expected-failures", str(BASELINE), "-o", str(results)], results)


def try_server(url: str, scenario: str, version: str, results: Path) -> Ran:
    """Have the suite play the client of a server."""
    arguments = ["server", "--url", url, "--scenario", scenario, "--spec-version", version]
    return _run([*arguments, "-o", str(results)], results)
