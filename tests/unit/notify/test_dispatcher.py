from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from lookout.config.model import Sink, Site
from lookout.config.quiet import Quiet
from lookout.errors import ConflictError, SecretError, StoreError
from lookout.notify.dispatcher import Outcome, Ports, Task, attempt, deliver_messages, fan_out, target_of
from lookout.notify.firing import Firing
from lookout.notify.request import HttpRequest, Request
from lookout.notify.retry import TRIED_FOR_S, Answer
from lookout.store.deliveries import Delivery, Untold
from lookout.verdict.case import Notice
from lookout.verdict.quiet import Waiting

from tests.contract.notify.sample import OPEN, RESOLVED, SITE, ended, of_kind
from tests.handlers.memory import QuietRows

NOW = 1_787_409_300
HOOK = Sink("hook", "webhook", "https://ops.acme.dev/lookout", "secret:signing")
ONCALL = Sink("oncall", "slack", "secret:slack")
SECRETS = {"secret:signing": "whsec_aHVudGVyMi1odW50ZXIyLWh1bnRlcjI=\n", "secret:slack": "https://hooks.slack.com/x\n"}


class World(QuietRows):
    """An outbox, a vault and receivers that answer as told, one answer per request."""

    def __init__(self, *answers: Answer, sinks: tuple[Sink, ...] = (HOOK, ONCALL)) -> None:
        super().__init__()
        self.notices = {notice.id: notice for notice in (OPEN, RESOLVED)}
        self.held: Site | None = Site("Acme", "us-east-1", ("eu-west-1",), sinks)
        self.conversations: dict[tuple[str, str], Mapping[str, Any]] = {}
        self.missed: dict[tuple[str, str], Untold] = {}
        self.firing: list[Firing] = []
        self.buried: list[tuple[str, str, str]] = []
        self.now = NOW
        self.answers = list(answers)
        self.sent: list[HttpRequest] = []
        self.allowed: list[bool] = []
        self.delayed: list[tuple[str, int]] = []

    def site(self) -> Site | None:
        return self.held

    def notice(self, notice_id: str) -> Notice | None:
        return self.notices.get(notice_id)

    def delivery(self, notice_id: str, sink: str) -> Delivery | None:
        return self.records.get((notice_id, sink))

    def record_delivery(self, notice_id: str, delivery: Delivery) -> None:
        self.records[notice_id, delivery.sink] = delivery

    def conversation(self, about: str, sink: str) -> Mapping[str, Any] | None:
        return self.conversations.get((about, sink))

    def keep_conversation(self, about: str, sink: str, memory: Mapping[str, Any], now: int) -> None:
        assert now == self.now
        self.conversations[about, sink] = memory

    def keep_firing(self, firing: Firing) -> None:
        self.firing.append(firing)

    def untold(self, about: str, sink: str) -> Untold | None:
        return self.missed.get((about, sink))

    def keep_untold(self, about: str, sink: str, untold: Untold, now: int) -> None:
        assert now == self.now
        self.missed[about, sink] = untold

    def resolve(self, reference: str) -> str:
        if reference not in SECRETS:
            raise SecretError("secret 'gone' in us-east-1 cannot be read: ResourceNotFoundException")
        return SECRETS[reference]

    def send(self, request: Request, allow_private: bool) -> Answer:
        assert isinstance(request, HttpRequest)
        self.sent.append(request)
        self.allowed.append(allow_private)
        return self.answers.pop(0)

    @property
    def ports(self) -> Ports:
        return Ports(
            outbox=self,
            resolve=self.resolve,
            send=self.send,
            delay=lambda handle, seconds: self.delayed.append((handle, seconds)),
            bury=lambda *delivery: self.buried.append(delivery),
            now=lambda: self.now,
            chance=lambda: 1.0,
            site_url=SITE,
        )


def message(notice: Notice, sink: str) -> dict[str, Any]:
    return {
        "messageId": f"{notice.type}-{sink}",
        "receiptHandle": f"handle-{notice.type}-{sink}",
        "body": json.dumps({"notice": notice.id, "sink": sink}),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": str((NOW - 1) * 1000 + 999),
            "MessageGroupId": f"{notice.dedup_key}#{sink}",
        },
        "eventSource": "aws:sqs",
    }


def task(notice: Notice = OPEN, sink: str = "hook", number: int = 1, queued: int = NOW) -> Task:
    return Task(notice.id, sink, number, queued)


