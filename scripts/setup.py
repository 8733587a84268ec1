"""Installs what `make up`, `make test` and `make deploy` need. Needs nothing but Python 3.11.

python3 scripts/setup.py [--dev]
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

if sys.version_info < (3, 11):  # noqa: UP036 -- this file is what tells people their Python is too old
    sys.exit(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}: make PYTHON=/path/to/python3.13 up")

sys.path.insert(0, str(ROOT / "layers" / "core" / "python"))
sys.dont_write_bytecode = True

from lookout.errors import LocalError  # noqa: E402 -- the package is not installed yet, so its folder is added first
from lookout.local import install  # noqa: E402 -- as above
from lookout.local.layout import Layout  # noqa: E402 -- as above


def tell(outcome: install.Outcome) -> None:
    """One line per thing that was installed; silence for what was there."""
    if outcome.fresh:
        print(f"  ✓ {outcome.what:<34} {outcome.seconds:6.1f} s", flush=True)


def main() -> int:
    """Install; exit code 2 with a message where that cannot be done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", action="store_true", help="also what the tests and checks need")
    dev: bool = parser.parse_args().dev
    layout = Layout.of(ROOT)
    began = time.monotonic()
    if not layout.venv.exists():
        print(
            "Installing into .venv, .local and node_modules (outside this folder only caches of pip and npm):",
            flush=True,
        )
    try:
        install.everything(layout, dev=dev, tell=tell)
    except LocalError as error:
        print(f"lookout: {error}", file=sys.stderr)
        return 2
    seconds = time.monotonic() - began
    if seconds > 2:
        print(f"  ✓ {'installed':<34} {seconds:6.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
