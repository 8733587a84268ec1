"""`lookout incidents`: what people ask of incidents and do to them, over a store in memory."""

from __future__ import annotations

import inspect
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from click.testing import CliRunner, Result
from lookout.cli import person
from lookout.cli.incidents_cmd import KINDS
from lookout.cli.main import cli
from lookout.config.model import Server, Sink, Site
from lookout.errors import ConflictError, LookoutError
from lookout.jobs import incidents as cases
from lookout.probe.result import Status
from lookout.store import Delivery, Store
from lookout.verdict.case import Incident, Notice
from lookout.verdict.ids import incident_id, notice_id
from lookout.verdict.people import NAME_LIMIT, NOTE_LIMIT, acknowledge
from lookout.verdict.state import Failure, ServerState, ShardState

from tests.handlers.memory import Memory

NOW = 1_787_409_247
"""2026-08-22T14:34:07Z."""
MINUTE = NOW // 60 * 60
SITE = Site("Acme", "us-east-1", ("us-west-2", "eu-west-1"), (Sink("hook", "webhook", "https://ops.example/x"),))
ACME = Server("acme", "https://a.example/mcp", name="Acme", notify=("hook",), shard="s000")
HIDDEN = Server("hidden", "https://h.example/mcp", visibility="private", shard="s000")


def made(slug: str, kind: str, began: int, lasted: int | None = None, **more: Any) -> Incident:
    failure = Failure("http", "http_5xx", "HTTP 502\x1b[2J from origin", 502)
    base = Incident(
        id=incident_id(slug, kind, began + 120),
        slug=slug,
        started_at=began,
        opened_at=began + 120,
        status="down",
        public=True,
        title=slug.title(),
        resolved_at=None if lasted is None else began + lasted,
        resolution=None if lasted is None else "recovered",
        failure=failure,
        regions=("us-west-2", "eu-west-1"),
        regions_total=2,
        kind=kind,
        evidence=failure,
        version=1,
    )
    return replace(base.noting(base.opened_at, "opened", "down: http_5xx in us-west-2, eu-west-1"), **more)


OUTAGE = made("acme", "availability", MINUTE - 1500)
DRIFT = made("acme", "drift", MINUTE - 86400, failure=Failure(), evidence=None, regions=())
PAST = made("acme", "availability", MINUTE - 5 * 86400, 900)
LATENCY = made("hidden", "latency", MINUTE - 3600, 600, public=False)
GONE = made("gone", "availability", MINUTE - 9 * 86400, 60, resolution="removed")


class Tables(Memory):
    """A store with incidents of three servers, one of which is watched no longer."""

    error: Exception | None = None

    def __init__(self) -> None:
        super().__init__(SITE, [ACME, HIDDEN])
        self.incidents = {one.id: one for one in (OUTAGE, DRIFT, PAST, LATENCY, GONE)}
        state = ServerState(
            "acme", Status.DOWN, OUTAGE.started_at, incidents={"availability": OUTAGE.id, "drift": DRIFT.id}
        )
        self.states["s000"] = ShardState("s000", 1, MINUTE, {"acme": state, "hidden": ServerState("hidden")})
        self.sent: dict[str, list[Delivery]] = {}
        self.overtaken = 0
        """So many writes lose: the judge writes a line first."""

    def __call__(self, home: str) -> Tables:
        if self.error is not None:
            raise self.error
        assert home == "us-east-1"
        return self

    def server_states(self) -> dict[str, ServerState]:
        return {slug: state for shard in self.shard_states() for slug, state in shard.servers.items()}

    def open_incidents(self, states: Any) -> dict[str, Incident]:
        found = [self.incidents[key] for state in states for key in state.incidents.values()]
        return {one.id: one for one in found if one.resolved_at is None}

    def incident(self, slug: str, incident_id: str) -> Incident | None:
        found = self.incidents.get(incident_id)
        return found if found is not None and found.slug == slug else None

    def newest_incidents(self, slugs: Sequence[str], limit: int) -> list[Incident]:
        found = sorted((one for one in self.incidents.values() if one.slug in slugs), key=lambda one: one.id)
        return found[::-1]

    def incidents_like(self, slugs: Sequence[str], prefix: str, limit: int) -> list[Incident]:
        return [one for one in self.newest_incidents(slugs, limit)[::-1] if one.id.startswith(prefix)]

    def keep_incident(self, incident: Incident, notices: Sequence[Notice], now: int) -> None:
        if self.overtaken:
            self.overtaken -= 1
            found = self.incidents[incident.id]
            self.incidents[incident.id] = replace(
                found.noting(now - 1, "updated", "by the judge"), version=found.version + 1
            )
        if self.incidents[incident.id].version != incident.version:
            raise ConflictError("changed by another")
        self.incidents[incident.id] = replace(incident, version=incident.version + 1)
        self.notices |= {notice.id: notice for notice in notices}

    def notices_about(self, incident: Incident, until: int) -> list[Notice]:
        return [one for _, one in sorted(self.notices.items()) if one.dedup_key == incident.id]

    def deliveries(self, notice_id: str) -> list[Delivery]:
        return self.sent.get(notice_id, [])


