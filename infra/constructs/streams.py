"""What feeds functions: the two DynamoDB streams and the queue of deliveries.

Made of the plain CloudFormation resource, because the library's sources grant more than the grants table says.
TTL deletions arrive as REMOVE records: the filters let only INSERT through.
"""

from __future__ import annotations

import json
from typing import Any, Final

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct
from lookout import settings

from infra.constructs.function import LookoutFunction

ROUNDS_FILTER: Final[dict[str, Any]] = {
    "eventName": ["INSERT"],
    "dynamodb": {"NewImage": {"kind": {"S": [settings.ROUND_KIND]}}},
}
NOTICES_FILTER: Final[dict[str, Any]] = {
    "eventName": ["INSERT"],
    "dynamodb": {"Keys": {"pk": {"S": [settings.NOTICE_PARTITION]}}},
}
_PARTIAL: Final = ["ReportBatchItemFailures"]


class StreamSource(Construct):
    """New items of a table's stream -> a function; a batch that keeps failing is halved, then goes to `dead`.

    `partial`: the function answers which of a batch failed; otherwise all of it did, or nothing.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        stream_arn: str,
        target: LookoutFunction,
        pattern: dict[str, Any],
        dead: sqs.Queue,
        batch: int,
        window_s: int,
        retries: int,
        max_age_s: int,
        partial: bool,
    ) -> None:
        super().__init__(scope, id_)
        mapping = lambda_.CfnEventSourceMapping(
            self,
            "Mapping",
            event_source_arn=stream_arn,
            function_name=target.function.function_name,
            starting_position="TRIM_HORIZON",
            batch_size=batch,
            maximum_batching_window_in_seconds=window_s,
            maximum_retry_attempts=retries,
            maximum_record_age_in_seconds=max_age_s,
            bisect_batch_on_function_error=True,
            function_response_types=_PARTIAL if partial else None,
            destination_config=lambda_.CfnEventSourceMapping.DestinationConfigProperty(
                on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(destination=dead.queue_arn)
            ),
            filter_criteria=lambda_.CfnEventSourceMapping.FilterCriteriaProperty(
                filters=[lambda_.CfnEventSourceMapping.FilterProperty(pattern=json.dumps(pattern))]
            ),
        )
        mapping.node.add_dependency(target.policy)


class QueueSource(Construct):
    """Messages of a queue -> a function, which says which of a batch failed; at most `at_once` batches at a time."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        queue: sqs.Queue,
        target: LookoutFunction,
        batch: int,
        at_once: int | None = None,
    ) -> None:
        super().__init__(scope, id_)
        scaling = lambda_.CfnEventSourceMapping.ScalingConfigProperty(maximum_concurrency=at_once)
        mapping = lambda_.CfnEventSourceMapping(
            self,
            "Mapping",
            event_source_arn=queue.queue_arn,
            function_name=target.function.function_name,
            batch_size=batch,
            function_response_types=_PARTIAL,
            scaling_config=scaling if at_once is not None else None,
        )
        mapping.node.add_dependency(target.policy)
