"""Incidents against a real DynamoDB wire: the judge and people write the same rows, and nobody's line is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result
from lookout.cli.main import cli
from lookout.errors import ConflictError, LookoutError
from lookout.jobs import incidents as cases
from lookout.jobs import judging
from lookout.status.pages import render_site
from lookout.store import Delivery, Store, aws
from lookout.store.casebook import DURING
from lookout.store.models import models
from lookout.store.snapshot import Gatherer
from lookout.surface.model import surface_of
from lookout.surface.packed import pack
from lookout.verdict.case import Incident, Notice
from lookout.verdict.ids import incident_id, notice_id
from lookout.verdict.judge import Judgement
from lookout.verdict.state import Failure, Quorum, ServerState, ShardState

from tests.contract.store import test_store as base
from tests.contract.store.test_store import ACME, HIDDEN, HOME, NOW, SITE, T, apply, judge_shards, show, tell

store = base.store
URL = "https://s.example"


def play(store: Store, says: list[str], since: int = T) -> None:
    """A minute each, judged."""
    for i, letters in enumerate(says):
        tell(store, since + 60 * i, letters)
    judge_shards(store, None, since + 60 * len(says) + 10)


def outage(store: Store) -> Incident:
    """Acme, down since T."""
    apply(store, ACME)
    play(store, ["uuu", "ddd", "ddd", "ddd"])
    (found,) = store.incidents("acme", 10)
    assert found.resolved_at is None
    return found


def whats(store: Store, one: Incident) -> list[str]:
    found = store.incident(one.slug, one.id)
    assert found is not None
    return [entry.what for entry in found.timeline]


def test_a_note_between_a_judges_reads_and_its_write_is_kept_and_the_end_is_told_once(store: Store) -> None:
    one = outage(store)
    commit, losses = store.commit, []

    def overtaken(judgement: Judgement, now: int) -> ShardState:
        if judgement.incidents and not losses:
            losses.append(judgement.minute)
            cases.note(store, one, NOW, "ann", "mine", public=True)
        return commit(judgement, now)

    store.commit = overtaken  # type: ignore[method-assign]  # the moment between its reads and its transaction
    play(store, ["uuu", "uuu"], T + 240)
    assert losses
    assert whats(store, one) == ["opened", "note", "resolved"]
    assert [n.type for n in store.recent_notices(10)] == ["incident.resolved", "incident.opened"]


def test_a_judge_between_a_persons_read_and_write_is_kept_and_what_is_over_is_not_acknowledged(store: Store) -> None:
    one = outage(store)
    keep, losses = store.keep_incident, []

    def overtaken(incident: Incident, notices: tuple[Notice, ...], now: int) -> None:
        if not losses:
            losses.append(incident.id)
            play(store, ["uuu", "uuu"], T + 240)
        keep(incident, notices, now)

    store.keep_incident = overtaken  # type: ignore[method-assign]  # the moment between its read and its transaction
    with pytest.raises(LookoutError, match=r"is over \(recovered\)"):
        cases.take(store, SITE, [replace(ACME, shard="s000")], one, NOW, "ann")
    assert losses
    assert whats(store, one) == ["opened", "resolved"]
    assert len(store.recent_notices(10)) == 2
    losses.clear()
    store.keep_incident = keep  # type: ignore[method-assign]  # nobody is quicker now
    cases.note(store, one, NOW, "ann", "a disk", public=True)
    assert whats(store, one) == ["opened", "resolved", "note"]


def test_people_who_write_at_once_lose_nothing(store: Store) -> None:
    one = outage(store)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: cases.note(store, one, NOW + i, f"p{i}", "words", public=True), range(4)))
    found = store.incident("acme", one.id)
    assert found is not None
    assert sorted(entry.by for entry in found.timeline) == ["", "p0", "p1", "p2", "p3"]
    assert found.version == one.version + 4


def test_acknowledging_goes_with_its_notice_or_not_at_all(store: Store) -> None:
    one = outage(store)
    servers = store.roster()[1]
    after, notice = cases.take(store, SITE, servers, one, NOW, "ann", "mine")
    kept = store.incident("acme", one.id)
    assert kept == replace(after, version=after.version + 1)
    assert store.notice(notice.id) == notice
    assert (notice.type, notice.severity, notice.quorum.regions_failing) == ("incident.updated", "info", 3)
    before = store.shard_state("s000")
    with pytest.raises(ConflictError):
        store.keep_incident(replace(one, title="an old one"), (replace(notice, id="evt_x"),), NOW)
    with pytest.raises(ConflictError):
        store.keep_incident(replace(kept, title="told again"), (notice,), NOW)
    with pytest.raises(ConflictError):
        store.keep_incident(replace(one, id="inc_nowhere", version=0), (), NOW)
    assert store.incident("acme", one.id) == kept
    assert store.notice("evt_x") is None
    assert store.incident("acme", "inc_nowhere") is None
    assert store.shard_state("s000") == before
    play(store, ["uuu", "uuu"], T + 240)
    assert whats(store, one) == ["opened", "acknowledged", "resolved"]


def test_an_incident_of_an_older_version_takes_a_note(store: Store) -> None:
    apply(store, ACME)
    old = Incident("inc_01A", "acme", T, T + 120, "down", public=True, title="Acme", resolved_at=T + 600)
    text = json.dumps(old.to_json())
    models(HOME).incident("server#acme", "inc_01A", data=text).save()
    cases.note(store, old, NOW, "ann", "of long ago", public=True)
    kept = store.incident("acme", "inc_01A")
    assert kept is not None
    assert (kept.version, kept.timeline[0].text, kept.resolved_at) == (1, "of long ago", T + 600)


def test_an_accepted_change_of_tools_is_over_and_the_next_one_is_an_incident_of_its_own(store: Store) -> None:
    apply(store, ACME)
    tools = [surface_of([{"name": name, "inputSchema": {"type": "object"}}]) for name in ("one", "two", "three")]
    held = {surface.address: pack(surface) for surface in tools if surface is not None}
    minutes = iter(range(T, T + 6000, 60))

    def offer(index: int) -> None:
        surface = tools[index]
        assert surface is not None
        for _ in range(3):
            minute = next(minutes)
            show(store, minute, surface)
            judging.judge_shards(store, None, minute + 30, held.__getitem__)

    offer(0)
    offer(1)
    (drift,) = store.incidents("acme", 10)
    assert (drift.kind, drift.resolved_at) == ("drift", None)
    after, notice = cases.take(store, SITE, store.roster()[1], drift, NOW, "ann")
    assert (after.resolution, notice.type) == ("accepted", "incident.resolved")
    offer(1)
    assert store.server_states()["acme"].incidents == {}
    assert cases.listed(store, store.roster()[1], slug=None, kind=None, open_only=True) == []
    offer(2)
    newest, before = store.incidents("acme", 10)
    assert (newest.kind, newest.resolved_at, before.resolution) == ("drift", None, "accepted")
    assert newest.id != drift.id


def test_the_page_shows_a_note_though_no_state_moved_and_never_a_private_one(store: Store) -> None:
    one = outage(store)
    play(store, ["uuu", "uuu"], T + 240)
    gatherer = Gatherer(store)

    def everything() -> str:
        snapshot = gatherer.gather(URL, NOW)
        pages = render_site(snapshot, NOW)
        return b"\n".join(page.body for page in pages).decode() + json.dumps(snapshot.to_json())

    assert "canary" not in everything()
    cases.note(store, one, NOW, "canary-name", "canary-private", public=False)
    assert "canary" not in everything()
    cases.note(store, one, NOW, "canary-name", "canary-public", public=True)
    text = everything()
    assert "canary-public" in text
    assert "canary-private" not in text
    assert "canary-name" not in text
    assert store.touched(NOW).keys() == {"acme"}
    assert store.touched(NOW + 86_400) == {}


def test_the_commands_work_with_the_callers_credentials(store: Store) -> None:
    one = outage(store)

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(cli, ["incidents", *arguments, "--home", HOME])
        assert done.exit_code == 0, done.output
        return done.stdout

    assert run("list", "--open").startswith(f"{one.id}  acme  availability")
    assert "told to hook" in run("ack", one.id[:-3].lower(), "--note", "rolling back")
    run("note", one.id, "ours", "--private", "--by", "bob")
    text = run("show", one.id)
    (name,) = {entry.by for entry in (store.incident("acme", one.id) or one).timeline} - {"", "bob"}
    assert name
    assert f"acknowledged  rolling back  ({name})" in text
    assert "note          ours  (bob, private)" in text
    assert "incident.opened, critical" in text
    assert "incident.updated, info" in text


READ = [
    {"Effect": "Allow", "Action": "dynamodb:Scan", "Resource": "*"},
    {"Effect": "Allow", "Action": ["dynamodb:Query", "dynamodb:GetItem"], "Resource": "*"},
]
WRITE = {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "*"}


@contextmanager
def acting(monkeypatch: pytest.MonkeyPatch, *statements: dict[str, Any]) -> Iterator[None]:
    """As ann@acme.dev, in a role that may do so much."""
    role = f"people-{len(statements)}"
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    trusted = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    with closing(boto3.client("iam")) as iam, closing(boto3.client("sts", region_name=HOME)) as sts:
        arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trusted)["Role"]["Arn"]
        iam.put_role_policy(RoleName=role, PolicyName="people", PolicyDocument=policy)
        key = sts.assume_role(RoleArn=arn, RoleSessionName="ann@acme.dev")["Credentials"]
    with monkeypatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        patch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
        patch.setenv("AWS_SESSION_TOKEN", key["SessionToken"])
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        aws.client.cache_clear()
        models.cache_clear()
        yield
    aws.client.cache_clear()
    models.cache_clear()


def test_people_need_what_is_documented_and_no_more(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    one = outage(store)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(cli, ["incidents", *arguments, "--home", HOME])

    with acting(monkeypatch, *READ):
        assert run("list").exit_code == run("show", one.id).exit_code == 0
        for refused in (run("note", one.id, "hello"), run("ack", one.id)):
            assert refused.exit_code == 2
            assert "AccessDenied" in refused.stderr
    with acting(monkeypatch, *READ, WRITE):
        assert "acknowledged by ann@acme.dev; told to hook" in run("ack", one.id).stdout
        assert run("note", one.id, "hello").exit_code == 0
    assert whats(store, one) == ["opened", "acknowledged", "note"]


def put(store: Store, slug: str, kind: str, at: int, resolved: bool) -> Incident:
    made = Incident(
        incident_id(slug, kind, at), slug, at, at, "up", public=True, title=slug, kind=kind,
        resolved_at=at + 60 if resolved else None,
    )  # fmt: skip
    text = json.dumps(made.to_json())
    models(HOME).incident(f"server#{slug}", made.id, data=text, version=1, open=None if resolved else 1).save()
    return replace(made, version=1)


def test_an_open_incident_is_shown_however_many_came_after_it(store: Store) -> None:
    old = put(store, "acme", "certificate", T - 30 * 86400, resolved=False)
    later = [put(store, "acme", "latency", T + 60 * i, resolved=True) for i in range(3)]
    outages = [put(store, "acme", "availability", T - 3600 + 60 * i, resolved=True) for i in range(3)]
    shown = store.shown_incidents("acme", [old.id, later[-1].id, "inc_nowhere"], 2)
    assert shown == [later[2], later[1], outages[2], outages[1], old]
    assert old not in store.shown_incidents("acme", [], 2)
    still = put(store, "acme", "latency", T - 60, resolved=False)
    assert still in store.shown_incidents("acme", [], 2)
    assert store.shown_incidents("other", [], 2) == []


def test_outages_of_a_window_are_found_among_many_warnings_and_the_search_ends(store: Store) -> None:
    long = replace(put(store, "acme", "availability", T - 90_000, resolved=True), resolved_at=T + 60)
    row = models(HOME).incident("server#acme", long.id, data=json.dumps(long.to_json()), version=1)
    row.save()
    for i in range(DURING - 1):
        put(store, "acme", "latency", T - 80_000 + 60 * i, resolved=True)
    for i in range(DURING + 5):
        put(store, "acme", "regional", T + 60 * i, resolved=True)
    assert store.incidents_since("acme", T) == [long]
    put(store, "acme", "latency", T - 60, resolved=True)
    assert store.incidents_since("acme", T) == []


def test_incidents_are_found_by_the_beginning_of_their_id_and_listed_of_all_servers(store: Store) -> None:
    apply(store, ACME, HIDDEN)
    servers = store.roster()[1]
    slugs = [server.slug for server in servers]
    many = [put(store, "acme", "latency", T + 3600 * i, resolved=True) for i in range(3)]
    other = put(store, "hidden", "regional", T + 1800, resolved=True)
    gone = put(store, "gone", "latency", T + 60, resolved=True)
    assert store.newest_incidents(slugs, 2) == [many[2], many[1], other]
    assert store.newest_incidents([], 2) == []
    assert cases.listed(store, servers, slug=None, kind=None, open_only=False) == [many[2], many[1], other, many[0]]
    assert cases.find(store, slugs, other.id.lower()) == other
    assert cases.find(store, ["gone"], gone.id[:-5]) == gone
    with pytest.raises(LookoutError, match="there is no incident"):
        cases.find(store, slugs, gone.id)
    with pytest.raises(LookoutError, match="more than one"):
        cases.find(store, slugs, other.id[:7])


def test_the_notices_about_one_and_their_deliveries(store: Store) -> None:
    one = outage(store)
    assert [notice.type for notice in store.notices_about(one, NOW)] == ["incident.opened"]
    (opened,) = store.recent_notices(1)
    noise = replace(opened, dedup_key="inc_other", id=notice_id("inc_other", "incident.opened", one.opened_at + 1))
    early = replace(opened, id=notice_id(one.id, "incident.updated", one.opened_at - 1))
    said = Failure(message=f"names {one.id}")
    named = replace(noise, id=notice_id("inc_third", "x", one.opened_at + 2), failure=said)
    row = models(HOME).incident
    for other in (noise, early, named):
        row("notice", other.id, data=json.dumps(other.to_json()), ttl=NOW + 999).save()
    store.record_delivery(opened.id, Delivery("hook", "delivered", "200", NOW))
    store.record_delivery(opened.id, Delivery("slack", "retrying", "500", NOW))
    _, told = cases.take(store, SITE, store.roster()[1], one, NOW, "ann")
    case = cases.show(store, one, NOW)
    assert [(notice.id, [d.sink for d in deliveries]) for notice, deliveries in case.notices] == [
        (opened.id, ["hook", "slack"]),
        (told.id, []),
    ]


def test_a_state_that_holds_an_incident_of_an_older_kind_of_row_is_read(store: Store) -> None:
    """What the judge's rows and people's have in common: one that was never stored with a version is open, or new."""
    apply(store, ACME)
    state = ServerState("acme", incidents={"availability": "inc_01B"})
    open_ = Incident("inc_01B", "acme", T, T, "down", public=True, title="Acme")
    models(HOME).incident("server#acme", "inc_01B", data=json.dumps(open_.to_json()), open=1).save()
    assert store.open_incidents([state]) == {"inc_01B": open_}
    _, notice = cases.take(store, SITE, store.roster()[1], open_, NOW, "ann")
    assert notice.quorum == Quorum(3, 0, 3, "acknowledged", 0)
    found = store.open_incidents([state])["inc_01B"]
    assert (found.version, found.acknowledged is not None) == (1, True)
