from __future__ import annotations

import io

import pytest
from lookout.cli import board
from lookout.config.model import Server, Site
from lookout.probe.result import Status
from lookout.verdict.state import Failure, RegionView, ServerState
from rich.console import Console

NOW = 1_800_000_000
SITE = Site("Acme", "us-east-1", ("us-west-2", "eu-west-1"))


def state(slug: str, status: Status, failure: Failure | None = None) -> ServerState:
    regions = (RegionView("us-west-2", str(status), NOW, 12), RegionView("eu-west-1", "unheard-of", NOW))
    return ServerState(slug, status=status, since=NOW - 600, regions=regions, failure=failure)


def shown(*states: ServerState) -> list[board.Row]:
    return board.rows([Server(s.slug, f"https://{s.slug}.example/mcp") for s in states], {s.slug: s for s in states})


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        ((), 0),
        ((Status.UP, Status.AUTH_REQUIRED, Status.UNKNOWN, Status.PENDING, Status.MAINTENANCE), 0),
        ((Status.UP, Status.DEGRADED), 3),
        ((Status.DEGRADED, Status.DOWN), 1),
        ((Status.CREDENTIAL_REJECTED,), 1),
    ],
)
def test_the_exit_code(statuses: tuple[Status, ...], code: int) -> None:
    assert board.exit_code(shown(*(state(f"s{i}", s) for i, s in enumerate(statuses)))) == code


def test_what_was_never_judged_is_pending_and_what_is_paused_is_paused() -> None:
    rows = board.rows([Server("a", "https://a/mcp"), Server("b", "https://b/mcp", paused=True)], {})
    assert [(r.slug, r.status) for r in rows] == [("a", Status.PENDING), ("b", Status.PAUSED)]
    assert board.to_json(SITE, rows)["servers"][0]["since"] is None


def test_as_json() -> None:
    rows = shown(state("a", Status.DOWN, Failure("http", "http_5xx", "HTTP 502")))
    assert board.to_json(SITE, rows) == {
        "site": "Acme",
        "home": "us-east-1",
        "servers": [
            {
                "slug": "a",
                "title": "a",
                "url": "https://a.example/mcp",
                "status": "down",
                "since": "2027-01-15T07:50:00Z",
                "message": "HTTP 502",
                "regions": {
                    "us-west-2": {"status": "down", "latency_ms": 12},
                    "eu-west-1": {"status": "unheard-of", "latency_ms": None},
                },
            }
        ],
    }


def test_an_old_failure_is_not_shown_beside_a_good_status() -> None:
    assert shown(state("a", Status.UP, Failure("http", "http_5xx", "HTTP 502")))[0].message == ""
    assert shown(state("a", Status.DEGRADED, Failure("http", "http_5xx")))[0].message == "http_5xx"


def test_a_terminal_is_never_given_what_a_server_said_raw() -> None:
    row = shown(state("a", Status.DOWN, Failure(message="\x1b[2J[red]x\r\n\u202e")))[0]
    out = io.StringIO()
    Console(file=out, width=120, force_terminal=False).print(board.table(SITE, [row], NOW))
    for text in (out.getvalue(), board.line(row)):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "[red]x" in text


def test_a_table_has_a_column_per_region() -> None:
    out = io.StringIO()
    rows = [*shown(state("a", Status.UP)), *board.rows([Server("b", "https://b/mcp")], {})]
    Console(file=out, width=120).print(board.table(SITE, rows, NOW))
    assert "Oregon" in out.getvalue()
    assert "Dublin" in out.getvalue()
    assert "12 ms" in out.getvalue()
    assert "10m" in out.getvalue()
    assert board.line(rows[0]) == "a: up eu-west-1=unheard-of us-west-2=up/12ms"


@pytest.mark.parametrize(
    ("moment", "text"),
    [(0, ""), (NOW - 5, "5s"), (NOW - 119, "119s"), (NOW - 3600, "60m"), (NOW - 90_000, "25h"), (NOW - 864_000, "10d")],
)
def test_how_long_ago(moment: int, text: str) -> None:
    assert board.ago(moment, NOW + 0.9) == text


def test_the_clock_may_be_behind() -> None:
    assert board.ago(NOW + 60, NOW) == "0s"
