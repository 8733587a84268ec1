"""One Lambda function of ours: its folder under functions/, its own role, its log group, and nothing implicit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct
from lookout import settings

from infra.config import ROOT, Deployment
from infra.constructs.layers import RUNTIME, Layers
from infra.grants import EVERY_FUNCTION, Arns


@dataclass(frozen=True, slots=True)
class Size:
    """Memory buys CPU in proportion (1,769 MB is one core). `retries`: of failed invocations nobody waits for."""

    memory_mb: int
    timeout_s: int
    retries: int | None
    why: str


SIZES: Final = {
    "dispatch": Size(256, 20, 0, "one scan and a few invocations; the next minute is the retry"),
    "probe": Size(
        512,
        50,
        0,
        "CPU is honesty here: at 256 MB (0.14 core) a TLS handshake's 4.7 ms of work shows up as 30 ms of the target's"
        " latency. A retry would probe a server twice in one minute",
    ),
    "drain": Size(256, 60, None, "a batch of writes that may each be slow to fail; the queue retries"),
    "judge": Size(256, 60, 0, "decompresses a few rounds; the next tick is the retry"),
    "notify": Size(
        1024,
        30,
        None,
        "one request at a time; the stream and the queue retry. Mostly cold when an alert comes: its clients of AWS"
        " are a second of CPU, for which at 256 MB (0.14 core) an alert would wait",
    ),
    "rollup": Size(
        1024, 900, 2, "15 ms of CPU for each server and hour, in one run; after a pause it has days to catch up"
    ),
    "publish": Size(512, 60, 0, "renders every page of every server in the minute; the next minute is the retry"),
    "heartbeat": Size(256, 60, 0, "a few reads, a message per region and one request; the next minute is the retry"),
    "api": Size(256, 10, None, "reads one object and renders it, while somebody waits"),
    "apply": Size(256, 120, 0, "a write per changed server; retried after a rollback it would apply the wrong one"),
}

_MAX_AGE: Final = {0: cdk.Duration.seconds(60), 2: cdk.Duration.minutes(30)}
"""How long Lambda keeps an invocation it could not start, by the retries it is worth."""


class LookoutFunction(Construct):
    """The function in functions/<folder>, with exactly what the grants table gives it. `function` is the Lambda."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        folder: str,
        deployment: Deployment,
        layers: Layers,
        arns: Arns,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(scope, id_)
        size = SIZES[folder]
        name = settings.function_name(folder)
        log_group = logs.LogGroup(
            self,
            "Log",
            log_group_name=f"/aws/lambda/{name}",
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        own = {"logs/own": log_group.log_group_arn, "anything": "*"}
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        for grant in EVERY_FUNCTION:
            self.role.add_to_policy(iam.PolicyStatement(actions=list(grant.actions), resources=[own[grant.resource]]))
        for statement in arns.statements(folder):
            self.role.add_to_policy(statement)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=name,
            description=f"Lookout: {folder}",
            runtime=RUNTIME,
            architecture=lambda_.Architecture.X86_64 if deployment.x86 else lambda_.Architecture.ARM_64,
            handler="handler.handler",
            code=lambda_.Code.from_asset(str(ROOT / "functions" / folder), exclude=["**/__pycache__", "**/.*"]),
            layers=list(layers.versions),
            role=self.role.without_policy_updates(),
            memory_size=size.memory_mb,
            timeout=cdk.Duration.seconds(size.timeout_s),
            retry_attempts=size.retries,
            max_event_age=_MAX_AGE.get(size.retries) if size.retries is not None else None,
            log_group=log_group,
            tracing=lambda_.Tracing.ACTIVE,
            environment={
                settings.ENV_HOME: deployment.home,
                "POWERTOOLS_SERVICE_NAME": folder,
                "POWERTOOLS_METRICS_NAMESPACE": settings.METRICS_NAMESPACE,
                **(environment or {}),
            },
        )
        self.policy = self.role.node.find_child("DefaultPolicy")
        """What must be there before anything invokes the function."""
        self.function.node.add_dependency(self.policy)
