from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError
from click.testing import CliRunner, Result
from lookout.cli.history_cmd import WINDOWS
from lookout.cli.main import cli
from lookout.config.model import Server, Site
from lookout.config.window import Window
from lookout.history.chunk import DAY, HOUR, Chunk, Sample
from lookout.history.day import summarise
from lookout.history.round import Round
from lookout.jobs import reading
from lookout.probe.result import ProbeResult, Status
from lookout.verdict.case import Incident
from lookout.verdict.state import Failure

from tests.handlers.memory import Memory

NOW = 1_787_407_440
"""2026-08-22T14:04:00Z."""
THIS_HOUR = NOW // HOUR * HOUR
ACME = Server("acme", "https://acme.example/mcp", shard="s000")
NEW = Server("new", "https://new.example/mcp", shard="s000")
SITE = Site("Acme", "us-east-1", ("us-west-2", "eu-west-1"), timezone="Europe/Berlin")


def sample(minute: int, status: Status = Status.UP, latency_ms: int = 100) -> Sample:
    phases = {"dns": 10, "metadata": 7} if minute else {}
    return Sample(minute, status, latency_ms, None if status.ok else "=http_5xx", phases)


class Tables(Memory):
    """Hours of two days before, and the running one, which is not rolled up."""

    error: Exception | None = None

    def __init__(self) -> None:
        super().__init__(SITE, [ACME, NEW])
        for hour in range(THIS_HOUR - 50 * HOUR, THIS_HOUR, HOUR):
            down = hour == THIS_HOUR - 2 * HOUR
            probes = (sample(0), sample(1, Status.DOWN if down else Status.UP, 300))
            chunk = Chunk("acme", hour, ("d" * 15 if down else "u" * 15).ljust(60, "u"), {"eu-west-1": probes})
            self.hours["acme", hour] = chunk
        for day in range((THIS_HOUR - 50 * HOUR) // DAY * DAY, NOW, DAY):
            self.summaries["acme", day] = summarise("acme", day, self.chunks("acme", day, day + DAY, NOW))
        for minute in range(THIS_HOUR, NOW, 60):
            self.judged["s000", minute] = {"acme": "g"}
            self.put_round(
                Round(
                    "s000",
                    minute,
                    "us-west-2",
                    (ProbeResult("acme", Status.UP, minute * 1000, timings_ms={"total": 50.0}),),
                ),
                minute,
            )
        why = Failure("http", "http_5xx", "HTTP 502\x1b[2J from origin")
        at = THIS_HOUR - 2 * HOUR
        self.incidents["inc_1"] = replace(
            Incident("inc_1", "acme", at, at + 180, "down", public=True, title="Acme", failure=why),
            resolved_at=at + 900,
        )

    def __call__(self, home: str) -> Tables:
        if self.error is not None:
            raise self.error
        assert home == "us-east-1"
        return self


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Tables:
    made = Tables()
    monkeypatch.setattr("lookout.store.Store", made)
    monkeypatch.setattr("lookout.cli.history_cmd.time.time", lambda: NOW + 0.5)
    return made


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["history", *arguments, "--home", "us-east-1"])


def read(*arguments: str) -> dict[str, Any]:
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_windows_are_those_that_are_read() -> None:
    assert tuple(reading.WINDOWS) == WINDOWS


def test_a_day_by_the_hour_with_the_running_one(tables: Tables) -> None:
    found = read("acme")
    assert len(found["periods"]) == 25
    assert found["periods"][0]["begin"] == found["begin"] == "2026-08-21T14:04:00Z"
    assert (found["ok"], found["fail"], found["degraded"], found["due"]) == (1425, 15, 4, 1440)
    assert found["uptime"] == 1425 / 1440
    assert found["uptime_time"] == 1 - 900 / 86400
    last = found["periods"][-1]
    assert (last["period"], last["ok"], last["degraded"]) == ("2026-08-22T14:00Z", 4, 4)
    assert last["latency_ms"] == {"us-west-2": {"probes": 4, "p50": 50, "p95": 50, "p99": 50}}
    assert found["latency_ms"]["eu-west-1"] == {"probes": 45, "p50": 100, "p95": 300, "p99": 300}


def test_time_in_maintenance_that_does_not_count_is_left_out_as_on_the_page(tables: Tables) -> None:
    at = THIS_HOUR - 2 * HOUR
    window = Window("w", ("acme",), begin=at, end=at + 600)
    tables.definitions = (replace(SITE, maintenance=(window,)), [ACME, NEW])
    assert read("acme")["uptime_time"] == 1 - 300 / (86400 - 600)


def test_days_are_the_pages(tables: Tables) -> None:
    found = read("acme", "--window", "7d")
    assert [one["period"] for one in found["periods"]][-2:] == ["2026-08-21", "2026-08-22"]
    assert found["periods"][-1]["begin"] == "2026-08-21T22:00:00Z"
    assert found["periods"][-1]["due"] == 16 * 60 + 4
    assert found["periods"][0]["uptime"] is None
    assert found["first"] == "2026-08-20T12:00:00Z"
    assert [one["id"] for one in found["incidents"]] == ["inc_1"]


