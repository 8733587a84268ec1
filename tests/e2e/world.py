"""The whole system, deployed as a user does it, into the local AWS with IAM enforced; minutes given, not waited for.

The end-to-end tests share one, and bench/alerts.py measures on another.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import boto3
import yaml
from lookout import settings
from lookout.local import cdk
from lookout.local.demo_handle import Demo, demo_secrets, render_config, start_demo
from lookout.local.layout import Layout
from lookout.local.ministack import ACCOUNT, MiniStack, start_ministack
from lookout.store import Store

HOME = "us-east-1"
REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")


T = TypeVar("T")


def until(question: Callable[[], T], seconds: float = 60.0) -> T:
    """The first true answer; fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:.0f} s in vain; the last answer was {answer!r}")
        time.sleep(0.1)


@dataclass
class World:
    """One deployed Lookout with its schedules switched off."""

    aws: MiniStack
    demo: Demo
    outputs: dict[str, str]
    store: Store
    minute: int
    clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def client(self, service: str, region: str = HOME) -> Any:
        """A boto3 client with the account's root credentials."""
        key = (service, region)
        if key not in self.clients:
            self.clients[key] = boto3.client(service, region_name=region)
        return self.clients[key]

    def invoke(self, function: str, event: dict[str, Any], region: str = HOME) -> Any:
        """Invoke and return the answer; a function error fails the test."""
        name = settings.function_name(function)
        answer = self.client("lambda", region).invoke(FunctionName=name, Payload=json.dumps(event).encode())
        body = answer["Payload"].read().decode()
        assert "FunctionError" not in answer, f"{function} in {region}: {body}"
        return json.loads(body)

    def error(self, function: str, event: dict[str, Any], region: str = HOME) -> str:
        """Invoke; its error and the end of its log, or nothing where it succeeded."""
        answer = self.client("lambda", region).invoke(
            FunctionName=settings.function_name(function), LogType="Tail", Payload=json.dumps(event).encode()
        )
        body = answer["Payload"].read().decode()
        return f"{body}\n{base64.b64decode(answer['LogResult']).decode()}" if "FunctionError" in answer else ""

    def kill(self, function: str) -> None:
        """End the processes of a function of the home region, here and now."""
        listing = subprocess.run(["ps", "-axww", "-o", "pid=,command="], capture_output=True, text=True, check=True)
        place = f"{self.aws.data_dir}/tmp/ministack-lambda-{settings.function_name(function)}-"
        found = [int(line.split()[0]) for line in listing.stdout.splitlines() if place in line]
        assert found, f"{function} has no process"
        for pid in found:
            os.kill(pid, signal.SIGKILL)

    def probe_event(self, minute: int, but: tuple[str, ...] = ()) -> dict[str, Any]:
        """What dispatch gives a probe, less the servers `but`."""
        site, servers = self.store.roster()
        items = [server.to_item() for server in servers if server.slug not in but]
        return {"shard": "s000", "minute": minute, "site": site.to_item(), "servers": items} if site else {}

    def dispatch(self, minute: int, regions: tuple[str, ...] = REGIONS) -> None:
        """What the schedules of `regions` do at `minute`."""
        event = {"time": datetime.fromtimestamp(minute, UTC).isoformat()}
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda region: self.invoke("dispatch", event, region), regions))

    def rounds(self, minute: int) -> dict[str, Any]:
        """The stored rounds of `minute`, by region."""
        return self.store.rounds("s000", minute, minute, int(time.time())).get(minute, {})

    def play(self, minutes: int = 1, regions: tuple[str, ...] = REGIONS, judged: bool = True) -> None:
        """The next minutes, one after the other, each until it is stored (and judged, by the stream's judge)."""
        for _ in range(minutes):
            self.minute += 60
            self.dispatch(self.minute, regions)
            until(lambda: set(self.rounds(self.minute)) >= set(regions))
            if judged:
                until(lambda: self.store.shard_state("s000").judged >= self.minute)

    def begin_anew(self, minutes_ago: int) -> None:
        """Forget every round and judgement; the next minute is so long ago."""
        _forget_what_schedules_did()
        self.minute = (int(time.time()) // 60 - minutes_ago) * 60

    def begin_long_ago(self, minutes_ago: int) -> None:
        """The same, where every minute is late: it is judged in spite of that only when all regions reported it.

        For the judge's last tick was ten minutes ago, so that it waits for what regions may still hold.
        """
        self.begin_anew(minutes_ago)
        watch = json.dumps({"at": int(time.time()) - 600, "resumed": 0, "regions": {}})
        item = {"pk": {"S": "watch"}, "sk": {"S": "regions"}, "data": {"S": watch}, "version": {"N": "1"}}
        self.client("dynamodb").put_item(TableName=settings.INCIDENTS_TABLE, Item=item)

    @contextmanager
    def stream_paused(self) -> Iterator[None]:
        """Rounds wake nobody for a while, as when the stream is late: only the tick judges."""
        client = self.client("lambda")
        found = client.list_event_source_mappings(FunctionName=settings.function_name("judge"))["EventSourceMappings"]
        for mapping in found:
            client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        try:
            yield
        finally:
            for mapping in found:
                client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)

    def role_of(self, function: str, region: str = HOME) -> str:
        """The ARN of a deployed function's role."""
        found = self.client("lambda", region).get_function(FunctionName=settings.function_name(function))
        arn: str = found["Configuration"]["Role"]
        return arn

    @contextmanager
    def without(self, function: str, action: str, resource: str, region: str = HOME) -> Iterator[None]:
        """For a while, the role of `function` may not do `action` on what has `resource` in its ARN."""
        iam, role = self.client("iam"), self.role_of(function, region).rsplit("/", 1)[1]
        (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
        whole = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        kept, taken = [], 0
        for statement in whole["Statement"]:
            actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
            if action in actions and resource in json.dumps(statement["Resource"]):
                taken += 1
                actions = [one for one in actions if one != action]
            if actions:
                kept.append({**statement, "Action": actions})
        assert taken == 1, f"{function} has {taken} grants of {action} on {resource}"
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps({**whole, "Statement": kept}))
        try:
            yield
        finally:
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(whole))

    def undelivered(self) -> int:
        """Deliveries that are still to be made, or in the making."""
        return self.queued(settings.DELIVERIES_QUEUE, HOME)

    def queued(self, queue: str, region: str) -> int:
        """Messages in a queue, those that somebody works on too."""
        client = self.client("sqs", region)
        url = client.get_queue_url(QueueName=queue)["QueueUrl"]
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def events(self, slug: str) -> list[dict[str, Any]]:
        """What the receiver got about `slug`: `{"type", "verified", ...}`, oldest first."""
        return [e for e in self.demo.events() if json.loads(e["body"])["server_slug"] == slug]


