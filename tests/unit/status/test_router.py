from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from lookout.history.latency import Percentiles
from lookout.status import api_json
from lookout.status.router import Response, respond
from lookout.status.view import Snapshot

from tests.unit.status import sample

PATHS = [
    "/api/v1/status",
    "/api/v1/servers",
    "/api/v1/servers/acme-search",
    "/api/v1/incidents",
    "/api/v1/servers/acme-search/badge.json",
    "/api/v2/summary.json",
    "/api/embed-status/acme-search",
    "/badge/acme-search.svg",
    "/metrics",
    "/probe?target=acme-search",
]


def get(path: str, method: str = "GET", now: int = sample.NOW, **headers: str) -> Response:
    path, _, text = path.partition("?")
    query = dict(pair.split("=") for pair in text.split("&") if pair)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return respond(sample.snapshot(), method, path, query, named, now)


def body(response: Response) -> Any:
    return json.loads(response.body)


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_can_be_cached_revalidated_and_asked_for_by_head(path: str) -> None:
    answer = get(path)
    assert answer.status == 200
    assert answer.body
    etag = answer.headers["etag"]
    assert answer.headers["cache-control"].startswith("public, max-age=")
    assert answer.headers["x-content-type-options"] == "nosniff"
    again = get(path, If_None_Match=f'"other", W/{etag}')
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", etag)
    assert again.headers["cache-control"] == answer.headers["cache-control"]
    assert get(path, If_None_Match="*").status == 304
    assert get(path, If_None_Match='"other"').status == 200
    head = get(path, "HEAD")
    assert (head.status, head.body, head.headers) == (200, b"", answer.headers)
    if answer.headers["content-type"] == "application/json":
        assert answer.headers["access-control-allow-origin"] == "*"
        json.loads(answer.body)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", [*PATHS, "/nowhere"])
def test_nothing_can_be_changed(method: str, path: str) -> None:
    answer = get(path, method)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nowhere",
        "/api/v1",
        "/api/v1/servers/nobody",
        "/api/embed-status/nobody",
        "/api/v1/servers/acme-search/secrets",
        "/badge/acme-search",
        "/probe",
        "/probe?target=https://victim.example/mcp",
    ],
)
def test_what_is_not_there_is_a_problem(path: str) -> None:
    answer = get(path)
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(body(answer)) == {"type", "title", "status", "detail", "instance"}
    assert body(answer)["title"] == "Not Found"


def test_probe_takes_no_other_module() -> None:
    assert get("/probe?target=acme-search&module=http_2xx").status == 400
    text = get("/probe?target=acme-search&module=mcp").body.decode()
    assert 'server="acme-search"' in text
    assert "acme-files" not in text


def test_a_badge_of_nobody_is_200_and_an_error() -> None:
    answer = get("/api/v1/servers/nobody/badge.json")
    assert (answer.status, body(answer)["isError"]) == (200, True)
    assert b"unknown server" in get("/badge/nobody.svg").body
    assert get("/badge/nobody.svg").headers["cache-control"] == "public, max-age=60, stale-while-revalidate=300"


def test_a_badge_takes_metric_window_and_label() -> None:
    assert body(get("/api/v1/servers/acme-search/badge.json?metric=uptime&window=90d&label=hi"))["label"] == "hi"
    assert b"12 tools" in get("/badge/acme-search.svg?metric=tools").body


def test_metrics_follow_accept() -> None:
    answer = get("/metrics", Accept="application/openmetrics-text")
    assert answer.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert answer.headers["vary"] == "accept"
    assert get("/metrics").headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


def test_servers() -> None:
    data = body(get("/api/v1/servers"))
    assert (data["generated_at"], data["stale"]) == ("2026-08-22T14:34:07Z", False)
    search, files, _, crm, weather, newcomer = data["servers"]
    assert (search["status"], search["ok"], files["ok"], weather["ok"]) == ("up", True, False, None)
    assert files["failure"] == {
        "layer": "http",
        "reason": "http_5xx",
        "message": "HTTP 502 from origin",
        "http_status": 502,
    }
    assert search["failure"] is None
    assert crm["url"] == "https://crm.partner.example/v1/mcp"
    assert search["windows"]["30d"]["uptime_percent"] == "99.96%"
    assert newcomer["windows"]["24h"]["uptime"] is None
    assert newcomer["windows"]["24h"]["coverage"] is None
    assert newcomer["last_checked_at"] is None
    assert search["regions"][1] == {
        "region": "eu-west-1",
        "city": "Dublin",
        "status": "up",
        "latency_ms": 143,
        "checked_at": "2026-08-22T14:33:13Z",
        "layer": None,
        "reason": None,
    }


