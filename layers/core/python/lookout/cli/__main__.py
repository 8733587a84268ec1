"""`python -m lookout.cli`: the `lookout` command where no script was installed."""

from __future__ import annotations

from lookout.cli.main import main

if __name__ == "__main__":
    main()
