"""Dates and times in lookout.yaml. Pure, standard library only: used in Lambda too."""

from __future__ import annotations

from datetime import UTC, datetime


def unix_seconds(text: str) -> int | None:
    """`2027-01-31` (its beginning, UTC) or an RFC 3339 time -> unix seconds; None where there is no such moment."""
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
