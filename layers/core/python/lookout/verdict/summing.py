"""The notice of a digest that sums up (type digest, with a report): about no server, to one sink. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lookout.probe.result import Status
from lookout.verdict.case import Notice
from lookout.verdict.state import Failure, Quorum

NOTICE: Final = "digest"
LISTED: Final = 50
"""Members listed in one; of the others their number is told."""


def summary(
    notice_id: str,
    key: str,
    title: str,
    sink: str,
    report: Mapping[str, Any],
    now: int,
    *,
    severity: str = "info",
    public: bool,
) -> Notice:
    """The digest at `now`. `key` makes its `dedup_key`, `title` is what people call it; `report` has its `kind`.

    `public`: every server in it is.
    """
    slug = f"{NOTICE}:{report['kind']}"
    return Notice(
        id=notice_id,
        type=NOTICE,
        created_at=now,
        slug=slug,
        status=Status.UNKNOWN.value,
        previous_status=Status.UNKNOWN.value,
        previous_since=0,
        severity=severity,
        dedup_key=f"rep_{key}",
        sequence=0,
        server={
            "slug": slug,
            "name": title,
            "url": None,
            "visibility": "public" if public else "private",
            "tags": [],
        },
        failure=Failure(),
        quorum=Quorum(0, 0, 0, report["kind"], 0),
        regions=(),
        incident=None,
        sinks=(sink,),
        report=report,
    )
