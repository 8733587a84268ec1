from __future__ import annotations

from dataclasses import dataclass, field, replace

from lookout.status.pages import render_site
from lookout.status.publishing import Page, Publisher
from lookout.status.view import Snapshot

from tests.unit.status import sample


@dataclass
class Bucket:
    """A site bucket and the stored manifest, with what happened in which order."""

    objects: dict[str, bytes] = field(default_factory=dict)
    stored: bytes | None = None
    log: list[str] = field(default_factory=list)

    def put(self, page: Page) -> None:
        self.log.append(f"put {page.path}")
        self.objects[page.path] = page.body

    def delete(self, path: str) -> None:
        self.log.append(f"delete {path}")
        self.objects.pop(path, None)

    def save(self, manifest: bytes) -> None:
        self.log.append("save")
        self.stored = manifest

    def run(self, publisher: Publisher, snapshot: Snapshot, now: int, time_left_s: float = 60) -> dict[str, int]:
        self.log.clear()
        publisher.absorb(self.stored)
        public = {view.slug for view in snapshot.servers}
        pages = render_site(replace(snapshot, generated_at=now), now)
        return publisher.publish(pages, public, now, self.put, self.delete, self.save, lambda: time_left_s)


def without(slug: str) -> Snapshot:
    snap = sample.snapshot()
    return replace(snap, servers=tuple(v for v in snap.servers if v.slug != slug))


def test_a_minute_later_only_the_front_is_written() -> None:
    bucket, publisher = Bucket(), Publisher("site")
    first = bucket.run(publisher, sample.snapshot(), sample.NOW)
    assert first["written"] == len(bucket.objects)
    second = bucket.run(publisher, sample.snapshot(), sample.NOW + 1)
    assert set(bucket.log) <= {"put index.html", "put status.json", "put llms.txt"} | {
        line for line in bucket.log if line.startswith("put status/")
    }
    assert second["written"] < 8


def test_every_servers_page_is_refreshed_within_its_time_and_not_all_at_once() -> None:
    bucket, publisher = Bucket(), Publisher("site")
    bucket.run(publisher, sample.snapshot(), sample.NOW)
    seen: list[set[str]] = []
    for minute in range(1, 11):
        bucket.run(publisher, sample.snapshot(), sample.NOW + 60 * minute)
        seen.append({line for line in bucket.log if line.startswith("put status/")})
    slugs = [view.slug for view in sample.snapshot().servers]
    assert {f"put status/{slug}/index.html" for slug in slugs} <= set().union(*seen)
    assert max(len(s) for s in seen) < 12


def test_a_closed_incident_is_written_once_even_by_another_process() -> None:
    bucket = Bucket()
    bucket.run(Publisher("site"), sample.snapshot(), sample.NOW)
    bucket.run(Publisher("site"), sample.snapshot(), sample.NOW + 60)
    closed = [i.id for v in sample.snapshot().servers for i in v.incidents if i.resolved_at]
    assert closed
    assert not any(i in line for line in bucket.log for i in closed)


def test_a_server_that_is_no_longer_public_loses_every_page_before_anything_is_written() -> None:
    bucket = Bucket()
    bucket.run(Publisher("site"), sample.snapshot(), sample.NOW)
    gone = {path for path in bucket.objects if "acme-files" in path}
    gone |= {f"incidents/{i.id}/index.html" for i in sample.snapshot().servers[1].incidents}
    assert len(gone) == 6
    done = bucket.run(Publisher("site"), without("acme-files"), sample.NOW + 60)
    assert done["removed"] == 6
    assert bucket.log[:6] == sorted(f"delete {path}" for path in gone)
    assert gone.isdisjoint(bucket.objects)
    for body in bucket.objects.values():
        assert b"acme-files" not in body
        assert b"Acme Files" not in body


def test_pages_of_incidents_no_longer_listed_are_remembered_and_go_too() -> None:
    bucket = Bucket()
    bucket.run(Publisher("site"), sample.snapshot(), sample.NOW)
    snap = sample.snapshot()
    forgot = replace(snap, servers=tuple(replace(v, incidents=()) for v in snap.servers))
    bucket.run(Publisher("site"), forgot, sample.NOW + 60)
    assert sum(path.startswith("incidents/") for path in bucket.objects) == 3
    bucket.run(Publisher("site"), without("acme-files"), sample.NOW + 120)
    assert sum(path.startswith("incidents/") for path in bucket.objects) == 1


def test_an_object_is_in_the_manifest_before_it_exists() -> None:
    bucket = Bucket()
    bucket.run(Publisher("site"), sample.snapshot(), sample.NOW)
    first_owned = next(i for i, line in enumerate(bucket.log) if line.startswith("put status/"))
    assert bucket.log.index("save") < first_owned


def test_what_time_did_not_allow_is_due_again() -> None:
    bucket, publisher = Bucket(), Publisher("site")
    done = bucket.run(publisher, sample.snapshot(), sample.NOW, time_left_s=4)
    assert (done["written"], bucket.objects) == (0, {})
    assert done["postponed"] > 30
    assert bucket.run(publisher, sample.snapshot(), sample.NOW)["postponed"] == 0


def test_a_manifest_of_another_bucket_says_nothing() -> None:
    bucket = Bucket()
    bucket.run(Publisher("old"), sample.snapshot(), sample.NOW)
    publisher = Publisher("new")
    publisher.absorb(bucket.stored)
    assert publisher.gone(set()) == []