def test_one_server_has_days_and_incidents() -> None:
    data = body(get("/api/v1/servers/acme-files/"))
    assert len(data["days"]) == 90
    assert [i["resolved_at"] for i in data["incidents"]] == [None, "2026-08-19T18:34:00Z"]
    assert data["incidents"][1]["duration_seconds"] == 4 * 3600
    assert data["incidents"][0]["url"].startswith("https://status.acme.dev/incidents/inc_")


def test_incidents_open_ones_first() -> None:
    found = body(get("/api/v1/incidents"))["incidents"]
    assert [i["server"] for i in found] == ["acme-files", "acme-files", "acme-search"]
    assert [i["resolved_at"] is None for i in found] == [True, False, False]


def test_status() -> None:
    data = body(get("/api/v1/status"))
    assert data["status"]["indicator"] == "major"
    assert data["counts"]["down"] == 1
    assert [r["reporting"] for r in data["regions"]] == [True, True, True]
    assert len(data["open_incidents"]) == 1


def test_statuspage_consumers_find_what_they_look_for() -> None:
    """The published shape of Statuspage's summary: https://www.githubstatus.com/api#summary."""
    schema = json.loads((Path(__file__).parent / "statuspage-summary.schema.json").read_text())
    data = body(get("/api/v2/summary.json"))
    jsonschema.validate(data, schema)
    assert {c["id"]: c["status"] for c in data["components"]} == {
        "acme-search": "operational",
        "acme-files": "major_outage",
        "acme-billing": "degraded_performance",
        "partner-crm": "operational",
        "weather": "under_maintenance",
        "newcomer": "under_maintenance",
    }
    assert {c["id"]: c["description"] for c in data["components"]}["weather"] == "Unknown"
    assert data["status"] == {"indicator": "major", "description": "1 server is down"}
    assert [c["id"] for c in data["incidents"][0]["components"]] == ["acme-files"]


def test_embed_is_exactly_its_shape() -> None:
    answer = get("/api/embed-status/acme-files")
    assert body(answer) == {
        "slug": "acme-files",
        "status": "down",
        "last_probe_at": "2026-08-22T14:33:16Z",
        "uptime_24h_pct": 98.33,
        "p95_latency_ms_24h": None,
        "schema_drift_in_last_24h": False,
        "status_page_url": "https://status.acme.dev/status/acme-files/",
    }
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert body(get("/api/embed-status/partner-crm"))["status"] == "live"
    assert body(get("/api/embed-status/weather"))["status"] == "unknown"
    assert body(get("/api/embed-status/partner-crm"))["schema_drift_in_last_24h"] is None


def test_embed_says_the_latency_of_all_regions_where_it_is_known() -> None:
    full = sample.snapshot()
    (view,) = (one for one in full.servers if one.slug == "acme-files")
    known = replace(view, lately=Percentiles(4320, 20, 310, 900))
    assert api_json.embed(full, known)["p95_latency_ms_24h"] == 310
    again = Snapshot.from_json(json.loads(json.dumps(replace(full, servers=(known,)).to_json())))
    assert again.servers[0].lately == known.lately


def test_a_stale_snapshot_says_how_old_it_is() -> None:
    answer = get("/api/v1/servers", now=sample.NOW + 301)
    assert answer.headers["lookout-snapshot-age"] == "301"
    assert body(answer)["stale"] is True
    assert "lookout-snapshot-age" not in get("/api/v1/servers").headers


def test_uptime_never_rounds_up_to_a_hundred() -> None:
    snap = sample.snapshot()
    first = snap.servers[0]
    windows = {"24h": replace(first.windows["24h"], ok=1_000_000, fail=1)}
    answer = respond(
        replace(snap, servers=(replace(first, windows=windows),)),
        "GET",
        "/api/embed-status/acme-search",
        {},
        {},
        sample.NOW,
    )
    assert body(answer)["uptime_24h_pct"] == 99.99


def test_the_reference_names_every_path() -> None:
    text = (Path(__file__).parents[3] / "docs/reference/api.md").read_text()
    for path in PATHS:
        shown = path.partition("?")[0].replace("acme-search", "{slug}")
        assert f"`GET {shown}" in text, shown
