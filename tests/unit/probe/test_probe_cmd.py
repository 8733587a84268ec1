from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from click.testing import CliRunner, Result
from lookout.cli.probe_cmd import as_json, exit_code, probe, show
from lookout.probe.result import Era, Finding, Layer, ProbeResult, Reason, Status, TlsFacts

KEYS = (
    *("url", "status", "era", "protocol_version", "transport", "server", "layer", "reason", "message", "findings"),
    *("timings_ms", "tls", "tools", "http_status"),
)


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.headers.get("x-key") != "k" and self.headers.get("authorization") != "Bearer tok-123":
            self.send_response(401)
            self.send_header("content-length", "0")
            self.end_headers()
            return
        base = {"resultType": "complete", "ttlMs": 0, "cacheScope": "public"}
        if body["method"] == "server/discover":
            info = {"io.modelcontextprotocol/serverInfo": {"name": "[red]x[/red]", "version": "1"}}
            result = {**base, "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}, "_meta": info}
        else:
            result = {**base, "tools": []}
        data = json.dumps({"jsonrpc": "2.0", "id": body["id"], "result": result}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/mcp"
    server.shutdown()
    thread.join()
    server.server_close()


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
    show("https://x", result, 0, console)
    console.file.close()
    text = console.export_text()
    for part in ("DOWN", "tls · cert_expired: expired", "legacy era", "1 tools", "ends in 3 days", "TOOL-SCHEMA"):
        assert part in text
    assert as_json("https://x", result)["tls"]["not_after"] == 86400 * 3
