"""E-mail as a MIME parser reads it, SNS and EventBridge by the rules of their APIs."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default

import pytest
from lookout.notify.render import render
from lookout.notify.request import EventBridgeEvent, SesEmail, SnsMessage
from lookout.verdict.case import Notice

from tests.contract.notify.sample import DRIFT, EVERY, HOSTILE, HOSTILE_DRIFT, OPEN, OPENED, PRIVATE, RESOLVED, SITE
from tests.contract.notify.targets import TARGETS, body, request
from tests.contract.notify.test_chats import Tags

HEADERS = {
    "Subject",
    "From",
    "To",
    "Date",
    "Message-ID",
    "References",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
}


def email(notice: Notice) -> tuple[SesEmail, EmailMessage]:
    made = request(notice, "email")
    assert isinstance(made, SesEmail)
    parsed = message_from_bytes(made.raw, policy=default)
    assert isinstance(parsed, EmailMessage)
    return made, parsed


def part(parsed: EmailMessage, kind: str) -> str:
    found = parsed.get_body((kind,))
    assert found is not None
    return str(found.get_content()).replace("\r\n", "\n")


@pytest.mark.parametrize("name", EVERY)
class TestEveryEmail:
    def test_a_mime_parser_finds_a_text_and_an_html_part(self, name: str) -> None:
        made, parsed = email(EVERY[name])
        assert parsed.get_content_type() == "multipart/alternative"
        assert [one.get_content_type() for one in parsed.iter_parts()] == ["text/plain", "text/html"]
        assert all(one.get_content_charset() == "utf-8" for one in parsed.iter_parts())
        assert [defect for one in parsed.walk() for defect in one.defects] == []
        assert all(len(line) <= 998 for line in made.raw.split(b"\r\n"))
        assert b"\n" not in made.raw.replace(b"\r\n", b"")
        assert len(made.raw) < 1_000_000

    def test_its_headers_are_those_we_set(self, name: str) -> None:
        made, parsed = email(EVERY[name])
        assert sorted(parsed.keys()) == sorted(HEADERS)
        assert parsed["From"].addresses[0].addr_spec == made.sender == "lookout@acme.dev"
        assert tuple(one.addr_spec for one in parsed["To"].addresses) == made.recipients
        assert made.recipients == ("ops@acme.dev", "sre@acme.dev")
        assert len(parsed["Subject"]) <= 200
        assert parsed["Date"].datetime.timestamp() == EVERY[name].created_at

    def test_the_same_notice_is_the_same_bytes(self, name: str) -> None:
        assert request(EVERY[name], "email") == render(EVERY[name], TARGETS["email"], SITE, OPENED + 600)


def test_an_email_reads_well() -> None:
    _, parsed = email(OPEN)
    assert parsed["Subject"] == "🔴 [EXTERNAL] Acme Search is DOWN from 3/3 regions — initialize error (HTTP 502)"
    lines = part(parsed, "plain").splitlines()
    assert "initialize error (HTTP 502): HTTP 502 from origin" in lines
    assert "First seen: 2026-08-22 14:32 UTC" in lines
    assert f"Status page: {SITE}/status/acme-search/" in lines
    _, parsed = email(DRIFT)
    assert "Added: find" in part(parsed, "plain").splitlines()


def test_the_notices_of_an_incident_are_one_conversation() -> None:
    threads = {email(notice)[1]["References"] for notice in (OPEN, RESOLVED)}
    assert threads == {f"<{OPEN.dedup_key}@acme.dev>"}
    assert email(OPEN)[1]["Message-ID"] == f"<{OPEN.id}@acme.dev>"


@pytest.mark.parametrize("notice", [HOSTILE, HOSTILE_DRIFT], ids=["failure", "drift"])
def test_nothing_a_server_says_is_markup_or_a_header(notice: Notice) -> None:
    _, parsed = email(notice)
    assert parsed["Bcc"] is None
    source = part(parsed, "html")
    read = Tags(re.sub(r"<!doctype html>|<meta charset=\"utf-8\">", "", source))
    wanted = {"html", "head", "body", "h1", "p", "code", "table", "tr", "th", "td", "a", "small", "strong"}
    assert set(read.tags) <= wanted
    assert {name for name, _ in read.attributes} <= {"lang", "style", "href"}
    assert [value for name, value in read.attributes if name == "href"] == [f"{SITE}/status/acme-search/"]
    assert "<!channel>" in read.plain
    for text in (part(parsed, "plain"), read.plain):
        assert all(char.isprintable() or char == "\n" for char in text)


def test_a_private_server_has_no_link_in_its_mail() -> None:
    made, _ = email(PRIVATE)
    assert SITE.encode() not in made.raw.replace(b"=\r\n", b"")


def test_a_message_can_be_written_again_by_the_standard_library() -> None:
    made, parsed = email(HOSTILE)
    assert message_from_bytes(parsed.as_bytes(policy=SMTP), policy=default)["Subject"] == parsed["Subject"]
    assert made.raw.count(b"--=_evt_") == 3


# --- SNS --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
def test_sns_takes_every_notice(name: str) -> None:
    made = request(EVERY[name], "sns")
    assert isinstance(made, SnsMessage)
    assert re.fullmatch(r"[\x21-\x7e][\x20-\x7e]{0,99}", made.subject)
    attributes = sum(len(key) + len(value) + len("String") for key, value in made.attributes.items())
    assert len(made.message.encode()) + len(made.subject) + attributes <= 256 * 1024
    assert all(value and re.fullmatch(r"[A-Za-z0-9_.-]+", key) for key, value in made.attributes.items())
    texts = json.loads(made.message)
    assert list(texts) == ["default", "email", "sms"]
    assert len(texts["sms"].encode()) <= 140
    assert json.loads(texts["default"])["id"] == EVERY[name].id


def test_sns_says_what_a_filter_policy_wants() -> None:
    made = request(OPEN, "sns")
    assert isinstance(made, SnsMessage)
    assert made.attributes == {
        "type": "incident.opened",
        "severity": "critical",
        "server": "acme-search",
        "status": "down",
    }
    texts = json.loads(made.message)
    assert json.loads(texts["default"]) == body(OPEN, "webhook")
    assert texts["sms"] == "[EXTERNAL] Acme Search is DOWN from 3/3 regions - initialize error (HTTP 502)"
    assert (made.group, made.deduplication) == ("", "")


def test_a_fifo_topic_keeps_an_incidents_order() -> None:
    made = render(OPEN, replace(TARGETS["sns"], url="arn:aws:sns:us-east-1:111122223333:alerts.fifo"), SITE, OPENED)
    assert isinstance(made, SnsMessage)
    assert (made.group, made.deduplication) == (OPEN.dedup_key, OPEN.id)


def test_a_message_too_large_for_sns_goes_without_its_longest_parts() -> None:
    drift = {**(HOSTILE_DRIFT.drift or {}), "added": ["x" * 120] * 2000}
    made = request(replace(HOSTILE_DRIFT, drift=drift), "sns")
    assert isinstance(made, SnsMessage)
    assert len(made.message.encode()) < 200_000
    told = json.loads(json.loads(made.message)["default"])
    assert (told["drift"], told["regions"]) == (None, [])


# --- EventBridge ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
def test_eventbridge_takes_every_notice(name: str) -> None:
    made = request(EVERY[name], "eventbridge")
    assert isinstance(made, EventBridgeEvent)
    assert 1 <= len(made.detail_type) <= 128
    sizes = (made.source, made.detail_type, made.detail)
    assert 14 + sum(len(text.encode()) for text in sizes) <= 256 * 1024
    assert json.loads(made.detail) == body(EVERY[name], "webhook")


def test_an_event_says_whence_it_is() -> None:
    made = request(OPEN, "eventbridge")
    assert isinstance(made, EventBridgeEvent)
    assert (made.bus, made.source, made.detail_type, made.at) == ("default", "lookout", "incident.opened", OPENED)