def _switch_schedules_off(region: str) -> None:
    client = boto3.client("scheduler", region_name=region)
    kept = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target")
    for summary in client.list_schedules()["Schedules"]:
        schedule = client.get_schedule(Name=summary["Name"], GroupName=summary.get("GroupName", "default"))
        client.update_schedule(**{k: schedule[k] for k in kept if k in schedule}, State="DISABLED")
    client.close()


def _forget_what_schedules_did() -> None:
    for table, keys in ((settings.ROUNDS_TABLE, ("pk", "sk")), (settings.INCIDENTS_TABLE, ("pk", "sk"))):
        client = boto3.client("dynamodb", region_name=HOME)
        for item in client.scan(TableName=table)["Items"]:
            client.delete_item(TableName=table, Key={k: item[k] for k in keys})
        client.close()


@contextmanager
def deployed(layout: Layout, port: int, sinks: Mapping[str, Mapping[str, object]] | None = None) -> Iterator[World]:
    """A local AWS on `port` with the demo's site deployed into it; ended with what it ran and kept.

    `sinks`, besides the demo's own, are in the file that is deployed, so that their grants are: no server names them.
    """
    aws = start_ministack(port, layout.data, persist=False, layout=layout)
    demo = None
    try:
        demo = start_demo(layout)
        config = render_config(layout, demo)
        _extend(config, sinks or {})
        with aws.applied():
            vault = boto3.client("secretsmanager", region_name=HOME)
            known = demo_secrets(layout)
            vault.create_secret(Name="lookout-demo-token", SecretString=known["token"])
            vault.create_secret(Name="lookout-demo-signing", SecretString=known["signing"])
            vault.close()
            regions = (HOME, *REGIONS)
            cdk.bootstrap(layout, ACCOUNT, regions, aws=aws.env)
            outputs = cdk.deploy(layout, config, aws=aws.env, local=True, outputs_file=layout.outputs)
            for region in regions:
                _switch_schedules_off(region)
            time.sleep(0.5)
            _forget_what_schedules_did()
            flat = {k: v for stack in outputs.values() for k, v in stack.items()}
            made = World(aws, demo, flat, Store(HOME), int(time.time()) // 60 * 60 - 60)
            yield made
            for client in made.clients.values():
                client.close()
    finally:
        if demo is not None:
            demo.stop()
        aws.stop(grace_s=2.0)  # nothing of it is kept


def _extend(config: Path, sinks: Mapping[str, Mapping[str, object]]) -> None:
    """The stable jitter is proved by unit tests; here it would only be waited for."""
    site = yaml.safe_load(config.read_text(encoding="utf-8"))
    site = {**site, "spread": "1s", "sinks": {**site["sinks"], **sinks}}
    config.write_text(yaml.safe_dump(site, sort_keys=False), encoding="utf-8")
