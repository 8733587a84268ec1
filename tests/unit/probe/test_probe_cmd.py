from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest
from click.testing import CliRunner, Result
from lookout.cli.probe_cmd import exit_code, probe
from lookout.cli.probe_view import Step, as_json, messages, show
from lookout.cli.probe_watch import Tally, line
from lookout.probe.failure import Failure
from lookout.probe.messages import Reply, Request
from lookout.probe.result import Era, Finding, Layer, ProbeResult, Reason, Status, TlsFacts
from lookout.probe.sse import Event

from tests.servers.threaded import threaded

KEYS = (
    *("url", "status", "era", "protocol_version", "transport", "server", "layer", "reason", "message", "findings"),
    *("timings_ms", "tls", "tools", "http_status", "counts", "credential_expires", "retry_after_s", "network"),
)


@pytest.fixture
def url() -> Iterator[str]:
    def known(headers: Mapping[str, str]) -> bool:
        return headers.get("x-key") == "k" or headers.get("authorization") == "Bearer tok-123"

    with threaded(accepts=known, name="[red]x[/red]") as server:
        yield server.url


def run(*arguments: str, **env: str) -> Result:
    return CliRunner().invoke(probe, list(arguments), env=env)


def test_one_json_object_with_every_key(url: str) -> None:
    done = run(url, "--json", "--header", "X-Key: k")
    value = json.loads(done.output)
    assert tuple(value) == KEYS
    assert (done.exit_code, value["status"], value["era"], value["tools"]["count"]) == (0, "up", "modern", 0)
    assert set(value["timings_ms"]) == {"dns", "tcp", "discover", "tools_list", "total"}


def test_a_bearer_token_from_the_environment_is_sent_and_not_shown(url: str) -> None:
    done = run(url, "--bearer-env", "TOK", TOK="tok-123")
    assert done.exit_code == 0
    assert "UP" in done.output
    assert "[red]x[/red]" in done.output
    assert "tok-123" not in done.output


def test_a_header_from_the_environment_is_sent_and_not_shown(url: str) -> None:
    done = run(url, "-v", "--header", "Authorization: env:WHOLE", WHOLE="Bearer tok-123")
    assert done.exit_code == 0
    assert "UP" in done.output
    assert "tok-123" not in done.output


