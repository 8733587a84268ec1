"""What the API reference, the data model and the runbook say of paths, caching, tables, queues and alarms."""

from __future__ import annotations

import ast
import json
import re

import pytest
from lookout import settings
from lookout.cli.incidents_cmd import KINDS
from lookout.status import incidents
from lookout.status.maintenance_json import planned
from lookout.status.pages import render_site
from lookout.status.router import _FIXED, respond

from tests.unit.docs.pages import fences, names, read, rows, section
from tests.unit.status import sample

API = read("docs/reference/api.md")
RUNBOOK = read("docs/runbook.md")
PATHS = {names(row[0])[0].removeprefix("GET "): row for row in rows(API) if row[0].startswith("`GET ")}
SLUG = "acme-files"


def answer(path: str) -> tuple[int, dict[str, str], bytes]:
    query = {"target": SLUG, "module": "mcp"} if path == "/probe" else {}
    found = respond(sample.snapshot(), "GET", path.replace("{slug}", SLUG), query, {}, sample.NOW)
    return found.status, dict(found.headers), found.body


@pytest.mark.parametrize("path", list(PATHS))
def test_a_path_answers_and_is_cached_as_long_as_it_says(path: str) -> None:
    status, headers, _ = answer(path)
    assert status == 200
    seconds = re.search(r"max-age=(\d+)", headers["cache-control"])
    assert seconds
    assert PATHS[path][2] == f"{seconds[1]} s"


def test_every_path_without_a_slug_is_there() -> None:
    assert set(_FIXED) == {path for path in PATHS if "{slug}" not in path}


def test_the_example_of_a_server_has_the_keys_it_is_served_with() -> None:
    example, _, _ = (json.loads(text) for text in fences(API, "json"))
    _, _, body = answer("/api/v1/servers/{slug}")
    served = json.loads(body)
    assert set(example) <= set(served)
    missing = set(served) - set(example)
    assert [key for key in missing if f"`{key}`" not in API] == []
    for key in ("regions", "windows"):
        one, other = (next(iter(v.values() if isinstance(v, dict) else v)) for v in (example[key], served[key]))
        assert set(one) == set(other)
    for key in ("failure", "protocol", "implementation", "tools", "tls"):
        assert set(example[key]) == set(served[key])
    assert {key: example[key] for key in ("status", "protocol", "failure", "ok")} == {
        key: served[key] for key in ("status", "protocol", "failure", "ok")
    }


def test_the_example_of_an_incident_has_the_keys_it_is_served_with() -> None:
    _, example, _ = (json.loads(text) for text in fences(API, "json"))
    served = json.loads(answer("/api/v1/incidents")[2])["incidents"][0]
    assert list(example) == list(served)
    assert set(example["failure"]) == set(example["first_failure"]) == set(served["failure"])
    assert set(example["timeline"][0]) == set(served["timeline"][0])


def test_the_example_of_maintenance_has_the_keys_it_is_served_with() -> None:
    *_, example = (json.loads(text) for text in fences(API, "json"))
    assert list(example) == list(planned(sample.maintained(), sample.maintained().maintenance[0], sample.NOW))


def test_the_kinds_of_incidents_are_explained() -> None:
    kinds = {names(row[0])[0] for row in rows(section(read("docs/incidents.md"), "## Kinds"))}
    assert kinds == {"availability", "credential", *incidents.KINDS} == set(KINDS)
    assert set(incidents.MEANINGS) == set(incidents.KINDS)


def test_every_file_of_the_site_that_is_named_is_written() -> None:
    snapshot = sample.snapshot()
    written = {f"/{page.path.removesuffix('index.html')}" for page in render_site(snapshot, sample.NOW)}
    (known,) = {i.id for view in snapshot.servers if view.slug == SLUG for i in view.incidents if i.resolved_at is None}
    named = [name for row in rows(section(API, "## Files of the site")) for name in names(row[0])]
    assert named
    assert {name.replace("{slug}", SLUG).replace("{id}", known) for name in named} <= written


