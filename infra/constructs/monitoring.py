"""Who watches Lookout: every alarm goes through `Monitoring`, and every alarm has an entry in docs/runbook.md."""

from __future__ import annotations

from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct
from lookout import settings

from infra.constructs.function import LookoutFunction

RUNBOOK: Final = "docs/runbook.md"
_FIVE_MINUTES: Final = cdk.Duration.minutes(5)
_BEHIND_MS: Final = 5 * 60 * 1000
_OLD_S: Final = 30 * 60
_MISSING: Final = cloudwatch.TreatMissingData


class Monitoring(Construct):
    """The alarms of one stack, and the SNS topic they speak to: `email` is subscribed, and so may be others.

    Topic and alarms are in the region of the stack: what watches the home region from another needs nothing of it.
    """

    def __init__(self, scope: Construct, id_: str, *, name: str, local: bool, email: str | None = None) -> None:
        super().__init__(scope, id_)
        self.topic = sns.Topic(self, "Topic", topic_name=f"{settings.PREFIX}-{name}-alarms")
        if email is not None:
            self.topic.add_subscription(subscriptions.EmailSubscription(email))
        if not local:
            self._only_alarms_over_tls()
        self._action = actions.SnsAction(self.topic)

    def _only_alarms_over_tls(self) -> None:
        account = cdk.Stack.of(self).account
        for statement in (
            iam.PolicyStatement(
                sid="Alarms",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": account}},
            ),
            iam.PolicyStatement(
                sid="OnlyTls",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"Bool": {"aws:SecureTransport": "false"}},
            ),
        ):
            self.topic.add_to_resource_policy(statement)

    def alarm(
        self,
        id_: str,
        metric: cloudwatch.Metric,
        *,
        threshold: float,
        what: str,
        periods: int = 1,
        below: bool = False,
        missing: cloudwatch.TreatMissingData = _MISSING.NOT_BREACHING,
    ) -> None:
        """One alarm, named lookout-<id>; `id_` is also its heading in the runbook. Fires at or over `threshold`."""
        over = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
        under = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
        alarm = cloudwatch.Alarm(
            self,
            id_,
            alarm_name=f"{settings.PREFIX}-{id_}",
            alarm_description=f"{what} What to do: {RUNBOOK}#{id_}",
            metric=metric,
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=under if below else over,
            treat_missing_data=missing,
        )
        alarm.add_alarm_action(self._action)
        alarm.add_ok_action(self._action)

    def dead_letters(self, id_: str, queue: sqs.Queue, what: str) -> None:
        """Something waits in a dead queue."""
        metric = queue.metric_approximate_number_of_messages_visible(period=_FIVE_MINUTES, statistic="Maximum")
        self.alarm(id_, metric, threshold=1, what=what)

    def errors(self, folder: str, function: LookoutFunction, *, threshold: int) -> None:
        """A function raised `threshold` times within five minutes."""
        metric = function.function.metric_errors(period=_FIVE_MINUTES, statistic="Sum")
        self.alarm(f"{folder}-errors", metric, threshold=threshold, what=f"The {folder} function fails.")

    def counted(self, id_: str, folder: str, metric_name: str, what: str) -> None:
        """Something that a function of ours counts, and should never have to, was counted within five minutes."""
        metric = cloudwatch.Metric(
            namespace=settings.METRICS_NAMESPACE,
            metric_name=metric_name,
            dimensions_map={"service": folder},
            period=_FIVE_MINUTES,
            statistic="Sum",
        )
        self.alarm(id_, metric, threshold=1, what=what)

    def old(self, id_: str, folder: str, metric_name: str, what: str) -> None:
        """What a function of ours measures the age of was older than half an hour for ten minutes.

        Not SQS's own age of the oldest message: that leaves out what was received three times.
        """
        metric = cloudwatch.Metric(
            namespace=settings.METRICS_NAMESPACE,
            metric_name=metric_name,
            dimensions_map={"service": folder},
            period=_FIVE_MINUTES,
            statistic="Maximum",
        )
        self.alarm(id_, metric, threshold=_OLD_S, periods=2, what=what)

    def lasting(self, id_: str, folder: str, metric_name: str, *, threshold: int, what: str) -> None:
        """What a function of ours measures every minute was so high all through ten minutes."""
        metric = cloudwatch.Metric(
            namespace=settings.METRICS_NAMESPACE,
            metric_name=metric_name,
            dimensions_map={"service": folder},
            period=_FIVE_MINUTES,
            statistic="Minimum",
        )
        self.alarm(id_, metric, threshold=threshold, periods=2, what=what)

    def aged(self, id_: str, queue: sqs.Queue, what: str) -> None:
        """The oldest message of a queue that keeps its order is older than half an hour, for ten minutes."""
        metric = queue.metric_approximate_age_of_oldest_message(period=_FIVE_MINUTES, statistic="Maximum")
        self.alarm(id_, metric, threshold=_OLD_S, periods=2, what=what)

    def resting(self, id_: str, queue: sqs.Queue, *, threshold: int, what: str) -> None:
        """A queue holds so many messages for ten minutes that were tried, and rest until they are tried again."""
        metric = queue.metric_approximate_number_of_messages_not_visible(period=_FIVE_MINUTES, statistic="Maximum")
        self.alarm(id_, metric, threshold=threshold, periods=2, what=what)

    def untouched(self, id_: str, queue: sqs.Queue, *, threshold: int, what: str) -> None:
        """A queue holds so many messages for ten minutes that nobody takes."""
        metric = queue.metric_approximate_number_of_messages_visible(period=_FIVE_MINUTES, statistic="Minimum")
        self.alarm(id_, metric, threshold=threshold, periods=2, what=what)

    def unheard(self, id_: str, queue: sqs.Queue, what: str) -> None:
        """Nothing was put into a queue for ten minutes: whoever should is silent, and silence has no data."""
        metric = queue.metric_number_of_messages_sent(period=_FIVE_MINUTES, statistic="Sum")
        self.alarm(id_, metric, threshold=1, periods=2, below=True, missing=_MISSING.BREACHING, what=what)

    def silent(self, folder: str, function: LookoutFunction) -> None:
        """A function that runs every minute did not run for ten."""
        metric = function.function.metric_invocations(period=_FIVE_MINUTES, statistic="Sum")
        what = f"The {folder} function does not run."
        self.alarm(
            f"{folder}-silent", metric, threshold=1, periods=2, below=True, missing=_MISSING.BREACHING, what=what
        )

    def behind(self, folder: str, function: LookoutFunction) -> None:
        """A stream's reader is more than five minutes behind."""
        metric = cloudwatch.Metric(
            namespace="AWS/Lambda",
            metric_name="IteratorAge",
            dimensions_map={"FunctionName": function.function.function_name},
            period=_FIVE_MINUTES,
            statistic="Maximum",
        )
        self.alarm(
            f"{folder}-behind", metric, threshold=_BEHIND_MS, what=f"The {folder} function is behind its stream."
        )
