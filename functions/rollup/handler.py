"""rollup: hours that are over -> chunks and daily summaries; then the digests of days and weeks that are due."""

from __future__ import annotations

import os
import time
from typing import Any

from aws_lambda_powertools import Logger
from lookout import settings
from lookout.jobs import reports, rolling
from lookout.store import Store

logger = Logger(service="rollup")


def handler(event: dict[str, Any], context: object) -> dict[str, int]:
    """EventBridge Scheduler event -> `{"chunks": n, "days": n, "digests": n}` written.

    Either step is done whatever becomes of the other; what either suffers is raised at the end.
    """
    own = settings.HomeSettings.from_env(os.environ)
    store, now = Store(own.home), int(time.time())
    written = {"chunks": 0, "days": 0, "digests": 0}
    errors: list[Exception] = []
    try:
        written |= rolling.roll_up(store, now)
    except Exception as error:  # noqa: BLE001 - raised below
        errors.append(error)
    try:
        for notice in reports.tell_reports(store, now):
            logger.info("notice", notice=notice.id, type=notice.type, server=notice.slug, status=notice.status)
            written["digests"] += 1
    except Exception as error:  # noqa: BLE001 - raised below
        errors.append(error)
    logger.info("rolled up", written=written)
    if errors:
        raise errors[0] if len(errors) == 1 else ExceptionGroup("neither step was done in full", errors)
    return written
