"""api: one HTTP request -> one answer from the published snapshot. It reads nothing else and writes nothing."""

from __future__ import annotations

import json
import os
import time
from typing import Any
from urllib.parse import parse_qsl

from aws_lambda_powertools import Logger
from lookout import settings
from lookout.errors import StoreError
from lookout.status.router import Response, respond, unavailable
from lookout.status.view import Snapshot
from lookout.store import aws

CACHE_S = 10

logger = Logger(service="api")


class SnapshotCache:
    """The last snapshot read from one bucket, kept for ten seconds; an older one serves while S3 cannot be read."""

    def __init__(self) -> None:
        self._bucket = ""
        self._at = float("-inf")
        self._snapshot: Snapshot | None = None

    def read(self, bucket: str, now: float) -> Snapshot | None:
        """The snapshot, or None where there is none yet. `now` is monotonic seconds."""
        if bucket != self._bucket:
            self._bucket, self._at, self._snapshot = bucket, float("-inf"), None
        if now - self._at >= CACHE_S:
            try:
                data = json.loads(aws.get_object(bucket, settings.SNAPSHOT_KEY))
            except StoreError as error:
                logger.warning("snapshot cannot be read", error=str(error))
            else:
                self._snapshot, self._at = Snapshot.from_json(data), now
        return self._snapshot


snapshots = SnapshotCache()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """API Gateway HTTP API event (payload 2.0) -> its response."""
    own = settings.ApiSettings.from_env(os.environ)
    path = event["rawPath"]
    snapshot = snapshots.read(own.data_bucket, time.monotonic())
    if snapshot is None:
        return _reply(unavailable(path))
    method = event["requestContext"]["http"]["method"]
    query = dict(parse_qsl(event.get("rawQueryString", ""), keep_blank_values=True))
    return _reply(respond(snapshot, method, path, query, event.get("headers", {}), int(time.time())))


def _reply(response: Response) -> dict[str, Any]:
    return {"statusCode": response.status, "headers": dict(response.headers), "body": response.body.decode()}
