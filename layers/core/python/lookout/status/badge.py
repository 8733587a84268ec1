"""Badges: the shields.io endpoint shape and our own SVG (SHAPES 5). Pure.

A badge that cannot say what was asked says so in grey with HTTP 200 and `isError`: no README shows a
broken image.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from statistics import median_low
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from lookout.history.uptime import Tally, percent
from lookout.probe.result import Status
from lookout.status.text import clean, plural
from lookout.status.view import ServerView

METRICS: Final = ("status", "uptime", "latency", "tools", "tls")
WINDOWS: Final = ("24h", "7d", "30d", "90d")
DEFAULT_WINDOW: Final = "30d"
LABEL_LIMIT: Final = 60
CACHE_S: Final = 60

COLORS: Final = {
    "brightgreen": "#1c7f46",
    "green": "#4f7d1e",
    "yellow": "#8f6b00",
    "orange": "#a94f08",
    "red": "#c2342b",
    "blue": "#1f66b0",
    "lightgrey": "#69707a",
}
"""Shields' colour names, in shades that carry white text at WCAG AA."""

_STATUS_COLORS: Final = {
    Status.UP: "brightgreen",
    Status.DEGRADED: "yellow",
    Status.AUTH_REQUIRED: "blue",
    Status.DOWN: "red",
    Status.CREDENTIAL_REJECTED: "red",
}


@dataclass(frozen=True, slots=True)
class Badge:
    """`color` is a name of COLORS."""

    label: str
    message: str
    color: str
    error: bool = False

    def endpoint(self) -> dict[str, Any]:
        """The shields endpoint object (schemaVersion 1)."""
        return {
            "schemaVersion": 1,
            "label": self.label,
            "message": self.message,
            "color": self.color,
            "isError": self.error,
            "cacheSeconds": CACHE_S,
        }


def _uptime(tally: Tally, window: str) -> tuple[str, str]:
    uptime = tally.uptime
    if uptime is None:
        return f"no data {window}", "lightgrey"
    steps = ((Fraction(999, 1000), "brightgreen"), (Fraction(99, 100), "green"), (Fraction(97, 100), "yellow"))
    color = next((name for least, name in steps if uptime >= least), "orange" if uptime >= Fraction(95, 100) else "red")
    return f"{percent(uptime)} {window}", color


def _status(view: ServerView, window: str) -> tuple[str, str]:
    status = view.state.status
    uptime = percent(view.windows.get(window, Tally()).uptime)
    word = status.value.replace("_", " ")
    return f"{word} · {uptime} {window}" if uptime else word, _STATUS_COLORS.get(status, "lightgrey")


def _latency(view: ServerView) -> tuple[str, str]:
    seen = [r.latency_ms for r in view.state.regions if r.latency_ms is not None and Status(r.status).ok]
    if not seen:
        return "no data", "lightgrey"
    typical = median_low(seen)
    steps = ((500, "brightgreen"), (1000, "green"), (2500, "yellow"), (5000, "orange"))
    return f"{typical} ms", next((name for most, name in steps if typical <= most), "red")


def _tools(view: ServerView) -> tuple[str, str]:
    count = view.state.tools_count
    return ("no data", "lightgrey") if count is None else (plural(count, "tool"), "blue")


def _tls(view: ServerView, now: int) -> tuple[str, str]:
    ends = view.state.tls_not_after
    if ends is None:
        return "no data", "lightgrey"
    if ends <= now:
        return "expired", "red"
    days = (ends - now) // 86400
    color = next((name for most, name in ((7, "red"), (14, "orange"), (30, "yellow")) if days < most), "brightgreen")
    return f"expires in {plural(days, 'day')}", color


_LABELS: Final = {"status": "mcp", "uptime": "mcp uptime", "latency": "mcp latency", "tools": "mcp", "tls": "mcp tls"}


def badge(view: ServerView | None, metric: str, window: str, label: str, now: int) -> Badge:
    """The badge of one server; `view` None is an unknown server. Empty arguments take their defaults."""
    metric, window = metric or "status", window or DEFAULT_WINDOW
    label = clean(label, LABEL_LIMIT) or _LABELS.get(metric, "mcp")
    if view is None:
        return Badge(label, "unknown server", "lightgrey", error=True)
    if metric not in METRICS:
        return Badge(label, f"metric must be one of {', '.join(METRICS)}", "lightgrey", error=True)
    if window not in WINDOWS:
        return Badge(label, f"window must be one of {', '.join(WINDOWS)}", "lightgrey", error=True)
    message, color = {
        "status": lambda: _status(view, window),
        "uptime": lambda: _uptime(view.windows.get(window, Tally()), window),
        "latency": lambda: _latency(view),
        "tools": lambda: _tools(view),
        "tls": lambda: _tls(view, now),
    }[metric]()
    return Badge(label, message, color)


_NARROW: Final = frozenset("ijl.,:;|!'·()[] I1tfr")
_WIDE: Final = frozenset("mwMW%@…—")


def width(text: str) -> int:
    """About how wide `text` is at 11 px Verdana-like type, in pixels; never less than it is for common letters."""
    total = 0.0
    for char in text:
        if char in _NARROW:
            total += 4.6
        elif char in _WIDE or ord(char) > 0x2E7F:
            total += 11.4
        elif char.isupper():
            total += 8.0
        else:
            total += 6.9
    return round(total)


def svg(item: Badge) -> bytes:
    """A flat badge, 20 px high, without scripts, styles or anything fetched."""
    left, right = width(item.label) + 12, width(item.message) + 12
    total = left + right
    label, message = escape(item.label), escape(item.message)
    spoken = quoteattr(f"{item.label}: {item.message}")
    font = 'font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11" fill="#fff" text-anchor="middle"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="20" viewBox="0 0 {total} 20"'
        f' role="img" aria-label={spoken}>'
        f"<title>{label}: {message}</title>"
        f'<clipPath id="r"><rect width="{total}" height="20" rx="3"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#3c434b"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{COLORS[item.color]}"/></g>'
        f'<g {font} aria-hidden="true">'
        f'<text x="{left / 2:g}" y="14" textLength="{left - 12}">{label}</text>'
        f'<text x="{left + right / 2:g}" y="14" textLength="{right - 12}">{message}</text></g></svg>\n'
    ).encode()
