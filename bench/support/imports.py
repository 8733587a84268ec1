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
SCRIPT = "import resource, handler; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
EMPTY = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \|(\s+)(\S+)")


@dataclass(frozen=True)
class Imports:
    """Medians over the runs. `self_ms` is each module's own time, `package_ms` the sum of it per top-level package."""

    total_ms: float
    rss_mb: float
    bare_rss_mb: float
    modules: int
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


def _run(script: str, path: list[str]) -> tuple[float, str]:
    done = subprocess.run(
        [sys.executable, "-S", "-s", "-X", "importtime", "-c", script],
        env={"PYTHONPATH": ":".join(path), "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout) / 1024, done.stderr


def measure(function: str) -> Imports:
    """The handler of functions/<function>."""
    with tempfile.TemporaryDirectory() as scratch:
        _vendor(Path(scratch))
        path = [str(ROOT / "functions" / function), str(ROOT / "layers/core/python"), scratch]
        _run(SCRIPT, path)  # writes the byte code that a bundled layer brings along
        runs = [_run(SCRIPT, path) for _ in range(RUNS)]
        bare = statistics.median(_run(EMPTY, path)[0] for _ in range(RUNS))
    totals, seen = [], defaultdict(list)
    for _, log in runs:
        begun = False
        for own_us, all_us, indent, name in LINE.findall(log):
            # importtime prints a module after what it imported; everything since `resource` is the handler's.
            begun = begun or name == "resource"
            if begun and name != "resource":
                seen[name].append(int(own_us) / 1000)
            if name == "handler" and len(indent) == 1:
                totals.append(int(all_us) / 1000)
                break
    own = {name: statistics.median(values) for name, values in seen.items()}
    packages: dict[str, float] = defaultdict(float)
    for name, ms in own.items():
        top = name.partition(".")[0].lstrip("_")
        packages["the standard library" if top in STDLIB else top] += ms
    return Imports(
        statistics.median(totals), statistics.median(r for r, _ in runs), bare, len(own), own, dict(packages)
    )


STDLIB = {name.lstrip("_") for name in sys.stdlib_module_names}