def test_the_objective_stands_as_it_does_whatever_the_window(tables: Tables) -> None:
    budgets = [read("acme", "--window", window)["error_budget"] for window in WINDOWS]
    assert budgets[1:] == budgets[:-1]
    judged = 50 * 60 + 4
    assert budgets[0]["remaining"] == pytest.approx(1 - 15 / judged / 0.001)
    assert {burn["window"]: burn["burning"] for burn in budgets[0]["burn"]} == {"1h": False, "6h": False, "3d": True}


def test_a_region_says_what_it_saw(tables: Tables) -> None:
    found = read("acme", "--region", "eu-west-1")
    assert (found["ok"], found["fail"], found["region"], found["uptime_time"]) == (45, 1, "eu-west-1", None)
    assert read("acme", "--region", "us-west-2")["ok"] == 4


def test_a_table_for_people(tables: Tables) -> None:
    done = run("acme", "--window", "7d")
    lines = done.stdout.splitlines()
    assert lines[0] == "acme, last 7d"
    assert lines[1].startswith("Uptime    99.5% of 3,004 judged rounds, 99.5% of the time;")
    assert "coverage 100%" in lines[1]
    assert lines[2].startswith("Budget    overspent by 399% ")
    assert "burn rate 1h 0.0, 6h" in lines[2]
    assert any(line.startswith("Day (Europe/Berlin)") for line in lines)
    assert any(line.startswith("2026-08-19") and line.split()[1:3] == ["-", "-"] for line in lines)
    assert lines[-1].split() == ["2026-08-22T12:00:00Z", "15", "m", "http_5xx:", "HTTP", "502", "[2J", "from", "origin"]
    assert "\x1b" not in done.stdout
    one = run("acme", "--region", "us-west-2").stdout
    assert "as us-west-2 saw it" in one
    assert "of the time" not in one


def test_csv_has_every_probe_and_no_formula(tables: Tables) -> None:
    done = run("acme", "--csv", "--window", "7d")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(rows) == 50 * 2 + 4
    assert rows[0]["time"] == "2026-08-20T12:00:00Z"
    assert (rows[0]["dns_ms"], rows[0]["other_ms"], rows[1]["dns_ms"], rows[1]["other_ms"]) == ("", "", "10", "7")
    assert rows[-1]["region"] == "us-west-2"
    (failed,) = (row for row in rows if row["status"] == "down")
    assert (failed["reason"], failed["latency_ms"], failed["region"]) == ("'=http_5xx", "300", "eu-west-1")
    only = run("acme", "--csv", "--region", "us-west-2").stdout.splitlines()
    assert len(only) == 1 + 4


def test_csv_of_much_comes_in_pieces(tables: Tables) -> None:
    for hour in range(THIS_HOUR - 24 * HOUR, THIS_HOUR, HOUR):
        tables.hours["acme", hour] = Chunk("acme", hour, "u" * 60, {"eu-west-1": tuple(map(sample, range(60)))})
    rows = list(csv.reader(io.StringIO(run("acme", "--csv").stdout)))
    assert len(rows) == 1 + 24 * 60 - 4 + 4
    assert {len(row) for row in rows} == {len(rows[0])}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("who",), 2, "no server 'who'; there are: acme, new"),
        (("acme", "--region", "mars-1"), 2, "mars-1 does not probe here; there are: eu-west-1, us-west-2"),
        (("acme", "--region", "mars-1", "--csv"), 2, "mars-1 does not probe here"),
        (("new",), 2, "nothing is known of 'new' in the last 24h: a server is first judged"),
        (("new", "--csv", "--region", "us-west-2"), 2, "in the last 24h by us-west-2"),
        (("acme", "--csv", "--json"), 2, "choose one"),
        (("acme", "--window", "1y"), 2, "'24h', '7d', '30d', '90d'"),
    ],
)
def test_what_is_not_there_is_said(tables: Tables, arguments: tuple[str, ...], code: int, said: str) -> None:
    done = run(*arguments)
    assert (done.exit_code, done.stdout) == (code, "")
    assert said in done.stderr


def test_nothing_is_deployed_or_nobody_may_read(tables: Tables) -> None:
    tables.definitions = (None, [])
    assert "no Lookout is deployed in us-east-1" in run("acme").stderr
    tables.error = NoCredentialsError()
    assert "cannot be read or written: Unable to locate credentials" in run("acme").stderr


def test_rounds_are_read_only_of_hours_in_which_the_server_was_judged(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, judged = THIS_HOUR - 5 * HOUR, THIS_HOUR - 7 * HOUR
    del tables.hours["acme", gone]
    del tables.hours["acme", judged]
    tables.judged["s000", gone] = {"other": "u"}
    tables.judged["s000", judged] = {"acme": "u"}
    asked: list[int] = []
    rounds = tables.rounds
    monkeypatch.setattr(
        tables, "rounds", lambda shard, since, *rest: asked.append(since) or rounds(shard, since, *rest)
    )
    found = read("acme")
    assert {judged, THIS_HOUR} <= set(asked)
    assert gone not in asked
    assert found["due"] == 1440 - 119
