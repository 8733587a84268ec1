from __future__ import annotations

import re

import pytest
from lookout.config.load import load_config
from lookout.config.model import Sink
from lookout.notify.facts import Phase, phase
from lookout.notify.preview import preview
from lookout.notify.samples import TYPES, sample
from lookout.notify.words import links, tell
from lookout.verdict.case import Notice

from tests.contract.notify.sample import SITE
from tests.unit.docs.pages import ROOT

NOW = 1_787_409_300
SINKS = load_config(ROOT / "examples" / "everything.yaml").site.sinks


@pytest.mark.parametrize("notice_type", TYPES)
def test_there_is_a_sample_of_every_type(notice_type: str) -> None:
    made = sample(notice_type, NOW)
    assert made.type == (notice_type if "digest." not in notice_type else "digest")
    assert Notice.from_json(made.to_json()) == made
    assert tell(made, SITE).line.startswith("[EXTERNAL] ")
    assert (phase(made) is Phase.RESOLVED) == (notice_type == "incident.resolved")
    assert links(made, SITE)["status_page"] is not None


def test_the_end_of_a_sample_closes_what_its_beginning_opened() -> None:
    keys = {sample(name, now).dedup_key for name in TYPES if name.startswith("incident.") for now in (NOW, NOW + 9999)}
    assert len(keys) == 1


def test_a_sample_that_is_sent_has_links_only_to_what_is_there() -> None:
    made = sample("incident.opened", NOW, public=False)
    assert set(links(made, SITE).values()) == {None}


@pytest.mark.parametrize("notice_type", TYPES)
@pytest.mark.parametrize("sink", SINKS, ids=lambda sink: sink.name)
def test_a_preview_shows_where_it_goes_and_what_is_sent(sink: Sink, notice_type: str) -> None:
    text = preview(sample(notice_type, NOW), sink, SITE, NOW)
    first = text.split("\n")[0]
    assert re.match(r"POST \S+$|ses:SendEmail \S+ -> |sns:Publish arn:|events:PutEvents \S+$", first), first
    assert ("webhook-signature: v1,... (made with secret:" in text) == (sink.signing is not None)
    assert len(text) > 300 or sink.name == "tickets"


def test_a_preview_names_secrets_and_holds_none() -> None:
    texts = {sink.name: preview(sample("incident.opened", NOW), sink, SITE, NOW) for sink in SINKS}
    assert texts["oncall"].startswith("POST <secret:slack-url>\n")
    assert texts["telegram"].startswith("POST https://api.telegram.org/bot<secret:telegram-token>/sendMessage\n")
    assert "Authorization: <secret:tickets-authorization>" in texts["tickets"]
    assert "authorization: Bearer <secret:slack-token>" in texts["channel"]
    hidden = Sink("phone", "ntfy", "secret:ntfy-topic")
    assert preview(sample("test", NOW), hidden, SITE, NOW).startswith("POST https://<secret:ntfy-topic>/\n")
