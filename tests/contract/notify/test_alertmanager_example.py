"""examples/alertmanager as it is, in the programs it is for: Debian's Prometheus and Alertmanager.

The containers of compose.yml run the same files with the same options; here it is checked that they find them.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from lookout.notify.deliver import deliver
from lookout.notify.request import HttpRequest, Target
from lookout.notify.sinks.alertmanager import labels, request

from tests.contract.notify.sample import DRIFT, OPEN, SITE

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "alertmanager"
needs_alertmanager = pytest.mark.alertmanager
needs_prometheus = pytest.mark.prometheus
OUTSIDE = {"source": "external", "server": "acme-search"}
RULES_TEST = """
rule_files: [{rules}]
evaluation_interval: 30s
tests:
  - interval: 30s
    input_series:
      - {{series: 'mcp_tool_call_total{{server="broken",status="error"}}', values: '0+1x40'}}
      - {{series: 'mcp_tool_call_total{{server="broken",status="ok"}}', values: '0+9x40'}}
      - {{series: 'mcp_tool_call_total{{server="fine",status="error"}}', values: '0x40'}}
      - {{series: 'mcp_tool_call_total{{server="fine",status="ok"}}', values: '0+9x40'}}
      - {{series: 'up{{job="mcp",server="broken"}}', values: '1x10 0x30'}}
      - {{series: 'mcp_last_probe_timestamp_seconds{{server="broken",region="eu-west-1"}}', values: '0+30x10 300x30'}}
    alert_rule_test:
      - eval_time: 12m
        alertname: MCPToolCallsFail
        exp_alerts:
          - exp_labels: {{server: broken, severity: warning, source: internal}}
            exp_annotations: {{summary: 'broken: more than 5 % of the tool calls fail'}}
      - {{eval_time: 5m, alertname: MCPExporterDown, exp_alerts: []}}
      - eval_time: 10m
        alertname: MCPExporterDown
        exp_alerts:
          - exp_labels: {{job: mcp, server: broken, severity: critical, source: internal}}
            exp_annotations: {{summary: 'broken gives no metrics'}}
      - {{eval_time: 9m, alertname: LookoutSilent, exp_alerts: []}}
      - eval_time: 15m
        alertname: LookoutSilent
        exp_alerts:
          - exp_labels: {{severity: critical, source: internal}}
            exp_annotations: {{summary: 'Lookout has probed nothing for five minutes'}}
"""


def package(program: str) -> str:
    """Debian's."""
    return "prometheus" if program in ("prometheus", "promtool") else "prometheus-alertmanager"


def run(program: str, *arguments: str) -> str:
    """What a program says; the test fails where it does."""
    tool = shutil.which(program) or pytest.fail(
        f"no {program}: it is in Debian's prometheus or prometheus-alertmanager"
    )
    done = subprocess.run([tool, *arguments], capture_output=True, text=True, check=False, timeout=30, cwd=EXAMPLE)
    assert done.returncode == 0, f"{program} {' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done.stdout


def plain_command(program: str) -> list[str]:
    """The options the README starts a program with."""
    readme = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    (line,) = re.findall(rf"^    {program} (.*)$", readme, re.MULTILINE)
    return str(line).split()


@needs_prometheus
def test_prometheus_takes_the_configuration_and_the_rules() -> None:
    assert "SUCCESS" in run("promtool", "check", "config", "prometheus.yml")
    assert "3 rules found" in run("promtool", "check", "rules", "rules.yml")


@needs_prometheus
def test_the_rules_fire_for_what_they_are_for(tmp_path: Path) -> None:
    path = tmp_path / "test.yml"
    path.write_text(RULES_TEST.format(rules=EXAMPLE / "rules.yml"), encoding="utf-8")
    assert "SUCCESS" in run("promtool", "test", "rules", str(path))