def test_a_notice_becomes_one_delivery_per_sink() -> None:
    queued: list[tuple[str, str, str]] = []
    notices = [OPEN, replace(RESOLVED, sinks=("hook",)), replace(OPEN, sinks=())]
    assert fan_out(notices, lambda *delivery: queued.append(delivery)) == 3
    assert queued == [
        (OPEN.id, "hook", f"{OPEN.dedup_key}#hook"),
        (OPEN.id, "oncall", f"{OPEN.dedup_key}#oncall"),
        (RESOLVED.id, "hook", f"{OPEN.dedup_key}#hook"),
    ]


def test_delivered_is_recorded_and_never_sent_again() -> None:
    world = World(Answer(202, "accepted"))
    assert attempt(task(), world.ports) == Outcome(task(), "delivered", "HTTP 202 accepted")
    assert world.records[OPEN.id, "hook"] == Delivery("hook", "delivered", "HTTP 202 accepted", NOW, 1)
    assert attempt(task(number=2), world.ports) == Outcome(task(number=2), "known", "HTTP 202 accepted")
    assert len(world.sent) == 1


def test_secrets_are_resolved_and_their_line_ends_dropped() -> None:
    world = World(Answer(200), Answer(200))
    attempt(task(), world.ports)
    attempt(task(sink="oncall"), world.ports)
    assert world.sent[0].url == HOOK.url
    assert world.sent[0].headers["webhook-signature"].startswith("v1,")
    assert world.sent[1].url == "https://hooks.slack.com/x"
    assert world.allowed == [False, False]


def test_a_private_sink_is_allowed_only_where_it_says_so() -> None:
    world = World(Answer(200), sinks=(replace(HOOK, signing=None, allow_private=True),))
    attempt(task(), world.ports)
    assert world.allowed == [True]
    assert "webhook-signature" not in world.sent[0].headers


def test_what_may_pass_is_tried_again_later() -> None:
    world = World(Answer(503, "busy"), Answer(429, "", 600), Answer(200))
    assert attempt(task(number=3), world.ports) == Outcome(task(number=3), "retrying", "HTTP 503 busy", 20)
    assert world.records[OPEN.id, "hook"] == Delivery("hook", "retrying", "HTTP 503 busy", NOW, 1, NOW + 20)
    world.now += 20
    assert attempt(task(number=4), world.ports).wait_s == 600
    world.now += 600
    assert attempt(task(number=5), world.ports).result == "delivered"
    assert world.records[OPEN.id, "hook"] == Delivery("hook", "delivered", "HTTP 200", NOW + 620, 3)


def test_what_comes_before_its_time_waits_for_the_rest_of_it() -> None:
    """SQS hides a message for half a day at most; and a receiver may ask for more."""
    world = World(Answer(429, "", 60_000), Answer(200))
    assert attempt(task(), world.ports).wait_s == 60_000
    world.now += 43_000
    assert attempt(task(number=2), world.ports) == Outcome(task(number=2), "waiting", "HTTP 429", 17_000)
    assert len(world.sent) == 1
    assert world.records[OPEN.id, "hook"].attempts == 1
    world.now += 17_000
    assert attempt(task(number=3), world.ports).result == "delivered"
    assert world.records[OPEN.id, "hook"].attempts == 2


def test_after_a_day_it_is_given_up_and_buried() -> None:
    world = World(Answer(503), Answer(503))
    world.now += TRIED_FOR_S - 10
    assert attempt(task(number=200), world.ports).wait_s == 10  # once more, at the very end
    world.now += 10
    assert attempt(task(number=201), world.ports) == Outcome(task(number=201), "dead", "HTTP 503")
    assert world.buried == [(OPEN.id, "hook", f"{OPEN.dedup_key}#hook")]
    assert world.records[OPEN.id, "hook"] == Delivery("hook", "dead", "HTTP 503", world.now, 2)
    assert attempt(task(number=202), world.ports).result == "known"  # the same message, delivered twice
    assert len(world.buried) == 1


def test_what_waited_behind_another_for_a_day_is_still_tried_once() -> None:
    world = World(Answer(200))
    world.now += 3 * TRIED_FOR_S
    assert attempt(task(), world.ports).result == "delivered"


def test_a_receiver_that_asks_for_more_time_than_there_is_gets_no_attempt_before_it() -> None:
    world = World(Answer(429, "", 50_000))
    world.now += 40_000
    assert attempt(task(), world.ports).result == "dead"


