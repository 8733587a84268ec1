from __future__ import annotations

import json
from typing import Any

import pytest
from lookout.config.load import parse_config, remarks
from lookout.config.model import Config, Sink
from lookout.config.references import references
from lookout.config.sinks import ANY, KINDS
from lookout.config.structure import schema
from lookout.errors import ConfigError

HEAD = """home: us-east-1
regions: [us-west-2, eu-west-1]
servers: [{slug: a, url: "https://a.example/mcp"}]
"""


def load(**sink: Any) -> Config:
    return parse_config(HEAD + "sinks: " + json.dumps({"ops": sink}))


def test_the_schema_has_the_kinds_and_their_options_and_no_others() -> None:
    form = schema()["$defs"]["sink"]
    assert [one["required"] for one in form["oneOf"]] == [[kind] for kind in KINDS]
    options = {key for kind in KINDS.values() for key in (*kind.keys, *kind.needs)}
    assert set(form["properties"]) == {*KINDS, *options, *ANY}
    assert {kind: list(rules.needs) for kind, rules in KINDS.items() if rules.needs} == form["dependentRequired"]


def test_an_item_of_an_older_version_is_read() -> None:
    old = {"name": "hook", "kind": "webhook", "url": "https://x", "signing": "secret:x", "allow_private": False}
    assert Sink.from_item(old) == Sink("hook", "webhook", "https://x", "secret:x")


def test_every_value_that_may_be_a_reference_is_found() -> None:
    sink = load(
        webhook="secret:address",
        signing=["secret:new", "ssm:/old"],
        headers={"Authorization": "secret:headers#token", "X-Team": "search"},
    ).site.sinks[0]
    assert [str(one) for one in references(sink.referring)] == [
        "secret:address",
        "secret:new",
        "ssm:/old",
        "secret:headers#token",
    ]


def test_a_topic_everybody_can_read_is_remarked_on() -> None:
    said = "ops can be read by whoever knows its topic: give it a token, or make its address a secret"
    assert said in remarks(load(ntfy="https://ntfy.sh/x"))
    assert said not in remarks(load(ntfy="https://ntfy.sh/x", token="secret:x"))
    assert said not in remarks(load(ntfy="secret:topic"))


def test_a_template_has_a_size() -> None:
    load(webhook="https://ops.example/x", template={"text": "x" * 16_000})
    with pytest.raises(ConfigError) as caught:
        load(webhook="https://ops.example/x", template={"text": "x" * 17_000})
    assert str(caught.value).endswith("sinks.ops.template: is larger than 16 KiB")


@pytest.mark.parametrize("kind", [kind for kind, rules in KINDS.items() if rules.takes == "secret"])
@pytest.mark.parametrize("text", ["hunter2", "https://example.com/hunter2", "env:HOOK", "secret:", "secret:a#"])
def test_what_is_secret_is_a_reference_and_is_never_repeated(kind: str, text: str) -> None:
    needs = {"channel": "C0123", "chat": "-1001"}
    with pytest.raises(ConfigError) as caught:
        load(**{kind: text}, **{key: needs[key] for key in KINDS[kind].needs})
    assert len(caught.value.problems) == 1
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_an_option_of_another_kind_is_named(kind: str) -> None:
    values = {
        "signing": "secret:x",
        "headers": {"X-Team": "search"},
        "format": "lookout/v1",
        "compat": "alivemcp",
        "template": {"a": "b"},
        "bearer": "secret:x",
        "region": "us",
        "channel": "C0123",
        "chat": "-1001",
        "token": "secret:x",
        "from": "lookout@acme.dev",
    }
    places: dict[str, Any] = {
        "webhook": "https://ops.example/x",
        "alertmanager": "https://am.example",
        "ntfy": "https://ntfy.sh/x",
        "email": ["ops@acme.dev"],
        "sns": "arn:aws:sns:us-east-1:111122223333:alerts",
        "eventbridge": "default",
    }
    own = (*KINDS[kind].keys, *KINDS[kind].needs)
    needed = {key: values[key] for key in KINDS[kind].needs}
    for key, value in values.items():
        sink = {kind: places.get(kind, "secret:x"), **needed, key: value}
        if key in own:
            load(**sink)
            continue
        with pytest.raises(ConfigError) as caught:
            load(**sink)
        assert f"sinks.ops.{key}: is a key of " in str(caught.value)
