from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from lookout.cli.main import cli
from lookout.errors import SecretError
from lookout.notify import deliver as delivering
from lookout.notify.request import HttpRequest, Request
from lookout.notify.retry import Answer
from lookout.store import aws, messages

CONFIG = """\
home: us-east-1
regions: [us-west-2, eu-west-1]
servers: [{slug: a, url: "https://a.example/mcp"}]
sinks:
  hook: {webhook: "https://ops.example/x"}
  inside: {webhook: "http://10.0.0.9/x", allow_private: true}
  oncall: {slack: secret:slack-url}
  parameter: {slack: ssm:/slack/url}
  channel: {slack_bot: secret:slack-token, channel: C012}
  mail: {email: [oncall@acme.dev], from: lookout@acme.dev}
"""


class World:
    """Secrets, and receivers that answer as told."""

    def __init__(self) -> None:
        self.sent: list[Request] = []
        self.private: list[bool] = []
        self.answers: list[Answer] = []

    def secret(self, home: str, name: str) -> str:
        if name == "gone":
            raise SecretError("secret 'gone' in us-east-1 cannot be read: ResourceNotFoundException")
        return f"https://hooks.slack.com/{home}/{name}\n"

    def deliver(self, request: HttpRequest, allow_private: bool) -> Answer:
        self.sent.append(request)
        self.private.append(allow_private)
        return self.answers.pop(0)

    def call(self, request: Request, home: str) -> Answer:
        assert home == "us-east-1"
        self.sent.append(request)
        return self.answers.pop(0)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(aws, "secret_value", made.secret)
    monkeypatch.setattr(aws, "parameter_value", made.secret)
    monkeypatch.setattr(delivering, "deliver", made.deliver)
    monkeypatch.setattr(messages, "deliver_to_aws", made.call)
    return made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "lookout.yaml").write_text(CONFIG, encoding="utf-8")
    return tmp_path / "lookout.yaml"


def run(path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["notify", *arguments, "--config", str(path)])


def test_a_preview_sends_nothing_and_reads_no_secret(world: World, path: Path) -> None:
    result = run(path, "preview")
    assert result.exit_code == 0, result.output
    headings = [line for line in result.output.splitlines() if line.startswith("# ")]
    assert headings == [
        "# hook (webhook)",
        "# inside (webhook)",
        "# oncall (slack)",
        "# parameter (slack)",
        "# channel (slack_bot)",
        "# mail (email)",
    ]
    assert "POST <secret:slack-url>" in result.output
    assert world.sent == []


def test_a_preview_of_one_sink_and_type(path: Path) -> None:
    result = run(path, "preview", "hook", "--type", "drift.detected")
    body = json.loads(result.output.split("\n\n", 1)[1])
    assert (body["type"], body["drift"]["class"]) == ("drift.detected", "breaking")
    assert body["links"]["status_page"] == "https://status.example.com/status/sample-server/"


def test_a_sink_nobody_has(path: Path) -> None:
    for command in ("preview", "test"):
        result = run(path, command, "hok")
        assert result.exit_code == 2
        assert "hok is not under sinks; did you mean hook?" in result.output


def test_a_file_without_sinks(tmp_path: Path) -> None:
    file = tmp_path / "lookout.yaml"
    file.write_text(CONFIG.split("sinks:", maxsplit=1)[0], encoding="utf-8")
    result = run(file, "preview")
    assert result.exit_code == 2
    assert "has no sinks: docs/notifications.md has an example of each" in result.output


def test_a_sample_is_sent_and_the_answer_printed(world: World, path: Path) -> None:
    world.answers = [Answer(202, "accepted")]
    result = run(path, "test", "hook", "--type", "tls.expiring")
    assert result.exit_code == 0, result.output
    assert result.output == "hook (webhook) took the tls.expiring: HTTP 202 accepted\n"
    (sent,) = world.sent
    assert isinstance(sent, HttpRequest)
    body: Any = json.loads(sent.body)
    assert (body["type"], body["server"]["visibility"]) == ("tls.expiring", "private")
    assert set(body["links"].values()) == {None}
    assert world.private == [False]


def test_secrets_are_read_and_private_addresses_allowed_where_the_sink_says_so(world: World, path: Path) -> None:
    world.answers = [Answer(200)] * 3
    for sink in ("oncall", "parameter", "inside"):
        assert run(path, "test", sink).exit_code == 0
    assert [request.url for request in world.sent if isinstance(request, HttpRequest)] == [
        "https://hooks.slack.com/us-east-1/slack-url",
        "https://hooks.slack.com/us-east-1//slack/url",
        "http://10.0.0.9/x",
    ]
    assert world.private == [False, False, True]


def test_a_refusal_is_an_error(world: World, path: Path) -> None:
    world.answers = [Answer(404, "no_service")]
    result = run(path, "test", "hook")
    assert result.exit_code == 2
    assert "hook was not told: HTTP 404 no_service" in result.output


def test_a_secret_that_cannot_be_read_is_an_error(world: World, path: Path) -> None:
    path.write_text(CONFIG.replace("secret:slack-url", "secret:gone"), encoding="utf-8")
    result = run(path, "test", "oncall")
    assert result.exit_code == 2
    assert "secret 'gone' in us-east-1 cannot be read" in result.output
    assert world.sent == []


def test_a_kind_reads_its_own_answers(world: World, path: Path) -> None:
    world.answers = [Answer(200, "", body=b'{"ok":true,"channel":"C9","ts":"1.5"}')]
    assert run(path, "test", "channel").exit_code == 0
    world.answers = [Answer(200, "", body=b'{"ok":false,"error":"invalid_auth"}')]
    result = run(path, "test", "channel")
    assert result.exit_code == 2
    assert "channel was not told: Slack says invalid_auth" in result.output


def test_a_sink_in_aws_is_called_there(world: World, path: Path) -> None:
    world.answers = [Answer(200, "SES took it as m-1")]
    result = run(path, "test", "mail")
    assert result.output == "mail (email) took the incident.opened: HTTP 200 SES took it as m-1\n"
