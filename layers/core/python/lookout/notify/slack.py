"""Slack incoming webhook, Block Kit. Pure. What a server said is escaped and cut to Slack's limits.

Limits (api.slack.com/reference/block-kit): header 150, section text 3,000, 10 fields of 2,000, button URL 3,000.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from lookout.notify.webhook import links, rfc3339
from lookout.regions import city
from lookout.verdict.state import Incident, Notice

_LOOKS: Final = {
    "incident.opened": ("🔴", "#c40040", "is DOWN"),
    "incident.updated": ("🟠", "#daa038", "is still failing"),
    "incident.resolved": ("✅", "#2eb67d", "recovered"),
    "drift.detected": ("🟡", "#daa038", "changed what it offers"),
}
_REGION_LOOKS: Final = {
    None: ("🟠", "#daa038", "is silent"),
    "reports again": ("✅", "#2eb67d", "reports again"),
    "removed": ("⚪", "#888888", "is no longer probed from"),
}
_OTHER: Final = ("ℹ️", "#888888")
_FINE: Final = ("up", "degraded", "auth_required")
_FAILING: Final = ("down", "credential_rejected")
LISTED: Final = 10
"""Names listed of each group in a surface change."""


def escape(text: str, limit: int) -> str:
    """One line of text with `&`, `<`, `>` as Slack asks, and without control and direction characters.

    At most `limit` characters after escaping, never cut inside an entity.
    """
    out = ""
    for char in " ".join(text.split()):
        if unicodedata.category(char).startswith("C"):
            continue
        piece = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}.get(char, char)
        if len(out) + len(piece) > limit - 1:
            return out + "…"
        out += piece
    return out


def code(text: str, limit: int) -> str:
    """Escaped text for a `code span`: a backtick would end it."""
    return escape(text.replace("`", "'"), limit)


def duration(seconds: int) -> str:
    """`14 m 02 s`, `3 h 05 m`, `2 d 04 h`."""
    if seconds < 3600:
        return f"{seconds // 60} m {seconds % 60:02d} s"
    if seconds < 86400:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02d} m"
    return f"{seconds // 86400} d {seconds % 86400 // 3600:02d} h"


def _coarse(seconds: int) -> str:
    """`23 d`, `5 h`, `12 m`."""
    for unit, size in (("d", 86400), ("h", 3600)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds // 60} m"


def _moment(at: int) -> str:
    return f"<!date^{at}^{{date_short_pretty}} {{time}}|{rfc3339(at)}>"


def _what(notice: Notice) -> str:
    failure = notice.failure
    status = f" (HTTP {failure.http_status})" if failure.http_status else ""
    return f"{escape((failure.reason or 'failed').replace('_', ' '), 80)}{status}"


def _headline(notice: Notice) -> tuple[str, str, str]:
    """Icon, colour, and what happened in a few words."""
    icon, color, verb = _LOOKS.get(notice.type, (*_OTHER, escape(notice.type, 40)))
    resolution = notice.incident.resolution if notice.incident is not None else None
    if notice.type == "region.stale":
        return _REGION_LOOKS.get(resolution, _REGION_LOOKS[None])
    if notice.type == "incident.resolved" and resolution in ("removed", "paused"):
        return "⚪", _OTHER[1], f"is no longer watched ({resolution})"
    if notice.drift is not None and notice.drift["unstable"]:
        return icon, color, "alternates in what it offers"
    if notice.type != "incident.resolved" and notice.status == "credential_rejected":
        verb = "rejects our credential"
    return icon, color, verb


def _cities(notice: Notice, statuses: tuple[str, ...]) -> str:
    names = ", ".join(city(view.region) for view in notice.regions if view.status in statuses)
    return f" ({escape(names, 1000)})" if names else ""


def _listed(label: str, names: list[str], limit: int = 40) -> list[str]:
    """One line: at most ten names, and how many more there are."""
    if not names:
        return []
    shown = ", ".join(f"`{code(name, limit)}`" for name in names[:LISTED])
    more = f", +{len(names) - LISTED} more" if len(names) > LISTED else ""
    return [f"*{label}* {shown}{more}"]


def _changes(drift: Mapping[str, Any]) -> str:
    """What was added, removed and changed, a line each."""
    changed = []
    for one in drift["changed"]:
        kinds = dict.fromkeys(c["kind"].replace("_", " ") for c in one["changes"])
        changed.append(f"{one['tool'][:60]}: {', '.join(kinds)}")
    lines = _listed("Removed", drift["removed"]) + _listed("Changed", changed, 110) + _listed("Added", drift["added"])
    if drift.get("more"):
        lines.append(f"and {drift['more']} changes more")
    return "\n".join(lines) or "What changed cannot be told: the surfaces were not at hand."


def _region_fields(notice: Notice, incident: Incident) -> list[tuple[str, str]]:
    last = max((view.checked_at for view in notice.regions), default=0)
    ended = incident.resolved_at
    return [
        ("Silent since", _moment(incident.started_at)),
        ("Last report", _moment(last)) if ended is None else ("Silent for", duration(ended - incident.started_at)),
        ("Regions silent", f"{notice.quorum.regions_unknown} of {notice.quorum.regions_total}"),
        ("Severity", notice.severity),
    ]


def _fields(notice: Notice) -> list[tuple[str, str]]:
    quorum, incident = notice.quorum, notice.incident
    if notice.drift is not None:
        seen = ", ".join(city(region) for region in notice.drift["regions"])
        return [
            ("Class", notice.drift["class"]),
            ("Seen from", escape(seen, 1000)),
            ("Surface", f"{notice.drift['old_hash'][7:19]} → {notice.drift['new_hash'][7:19]}"),
            ("Severity", notice.severity),
        ]
    if notice.type == "region.stale" and incident is not None:
        return _region_fields(notice, incident)
    if incident is None:
        return [("Status", notice.status), ("Severity", notice.severity)]
    first = ("First seen", _moment(incident.started_at))
    if notice.type == "incident.resolved":
        downtime = max(0, (incident.resolved_at or notice.created_at) - incident.started_at)
        fine = sum(view.status in _FINE for view in notice.regions)
        rows = [
            ("Downtime", duration(downtime)),
            first,
            ("Regions ok", f"{fine} of {quorum.regions_total}{_cities(notice, _FINE)}"),
        ]
    else:
        failing = f"{quorum.regions_failing} of {quorum.regions_total}{_cities(notice, _FAILING)}"
        rows = [
            ("Failure layer", escape(notice.failure.layer or "-", 40)),
            first,
            ("Regions failing", failing),
            ("Consecutive rounds", str(quorum.consecutive_rounds)),
        ]
    before = notice.previous_status
    if notice.type == "incident.opened" and notice.previous_since:
        before += f" ({_coarse(max(0, incident.started_at - notice.previous_since))})"
    return [*rows, ("Previous status", before), ("Severity", notice.severity)]


def payload(notice: Notice, site_url: str) -> dict[str, Any]:
    """The body as a JSON object (SHAPES 2)."""
    icon, color, verb = _headline(notice)
    name = escape(str(notice.server.get("name") or notice.slug), 80)
    resolved, drift = notice.type == "incident.resolved", notice.drift
    text = f"`{code(str(notice.server.get('url', '')), 1500 if drift is None else 600)}`"
    line = f"{icon} [EXTERNAL] {name} {verb}"
    if notice.type == "region.stale":
        text = "Lookout itself: servers are judged by the regions that report."
    elif drift is not None:
        line += f": {drift['class']}"
        text += f"\n{_changes(drift)}"
    elif not resolved:
        what = _what(notice)
        text += f" — *{what}*" + (f": {escape(notice.failure.message, 1000)}" if notice.failure.message else "")
        line += f" from {notice.quorum.regions_failing}/{notice.quorum.regions_total} regions — {what}"
    told_in_full = resolved or drift is not None or notice.type == "region.stale"
    title = f"{icon} {name} — {verb if told_in_full else notice.status}"
    fields = [{"type": "mrkdwn", "text": f"*{label}*\n{value}"} for label, value in _fields(notice)]
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": title, "emoji": True}},
        {"type": "section", "text": {"type": "mrkdwn", "text": text}},
        {"type": "section", "fields": fields},
    ]
    page = links(notice, site_url)["status_page"]
    if page is not None:
        button = {"type": "button", "text": {"type": "plain_text", "text": "Open status page"}, "url": page}
        blocks.append({"type": "actions", "elements": [button]})
    context = f"external MCP probe · {notice.dedup_key} · lookout"
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": context}]})
    return {"text": line, "attachments": [{"color": color, "blocks": blocks}]}
