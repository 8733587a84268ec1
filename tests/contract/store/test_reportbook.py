"""Which digests of days and weeks were told, and what a digest reads of incidents, in the real table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from lookout.errors import ConflictError
from lookout.store import Store
from lookout.verdict import ids
from lookout.verdict.case import Incident, Notice
from lookout.verdict.reports import Due, Mark, notice

from tests.contract.store.tables import tables
from tests.unit.verdict.test_reports import BEGIN, DAILY, END, NOW, known

FIRST = Mark("team", "daily", DAILY.rule, END)


@pytest.fixture
def store(local_aws: str) -> Iterator[Store]:
    del local_aws
    with tables("us-east-1") as store:
        yield store


def digest(mark: Mark) -> Notice:
    return notice(Due("team", DAILY, BEGIN, mark), [known("a")], NOW)


def test_a_mark_is_kept_with_its_digest_once(store: Store) -> None:
    assert store.report_marks() == {}
    store.keep_report(FIRST, None, NOW)
    held = store.report_marks()
    assert held == {("team", "daily"): replace(FIRST, version=1)}
    newer = replace(held["team", "daily"], moment=END + 86_400)
    told = digest(newer)
    store.keep_report(newer, told, NOW)
    assert store.report_marks() == {("team", "daily"): replace(newer, version=2)}
    assert store.notice(told.id) == told


def test_who_is_late_writes_nothing(store: Store) -> None:
    store.keep_report(FIRST, None, NOW)
    held = store.report_marks()["team", "daily"]
    store.keep_report(held, digest(held), NOW)
    late = notice(Due("team", DAILY, BEGIN, held), [known("a")], NOW + 1)
    for mark in (FIRST, held):
        with pytest.raises(ConflictError, match="the daily digest of team was told by another"):
            store.keep_report(mark, late, NOW + 1)
    assert store.notice(late.id) is None
    assert store.report_marks()["team", "daily"].version == 2


def test_a_sink_has_a_mark_of_each_kind(store: Store) -> None:
    for mark in (FIRST, replace(FIRST, kind="weekly"), replace(FIRST, sink="mail")):
        store.keep_report(mark, None, NOW)
    assert set(store.report_marks()) == {("team", "daily"), ("team", "weekly"), ("mail", "daily")}


def test_the_incidents_that_touch_a_span(store: Store) -> None:
    def keep(kind: str, opened: int, resolved: int | None) -> str:
        key = ids.incident_id("a", kind, opened)
        made = Incident(key, "a", opened - 120, opened, "down", public=True, title="A", kind=kind, resolved_at=resolved)
        store._incident_item(made).save()  # as the judge's transaction does
        return key

    keep("availability", BEGIN - 9000, BEGIN - 8000)
    keep("latency", BEGIN - 4000, None)
    lasted = keep("availability", BEGIN - 3000, BEGIN + 60)
    keep("latency", BEGIN - 2000, BEGIN + 60)
    warned = keep("drift", BEGIN, None)
    down = keep("availability", BEGIN + 600, None)
    found = store.incidents_touching("a", BEGIN)
    assert [one.id for one in found] == [down, warned, lasted]
    assert [one.id for one in store.incidents_since("a", BEGIN)] == [down, lasted]
