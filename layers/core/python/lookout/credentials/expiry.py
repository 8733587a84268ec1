"""When a credential expires, from what it says itself. Pure. Nothing is verified: it is our own credential."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Iterable
from typing import Final

TOKEN_LIMIT: Final = 16 * 1024
"""Characters of a token that is looked into: longer ones do not fit into a header either."""
_LATEST: Final = 253_402_300_799
"""The last second of the year 9999."""


def jwt_expiry(token: str) -> int | None:
    """`exp` (RFC 7519, 4.1.4) of a token that is a JWT, unix seconds; None for any other text."""
    parts = token.split(".")
    if len(token) > TOKEN_LIMIT or len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None
    return whole_seconds(claims.get("exp")) if isinstance(claims, dict) else None


def whole_seconds(value: object) -> int | None:
    """A number of seconds as JSON has it, rounded down; None for what is no number, below 0 or beyond the year 9999."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LATEST:
        return None
    return math.floor(value)


def earliest(moments: Iterable[int | None]) -> int | None:
    """The first of those that are known."""
    return min((moment for moment in moments if moment is not None), default=None)
