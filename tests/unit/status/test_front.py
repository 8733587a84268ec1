"""The front page: what a person must find without scrolling."""

from __future__ import annotations

import re
from dataclasses import replace

from lookout.probe.result import Status
from lookout.status.page_models import known_since
from lookout.status.pages import AFFECTED, render_site
from lookout.status.view import Snapshot

from tests.unit.status import sample


def front(snapshot: Snapshot) -> str:
    (page,) = [page for page in render_site(snapshot, sample.NOW) if page.path == "index.html"]
    return page.body.decode()


def named(text: str) -> list[str]:
    """The servers the banner names, in its order."""
    found = re.search(r'<ul class="affected".*?</ul>', text, re.DOTALL)
    return re.findall(r"<bdi>(.*?)</bdi>", found[0]) if found else []


def test_the_banner_names_what_is_affected_worst_first() -> None:
    assert named(front(sample.snapshot())) == ["Acme Files", "Acme Billing"]


def test_the_banner_names_nobody_when_nobody_is_affected() -> None:
    assert named(front(sample.calm())) == []


def test_a_single_server_needs_no_list_beside_itself() -> None:
    full = sample.snapshot()
    files = full.server("acme-files")
    assert files is not None
    assert named(front(replace(full, servers=(files,)))) == []


def test_many_affected_servers_are_counted_after_the_first() -> None:
    full = sample.snapshot()
    files = full.server("acme-files")
    assert files is not None
    many = tuple(replace(files, slug=f"f{i:02d}", title=f"F{i:02d}") for i in range(AFFECTED + 3))
    text = front(replace(full, servers=many))
    assert len(named(text)) == AFFECTED
    assert "and 3 more" in text


def test_servers_are_listed_by_the_name_a_reader_sees() -> None:
    full = sample.calm()
    titles = ("beta", "Alpha", "gamma")
    servers = tuple(replace(view, title=title) for view, title in zip(full.servers, titles, strict=True))
    assert servers[0].state.status is Status.UP
    found = re.findall(r"<h3 id=\"s-.*?<bdi>(.*?)</bdi>", front(replace(full, servers=servers)))
    assert found == ["Alpha", "beta", "gamma"]


def test_a_window_longer_than_what_is_known_says_since_when() -> None:
    full = sample.calm()
    young = replace(full.servers[0], days=sample.days(known=10))
    text = front(replace(full, servers=(young,)))
    assert text.count("covered, since 13 Aug") == 2
    assert "since 13 Aug" not in front(full)
    assert known_since(sample.days(known=10), 10) == ""
    assert known_since(sample.days(known=0), 90) == ""
