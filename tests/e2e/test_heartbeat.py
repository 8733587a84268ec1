"""The heartbeat on the local AWS: told while all is well, withheld while the judge may not write, told again after.

The dead-man service is a receiver on the loopback; what the other regions are told lies in their queues.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from lookout import settings
from lookout.config.model import Heartbeat

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")
PATH = "/ping/6f1d"


class Service(ThreadingHTTPServer):
    """A dead-man service; `calls` are the requests it got."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Call)
        self.calls: list[tuple[str, str, str]] = []


class _Call(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server: Any = self.server
        server.calls.append((self.command, self.path, self.headers["user-agent"].split("/")[0]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def service() -> Iterator[Service]:
    server = Service()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def configured(world: Any, heartbeat: Heartbeat) -> Iterator[None]:
    """The site as it would be with this heartbeat in lookout.yaml."""
    table = {"TableName": settings.SERVERS_TABLE}
    dynamodb = world.client("dynamodb")
    before = dynamodb.get_item(**table, Key={"slug": {"S": "#site"}})["Item"]
    site = replace(world.store.site(), heartbeat=heartbeat)
    dynamodb.put_item(**table, Item={**before, "data": {"S": json.dumps(site.to_item())}})
    try:
        yield
    finally:
        dynamodb.put_item(**table, Item=before)


@pytest.fixture(autouse=True)
def left_as_found(world: Any) -> Iterator[None]:
    yield
    world.begin_anew(minutes_ago=1)


def heard(world: Any) -> list[int]:
    """How often each region was told. What is there stays for a minute."""
    return [world.queued(settings.HEARTBEAT_QUEUE, region) for region in REGIONS]


def forget(world: Any) -> None:
    """Empty the queues."""
    for region in REGIONS:
        client = world.client("sqs", region)
        client.purge_queue(QueueUrl=client.get_queue_url(QueueName=settings.HEARTBEAT_QUEUE)["QueueUrl"])


def test_it_is_told_while_all_is_well_and_only_then(world: Any, service: Service) -> None:
    call = ("GET", PATH, "lookout")
    with configured(world, Heartbeat(f"http://127.0.0.1:{service.server_port}{PATH}", allow_private=True)):
        world.begin_anew(minutes_ago=2)
        forget(world)
        world.play(1)
        world.invoke("judge", {})
        world.invoke("publish", {})
        done = world.invoke("heartbeat", {})
        assert done == {"withheld": [], "told": list(REGIONS), "called": True, "failed": []}
        assert service.calls == [call]
        assert heard(world) == [1, 1, 1]

        # The last minute that was judged before the judge lost its grant, nine minutes ago: later ones are waited for.
        world.begin_long_ago(minutes_ago=10)
        world.play(1)
        forget(world)
        with world.without("judge", "dynamodb:PutItem", settings.INCIDENTS_TABLE):
            assert "AccessDenied" in world.error("judge", {})
            done = world.invoke("heartbeat", {})
            assert any(one.startswith("shard s000 was judged ") for one in done["withheld"]), done
            assert (done["told"], done["called"]) == ([], False)
        assert service.calls == [call]
        assert heard(world) == [0, 0, 0]

        world.begin_anew(minutes_ago=2)
        world.play(1)
        world.invoke("judge", {})
        assert world.invoke("heartbeat", {})["called"]
        assert service.calls == [call, call]
        assert heard(world) == [1, 1, 1]


def test_a_region_that_may_not_be_told_and_an_address_that_must_not_be_called_harm_nothing(
    world: Any, service: Service
) -> None:
    with configured(world, Heartbeat(f"http://127.0.0.1:{service.server_port}{PATH}")):
        world.begin_anew(minutes_ago=2)
        forget(world)
        world.play(1)
        world.invoke("judge", {})
        world.invoke("publish", {})
        with world.without("heartbeat", "sqs:SendMessage", settings.HEARTBEAT_QUEUE):
            done = world.invoke("heartbeat", {})
        assert (done["withheld"], done["told"], done["called"]) == ([], [], False)
        assert ["AccessDenied" in one for one in done["failed"]] == [True, True, True, False]
        assert "address is private" in done["failed"][-1]
        assert str(service.server_port) not in done["failed"][-1]
        assert (service.calls, heard(world)) == ([], [0, 0, 0])
