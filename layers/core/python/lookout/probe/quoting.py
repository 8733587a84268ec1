"""A server's own words, made safe to keep and to show: bounded, printable, without our secrets."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from lookout.probe.result import MESSAGE_LIMIT


def quote(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """One line of printable text: control, format and surrogate characters become spaces (terminal escapes, RTL)."""
    cut = text[: limit * 4]
    clean = "".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") else c for c in cut)
    line = " ".join(clean.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def mask(text: str, secrets: Iterable[str]) -> str:
    """Every secret (and what follows `Bearer `) replaced."""
    for secret in secrets:
        for part in (secret, secret.removeprefix("Bearer ")):
            if len(part) >= 4:
                text = text.replace(part, "[secret]")
    return text
