"""dispatch: a schedule's minute -> one asynchronous probe per shard. Runs in every probing region."""

from __future__ import annotations

import os
import time
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger
from lookout import settings
from lookout.jobs import dispatching
from lookout.store import Store, aws

logger = Logger(service="dispatch")


def handler(event: dict[str, Any], context: object) -> dict[str, int]:
    """EventBridge Scheduler event `{"time": ...}` -> `{shard: servers}`."""
    own = settings.DispatchSettings.from_env(os.environ)
    minute = dispatching.scheduled_minute(event, int(time.time()))
    sent = dispatching.dispatch(Store(own.home), minute, own.region, partial(aws.invoke_async, own.probe_function))
    logger.info("dispatched", minute=minute, shards=sent)
    return sent