def test_without_a_credential_it_is_auth_required_and_with_a_wrong_one_rejected(url: str) -> None:
    assert run(url).exit_code == 0
    done = run(url, "--bearer-env", "TOK", TOK="wrong-one")
    assert done.exit_code == 1
    assert "credential_rejected" in done.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["ftp://x"],
        ["https://x y"],
        ["http://x", "--header", "nonsense"],
        ["http://x", "--header", "A: \x1b"],
        ["http://x", "--bearer-env", "NOT_SET"],
        ["http://x", "--header", "X-Key: env:NOT_SET"],
        ["http://x", "--timeout", "0"],
        [],
    ],
)
def test_usage_errors(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_every_status_has_its_exit_code() -> None:
    assert {s.value: exit_code(s) for s in Status if exit_code(s) != 1} == {"up": 0, "auth_required": 0, "degraded": 3}


def test_everything_a_result_can_hold_is_shown() -> None:
    from rich.console import Console

    result = ProbeResult(
        "here",
        Status.DOWN,
        0,
        Layer.TLS,
        Reason.CERT_EXPIRED,
        "expired",
        era=Era.LEGACY,
        protocol_version="2025-06-18",
        tools_count=1,
        timings_ms={"dns": 1.0, "total": 2.0},
        tls=TlsFacts("TLSv1.3", issuer="CN=x", not_after=86400 * 3),
        findings=(Finding("TOOL-SCHEMA", "error", "bad"),),
    )
    console = Console(record=True, width=120, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123 - closed below
    show("https://x", result, [], 0, console)
    console.file.close()
    text = console.export_text()
    for part in ("DOWN", "tls · cert_expired: expired", "legacy era", "1 tools", "ends in 3 days", "TOOL-SCHEMA"):
        assert part in text
    assert as_json("https://x", result)["tls"]["not_after"] == 86400 * 3


def test_the_exchange_is_shown_step_by_step_and_verbosely_without_the_secret(url: str) -> None:
    done = run(url, "--header", "X-Key: k")
    for part in ("POST server/discover", "POST tools/list", "200 application/json", "total", "0 tools"):
        assert part in done.output
    done = run(url, "-v", "--bearer-env", "TOK", TOK="tok-123")
    assert "→ POST server/discover" in done.output
    assert '"io.modelcontextprotocol/protocolVersion": "2026-07-28"' in done.output
    assert "← 200 in" in done.output
    assert "tok-123" not in done.output
    assert "\x1b" not in done.output


def test_a_tool_is_called_with_arguments_that_are_an_object(url: str) -> None:
    done = run(url, "--header", "X-Key: k", "--call", "search", "--arguments", '{"query": "x"}', "--json")
    value = json.loads(done.output)
    assert (done.exit_code, value["reason"]) == (1, "tool_missing")
    for bad in (["--call", "x", "--arguments", "["], ["--call", "x", "--arguments", "[]"], ["--arguments", "{}"]):
        assert run(url, *bad).exit_code == 2


def test_watching_prints_a_line_each_and_a_summary(url: str) -> None:
    done = run(url, "--header", "X-Key: k", "--watch", "5", "--count", "1")
    assert done.exit_code == 0
    assert "1 probes, 1 of them good, median" in done.output
    done = run(url, "--json", "--header", "X-Key: k", "--watch", "5", "--count", "1")
    assert [json.loads(line)["status"] for line in done.output.splitlines()] == ["up"]
    assert run(url, "--count", "1").exit_code == 2
    assert run(url, "--watch", "1").exit_code == 2


def test_a_watch_says_what_changed_since_the_last_probe() -> None:
    tally = Tally()
    up = ProbeResult("here", Status.UP, 0, era=Era.LEGACY, tools_hash="a" * 64, timings_ms={"total": 5.0})
    assert tally.add(up) == []
    assert tally.add(replace(up, era=Era.MODERN, tools_hash="b" * 64)) == [
        "its tools changed: aaaaaaaaaaaa to bbbbbbbbbbbb",
        "speaks modern now",
    ]
    down = ProbeResult("here", Status.DOWN, 0, Layer.TCP, Reason.CONNECT_REFUSED, "refused")
    changes = tally.add(down)
    assert changes == ["was up"]
    assert "connect_refused: refused  ← was up" in line(down, changes, "12:00:00").plain
    assert tally.summary() == "3 probes, 2 of them good, median 5 ms, slowest 5 ms"


def test_messages_are_bounded_masked_and_free_of_escapes() -> None:
    request = Request("tools_list", "POST", {"accept": "x"}, b'{"a":1}', 1, "tools/list")
    evil = {"jsonrpc": "2.0", "id": 1, "result": {"text": "\x1b[31mtok-123\u202e", "many": list(range(200))}}
    text = "\n".join(
        each.plain for each in messages(Step(request, Reply(200, {"x": "tok-123"}, message=evil)), ["tok-123"])
    )
    assert "tok-123" not in text
    assert "\x1b" not in text
    assert "more lines" in text
    failure = Failure(Layer.TCP, Reason.CONNECT_REFUSED, "no connection")
    assert "✗ tcp · connect_refused" in list(messages(Step(request, failure), []))[-1].plain
    page = Reply(404, {}, media_type="text/html", excerpt="<html>not here")
    assert "<html>not here" in list(messages(Step(request, page), []))[-1].plain
    opened = Reply(200, {}, event=Event("endpoint", b"/messages"))
    assert "event endpoint: /messages" in list(messages(Step(request, opened), []))[-1].plain
