"""The protocol versions there are: an enumerated set, never compared as dates (Versioning)."""

from __future__ import annotations

from typing import Final

HANDSHAKE: Final = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
"""Negotiated through `initialize`."""
MODERN: Final = ("2026-07-28",)
"""Stateless: every request names its version."""
KNOWN: Final = HANDSHAKE + MODERN


def since(version: str, until: str = KNOWN[-1]) -> tuple[str, ...]:
    """The known versions from one to another, both included."""
    return KNOWN[KNOWN.index(version) : KNOWN.index(until) + 1]
