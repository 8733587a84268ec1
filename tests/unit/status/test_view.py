import json
from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st
from lookout.history.uptime import Tally
from lookout.probe.result import Status
from lookout.status.view import Day, ServerView, Snapshot
from lookout.verdict.case import Incident
from lookout.verdict.state import Failure, RegionView, ServerState

from tests.unit.status import sample

times = st.integers(min_value=0, max_value=2**40)
words = st.text(max_size=12)
maybe = st.none() | words
tallies = st.builds(Tally, *[st.integers(0, 10**6)] * 5)
failures = st.builds(Failure, maybe, maybe, words, st.none() | st.integers(100, 599), maybe, maybe)
regions = st.builds(RegionView, words, words, times, st.none() | times, maybe, maybe, words)
incidents = st.builds(
    Incident, words, words, times, times, words, st.booleans(), words, st.none() | times, maybe, failures,
    st.lists(words, max_size=3).map(tuple), st.integers(0, 9), words,
)  # fmt: skip
states = st.builds(
    ServerState,
    slug=words,
    status=st.sampled_from(Status),
    since=times,
    previous=st.sampled_from(Status),
    candidate=st.none() | st.sampled_from(Status),
    regions=st.lists(regions, max_size=3).map(tuple),
    failure=st.none() | failures,
    tools_count=st.none() | times,
    server_name=maybe.filter(lambda v: v != ""),
)
views = st.builds(
    ServerView,
    slug=words,
    title=words,
    url=words,
    tags=st.lists(words, max_size=2).map(tuple),
    state=states,
    windows=st.dictionaries(words, tallies, max_size=4),
    days=st.lists(st.builds(Day, words, tallies), max_size=3).map(tuple),
    incidents=st.lists(incidents, max_size=2).map(tuple),
)
snapshots = st.builds(
    Snapshot,
    words,
    words,
    times,
    st.dictionaries(words, times, max_size=3),
    st.lists(views, max_size=3).map(tuple),
    words,
)


@given(snapshots)
def test_a_snapshot_survives_the_way_through_json(snapshot: Snapshot) -> None:
    assert Snapshot.from_json(json.loads(json.dumps(snapshot.to_json()))) == snapshot


def test_the_sample_too() -> None:
    snap = sample.snapshot()
    assert Snapshot.from_json(json.loads(json.dumps(snap.to_json()))) == snap


def test_a_server_view_has_no_place_for_what_is_private() -> None:
    private = {"auth", "notify", "visibility", "allow_private", "expect_tools", "shard"}
    assert private.isdisjoint(f.name for f in fields(ServerView))
