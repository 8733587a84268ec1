"""Text from outside, made fit for one medium: cleaned, escaped, and cut to a limit that counts the escapes. Pure."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

HTML: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
"""Also what Telegram's parse mode HTML and the text of Google Chat's cards take."""
SLACK: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
"""Slack's control characters (api.slack.com/reference/surfaces/formatting#escaping)."""
DISCORD: Final = {char: f"\\{char}" for char in string.punctuation}
"""In Discord's Markdown a backslash takes the meaning of any punctuation: of marks, mentions, and of `://`."""
PLAIN: Final[Mapping[str, str]] = {}
CUT: Final = "…"


def escaped(text: str, limit: int, escapes: Mapping[str, str] = PLAIN) -> str:
    """One line without control, format and direction characters, its special characters replaced as `escapes` says.

    At most `limit` characters long after that; where it is cut, it ends in an ellipsis, never within an escape.
    """
    out: list[str] = []
    size = 0
    shown = "".join(char for char in text if char.isspace() or not unicodedata.category(char).startswith("C"))
    for char in " ".join(shown.split()):
        piece = escapes.get(char, char)
        if size + len(piece) > limit:
            while out and size > limit - len(CUT):
                size -= len(out.pop())
            return "".join(out) + CUT
        out.append(piece)
        size += len(piece)
    return "".join(out)


def one_line(text: str, limit: int) -> str:
    """`escaped`, for a medium that shows what it is given."""
    return escaped(text, limit)


def code(text: str, limit: int, escapes: Mapping[str, str] = PLAIN) -> str:
    """For a code span between back quotes: one of its own would end it."""
    return escaped(text.replace("`", "'"), limit, escapes) or "-"


def cut_bytes(text: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8, whole characters, with an ellipsis where it is cut."""
    raw = text.encode("utf-8", "replace")
    if len(raw) <= limit:
        return raw.decode("utf-8")
    return raw[: limit - len(CUT.encode())].decode("utf-8", "ignore") + CUT


def ascii_line(text: str, limit: int) -> str:
    """One line of printable ASCII; what has no place in it becomes `?`."""
    plain = unicodedata.normalize("NFKD", one_line(text.replace("—", "-"), 4 * limit))
    kept = "".join(char for char in plain if not unicodedata.combining(char))
    return kept.encode("ascii", "replace").decode("ascii").strip()[:limit]


def rfc3339(at: int) -> str:
    """Unix seconds -> `2026-08-22T14:34:07Z`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(at: int) -> str:
    """Unix seconds -> `2026-08-22 14:34 UTC`, for people."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def duration(seconds: int) -> str:
    """`14 m 02 s`, `3 h 05 m`, `2 d 04 h`."""
    if seconds < 3600:
        return f"{seconds // 60} m {seconds % 60:02d} s"
    if seconds < 86400:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02d} m"
    return f"{seconds // 86400} d {seconds % 86400 // 3600:02d} h"


def plural(count: int, word: str) -> str:
    """`1 notice`, `2 notices`."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def coarse(seconds: int) -> str:
    """`23 d`, `5 h`, `12 m`."""
    for unit, size in (("d", 86400), ("h", 3600)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds // 60} m"
