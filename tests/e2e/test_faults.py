"""Faults on the local AWS: a home region that takes no writes for ten scheduled minutes, and what dies on the way.

The combinations are in tests/unit/jobs/test_outage.py, on a store in memory. Here the grants of the deployed roles are
taken away, so that the refusals, the queues of the regions and their draining are those of the services.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from lookout import settings

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
HOME = "us-east-1"
REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")
SLUG = "demo-flaky"
OUTAGE = 10
"""Minutes."""


@pytest.fixture(scope="module", autouse=True)
def fresh_minutes(world: Any) -> Iterator[None]:
    """So long ago that every minute is late, and is judged in spite of that only when all regions reported it."""
    world.begin_anew(minutes_ago=22)
    # The judge's last tick was ten minutes ago: as it will be when ten minutes have been played, in seconds.
    watch = json.dumps({"at": int(time.time()) - OUTAGE * 60, "resumed": 0, "regions": {}})
    key = {"pk": {"S": "watch"}, "sk": {"S": "regions"}}
    item = {**key, "data": {"S": watch}, "version": {"N": "1"}}
    world.client("dynamodb").put_item(TableName=settings.INCIDENTS_TABLE, Item=item)
    yield
    world.begin_anew(minutes_ago=1)


@contextmanager
def refused(world: Any, function: str, table: str, region: str = HOME) -> Iterator[None]:
    """The role of `function` may not write `table`; its other grants stay."""
    iam = world.client("iam")
    found = world.client("lambda", region).get_function(FunctionName=settings.function_name(function))
    role = found["Configuration"]["Role"].rsplit("/", 1)[1]
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    whole = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    kept = []
    for statement in whole["Statement"]:
        actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        if table in json.dumps(statement["Resource"]):
            actions = [action for action in actions if action != "dynamodb:PutItem"]
        if actions:
            kept.append({**statement, "Action": actions})
    assert kept != whole["Statement"]
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps({**whole, "Statement": kept}))
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(whole))


@contextmanager
def home_without_writes(world: Any) -> Iterator[None]:
    """Neither rounds, from wherever, nor the judge's memory can be written."""
    with ExitStack() as stack:
        for region in REGIONS:
            for function in ("probe", "drain"):
                stack.enter_context(refused(world, function, settings.ROUNDS_TABLE, region))
        stack.enter_context(refused(world, "judge", settings.INCIDENTS_TABLE))
        yield


@contextmanager
def not_drained(world: Any) -> Iterator[None]:
    """No region tries what it holds: the rest between two attempts is proved elsewhere, and only waited for here."""
    held = []
    for region in REGIONS:
        client = world.client("lambda", region)
        (mapping,) = client.list_event_source_mappings(FunctionName=settings.function_name("drain"))[
            "EventSourceMappings"
        ]
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        held.append((client, mapping["UUID"]))
    try:
        yield
    finally:
        for client, uuid in held:
            client.update_event_source_mapping(UUID=uuid, Enabled=True)


def probe_event(world: Any, minute: int) -> dict[str, Any]:
    """What dispatch gives a probe, without the server that takes its time."""
    site, servers = world.store.roster()
    quick = [server.to_item() for server in servers if server.slug != "demo-slow"]
    return {"shard": "s000", "minute": minute, "site": site.to_item(), "servers": quick}


def probe(world: Any, region: str, minute: int) -> dict[str, Any]:
    """What dispatch starts there, waited for."""
    answer: dict[str, Any] = world.invoke("probe", probe_event(world, minute), region)
    return answer


