"""The probe function against a real MCP server on the loopback."""

from __future__ import annotations

import asyncio
import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from lookout.config.model import Site
from lookout.errors import SecretError, StoreError
from lookout.probe.result import ProbeResult
from lookout.surface.packed import unpack

from functions.probe import handler as probe
from tests.handlers.memory import Memory
from tests.servers import hostile

MINUTE = 1_787_409_240
CANARY = "canary-Zk93-credential"


class World(Memory):
    """The rounds table, Secrets Manager, and the time an invocation has left."""

    def __init__(self) -> None:
        super().__init__(Site("Acme", "us-east-1", ("us-west-2", "eu-west-1")), ())
        self.secrets = {"acme-token": CANARY, "acme-tenant": f"tenant-{CANARY}"}
        self.left_ms = 50_000
        self.surfaces: dict[str, bytes] = {}

    def __call__(self, home: str) -> World:
        assert home == "us-east-1"
        return self

    def secret_value(self, home: str, name: str) -> str:
        assert home == "us-east-1"
        if name not in self.secrets:
            raise SecretError(f"secret {name!r} in {home} cannot be read: ResourceNotFoundException")
        return self.secrets[name]

    def put_surface(self, home: str, bucket: str, address: str, data: bytes) -> None:
        assert (home, bucket) == ("us-east-1", "surfaces")
        self.surfaces[address] = data

    def get_remaining_time_in_millis(self) -> int:
        return self.left_ms

    @property
    def results(self) -> dict[str, ProbeResult]:
        (round_,) = self.stored.values()
        return {result.slug: result for result in round_.results}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setenv("LOOKOUT_HOME_REGION", "us-east-1")
    monkeypatch.setenv("LOOKOUT_SURFACES_BUCKET", "surfaces")
    monkeypatch.setenv("LOOKOUT_WAITING_URL", "https://queue")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setattr("lookout.store.surfaces.put_surface", world.put_surface)
    probe._shelf.cache_clear()
    monkeypatch.setattr(probe, "Store", world)
    monkeypatch.setattr("lookout.store.aws.secret_value", world.secret_value)
    for warm in ("memories", "keyrings"):  # what a process remembers from one invocation to the next
        monkeypatch.setattr(probe, warm, {}, raising=False)
    return world


@contextmanager
def serving(script: hostile.Script) -> Iterator[hostile.Running]:
    """A server in a thread of its own: the handler has its own event loop."""
    ready: queue.Queue[tuple[asyncio.AbstractEventLoop, asyncio.Event, hostile.Running]] = queue.Queue()

    async def serve() -> None:
        async with hostile.serving(script) as running:
            done = asyncio.Event()
            ready.put((asyncio.get_running_loop(), done, running))
            await done.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    loop, done, running = ready.get(timeout=10)
    try:
        yield running
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()


def run(world: World, running: hostile.Running, name: str = "shard", **more: Any) -> dict[str, Any]:
    """The event, with the port the server was given, and `more` in it."""
    text = (Path(__file__).parent / "events" / f"{name}.json").read_text(encoding="utf-8")
    port = urlsplit(running.url).port
    done: dict[str, Any] = probe.handler(
        {**json.loads(text.replace("localhost:0", f"localhost:{port}")), **more}, world
    )
    return done


def by_path(**scripts: hostile.Script) -> hostile.Script:
    """A script per path; a healthy server elsewhere."""

    async def serve(call: hostile.Call) -> None:
        await scripts.get(call.path.strip("/"), hostile.good_modern)(call)

    return serve


async def page(call: hostile.Call) -> None:
    await call.http(502, b"<html>Bad gateway</html>", "text/html")


async def refuse(call: hostile.Call) -> None:
    """Says no, and repeats what it was given, as some servers do."""
    await call.http(401, f"no such token: {call.headers.get('authorization')}".encode(), "text/plain")


def metrics(text: str) -> dict[str, float]:
    """The metrics in what was printed (CloudWatch embedded metric format)."""
    (said,) = [json.loads(line) for line in text.splitlines() if "_aws" in line]
    (group,) = said["_aws"]["CloudWatchMetrics"]
    assert (group["Namespace"], said["service"]) == ("Lookout", "probe")
    return {m["Name"]: sum(said[m["Name"]]) for m in group["Metrics"]}


