"""The processes we start: remembered by id and start time, ended by id, never by name.

A process id alone may by now belong to somebody else, so every record carries the start time the operating system
gives it, and nothing is signalled whose start time differs. Each process leads a group of its own; its children (the
local AWS's Lambda workers) stay in that group and are ended with it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from lookout.errors import LocalError
from lookout.local.layout import other_port, read_json, write_json

PROC: Final = Path("/proc")
_ours: dict[int, subprocess.Popen[bytes]] = {}
"""Kept until they are stopped: a forgotten Popen warns while its process lives."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One living process: its id, its group, and when it started (in the operating system's own words)."""

    pid: int
    group: int
    started: str


@dataclass(frozen=True, slots=True)
class Record:
    """One process we started."""

    name: str
    pid: int
    started: str
    command: str = ""
    log: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Owner:
    """Who listens on a port; `pid` 0 where the operating system would not say."""

    pid: int
    name: str

    def __str__(self) -> str:
        return f"process {self.pid} ({self.name})" if self.pid else self.name


def table() -> dict[int, Seen]:
    """Every living process by id; the dead that nobody has collected yet (zombies) are not in it."""
    return _table_from_proc() if (PROC / "self" / "stat").exists() else _table_from_ps()


def _table_from_proc() -> dict[int, Seen]:
    found = {}
    for entry in PROC.iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                text = (entry / "stat").read_text(encoding="utf-8", errors="replace")
                rest = text[text.rindex(")") + 2 :].split()
                if rest[0] not in "ZX":
                    pid = int(entry.name)
                    found[pid] = Seen(pid, int(rest[2]), rest[19])
    return found


def _table_from_ps() -> dict[int, Seen]:
    command = ["ps", "-axo", "pid=,pgid=,stat=,lstart="]
    listing = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "LC_ALL": "C"})
    found = {}
    for line in listing.stdout.splitlines():
        pid, group, state, started = line.split(None, 3)
        if not state.startswith("Z"):
            found[int(pid)] = Seen(int(pid), int(group), " ".join(started.split()))
    return found


def start(
    name: str,
    command: Sequence[str],
    *,
    run: Path,
    log: Path,
    env: Mapping[str, str],
    cwd: Path,
    facts: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command` in a group of its own, its output in `log`, and remember it in `run`/`name`.json."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=dict(env),
            cwd=cwd,
            start_new_session=True,
        )
    _ours[process.pid] = process
    remember(run, name, process.pid, command, log, facts)
    return process


def remember(
    run: Path, name: str, pid: int, command: Sequence[str], log: Path, facts: Mapping[str, str] | None = None
) -> None:
    """Write the record of a process that leads a group of its own."""
    seen = table().get(pid)
    record = Record(name, pid, seen.started if seen else "", " ".join(command), str(log), facts or {})
    write_json(run / f"{name}.json", asdict(record))


def recorded(run: Path, name: str) -> Record | None:
    """The record of `name`, whether or not it still runs."""
    value = read_json(run / f"{name}.json")
    return Record(**value) if isinstance(value, dict) else None


def running(run: Path, name: str) -> Record | None:
    """The record of `name` if that very process is alive."""
    record = recorded(run, name)
    if record is None:
        return None
    seen = table().get(record.pid)
    return record if seen is not None and seen.started == record.started else None


def stop(run: Path, name: str, grace_s: float = 10.0) -> bool:
    """End `name` and its children: SIGTERM, `grace_s` seconds, then SIGKILL. True if anything was alive.

    The children are noted before the parent is asked to go: a worker that outlives it keeps its group, and is ended
    only if it is still the process that was noted.
    """
    path = run / f"{name}.json"
    record = recorded(run, name)
    if record is None:
        return False
    child = _ours.pop(record.pid, None)
    now = table()
    leader = now.get(record.pid)
    if leader is not None and leader.started != record.started:
        path.unlink(missing_ok=True)
        return False
    ours = {s for s in now.values() if s.group == record.pid}
    if leader is not None:
        _signal(leader, signal.SIGTERM)
        _wait_gone({leader}, grace_s)
    ours |= {s for s in table().values() if s.group == record.pid}
    for seen in _alive(ours):
        _signal(seen, signal.SIGKILL)
    _wait_gone(ours, 5.0)
    if child is not None:
        child.poll()
    path.unlink(missing_ok=True)
    return bool(ours)


def _alive(wanted: set[Seen]) -> set[Seen]:
    return wanted & set(table().values())


def _signal(seen: Seen, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(seen.pid, number)


def _wait_gone(wanted: set[Seen], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while _alive(wanted) and time.monotonic() < deadline:
        for seen in wanted:
            with contextlib.suppress(ChildProcessError):  # ours to collect only if this process started it
                os.waitpid(seen.pid, os.WNOHANG)
        time.sleep(0.05)


def port_taken(port: int) -> bool:
    """Does somebody listen on `port` of this machine?"""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            return True
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def port_owner(port: int) -> Owner:
    """Who listens on `port`, as far as this user may know."""
    inodes = _listening_inodes(port)
    for entry in PROC.glob("[0-9]*/fd/*") if inodes else ():
        with contextlib.suppress(OSError):
            if str(entry.readlink()) in inodes:
                pid = int(entry.parts[2])
                return Owner(pid, (PROC / str(pid) / "comm").read_text(encoding="utf-8").strip())
    return Owner(0, "a process of another user" if inodes else "another process")


def _listening_inodes(port: int) -> set[str]:
    found = set()
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in (PROC / "net" / name).read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and int(fields[1].rsplit(":", 1)[1], 16) == port:
                    found.add(f"socket:[{fields[9]}]")
    return found


def require_free(port: int, purpose: str) -> None:
    """Raise LocalError, saying which port, who has it and what to do, unless `port` is free."""
    if port_taken(port):
        raise LocalError(
            f"port {port} ({purpose}) is taken by {port_owner(port)}.\n"
            f"End that process, or use other ports: LOOKOUT_PORT={other_port(port)} make up"
        )


def free_port() -> int:
    """A port of the loopback interface nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_env() -> dict[str, str]:
    """The environment our processes get: this one's, less what would change how Python or AWS clients behave."""
    dropped = ("PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "VIRTUAL_ENV")
    return {k: v for k, v in os.environ.items() if k not in dropped and not k.startswith(("AWS_", "COVERAGE_"))}


def tail(log: Path, lines: int = 20) -> str:
    """The last lines of a log; empty where there is none."""
    try:
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""
