"""A receiver that fails in several ways, for real: through the queue, with the retries, the records and a replay."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from click.testing import CliRunner
from lookout.cli.main import cli
from lookout.config.model import Config
from lookout.local.demo_handle import demo_secrets
from standardwebhooks import Webhook

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
SLUG = "demo-flaky"
REST_S = 4


class Flaky(ThreadingHTTPServer):
    """Answers what is about SLUG as `answers` says, one after the other, then 202. `cut` is no answer at all."""

    daemon_threads = True

    def __init__(self) -> None:
        self.answers: list[int | str] = []
        self.got: list[tuple[float, dict[str, str], bytes]] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def sink(self) -> str:
        """Its name. One of its own, since two tests of one minute write notices with the same ids: the queue would
        take the second for a duplicate of the first."""
        return f"flaky-{self.server_port}"

    def ids(self) -> list[str]:
        return [headers["webhook-id"] for _, headers, _ in self.got]

    def types(self) -> list[str]:
        return [json.loads(body)["type"] for _, _, body in self.got]


class _Handler(BaseHTTPRequestHandler):
    server: Flaky

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if json.loads(body)["server_slug"] != SLUG:
            self.send_response(202)
            self.end_headers()
            return
        answer = self.server.answers.pop(0) if self.server.answers else 202
        self.server.got.append((time.time(), {k.lower(): v for k, v in self.headers.items()}, body))
        if isinstance(answer, str):
            self.wfile.write(b"HTTP/1.1 20")
            self.close_connection = True
            return
        self.send_response(answer)
        if answer == 429:
            self.send_header("Retry-After", str(REST_S))
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def flaky(world: Any) -> Iterator[Flaky]:
    """A second sink of every server, beside the one that works."""
    world.begin_anew(minutes_ago=1)
    site, servers = world.store.roster()
    server = Flaky()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    other = replace(site.sinks[0], name=server.sink, url=f"http://127.0.0.1:{server.server_port}/", allow_private=True)
    told = [replace(one, notify=(*one.notify, server.sink) if one.notify else ()) for one in servers]
    world.store.apply_config(Config(replace(site, sinks=(*site.sinks, other)), tuple(told)), int(time.time()))
    try:
        yield server
    finally:
        world.demo.set_fault(SLUG, None)
        world.store.apply_config(Config(site, tuple(servers)), int(time.time()))
        world.begin_anew(minutes_ago=1)
        server.shutdown()
        server.server_close()


def notices(*arguments: str) -> Any:
    done = CliRunner().invoke(cli, ["notices", *arguments, "--home", "us-east-1", "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_failing_receiver_gets_all_of_it_once_in_order_and_delays_nobody(
    world: Any, flaky: Flaky, until: Callable[..., Any]
) -> None:
    flaky.answers = [500, 429, "cut"]
    seen = len(world.events(SLUG))
    world.play(1)
    world.demo.set_fault(SLUG, "500")
    world.play(3)
    until(lambda: world.events(SLUG)[seen:])
    assert len(flaky.answers) > 0, "the sink that works was told before the other had got through its failures"
    world.demo.set_fault(SLUG, None)
    world.play(2)
    until(lambda: len(flaky.got) >= 5)
    until(lambda: world.undelivered() == 0)
    assert flaky.types() == ["incident.opened"] * 4 + ["incident.resolved"]
    assert len(set(flaky.ids()[:4])) == 1
    assert flaky.got[2][0] - flaky.got[1][0] >= REST_S - 0.1
    receiver = Webhook(demo_secrets(world.demo.layout)["signing"])
    for _, headers, body in flaky.got:
        receiver.verify(body, headers)
    shown = {one["sink"]: one for one in notices("show", flaky.ids()[0])["deliveries"]}[flaky.sink]
    assert (shown["result"], shown["attempts"], shown["answer"]) == ("delivered", 4, "HTTP 202")


def test_what_was_refused_can_be_sent_again_by_hand(world: Any, flaky: Flaky, until: Callable[..., Any]) -> None:
    flaky.answers = [404]
    world.play(1)
    world.demo.set_fault(SLUG, "500")
    world.play(3)
    until(lambda: notices("list", "--failed")["notices"])
    (failed,) = notices("list", "--failed")["notices"]
    assert [one["queued"] for one in notices("replay", failed["id"], "--sink", flaky.sink)["replayed"]] == [True]
    until(lambda: not notices("list", "--failed")["notices"])
    world.demo.set_fault(SLUG, None)
    world.play(2)
    until(lambda: len(flaky.got) >= 3)
    assert flaky.types() == ["incident.opened", "incident.opened", "incident.resolved"]
    assert flaky.ids()[0] == flaky.ids()[1] == failed["id"]
    assert json.loads(flaky.got[2][2])["incident"]["opening_undelivered"] is False
    until(lambda: world.undelivered() == 0)