def test_a_shard_becomes_one_round_of_its_minute_and_region(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(hostile.good_modern) as running:
        done = run(world, running)
    assert (done["stored"], done["servers"]) == (True, 1)
    assert list(world.stored) == [("s000", MINUTE, "eu-west-1")]
    result = world.results["search"]
    assert (result.status, result.reason, result.era, result.tools_count) == ("up", None, "modern", 1)
    assert (result.server_name, result.protocol_version) == ("good", "2026-07-28")
    assert metrics(capsys.readouterr().out)["ProbesDone"] == 1


def test_a_second_invocation_for_the_same_minute_stores_nothing(world: World) -> None:
    with serving(hostile.good_modern) as running:
        run(world, running)
        first = world.results
        assert run(world, running)["stored"] is False
    assert world.results == first
    assert len(world.writes) == 1


def test_what_fails_is_a_result_and_disturbs_no_other(world: World) -> None:
    with serving(by_path(broken=page)) as running:
        assert run(world, running, "shard-of-three")["servers"] == 3
        paths = {call.path for call in running.calls}
    found = {slug: (r.status.value, r.reason.value if r.reason else None) for slug, r in world.results.items()}
    assert found == {
        "broken": ("down", "http_5xx"),
        "locked": ("unknown", "credential_unavailable"),
        "search": ("up", None),
    }
    assert paths == {"/broken", "/mcp"}


def test_credentials_are_resolved_from_their_references_and_sent(world: World) -> None:
    with serving(hostile.good_modern) as running:
        run(world, running, "credential")
        sent = [call.headers for call in running.calls]
    assert world.results["search"].status == "up"
    assert {headers["authorization"] for headers in sent} == {f"Bearer {CANARY}"}
    assert {headers["x-tenant"] for headers in sent} == {f"tenant-{CANARY}"}


def test_a_refused_credential_is_told_and_never_shown(
    world: World, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with serving(refuse) as running:
        done = run(world, running, "credential")
    result = world.results["search"]
    assert (result.status, result.reason) == ("credential_rejected", "credential_rejected")
    assert result.http_status == 401
    said = capsys.readouterr()
    logged = str([vars(record) for record in caplog.records])
    for text in (said.out, said.err, logged, repr(world.stored), str(done)):
        assert CANARY not in text
    assert "no such token" in result.message


def test_a_private_address_is_refused_unless_the_entry_allows_it(world: World) -> None:
    with serving(hostile.good_modern) as running:
        run(world, running, "private-address")
        assert running.calls == []
    result = world.results["search"]
    assert (result.status, result.layer, result.reason) == ("down", "dns", "address_refused")


def test_a_warm_process_remembers_the_era_and_ends_its_sessions(world: World) -> None:
    with serving(hostile.good_legacy) as running:
        run(world, running)
        asked = [call.rpc or call.method for call in running.calls]
        world.stored.clear()
        run(world, running)
        again = [call.rpc or call.method for call in running.calls[len(asked) :]]
    legacy = ["initialize", "notifications/initialized", "tools/list", "DELETE"]
    assert asked == ["server/discover", *legacy]
    assert again == legacy
    assert world.results["search"].era == "legacy"


def test_a_new_surface_is_stored_before_its_round_names_it(world: World) -> None:
    with serving(hostile.good_modern) as running:
        run(world, running)
    address = world.results["search"].surface_address
    assert address is not None
    assert unpack(world.surfaces[address], address).address == address
    assert world.results["search"].asked_as
    world.surfaces.clear()
    world.stored.clear()
    probe._shelf.cache_clear()
    with serving(hostile.good_modern) as running:
        run(world, running, known={"search": {"era": "modern", "hashes": [address]}})
    assert world.results["search"].surface_address == address
    assert world.surfaces == {}


def test_what_cannot_be_stored_is_not_named_and_harms_no_round(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(home: str, bucket: str, address: str, data: bytes) -> None:
        raise StoreError("s3://surfaces/x cannot be written: AccessDenied")

    monkeypatch.setattr("lookout.store.surfaces.put_surface", refuse)
    probe._shelf.cache_clear()
    with serving(hostile.good_modern) as running:
        assert run(world, running)["stored"] is True
    result = world.results["search"]
    assert (result.status, result.surface_address, result.tools_count) == ("up", None, 1)


def test_a_cold_process_begins_with_the_era_others_found(world: World) -> None:
    with serving(hostile.good_legacy) as running:
        run(world, running, known={"search": {"era": "legacy"}, "other": {"era": "of iron"}})
        assert running.calls[0].rpc == "initialize"
    assert set(probe.memories) == {"search"}


def test_without_time_left_it_says_that_it_could_not_tell(world: World) -> None:
    world.left_ms = 3_000
    with serving(hostile.good_modern) as running:
        assert run(world, running)["stored"] is True
    result = world.results["search"]
    assert (result.status, result.reason) == ("unknown", "prober_error")


def test_what_a_newer_dispatch_adds_is_passed_over(world: World) -> None:
    with serving(hostile.good_modern) as running:
        assert run(world, running, "from-a-newer-dispatch")["stored"] is True
    assert world.results["search"].status == "up"


@pytest.mark.filterwarnings("ignore:No application metrics to publish")
def test_a_round_that_cannot_be_stored_is_an_error_of_ours(world: World) -> None:
    world.broken["s000"] = RuntimeError("the home region is away")
    with serving(hostile.good_modern) as running, pytest.raises(RuntimeError, match="the home region is away"):
        run(world, running)


@pytest.mark.filterwarnings("ignore:No application metrics to publish")
def test_a_missing_setting_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOOKOUT_HOME_REGION")
    with pytest.raises(KeyError, match="LOOKOUT_HOME_REGION"):
        run(world, hostile.Running("http://localhost:1/mcp"))
