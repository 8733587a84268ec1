from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError
from click.testing import CliRunner, Result
from lookout.cli.main import cli
from lookout.config.model import Server, Site
from lookout.config.window import Window

from tests.handlers.memory import Memory

NOW = 1_787_407_440
"""2026-08-22T14:04:00Z, 16:04 in Berlin."""
SEARCH = Server("search", "https://a.example/mcp", tags=("prod",))
FILES = Server("files", "https://b.example/mcp")
WEEKLY = Window(
    "mnt_weekly", tags=("prod",), rrule="FREQ=WEEKLY;BYDAY=SU;BYHOUR=3", duration_s=3600, timezone="Europe/Berlin"
)
OVER = Window("mnt_over", begin=NOW - 7200, end=NOW - 3600)
SITE = Site("Acme", "us-east-1", ("eu-west-1",), timezone="Europe/Berlin", maintenance=(WEEKLY, OVER))


class Tables(Memory):
    error: Exception | None = None

    def __call__(self, home: str) -> Tables:
        if self.error is not None:
            raise self.error
        assert home == "us-east-1"
        return self


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Tables:
    made = Tables(SITE, [FILES, SEARCH])
    monkeypatch.setattr("lookout.store.Store", made)
    monkeypatch.setattr("lookout.cli.maintenance_cmd.time.time", lambda: NOW + 20.5)
    return made


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["maintenance", *arguments, "--home", "us-east-1"])


def added(tables: Tables, *arguments: str) -> Window:
    done = run("add", *arguments)
    assert done.exit_code == 0, done.output
    window = tables.windows[-1]
    assert window.id in done.output
    assert window.made_by == "command"
    assert window.made_at == NOW + 60
    return window


def test_for_two_hours_from_now_is_from_the_next_minute(tables: Tables) -> None:
    window = added(tables, "--tag", "prod", "--for", "2h", "--reason", "New disks", "--uptime", "count_up")
    assert (window.begin, window.end) == (NOW + 60, NOW + 60 + 7200)
    assert (window.tags, window.servers, window.uptime, window.reason) == (("prod",), (), "count_up", "New disks")
    done = run("add", "--all", "--for", "2h", "--json")
    assert json.loads(done.stdout)["next"] == {"begin": NOW + 60, "end": NOW + 7260}


def test_times_are_local_unless_they_say_more(tables: Tables) -> None:
    local = added(tables, "--all", "--from", "2026-08-23T03:00", "--until", "2026-08-23T04:00")
    utc = added(tables, "--all", "--from", "2026-08-23T03:00Z", "--until", "2026-08-23T04:00Z", "--reason", "x")
    zone = added(tables, "--all", "--from", "2026-08-23T03:00", "--for", "1h", "--timezone", "America/New_York")
    assert (local.begin, utc.begin, zone.begin) == (1787446800, 1787454000, 1787468400)
    assert local.end is not None
    assert local.end - 1787446800 == 3600


