from __future__ import annotations

import io
from typing import Any

from lookout.cli import board
from lookout.cli.local_view import Plain, Terminal, event_line
from lookout.config.model import Server, Site
from lookout.local.steps import Step
from lookout.probe.result import Status
from lookout.verdict.state import ServerState
from rich.console import Console

SITE = Site("Demo", "us-east-1", ("us-west-2",))
EVENT: dict[str, Any] = {
    "received_at": "2026-11-24T03:00:00Z",
    "payload": {"type": "incident.opened", "server_slug": "a", "previous_status": "up", "status": "down"},
}


def rows(status: Status) -> list[board.Row]:
    return board.rows([Server("a", "https://a/mcp")], {"a": ServerState("a", status)})


def test_plain_lines_say_each_thing_once() -> None:
    said: list[str] = []
    with Plain(said.append) as view:
        view.step(Step("one"))
        view.step(Step("one", "done", seconds=1.25, note="x\x1b[2Jy"))
        view.step(Step("two", "skipped", seconds=0.0))
        view.ready(12.5, {"Status page": "http://x/"})
        for status, events in ((Status.UP, []), (Status.UP, []), (Status.DOWN, [EVENT]), (Status.DOWN, [EVENT])):
            view.state(SITE, rows(status), events)
    assert said == [
        "  ✓ one                                   1.2 s  x·[2Jy",
        "  – two                                   0.0 s",
        "  ✓ ready                                12.5 s",
        "Status page: http://x/",
        "a: up",
        "a: down",
        "notice: 2026-11-24 03:00:00 UTC  incident.opened  a  up → down",
    ]


def test_a_refused_delivery_is_a_line_too() -> None:
    assert event_line({"received_at": "now", "payload": None, "problem": "no signature matches"}) == (
        "now  refused  no signature matches"
    )


def test_the_terminal_shows_steps_servers_notices_and_addresses() -> None:
    out = io.StringIO()
    with Terminal(Console(file=out, width=110, force_terminal=True)) as view:
        view.step(Step("one"))
        view.step(Step("one", "done", seconds=2.0))
        view.step(Step("two", "failed"))
        view.step(Step("three"))
        view.ready(3.0, {"Status page": "http://x/"})
        view.state(SITE, rows(Status.UP), [])
        view.state(SITE, rows(Status.DOWN), [EVENT])
    text = out.getvalue()
    for wanted in ("one", "✗", "ready", "Oregon", "down", "incident.opened", "http://x/", "Ctrl-C"):
        assert wanted in text
    assert len(view.shown.steps) == 3


def test_a_small_terminal_shows_the_addresses_too() -> None:
    out = io.StringIO()
    servers = [Server(f"demo-{i}", "https://a/mcp") for i in range(5)]
    events = [EVENT] * 9
    with Terminal(Console(file=out, width=80, height=24, force_terminal=True)) as view:
        for i in range(8):
            view.step(Step(f"step {i}", "done", seconds=2.0))
        view.ready(3.0, {"Status page": "http://x/", "API": "http://y/", "Webhook receiver": "http://z/"})
        view.state(SITE, board.rows(servers, {}), events)
    last = out.getvalue().rpartition("ready")[2]
    assert "Ctrl-C" in last
    assert "http://z/" in last
