"""heartbeat: once a minute, if all is well -> a message to the other regions, and a call of the dead-man service."""

from __future__ import annotations

import os
import time
from dataclasses import asdict
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from lookout import settings
from lookout.credentials.secrets import Secrets
from lookout.jobs import heartbeat
from lookout.notify.deliver import ping
from lookout.store import Store, aws
from lookout.store.watch import WatchLog

logger = Logger(service="heartbeat")
metrics = Metrics(namespace=settings.METRICS_NAMESPACE, service="heartbeat")
vaults: dict[str, Secrets] = {}


@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """EventBridge Scheduler event -> `{"withheld": [why], "told": [region], "called": bool, "failed": [what]}`."""
    own = settings.HeartbeatSettings.from_env(os.environ)
    now = int(time.time())
    published = aws.written_at(own.data_bucket, settings.SNAPSHOT_KEY)
    if published is not None:
        metrics.add_metric("SnapshotAge", MetricUnit.Seconds, max(0, now - published))
    done = heartbeat.beat(Store(own.home), WatchLog(own.home).read(), published, now, _ways(own, now))
    metrics.add_metric("HeartbeatWithheld", MetricUnit.Count, len(done.withheld))
    metrics.add_metric("HeartbeatFailed", MetricUnit.Count, len(done.failed))
    said = asdict(done)
    (logger.warning if done.withheld or done.failed else logger.info)("heartbeat", extra=said)
    return said


def _ways(own: settings.HeartbeatSettings, now: int) -> heartbeat.Ways:
    for region in own.queues:
        aws.client("sqs", region)  # made here: boto3 makes no clients in two threads at once
    stores = {
        "secret": partial(aws.secret_value, own.home),
        "ssm": partial(aws.parameter_value, own.home),
    }
    return heartbeat.Ways(
        regions=tuple(own.queues),
        tell=lambda region: aws.send_message(own.queues[region], region, str(now)),
        resolve=vaults.setdefault(own.home, Secrets(stores, time.monotonic)).resolve,
        call=ping,
    )
