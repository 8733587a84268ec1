from __future__ import annotations

import json
import logging
import threading
from dataclasses import replace

import pytest
from lookout.config.model import Server
from lookout.errors import FormatError, StoreError
from lookout.history.round import Round
from lookout.jobs import surfaces
from lookout.jobs.surfaces import UPLOADS_AN_HOUR, Shelf, asked_as, compare, known_of
from lookout.probe.result import ProbeResult, Status
from lookout.surface import packed
from lookout.surface.changes import Class
from lookout.surface.confirm import Memory, Track
from lookout.surface.model import Surface, surface_of
from lookout.verdict.state import ServerState

ACME = Server("acme", "https://mcp.acme.dev/mcp", auth={"bearer": "secret:token"})


def surface(*names: str, **more: object) -> Surface:
    made = surface_of([{"name": name, "inputSchema": {"type": "object"}, **more} for name in names])
    assert made is not None
    return made


ONE, TWO = surface("a"), surface("a", "b")


def round_of(*seen: Surface | None, minute: int = 0) -> Round:
    results = tuple(
        ProbeResult("acme" if i == 0 else f"s{i}", Status.UP, 0, surface=s, tools_hash="x") for i, s in enumerate(seen)
    )
    return Round("s000", minute, "eu-west-1", results)


class Bucket:
    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.puts: list[str] = []
        self.error: Exception | None = None

    def put(self, address: str, data: bytes) -> None:
        self.puts.append(address)
        if self.error is not None:
            raise self.error
        self.held[address] = data

    def read(self, address: str) -> bytes:
        if address not in self.held:
            raise StoreError("there is none")
        return self.held[address]


def addresses(round_: Round) -> list[str | None]:
    return [result.surface_address for result in round_.results]


def test_a_new_surface_is_stored_once_however_many_servers_show_it() -> None:
    bucket = Bucket()
    shelf = Shelf(bucket.put)
    kept = shelf.keep(round_of(ONE, ONE, None), [ACME], ())
    assert bucket.puts == [ONE.address]
    assert addresses(kept) == [ONE.address, ONE.address, None]
    assert [r.asked_as for r in kept.results] == [asked_as(ACME), None, None]
    assert addresses(shelf.keep(round_of(ONE), [ACME], ())) == [ONE.address]
    assert bucket.puts == [ONE.address]
    assert packed.unpack(bucket.held[ONE.address], ONE.address).hashes == ONE.hashes


def test_what_others_stored_is_not_stored_again() -> None:
    bucket = Bucket()
    assert addresses(Shelf(bucket.put).keep(round_of(TWO), [ACME], {TWO.address})) == [TWO.address]
    assert bucket.puts == []


def test_a_failed_upload_leaves_the_address_out_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    bucket = Bucket()
    bucket.error = StoreError("s3://bucket/x cannot be written: AccessDenied")
    shelf = Shelf(bucket.put)
    given = round_of(ONE, TWO)
    kept = shelf.keep(given, [ACME], {TWO.address})
    assert addresses(kept) == [None, TWO.address]
    assert [replace(r, surface_address=None, asked_as=None) for r in kept.results] == list(given.results)
    assert "AccessDenied" in caplog.text
    bucket.error = None
    assert addresses(shelf.keep(round_of(ONE), [ACME], ())) == [ONE.address]


def test_a_slow_upload_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(surfaces, "UPLOAD_S", 0.01)
    release = threading.Event()

    def put(address: str, data: bytes) -> None:
        release.wait(10)

    kept = Shelf(put).keep(round_of(ONE), [ACME], ())
    release.set()
    assert addresses(kept) == [None]
    assert "1 surfaces were not stored" in caplog.text


def test_a_server_that_never_says_the_same_twice_does_not_fill_the_bucket() -> None:
    bucket = Bucket()
    shelf = Shelf(bucket.put)
    minutes = [shelf.keep(round_of(surface(f"t{i}"), minute=60 * i), [ACME], ()) for i in range(59)]
    assert len(bucket.puts) == UPLOADS_AN_HOUR
    assert addresses(minutes[-1]) == [None]
    later = shelf.keep(round_of(surface("x"), minute=3600), [ACME], ())
    assert addresses(later) == [surface("x").address]