def waiting(world: Any, region: str) -> int:
    """Rounds in the queue of a region."""
    client = world.client("sqs", region)
    url = client.get_queue_url(QueueName=settings.WAITING_QUEUE)["QueueUrl"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def tick(world: Any) -> str:
    """The judge's tick: its error, or nothing."""
    answer = world.client("lambda").invoke(
        FunctionName=settings.function_name("judge"), LogType="Tail", Payload=json.dumps({}).encode()
    )
    body = answer["Payload"].read().decode()
    return f"{body}\n{base64.b64decode(answer['LogResult']).decode()}" if "FunctionError" in answer else ""


def test_ten_minutes_without_a_home_region_are_judged_late_and_told_once(world: Any, until: Callable[..., Any]) -> None:
    seen = len(world.events(SLUG))
    world.play(2)
    before = world.store.shard_state("s000")
    with not_drained(world):
        with home_without_writes(world):
            world.demo.set_fault(SLUG, "500")
            first = world.minute + 60
            with ThreadPoolExecutor(len(REGIONS)) as pool:
                for _ in range(OUTAGE):
                    world.minute += 60
                    answers = pool.map(lambda region: probe(world, region, world.minute), REGIONS)
                    assert [(a["stored"], a["waiting"]) for a in answers] == [(False, True)] * len(REGIONS)
            assert "AccessDenied" in tick(world)
            assert world.store.shard_state("s000") == before
            assert [waiting(world, region) for region in REGIONS] == [OUTAGE] * len(REGIONS)
            assert world.events(SLUG)[seen:] == []
        # The home region is back before what regions hold: the tick comes first, and decides nothing alone.
        assert tick(world) == ""
        assert world.store.shard_state("s000").judged == before.judged
    last = first + 60 * (OUTAGE - 1)
    until(lambda: world.store.shard_state("s000").judged >= last)
    until(lambda: world.events(SLUG)[seen:])
    world.demo.set_fault(SLUG, None)
    world.play(3)
    until(lambda: len(world.events(SLUG)) >= seen + 2)
    bodies = [json.loads(event["body"]) for event in world.events(SLUG)[seen:]]
    assert [body["type"] for body in bodies] == ["incident.opened", "incident.resolved"]
    assert bodies[0]["quorum"] == {
        "regions_total": 3,
        "regions_failing": 3,
        "regions_unknown": 0,
        "rule": "2-of-3",
        "consecutive_rounds": 3,
    }
    assert bodies[0]["timestamp"] < bodies[1]["timestamp"]
    rounds = world.store.rounds("s000", first, last, int(time.time()))
    assert sorted(rounds) == list(range(first, last + 60, 60))
    assert all(set(found) == set(REGIONS) for found in rounds.values())
    hours = {minute // 3600 * 3600 for minute in rounds}
    verdicts = {m: v for hour in hours for m, v in world.store.verdicts("s000", hour, int(time.time())).items()}
    assert all(verdicts[minute][SLUG] == "d" for minute in rounds)
    assert all(verdicts[minute]["demo-modern"] == "u" for minute in rounds)
    assert [waiting(world, region) for region in REGIONS] == [0] * len(REGIONS)


def test_a_probe_killed_in_mid_round_leaves_its_region_silent_for_that_minute_alone(
    world: Any, until: Callable[..., Any]
) -> None:
    killed, others = REGIONS[0], REGIONS[1:]
    client, name = world.client("lambda", killed), settings.function_name("probe")
    seconds = client.get_function_configuration(FunctionName=name)["Timeout"]
    told = len(world.events(SLUG))
    with world.stream_paused():
        world.begin_anew(minutes_ago=6)
        world.play(1, judged=False)
        world.minute += 60
        event = probe_event(world, world.minute)
        event["site"]["spread_s"] = 20
        client.update_function_configuration(FunctionName=name, Timeout=1)
        try:
            answer = client.invoke(FunctionName=name, Payload=json.dumps(event).encode())
            answer["Payload"].read()
            assert "FunctionError" in answer
        finally:
            client.update_function_configuration(FunctionName=name, Timeout=seconds)
        world.dispatch(world.minute, others)
        until(lambda: set(world.rounds(world.minute)) >= set(others))
        assert set(world.rounds(world.minute)) == set(others)
        assert waiting(world, killed) == 0
        lonely = world.minute
        world.play(1, judged=False)
        assert set(world.rounds(world.minute)) == set(REGIONS)
        assert tick(world) == ""
    verdicts = world.store.verdicts("s000", lonely // 3600 * 3600, int(time.time()))
    assert verdicts[lonely]["demo-modern"] == "u"
    assert world.store.shard_state("s000").judged >= world.minute
    assert world.events(SLUG)[told:] == []
