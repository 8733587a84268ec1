"""notify: notices written -> deliveries queued; deliveries queued -> requests sent; each minute, alerts sent again.

One function, two event sources and a schedule.
"""

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
from lookout.credentials.secrets import Secrets
from lookout.jobs.resending import resend
from lookout.notify.deliver import deliver
from lookout.notify.dispatcher import Ports, deliver_messages, fan_out
from lookout.notify.request import HttpRequest, Request
from lookout.notify.retry import Answer
from lookout.store import Store, aws, notice_from_image
from lookout.store.messages import deliver_to_aws

logger = Logger(service="notify")
metrics = Metrics(namespace=settings.METRICS_NAMESPACE, service="notify")
vaults: dict[str, Secrets] = {}


@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> dict[str, list[dict[str, str]]]:
    """A batch of DynamoDB stream records or of SQS messages, or a tick -> the partial batch answer."""
    own = settings.NotifySettings.from_env(os.environ)
    if "Records" not in event:
        _resend(own)
        return {"batchItemFailures": []}
    records = event["Records"]
    if records[0]["eventSource"] == "aws:dynamodb":
        notices = [notice_from_image(record["dynamodb"]["NewImage"]) for record in records]
        queued = fan_out(notices, partial(aws.send_delivery, own.deliveries_url, own.home))
        metrics.add_metric("DeliveriesQueued", MetricUnit.Count, queued)
        return {"batchItemFailures": []}
    outcomes, kept = deliver_messages(records, _ports(own))
    for outcome in outcomes:
        logger.info("delivery", **asdict(outcome))
        metrics.add_metric(f"Deliveries{outcome.result.title()}", MetricUnit.Count, 1)
    return {"batchItemFailures": [{"itemIdentifier": message} for message in kept]}


def _resend(own: settings.NotifySettings) -> None:
    ports = _ports(own)
    done = resend(Store(own.home), ports.resolve, ports.send, ports.now())
    for one in done:
        logger.info("alerts", sink=one.sink, alerts=one.alerts, answer=str(one.answer))
    metrics.add_metric("AlertsResent", MetricUnit.Count, sum(one.alerts for one in done if one.answer.delivered))
    metrics.add_metric("AlertSinksFailed", MetricUnit.Count, sum(not one.answer.delivered for one in done))


def _send(home: str, request: Request, allow_private: bool) -> Answer:
    return deliver(request, allow_private) if isinstance(request, HttpRequest) else deliver_to_aws(request, home)


def _ports(own: settings.NotifySettings) -> Ports:
    stores = {
        "secret": lambda name: aws.secret_value(own.home, name),
        "ssm": lambda name: aws.parameter_value(own.home, name),
    }
    vault = vaults.setdefault(own.home, Secrets(stores, time.monotonic))
    return Ports(
        outbox=Store(own.home),
        resolve=vault.resolve,
        send=partial(_send, own.home),
        delay=partial(aws.delay_delivery, own.deliveries_url, own.home),
        bury=partial(aws.send_delivery, own.dead_url, own.home),
        now=lambda: int(time.time()),
        chance=random.SystemRandom().random,
        site_url=own.site_url,
    )
