from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lookout.errors import FormatError
from lookout.history import packing, wire
from lookout.history.chunk import DAY, HOUR, Chunk, Sample
from lookout.history.day import DaySummary, sketches, summarise
from lookout.history.latency import Percentiles
from lookout.history.packing import (
    pack_chunk,
    pack_day,
    pack_sketches,
    unpack_chunk,
    unpack_day,
    unpack_sketches,
)
from lookout.history.round import pack_json, unpack
from lookout.history.uptime import Tally
from lookout.history.wire import Reader, Writer
from lookout.probe.result import Status

from tests.unit.history.strategies import H, chunks, milliseconds

GOLDEN = Path(__file__).parents[2] / "golden"


def golden(name: str) -> tuple[bytes, Any]:
    """Bytes as a version wrote them, and what they say."""
    return (GOLDEN / f"{name}.bin").read_bytes(), json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))


# --- every version there ever was ----------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 2])
def test_golden_chunks(version: int) -> None:
    data, says = golden(f"chunk-{version}")
    assert data[0] == version
    chunk = unpack_chunk("acme-search", data)
    rows = {
        region: tuple(Sample(m, Status(s), ms, reason, *phases) for m, s, ms, reason, *phases in found)
        for region, found in says["samples"].items()
    }
    assert chunk == Chunk("acme-search", says["hour"], says["outcomes"], rows)


def test_golden_rounds() -> None:
    data, says = golden("round-1")
    found = unpack(data)
    assert (found.shard, found.minute, found.region) == (says["shard"], says["minute"], says["region"])
    assert [result.compact() for result in found.results] == says["results"]


def test_golden_days() -> None:
    item = json.loads((GOLDEN / "day-1.json").read_text(encoding="utf-8"))
    first = DaySummary.from_item("acme-search", H, item)
    assert first.tally == Tally(1400, 30, 5, 2, 17)
    assert (len(first.hours), first.quarters, first.latency) == (23, (), {})

    data, says = golden("day-2")
    day = unpack_day("acme-search", data)
    assert (day.day, list(day.hours), day.tally) == (says["day"], says["hours"], Tally(*says["tally"]))
    quarters = {str(i): [t.ok, t.fail, t.unknown, t.excluded, t.degraded] for i, t in enumerate(day.quarters)}
    assert {i: counts for i, counts in quarters.items() if any(counts)} == says["quarters"]
    assert (day.incidents, day.incident_s) == (says["incidents"], says["incident_s"])
    assert day.latency == {region: Percentiles(*values) for region, values in says["latency"].items()}


def test_golden_sketches() -> None:
    data, says = golden("sketch-1")
    found = unpack_sketches(data)
    assert {r: {str(i): n for i, n in sketch.buckets.items()} for r, sketch in found.items()} == says


def test_what_is_written_today_is_the_newest_golden_version() -> None:
    for name, version, again in (
        ("chunk-2", packing.CHUNK_VERSION, lambda data: pack_chunk(unpack_chunk("x", data))),
        ("day-2", packing.DAY_VERSION, lambda data: pack_day(unpack_day("x", data))),
        ("sketch-1", packing.SKETCH_VERSION, lambda data: pack_sketches(unpack_sketches(data))),
    ):
        data, _ = golden(name)
        assert (data[0], zlib.decompress(again(data)[1:])) == (version, zlib.decompress(data[1:]))
        assert not list(GOLDEN.glob(f"{name.split('-')[0]}-{version + 1}*"))


# --- there and back ------------------------------------------------------------------------------------------------


@given(chunks())
def test_a_chunk_survives_packing(chunk: Chunk) -> None:
    assert unpack_chunk("acme", pack_chunk(chunk)) == chunk


@given(st.lists(chunks(), max_size=3), st.lists(st.tuples(milliseconds, milliseconds), max_size=3))
def test_a_day_and_its_sketches_survive_packing(found: list[Chunk], spans: list[tuple[int, int]]) -> None:
    day = H // DAY * DAY
    summary = summarise("acme", day, found, [(H + begin, H + begin + length) for begin, length in spans], [day, H])
    assert unpack_day("acme", pack_day(summary)) == summary
    assert unpack_sketches(pack_sketches(sketches(day, found))) == sketches(day, found)


