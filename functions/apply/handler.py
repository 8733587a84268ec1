"""apply: the custom resource that makes the servers table say what the deployed lookout.yaml says."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger
from lookout import cfn, settings
from lookout.config.model import Config
from lookout.store import Store, aws

logger = Logger(service="apply")


def handler(event: dict[str, Any], context: Any) -> None:
    """CloudFormation custom resource request -> an answer PUT to its ResponseURL, whatever happens.

    Properties: AssetBucket, AssetKey (the JSON of a Config), Digest. Delete leaves all data where it is.
    """
    cfn.respond(event, partial(_apply, event), context.get_remaining_time_in_millis() / 1000)


def _apply(event: Mapping[str, Any]) -> dict[str, str]:
    if event["RequestType"] == "Delete":
        return {}
    own = settings.HomeSettings.from_env(os.environ)
    properties = event["ResourceProperties"]
    config = Config.from_json(json.loads(aws.get_object(properties["AssetBucket"], properties["AssetKey"])))
    changes = Store(own.home).apply_config(config, int(time.time()))
    # Not `created=`: a log record has a field of that name.
    logger.info("applied", new=changes.created, changed=changes.changed, removed=changes.removed)
    return {
        "Created": str(len(changes.created)),
        "Changed": str(len(changes.changed)),
        "Removed": str(len(changes.removed)),
    }
