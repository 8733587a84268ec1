"""publish: once a minute, what is public -> the snapshot in the data bucket and the pages in the site bucket."""

from __future__ import annotations

import json
import os
import time
from functools import cache, partial
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from lookout import settings
from lookout.errors import StoreError
from lookout.status.pages import render_site
from lookout.status.publishing import MANIFEST_KEY, Page, Publisher
from lookout.status.summary import newest_round_age_s, silent_regions
from lookout.status.view import Snapshot
from lookout.store import Store, aws
from lookout.store.snapshot import Gatherer

logger = Logger(service="publish")
metrics = Metrics(namespace=settings.METRICS_NAMESPACE, service="publish")


@cache
def _gatherer(home: str) -> Gatherer:
    return Gatherer(Store(home))


@cache
def _publisher(bucket: str) -> Publisher:
    return Publisher(bucket)


def _stored_manifest(bucket: str) -> bytes | None:
    try:
        return aws.get_object(bucket, MANIFEST_KEY)
    except StoreError as error:
        # Without s3:ListBucket, S3 answers AccessDenied for an object that is not there.
        if str(error).endswith((": NoSuchKey", ": AccessDenied")):
            return None
        raise


def _put(bucket: str, page: Page) -> None:
    aws.put_object(bucket, page.path, page.body, page.content_type, page.cache_control)


def _measure(snapshot: Snapshot, now: int) -> None:
    metrics.add_metric("SilentRegions", MetricUnit.Count, len(silent_regions(snapshot, now)))
    age_s = newest_round_age_s(snapshot, now)
    if age_s is not None:
        metrics.add_metric("NewestRoundAge", MetricUnit.Seconds, age_s)
    metrics.flush_metrics()


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """EventBridge Scheduler event -> `{"written": n, "removed": n, "postponed": n}` pages."""
    own = settings.PublishSettings.from_env(os.environ)
    now = int(time.time())
    snapshot = _gatherer(own.home).gather(own.site_url, now)
    _measure(snapshot, now)
    document = json.dumps(snapshot.to_json(), separators=(",", ":")).encode()
    private = partial(aws.put_object, own.data_bucket, content_type="application/json", cache_control="no-store")
    private(settings.SNAPSHOT_KEY, document)
    publisher = _publisher(own.site_bucket)
    publisher.absorb(_stored_manifest(own.data_bucket))
    done = publisher.publish(
        render_site(snapshot, now),
        public=frozenset(view.slug for view in snapshot.servers),
        now=now,
        put=partial(_put, own.site_bucket),
        delete=partial(aws.delete_object, own.site_bucket),
        save=partial(private, MANIFEST_KEY),
        time_left_s=lambda: context.get_remaining_time_in_millis() / 1000,
    )
    logger.info("published", extra={"servers": len(snapshot.servers), **done})
    return done
