"""rollup: hours that are over -> chunks and daily summaries."""

from __future__ import annotations

import os
import time
from typing import Any

from aws_lambda_powertools import Logger
from lookout import settings
from lookout.jobs import rolling
from lookout.store import Store

logger = Logger(service="rollup")


def handler(event: dict[str, Any], context: object) -> dict[str, int]:
    """EventBridge Scheduler event -> `{"chunks": n, "days": n}` written."""
    own = settings.HomeSettings.from_env(os.environ)
    written = rolling.roll_up(Store(own.home), int(time.time()))
    logger.info("rolled up", written=written)
    return written
