from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from lookout.errors import LocalError
from lookout.local import processes
from lookout.local.layout import read_json, write_json

POLITE = "import time; time.sleep(600)"
STUBBORN = (
    "import signal, subprocess, sys, pathlib, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    "pathlib.Path(sys.argv[1]).write_text(str(child.pid))\n"
    "time.sleep(600)\n"
)


def begin(tmp_path: Path, code: str, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", code, *arguments]
    env = processes.clean_env()
    return processes.start("thing", command, run=tmp_path, log=tmp_path / "log", env=env, cwd=tmp_path)


def finish(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def test_a_process_is_remembered_and_ended(tmp_path: Path) -> None:
    process = begin(tmp_path, POLITE)
    record = processes.running(tmp_path, "thing")
    assert record is not None
    assert record.pid == process.pid
    assert record.started
    assert processes.stop(tmp_path, "thing") is True
    assert processes.running(tmp_path, "thing") is None
    assert process.pid not in processes.table()
    assert not (tmp_path / "thing.json").exists()
    assert processes.stop(tmp_path, "thing") is False
    process.wait()


def test_what_ignores_sigterm_is_killed_with_its_children(tmp_path: Path) -> None:
    process = begin(tmp_path, STUBBORN, str(tmp_path / "child"))
    while not (tmp_path / "child").exists() or not (tmp_path / "child").read_text():
        assert process.poll() is None
    child = int((tmp_path / "child").read_text())
    assert processes.stop(tmp_path, "thing", grace_s=0.2) is True
    assert not {process.pid, child} & processes.table().keys()
    process.wait()


def test_children_that_outlive_their_parent_are_ended_too(tmp_path: Path) -> None:
    process = begin(tmp_path, STUBBORN, str(tmp_path / "child"))
    while not (tmp_path / "child").exists() or not (tmp_path / "child").read_text():
        assert process.poll() is None
    child = int((tmp_path / "child").read_text())
    process.kill()
    process.wait()
    assert child in processes.table()
    assert processes.stop(tmp_path, "thing") is True
    assert child not in processes.table()


def test_a_process_id_that_now_belongs_to_somebody_else_is_left_alone(tmp_path: Path) -> None:
    process = begin(tmp_path, POLITE)
    path = tmp_path / "thing.json"
    write_json(path, {**read_json(path), "started": "another time"})
    assert processes.running(tmp_path, "thing") is None
    assert processes.stop(tmp_path, "thing") is False
    assert process.poll() is None
    assert not path.exists()
    finish(process)


def test_a_dead_process_nobody_collected_is_not_alive(tmp_path: Path) -> None:
    process = begin(tmp_path, "pass")
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert process.pid not in processes.table()
    assert processes.running(tmp_path, "thing") is None
    process.wait()


def test_where_there_is_no_proc_ps_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = processes.table()[os.getpid()]
    listing = (
        f"    1     1 Ss   Mon Nov 23 10:00:00 2026\n{os.getpid():>5} {mine.group} R+   Tue Nov 24 02:00:00 2026\n"
    )
    listing += "   77    77 Z    Tue Nov 24 02:00:00 2026\n"
    done = subprocess.CompletedProcess([], 0, listing, "")
    monkeypatch.setattr(processes, "PROC", Path("/nonexistent"))
    monkeypatch.setattr(processes.subprocess, "run", lambda *_, **__: done)
    found = processes.table()
    assert set(found) == {1, os.getpid()}
    assert found[os.getpid()].group == mine.group
    assert found[1].started == "Mon Nov 23 10:00:00 2026"


def test_a_taken_port_is_said_with_who_has_it_and_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert processes.port_taken(port)
        assert processes.port_owner(port).pid == os.getpid()
        with pytest.raises(LocalError, match=rf"port {port} \(thing\) is taken by process {os.getpid()}.*") as caught:
            processes.require_free(port, "thing")
        assert "LOOKOUT_PORT=" in str(caught.value)
    processes.require_free(port, "thing")
    assert processes.port_owner(port).pid == 0


def test_a_port_bound_on_all_addresses_is_taken() -> None:
    with socket.socket() as bound:
        bound.bind(("0.0.0.0", 0))
        assert processes.port_taken(bound.getsockname()[1])


def test_a_free_port_is_free() -> None:
    assert not processes.port_taken(processes.free_port())


def test_our_processes_inherit_nothing_that_changes_how_they_behave(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONPATH", "AWS_PROFILE", "AWS_SECRET_ACCESS_KEY", "COVERAGE_RUN"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("LOOKOUT_SOMETHING", "kept")
    env = processes.clean_env()
    assert env["LOOKOUT_SOMETHING"] == "kept"
    assert not {"PYTHONPATH", "AWS_PROFILE", "AWS_SECRET_ACCESS_KEY", "COVERAGE_RUN"} & env.keys()


def test_the_end_of_a_log(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("\n".join(str(n) for n in range(50)))
    assert processes.tail(tmp_path / "log", 2) == "48\n49"
    assert processes.tail(tmp_path / "none") == ""
