from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lookout.config.digest import Digest
from lookout.config.document import SIZE_LIMIT, Document, dotted
from lookout.config.load import load_config, milliseconds, parse_config, remarks, schema
from lookout.config.model import Config, Heartbeat, Server, Sink, Site
from lookout.config.quiet import Quiet
from lookout.config.route import Escalation, Route
from lookout.config.window import Window
from lookout.errors import ConfigError

ROOT = Path(__file__).parents[3]
BAD = sorted((Path(__file__).parent / "bad").glob("*.yaml"))
GOOD = [ROOT / "lookout.yaml", *sorted((ROOT / "examples").rglob("*.yaml"))]
HEAD = "home: us-east-1\nregions: [us-west-2, eu-west-1]\n"
NAME = "lower-case letters, digits and hyphens (at most 63, a hyphen neither first nor last)"
PLAIN_HTTP = "must be https: http is read by everybody on the way (it is allowed together with allow_private: true)"
SERVERS = 'servers:\n  - {slug: a, url: "https://a.example/mcp"}\n'


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "x")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_each_mistake_is_named_where_it_stands(path: Path) -> None:
    """The first line of each file is what must be said of it: line, column, key, message."""
    expected = path.read_text(encoding="utf-8").split("\n")[0].removeprefix("# ")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert [str(problem) for problem in caught.value.problems] == [f"{path}:{expected}"]


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_no_message_repeats_a_secret(path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    for secret in ("hunter2", "aHVudGVyMg", "123456789"):
        assert secret not in str(caught.value)


@pytest.mark.parametrize("path", GOOD, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_we_give_away_is_right(path: Path) -> None:
    config = load_config(path)
    assert Config.from_json(config.to_json()) == config


def test_ten_servers_are_ten_lines() -> None:
    text = (ROOT / "examples" / "ten-servers.yaml").read_text(encoding="utf-8")
    assert len([line for line in text.splitlines() if "slug:" in line]) == len(parse_config(text).servers) == 10
    assert len(text.splitlines()) <= 20


def test_the_example_of_everything_uses_every_key() -> None:
    value = yaml.safe_load((ROOT / "examples" / "everything.yaml").read_text(encoding="utf-8"))
    form = schema()
    assert set(value) == set(form["properties"])
    assert set(value["defaults"]) == set(form["properties"]["defaults"]["properties"])
    assert {key for server in value["servers"] for key in server} == set(form["$defs"]["server"]["properties"])
    assert {key for sink in value["sinks"].values() for key in sink} == set(form["$defs"]["sink"]["properties"])


def keys() -> list[tuple[str, str, dict[str, Any]]]:
    """Every key of servers and sinks, and of the mappings in them: where it stands, its name, its rule."""
    todo = [(name, schema()["$defs"][name]) for name in ("server", "sink")]
    out = []
    while todo:
        name, form = todo.pop()
        for key, rule in form["properties"].items():
            out.append((name, key, rule))
            inner = schema()["$defs"][rule["$ref"].rpartition("/")[2]] if "$ref" in rule else rule
            if "properties" in inner and key != "escalate":  # described with routes
                todo.append((f"{name}.{key}", inner))
    return out


def test_the_example_uses_every_key_of_auth_expect_and_tool_call() -> None:
    value = yaml.safe_load((ROOT / "examples" / "everything.yaml").read_text(encoding="utf-8"))

    def used(part: Any) -> Iterator[str]:
        for item in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            yield from used(item)
        if isinstance(part, dict):
            yield from part

    assert {key for _, key, _ in keys()} <= set(used(value))


def test_the_schema_is_one_and_describes_itself() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    for name, key, rule in keys():
        target = schema()["$defs"][rule["$ref"].rpartition("/")[2]] if "$ref" in rule else rule
        assert "description" in rule or "description" in target, f"{name}.{key}"


def test_an_empty_list_of_warnings_is_kept() -> None:
    server = parse_config(HEAD + 'servers:\n  - {slug: a, url: "https://a.example/mcp", tls_warn: []}\n').servers[0]
    assert server.tls_warn_s == ()
    assert Server.from_item(server.to_item()) == server


def test_every_value_arrives() -> None:
    config = load_config(ROOT / "examples" / "everything.yaml")
    assert config.site == Site(
        "Acme MCP status",
        "us-east-1",
        ("us-west-2", "eu-west-1", "ap-southeast-1"),
        (
            Sink(
                "oncall",
                "slack",
                "secret:slack-url",
                quiet=(Quiet(1320, 420, "Europe/Berlin", ("mon", "tue", "wed", "thu", "fri"), "high"),),
                digests=(Digest("weekly", 17, "Europe/Berlin", "fri"), Digest("daily", 8, "Europe/Berlin")),
            ),
            Sink(
                "hook",
                "webhook",
                "https://ops.acme.dev/lookout",
                "secret:lookout-signing-new secret:lookout-signing",
            ),
            Sink(
                "archive",
                "webhook",
                "secret:archive-address",
                "secret:archive-signing",
                options={"headers": {"X-Team": "search"}},
            ),
            Sink(
                "bridge",
                "webhook",
                "https://ops.acme.dev/alerts",
                "secret:lookout-signing",
                options={"format": "alertmanager-v4"},
            ),
            Sink(
                "flat",
                "webhook",
                "https://ops.acme.dev/flat",
                "secret:lookout-signing",
                options={"compat": "alivemcp"},
            ),
            Sink(
                "tickets",
                "webhook",
                "https://tickets.acme.dev/api/new",
                "secret:lookout-signing",
                options={
                    "headers": {"Authorization": "secret:tickets-authorization"},
                    "template": {
                        "title": "{server.name} is {status}",
                        "labels": ["lookout", "{severity}"],
                        "details": "{failure}",
                    },
                },
            ),
            Sink("channel", "slack_bot", "secret:slack-token", options={"channel": "C0123456789"}),
            Sink(
                "prometheus",
                "alertmanager",
                "https://alertmanager.acme.dev",
                options={"bearer": "secret:alertmanager-token"},
            ),
            Sink("pager", "pagerduty", "secret:pagerduty-key", options={"region": "eu"}),
            Sink("genie", "opsgenie", "secret:opsgenie-key"),
            Sink("discord", "discord", "secret:discord-url"),
            Sink("teams", "teams", "secret:teams-url"),
            Sink("space", "google_chat", "secret:google-chat-url"),
            Sink("telegram", "telegram", "secret:telegram-token", options={"chat": "-1001234567890"}),
            Sink("phone", "ntfy", "https://ntfy.sh/acme-alerts-x7Kq", options={"token": "secret:ntfy-token"}),
            Sink("mail", "email", "", options={"from": "lookout@acme.dev", "to": ["oncall@acme.dev"]}),
            Sink("topic", "sns", "arn:aws:sns:us-east-1:111122223333:alerts"),
            Sink("bus", "eventbridge", "default"),
            Sink("beside", "webhook", "http://10.0.12.9/hook", "secret:lookout-signing", allow_private=True),
        ),
        per_host=4,
        spread_s=8,
        stale_after_s=600,
        timezone="Europe/Berlin",
        heartbeat=Heartbeat("secret:lookout-heartbeat"),
        alarm_email="ops@acme.dev",
        maintenance=config.site.maintenance,
        routes=(
            Route(("tickets",), types=("drift.detected",), kinds=("drift",), goes_on=True),
            Route(
                ("pager", "oncall"),
                tags=("prod",),
                severity="high",
                remind_every_s=3600,
                escalate=Escalation(900, ("phone",)),
            ),
            Route(("teams",), regions=("eu-west-1",)),
            Route(("mail",), servers=("bank",)),
        ),
    )
    assert config.site.maintenance == (
        Window(
            "mnt_b6fc4c545c57123f",
            tags=("prod",),
            rrule="FREQ=WEEKLY;BYDAY=SU;BYHOUR=3",
            duration_s=3600,
            timezone="Europe/Berlin",
        ),
        Window(
            "mnt_e4efbfa768036af3",
            rrule="FREQ=MONTHLY;INTERVAL=3",
            start="2027-01-09T01:30",
            duration_s=1800,
            timezone="America/New_York",
        ),
        Window(
            config.site.maintenance[2].id,
            servers=("bank", "partner"),
            begin=1801342800,
            end=1801357200,
            uptime="count_as_is",
            reason="Moving to new disks",
        ),
    )
    assert config.servers[0] == Server(
        slug="acme-search",
        url="https://mcp.acme.dev/mcp",
        provider="acme.dev",
        name="Acme Search",
        tags=("prod", "search"),
        quorum=2,
        confirm_every_s=20,
        burn_alerts=True,
        expect_tools=("search", "fetch"),
        expect_min_tools=5,
        expect_server_name="acme-search",
        expect_protocol_version="2025-06-18",
        strict=True,
        lists=("resources", "resource_templates", "prompts"),
        active_checks=True,
        tool_call={
            "tool": "search",
            "arguments": {"query": "lookout", "limit": 1},
            "result": {"jmespath": "length(structuredContent.hits) > `0`"},
        },
        notify=("oncall", "hook"),
        remind_every_s=14_400,
        escalate=Escalation(1800, ("mail",)),
    )
    assert config.servers[1] == Server(
        slug="partner",
        url="https://mcp.partner.example/mcp",
        provider="partner.example",
        era="legacy",
        name="Partner API",
        visibility="private",
        interval_s=300,
        timeout_s=10,
        slow_after_ms=1500,
        slow_ratio_percent=250,
        flap_after=0,
        confirm_every_s=15,
        tls_warn_s=(21 * 86400,),
        credential_warn_s=7 * 86400,
        limited_after_s=3600,
        down_after=2,
        up_after=1,
        quorum=3,
        slo="99.5%",
        lists=("resources", "resource_templates", "prompts"),
        auth={
            "bearer": "secret:partner-token",
            "headers": {"X-Tenant": "secret:partner#tenant"},
            "expires": "2027-06-30",
        },
        notify=("oncall",),
        routed=True,
        escalate=Escalation(900, ("pager",)),
    )
    assert [server.routed for server in config.servers] == [False, True, True, False]
    bank, staging = config.servers[2:]
    assert bank.lists == ()
    assert bank.auth == {
        "oauth": {
            "client_id": "lookout",
            "client_secret": "ssm:/lookout/bank/client-secret",
            "scope": "mcp:read",
            "resource": "https://mcp.bank.example/mcp",
            "audience": "bank",
            "token_url": "https://login.bank.example/oauth2/token",
        },
        "client_certificate": {"certificate": "ssm:/lookout/bank/certificate", "key": "secret:bank-client-key"},
    }
    assert bank.tool_call is not None
    assert bank.tool_call["result"]["schema"]["required"] == ["structuredContent"]
    assert staging.paused
    assert staging.allow_private
    assert staging.notify == ()


def test_what_is_not_said_has_the_documented_default() -> None:
    config = parse_config(HEAD + SERVERS + "sinks:\n  x: {slack: secret:x}\n  y: {slack: secret:y}\n")
    assert config.servers == (Server("a", "https://a.example/mcp", notify=("x", "y"), provider="a.example"),)
    assert config.site == Site("MCP status", "us-east-1", ("us-west-2", "eu-west-1"), config.site.sinks)


def test_reminders_that_a_route_switches_off_stay_off() -> None:
    text = HEAD + SERVERS + "sinks:\n  x: {slack: secret:x}\nroutes: [{sinks: [x], remind_every: 0s}]\n"
    config = parse_config(text)
    assert config.site.routes == (Route(("x",), remind_every_s=0),)
    assert Config.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_a_server_that_names_its_sinks_passes_the_routes() -> None:
    head = HEAD + "sinks: {x: {slack: secret:x}, y: {slack: secret:y}}\nroutes: [{sinks: [y]}]\n"
    servers = "servers:\n  - {slug: a, url: 'https://a.dev', notify: [x]}\n  - {slug: b, url: 'https://b.dev'}\n"
    config = parse_config(head + servers)
    assert [(one.routed, one.notify) for one in config.servers] == [(False, ("x",)), (True, ("x", "y"))]


def test_a_default_that_tells_nobody_holds_for_all() -> None:
    config = parse_config(HEAD + SERVERS + "defaults: {notify: []}\nsinks:\n  x: {slack: secret:x}\n")
    assert config.servers[0].notify == ()


def test_all_problems_come_at_once_in_the_files_order() -> None:
    text = (
        "home: us-esat-1\n"
        "regions: [us-west-2]\n"
        "servers:\n"
        "  - {slug: A, url: 'http://a.example'}\n"
        "  - {slug: b, url: 'https://b.example', quorum: 2, intervall: 60}\n"
        "  - [nonsense]\n"
        "sinks: {hook: {webhook: 7}, x: 5}\n"
    )
    assert problems(text) == [
        "x:1:1: home: us-esat-1 is no AWS region Lookout knows; did you mean us-west-1?",
        f"x:4:6: servers[0].slug: 'A' is not {NAME}",
        f"x:4:15: servers[0].url: {PLAIN_HTTP}",
        "x:5:41: servers[1].quorum: cannot be more than the number of regions (1)",
        "x:5:52: servers[1].intervall: is not a key here; did you mean interval?",
        "x:6:5: servers[2]: is not a mapping (key: value)",
        "x:7:16: sinks.hook.webhook: is not text: put it in quotes",
        "x:7:29: sinks.x: is not a mapping (key: value)",
    ]


def test_an_empty_file_says_what_is_needed() -> None:
    assert problems("") == problems("# nothing\n") == ["x: needs home and regions and servers"]


def test_a_key_that_means_something_to_a_terminal_is_not_printed() -> None:
    assert problems(HEAD + SERVERS + '"\\e[31m": 1\n')[0].startswith("x:5:1: ·[31m: is not a key here")


def test_a_date_is_text() -> None:
    assert parse_config(HEAD + "name: 2026-11-24\n" + SERVERS).site.name == "2026-11-24"


@pytest.mark.parametrize(
    ("text", "ms"),
    [("500ms", 500), ("60s", 60_000), ("5m", 300_000), ("1h", 3_600_000), ("999999h", 3_599_996_400_000)],
)
def test_durations(text: str, ms: int) -> None:
    assert milliseconds(text) == ms


def test_a_new_region_in_a_known_area_passes_with_a_remark() -> None:
    config = parse_config("home: eu-west-9\nregions: [eu-west-1, eu-west-9]\n" + SERVERS)
    assert remarks(config)[0] == "eu-west-9 is not a region this release knows: if AWS has it, all is well"


def test_remarks() -> None:
    alone = "home: us-east-1\nregions: [us-west-2]\n" + SERVERS
    assert remarks(parse_config(alone)) == [
        "there are no sinks: the status page changes, and nobody is told",
        "one region cannot tell a server's outage from its own: three are better",
    ]
    unsigned = parse_config(HEAD + SERVERS + "sinks: {hook: {webhook: 'https://h.example/'}}\n")
    assert remarks(unsigned) == ["hook has no signing: its receiver cannot tell our requests from others'"]
    trusting = SERVERS.replace("}", ", auth: {oauth: {client_id: x, client_secret: ssm:/x}}}")
    assert remarks(parse_config(HEAD + trusting))[1] == (
        "a itself says where its OAuth client secret is sent: auth.oauth.token_url would pin that"
    )
    assert remarks(load_config(ROOT / "examples" / "everything.yaml")) == []


def test_a_heartbeat_is_an_address_or_a_mapping_and_better_a_reference() -> None:
    short = parse_config(HEAD + SERVERS + "heartbeat: https://beat.example/x\n")
    assert short.site.heartbeat == Heartbeat("https://beat.example/x")
    assert "heartbeat: whoever reads its address here" in " ".join(remarks(short))
    long = parse_config(HEAD + SERVERS + "heartbeat: {url: 'http://127.0.0.1:1/x', allow_private: true}\n")
    assert long.site.heartbeat == Heartbeat("http://127.0.0.1:1/x", allow_private=True)
    for site in (short.site, long.site):
        assert Site.from_item(json.loads(json.dumps(site.to_item()))) == site
    assert Site.from_item({"name": "Old", "home": "us-east-1", "regions": ["us-west-2"]}).heartbeat is None


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"lookout\.yaml: there is no such file: `cp examples/minimal\.yaml"):
        load_config(tmp_path / "lookout.yaml")
    assert (ROOT / "examples" / "minimal.yaml").exists()


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_config(tmp_path)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "lookout.yaml"
    path.write_bytes(HEAD.encode() + b"name: \xff\n")
    with pytest.raises(ConfigError, match=r"is not UTF-8 \(byte 54\): save it as UTF-8"):
        load_config(path)


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    path = tmp_path / "lookout.yaml"
    path.write_text(HEAD + SERVERS, encoding="utf-8-sig")
    assert load_config(path).site.home == "us-east-1"


def test_a_large_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "lookout.yaml"
    path.write_text("# " + "x" * (3 * SIZE_LIMIT))
    with pytest.raises(ConfigError, match="is larger than 1 MiB"):
        load_config(path)


WORDS = [
    "home",
    "regions",
    "servers",
    "sinks",
    "slug",
    "url",
    "name",
    "auth",
    "bearer",
    "headers",
    "notify",
    "defaults",
    "quorum",
    "interval",
    "secret:x",
    "oauth",
    "client_id",
    "client_secret",
    "expires",
    "expect",
    "tool_call",
    "tool",
    "result",
    "schema",
    "jmespath",
    "$ref",
    "#",
    "type",
    "ssm:/x",
    "2027-01-31",
    "us-east-1",
    "5m",
    "3",
    "https://a.example",
    "true",
    "~",
    "!!int",
    "!!bool",
    "!!float",
    "!!set",
    "!x",
    "&",
    "*",
    "-",
    "?",
    ":",
    "{",
    "}",
    "[",
    "]",
    ",",
    "|",
    ">",
    "'",
    '"',
    "#",
    "---",
    "...",
    "<<",
    "=",
    "0x",
    "0b1",
    "1e3",
    ".inf",
]
SPACE = ["\n", "\n  ", "\n  - ", "\t", "\x00", "\ud800", "\x85", "\ufeff", "\n%YAML 1.1"]
TOKENS = st.lists(st.sampled_from(WORDS + SPACE), max_size=40)


def digested(text: str) -> bool:
    """Is it accepted, or refused with something to say? Any exception but a ConfigError goes through."""
    try:
        parse_config(text)
    except ConfigError as error:
        return bool(error.problems) and all(problem.message for problem in error.problems)
    return True


WINDOWS = HEAD + SERVERS + "timezone: Europe/Berlin\nmaintenance:\n"


def windows(*entries: str) -> tuple[Window, ...]:
    return parse_config(WINDOWS + "".join(f"  - {{{entry}}}\n" for entry in entries)).site.maintenance


def test_a_window_that_is_once_is_in_local_time_unless_it_says_more() -> None:
    local, utc, offset, day = windows(
        "from: 2027-01-31T03:00, until: 2027-01-31T04:00, reason: Disks, uptime: count_up, servers: [a]",
        "from: 2027-02-01 03:00:00Z, until: 2027-02-01T04:00Z",
        "from: 2027-02-03T03:00-05:00, until: 2027-02-03T10:00, timezone: UTC",
        "from: 2027-02-04, until: 2027-02-05",
    )
    assert (local.begin, local.end) == (1801360800, 1801364400)
    assert (local.servers, local.reason, local.uptime, local.made_by) == (("a",), "Disks", "count_up", "file")
    assert (utc.begin, utc.end, utc.uptime) == (1801450800, 1801454400, "exclude")
    assert (offset.begin, offset.end) == (1801641600, 1801648800)
    assert (day.begin, day.end) == (1801695600, 1801782000)
    assert len({one.id for one in (local, utc, offset, day)}) == 4


def test_a_window_that_comes_again_has_the_zone_of_the_site() -> None:
    plain, own = windows(
        'rrule: "FREQ=WEEKLY;BYDAY=SU;BYHOUR=3", duration: 90m',
        'rrule: "FREQ=DAILY;INTERVAL=2", start: 2027-01-31T12:00Z, duration: 1h, timezone: America/New_York',
    )
    assert (plain.rrule, plain.duration_s) == ("FREQ=WEEKLY;BYDAY=SU;BYHOUR=3", 5400)
    assert (plain.start, plain.timezone) == (None, "Europe/Berlin")
    assert (own.start, own.timezone) == ("2027-01-31T07:00", "America/New_York")


@pytest.mark.parametrize("time", ["1999-12-31", "2300-01-01", "9999-12-31T23:00-12:00", "2027-01-31T24:30"])
def test_a_window_is_of_this_century_or_the_next(time: str) -> None:
    with pytest.raises(ConfigError, match=r"maintenance\[0\].from: is not a time in whole minutes"):
        windows(f"from: {time}, until: 2027-01-31T04:00")


def test_without_a_time_zone_that_exists_only_that_is_said() -> None:
    text = HEAD + SERVERS + "timezone: Mars/Base\nmaintenance: [{from: 2027-02-30, until: 2027-02-30}]"
    assert [problem.split(": ")[1] for problem in problems(text)] == ["timezone"]


def test_a_site_stored_before_there_was_maintenance_is_readable() -> None:
    site = Site("x", "us-east-1", ("eu-west-1",)).to_item()
    assert Site.from_item({key: value for key, value in site.items() if key != "maintenance"}).maintenance == ()


@settings(deadline=None)
@given(st.one_of(st.text(max_size=200), TOKENS.map(" ".join), TOKENS.map("".join)))
@example("!!int ''")
@example("!!bool x")
@example("!!float x")
@example("a: !!int " + "9" * 5000)
@example("? !!null\n: 1")
@example("[" * 10_000)
@example("{a: " * 10_000)
@example("- " * 10_000)
@example("a: &x [*x]")
@example("servers: [~, 1, [], {}, {slug: {}}]\nsinks: {a: ~, b: {slack: {}}}\ndefaults: {notify: [1, ~]}\nregions: [~]")
def test_no_text_raises_anything_but_a_config_error(text: str) -> None:
    assert digested(text)


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.sampled_from(WORDS)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(WORDS), inner, max_size=4)),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(list(schema()["properties"])), VALUES), st.lists(VALUES, max_size=2))
def test_no_shape_raises_anything_but_a_config_error(value: dict[str, object], servers: list[object]) -> None:
    assert digested(yaml.safe_dump({**value, "servers": servers}))


def test_paths_are_written_as_people_write_them() -> None:
    assert dotted(("servers", 2, "auth", "headers", "X-Key")) == "servers[2].auth.headers.X-Key"
    assert Document("a: 1\n", "x").problem(("b", "c"), "m").line == 1


def test_the_documentation_knows_every_key_and_no_other() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)`( •)? \|", text, re.MULTILINE)
    form = schema()
    parts = (form, *(form["$defs"][name] for name in ("server", "sink", "quiet", "digest", "window", "route")))
    assert {key for key, _ in rows} == {key for part in parts for key in part["properties"]}
    assert {key for key, dot in rows if dot} == set(form["properties"]["defaults"]["properties"])
    for _, key, _ in keys():
        assert f"`{key}`" in text or f" {key}: " in text or f"{{{key}: " in text, key
    for name in re.findall(r"\(\.\./(examples/\S+|lookout\.yaml)\)", text):
        assert (ROOT / name).exists()
