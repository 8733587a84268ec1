"""Everything our functions may do in AWS: one line per function, resource and set of actions. Nothing else is granted.

A resource is a word and a name, resolved by `Arns`:

    table/NAME       a DynamoDB table of the home region
    stream/NAME      its stream; stream-list/NAME is what ListStreams is authorised against
    queue/NAME       an SQS queue of the same region
    watchers/NAME    an SQS queue of every region that watches the home region
    bucket/NAME/KEY  objects of the site or data bucket
    function/NAME    a function of the same region
    secrets/KIND     the secrets the configuration refers to: those of servers, of sinks, or of the heartbeat
    parameters/KIND  the parameters of Parameter Store it refers to, likewise
    identities/KIND  what SES may have verified for the e-mail sinks
    topics/KIND      the SNS topics of sinks; buses/KIND the EventBridge buses
    surfaces/KEY     objects of the bucket of surfaces, in the home region
    asset/config     the configuration in the assets bucket
    logs/own         the function's own log group
    anything         `*`: for actions that know no resource
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from lookout import settings

from infra.config import Deployment

_STREAM_READ: Final = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")
_STREAM_LIST: Final = ("dynamodb:ListStreams",)
_QUEUE_READ: Final = (
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ChangeMessageVisibility",
)


@dataclass(frozen=True, slots=True)
class Grant:
    """`function` may do `actions` on `resource`. A transaction is authorised as the writes it is made of."""

    function: str
    resource: str
    actions: tuple[str, ...]
    why: str


EVERY_FUNCTION: Final = (
    Grant(
        "*", "logs/own", ("logs:CreateLogStream", "logs:PutLogEvents"), "its log; the group is ours, with a retention"
    ),
    Grant("*", "anything", ("xray:PutTraceSegments", "xray:PutTelemetryRecords"), "active tracing"),
)

GRANTS: Final = (
    Grant("dispatch", "table/servers", ("dynamodb:Scan",), "the roster"),
    Grant("dispatch", "table/incidents", ("dynamodb:Query",), "the eras and surfaces that are known"),
    Grant("dispatch", "function/probe", ("lambda:InvokeFunction",), "one probe per shard"),
    Grant("probe", "table/rounds", ("dynamodb:PutItem",), "the round, conditionally"),
    Grant("probe", "queue/rounds-waiting", ("sqs:SendMessage",), "the round, where the home region takes no writes"),
    Grant("probe", "secrets/servers", ("secretsmanager:GetSecretValue",), "credentials of watched servers"),
    Grant("probe", "parameters/servers", ("ssm:GetParameter",), "credentials of watched servers"),
    Grant("probe", "surfaces/*", ("s3:PutObject",), "a surface nobody has stored yet"),
    Grant("drain", "queue/rounds-waiting", _QUEUE_READ, "rounds that waited"),
    Grant("drain", "table/rounds", ("dynamodb:PutItem",), "the same rounds, conditionally"),
    Grant("judge", "stream/rounds", _STREAM_READ, "rounds that landed"),
    Grant("judge", "stream-list/rounds", _STREAM_LIST, "asked by Lambda of a stream's reader"),
    Grant("judge", "queue/judge-dead", ("sqs:SendMessage",), "batches that failed for good"),
    Grant("judge", "table/servers", ("dynamodb:Scan",), "the roster"),
    Grant("judge", "table/rounds", ("dynamodb:Query", "dynamodb:PutItem"), "rounds to judge; the verdicts of a minute"),
    Grant(
        "judge",
        "table/incidents",
        ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:DeleteItem"),
        "state, incidents and notices, in one transaction; held notices move to the outbox or a digest",
    ),
    Grant("judge", "table/history", ("dynamodb:Query",), "what is left of an error budget, where one burns"),
    Grant("judge", "surfaces/*", ("s3:GetObject",), "the two surfaces of a change"),
    Grant("notify", "stream/incidents", _STREAM_READ, "new notices"),
    Grant("notify", "stream-list/incidents", _STREAM_LIST, "asked by Lambda of a stream's reader"),
    Grant("notify", "queue/outbox-dead", ("sqs:SendMessage",), "notices that could not be queued"),
    Grant("notify", "queue/deliveries", ("sqs:SendMessage", *_QUEUE_READ), "one message per notice and sink"),
    Grant("notify", "queue/deliveries-dead", ("sqs:SendMessage",), "what was tried for a day"),
    Grant("notify", "table/servers", ("dynamodb:GetItem",), "the site: its sinks"),
    Grant(
        "notify",
        "table/incidents",
        ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"),
        "the notice; how its deliveries stand; what fires at Alertmanager sinks, and whether it is over",
    ),
    Grant("notify", "secrets/sinks", ("secretsmanager:GetSecretValue",), "addresses and signing keys of sinks"),
    Grant("notify", "parameters/sinks", ("ssm:GetParameter",), "addresses and signing keys of sinks"),
    Grant(
        "notify",
        "identities/sinks",
        ("ses:SendEmail", "ses:SendRawEmail"),
        "e-mail from its sender; SES asks for the recipients' identities too, while the account is in its sandbox",
    ),
    Grant("notify", "topics/sinks", ("sns:Publish",), "messages to the topics of sinks"),
    Grant("notify", "buses/sinks", ("events:PutEvents",), "events to the buses of sinks"),
    Grant("rollup", "table/servers", ("dynamodb:Scan",), "the roster, and the sinks that ask for digests"),
    Grant(
        "rollup",
        "table/rounds",
        ("dynamodb:Query", "dynamodb:DeleteItem"),
        "rounds and verdicts of hours that are over; marks of rounds that came late, once they are in",
    ),
    Grant("rollup", "table/history", ("dynamodb:Query", "dynamodb:PutItem"), "chunks and daily summaries"),
    Grant(
        "rollup",
        "table/incidents",
        ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"),
        "how far judging has come; incidents; a digest, with the mark that it was told, in one transaction",
    ),
    Grant("publish", "table/servers", ("dynamodb:Scan",), "the roster"),
    Grant("publish", "table/rounds", ("dynamodb:Query",), "verdicts of the last hours"),
    Grant("publish", "table/history", ("dynamodb:Query",), "daily summaries"),
    Grant("publish", "table/incidents", ("dynamodb:Query",), "states, incidents and maintenance windows"),
    Grant("publish", "bucket/site/*", ("s3:PutObject", "s3:DeleteObject"), "pages; those of a removed server go"),
    Grant("publish", "bucket/data/internal/*", ("s3:GetObject", "s3:PutObject"), "the snapshot; what is published"),
    Grant("heartbeat", "table/servers", ("dynamodb:Scan",), "the site, and which shards there are"),
    Grant(
        "heartbeat",
        "table/incidents",
        ("dynamodb:GetItem", "dynamodb:Query"),
        "how far judging has come; the watch; the newest notices, and whether they were tried",
    ),
    Grant("heartbeat", f"bucket/data/{settings.SNAPSHOT_KEY}", ("s3:GetObject",), "when it was written"),
    Grant("heartbeat", "watchers/heartbeat", ("sqs:SendMessage",), "all is well, said to the other regions"),
    Grant("heartbeat", "secrets/heartbeat", ("secretsmanager:GetSecretValue",), "the dead-man service's address"),
    Grant("heartbeat", "parameters/heartbeat", ("ssm:GetParameter",), "the dead-man service's address"),
    Grant("api", f"bucket/data/{settings.SNAPSHOT_KEY}", ("s3:GetObject",), "the public read model, and nothing else"),
    Grant(
        "apply",
        "table/servers",
        ("dynamodb:Scan", "dynamodb:PutItem", "dynamodb:DeleteItem"),
        "definitions",
    ),
    Grant(
        "apply",
        "table/incidents",
        ("dynamodb:GetItem", "dynamodb:PutItem"),
        "closing a removed server's incident, with its notice; maintenance windows a file no longer has",
    ),
    Grant("apply", "asset/config", ("s3:GetObject",), "the configuration that was deployed"),
)

_TABLES: Final = {
    "servers": settings.SERVERS_TABLE,
    "rounds": settings.ROUNDS_TABLE,
    "history": settings.HISTORY_TABLE,
    "incidents": settings.INCIDENTS_TABLE,
}


def of(function: str) -> tuple[Grant, ...]:
    """What `function` is granted beside what every function is."""
    return tuple(grant for grant in GRANTS if grant.function == function)


class Arns:
    """Resolves resources to ARNs within one stack. `known` are those that have no fixed name, or are made right here.

    A fixed name and the home region are all a probe region needs to know of a table: no cross-region machinery.
    """

    def __init__(self, stack: cdk.Stack, deployment: Deployment, known: Mapping[str, str]) -> None:
        self._stack = stack
        self._deployment = deployment
        self._known = known

    def resolve(self, resource: str) -> list[str]:
        """The ARNs of a resource; none where the configuration refers to no secret or parameter of that kind."""
        if resource in self._known:
            return [self._known[resource]]
        if resource == "anything":
            return ["*"]
        kind, _, name = resource.partition("/")
        if kind == "table":
            return [self._arn("dynamodb", "table", _TABLES[name], self._deployment.home)]
        if kind == "surfaces":
            bucket = settings.surfaces_bucket(self._stack.account, self._deployment.home)
            key = f"{settings.SURFACES_PREFIX}{name}"
            return [self._stack.format_arn(service="s3", region="", account="", resource=bucket, resource_name=key)]
        if kind == "watchers":
            return [self._queue(f"{settings.PREFIX}-{name}", region) for region in self._deployment.watchers]
        if kind == "function":
            return [self._arn("lambda", "function", settings.function_name(name), self._stack.region, colon=True)]
        if kind == "secrets":
            # Secrets Manager appends a dash and six characters to a name: `-*` would match longer names too.
            names = [f"{secret}-??????" for secret in self._deployment.secrets(name)]
            return [self._arn("secretsmanager", "secret", n, self._deployment.home, colon=True) for n in names]
        if kind == "parameters":
            names = [parameter.removeprefix("/") for parameter in self._deployment.parameters(name)]
            return [self._arn("ssm", "parameter", n, self._deployment.home) for n in names]
        if kind == "identities":
            return [self._arn("ses", "identity", n, self._deployment.home) for n in self._deployment.identities]
        if kind == "topics":
            return list(self._deployment.sinks("sns"))
        if kind == "buses":
            buses = self._deployment.sinks("eventbridge")
            return [
                b if b.startswith("arn:") else self._arn("events", "event-bus", b, self._deployment.home) for b in buses
            ]
        raise KeyError(resource)

    def _arn(self, service: str, kind: str, name: str, region: str, *, colon: bool = False) -> str:
        form = cdk.ArnFormat.COLON_RESOURCE_NAME if colon else cdk.ArnFormat.SLASH_RESOURCE_NAME
        return self._stack.format_arn(
            service=service, resource=kind, resource_name=name, region=region, arn_format=form
        )

    def _queue(self, name: str, region: str) -> str:
        form = cdk.ArnFormat.NO_RESOURCE_NAME
        return self._stack.format_arn(service="sqs", resource=name, region=region, arn_format=form)

    def statements(self, function: str) -> list[iam.PolicyStatement]:
        """The policy of one function's role, without what every function has."""
        resolved = [(grant, self.resolve(grant.resource)) for grant in of(function)]
        return [iam.PolicyStatement(actions=list(g.actions), resources=arns) for g, arns in resolved if arns]