@needs_alertmanager
def test_alertmanager_takes_the_configuration() -> None:
    said = run("amtool", "check-config", "alertmanager.yml")
    assert "SUCCESS" in said
    assert "4 receivers" in said


@needs_alertmanager
@pytest.mark.parametrize(
    ("alert", "receiver"),
    [
        (labels("availability", "acme-search", "jsonrpc"), "outside-page"),
        (labels("drift", "acme-search", None), "outside"),
        (labels("latency", "acme-search", None), "outside"),
        ({"alertname": "MCPExporterDown", "severity": "critical", "source": "internal"}, "inside-page"),
        ({"alertname": "MCPToolCallsFail", "severity": "warning", "source": "internal"}, "inside"),
        ({"alertname": "DiskFull", "severity": "critical"}, "inside-page"),
        ({"alertname": "DiskFull"}, "inside"),
    ],
)
def test_alertmanager_routes_outside_and_inside_apart(alert: dict[str, str], receiver: str) -> None:
    pairs = [f"{name}={value}" for name, value in alert.items()]
    said = run("amtool", "config", "routes", "test", "--config.file=alertmanager.yml", *pairs)
    assert said.strip() == receiver


@needs_alertmanager
def test_the_readme_asks_amtool_in_a_way_it_answers() -> None:
    readme = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^    amtool (.*)$", readme, re.MULTILINE)
    assert run("amtool", *str(line).split()).strip() == "outside-page"


class Pager(ThreadingHTTPServer):
    """All four receivers: what each was told, by its path."""

    daemon_threads = True

    def __init__(self) -> None:
        self.got: list[tuple[str, str]] = []
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Pager

    def do_POST(self) -> None:
        told = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.got += [(self.path.lstrip("/"), alert["labels"]["alertname"]) for alert in told["alerts"]]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Says nothing."""


@dataclass
class Example:
    """A copy of the example at ports of its own, and without its waits."""

    folder: Path
    alertmanager: int
    prometheus: int
    pager: Pager = field(default_factory=Pager)

    def __post_init__(self) -> None:
        for path in EXAMPLE.glob("*.yml"):
            text = path.read_text(encoding="utf-8").replace(":9093", f":{self.alertmanager}")
            text = text.replace(":9094", f":{self.pager.server_port}").replace("group_wait: 10s", "group_wait: 1s")
            (self.folder / path.name).write_text(text, encoding="utf-8")

    def get(self, port: int, path: str) -> Any:
        """What an API answers; None while it does not."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as answer:
                body = answer.read()
        except OSError:
            return None
        return json.loads(body) if path.startswith("/api") else body

    @contextmanager
    def running(self, program: str, port: int, *more: str) -> Iterator[None]:
        """A program as the README starts it, but for where it listens and keeps things."""
        tool = shutil.which(program) or pytest.fail(f"no {program}: install Debian's {package(program)}")
        options = [option.replace("=/tmp/", f"={self.folder}/") for option in plain_command(program)]
        command = [tool, *options, f"--web.listen-address=127.0.0.1:{port}", *more]
        log = self.folder / f"{program}.log"
        with (
            log.open("wb") as out,
            subprocess.Popen(command, stdout=out, stderr=out, cwd=self.folder) as process,
        ):
            try:
                until(lambda: self.get(port, "/-/ready") is not None or process.poll() is not None)
                assert process.poll() is None, log.read_text(encoding="utf-8")
                yield
            finally:
                process.terminate()
                process.wait(15)


def until(happened: Callable[[], Any], patience_s: float = 30) -> Any:
    deadline = time.monotonic() + patience_s
    while not (found := happened()):
        assert time.monotonic() < deadline, f"waited {patience_s:g} s in vain"
        time.sleep(0.1)
    return found


@pytest.fixture
def example(tmp_path: Path, new_port: Callable[[], int]) -> Iterator[Example]:
    made = Example(tmp_path, new_port(), new_port())
    threading.Thread(target=made.pager.serve_forever, args=(0.05,), daemon=True).start()
    yield made
    made.pager.shutdown()
    made.pager.server_close()


