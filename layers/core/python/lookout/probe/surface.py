"""A server's tools in canonical form: RFC 8785 and SHA-256, insensitive to the order of tools and of keys."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import rfc8785

SAFE_INTEGER = 2**53


def _canonical(value: Any) -> Any:
    """Integers beyond 2^53, which RFC 8785 cannot write, become `{"$int": "..."}`."""
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= SAFE_INTEGER:
        return {"$int": str(value)}
    return value


def tools_hash(tools: Sequence[dict[str, Any]]) -> str | None:
    """SHA-256 hex over all tools, sorted by name, `_meta` left out. None where they cannot be canonicalised."""
    try:
        each = [
            (str(t.get("name")), rfc8785.dumps(_canonical({k: v for k, v in t.items() if k != "_meta"}))) for t in tools
        ]
        return hashlib.sha256(b"\n".join(data for _, data in sorted(each))).hexdigest()
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError):
        return None