def test_it_is_called_as_the_store_is() -> None:
    for name in (
        "server_states", "open_incidents", "incident", "newest_incidents", "incidents_like", "keep_incident",
        "notices_about", "deliveries",
    ):  # fmt: skip
        mine, real = (inspect.signature(getattr(of, name)).parameters for of in (Tables, Store))
        assert list(mine) == list(real), name


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Tables:
    found = Tables()
    monkeypatch.setattr("lookout.store.Store", found)
    monkeypatch.setattr("lookout.cli.incidents_cmd.time.time", lambda: NOW + 0.5)
    monkeypatch.setattr("lookout.store.aws.caller_arn", lambda home: f"arn:aws:sts::1:assumed-role/Ops/ann@{home}")
    return found


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["incidents", *arguments, "--home", "us-east-1"])


def read(*arguments: str) -> Any:
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


# --- list ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), [OUTAGE, DRIFT, LATENCY, PAST]),
        (("--open",), [OUTAGE, DRIFT]),
        (("--server", "acme"), [OUTAGE, DRIFT, PAST]),
        (("--server", "gone"), [GONE]),
        (("--server", "hidden", "--open"), []),
        (("--kind", "drift"), [DRIFT]),
        (("--kind", "availability", "--open"), [OUTAGE]),
        (("--kind", "certificate"), []),
    ],
)
def test_open_ones_come_first_and_options_choose(
    tables: Tables, arguments: tuple[str, ...], expected: list[Incident]
) -> None:
    found = read("list", *arguments)["incidents"]
    assert [one["id"] for one in found] == [one.id for one in expected]
    lines = run("list", *arguments).stdout.splitlines()
    assert [line.split()[0] for line in lines] == ([one.id for one in expected] or ["no"])