def test_the_data_model_has_the_tables_and_their_times() -> None:
    found = rows(re.split(r"^## ", read("docs/data-model.md"), flags=re.MULTILINE)[0])
    tables = {row[0]: [] for row in found if row[0]}
    current = ""
    for row in found:
        current = row[0] or current
        tables[current].append(row[5])
    days = {
        name: f"{seconds // 86400} days"
        for name, seconds in (
            ("round", settings.ROUNDS_TTL_S),
            ("chunk", settings.CHUNKS_TTL_S),
            ("day", settings.DAYS_TTL_S),
            ("notice", settings.NOTICES_TTL_S),
            ("change", settings.CHANGES_TTL_S),
            ("taken", settings.TAKEN_TTL_S),
            ("window", settings.WINDOWS_TTL_S),
            ("burn", settings.BURNS_TTL_S),
        )
    }
    assert tables == {
        settings.SERVERS_TABLE: [""],
        settings.ROUNDS_TABLE: [days["round"]] * 3,
        settings.HISTORY_TABLE: [days["chunk"], days["day"], days["day"]],
        settings.INCIDENTS_TABLE: [
            *["", "", "1 day", days["change"]],
            *[days["notice"], "", "", days["taken"]],
            *[days["notice"]] * 4,
            days["change"],
            days["notice"],
            *[days["window"], days["burn"], ""],
        ],
    }


def prices() -> dict[str, float]:
    """PRICES of the bill, which is a literal; the benchmark itself is not run."""
    for node in ast.parse(read("bench/data_model.py")).body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["PRICES"]:
            found: dict[str, float] = ast.literal_eval(node.value)
            return found
    raise AssertionError("bench/data_model.py has no PRICES")


def test_the_prices_are_those_the_bill_is_made_of() -> None:
    scale = {"million": 1e6, "million GB-seconds": 1e6}
    found = [row for row in rows(read("docs/data-model.md")) if len(row) == 3 and names(row[0])]
    said = {names(row[0])[0]: float(row[1]) / scale.get(row[2], 1) for row in found}
    charged = {name: price for name, price in prices().items() if price}
    assert said == pytest.approx(charged)


def test_the_readme_costs_what_the_bill_says() -> None:
    (bill,) = (row for row in rows(read("docs/data-model.md")) if row[0] == "**all**")
    (said,) = re.findall(r"About \$(\d+) a month for ten servers", read("README.md"))
    assert round(float(bill[1].strip("*"))) == int(said)


@pytest.mark.parametrize("page", ["docs/runbook.md", "docs/reference/webhook.md", "docs/data-model.md"])
def test_queues_that_are_named_are_there(page: str) -> None:
    schedules = {f"lookout-{stack}-schedule-dead" for stack in ("home", "probe")}
    known = {settings.DELIVERIES_DLQ, settings.JUDGE_DLQ, settings.OUTBOX_DLQ} | schedules
    named = set(re.findall(r"lookout-[a-z-]+-dead(?:\.fifo)?\b", read(page)))
    assert named <= known


ALARM = re.compile(r"^### ([a-z-]+)\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("name", "entry"), ALARM.findall(RUNBOOK))
def test_an_alarm_says_what_it_means_where_to_look_and_how_to_mend(name: str, entry: str) -> None:
    assert len(entry.strip().splitlines()[0]) > 30, f"{name}: what has happened?"
    assert re.search(r"^(Look|Look and mend): |Look there first|look there first", entry, re.MULTILINE), name
    assert re.search(r"^(Mend|Look and mend): ", entry, re.MULTILINE), name


def test_functions_and_log_groups_that_are_named_are_there() -> None:
    known = {settings.function_name(folder) for folder in settings.FUNCTIONS}
    named = set(re.findall(r"/aws/lambda/(lookout-[a-z]+)\b|--function-name (lookout-[a-z]+)\b", RUNBOOK))
    assert {one for pair in named for one in pair if one} <= known
