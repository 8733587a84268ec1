"""Hours as they may come: any outcome, any region, probes with and without phases."""

from __future__ import annotations

from hypothesis import strategies as st
from lookout.history.chunk import HOUR, Chunk, Sample
from lookout.history.uptime import OUTCOME_CODES
from lookout.probe.result import Reason, Status

H = 1_790_000_000 // HOUR * HOUR
CODES = "".join(OUTCOME_CODES.values()) + ".UGADCw"
PHASES = ("dns", "tcp", "tls", "connect", "discover", "initialize", "initialized", "tools_list", "tool_call")
STATUSES = [status for status in Status if status in OUTCOME_CODES]

milliseconds = st.integers(0, 40_000)
outcomes = st.binary(min_size=60, max_size=60).map(lambda raw: "".join(CODES[b % len(CODES)] for b in raw))


@st.composite
def samples(draw: st.DrawFn, minute: int) -> Sample:
    phases = draw(st.dictionaries(st.sampled_from(PHASES), milliseconds, max_size=3))
    reason = draw(st.none() | st.sampled_from([reason.value for reason in Reason]))
    return Sample(minute, draw(st.sampled_from(STATUSES)), draw(milliseconds), reason, phases)


@st.composite
def chunks(draw: st.DrawFn, hour: int = H) -> Chunk:
    found = {}
    for region in sorted(draw(st.sets(st.sampled_from(["us-west-2", "eu-west-1", "ap-southeast-1"])))):
        minutes = sorted(draw(st.sets(st.integers(0, 59), min_size=1, max_size=4)))
        found[region] = tuple(draw(samples(minute)) for minute in minutes)
    return Chunk("acme", hour, draw(outcomes), found)