def test_a_list_is_not_longer_than_a_person_reads_but_holds_all_that_are_open(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    for most, expected in ((3, [OUTAGE, DRIFT, LATENCY]), (1, [OUTAGE, DRIFT])):
        monkeypatch.setattr(cases, "AT_MOST", most)
        assert [one["id"] for one in read("list")["incidents"]] == [one.id for one in expected]


def test_a_line_says_who_has_it(tables: Tables) -> None:
    tables.incidents[OUTAGE.id] = replace(OUTAGE, flapping=True).noting(NOW, "acknowledged", by="ann")
    line = run("list", "--open").stdout.splitlines()[0]
    assert line.split("  ")[0] == OUTAGE.id
    for said in ("availability", "2026-08-22T14:09:00Z", "25 m 07 s", "open, flapping, acknowledged by ann"):
        assert said in line


def test_the_kinds_that_can_be_chosen_are_those_there_are() -> None:
    from lookout.status.incidents import KINDS as WARNINGS

    assert set(KINDS) == {"availability", "credential", *WARNINGS}


# --- show ----------------------------------------------------------------------------------------------------------


def told(tables: Tables) -> Notice:
    after, notice = acknowledge(OUTAGE, ACME, ServerState("acme", Status.DOWN), SITE, NOW, "ann", "mine")
    after = after.noting(NOW, "note", "for\x1b[2J us", by="bob", public=False)
    tables.incidents[OUTAGE.id] = replace(after, failure=Failure("tcp", "connection_refused"))
    tables.notices[notice.id] = notice
    tables.sent[notice.id] = [Delivery("hook", "delivered", "200 ok", NOW + 2)]
    return notice


def test_everything_about_one(tables: Tables) -> None:
    notice = told(tables)
    text = run("show", OUTAGE.id).stdout
    assert "\x1b" not in text
    for said in (
        f"{OUTAGE.id}  Acme: down\n",
        "  stands       open, acknowledged by ann\n",
        "  began        2026-08-22T14:09:00Z, confirmed 2026-08-22T14:11:00Z\n",
        "  first        http, http_5xx: HTTP 502",
        "  last         tcp, connection_refused\n",
        "  regions      us-west-2, eu-west-1 (2 of 2 regions)\n",
        "  2026-08-22T14:34:07Z  acknowledged  mine  (ann)\n",
        "  (bob, private)\n",
        f"incident.updated, info  ({notice.id})\n    hook: delivered 2026-08-22T14:34:09Z: 200 ok\n",
    ):
        assert said in text, said
    data = read("show", OUTAGE.id)
    assert data["acknowledged"] == {"at": "2026-08-22T14:34:07Z", "by": "ann"}
    assert [line["public"] for line in data["timeline"]] == [True, True, False]
    assert data["notices"][0]["deliveries"] == [
        {"sink": "hook", "result": "delivered", "answer": "200 ok", "at": "2026-08-22T14:34:09Z"}
    ]
    assert (data["first_failure"]["reason"], data["failure"]["reason"]) == ("http_5xx", "connection_refused")


def test_a_sink_that_was_not_tried_and_a_notice_nobody_is_told(tables: Tables) -> None:
    notice = told(tables)
    tables.sent = {}
    tables.notices["evt_0"] = replace(notice, id="evt_0", sinks=())
    text = run("show", OUTAGE.id).stdout
    assert "    hook: not tried yet\n" in text
    assert "    no sink is told\n" in text


def test_an_old_one_of_a_private_server(tables: Tables) -> None:
    tables.incidents[LATENCY.id] = replace(LATENCY, timeline=(), evidence=None)
    text = run("show", LATENCY.id).stdout
    assert f"{LATENCY.id}  Hidden: Slow to answer\n  server       hidden, private: not on the page\n" in text
    assert "  ended        2026-08-22T13:44:00Z\n  lasted       10 m\n" in text
    assert "of an older version: none was kept" in text
    assert "none, or they have expired" in text


# --- which one -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["{id}", "{bare}", "{lower}", "{upper}", " {begins}"])
def test_the_beginning_of_an_id_will_do_where_no_other_begins_so(tables: Tables, form: str) -> None:
    full = OUTAGE.id
    text = form.format(id=full, bare=full[4:], lower=full.lower(), upper=full.upper(), begins=full[:13])
    assert read("show", text)["id"] == full


@pytest.mark.parametrize(
    ("id_", "said"),
    [
        ("inc_01ZZZZ", "there is no incident inc_01ZZZZ...: `lookout incidents list`"),
        ("inc_01ZZZZZZZZZZZZZZZZZZZZZZZZ", "there is no incident inc_01ZZZZZZZZZZZZZZZZZZZZZZZZ: `"),
        (GONE.id, "say which one with --server"),
        ("inc_", "'inc_' is no id of an incident, nor the beginning of one"),
        ("inc_01!", "is no id of an incident"),
        ("evt_01", "is no id of an incident"),
        ("inc_01M", "inc_01M is the beginning of more than one id ("),
    ],
)
def test_an_id_that_names_none_or_several(tables: Tables, id_: str, said: str) -> None:
    for arguments in (("show", id_), ("ack", id_), ("note", id_, "hello")):
        done = run(*arguments)
        assert done.exit_code == 2
        assert said in done.stderr
        assert done.stdout == ""
    assert tables.notices == {}


def test_an_ambiguous_beginning_names_the_first_five(tables: Tables) -> None:
    many = {one.id: one for one in (made("acme", "latency", MINUTE - 60 * i, 30) for i in range(8))}
    tables.incidents = many
    said = run("show", "inc_01M").stderr
    assert [one in said for one in sorted(many)] == [True] * 5 + [False] * 3
    assert ", ...)" in said


# --- ack -----------------------------------------------------------------------------------------------------------


def test_acknowledging_writes_a_line_and_tells_the_sinks(tables: Tables) -> None:
    done = run("ack", OUTAGE.id, "--note", "rolling back")
    assert done.stdout == f"{OUTAGE.id} (acme, availability) acknowledged by ann@us-east-1; told to hook\n"
    after = tables.incidents[OUTAGE.id]
    assert (after.resolved_at, after.version) == (None, 2)
    assert after.timeline[-1].text == "rolling back"
    assert after.timeline[-1].public
    (notice,) = tables.notices.values()
    assert (notice.type, notice.severity, notice.status) == ("incident.updated", "info", "down")
    assert notice.id == notice_id(OUTAGE.id, "acknowledged", NOW)


def test_a_private_acknowledgement_says_who_and_keeps_its_words(tables: Tables) -> None:
    assert run("ack", OUTAGE.id, "--by", "Bob", "--note", "the key leaked", "--private").exit_code == 0
    line = tables.incidents[OUTAGE.id].timeline[-1]
    assert (line.what, line.by, line.public) == ("acknowledged", "Bob", False)


def test_accepting_a_change_of_tools_ends_its_incident_and_leaves_the_state(tables: Tables) -> None:
    states = dict(tables.states)
    done = run("ack", DRIFT.id)
    assert "(acme, drift) accepted and resolved by ann@us-east-1; told to hook" in done.stdout
    assert tables.incidents[DRIFT.id].resolution == "accepted"
    (notice,) = tables.notices.values()
    assert (notice.type, notice.incident) == ("incident.resolved", replace(tables.incidents[DRIFT.id], version=1))
    assert tables.states == states
    assert [one["id"] for one in read("list", "--open")["incidents"]] == [OUTAGE.id]


def test_what_cannot_be_acknowledged(tables: Tables) -> None:
    over = run("ack", PAST.id)
    assert (over.exit_code, over.stdout) == (2, "")
    assert f"{PAST.id} is over (recovered)" in over.stderr
    assert "`lookout incidents note`" in over.stderr
    assert run("ack", OUTAGE.id, "--by", "ann").exit_code == 0
    twice = run("ack", OUTAGE.id, "--by", "bob")
    assert (twice.exit_code, "was acknowledged already, by ann" in twice.stderr) == (2, True)
    assert len(tables.notices) == 1
    gone = run("ack", GONE.id, "--server", "gone")
    assert (gone.exit_code, "gone is watched no longer" in gone.stderr) == (2, True)


def test_one_of_a_mass_failure_is_told_by_its_digest(tables: Tables) -> None:
    tables.incidents[OUTAGE.id] = replace(OUTAGE, held="site")
    assert "acknowledged by ann@us-east-1; it is in a mass failure, whose digest" in run("ack", OUTAGE.id).stdout
    assert [notice.held for notice in tables.notices.values()] == ["site"]
    tables.notices = {}
    assert "  none of its own: the digest of a mass failure speaks for it\n" in run("show", OUTAGE.id).stdout
    assert read("show", OUTAGE.id)["mass_failure"] == "site"


def test_a_server_without_sinks_tells_nobody(tables: Tables) -> None:
    tables.incidents[LATENCY.id] = replace(LATENCY, resolved_at=None, resolution=None)
    assert "acknowledged by ann@us-east-1; it has no sinks to tell" in run("ack", LATENCY.id).stdout


# --- note ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", [OUTAGE, PAST])
def test_a_note_is_a_line_of_an_open_incident_and_of_one_that_is_over(tables: Tables, one: Incident) -> None:
    done = run("note", one.id, "  Back since 14:40.  ", "--by", "Bob")
    assert done.stdout == f"{one.id} (acme, availability): the note is public: it is on the incident's page\n"
    after = tables.incidents[one.id]
    assert (after.timeline[-1].text, after.timeline[-1].by, after.timeline[-1].public) == (
        "Back since 14:40.",
        "Bob",
        True,
    )
    assert after == replace(one, timeline=after.timeline, version=2)
    assert tables.notices == {}


def test_a_private_note(tables: Tables) -> None:
    assert "whoever may read the tables" in run("note", OUTAGE.id, "ours", "--private").stdout
    assert not tables.incidents[OUTAGE.id].timeline[-1].public
    assert "whoever may read the tables" in run("note", LATENCY.id, "of a private server").stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a note must say something"),
        (" \n ", "a note must say something"),
        ("x" * (NOTE_LIMIT + 1), "a note has at most 500 characters; this one has 501"),
        ("one\ntwo", "a note is one line"),
        ("bell\a", "a note is one line"),
        ("\u202eturned", "a note is one line"),
        ("half \ud800", "a note is one line"),
    ],
)
def test_a_note_that_cannot_be_shown_is_refused(tables: Tables, text: str, said: str) -> None:
    done = run("note", OUTAGE.id, text)
    assert (done.exit_code, said in done.stderr) == (2, True)
    assert tables.incidents[OUTAGE.id] == OUTAGE


