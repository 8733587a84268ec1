"""judge: rounds that landed, or a tick -> verdicts, incidents and notices."""

from __future__ import annotations

import os
import time
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from lookout import settings
from lookout.jobs import gathering, judging, watching
from lookout.store import Store, surfaces
from lookout.store.mass import MassBook
from lookout.store.watch import WatchLog
from lookout.verdict.state import Notice
from lookout.verdict.watch import held_before

logger = Logger(service="judge")
metrics = Metrics(namespace=settings.METRICS_NAMESPACE, service="judge")


@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> dict[str, int]:
    """DynamoDB stream batch of rounds, or a scheduler's tick -> counts. An error makes the stream send again."""
    own = settings.JudgeSettings.from_env(os.environ)
    now, store, log = int(time.time()), Store(own.home), WatchLog(own.home)
    seen = watching.Seen()
    gathered: tuple[Notice, ...] = ()
    shards = judging.shards_of(event["Records"]) if "Records" in event else None
    try:
        if shards is None:
            seen = watching.watch_over(store, log, now)
    finally:
        try:
            # Whatever becomes of the watch, servers are judged.
            read = partial(surfaces.get_surface, own.home, own.surfaces_bucket)
            judged = judging.judge_shards(store, shards, now, read, held_before(log.read(), now))
        finally:
            # And whatever becomes of both, what is held is told.
            if shards is None:
                gathered = gathering.gather_held(store, MassBook(own.home), now)
    notices = [*seen.notices, *(notice for judgement in judged for notice in judgement.notices), *gathered]
    for notice in notices:
        message = "held" if notice.held else "notice"
        logger.info(message, notice=notice.id, type=notice.type, server=notice.slug, status=notice.status)
    told = [notice for notice in notices if not notice.held]
    if seen.lag_s is not None:
        metrics.add_metric("JudgeLag", MetricUnit.Seconds, seen.lag_s)
    metrics.add_metric("MinutesJudged", MetricUnit.Count, len(judged))
    metrics.add_metric("NoticesWritten", MetricUnit.Count, len(told))
    return {"minutes": len(judged), "notices": len(told)}
