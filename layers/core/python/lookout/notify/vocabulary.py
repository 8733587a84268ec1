"""What is said of each type of notice and each kind of incident, and how it looks. Every medium uses these words."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from lookout.notify.facts import OUTAGE


class Tone(StrEnum):
    """How it should look."""

    BAD = "bad"
    WARNING = "warning"
    CHANGE = "change"
    GOOD = "good"
    GONE = "gone"
    NEWS = "news"


ICONS: Final = {
    Tone.BAD: "🔴",
    Tone.WARNING: "🟠",
    Tone.CHANGE: "🟡",
    Tone.GOOD: "✅",
    Tone.GONE: "⚪",
    Tone.NEWS: "ℹ️",
}
COLORS: Final = {
    Tone.BAD: "#c40040",
    Tone.WARNING: "#daa038",
    Tone.CHANGE: "#daa038",
    Tone.GOOD: "#2eb67d",
    Tone.GONE: "#888888",
    Tone.NEWS: "#888888",
}


SEVERITY_TONES: Final = {"critical": Tone.BAD, "high": Tone.BAD, "warning": Tone.WARNING}
TYPES: Final = {
    "incident.updated": (Tone.WARNING, "is still failing"),
    "incident.reminder": (Tone.WARNING, "is still failing"),
    "drift.detected": (Tone.CHANGE, "changed what it offers"),
    "tls.expiring": (Tone.WARNING, "has a certificate that expires soon"),
    "credential.expiring": (Tone.WARNING, "has a credential that expires soon"),
    "slo.burn": (Tone.WARNING, "burns its error budget"),
    "latency.degraded": (Tone.WARNING, "is slow"),
    "maintenance.started": (Tone.NEWS, "has begun"),
    "maintenance.ended": (Tone.NEWS, "is over"),
    "test": (Tone.NEWS, "sends a test notice"),
}
KINDS: Final = {
    OUTAGE: ("is DOWN", "recovered"),
    "regional": ("fails in some regions", "answers in all regions again"),
    "latency": ("is slow", "is as fast as usual again"),
    "limited": ("cannot be checked: it limits our requests", "can be checked again"),
    "certificate": ("has a certificate that expires soon", "has a new certificate"),
    "credential": ("has a credential that expires soon", "has a new credential"),
    "drift": ("changed what it offers", "is no longer told to have changed"),
    "region": ("is silent", "reports again"),
    "slo": ("burns its error budget", "no longer burns its error budget"),
}
"""What is said of an incident of each kind, open and resolved."""