def test_what_cannot_pass_is_over() -> None:
    world = World(Answer(404, "no_service"), Answer(None, "private", final=True))
    assert attempt(task(), world.ports) == Outcome(task(), "failed", "HTTP 404 no_service")
    again = task(queued=NOW + 1)
    assert attempt(again, world.ports) == Outcome(again, "failed", "private")
    assert world.records[OPEN.id, "hook"] == Delivery("hook", "failed", "private", NOW, 2)
    assert world.buried == []


@pytest.mark.parametrize("how", ["failed", "dead"])
def test_what_did_not_arrive_is_tried_again_where_somebody_sends_it_anew(how: str) -> None:
    world = World(Answer(200))
    world.records[OPEN.id, "hook"] = Delivery("hook", how, "HTTP 404", NOW, 7)
    assert attempt(task(queued=NOW - 1), world.ports).result == "known"
    assert attempt(task(queued=NOW), world.ports).result == "delivered"  # in the same second: better twice than never
    assert world.records[OPEN.id, "hook"].attempts == 8
    assert attempt(task(queued=NOW + 2), world.ports).result == "known"


@pytest.mark.parametrize("refusal", [Answer(404), Answer(503)])
def test_the_end_of_what_nobody_was_told_tells_of_both(refusal: Answer) -> None:
    world = World(refusal, Answer(200), Answer(200))
    world.now += TRIED_FOR_S
    attempt(task(), world.ports)
    assert attempt(task(RESOLVED), world.ports).result == "delivered"
    told = json.loads(world.sent[1].body)
    assert told["type"] == "incident.resolved"
    assert told["incident"]["opening_undelivered"] is True
    # Sent anew it would open an incident that is over, at a receiver that was told so.
    assert attempt(task(queued=world.now + 1), world.ports).result == "known"
    # Another sink was told of the opening, or is still to be.
    assert attempt(task(RESOLVED, "oncall"), world.ports).result == "delivered"
    assert "of its beginning" not in world.sent[2].body.decode()


def test_an_opening_that_arrived_after_all_is_not_told_to_be_missing() -> None:
    world = World(Answer(404), Answer(200), Answer(200))
    attempt(task(), world.ports)
    attempt(task(queued=NOW + 1), world.ports)
    attempt(task(RESOLVED), world.ports)
    assert json.loads(world.sent[2].body)["incident"]["opening_undelivered"] is False


def test_a_sink_that_is_gone_is_undeliverable() -> None:
    world = World(sinks=())
    assert attempt(task(), world.ports) == Outcome(task(), "failed", "the sink is no longer configured")
    assert world.records[OPEN.id, "hook"] == Delivery("hook", "failed", "the sink is no longer configured", NOW, 1)


def test_without_a_site_nothing_is_configured() -> None:
    world = World()
    world.held = None
    assert attempt(task(), world.ports).answer == "the sink is no longer configured"


def test_a_notice_that_has_expired_is_over() -> None:
    world = World()
    world.notices.clear()
    assert attempt(task(), world.ports) == Outcome(task(), "failed", "the notice has expired")


@pytest.mark.parametrize("sink", [replace(HOOK, signing="secret:gone"), replace(HOOK, url="secret:gone")])
def test_a_secret_that_cannot_be_read_is_waited_for(sink: Sink) -> None:
    world = World(sinks=(sink,))
    outcome = attempt(task(), world.ports)
    assert (outcome.result, outcome.wait_s) == ("retrying", 5)
    assert outcome.answer == "secret 'gone' in us-east-1 cannot be read: ResourceNotFoundException"
    assert world.sent == []


def test_a_signing_secret_of_the_wrong_form_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SECRETS, "secret:signing", "hunter2!")
    outcome = attempt(task(), World().ports)
    assert outcome == Outcome(task(), "retrying", "a signing secret must be whsec_ followed by base64", 5)


def test_a_resolution_never_overtakes_its_opening() -> None:
    world = World(Answer(500), Answer(200))
    records = [message(OPEN, "hook"), message(OPEN, "oncall"), message(RESOLVED, "hook")]
    outcomes, kept = deliver_messages(records, world.ports)
    assert [(o.task.sink, o.result) for o in outcomes] == [("hook", "retrying"), ("oncall", "delivered")]
    assert kept == ["incident.opened-hook", "incident.resolved-hook"]
    assert world.delayed == [("handle-incident.opened-hook", 5)]
    assert len(world.sent) == 2


