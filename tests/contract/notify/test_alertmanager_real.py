"""A real Alertmanager: it receives, groups, keeps firing while it is told so each minute, and resolves.

Debian's, from the package prometheus-alertmanager. Its clock is its own, so a minute is a second here.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest
from lookout.config.model import Sink, Site
from lookout.jobs.resending import resend
from lookout.notify.deliver import deliver
from lookout.notify.firing import Firing, of_notice
from lookout.notify.request import HttpRequest, Request
from lookout.notify.retry import Answer
from lookout.verdict.case import Incident, Notice

from tests.contract.notify.sample import OPEN, RESOLVED, SITE

pytestmark = pytest.mark.alertmanager
MINUTES: Final = 15
MINUTE_S: Final = 1.0
HOLD_S: Final = 8
"""What is not told again ends after so long: sooner than the incident, later than a busy machine stalls."""
CONFIGURATION = """
route:
  receiver: internal
  routes:
    - matchers: [source="external"]
      receiver: external
      group_by: [alertname]
      group_wait: 1s
      group_interval: 1s
      repeat_interval: 1h
receivers:
  - name: internal
  - name: external
    webhook_configs: [{{url: "http://127.0.0.1:{port}/", send_resolved: true}}]
"""


class Pager(ThreadingHTTPServer):
    """What Alertmanager notifies, in the end."""

    daemon_threads = True

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Pager

    def do_POST(self) -> None:
        self.server.got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Says nothing."""


@dataclass
class Alertmanager:
    """One that runs, and what is told to it."""

    url: str
    pager: Pager
    kept: dict[str, Firing] = field(default_factory=dict)
    incidents: dict[tuple[str, str], Incident] = field(default_factory=dict)

    def site(self) -> Site:
        sink = Sink("prometheus", "alertmanager", self.url, allow_private=True)
        return Site("Acme", "us-east-1", ("eu-west-1",), (sink,))

    def firing(self, now: int) -> list[Firing]:
        del now
        return list(self.kept.values())

    def incident(self, slug: str, incident_id: str) -> Incident | None:
        return self.incidents.get((slug, incident_id))

    def tell(self, *notices: Notice) -> None:
        """As notify does with a notice, and the tick after it."""
        for notice in notices:
            made = of_notice(notice, "prometheus", SITE, int(time.time()))
            assert made is not None
            self.kept[notice.dedup_key] = made
        self.tick()

    def tick(self) -> None:
        def send(request: Request, allow_private: bool) -> Answer:
            assert isinstance(request, HttpRequest)
            return deliver(request, allow_private)

        (done,) = resend(self, str, send, int(time.time()), HOLD_S)
        assert done.answer.delivered, done

    def active(self) -> list[str]:
        """The servers whose alerts fire, as its API says."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts?active=true", timeout=5) as answer:
            return sorted(one["labels"]["server"] for one in json.load(answer))

    def amtool(self, *arguments: str) -> str:
        tool = shutil.which("amtool") or pytest.fail("no amtool: it is in Debian's prometheus-alertmanager")
        command = [tool, f"--alertmanager.url={self.url}", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout

    def notifications(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """What the pager was sent: status of the group, and each alert's server and status."""
        return [
            (one["status"], sorted((a["labels"]["server"], a["status"]) for a in one["alerts"]))
            for one in self.pager.got
        ]


def until(happened: Callable[[], bool], what: str, patience_s: float = 30) -> None:
    deadline = time.monotonic() + patience_s
    while not happened():
        assert time.monotonic() < deadline, f"{what} did not happen within {patience_s:g} s"
        time.sleep(0.1)


@pytest.fixture
def alertmanager(tmp_path: Path, new_port: Callable[[], int]) -> Iterator[Alertmanager]:
    program = shutil.which("prometheus-alertmanager")
    if program is None:
        pytest.fail(
            "no Alertmanager: install prometheus-alertmanager (Debian: apt-get install prometheus-alertmanager)"
        )
    pager, port = Pager(), new_port()
    threading.Thread(target=pager.serve_forever, args=(0.05,), daemon=True).start()
    config = tmp_path / "alertmanager.yml"
    config.write_text(CONFIGURATION.format(port=pager.server_port), encoding="utf-8")
    command = [
        program,
        f"--config.file={config}",
        f"--storage.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        running = Alertmanager(f"http://127.0.0.1:{port}", pager)
        try:
            until(lambda: process.poll() is None and _ready(running.url), (tmp_path / "log").read_text())
            yield running
        finally:
            process.terminate()
            process.wait(10)
            pager.shutdown()
            pager.server_close()


def _ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def of(notice: Notice, slug: str, began: int, ended: int | None = None) -> Notice:
    assert notice.incident is not None
    incident = replace(notice.incident, id=f"inc_{slug}", slug=slug, started_at=began, resolved_at=ended)
    return replace(notice, id=f"evt_{slug}", slug=slug, dedup_key=incident.id, incident=incident)


def test_it_groups_keeps_firing_through_an_incident_and_resolves(alertmanager: Alertmanager) -> None:
    began = int(time.time()) - 180
    both = [of(OPEN, slug, began) for slug in ("acme-search", "acme-files")]
    alertmanager.tell(*both)
    for _ in range(MINUTES):
        time.sleep(MINUTE_S)
        alertmanager.tick()
        assert alertmanager.active() == ["acme-files", "acme-search"]
    firing = [("acme-files", "firing"), ("acme-search", "firing")]
    assert alertmanager.notifications() == [("firing", firing)], "one group, told once, however often it was sent"
    said = alertmanager.amtool("alert", "query", "source=external", "-o", "json")
    assert sorted(one["labels"]["server"] for one in json.loads(said)) == ["acme-files", "acme-search"]
    assert alertmanager.amtool("alert", "query", "source=internal", "-o", "json").strip() == "[]"

    ended = int(time.time())
    alertmanager.tell(of(RESOLVED, "acme-search", began, ended))
    until(lambda: alertmanager.active() == ["acme-files"], "its end")
    alertmanager.incidents["acme-files", "inc_acme-files"] = replace(
        both[1].incident or Incident("", "", 0, 0, "", public=True, title=""), resolved_at=ended, resolution="removed"
    )
    alertmanager.tick()
    until(lambda: alertmanager.active() == [], "the end of the other, of which no notice told this sink")
    until(lambda: alertmanager.notifications()[-1][0] == "resolved", "the notification of the end")
    for _ in range(3):
        alertmanager.tick()  # what is resolved stays so, however often it is said
    assert alertmanager.active() == []
    assert [status for status, _ in alertmanager.notifications()].count("resolved") == 1
    shown = alertmanager.pager.got[-1]
    assert shown["groupLabels"] == {"alertname": "MCPServerDown"}
    assert {one["annotations"]["summary"] for one in shown["alerts"]} <= {
        "Acme Search recovered",
        "Acme Search is DOWN from 3/3 regions",
    }


def test_what_is_told_no_more_ends_by_itself(alertmanager: Alertmanager) -> None:
    alertmanager.tell(of(OPEN, "acme-search", int(time.time()) - 180))
    assert alertmanager.active() == ["acme-search"]
    until(lambda: alertmanager.active() == [], "the end of what is not told again")
