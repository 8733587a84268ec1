"""What wakes functions: EventBridge Scheduler, with one role that may invoke those functions and nothing else."""

from __future__ import annotations

import json
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct
from lookout import settings

from infra.constructs.function import LookoutFunction
from infra.constructs.queues import DeadLetters

EVERY_MINUTE: Final = "cron(* * * * ? *)"
"""Not `rate(1 minute)`, which counts from the schedule's creation: all regions begin together, with the minute."""
EVERY_HOUR: Final = "cron(4 * * * ? *)"
"""Four minutes past: the last minute of the hour before has been judged by then."""
_INPUT: Final = json.dumps({"time": "<aws.scheduler.scheduled-time>"})


class Schedules(Construct):
    """The schedules of one stack. What cannot be started within its minute is dropped and lands in `dead`."""

    def __init__(self, scope: Construct, id_: str, *, name: str, local: bool) -> None:
        super().__init__(scope, id_)
        stack = cdk.Stack.of(self)
        self._name = f"{settings.PREFIX}-{name}"
        self.dead = DeadLetters(self, "Dead", name=f"{self._name}-schedule-dead", local=local)
        self._group = scheduler.CfnScheduleGroup(self, "Group", name=self._name)
        group_arn = stack.format_arn(service="scheduler", resource="schedule-group", resource_name=self._name)
        self._role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": stack.account, "aws:SourceArn": group_arn}},
            ),
        )
        self._allow("sqs:SendMessage", self.dead.queue_arn)

    def _allow(self, action: str, arn: str) -> None:
        self._role.add_to_policy(iam.PolicyStatement(actions=[action], resources=[arn]))

    def add(self, id_: str, target: LookoutFunction, expression: str, *, max_age_s: int, retries: int) -> None:
        """Invoke `target` by `expression` (UTC), with the scheduled time as the event's `time`."""
        self._allow("lambda:InvokeFunction", target.function.function_arn)
        schedule = scheduler.CfnSchedule(
            self,
            id_,
            name=f"{self._name}-{id_.lower()}",
            group_name=self._group.ref,
            schedule_expression=expression,
            schedule_expression_timezone="UTC",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=target.function.function_arn,
                role_arn=self._role.role_arn,
                input=_INPUT,
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=self.dead.queue_arn),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=max_age_s, maximum_retry_attempts=retries
                ),
            ),
        )
        schedule.node.add_dependency(self._role.node.find_child("DefaultPolicy"))
