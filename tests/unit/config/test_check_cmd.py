from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from lookout.cli.check_cmd import names_of
from lookout.cli.main import cli
from lookout.config.load import load_config

ROOT = Path(__file__).parents[3]
EVERYTHING = ROOT / "examples" / "everything.yaml"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["check", *arguments], color=True)


def test_it_says_what_will_be_watched() -> None:
    result = run(str(EVERYTHING))
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0] == (
        "Acme MCP status: 4 servers, home us-east-1, probed from us-west-2 (Oregon), eu-west-1 (Dublin),"
        " ap-southeast-1 (Singapore)"
    )
    partner = next(line for line in lines if "partner" in line)
    for word in ("https://mcp.partner.example/mcp", "5 min", "2 rounds", "bearer", "X-Tenant", "oncall", "private"):
        assert word in partner
    staging = next(line for line in lines if "staging" in line)
    for word in ("nobody", "paused", "may be at a private address"):
        assert word in staging
    assert "oncall (slack) is told of 3 servers: the address in secret:slack-url" in lines
    assert (
        "hook (webhook) is told of 1 server: https://ops.acme.dev/lookout,"
        " signed with secret:lookout-signing-new and secret:lookout-signing"
    ) in lines
    assert "pager (pagerduty) is told of 0 servers: the key in secret:pagerduty-key" in lines
    assert "mail (email) is told of 0 servers: oncall@acme.dev, from lookout@acme.dev" in lines
    bank = next(line for line in lines if "bank" in line)
    assert "OAuth, client certificate" in bank
    assert lines[-2].startswith("Secrets needed in us-east-1: alertmanager-token, archive-address, archive-signing,")
    assert "heartbeat: the address in secret:lookout-heartbeat, each minute all is well" in lines
    assert "maintenance of tag prod: FREQ=WEEKLY;BYDAY=SU;BYHOUR=3, for 60 min, in Europe/Berlin" in lines
    assert (
        "maintenance of all servers: FREQ=MONTHLY;INTERVAL=3 from 2027-01-09T01:30, for 30 min, in America/New_York"
    ) in lines
    assert "maintenance of bank, partner: 2027-01-30 22:00 CET until 2027-01-31 02:00 CET" in lines
    assert "alarms of us-east-1 and the probing regions: ops@acme.dev, once confirmed for each" in lines
    assert lines[-1] == "Parameters needed in us-east-1: /lookout/bank/certificate, /lookout/bank/client-secret"


def test_it_says_which_secrets_are_needed() -> None:
    assert names_of(load_config(EVERYTHING), "secret") == [
        "alertmanager-token",
        "archive-address",
        "archive-signing",
        "bank-client-key",
        "discord-url",
        "google-chat-url",
        "lookout-heartbeat",
        "lookout-signing",
        "lookout-signing-new",
        "ntfy-token",
        "opsgenie-key",
        "pagerduty-key",
        "partner",
        "partner-token",
        "slack-token",
        "slack-url",
        "teams-url",
        "telegram-token",
        "tickets-authorization",
    ]


def test_it_remarks() -> None:
    result = run(str(ROOT / "examples" / "minimal.yaml"))
    assert result.exit_code == 0
    assert result.output.splitlines()[-1] == "note: there are no sinks: the status page changes, and nobody is told"


def test_json_is_the_configuration() -> None:
    data = json.loads(run("--json", str(EVERYTHING)).output)
    assert data["ok"] is True
    assert [server["slug"] for server in data["servers"]] == ["acme-search", "partner", "bank", "staging"]
    assert data["site"]["home"] == "us-east-1"
    assert data["remarks"] == []
    assert "slack-url" in data["secrets"]
    assert data["parameters"] == ["/lookout/bank/certificate", "/lookout/bank/client-secret"]


def test_problems_are_all_on_stderr(tmp_path: Path) -> None:
    path = tmp_path / "lookout.yaml"
    path.write_text("home: us-east-1\nregions: [us-west-2]\nservres: []\n")
    result = run(str(path))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        f"{path}:1:1: needs servers",
        f"{path}:3:1: servres: is not a key here; did you mean servers?",
        "2 problems. Nothing was changed.",
    ]


def test_problems_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lookout.yaml").write_text("- x\n")
    result = run("--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout) == {
        "ok": False,
        "problems": [
            {"file": "lookout.yaml", "line": 1, "column": 1, "key": "", "message": "is not a mapping (key: value)"}
        ],
    }


def test_one_problem_is_one(tmp_path: Path) -> None:
    result = run(str(tmp_path / "none.yaml"))
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == "1 problem. Nothing was changed."


def test_a_name_cannot_move_the_cursor(tmp_path: Path) -> None:
    path = tmp_path / "lookout.yaml"
    path.write_text(
        'name: "\\e[2J"\nhome: us-east-1\nregions: [us-west-2]\nservers: [{slug: a, url: "https://a.example"}]\n'
    )
    result = run(str(path))
    assert result.exit_code == 0
    assert "\x1b[2J" not in result.output
