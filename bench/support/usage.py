"""What a process has used so far, read from the kernel (proc(5)); of this process or of another's id."""

from __future__ import annotations

import os
from pathlib import Path

TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """User and system time of all its threads, in steps of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S


def waited_s(pid: int | str = "self") -> float:
    """How long its threads were ready to run while their core was busy with something else."""
    return sum(int(path.read_text().split()[1]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def peak_mb(pid: int | str = "self") -> float:
    """Peak resident memory. Not getrusage's: that one begins with the peak of the parent that forked."""
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024