def test_again_and_again(tables: Tables) -> None:
    window = added(
        tables, "--server", "search", "--server", "files", "--rrule", "FREQ=DAILY;INTERVAL=2", "--duration", "90m",
        "--start", "2026-08-24T02:00",
    )  # fmt: skip
    assert (window.rrule, window.duration_s, window.start) == ("FREQ=DAILY;INTERVAL=2", 5400, "2026-08-24T02:00")
    assert (window.servers, window.timezone) == (("search", "files"), "Europe/Berlin")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--for", "2h"], "say whom it is of: --server SLUG, --tag TAG, or --all alone"),
        (["--all", "--tag", "prod", "--for", "2h"], "say whom it is of"),
        (["--server", "serch", "--for", "2h"], "--server: serch is not the slug of a server; did you mean search?"),
        (["--tag", "test", "--for", "2h"], "--tag: test is not a tag of any server; there is prod"),
        (["--all"], "say when it is over: --until TIME or --for DURATION, or --rrule RULE"),
        (["--all", "--for", "1h", "--until", "2026-08-23T04:00"], "say when it is over"),
        (["--all", "--for", "90s"], "--for: must be whole minutes, from 1m to 31d"),
        (["--all", "--for", "two"], "--for: is not a duration such as 90m, 2h or 1d"),
        (["--all", "--for", "32d"], "--until: must be at most 31 days after from"),
        (["--all", "--from", "now", "--for", "1h"], "--from: is not a time in whole minutes such as"),
        (["--all", "--from", "2026-02-30T10:00", "--for", "1h"], "--from: is not a time in whole minutes such as"),
        (["--all", "--from", "2026-08-22T16:04", "--for", "1h"], "--from: is in the past, where rounds are judged"),
        (["--all", "--from", "2026-08-23T16:04:30", "--for", "1h"], "--from: is not a time in whole minutes such as"),
        (["--all", "--until", "2026-08-22T15:00"], "--until: must be after from"),
        (["--all", "--for", "1h", "--timezone", "Mars"], "--timezone: 'Mars' is no time zone"),
        (["--all", "--from", "2026-08-23T01:00", "--for", "1h", "--timezone", "Mars"], "--timezone: 'Mars' is no"),
        (["--all", "--for", "1h", "--reason", "a\nb"], "--reason: must be one line of at most 200 characters"),
        (["--all", "--for", "1h", "--reason", "a" * 201], "--reason: must be one line of at most 200 characters"),
        (["--all", "--for", "1h", "--duration", "1h"], "--duration: goes with --rrule alone"),
        (["--all", "--rrule", "FREQ=DAILY;BYHOUR=3"], "--rrule: needs --duration beside it"),
        (["--all", "--rrule", "FREQ=DAILY;BYHOUR=3", "--duration", "1h", "--for", "1h"], "--for: does not go with"),
        (["--all", "--rrule", "FREQ=MINUTELY", "--duration", "1m"], "--rrule: needs FREQ, one of HOURLY"),
        (["--all", "--rrule", "FREQ=DAILY;BYHOUR=3;UNTIL=20260801", "--duration", "1h"], "--rrule: is over already"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_is_stored(tables: Tables, arguments: list[str], said: str) -> None:
    done = run("add", *arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert tables.windows == []


def test_the_same_window_twice_at_once_is_there_once(tables: Tables) -> None:
    window = added(tables, "--all", "--for", "2h")
    done = run("add", "--all", "--for", "2h")
    assert (done.exit_code, len(tables.windows)) == (2, 1)
    assert f"that window is there already: {window.id}" in done.stderr


def test_there_is_an_end_to_how_many(tables: Tables) -> None:
    tables.windows = [Window(f"mnt_{i}", begin=NOW + 600, end=NOW + 1200) for i in range(200)]
    assert "there are 200 windows that are not over: end one first" in run("add", "--all", "--for", "2h").stderr


def test_the_list_has_what_runs_first_and_nothing_that_is_over(tables: Tables) -> None:
    far = Window("mnt_far", rrule="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYHOUR=1", duration_s=60, timezone="UTC")
    running = Window("mnt_now", ("files",), begin=NOW - 60, end=NOW + 600, reason="Disks", made_by="command")
    tables.windows, rule = [far, running], WEEKLY.rrule
    assert run("list").stdout.splitlines() == [
        "mnt_now  running until 2026-08-22 16:14 CEST  files  exclude  by hand  Disks",
        f"mnt_weekly  2026-08-23 03:00 CEST until 2026-08-23 04:00 CEST ({rule})  tag prod  exclude  lookout.yaml",
        f"mnt_far  not within 400 days ({far.rrule})  all servers  exclude  lookout.yaml",
    ]
    found: list[dict[str, Any]] = json.loads(run("list", "--json").stdout)
    assert [(one["id"], one["running"], one["next"]) for one in found] == [
        ("mnt_now", True, {"begin": NOW - 60, "end": NOW + 600}),
        ("mnt_weekly", False, {"begin": 1787446800, "end": 1787450400}),
        ("mnt_far", False, None),
    ]


def test_an_empty_list_says_so(tables: Tables) -> None:
    tables.definitions = (replace(SITE, maintenance=()), [FILES])
    assert run("list").stdout == "no window is running or to come\n"
    assert json.loads(run("list", "--json").stdout) == []


def test_ending_what_runs_keeps_what_was(tables: Tables) -> None:
    running = Window("mnt_now", begin=NOW - 600, end=NOW + 600, made_at=NOW - 600)
    tables.windows = [running]
    done = run("end", "mnt_now")
    assert done.stdout == "mnt_now ends at 2026-08-22 16:05 CEST\n"
    assert tables.windows == [replace(running, ended_at=NOW + 60)]


def test_ending_what_has_not_begun_removes_it(tables: Tables) -> None:
    tables.windows = [Window("mnt_then", begin=NOW + 600, end=NOW + 1200)]
    assert run("end", "mnt_then").stdout == "mnt_then is removed: it had not begun\n"
    assert tables.windows == []


def test_what_cannot_be_ended_says_what_can(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (
        "mnt_weekly is of lookout.yaml: shorten or remove it there, and `lookout deploy`"
        in run("end", "mnt_weekly").stderr
    )
    assert "there is no window mnt_x that is not over; there is none" in run("end", "mnt_x").stderr
    tables.windows = [Window("mnt_then", begin=NOW + 600, end=NOW + 1200)]
    monkeypatch.setattr(tables, "maintenance", lambda *_: [Window("mnt_then", begin=NOW + 900, end=NOW + 1200)])
    assert "mnt_then was changed by another just now" in run("end", "mnt_then").stderr


def test_without_credentials_it_says_so(tables: Tables) -> None:
    tables.error = NoCredentialsError()
    for arguments in (("add", "--all", "--for", "1h"), ("list",), ("end", "mnt_x")):
        done = run(*arguments)
        assert done.exit_code == 2
        assert "cannot be read or written: Unable to locate credentials" in done.stderr
