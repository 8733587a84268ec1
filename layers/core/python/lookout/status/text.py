"""Words for people: safe text, times, durations, percentages. Pure; every moment comes in as an argument.

Text that a watched server (or its owner) supplied is hostile until it went through `clean`: control characters break
XML and terminals, and Unicode's bidirectional controls can make a line read as something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from fractions import Fraction
from typing import Final
from urllib.parse import urlsplit

_BREAKS: Final = re.compile(r"[\t\n\r\x0b\x0c\x85\u2028\u2029]+")
_FORBIDDEN: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufff9-\uffff\ud800-\udfff]"
)


def clean(text: str, limit: int = 400) -> str:
    """`text` on one line, without control or bidirectional control characters, at most `limit` characters."""
    text = _FORBIDDEN.sub("", _BREAKS.sub(" ", text)).strip()
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def rfc3339(at: int) -> str:
    """`2026-08-22T14:32:00Z`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(at: int) -> str:
    """`22 Aug 2026, 14:32 UTC`."""
    when = datetime.fromtimestamp(at, UTC)
    return f"{when.day} {when:%b %Y, %H:%M} UTC"


def day_name(date: str) -> str:
    """`2026-08-22` as `22 Aug 2026`."""
    when = datetime.strptime(date, "%Y-%m-%d").replace(tzinfo=UTC)
    return f"{when.day} {when:%b %Y}"


def duration(seconds: int) -> str:
    """The two largest units: `45 s`, `14 m 02 s`, `3 h 05 m`, `23 d 4 h`."""
    seconds = max(0, seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} m {seconds % 60:02d} s" if seconds % 60 else f"{seconds // 60} m"
    if seconds < 86400:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02d} m"
    hours = seconds % 86400 // 3600
    return f"{seconds // 86400} d {hours} h" if hours and seconds < 30 * 86400 else f"{seconds // 86400} d"


def ago(at: int, now: int) -> str:
    """`just now`, `45 s ago`, `4 min ago`, `3 h ago`, `12 days ago`; a moment still to come is `just now` too."""
    seconds = now - at
    if seconds < 5:
        return "just now"
    for size, one, many in ((86400, "day", "days"), (3600, "h", "h"), (60, "min", "min"), (1, "s", "s")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {one if count == 1 else many} ago"
    raise AssertionError(seconds)


def ratio(value: Fraction | None) -> float | None:
    """For JSON: a float that is 1.0 only where the ratio is exactly one."""
    return None if value is None else float(value)


def listed(words: Iterable[str]) -> str:
    """`Oregon, Dublin and Singapore`."""
    items = list(words)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 server`, `3 servers`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def public_url(url: str) -> str:
    """An endpoint as it may be shown: without user, query and fragment, where people put keys."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    return clean(f"{parts.scheme}://{host}{port}{parts.path}", 300)
