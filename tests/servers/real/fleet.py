"""Starts the real servers, all at once, each process once, on loopback; waits for their ports; ends them by id."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.servers.real import install
from tests.servers.real.catalogue import Configuration, Process

START_S = 90.0
"""A process that does not listen after so long is broken: they all start together, on two cores perhaps."""
AT_ONCE = 3


class Started:
    """A running process and the ports it listens on, by what it serves there ("" where it is one server)."""

    def __init__(self, process: subprocess.Popen[bytes], ports: dict[str, int], log: Path):
        self.process, self.ports, self.log = process, ports, log

    def stop(self) -> None:
        """End it and what it started: they are one process group."""
        for number, grace_s in ((signal.SIGTERM, 3.0), (signal.SIGKILL, 10.0)):
            try:
                os.killpg(self.process.pid, number)
                self.process.wait(grace_s)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        self.process.wait(10)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as caller:
        caller.settimeout(1)
        return caller.connect_ex(("127.0.0.1", port)) == 0


def start(process: Process, folder: Path) -> Started:
    """Start one and wait until it listens. AssertionError, with its own words, where it does not."""
    ready, log = folder / f"{process.name}.json", folder / f"{process.name}.log"
    port = 0 if process.serves else _free_port()
    places = {"port": port, "ready": ready, "node": install.NODE_BIN / "node", "here": install.HERE}
    places |= {"packages": install.PACKAGES / "node_modules", "bin": install.python_of(process.environment).parent}
    command = [part.format(**places) for part in process.command] + list(process.serves)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV", "LOOKOUT_"))}
    env |= {"LOOKOUT_PACKAGES": str(install.PACKAGES), "PORT": str(port), "FASTMCP_CHECK_FOR_UPDATES": "off"}
    with log.open("wb") as out:
        running = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env, cwd=folder, start_new_session=True
        )
    started = Started(running, {"": port}, log)
    deadline = time.monotonic() + START_S
    while not (ready.exists() if process.serves else _listens(port)):
        if running.poll() is not None or time.monotonic() > deadline:
            started.stop()
            words = log.read_text(errors="replace")[-3000:]
            raise AssertionError(f"{process.name} did not start: {' '.join(command)}\n{words}")
        time.sleep(0.05)
    if process.serves:
        started.ports = json.loads(ready.read_text())
    return started


class Fleet:
    """All processes of the catalogue; a server is waited for when it is first asked for."""

    def __init__(self, processes: list[Process], folder: Path):
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._jobs: dict[str, Future[Started]] = {p.name: self._pool.submit(start, p, folder) for p in processes}

    def of(self, configuration: Configuration) -> Started:
        """The process a configuration runs in."""
        return self._jobs[configuration.process].result()

    def address(self, configuration: Configuration, path: str | None = None) -> str:
        """The configuration's endpoint, or another path at its port."""
        port = self.of(configuration).ports[configuration.serves]
        return f"http://127.0.0.1:{port}{configuration.endpoint if path is None else path}"

    def watched(self, configuration: Configuration, mood: str | None = None) -> dict[str, Any]:
        """What the server itself says it holds open (see watched.py), after changing its mood where one is given."""
        if configuration.in_log:
            begun, ended = (self._count(configuration, pattern) for pattern in configuration.in_log)
            return {"open": begun - ended, "begun": begun}
        body = json.dumps({"mood": mood}).encode() if mood else None
        request = urllib.request.Request(self.address(configuration, "/watched"), data=body)
        with urllib.request.urlopen(request, timeout=10) as answer:
            value: dict[str, Any] = json.load(answer)
            return value

    def _count(self, configuration: Configuration, pattern: str) -> int:
        return len(set(re.findall(pattern, self.of(configuration).log.read_text(errors="replace"))))

    def stop(self) -> None:
        """End all of them, side by side."""
        for job in self._jobs.values():
            job.cancel()
        with ThreadPoolExecutor(8) as pool:
            started = [j.result() for j in self._jobs.values() if not j.cancelled() and j.exception() is None]
            list(pool.map(Started.stop, started))
        self._pool.shutdown()