def test_a_warm_process_forgets_before_it_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surfaces, "REMEMBERED", 2)
    bucket = Bucket()
    shelf = Shelf(bucket.put)
    shelf.keep(round_of(ONE, TWO, surface("c")), [ACME], {"known"})
    shelf.keep(round_of(ONE), [ACME], {"known"})
    assert bucket.puts.count(ONE.address) == 2


def test_an_enormous_surface_is_not_stored() -> None:
    noise = "".join(chr(33 + (i * 7919 + i // 90 * 31) % 90) for i in range(10))
    bucket = Bucket()
    names = [f"{noise}{i * 2654435761 % 2**32:08x}{i * 40503 % 2**64:016x}" * 20 for i in range(2000)]
    big = surface(*names)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed, "PACKED_LIMIT", 10_000)
        assert addresses(Shelf(bucket.put).keep(round_of(big), [ACME], ())) == [None]


def test_asked_as_changes_with_address_and_credential_and_tells_neither() -> None:
    seen = {asked_as(ACME), asked_as(replace(ACME, url="https://other/")), asked_as(replace(ACME, auth={}))}
    assert len(seen) == 3
    assert asked_as(replace(ACME, slug="x", tags=("t",))) == asked_as(ACME)
    assert {len(one) for one in seen} == {6}


def test_a_probe_is_told_the_era_only_while_it_is_sure() -> None:
    memory = Memory({"r": (Track("k", "bb", "aa"),)})
    state = ServerState("acme", Status.UP, era="legacy", surface=memory)
    assert known_of(state) == {"era": "legacy", "hashes": ["aa", "bb"]}
    assert known_of(replace(state, fail_rounds=1)) == {"hashes": ["aa", "bb"]}
    assert known_of(ServerState("acme")) == {}


def test_pairs_are_compared_and_what_cannot_be_read_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    bucket = Bucket()
    for one in (ONE, TWO):
        bucket.put(one.address, packed.pack(one))
    bucket.held["f" * 32] = bucket.held[ONE.address]
    bucket.held["d" * 32] = b"damaged"
    pairs = {(ONE.address, TWO.address), (ONE.address, "0" * 32), (ONE.address, "f" * 32), ("d" * 32, TWO.address)}
    found = compare(pairs, bucket.read)
    assert list(found) == [(ONE.address, TWO.address)]
    assert (found[ONE.address, TWO.address].cls, found[ONE.address, TWO.address].added) == (Class.ADDITIVE, ("b",))
    assert caplog.text.count("cannot be compared") == 3


def test_reading_is_bounded(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    bucket = Bucket()
    for one in (ONE, TWO):
        bucket.put(one.address, packed.pack(one))
    monkeypatch.setattr(surfaces, "COMPARED_LIMIT", 10)
    assert compare({(ONE.address, TWO.address)}, bucket.read) == {}
    assert "more than the 10 bytes" in caplog.text


def test_what_is_stored_depends_on_the_content_alone() -> None:
    other = surface_of([dict(reversed(t.items())) for t in reversed(TWO.tools)], server_name="x", era="legacy")
    assert other is not None
    assert packed.pack(other) == packed.pack(TWO)
    with_meta = surface("a", _meta={"secret": "note"})
    assert with_meta.address == ONE.address
    assert b"note" not in json.dumps(packed.unpack(packed.pack(with_meta), ONE.address).to_json()).encode()


@pytest.mark.parametrize("cut", [0, 1, 10, -1])
def test_a_truncated_surface_is_refused(cut: int) -> None:
    data = packed.pack(TWO)
    with pytest.raises(FormatError):
        packed.unpack(data[:cut], TWO.address)


def test_a_bomb_is_refused() -> None:
    import gzip

    with pytest.raises(FormatError, match="more than the"):
        packed.unpack(gzip.compress(b" " * (8 << 20)), TWO.address)
