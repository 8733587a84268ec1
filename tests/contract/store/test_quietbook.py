"""What waits for the end of quiet hours, in the real table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from lookout.errors import ConflictError
from lookout.store import Store
from lookout.store.deliveries import Delivery
from lookout.verdict.case import Notice
from lookout.verdict.quiet import STEP, Waiting, digest, waiting

from tests.contract.store.tables import tables
from tests.unit.verdict.test_quiet import EVENING, FAST, MORNING, SLOW

RECORD = Delivery("team", "quiet", "quiet hours until 07:00", EVENING)


@pytest.fixture
def store(local_aws: str) -> Iterator[Store]:
    del local_aws
    with tables("us-east-1") as store:
        yield store


def hold(store: Store, told: Notice, now: int = EVENING) -> Waiting:
    before = store.quieted("team", told.dedup_key)
    store.keep_quieted(waiting("team", told, now, before), RECORD, now)
    found = store.quieted("team", told.dedup_key)
    assert found is not None
    return found


def test_a_notice_waits_with_its_record_and_is_told_with_its_digest(store: Store) -> None:
    assert store.all_quieted() == []
    assert hold(store, SLOW) == Waiting("team", SLOW, 1, EVENING, "warning", 1)
    assert store.delivery(SLOW.id, "team") == RECORD
    row = hold(store, FAST, EVENING + 900)
    assert row == Waiting("team", FAST, 2, EVENING, "warning", 2)
    assert store.all_quieted() == [row]
    told = digest("team", [row], MORNING)
    store.tell_quieted([row], told, MORNING)
    assert store.all_quieted() == []
    assert store.notice(told.id) == told
    assert store.delivery(FAST.id, "team") == RECORD


def test_who_is_late_writes_nothing(store: Store) -> None:
    row = hold(store, SLOW)
    with pytest.raises(ConflictError):
        store.keep_quieted(Waiting("team", FAST, 1, EVENING, "warning"), RECORD, EVENING)
    hold(store, FAST)
    told = digest("team", [row], MORNING)
    with pytest.raises(ConflictError):
        store.tell_quieted([row], told, MORNING)
    assert store.notice(told.id) is None
    assert [one.count for one in store.all_quieted()] == [2]
    store.tell_quieted(store.all_quieted(), None, MORNING)
    with pytest.raises(ConflictError):
        store.keep_quieted(replace(row, notice=FAST), RECORD, MORNING)
    assert store.all_quieted() == []


def test_as_many_as_one_transaction_takes(store: Store) -> None:
    for n in range(STEP):
        hold(store, replace(SLOW, id=f"evt_{n}", dedup_key=f"inc_{n}"))
    rows = store.all_quieted()
    told = digest("team", rows, MORNING)
    store.tell_quieted(rows, told, MORNING)
    assert store.all_quieted() == []
    assert store.notice(told.id) == told