def test_names_are_checked_too(tables: Tables) -> None:
    for name in ("", "x" * (NAME_LIMIT + 1), "ann\x1b[2J", "a\u2066b"):
        done = run("note", OUTAGE.id, "hello", "--by", name)
        assert (done.exit_code, "a name (--by)" in done.stderr) == (2, True)
    assert person.name("Zoë Ångström 李") == "Zoë Ångström 李"
    assert person.note("x" * NOTE_LIMIT) == "x" * NOTE_LIMIT


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        ("arn:aws:iam::123456789012:user/ann", "ann"),
        ("arn:aws:iam::123456789012:user/division/ops/ann", "ann"),
        ("arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Ops_1/ann@acme.dev", "ann@acme.dev"),
        ("arn:aws:sts::123456789012:federated-user/ann", "ann"),
        ("arn:aws:iam::123456789012:root", "root"),
    ],
)
def test_the_name_of_an_identity(arn: str, name: str) -> None:
    assert person.of_arn(arn) == name


# --- at once -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("losses", [1, 5])
def test_who_loses_reads_again_and_nobodys_line_is_lost(tables: Tables, losses: int) -> None:
    tables.overtaken = losses
    assert run("note", OUTAGE.id, "mine", "--by", "ann").exit_code == 0
    after = tables.incidents[OUTAGE.id]
    assert [entry.what for entry in after.timeline] == ["opened", *["updated"] * losses, "note"]
    tables.overtaken = losses
    assert run("ack", OUTAGE.id, "--by", "ann").exit_code == 0
    assert tables.incidents[OUTAGE.id].timeline[-1].what == "acknowledged"
    (notice,) = tables.notices.values()
    assert notice.incident is not None
    assert len(notice.incident.timeline) == 3 + 2 * losses


