"""Identifiers of incidents and notices: ULIDs whose random part is a digest of what they name.

The same decision made twice gives the same id, so a repeated judgement cannot announce twice. Format: 48 bits of
milliseconds and 80 bits of SHA-256, Crockford base 32 (https://github.com/ulid/spec).
"""

from __future__ import annotations

import hashlib
from typing import Final

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid(at: int, *parts: str) -> str:
    """26 characters; `at` is unix seconds."""
    digest = hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).digest()
    number = ((at * 1000) & ((1 << 48) - 1)) << 80 | int.from_bytes(digest[:10], "big")
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))


def incident_id(slug: str, kind: str, opened_at: int) -> str:
    """`inc_<ULID>`."""
    return "inc_" + ulid(opened_at, slug, kind)


def notice_id(incident: str, notice_type: str, at: int) -> str:
    """`evt_<ULID>`: what receivers treat as idempotency key."""
    return "evt_" + ulid(at, incident, notice_type)


def notice_floor(at: int) -> str:
    """No id of a notice that is made at `at` or later sorts before it, and none made earlier after it."""
    return "evt_" + ulid(at, "")[:10]


def change_id(slug: str, old: str, new: str, at: int) -> str:
    """`chg_<ULID>`: a surface change of `slug` from one address to another."""
    return "chg_" + ulid(at, slug, old, new)
