"""bench/judge.py measures what the judge does: its store has what judging asks of the real one."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[3] / "bench"


def test_both_ways_judge_every_server_and_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    bench, support = importlib.import_module("judge"), importlib.import_module("support.shards")
    made = support.shards(30)
    store = support.PackedStore.of(made)
    assert (bench.judge_core(made), bench.judge_whole(store)) == (30, 30)
    # One incident opens and one ends, each with its notice, beside the state and the verdicts.
    assert len(store.written) == 2 + 2 * 2
