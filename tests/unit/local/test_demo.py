"""The demo process as it is run: real servers on free ports, spoken to over loopback."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from lookout.errors import LocalError
from lookout.local import processes
from lookout.local.demo_handle import Demo, default_ports, demo_secrets, render_config, running_demo, start_demo
from lookout.local.demo_servers import LEGACY_VERSION, apps
from lookout.local.layout import DEMO_SLUGS, Layout

ROOT = Path(__file__).parents[3]
MODERN = "2026-07-28"
ACCEPT = {"content-type": "application/json", "accept": "application/json, text/event-stream"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    started = start_demo(Layout.of(ROOT, tmp_path_factory.mktemp("demo")))
    yield started
    started.stop()
    assert running_demo(started.layout) is None


def call(demo: Demo, slug: str, method: str, headers: dict[str, str] | None = None) -> httpx.Response:
    modern = method == "server/discover"
    meta = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}
    params: dict[str, Any] = {"_meta": meta}
    if not modern:
        params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    era = {"mcp-protocol-version": MODERN, "mcp-method": method} if modern else {}
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    url = f"http://127.0.0.1:{demo.ports[slug]}/mcp"
    return httpx.post(url, headers={**ACCEPT, **era, **(headers or {})}, json=message, timeout=2, trust_env=False)


def test_the_modern_servers_speak_the_newest_protocol_without_sessions(demo: Demo) -> None:
    for slug in ("demo-modern", "demo-slow", "demo-flaky"):
        answer = call(demo, slug, "server/discover")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        assert MODERN in answer.json()["result"]["supportedVersions"]
        assert "mcp-session-id" not in answer.headers


def test_the_legacy_server_knows_nothing_newer(demo: Demo) -> None:
    refused = call(demo, "demo-sse-body", "server/discover")
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, -32601)
    answer = call(demo, "demo-sse-body", "initialize")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["mcp-session-id"]
    line = next(line for line in answer.text.splitlines() if line.startswith("data: {"))
    assert json.loads(line[6:])["result"]["protocolVersion"] == LEGACY_VERSION


def test_a_server_can_be_made_to_offer_something_else(demo: Demo) -> None:
    def tools() -> dict[str, list[str]]:
        meta = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}}
        headers = {**ACCEPT, "mcp-protocol-version": MODERN, "mcp-method": "tools/list"}
        url = f"http://127.0.0.1:{demo.ports['demo-flaky']}/mcp"
        listed = httpx.post(url, headers=headers, json=message, timeout=2, trust_env=False).json()["result"]["tools"]
        return {tool["name"]: tool["inputSchema"]["required"] for tool in listed}

    demo.set_fault("demo-flaky", "drift")
    assert tools() == {"search": ["query", "limit"], "publish": ["query"]}
    assert call(demo, "demo-flaky", "server/discover").json()["result"]["capabilities"]["tools"] is not None
    demo.set_fault("demo-flaky", None)
    assert tools() == {"search": ["query"], "fetch": ["identifier"]}


def test_the_guarded_server_wants_its_token(demo: Demo) -> None:
    refused = call(demo, "demo-token", "server/discover")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Bearer")
    token = demo_secrets(demo.layout)["token"]
    assert call(demo, "demo-token", "server/discover", {"authorization": f"Bearer {token}"}).status_code == 200


def test_the_slow_server_is_slow_to_list(demo: Demo) -> None:
    url = f"http://127.0.0.1:{demo.ports['demo-slow']}/mcp"
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(url, headers=ACCEPT, json=message, timeout=0.3, trust_env=False)


def test_every_fault_and_its_mending(demo: Demo) -> None:
    assert demo.set_fault("demo-flaky", "500")["demo-flaky"] == "500"
    assert call(demo, "demo-flaky", "server/discover").status_code == 500
    demo.set_fault("demo-flaky", "html")
    assert call(demo, "demo-flaky", "server/discover").headers["content-type"].startswith("text/html")
    demo.set_fault("demo-flaky", "hang")
    with pytest.raises(httpx.ReadTimeout):
        call(demo, "demo-flaky", "server/discover")
    for _ in range(2):
        demo.set_fault("demo-flaky", "refuse")
        with pytest.raises(httpx.ConnectError):
            call(demo, "demo-flaky", "server/discover")
    assert set(demo.set_fault("demo-flaky", None).values()) == {None}
    assert call(demo, "demo-flaky", "server/discover").status_code == 200


def test_control_needs_the_token_and_sense(demo: Demo) -> None:
    with pytest.raises(LocalError, match="slug is one of"):
        demo.set_fault("other", "500")
    with pytest.raises(LocalError, match="how one of"):
        demo.set_fault("demo-flaky", "explode")
    with pytest.raises(LocalError, match="wrong control token"):
        Demo(demo.layout, demo.ports, "guess").set_fault("demo-flaky", "500")
    request = urllib.request.Request(
        f"{demo.receiver_url}control", b"[", {"x-lookout-control": demo.control}, method="POST"
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    assert caught.value.code == 400
    caught.value.close()


def test_the_receiver_answers(demo: Demo) -> None:
    assert demo.events() == []
    found = running_demo(demo.layout)
    assert found is not None
    assert found.ports == demo.ports


def test_the_configuration_is_rendered_with_the_ports_in_use(demo: Demo) -> None:
    config = yaml.safe_load(render_config(demo.layout, demo).read_text())
    urls = {s["slug"]: s["url"] for s in config["servers"]}
    assert urls == {slug: f"http://127.0.0.1:{demo.ports[slug]}/mcp" for slug in DEMO_SLUGS}
    assert config["sinks"]["hook"]["webhook"] == f"http://127.0.0.1:{demo.ports['receiver']}/hook"
    assert render_config(demo.layout, demo) == demo.layout.config


def test_the_example_has_the_usual_ports() -> None:
    config = yaml.safe_load((ROOT / "examples" / "local" / "lookout.yaml").read_text())
    usual = default_ports(4566)
    assert {s["slug"]: s["url"] for s in config["servers"]} == {
        slug: f"http://127.0.0.1:{usual[slug]}/mcp" for slug in DEMO_SLUGS
    }
    assert set(apps("token")) == set(DEMO_SLUGS)


def test_secrets_are_made_once_and_only_the_user_may_read_them(tmp_path: Path) -> None:
    layout = Layout.of(ROOT, tmp_path)
    made = demo_secrets(layout)
    assert demo_secrets(layout) == made
    assert layout.secrets.stat().st_mode & 0o077 == 0
    assert len(set(made.values())) == 3


def test_a_taken_port_is_said_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = {"demo-modern": taken.getsockname()[1]}
        with pytest.raises(LocalError, match="demo-modern"):
            start_demo(Layout.of(ROOT, tmp_path), ports)


def test_a_failed_start_shows_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lookout.local.demo_handle.sys.executable", "/bin/false")
    layout = Layout.of(ROOT, tmp_path)
    with pytest.raises(LocalError, match="did not start"):
        start_demo(layout)
    assert processes.recorded(layout.run, "demo") is None


def test_without_settings_it_says_how(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lookout.local.demo"], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 2
    assert "usage" in done.stderr


def test_unreachable(tmp_path: Path) -> None:
    gone = Demo(Layout.of(ROOT, tmp_path), {"receiver": processes.free_port()}, "x")
    with pytest.raises(LocalError, match="make up"):
        gone.events()
