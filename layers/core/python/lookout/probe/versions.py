"""The protocol's versions: an enumerated set, never compared as dates (Base, Versioning)."""

from __future__ import annotations

from typing import Final

MODERN: Final = ("2026-07-28",)
"""Stateless: `server/discover`, `_meta` and headers on every request."""
HANDSHAKE: Final = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
"""Begun with `initialize`, oldest first."""
KNOWN: Final = (*HANDSHAKE, *MODERN)
"""Oldest first."""


def at_least(version: str | None, wanted: str) -> bool:
    """Is `version` as new as `wanted`? A version nobody here knows is not."""
    return version in KNOWN and wanted in KNOWN and KNOWN.index(version) >= KNOWN.index(wanted)