def test_who_always_loses_is_told_so(tables: Tables) -> None:
    tables.overtaken = cases.ATTEMPTS
    done = run("ack", OUTAGE.id)
    assert (done.exit_code, "nothing was written, try again" in done.stderr) == (2, True)
    assert tables.notices == {}


def test_an_incident_that_ends_meanwhile_is_not_acknowledged(tables: Tables) -> None:
    found = cases.find(tables, ["acme"], OUTAGE.id)  # type: ignore[arg-type]  # what a store promises
    tables.incidents[OUTAGE.id] = replace(OUTAGE, resolved_at=NOW, resolution="recovered", version=2)
    with pytest.raises(LookoutError, match=r"is over \(recovered\)"):
        cases.take(tables, SITE, [ACME], found, NOW, "ann")  # type: ignore[arg-type]  # what a store promises
    del tables.incidents[OUTAGE.id]
    with pytest.raises(LookoutError, match="is not there any more"):
        cases.note(tables, found, NOW, "ann", "hello", public=True)  # type: ignore[arg-type]  # what a store promises


# --- what cannot be done -------------------------------------------------------------------------------------------


def test_what_cannot_be_told_is_exit_code_2(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = run("list", "--server", "nobody")
    assert (nobody.exit_code, "no server 'nobody'; there are: acme, hidden" in nobody.stderr) == (2, True)
    refused = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetCallerIdentity")

    def caller(home: str) -> str:
        raise refused

    monkeypatch.setattr("lookout.store.aws.caller_arn", caller)
    done = run("note", OUTAGE.id, "hello")
    assert (done.exit_code, "AccessDenied" in done.stderr) == (2, True)
    tables.definitions = (None, [])
    assert "no Lookout is deployed in us-east-1" in run("list").stderr
    tables.error = NoCredentialsError()
    assert run("list").exit_code == 2
