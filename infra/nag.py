"""The AwsSolutions rules of cdk-nag over every stack, and every finding we live with: where it is, and why."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct
from lookout import settings


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A rule not followed at the construct of path `at` within a stack, and below.

    In `rule`, `{path}` stands for the logical id of the resource of that construct, `{surfaces}` for the ARN of the
    bucket that every stack knows by its name alone.
    """

    rule: str
    at: tuple[str, ...]
    reason: str


_FUNCTIONS: Final = tuple(folder.title() for folder in settings.FUNCTIONS)

ACKNOWLEDGED: Final = (
    Acknowledged(
        "SQS3",
        ("Queues/JudgeDead", "Queues/OutboxDead", "Schedules/Dead"),
        "It is a dead-letter queue: of a stream's reader or of EventBridge Scheduler, which the rule does not know.",
    ),
    Acknowledged(
        "SQS3",
        ("Waiting",),
        "A round waits for the home region as long as it is wanted, however often it was tried; its age has an alarm.",
    ),
    Acknowledged("SQS3", ("Heartbeats",), "Nobody reads it, so nothing can fail to be read: its messages are counted."),
    Acknowledged(
        "S1",
        ("Data", "Site/Bucket", "Surfaces"),
        "Each is written by one kind of function and read through CloudFront or by one function; a log of that would"
        " cost more than it tells.",
    ),
    Acknowledged(
        "APIG4", ("PublicApi",), "A public status is for everybody; the API has no write path and reads one object."
    ),
    Acknowledged(
        "APIG1",
        ("PublicApi/Stage",),
        "Readers' addresses are not collected; the function's log and metrics tell enough.",
    ),
    Acknowledged("CFR3", ("Site/Distribution",), "Readers' addresses are not collected."),
    Acknowledged(
        "CFR4",
        ("Site/Distribution",),
        "The minimum TLS version cannot be set on the certificate of *.cloudfront.net; HTTP is redirected, HSTS sent.",
    ),
    Acknowledged("CFR1", ("Site/Distribution",), "A status page is for every country."),
    Acknowledged(
        "CFR2",
        ("Site/Distribution",),
        "Static pages and a throttled, cached, read-only API: a web application firewall would be the dearest part.",
    ),
    Acknowledged(
        "IAM5[Resource::*]", _FUNCTIONS, "X-Ray's actions know no resource; nothing else is allowed on everything."
    ),
    Acknowledged(
        "L1",
        _FUNCTIONS,
        "The vendor layer's lock file is measured and tested for Python 3.13, which AWS maintains until 2029.",
    ),
    Acknowledged(
        "IAM5[Resource::<{Tables/Rounds}.Arn>/stream/*]", ("Judge",), "What ListStreams is authorised against."
    ),
    Acknowledged(
        "IAM5[Resource::<{Tables/Incidents}.Arn>/stream/*]", ("Notify",), "What ListStreams is authorised against."
    ),
    Acknowledged("IAM5[Resource::{surfaces}/surfaces/*]", ("Judge", "Probe"), "Surfaces are named by their content."),
    Acknowledged("IAM5[Resource::<{Site/Bucket}.Arn>/*]", ("Publish",), "It writes all objects of the site's bucket."),
    Acknowledged(
        "IAM5[Resource::<{Data}.Arn>/internal/*]", ("Publish",), "It writes the snapshot and what is published."
    ),
)


def _find(stack: cdk.Stack, path: str) -> IConstruct | None:
    found: IConstruct | None = stack
    for part in path.split("/"):
        found = found.node.try_find_child(part) if found is not None else None
    return found


def _plain(token: str, name: str) -> str:
    """What cdk-nag writes for a value that may not be known before deployment."""
    return f"<AWS::{name}>" if cdk.Token.is_unresolved(token) else token


def rule_id(stack: cdk.Stack, rule: str, home: str) -> str:
    """The id of a rule above, in `stack`, as cdk-nag reports it. `home` is the home region."""

    def logical_id(match: re.Match[str]) -> str:
        if match[1] == "surfaces":
            bucket = settings.surfaces_bucket(_plain(stack.account, "AccountId"), home)
            return f"arn:{_plain(stack.partition, 'Partition')}:s3:::{bucket}"
        found = _find(stack, match[1])
        resource = found.node.default_child if found is not None else None
        return stack.get_logical_id(resource) if isinstance(resource, cdk.CfnElement) else match[1]

    return "AwsSolutions::AwsSolutions-" + re.sub(r"\{([^}]+)\}", logical_id, rule)


def check(app: cdk.App, stacks: Iterable[cdk.Stack], home: str) -> None:
    """Synthesis fails on any finding that is not acknowledged above."""
    for stack in stacks:
        for known in ACKNOWLEDGED:
            for path in known.at:
                if (found := _find(stack, path)) is not None:
                    rule = cdk.Acknowledgment(id=rule_id(stack, known.rule, home), reason=known.reason)
                    cdk.Validations.of(found).acknowledge(rule)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
