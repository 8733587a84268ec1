"""Every grant is needed, and nothing more is granted: on the deployed roles, by the IAM of the local AWS.

A grant is taken from a live role, the function that needed it is refused, and when the grant is back what was due is
done: a refusal delays, and loses nothing. Then each role is put on (`sts:AssumeRole`) and turned away next door.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from lookout import settings

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
HOME = "us-east-1"
REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")


@pytest.fixture(scope="module", autouse=True)
def fresh_minutes(world: Any) -> Iterator[None]:
    """Begin at the present minute, and leave it so: judges do not look far beyond their own clock."""
    world.begin_anew(minutes_ago=1)
    yield
    world.begin_anew(minutes_ago=1)


def failure(world: Any, function: str, event: dict[str, Any], region: str = HOME) -> str:
    """Invoke a function that must fail; its error and the end of its log."""
    said: str = world.error(function, event, region)
    assert said, f"{function} succeeded"
    return said


def wake_anew(world: Any, function: str) -> None:
    """Have the next invocation start in a fresh process, which remembers no secret."""
    name = settings.function_name(function)
    client = world.client("lambda")
    variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    client.update_function_configuration(FunctionName=name, Environment={"Variables": {**variables, "FRESH": "1"}})
    client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


def test_a_judge_that_may_not_write_loses_no_minute(world: Any, until: Callable[..., Any]) -> None:
    world.play(1)
    before = world.store.shard_state("s000")
    with world.without("judge", "dynamodb:PutItem", settings.INCIDENTS_TABLE):
        world.play(1, judged=False)
        told = failure(world, "judge", {})
        assert "AccessDenied" in told
        assert "dynamodb:PutItem" in told
        assert world.store.shard_state("s000") == before
    # Nobody asks again: the stream itself delivers the batch it could not place.
    until(lambda: world.store.shard_state("s000").judged >= world.minute)


def test_a_round_that_may_not_be_written_waits_and_the_others_carry_the_verdict(
    world: Any, until: Callable[..., Any]
) -> None:
    lost = "eu-west-1"
    with world.without("probe", "dynamodb:PutItem", settings.ROUNDS_TABLE, lost):
        world.minute += 60
        with world.without("probe", "sqs:SendMessage", settings.WAITING_QUEUE, lost):
            told = failure(world, "probe", world.probe_event(world.minute), lost)
            assert "AccessDenied" in told
            assert "SendMessage" in told
            assert lost not in world.rounds(world.minute)
        answer = world.invoke("probe", world.probe_event(world.minute), lost)
        assert (answer["stored"], answer["waiting"]) == (False, True)
        # The probe may still not write: it is drain that brings the round home.
        until(lambda: lost in world.rounds(world.minute))
    others = tuple(region for region in REGIONS if region != lost)
    world.dispatch(world.minute, others)
    until(lambda: world.store.shard_state("s000").judged >= world.minute)
    assert set(world.rounds(world.minute)) == set(REGIONS)


def test_a_notice_waits_for_the_secret_it_is_signed_with(world: Any, until: Callable[..., Any]) -> None:
    slug = "demo-sse-body"
    with world.without("notify", "secretsmanager:GetSecretValue", "lookout-demo-signing"):
        wake_anew(world, "notify")
        world.demo.set_fault(slug, "500")
        world.play(3)
        (notice,) = [n for n in world.store.recent_notices(5) if n.slug == slug]
        (sink,) = notice.sinks
        waiting = until(lambda: world.store.delivery(notice.id, sink))
        assert waiting.result == "retrying"
        assert "lookout-demo-signing" in waiting.answer
        assert "AccessDenied" in waiting.answer
        assert world.events(slug) == []
    until(lambda: world.events(slug))
    world.demo.set_fault(slug, None)
    world.play(2)
    until(lambda: len(world.events(slug)) >= 2)
    events = world.events(slug)
    assert [json.loads(e["body"])["type"] for e in events] == ["incident.opened", "incident.resolved"]
    assert all(e["verified"] for e in events)
    assert world.store.delivery(notice.id, sink).result == "delivered"


def attempts(session: boto3.Session, world: Any) -> dict[str, Callable[[], object]]:
    """One thing each kind of room may do and the others may not, by name."""
    dynamodb = session.client("dynamodb", region_name=HOME)
    s3 = session.client("s3", region_name=HOME)
    key = {"pk": {"S": "visitor"}, "sk": {"S": "-"}}
    servers, rounds, incidents = settings.SERVERS_TABLE, settings.ROUNDS_TABLE, settings.INCIDENTS_TABLE
    vault = session.client("secretsmanager", region_name=HOME)
    return {
        "read servers": lambda: dynamodb.scan(TableName=servers),
        "change servers": lambda: dynamodb.delete_item(TableName=servers, Key={"slug": {"S": "nobody"}}),
        "write rounds": lambda: dynamodb.put_item(TableName=rounds, Item={**key, "kind": {"S": "none"}}),
        "read rounds": lambda: dynamodb.query(
            TableName=rounds, KeyConditionExpression="pk = :a", ExpressionAttributeValues={":a": {"S": "s000#0"}}
        ),
        "read history": lambda: dynamodb.query(
            TableName=settings.HISTORY_TABLE,
            KeyConditionExpression="pk = :a",
            ExpressionAttributeValues={":a": {"S": "nobody"}},
        ),
        "read state": lambda: dynamodb.get_item(TableName=incidents, Key=key),
        "write state": lambda: dynamodb.put_item(TableName=incidents, Item=key),
        "delete state": lambda: dynamodb.delete_item(TableName=incidents, Key=key),
        "read a server's secret": lambda: vault.get_secret_value(SecretId="lookout-demo-token"),
        "read a sink's secret": lambda: vault.get_secret_value(SecretId="lookout-demo-signing"),
        "list buckets": s3.list_buckets,
        "become another": lambda: session.client("sts", region_name=HOME).assume_role(
            RoleArn=world.role_of("apply"), RoleSessionName="neighbour"
        ),
        "change a role": lambda: session.client("iam", region_name=HOME).list_roles(),
    }


def answer(attempt: Callable[[], object]) -> str:
    """The error code AWS answered with, or `done`."""
    try:
        attempt()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "done"


ALLOWED = {
    "dispatch": {"read servers"},
    "drain": {"write rounds"},
    "probe": {"write rounds", "read a server's secret"},
    "judge": {
        "read servers",
        "read rounds",
        "write rounds",
        "read history",
        "read state",
        "write state",
        "delete state",
    },
    "notify": {"read state", "write state", "read a sink's secret"},
    "rollup": {"read servers", "read rounds", "read history", "read state", "write state"},
    "publish": {"read servers", "read rounds", "read history"},
    "heartbeat": {"read servers", "read state"},
    "api": set(),
    "apply": {"read servers", "change servers", "read state", "write state"},
}


@pytest.mark.parametrize("function", sorted(ALLOWED))
def test_a_role_may_do_what_its_room_needs_and_is_refused_the_rest(world: Any, function: str) -> None:
    region = REGIONS[0] if function in ("dispatch", "probe", "drain") else HOME
    lent = world.client("sts").assume_role(RoleArn=world.role_of(function, region), RoleSessionName="visitor")
    keys = lent["Credentials"]
    session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    allowed = set()
    for name, attempt in attempts(session, world).items():
        if answer(attempt) not in ("AccessDenied", "AccessDeniedException"):
            allowed.add(name)
    assert allowed == ALLOWED[function]
