"""The file of `lookout export`: what of it is refused, and how that is said."""

from __future__ import annotations

import base64
import io
import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lookout.errors import Problem
from lookout.store import lines

PACKED = base64.b64encode(b"\x02" + zlib.compress(b"x")).decode()
HOUR = {"pk": {"S": "acme"}, "sk": {"S": "hour#497222"}, "data": {"B": PACKED}}
SERVER = {"slug": {"S": "acme"}, "data": {"S": '{"slug":"acme"}'}}


def read(text: str | bytes) -> tuple[list[lines.Line], list[Problem]]:
    problems: list[Problem] = []
    raw = text.encode() if isinstance(text, str) else text
    return list(lines.read(io.BytesIO(raw), "old.jsonl", problems)), problems


def whole(*middle: str) -> str:
    return lines.header() + "".join(middle) + lines.end(len(middle))


def item(table: str = "history", **changes: Any) -> str:
    return lines.line(table, {**(SERVER if table == "servers" else HOUR), **changes})


def test_items_come_with_their_numbers() -> None:
    found, problems = read(
        whole(item(), item("servers"), item("incidents", data={"M": {"a": {"L": [{"BOOL": True}]}}}))
    )
    assert problems == []
    assert [(one.number, one.table, one.key) for one in found] == [
        (2, "history", ("acme", "hour#497222")),
        (3, "servers", ("acme",)),
        (4, "incidents", ("acme", "hour#497222")),
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{oops\n", "not JSON: the file is damaged: export again"),
        ("[]\n", "not a JSON object"),
        ('{"item":{},"table":"rounds"}\n', "no item of a table there is (history, incidents, servers)"),
        ('{"item":{},"table":"history","more":1}\n', "no item of a table"),
        ('{"item":[],"table":"history"}\n', "not those of a DynamoDB item"),
        (item(ttl={"N": "soon"}), "not those of a DynamoDB item"),
        (item(ttl={"N": 5}), "not those of a DynamoDB item"),
        (item(ttl={"N": "5", "S": "5"}), "not those of a DynamoDB item"),
        (item(data={"B": "%%"}), "not those of a DynamoDB item"),
        (item(data={"X": "x"}), "not those of a DynamoDB item"),
        (item(hours={"L": [5]}), "not those of a DynamoDB item"),
        (item(sk={"S": ""}), "a key of pk and sk"),
        (item(pk={"N": "5"}), "a key of pk and sk"),
        ('{"item":{},"table":"servers"}\n', "a key of slug"),
        (item("servers", data={"S": "{"}), "its data is not a JSON object"),
        (item("servers", data={"S": "[]"}), "its data is not a JSON object"),
        (item("servers", data={"B": ""}), "it has no data"),
        (item(data={"S": "{}"}), "it has no data"),
        (item("incidents", pk={"S": "state"}), "it has no packed"),
        (item(data={"B": base64.b64encode(b"\x02x").decode()}), "is damaged: "),
        (item(data={"B": base64.b64encode(b"\x02" + zlib.compress(b"x")[:-1]).decode()}), "is truncated or larger"),
        (item(data={"B": ""}), "a packed record of version none"),
        (item(data={"B": base64.b64encode(b"\x63").decode()}), "of version 99, which this Lookout cannot read: update"),
        (item(sk={"S": "later#1"}, data={"B": "Ag=="}), "of version 2, which this Lookout cannot read"),
        (
            item("incidents", pk={"S": "state"}, data={"S": "{}"}, packed={"B": "Ag=="}, version={"N": "1"}),
            "of version 2, which",
        ),
        (item("incidents", pk={"S": "notice"}), "to import it would send it again. Remove the line"),
        (item("incidents", pk={"S": "delivery#evt_1"}), "Remove the line"),
        (item("incidents", pk={"S": "watch"}), "Remove the line"),
        (item("incidents", pk={"S": "touched"}), "Remove the line"),
        (item("incidents", pk={"S": "held"}), "Remove the line"),
        (item("incidents", pk={"S": "mass#mass_1"}), "Remove the line"),
        (item(data={"S": json.dumps("x" * lines.LINE_LIMIT)}), "no item is so large"),
    ],
)
def test_a_line_that_is_wrong_is_named_and_the_others_are_read(line: str, said: str) -> None:
    found, problems = read(whole(item(), line))
    assert [one.number for one in found] == [2]
    assert str(problems[0]).startswith("old.jsonl:3:1: ")
    assert said in str(problems[0])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not an export of Lookout: name a file that `lookout export FILE` wrote"),
        ("\x1f\x8b", "not an export of Lookout"),
        ("[]", "not a JSON object"),
        ('{"format":"other"}', "not an export of Lookout"),
        ('{"format":"lookout-export","version":2}', "of version 2, and this Lookout reads version 1: update this one"),
        ('{"format":"lookout-export"}', "of version None"),
        ('{"format":"lookout-export","version":true}', "of version True"),
    ],
)
def test_another_file_or_a_newer_version_is_refused_in_its_first_line(text: str, said: str) -> None:
    found, problems = read(text + "\n")
    assert found == []
    assert [str(one).startswith("old.jsonl:1:1: ") for one in problems] == [True]
    assert said in str(problems[0])


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (lines.header() + item(), 2, "cut short"),
        (lines.header(), 1, "cut short"),
        (lines.header() + item() + lines.end(2), 3, "1 items came before it"),
        (whole(item()) + item(), 3, "1 items came before it"),
    ],
)
def test_a_file_that_is_not_whole_is_known_by_its_end(text: str, line: int, said: str) -> None:
    _, problems = read(text)
    assert str(problems[0]).startswith(f"old.jsonl:{line}:1: ")
    assert said in str(problems[0])


def test_after_twenty_problems_it_is_enough() -> None:
    _, problems = read(lines.header() + "{\n" * 1000)
    assert len(problems) == lines.PROBLEMS_SHOWN


@given(st.binary(max_size=200))
def test_no_bytes_do_worse_than_a_problem(body: bytes) -> None:
    for text in (body, lines.header().encode() + body):
        found, problems = read(text)
        assert found or problems


def test_the_site_moves_without_its_home() -> None:
    site = {"slug": {"S": "#site"}, "data": {"S": '{"home":"us-east-1","name":"Acme"}'}, "digest": {"S": "abc"}}
    out = lines.moved_out(site)
    assert out == {"slug": {"S": "#site"}, "data": {"S": '{"name":"Acme"}'}}
    back = lines.moved_in(out, "eu-west-1")
    assert json.loads(back["data"]["S"]) == {"home": "eu-west-1", "name": "Acme"}
    assert back["digest"] != site["digest"]
    assert lines.moved_out(back) == out
    assert lines.resharded(back, out) == back


def test_a_server_keeps_its_definition_and_takes_the_files_shard() -> None:
    here = {"slug": {"S": "acme"}, "data": {"S": '{"shard":"s001","slug":"acme","visibility":"private"}'}}
    theirs = {"slug": {"S": "acme"}, "data": {"S": '{"shard":"s000","slug":"acme","name":"old"}'}}
    found = lines.resharded(here, theirs)
    assert json.loads(found["data"]["S"]) == {"shard": "s000", "slug": "acme", "visibility": "private"}


def test_expired_is_what_dynamodb_would_have_deleted() -> None:
    assert lines.lives({**HOUR, "ttl": {"N": "11"}}, 10)
    assert not lines.lives({**HOUR, "ttl": {"N": "10"}}, 10)
    assert lines.lives(HOUR, 10)
