"""The grants table is what the templates grant: nothing more, nothing less, nothing implicit."""

from __future__ import annotations

from typing import Any

import pytest
from lookout import settings

from infra.application import HOME_STACK, probe_stack
from infra.grants import EVERY_FUNCTION, GRANTS

HOME = "us-east-1"
PROBE_REGION = "eu-west-1"
PLACES = ((HOME_STACK, HOME), (probe_stack(PROBE_REGION), PROBE_REGION))
Pairs = set[tuple[str, str]]


class Text:
    """Resolves the intrinsic functions of one template into text."""

    def __init__(self, template: dict[str, Any], region: str) -> None:
        self.resources = template["Resources"]
        self.region = region

    def __call__(self, value: Any) -> str:
        if isinstance(value, str):
            return value
        ((function, argument),) = value.items()
        if function == "Ref":
            pseudo = {"AWS::AccountId": "ACCOUNT", "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}
            return pseudo.get(argument, f"<{argument}>")
        if function == "Fn::Join":
            separator, parts = argument
            return separator.join(self(part) for part in parts)
        if function == "Fn::Sub":
            return str(argument.replace("${AWS::AccountId}", "ACCOUNT"))
        assert function == "Fn::GetAtt", value
        return self.attribute(*argument)

    def attribute(self, name: str, attribute: str) -> str:
        resource = self.resources[name]
        kind, properties = resource["Type"], resource.get("Properties", {})
        if kind == "AWS::S3::Bucket":
            return f"arn:aws:s3:::<{resource['Metadata']['aws:cdk:path'].split('/', 1)[1]}>"
        service, form = {
            "AWS::DynamoDB::Table": ("dynamodb", "table/{TableName}"),
            "AWS::SQS::Queue": ("sqs", "{QueueName}"),
            "AWS::Lambda::Function": ("lambda", "function:{FunctionName}"),
            "AWS::Logs::LogGroup": ("logs", "log-group:{LogGroupName}:*"),
        }[kind]
        suffix = "/stream/LABEL" if attribute == "StreamArn" else ""
        return f"arn:aws:{service}:{self.region}:ACCOUNT:{form.format(**properties)}{suffix}"


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def granted(template: dict[str, Any], region: str) -> dict[str, Pairs]:
    """(action, resource) pairs by role, from every policy in the template."""
    text = Text(template, region)
    out: dict[str, Pairs] = {}
    for resource in template["Resources"].values():
        if resource["Type"] != "AWS::IAM::Policy":
            continue
        for role in resource["Properties"]["Roles"]:
            pairs = out.setdefault(role["Ref"], set())
            for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
                assert statement["Effect"] == "Allow"
                assert set(statement) == {"Action", "Effect", "Resource"}
                for action in listed(statement["Action"]):
                    pairs |= {(action, text(arn)) for arn in listed(statement["Resource"])}
    return out


def role_of(template: dict[str, Any], function: str) -> str:
    (found,) = [
        resource["Properties"]["Role"]["Fn::GetAtt"][0]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Function" and resource["Properties"]["FunctionName"] == function
    ]
    return str(found)


def arns(resource: str, region: str, folder: str, template: dict[str, Any]) -> list[str]:
    """The ARNs a resource of the grants table must have become."""
    kind, _, name = resource.partition("/")
    secret = f"arn:aws:secretsmanager:{HOME}:ACCOUNT:secret:{{}}-??????"
    if kind == "asset":
        (applied,) = [r for r in template["Resources"].values() if r["Type"] == "Custom::LookoutConfig"]
        return [f"arn:aws:s3:::cdk-hnb659fds-assets-ACCOUNT-{HOME}/{applied['Properties']['AssetKey']}"]
    if kind == "bucket":
        bucket, _, key = name.partition("/")
        return [f"arn:aws:s3:::<{ {'site': 'Site/Bucket/Resource', 'data': 'Data/Resource'}[bucket] }>/{key}"]
    if kind == "surfaces":
        return [f"arn:aws:s3:::lookout-surfaces-ACCOUNT-{HOME}/surfaces/{name}"]
    queues = {
        "judge-dead": settings.JUDGE_DLQ,
        "outbox-dead": settings.OUTBOX_DLQ,
        "deliveries": "lookout-deliveries.fifo",
        "deliveries-dead": "lookout-deliveries-dead.fifo",
        "rounds-waiting": settings.WAITING_QUEUE,
    }
    secrets = {
        "servers": ("acme-token", "client-key", "team/key"),
        "sinks": ("lookout-signing", "slack-url"),
        "heartbeat": ("beat-address",),
    }
    parameters = {"servers": ("lookout/certificate", "lookout/secret"), "sinks": ("ops/slack",), "heartbeat": ()}
    identities = ("acme.dev", "ann@acme.dev", "lookout@status.acme.dev", "status.acme.dev")
    return {
        "anything": ["*"],
        "logs": [f"arn:aws:logs:{region}:ACCOUNT:log-group:/aws/lambda/lookout-{folder}:*"],
        "table": [f"arn:aws:dynamodb:{HOME}:ACCOUNT:table/lookout-{name}"],
        "stream": [f"arn:aws:dynamodb:{HOME}:ACCOUNT:table/lookout-{name}/stream/LABEL"],
        "stream-list": [f"arn:aws:dynamodb:{HOME}:ACCOUNT:table/lookout-{name}/stream/*"],
        "queue": [f"arn:aws:sqs:{region}:ACCOUNT:{queues.get(name)}"],
        "function": [f"arn:aws:lambda:{region}:ACCOUNT:function:lookout-{name}"],
        "watchers": [f"arn:aws:sqs:{r}:ACCOUNT:lookout-{name}" for r in ("us-west-2", "eu-west-1")],
        "secrets": [secret.format(n) for n in secrets.get(name, ())],
        "identities": [f"arn:aws:ses:{HOME}:ACCOUNT:identity/{n}" for n in identities],
        "topics": ["arn:aws:sns:eu-west-1:111122223333:alerts"],
        "buses": [
            f"arn:aws:events:{HOME}:ACCOUNT:event-bus/default",
            "arn:aws:events:eu-west-1:111122223333:event-bus/ops",
        ],
        "parameters": [f"arn:aws:ssm:{HOME}:ACCOUNT:parameter/{n}" for n in parameters.get(name, ())],
    }[kind]


@pytest.mark.parametrize("folder", settings.FUNCTIONS)
def test_a_role_is_its_lines_of_the_table(aws: Any, folder: str) -> None:
    stack, region = PLACES[1 if folder in ("dispatch", "probe", "drain") else 0]
    template = aws.templates[stack]
    lines = (*EVERY_FUNCTION, *(grant for grant in GRANTS if grant.function == folder))
    expected = {
        (action, arn)
        for grant in lines
        for action in grant.actions
        for arn in arns(grant.resource, region, folder, template)
    }
    assert granted(template, region)[role_of(template, settings.function_name(folder))] == expected


def test_schedules_may_invoke_their_functions_and_give_up(aws: Any) -> None:
    expected = {
        HOME_STACK: ("home", ("heartbeat", "judge", "notify", "publish", "rollup")),
        PLACES[1][0]: ("probe", ("dispatch",)),
    }
    for stack, region in PLACES:
        name, folders = expected[stack]
        (pairs,) = [p for role, p in granted(aws.templates[stack], region).items() if role.startswith("Schedules")]
        assert pairs == {
            ("sqs:SendMessage", f"arn:aws:sqs:{region}:ACCOUNT:lookout-{name}-schedule-dead"),
            *(("lambda:InvokeFunction", f"arn:aws:lambda:{region}:ACCOUNT:function:lookout-{f}") for f in folders),
        }


def test_no_role_has_more_than_its_one_policy(aws: Any) -> None:
    for stack, region in PLACES:
        template = aws.templates[stack]
        roles = {n: r["Properties"] for n, r in template["Resources"].items() if r["Type"] == "AWS::IAM::Role"}
        assert set(granted(template, region)) == set(roles)
        for role in roles.values():
            assert set(role) == {"AssumeRolePolicyDocument", "Tags"}
            (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
            assert trust["Principal"]["Service"] in ("lambda.amazonaws.com", "scheduler.amazonaws.com")
            if trust["Principal"]["Service"] == "scheduler.amazonaws.com":
                assert set(trust["Condition"]["StringEquals"]) == {"aws:SourceAccount", "aws:SourceArn"}


def test_no_action_is_a_pattern_and_only_tracing_is_allowed_everywhere(aws: Any) -> None:
    for stack, region in PLACES:
        for pairs in granted(aws.templates[stack], region).values():
            assert not [action for action, _ in pairs if "*" in action]
            assert {action for action, arn in pairs if arn == "*"} <= {
                "xray:PutTraceSegments",
                "xray:PutTelemetryRecords",
            }


def test_a_configuration_without_secrets_grants_none(aws_home_probes: Any) -> None:
    for template in aws_home_probes.templates.values():
        for pairs in granted(template, HOME).values():
            assert not [action for action, _ in pairs if action.startswith(("secretsmanager:", "ssm:", "kms:"))]


def test_the_local_aws_is_granted_the_same(aws: Any, local: Any) -> None:
    for stack, region in PLACES:
        ours = {role: {a for a, _ in pairs} for role, pairs in granted(local.templates[stack], region).items()}
        theirs = {role: {a for a, _ in pairs} for role, pairs in granted(aws.templates[stack], region).items()}
        assert ours == theirs


def test_only_the_api_and_the_scheduler_invoke_anything(aws: Any) -> None:
    for stack, _ in PLACES:
        principals = {p["Principal"] for p in aws.of(stack, "AWS::Lambda::Permission").values()}
        assert principals <= {"apigateway.amazonaws.com"}


def test_every_grant_says_why() -> None:
    assert all(grant.why for grant in (*GRANTS, *EVERY_FUNCTION))
    assert {grant.function for grant in GRANTS} == set(settings.FUNCTIONS)
