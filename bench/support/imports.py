"""What importing a function's handler costs, in fresh processes that see what Lambda would see and nothing else.

The path is the function's folder, our layer, and a folder of links to exactly the distributions of the vendor layer and
of the Lambda runtime (boto3 and what it needs); a package of the development environment cannot slip in and be timed.
"""

from __future__ import annotations

import importlib.metadata
import re
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUNS = 7
RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3")
PEAK = "print(open('/proc/self/status').read().partition('VmHWM:')[2].split()[0])"
SCRIPT = f"""
import time
begin, used = time.perf_counter(), time.process_time()
import handler
print(time.perf_counter() - begin, time.process_time() - used)
{PEAK}
"""
BARE = f"print(0, 0); {PEAK}"
LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \|(\s+)(\S+)")


@dataclass(frozen=True)
class Imports:
    """Medians over the runs. `self_ms` is each module's own time, `package_ms` the sum of it per top-level package.

    `total_ms` and `cpu_ms` are taken without `-X importtime`, `traced_ms` with it, which itself costs some.
    """

    total_ms: float
    cpu_ms: float
    traced_ms: float
    peak_mb: float
    bare_mb: float
    self_ms: dict[str, float]
    package_ms: dict[str, float]


def _vendor(folder: Path) -> None:
    lock = (ROOT / "layers/vendor/requirements.txt").read_text()
    names = {*RUNTIME, *re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE)}
    for name in names:
        for file in importlib.metadata.distribution(name).files or ():
            top = file.parts[0]
            if top not in ("..", "__pycache__") and not (folder / top).exists():
                (folder / top).symlink_to(Path(str(file.locate())).parents[len(file.parts) - 1] / top)


def _run(script: str, path: list[str], *options: str) -> tuple[float, float, float, str]:
    """Wall and CPU milliseconds, peak MB, what was written to standard error."""
    done = subprocess.run(
        [sys.executable, "-S", "-s", *options, "-c", script],
        env={"PYTHONPATH": ":".join(path), "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the handler cannot be imported with Lambda's path: {done.stderr[-2000:]}")
    wall_s, cpu_s, peak_kb = done.stdout.split()
    return float(wall_s) * 1000, float(cpu_s) * 1000, int(peak_kb) / 1024, done.stderr


def _own_ms(log: str) -> tuple[float, dict[str, float]]:
    """The handler's cumulative time, and each module's own. A module is logged after all that it imported."""
    own: dict[str, float] = {}
    for own_us, all_us, indent, name in LINE.findall(log):
        own[name] = int(own_us) / 1000
        if len(indent) == 1 and name == "handler":
            return int(all_us) / 1000, own
        if len(indent) == 1:
            own.clear()  # imported before the handler was: the interpreter's own start
    raise RuntimeError("the import log does not contain the handler")


def measure(function: str) -> Imports:
    """The handler of functions/<function>."""
    with tempfile.TemporaryDirectory() as scratch:
        _vendor(Path(scratch))
        path = [str(ROOT / "functions" / function), str(ROOT / "layers/core/python"), scratch]
        _run(SCRIPT, path)  # writes the byte code, if it is not there yet
        plain = [_run(SCRIPT, path) for _ in range(RUNS)]
        traced = [_own_ms(_run(SCRIPT, path, "-X", "importtime")[3]) for _ in range(RUNS)]
        bare = [_run(BARE, path)[2] for _ in range(RUNS)]
    own = {name: statistics.median(modules.get(name, 0.0) for _, modules in traced) for name in traced[0][1]}
    packages: dict[str, float] = defaultdict(float)
    for name, ms in own.items():
        top = name.partition(".")[0]
        packages["standard library" if top in sys.stdlib_module_names else top] += ms
    return Imports(
        total_ms=statistics.median(run[0] for run in plain),
        cpu_ms=statistics.median(run[1] for run in plain),
        traced_ms=statistics.median(ms for ms, _ in traced),
        peak_mb=statistics.median(run[2] for run in plain),
        bare_mb=statistics.median(bare),
        self_ms=own,
        package_ms=dict(packages),
    )