def test_a_day_of_version_1_is_written_as_version_2_without_quarters() -> None:
    old = DaySummary("acme", H // DAY * DAY, Tally(1, 2, 3, 4, 1), (H,))
    assert unpack_day("acme", pack_day(old)) == old


@given(st.lists(st.integers(-(1 << 61), 1 << 61)), st.text(st.characters(codec=None)))
def test_numbers_and_texts_survive(numbers: list[int], text: str) -> None:
    out = Writer()
    for number in numbers:
        out.number(abs(number))
    out.numbers([abs(number) for number in numbers])
    out.signed(numbers)
    out.text(text)
    read = Reader(out.packed(7)[1:])
    for number in numbers:
        assert read.number() == abs(number)
    assert list(read.numbers(len(numbers))) == [abs(number) for number in numbers]
    assert read.signed(len(numbers)) == numbers
    assert read.text() == text
    read.end()


# --- damage --------------------------------------------------------------------------------------------------------


def packed(*parts: int | str, version: int = 2) -> bytes:
    out = Writer()
    for part in parts:
        if isinstance(part, str):
            out.text(part)
        else:
            out.number(part)
    return out.packed(version)


HOUR_LINE = (H // HOUR, "." * 60)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is empty"),
        (b"\x03", "version 3 cannot be read"),
        (b"\x02", "truncated"),
        (b"\x02not zlib", "is damaged"),
        (b"\x02" + zlib.compress(b"")[:-2], "truncated"),
        (b"\x02" + zlib.compress(b"x" * (wire.UNPACKED_LIMIT + 1)), "larger than 4 MiB"),
        (packed(), "ends too early"),
        (b"\x02" + zlib.compress(b"\xff" * 9 + b"\x7f"), "beyond 63 bits"),
        (b"\x02" + zlib.compress(b"\x01\x02\xc3\x28"), "not UTF-8"),
        (packed(*HOUR_LINE, 257), "claims 257 entries"),
        (packed(*HOUR_LINE, 0, 65), "claims 65 entries"),
        (packed(H // HOUR, "uu", 0, 0), "2 outcomes instead of 60"),
        (packed(*HOUR_LINE, 0, 0, 0), "goes on"),
        (packed(*HOUR_LINE, 0, 1, "a", 1 << 60), "minutes beyond its hour"),
        (packed(*HOUR_LINE, 0, 1, "a", 3, "u", 0, 0, 0), "not one status per minute"),
        (packed(*HOUR_LINE, 0, 1, "a", 1, "Z", 0, 0, 0), "status 'Z'"),
        (packed(*HOUR_LINE, 0, 1, "a", 1, "u", 0, 1), "claims 1 entries where 0"),
        (packed(*HOUR_LINE, 0, 1, "a", 1, "u", 1, 0, 0), "a name it does not have"),
        (packed(*HOUR_LINE, 0, 1, "a", 7, "uuu", 0, 0), "ends too early"),
        (packed(*HOUR_LINE, 1, "dns", 1, "a", 1, "u", 0, 1, 7, 0, 0, 0), "a name it does not have"),
        (pack_json(1, {"h": H, "o": "." * 60}), "lacks what it must have"),
        (pack_json(1, []), "lacks what it must have"),
        (pack_json(1, {"h": H, "o": "." * 60, "r": {"a": [[0, "Z", 1, None]]}}), "status 'Z'"),
        (pack_json(1, {"h": H, "o": "." * 60, "r": {"a": [[0]]}}), "lacks what it must have"),
    ],
)
def test_damage_to_a_chunk_is_named(data: bytes, why: str) -> None:
    with pytest.raises(FormatError, match=why):
        unpack_chunk("x", data)


def test_damage_to_days_and_sketches_is_a_format_error() -> None:
    for broken in (b"", b"\x01", packed(1, 1, 2), packed(1, 1, 0, *([0] * 7), 65)):
        with pytest.raises(FormatError):
            unpack_day("x", broken)
    for broken in (b"", b"\x02", packed(1, "a", 4097, version=1)):
        with pytest.raises(FormatError):
            unpack_sketches(broken)


@given(st.sampled_from([1, 2]), st.binary(max_size=300), st.booleans())
def test_no_bytes_do_worse_than_a_format_error(version: int, body: bytes, compressed: bool) -> None:
    data = bytes([version]) + (zlib.compress(body) if compressed else body)
    for reader in (lambda d: unpack_chunk("x", d), lambda d: unpack_day("x", d), unpack_sketches):
        try:
            reader(data)
        except FormatError:
            continue


@given(chunks(), st.data())
def test_a_flipped_byte_is_never_taken_for_another_hour_of_the_archive(chunk: Chunk, data: st.DataObject) -> None:
    good = bytearray(pack_chunk(chunk))
    at = data.draw(st.integers(0, len(good) - 1))
    good[at] ^= data.draw(st.integers(1, 255))
    try:
        found = unpack_chunk("acme", bytes(good))
    except FormatError:
        return
    assert found == chunk  # zlib may say one thing in two ways: a run of one letter repeats at any distance
