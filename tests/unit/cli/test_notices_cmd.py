"""`lookout notices`: over a store in memory and queues that only remember what they were given."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner, Result
from lookout.cli.main import cli
from lookout.config.model import Server, Sink, Site
from lookout.jobs import notices as letters
from lookout.store import Delivery, Store
from lookout.verdict.case import Incident, Notice

from tests.contract.notify.sample import DRIFT, OPEN, OPENED, RESOLVED
from tests.handlers.memory import Memory

NOW = OPENED + 7_200
SITE = Site(
    "Acme",
    "us-east-1",
    ("us-west-2",),
    (Sink("hook", "webhook", "https://ops.example/x"), Sink("oncall", "slack", "secret:slack")),
)
ACME = Server("acme-search", "https://a.example/mcp")
QUEUES = "https://sqs.us-east-1.amazonaws.com/1"


class Tables(Memory):
    """A store with the notices of one incident and of one change, and the queues beside it."""

    def __init__(self) -> None:
        super().__init__(SITE, [ACME])
        self.notices = {one.id: one for one in (OPEN, RESOLVED, replace(DRIFT, sinks=()))}
        self.records: dict[str, list[Delivery]] = {
            OPEN.id: [
                Delivery("hook", "dead", "HTTP 503 \x1b[2Jbusy", OPENED + 100, 193),
                Delivery("oncall", "delivered", "HTTP 200 ok", OPENED, 1),
            ],
            RESOLVED.id: [Delivery("hook", "retrying", "HTTP 503", NOW - 60, 4, NOW + 20)],
        }
        self.sent: list[tuple[str, ...]] = []
        self.dead = [(OPEN.id, "hook"), ("evt_gone", "hook"), (RESOLVED.id, "hook")]

    def __call__(self, home: str) -> Tables:
        assert home == "us-east-1"
        return self

    def recent_notices(self, limit: int) -> list[Notice]:
        return [self.notices[key] for key in sorted(self.notices, reverse=True)][:limit]

    def notices_like(self, prefix: str, limit: int) -> list[Notice]:
        return [self.notices[key] for key in sorted(self.notices) if key.startswith(prefix)][:limit]

    def notices_about(self, incident: Incident, until: int) -> list[Notice]:
        return [one for _, one in sorted(self.notices.items()) if one.dedup_key == incident.id]

    def notice(self, notice_id: str) -> Notice | None:
        return self.notices.get(notice_id)

    def delivery(self, notice_id: str, sink: str) -> Delivery | None:
        return next((one for one in self.records.get(notice_id, []) if one.sink == sink), None)

    def deliveries(self, notice_id: str) -> list[Delivery]:
        return self.records.get(notice_id, [])

    def deliveries_of(self, notice_ids: Sequence[str]) -> list[list[Delivery]]:
        return [self.deliveries(one) for one in notice_ids]

    def clear(self, url: str, region: str, done: Callable[[str, str], bool]) -> tuple[int, int]:
        assert (url, region) == (f"{QUEUES}/lookout-deliveries-dead.fifo", "us-east-1")
        before, self.dead = self.dead, [one for one in self.dead if not done(*one)]
        return len(before) - len(self.dead), len(self.dead)


def test_it_is_called_as_the_store_is() -> None:
    for name in (
        "recent_notices",
        "notices_like",
        "notices_about",
        "notice",
        "delivery",
        "deliveries",
        "deliveries_of",
    ):
        mine, real = (inspect.signature(getattr(of, name)).parameters for of in (Tables, Store))
        assert list(mine) == list(real), name


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Tables:
    found = Tables()
    monkeypatch.setattr("lookout.store.Store", found)
    monkeypatch.setattr("lookout.cli.notices_cmd.time.time", lambda: NOW + 0.5)
    monkeypatch.setattr("lookout.store.deadletters.queue_url", lambda name, region: f"{QUEUES}/{name}")
    monkeypatch.setattr("lookout.store.deadletters.clear", found.clear)
    monkeypatch.setattr("lookout.store.aws.send_delivery", lambda *args: found.sent.append(args))
    return found


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["notices", *arguments, "--home", "us-east-1"])


def read(*arguments: str) -> Any:
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


# --- list and show -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), [DRIFT, RESOLVED, OPEN]),
        (("--open",), [RESOLVED]),
        (("--failed",), [OPEN]),
        (("--open", "--failed"), [RESOLVED, OPEN]),
    ],
)
def test_the_newest_come_first_and_options_choose(
    tables: Tables, arguments: tuple[str, ...], expected: list[Notice]
) -> None:
    assert [one["id"] for one in read("list", *arguments)["notices"]] == [one.id for one in expected]
    lines = run("list", *arguments).stdout.splitlines()
    assert [line.split()[0] for line in lines] == [one.id for one in expected]


def test_a_line_says_how_it_stands_with_each_sink(tables: Tables) -> None:
    drift, resolved, opened = run("list").stdout.splitlines()
    assert drift.endswith("for no sink")
    assert resolved.endswith("hook retrying, oncall waiting")
    assert opened.endswith("incident.opened    acme-search  hook dead, oncall delivered")
    tables.notices.clear()
    assert run("list").stdout == "no notices\n"


def test_everything_about_one(tables: Tables) -> None:
    said = run("show", OPEN.id).stdout
    for line in (
        f"{OPEN.id}  incident.opened, critical",
        "  status    down, before that up",
        f"  incident  {OPEN.dedup_key}, availability",
        "  hook: dead 2026-08-22T14:35:47Z, 193 attempts: HTTP 503 [2Jbusy",
        "  oncall: delivered 2026-08-22T14:34:07Z, 1 attempt: HTTP 200 ok",
    ):
        assert line in said.splitlines()
    said = run("show", RESOLVED.id[4:].lower()).stdout
    assert (
        "hook: retrying 2026-08-22T16:33:07Z, 4 attempts: HTTP 503; the next attempt is at 2026-08-22T16:34:27Z" in said
    )
    assert "oncall: waiting: not tried yet" in said
    assert "no sink is told" in run("show", DRIFT.id).stdout
    assert read("show", RESOLVED.id)["deliveries"][0] == {
        "sink": "hook",
        "result": "retrying",
        "attempts": 4,
        "answer": "HTTP 503",
        "at": "2026-08-22T16:33:07Z",
        "next_attempt_at": "2026-08-22T16:34:27Z",
    }


def test_an_id_that_names_none_or_several_is_answered_with_what_to_do(tables: Tables) -> None:
    for arguments, said in (
        ("inc_01", "no id of a notice"),
        ("evt_01ZZ", "no notice evt_01ZZ...: they are kept for 30 days"),
        ("evt_01J", f"more than one id ({OPEN.id}, {RESOLVED.id}, {DRIFT.id})"),
    ):
        done = run("show", arguments)
        assert done.exit_code == 2
        assert said in done.output.replace("\n", " ")


def test_what_nobody_heard_of_for_longer_than_it_is_tried_is_lost(tables: Tables) -> None:
    for seconds, results in (
        (letters.LOST_AFTER_S, ["retrying", "waiting"]),
        (letters.LOST_AFTER_S + 21, ["lost", "lost"]),
    ):
        made = replace(RESOLVED, created_at=NOW + 20)
        found = letters.letter(made, tables.records[RESOLVED.id], NOW + 20 + seconds)
        assert [stand.result for stand in found.stands] == results


# --- replay --------------------------------------------------------------------------------------------------------


def queued(notice: Notice, sink: str) -> tuple[str, ...]:
    url = f"{QUEUES}/lookout-deliveries.fifo"
    return (url, "us-east-1", notice.id, sink, f"{notice.dedup_key}#{sink}", str(NOW))


def test_what_did_not_arrive_is_sent_again_and_its_dead_letter_goes(tables: Tables) -> None:
    done = run("replay", OPEN.id)
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        f"{OPEN.id} to hook: queued",
        f"{OPEN.id} to oncall: not sent: it was delivered",
    ]
    assert tables.sent == [queued(OPEN, "hook")]
    assert tables.dead == [(RESOLVED.id, "hook")]


def test_all_that_failed_is_sent_in_its_order(tables: Tables) -> None:
    tables.records[RESOLVED.id] = [Delivery("hook", "failed", "HTTP 404", NOW, 1), Delivery("oncall", "dead", "", NOW)]
    assert run("replay", "--failed", "--sink", "hook").exit_code == 0
    assert tables.sent == [queued(OPEN, "hook"), queued(RESOLVED, "hook")]
    assert tables.dead == []
    again = read("replay", "--failed")["replayed"]
    assert [(one["id"], one["sink"], one["queued"]) for one in again] == [
        (OPEN.id, "hook", True),
        (OPEN.id, "oncall", False),
        (RESOLVED.id, "hook", True),
        (RESOLVED.id, "oncall", True),
    ]


def test_nobody_is_told_of_the_past(tables: Tables) -> None:
    tables.records[RESOLVED.id] = [Delivery("hook", "delivered", "", NOW, 1)]
    done = run("replay", OPEN.id, "--sink", "hook")
    assert done.exit_code == 2
    assert f"not sent: what came after it was delivered (incident.resolved, {RESOLVED.id})" in done.stdout
    assert tables.sent == []
    assert (OPEN.id, "hook") not in tables.dead


def test_news_about_no_incident_have_no_past(tables: Tables) -> None:
    tables.notices[DRIFT.id] = DRIFT
    tables.records[DRIFT.id] = [Delivery("hook", "dead", "HTTP 500", NOW, 1)]
    assert run("replay", DRIFT.id, "--sink", "hook").exit_code == 0
    assert tables.sent == [queued(DRIFT, "hook")]


def test_what_is_still_tried_or_has_nowhere_to_go_is_not_sent(tables: Tables) -> None:
    done = run("replay", RESOLVED.id)
    assert done.exit_code == 2
    assert done.stdout.count("it is still being tried") == 2
    tables.definitions = (replace(SITE, sinks=SITE.sinks[1:]), [ACME])
    assert "the sink is no longer configured" in run("replay", OPEN.id).stdout
    assert tables.sent == []


def test_where_all_arrived_there_is_nothing_to_send(tables: Tables) -> None:
    tables.records.clear()
    assert run("replay", "--failed").stdout == "every notice arrived\n"
    assert tables.sent == []


def test_it_asks_for_one_notice_or_all_and_for_a_sink_there_is(tables: Tables) -> None:
    for arguments, said in (
        ((), "give the ID of a notice, or --failed"),
        ((OPEN.id, "--failed"), "give the ID of a notice, or --failed"),
        ((OPEN.id, "--sink", "pager"), "is for the sink 'pager', but for hook, oncall"),
    ):
        done = run("replay", *arguments)
        assert done.exit_code == 2
        assert said in done.output.replace("\n", " ")
