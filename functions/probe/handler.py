"""probe: all servers of one shard, now -> one stored round. Runs in every probing region."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from lookout import settings
from lookout.config.model import Server, Site
from lookout.jobs import probing
from lookout.probe.round_runner import Memory
from lookout.store import Store, aws

logger = Logger(service="probe")
metrics = Metrics(namespace=settings.METRICS_NAMESPACE, service="probe")

memories: dict[str, Memory] = {}
"""What each server was like in the last round, for as long as this process is warm."""
vaults: dict[str, probing.Secrets] = {}


@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"shard", "minute", "site", "servers"}` as dispatch sends it -> `{"stored": bool, "servers": n}`."""
    own = settings.HomeSettings.from_env(os.environ)
    vault = vaults.setdefault(own.home, probing.Secrets(lambda name: aws.secret_value(own.home, name), time.monotonic))
    round_ = asyncio.run(
        probing.probe_shard(
            event["shard"],
            event["minute"],
            Site.from_item(event["site"]),
            [Server.from_item(item) for item in event["servers"]],
            region=own.region,
            seconds=context.get_remaining_time_in_millis() / 1000,
            secrets=vault,
            memories=memories,
        )
    )
    stored = Store(own.home).put_round(round_, int(time.time()))
    metrics.add_metric("ProbesDone", MetricUnit.Count, len(round_.results))
    logger.info("round", shard=round_.shard, minute=round_.minute, servers=len(round_.results), stored=stored)
    return {"stored": stored, "servers": len(round_.results)}
