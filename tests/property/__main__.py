"""`python -m tests.property 20000`: play so many schedules on all cores, and print what was played."""

from __future__ import annotations

import sys

from tests.property.schedules import play_all


def main() -> None:
    played = play_all(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
    print(", ".join(f"{count:,} {what}" for what, count in played.items()) + ": no difference")


if __name__ == "__main__":
    main()
