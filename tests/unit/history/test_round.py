from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lookout.errors import FormatError
from lookout.history import round as rounds
from lookout.history.chunk import HOUR
from lookout.history.round import Round
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