@needs_alertmanager
def test_each_receiver_is_told_of_what_is_its_own_and_a_symptom_is_held_back(example: Example) -> None:
    with example.running("prometheus-alertmanager", example.alertmanager, "--cluster.listen-address="):
        url = f"http://127.0.0.1:{example.alertmanager}"
        for notice in (OPEN, DRIFT):
            sent = request(notice, Target("alertmanager", url, None, True, {}), SITE, int(time.time()))
            assert isinstance(sent, HttpRequest)
            assert deliver(sent, True).delivered
        until(lambda: {("outside-page", "MCPServerDown"), ("outside", "MCPToolSchemaDrift")} <= set(example.pager.got))
        ask = ("--alertmanager.url", url, "alert", "add")
        inside = (
            ("MCPToolCallsFail", "warning", "acme-search"),
            ("MCPToolCallsFail", "warning", "acme-files"),
            ("MCPExporterDown", "critical", "acme-search"),
        )
        for name, severity, server in inside:
            run("amtool", *ask, name, f"severity={severity}", "source=internal", f"server={server}")
        until(lambda: {("inside", "MCPToolCallsFail"), ("inside-page", "MCPExporterDown")} <= set(example.pager.got))
        alerts = example.get(example.alertmanager, "/api/v2/alerts")
        held = [one["labels"] for one in alerts if one["status"]["inhibitedBy"]]
        assert [(one["alertname"], one["server"]) for one in held] == [("MCPToolCallsFail", "acme-search")]
        assert len(example.pager.got) == len(set(example.pager.got)) == 4


@needs_prometheus
@needs_alertmanager
def test_prometheus_runs_the_rules_and_finds_its_alertmanager(example: Example) -> None:
    with (
        example.running("prometheus-alertmanager", example.alertmanager, "--cluster.listen-address="),
        example.running("prometheus", example.prometheus),
    ):

        def active() -> Any:
            told = example.get(example.prometheus, "/api/v1/alertmanagers")
            return told and told["data"]["activeAlertmanagers"]

        found = until(active)
        assert [one["url"] for one in found] == [f"http://127.0.0.1:{example.alertmanager}/api/v2/alerts"]
        (group,) = example.get(example.prometheus, "/api/v1/rules")["data"]["groups"]
        assert [rule["name"] for rule in group["rules"]] == ["MCPToolCallsFail", "MCPExporterDown", "LookoutSilent"]


def test_the_containers_find_the_files_where_their_programs_look() -> None:
    """The images' own commands, by their Dockerfiles: /etc/NAME/NAME.yml, kept in /NAME and /prometheus."""
    compose = yaml.safe_load((EXAMPLE / "compose.yml").read_text(encoding="utf-8"))
    kept = set(compose["volumes"])
    for name, service in compose["services"].items():
        assert set(service) == {"image", "network_mode", "volumes"}
        assert re.fullmatch(rf"prom/{name}:v\d+\.\d+\.\d+", service["image"])
        # Both talk to 127.0.0.1, as the plain commands do: no port has to be published.
        assert service["network_mode"] == "host"
        mounted = dict(volume.removesuffix(":ro").split(":") for volume in service["volumes"])
        assert mounted.pop(name) == f"/{name}"
        assert name in kept
        assert f"./{name}.yml" in mounted
        for source, target in mounted.items():
            assert (EXAMPLE / source).is_file()
            assert f"{source}:{target}:ro" in service["volumes"]
            assert target == f"/etc/{name}/{Path(source).name}"
    rules = yaml.safe_load((EXAMPLE / "prometheus.yml").read_text(encoding="utf-8"))["rule_files"]
    assert [f"./{path}:/etc/prometheus/{path}:ro" for path in rules] == compose["services"]["prometheus"]["volumes"][
        1:2
    ]
