from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lookout.errors import FormatError
from lookout.history import chunk as chunks
from lookout.history import round as rounds
from lookout.history.chunk import HOUR, Chunk, DaySummary, Sample, build, summarise
from lookout.history.round import Round, pack_json
from lookout.history.uptime import Tally
from lookout.probe.result import Era, Finding, Layer, ProbeResult, Reason, Status, TlsFacts

H = 1_790_000_000 // HOUR * HOUR
FULL = ProbeResult(
    "acme",
    Status.DOWN,
    H * 1000 + 1,
    Layer.HTTP,
    Reason.HTTP_5XX,
    "HTTP 502 \ud800 from <origin>",
    502,
    Era.LEGACY,
    "2025-06-18",
    "streamable-http",
    "srv",
    "1.0",
    3,
    "abc",
    {"dns": 1.0, "total": 12.5},
    TlsFacts(not_after=5),
    "192.0.2.1",
    (Finding("RPC-JSON", "", ""),),
)


def test_a_round_survives_packing() -> None:
    item = Round("s000", H, "eu-west-1", (FULL, ProbeResult("beta", Status.UP, 1)))
    assert rounds.unpack(rounds.pack(item)) == item
    assert item.result("beta") == item.results[1]
    assert item.result("gamma") is None


def test_golden_round_of_version_1() -> None:
    text = b'{"m":1789999200,"p":[{"n":"x","s":"up","t":1}],"r":"eu-west-1","s":"s000"}'
    item = rounds.unpack(b"\x01" + zlib.compress(text))
    assert item == Round("s000", 1_789_999_200, "eu-west-1", (ProbeResult("x", Status.UP, 1),))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x02",
        b"\x01",
        b"\x01not zlib",
        b"\x01" + zlib.compress(b"{"),
        b"\x01" + zlib.compress(b"{}"),
        b"\x01" + zlib.compress(b'{"m":1,"p":[{"n":"x","s":"odd","t":1}],"r":"r","s":"s"}'),
        b"\x01" + zlib.compress(b"x" * (5 << 20)),
        (b"\x01" + zlib.compress(b'{"a":1}'))[:-3],
    ],
)
def test_damage_is_a_format_error(data: bytes) -> None:
    with pytest.raises(FormatError):
        rounds.unpack(data)


@given(st.binary(max_size=200))
def test_no_bytes_do_worse_than_a_format_error(data: bytes) -> None:
    with pytest.raises(FormatError):
        rounds.unpack(b"\x01" + data)


def some_hour() -> tuple[dict[int, dict[str, str]], list[Round]]:
    verdicts = {H + 60 * i: {"acme": "u" if i < 50 else "d"} for i in range(60) if i != 7}
    found = [
        Round("s000", H + 60 * i, region, (ProbeResult("acme", Status.UP, 0, timings_ms={"total": 5.4}),))
        for region in ("b", "a")
        for i in (1, 0)
    ]
    found.append(Round("s000", H + HOUR, "a", (FULL,)))
    found.append(Round("s000", H + 60, "c", ()))
    return verdicts, found


def test_a_chunk_is_the_same_in_whatever_order_rounds_came() -> None:
    verdicts, found = some_hour()
    chunk = build("acme", H, verdicts, found)
    assert chunk == build("acme", H, verdicts, list(reversed(found)))
    assert chunk.outcomes == "u" * 7 + "." + "u" * 42 + "d" * 10
    assert chunk.tally == Tally(ok=49, fail=10)
    assert chunk.samples == {r: (Sample(0, Status.UP, 5, None), Sample(1, Status.UP, 5, None)) for r in ("a", "b")}
    assert chunks.unpack("acme", chunks.pack(chunk)) == chunk


def test_a_reason_survives_in_a_chunk() -> None:
    chunk = build("acme", H, {}, [Round("s000", H, "a", (FULL,))])
    assert chunks.unpack("acme", chunks.pack(chunk)).samples["a"][0].reason == "http_5xx"


def test_golden_chunk_of_version_1() -> None:
    data = pack_json(1, {"h": H, "o": "u" * 60, "r": {"a": [[0, "d", 7, "http_5xx"]]}})
    assert chunks.unpack("x", data) == Chunk("x", H, "u" * 60, {"a": (Sample(0, Status.DOWN, 7, "http_5xx"),)})


def test_a_day_is_the_sum_of_its_chunks_and_says_which() -> None:
    day = H // chunks.DAY * chunks.DAY
    hours = [Chunk("x", day + HOUR * i, "u" * 59 + "d", {}) for i in (1, 0)]
    strangers = [Chunk("x", day - HOUR, "d" * 60, {}), Chunk("x", day + chunks.DAY, "d" * 60, {})]
    summary = summarise("x", day, hours + strangers)
    assert summary == DaySummary("x", day, Tally(ok=118, fail=2), (day, day + HOUR))
    assert DaySummary.from_item("x", day, summary.to_item()) == summary