def test_a_resolution_is_sent_though_its_opening_was_refused() -> None:
    world = World(Answer(400), Answer(200))
    outcomes, kept = deliver_messages([message(OPEN, "hook"), message(RESOLVED, "hook")], world.ports)
    assert [o.result for o in outcomes] == ["failed", "delivered"]
    assert kept == []
    assert [json.loads(r.body)["type"] for r in world.sent] == ["incident.opened", "incident.resolved"]


def test_other_incidents_are_not_held_up() -> None:
    world = World(Answer(500), Answer(200))
    other = replace(OPEN, id="evt_other", dedup_key="inc_other")
    world.notices[other.id] = other
    outcomes, kept = deliver_messages([message(OPEN, "hook"), message(other, "hook")], world.ports)
    assert [o.result for o in outcomes] == ["retrying", "delivered"]
    assert kept == ["incident.opened-hook"]


def test_our_own_trouble_is_raised_and_the_second_time_nothing_is_sent_twice() -> None:
    world = World(Answer(200), Answer(200))
    records = [message(OPEN, "hook"), message(RESOLVED, "hook")]
    notices, world.notices = world.notices, {OPEN.id: OPEN}

    def trouble(notice_id: str) -> Notice | None:
        if notice_id not in world.notices:
            raise StoreError("the table is on fire")
        return world.notices[notice_id]

    world.notice = trouble  # type: ignore[method-assign]  # the table fails for some
    with pytest.raises(StoreError):
        deliver_messages(records, world.ports)
    world.notices = notices
    outcomes, kept = deliver_messages(records, world.ports)
    assert [o.result for o in outcomes] == ["known", "delivered"]
    assert kept == []
    assert [json.loads(r.body)["type"] for r in world.sent] == ["incident.opened", "incident.resolved"]


# --- what a kind needs beyond one address and one request --------------------------------------------------------

CHANNEL = Sink("channel", "slack_bot", "secret:slack", options={"channel": "C012"})


def said(**values: Any) -> Answer:
    return Answer(200, "", body=json.dumps({"ok": True, **values}).encode())


def test_what_a_sink_remembers_is_kept_after_each_step() -> None:
    world = World(said(channel="C9", ts="1.5"), said(ts="1.6"), Answer(503), said(), sinks=(CHANNEL,))
    assert attempt(task(sink="channel"), world.ports).result == "delivered"
    kept = {"channel": "C9", "ts": "1.5", "shown": OPEN.id, "said": OPEN.id}
    assert world.conversations == {(OPEN.dedup_key, "channel"): kept}
    assert attempt(task(RESOLVED, "channel"), world.ports).result == "retrying"
    assert world.conversations[OPEN.dedup_key, "channel"] == {**kept, "said": RESOLVED.id}
    world.now += 5
    assert attempt(task(RESOLVED, "channel", 2), world.ports).result == "delivered"
    assert [request.url.rpartition("/")[2] for request in world.sent] == [
        "chat.postMessage",
        "chat.postMessage",
        "chat.update",
        "chat.update",
    ]


def test_a_refusal_within_a_200_is_a_failure() -> None:
    world = World(Answer(200, "", body=b'{"ok":false,"error":"not_in_channel"}'), sinks=(CHANNEL,))
    assert attempt(task(sink="channel"), world.ports) == Outcome(
        task(sink="channel"), "failed", "Slack says not_in_channel"
    )
    assert world.records[OPEN.id, "channel"].result == "failed"


def test_references_are_resolved_wherever_a_sink_has_them() -> None:
    options = {"headers": {"X-Team": "search", "Authorization": "secret:signing"}, "list": ["secret:slack", 7]}
    sink = replace(HOOK, url="secret:slack", signing="secret:signing secret:signing", options=options)
    target = target_of(sink, World().resolve)
    key = SECRETS["secret:signing"].strip()
    assert target.url == "https://hooks.slack.com/x"
    assert target.signing == f"{key} {key}"
    assert target.options == {"headers": {"X-Team": "search", "Authorization": key}, "list": [target.url, 7]}


def test_each_of_several_signing_secrets_signs() -> None:
    world = World(Answer(200), sinks=(replace(HOOK, signing="secret:signing secret:signing"),))
    attempt(task(), world.ports)
    first, second = world.sent[0].headers["webhook-signature"].split()
    assert first == second


