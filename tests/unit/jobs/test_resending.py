"""Alerts sent again each minute: to whom, what, and what a failing sink changes."""

from __future__ import annotations

import json
from dataclasses import replace

from lookout.config.model import Sink, Site
from lookout.errors import SecretError
from lookout.jobs.resending import Resent, resend
from lookout.notify.firing import Firing, of_notice
from lookout.notify.request import HttpRequest, Request
from lookout.notify.retry import Answer
from lookout.notify.text import rfc3339
from lookout.verdict.case import Incident

from tests.contract.notify.sample import DIGEST, INCIDENT, OPEN, RESOLVED, SITE, STARTED

NOW = STARTED + 600
FIRST = Sink("first", "alertmanager", "https://a.example", options={"bearer": "secret:token"})
SECOND = Sink("second", "alertmanager", "https://b.example/", allow_private=True)
HOOK = Sink("hook", "webhook", "https://c.example")


class Book:
    """What fires, and how the incidents are."""

    def __init__(self, *firing: Firing | None) -> None:
        self.kept = [one for one in firing if one is not None]
        self.sinks: tuple[Sink, ...] = (HOOK, FIRST, SECOND)
        self.incidents: dict[tuple[str, str], Incident] = {("acme-search", INCIDENT.id): INCIDENT}
        self.sent: dict[str, tuple[HttpRequest, bool]] = {}
        self.answers: dict[str, Answer] = {}
        self.asked = 0

    def site(self) -> Site | None:
        return Site("Acme", "us-east-1", ("eu-west-1",), self.sinks)

    def firing(self, now: int) -> list[Firing]:
        assert now == NOW
        self.asked += 1
        return self.kept

    def incident(self, slug: str, incident_id: str) -> Incident | None:
        return self.incidents.get((slug, incident_id))

    def send(self, request: Request, allow_private: bool) -> Answer:
        assert isinstance(request, HttpRequest)
        host = request.url.removeprefix("https://")[0]
        self.sent[host] = (request, allow_private)
        return self.answers.get(host, Answer(200))

    def run(self) -> list[Resent]:
        return resend(self, self.resolve, self.send, NOW)

    @staticmethod
    def resolve(reference: str) -> str:
        if reference != "secret:token":
            raise SecretError("secret 'gone' cannot be read")
        return "t0ken"

    def told(self, host: str) -> list[tuple[str, str]]:
        return [(one["labels"]["alertname"], one["endsAt"]) for one in json.loads(self.sent[host][0].body)]


OPENED = of_notice(OPEN, "first", SITE, STARTED + 130)
OVER = of_notice(RESOLVED, "second", SITE, NOW - 60)
MASS = of_notice(DIGEST, "second", SITE, NOW - 90)


def test_each_sink_is_told_in_one_request_what_fires_there() -> None:
    book = Book(OPENED, OVER, MASS)
    assert book.run() == [Resent("first", 1, Answer(200)), Resent("second", 2, Answer(200))]
    assert book.told("a") == [("MCPServerDown", rfc3339(NOW + 240))]
    assert book.told("b") == [("MCPServerDown", "2026-08-22T14:46:02Z"), ("MCPServersDown", rfc3339(NOW + 240))]
    (first, private), (second, allowed) = book.sent["a"], book.sent["b"]
    assert (first.url, first.headers["authorization"]) == ("https://a.example/api/v2/alerts", "Bearer t0ken")
    assert second.url == "https://b.example/api/v2/alerts"
    assert (private, allowed) == (False, True)


def test_an_incident_that_is_over_ends_though_no_notice_says_so() -> None:
    book = Book(OPENED)
    book.incidents["acme-search", INCIDENT.id] = replace(INCIDENT, resolved_at=NOW - 100, resolution="recovered")
    book.run()
    assert book.told("a") == [("MCPServerDown", rfc3339(NOW - 100))]
    book.incidents["acme-search", INCIDENT.id] = replace(INCIDENT, resolved_at=NOW - 301, resolution="recovered")
    book.sent.clear()
    assert book.run() == []
    assert book.sent == {}


def test_a_sink_that_fails_changes_nothing_for_the_others() -> None:
    book = Book(OPENED, OVER)
    book.sinks = (replace(FIRST, options={"bearer": "secret:gone"}), SECOND)
    book.answers["b"] = Answer(503, "starting")
    assert book.run() == [
        Resent("first", 1, Answer(None, "secret 'gone' cannot be read")),
        Resent("second", 1, Answer(503, "starting")),
    ]


def test_without_such_a_sink_nothing_is_read() -> None:
    book = Book(OPENED)
    book.sinks = (HOOK,)
    assert book.run() == []
    assert book.asked == 0
    book.sinks = (SECOND,)  # what is kept is for a sink that is gone
    assert book.run() == []
    book.site = lambda: None  # type: ignore[method-assign]  # nothing was deployed yet
    assert book.run() == []
