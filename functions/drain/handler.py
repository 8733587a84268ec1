"""drain: rounds that waited in this region's queue -> the home region, which takes writes again."""

from __future__ import annotations

import os
import random
import time
from dataclasses import asdict
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from lookout import settings
from lookout.history.round import Round
from lookout.jobs import keeping
from lookout.store import Store, aws

logger = Logger(service="drain")
metrics = Metrics(namespace=settings.METRICS_NAMESPACE, service="drain")


@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> dict[str, list[dict[str, str]]]:
    """A batch of the queue's messages -> the partial batch answer: those that go on waiting."""
    own = settings.DrainSettings.from_env(os.environ)
    store = Store(own.home)

    def put(round_: Round) -> bool:
        return store.put_round(round_, int(time.time()))

    done = keeping.drain(
        event["Records"],
        put,
        partial(aws.delay_delivery, own.waiting_url, own.region),
        int(time.time()),
        random.SystemRandom().random,
    )
    metrics.add_metric("RoundsDrained", MetricUnit.Count, done.stored)
    metrics.add_metric("RoundsRefused", MetricUnit.Count, done.refused)
    metrics.add_metric("RoundsWaitingAge", MetricUnit.Seconds, done.oldest_s)
    logger.info("drained", extra={k: v for k, v in asdict(done).items() if k != "kept"})
    return {"batchItemFailures": [{"itemIdentifier": message} for message in done.kept]}