def test_what_fires_at_an_alertmanager_is_kept_before_it_is_told() -> None:
    """Where it cannot be told now, the next minute tells it."""
    prometheus = Sink("prometheus", "alertmanager", "https://alertmanager.acme.dev")
    world = World(Answer(503), Answer(200), Answer(200), sinks=(prometheus, HOOK))
    attempt(task(sink="prometheus"), world.ports)
    attempt(task(RESOLVED, sink="prometheus"), world.ports)
    attempt(task(), world.ports)
    assert [(one.sink, one.about, one.told_at, one.ended_at) for one in world.firing] == [
        ("prometheus", OPEN.dedup_key, NOW, None),
        ("prometheus", OPEN.dedup_key, NOW, RESOLVED.incident.resolved_at if RESOLVED.incident else 0),
    ]
    assert json.loads(world.sent[0].body) == [world.firing[0].alert]


NIGHT = Quiet(0, 0, "UTC", ("sat",))
"""NOW is on a Saturday."""
SLOW = of_kind("latency", "latency.degraded", "degraded")
FAST = replace(ended(SLOW), id="evt_fast")
MORNING = NOW - NOW % 86_400 + 86_400


def at_night(*answers: Answer) -> World:
    world = World(*answers, sinks=(replace(HOOK, signing=None, quiet=(NIGHT,)), ONCALL))
    world.notices |= {SLOW.id: SLOW, FAST.id: FAST}
    return world


def test_what_can_wait_waits_and_is_over_for_the_queue() -> None:
    world = at_night()
    said = "quiet hours until 2026-08-23 00:00 UTC, then in a digest"
    assert attempt(task(SLOW), world.ports) == Outcome(task(SLOW), "quiet", said)
    assert world.records[SLOW.id, "hook"] == Delivery("hook", "quiet", said, NOW)
    assert world.quieted("hook", SLOW.dedup_key) == Waiting("hook", SLOW, 1, NOW, "warning", 1)
    assert attempt(task(SLOW, number=2), world.ports).result == "known"
    assert attempt(task(FAST), world.ports).result == "quiet"
    (row,) = world.all_quieted()
    assert (row.notice, row.count) == (FAST, 2)
    assert world.sent == []


def test_an_outage_and_its_end_never_wait() -> None:
    world = at_night(Answer(200), Answer(200))
    assert [attempt(task(one), world.ports).result for one in (OPEN, RESOLVED)] == ["delivered"] * 2
    assert world.all_quieted() == []


def test_another_sink_has_hours_of_its_own() -> None:
    world = at_night(Answer(200))
    assert attempt(task(SLOW, sink="oncall"), world.ports).result == "delivered"


def test_what_was_not_taken_by_day_does_not_come_at_night() -> None:
    world = at_night(Answer(503))
    world.now = NOW - 86_400
    assert attempt(task(SLOW, queued=world.now), world.ports).result == "retrying"
    world.now = NOW
    assert attempt(task(SLOW, number=2), world.ports).result == "quiet"
    assert world.records[SLOW.id, "hook"].attempts == 1


def test_in_the_morning_nothing_overtakes_what_waits() -> None:
    world = at_night(Answer(200))
    attempt(task(SLOW), world.ports)
    world.now = MORNING
    assert attempt(task(FAST), world.ports) == Outcome(task(FAST), "quiet", "in the next digest")
    world.tell_quieted(world.all_quieted(), None, MORNING)
    again = replace(SLOW, id="evt_again", type="incident.reminder")
    world.notices[again.id] = again
    assert attempt(task(again), world.ports).result == "delivered"


@pytest.mark.parametrize("others", [1, 9])
def test_a_tick_that_tells_at_the_same_time_is_seen(others: int) -> None:
    """It took the row between our reading and our writing."""
    world = at_night()
    attempt(task(SLOW), world.ports)
    read, left = world.quieted, [others]

    def quieted(sink: str, about: str) -> Waiting | None:
        found = read(sink, about)
        if left[0]:
            left[0] -= 1
            key = (sink, about)
            world.rows[key] = replace(world.rows[key], version=world.rows[key].version + 1)
        return found

    world.quieted = quieted  # type: ignore[method-assign]
    if others > 1:
        with pytest.raises(ConflictError):
            attempt(task(FAST), world.ports)
        assert (FAST.id, "hook") not in world.records
    else:
        assert attempt(task(FAST), world.ports).result == "quiet"
