"""Export and import against a real DynamoDB wire: one home's tables into another's."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from lookout.cli.main import cli
from lookout.config.model import Config, Server, Site
from lookout.errors import ConflictError
from lookout.history.chunk import DAY, HOUR, Chunk, Sample
from lookout.history.day import summarise
from lookout.history.latency import Sketch
from lookout.history.round import Round
from lookout.jobs.judging import judge_shards
from lookout.jobs.rolling import roll_up
from lookout.probe.result import Layer, ProbeResult, Reason, Status
from lookout.store import Delivery, Store
from lookout.store.portable import Portable
from lookout.store.watch import WatchLog
from lookout.verdict.case import SurfaceChange
from lookout.verdict.watch import Watch

from tests.contract.store.tables import tables

OLD, NEW = "us-east-1", "eu-west-1"
REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")
ACME = Server("acme", "https://a.example/mcp", notify=("hook",))
HIDDEN = Server("hidden", "https://h.example/mcp", visibility="private")
NOW = int(time.time())
T = NOW // HOUR * HOUR - 2 * HOUR


def site(home: str) -> Site:
    return Site("Acme", home, REGIONS)


@pytest.fixture(scope="module")
def old(local_aws: str) -> Iterator[Store]:
    """A home in which all kinds of things happened; nobody changes it."""
    del local_aws
    with tables(OLD) as store:
        live(store)
        yield store


@pytest.fixture
def new(old: Store) -> Iterator[Store]:
    """Another home: Lookout has just been deployed there."""
    with tables(NEW) as store:
        store.apply_config(Config(site(NEW), (ACME, HIDDEN)), NOW)
        yield store


def live(store: Store) -> None:
    """An hour at whose end acme goes down and stays so, and a past of which some has expired."""
    store.apply_config(Config(site(store.home), (ACME, HIDDEN)), NOW)
    minutes(store, T + 54 * 60, 6, down_from=2)
    roll_up(store, NOW)
    for slug in ("acme", "gone"):
        for hour in range(T - 40 * HOUR, T, HOUR):
            store.put_chunk(chunk(slug, hour))
    day = T // DAY * DAY - 3 * DAY
    store.put_day(summarise("acme", day, [chunk("acme", day)]))
    store.put_sketches("acme", day, {"us-west-2": Sketch.of([1, 2, 3])})
    store.put_chunk(chunk("acme", NOW // HOUR * HOUR - 91 * DAY))
    change = SurfaceChange("chg_1", "acme", T, public=True, title="Acme", drift={"class": "breaking"})
    store._change_item(change).save()
    notice = store.recent_notices(1)[0]
    store.record_delivery(notice.id, Delivery("hook", "delivered", "200", NOW))
    WatchLog(store.home).keep(Watch(), ())
    # What another version may keep: any partition, any text.
    store._m.incident("later", "kind#1", data="no JSON", ttl=NOW + DAY, version=7, open=1).save()


def minutes(store: Store, since: int, count: int, down_from: int = 1000) -> None:
    for i in range(count):
        minute = since + 60 * i
        for region in REGIONS:
            failing = i >= down_from
            probe = ProbeResult(
                "acme",
                Status.DOWN if failing else Status.UP,
                minute * 1000,
                Layer.HTTP if failing else None,
                Reason.HTTP_5XX if failing else None,
                timings_ms={"total": 5.0},
            )
            store.put_round(Round("s000", minute, region, (probe, replace(probe, slug="hidden"))), minute)
        judge_shards(store, {"s000"}, minute + 30, lambda address: b"")


def chunk(slug: str, hour: int, region: str = "us-west-2") -> Chunk:
    return Chunk(slug, hour, "u" * 60, {region: (Sample(1, Status.UP, 12, None, {"dns": 5}),)})


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def export(home: str, path: Path) -> bytes:
    done = run("export", str(path), "--home", home)
    assert done.exit_code == 0, done.output
    return path.read_bytes()


def bring(home: str, path: Path, *options: str) -> Result:
    return run("import", str(path), "--home", home, *options)


def counted(result: Result) -> dict[str, int]:
    assert result.exit_code == 0, result.output
    return {what: int(n.replace(",", "")) for n, what in re.findall(r"([\d,]+) ([a-z ]+)", result.stdout)}


def test_what_is_exported_imported_and_exported_again_is_the_same_to_the_byte(
    old: Store, new: Store, tmp_path: Path
) -> None:
    first = export(OLD, tmp_path / "old.jsonl")
    assert (tmp_path / "old.jsonl").stat().st_mode & 0o777 == 0o600
    done = counted(bring(NEW, tmp_path / "old.jsonl"))
    assert (done["were there"], done["replaced"], done["had expired"]) == (3, 0, 0)
    assert done["added"] == len(first.splitlines()) - 2 - 3 > 80
    assert export(NEW, tmp_path / "new.jsonl") == first
    assert new.site() == site(NEW)
    assert new.shard_state("s000") == old.shard_state("s000")
    assert new.incidents("acme", 5) == old.incidents("acme", 5)
    assert new.chunks("gone", 0, NOW, NOW) == old.chunks("gone", 0, NOW, NOW) != []
    again = counted(bring(NEW, tmp_path / "old.jsonl"))
    assert (again["added"], again["replaced"]) == (0, 0)


def test_nobody_is_told_again(old: Store, new: Store, tmp_path: Path) -> None:
    assert len(old.recent_notices(9)) == 2
    text = export(OLD, tmp_path / "old.jsonl").decode()
    keys = {line["item"].get("pk", {}).get("S") for line in map(json.loads, text.splitlines()[1:-1])}
    assert keys == {None, "acme", "hidden", "gone", "state", "server#acme", "server#hidden", "surface#acme", "later"}
    bring(NEW, tmp_path / "old.jsonl")
    assert new.recent_notices(9) == []


def test_the_new_home_goes_on_where_the_old_one_ended(old: Store, new: Store, tmp_path: Path) -> None:
    export(OLD, tmp_path / "old.jsonl")
    bring(NEW, tmp_path / "old.jsonl")
    minutes(new, T + HOUR, 3)
    (incident,) = new.incidents("acme", 5)
    assert (incident.id, incident.resolution) == (old.incidents("acme", 5)[0].id, "recovered")


def test_what_came_between_is_not_overwritten(old: Store, new: Store, tmp_path: Path) -> None:
    export(OLD, tmp_path / "old.jsonl")
    minutes(new, T + HOUR, 5)
    other = chunk("acme", T - HOUR, "eu-west-1")
    new.put_chunk(other)
    new.apply_config(Config(site(NEW), (replace(ACME, visibility="private"), HIDDEN)), NOW)
    before = export(NEW, tmp_path / "before.jsonl")

    refused = bring(NEW, tmp_path / "old.jsonl")
    assert (refused.exit_code, refused.stdout) == (2, "")
    where = re.findall(r"old\.jsonl:\d+:1: (\w+ [\w# ]+): something else is stored here", refused.stderr)
    assert where == [f"history acme hour#{(T - HOUR) // HOUR}", "incidents state s000", "servers acme"]
    assert export(NEW, tmp_path / "after.jsonl") == before

    done = counted(bring(NEW, tmp_path / "old.jsonl", "--replace"))
    assert done["replaced"] == 2
    (joined,) = new.chunks("acme", T - HOUR, T, NOW)
    assert joined.samples == {**chunk("acme", T - HOUR).samples, **other.samples}
    state = new.shard_state("s000")
    assert (state.judged, state.servers["acme"].status) == (T + HOUR + 240, Status.DOWN)
    assert new.roster()[1][0].visibility == "private"
    minutes(new, T + HOUR + 300, 3)
    assert new.incidents("acme", 5)[0].resolution == "recovered"
    assert counted(bring(NEW, tmp_path / "before.jsonl", "--replace"))["added"] == 0


def test_an_open_incident_here_is_not_orphaned(old: Store, new: Store, tmp_path: Path) -> None:
    export(OLD, tmp_path / "old.jsonl")
    minutes(new, T + HOUR, 5, down_from=0)
    refused = bring(NEW, tmp_path / "old.jsonl", "--replace")
    assert refused.exit_code == 2
    assert "here an incident is open that the file does not know: acme (inc_" in refused.stderr


def test_an_import_that_was_interrupted_is_run_again(
    old: Store, new: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = export(OLD, tmp_path / "old.jsonl")
    add = Portable.add
    calls: list[int] = []

    def dying(self: Portable, table: str, items: Any) -> None:
        calls.append(len(items))
        if len(calls) == 2:
            raise ConflictError("cut off")
        add(self, table, items)

    monkeypatch.setattr(Portable, "add", dying)
    assert "cut off" in bring(NEW, tmp_path / "old.jsonl").stderr
    assert calls == [25, 25]
    monkeypatch.setattr(Portable, "add", add)
    assert counted(bring(NEW, tmp_path / "old.jsonl"))["were there"] == 25 + 3
    assert export(NEW, tmp_path / "new.jsonl") == first


def test_what_is_written_in_between_wins(new: Store) -> None:
    minutes(new, T, 1)
    tables = Portable(NEW)
    item = next(item for table, item in tables.items(NOW) if table == "incidents" and item["pk"]["S"] == "state")
    with pytest.raises(ConflictError, match="incidents state s000: somebody else has written it"):
        tables.put("incidents", item, None)
    tables.put("incidents", {**item, "version": {"N": "99"}}, item)
    with pytest.raises(ConflictError):
        tables.put("incidents", item, item)
    assert new.shard_state("s000").version == 99


def test_a_line_that_is_wrong_keeps_all_of_the_file_out(old: Store, new: Store, tmp_path: Path) -> None:
    path = tmp_path / "old.jsonl"
    text = export(OLD, path).splitlines(keepends=True)
    path.write_bytes(b"".join([*text[:5], b"{\n", *text[6:]]))
    refused = bring(NEW, path)
    assert refused.exit_code == 2
    assert f"{path}:6:1: not JSON" in refused.stderr
    assert Store(NEW).chunks("gone", 0, NOW, NOW) == []


def test_what_has_expired_is_left_where_it_is(old: Store, new: Store, tmp_path: Path) -> None:
    path = tmp_path / "old.jsonl"
    raw = export(OLD, path)
    ttl = str(old.incidents("acme", 1)[0].opened_at)
    lines = [json.loads(line) for line in raw.splitlines()]
    lines[1]["item"]["ttl"] = {"N": ttl}
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert counted(bring(NEW, path))["had expired"] == 1


def test_to_the_standard_output_and_to_where_nothing_can_be_written(
    old: Store, new: Store, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    wanted = export(OLD, tmp_path / "old.jsonl")
    cli.main(["export", "--home", OLD], standalone_mode=False)
    assert capfd.readouterr().out.encode() == wanted
    refused = run("export", str(tmp_path / "missing" / "x.jsonl"), "--home", OLD)
    assert refused.exit_code == 2
    assert "x.jsonl cannot be written: No such file" in refused.stderr


def test_a_damaged_hour_here_gives_way(old: Store, new: Store, tmp_path: Path) -> None:
    export(OLD, tmp_path / "old.jsonl")
    row = new._chunk_item(chunk("acme", T - HOUR))
    row.data = b"\x02broken"
    row.save()
    assert counted(bring(NEW, tmp_path / "old.jsonl", "--replace"))["replaced"] == 1
    assert new.chunks("acme", T - HOUR, T, NOW) == [chunk("acme", T - HOUR)]
