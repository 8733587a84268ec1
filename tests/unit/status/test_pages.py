from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from lookout.history.latency import Percentiles
from lookout.status.pages import CACHE_FOREVER, CACHE_PAGE, render_site
from lookout.status.publishing import Page
from lookout.status.summary import outages_of
from lookout.status.view import Snapshot
from lookout.verdict.state import Failure

from tests.unit.status import sample

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202egnp\n\x00{{7*7}}&amp;"


def site(snapshot: Snapshot, now: int = sample.NOW) -> dict[str, Page]:
    pages = render_site(snapshot, now)
    assert len({page.path for page in pages}) == len(pages)
    return {page.path: page for page in pages}


class Reader(HTMLParser):
    """Collects elements, attributes and text; complains of tags that do not nest."""

    VOID = frozenset({"meta", "link"})

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(body.decode())
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID and not self.get_starttag_text().endswith("/>"):  # type: ignore[union-attr]  # never None here
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1] == tag:
            self._open.pop()
        elif not (self.get_starttag_text() or "").endswith("/>"):
            raise AssertionError(f"</{tag}> closes {self._open[-3:]}")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def html_of(pages: dict[str, Page]) -> dict[str, Reader]:
    return {path: Reader(page.body) for path, page in pages.items() if path.endswith(".html")}


def test_what_a_site_consists_of() -> None:
    pages = site(sample.snapshot())
    slugs = [view.slug for view in sample.snapshot().servers]
    incidents = [i.id for view in sample.snapshot().servers for i in view.incidents]
    expected = {"index.html", "404.html", "status.json", "feed.atom", "feed.rss", "feed.json"}
    expected |= {"llms.txt", "robots.txt"}
    expected |= {f"status/{slug}/index.html" for slug in slugs} | {f"status/{slug}.md" for slug in slugs}
    expected |= {f"status/{slug}/history.json" for slug in slugs}
    expected |= {f"status/{slug}/feed.atom" for slug in slugs} | {f"incidents/{i}/index.html" for i in incidents}
    static = {path for path in pages if path.startswith("static/")}
    assert set(pages) - static == expected
    assert all(re.fullmatch(r"static/[a-z-]+\.[0-9a-f]{10}\.(css|js|svg)", path) for path in static)
    assert {pages[path].cache_control for path in static} == {CACHE_FOREVER}
    assert pages["index.html"].cache_control == CACHE_PAGE


def test_every_page_nests_and_fetches_and_links_only_what_exists() -> None:
    pages = site(sample.snapshot())
    known = {"/" + path.removesuffix("index.html") for path in pages} | {"/metrics", "/api/v2/summary.json"}
    known |= {f"/api/v1/servers/{view.slug}" for view in sample.snapshot().servers}
    for path, page in html_of(pages).items():
        for tag, attributes in page.elements:
            target = attributes.get("href") or attributes.get("src")
            if target is None or target.startswith("https://github.com/"):
                continue
            assert target.partition("#")[0] in {"", *known}, f"{path}: <{tag}> {target}"


def test_no_page_holds_inline_script_or_style() -> None:
    for path, page in html_of(site(sample.snapshot())).items():
        for tag, attributes in page.elements:
            assert tag != "style", path
            assert "style" not in attributes, path
            assert not any(name.startswith("on") for name in attributes), path
            assert tag != "script" or attributes.get("src"), path


def test_ids_are_unique_and_labels_point_at_them() -> None:
    for path, page in html_of(site(sample.snapshot())).items():
        ids = [a["id"] for _, a in page.elements if "id" in a]
        assert len(ids) == len(set(ids)), path
        for _, attributes in page.elements:
            assert attributes.get("aria-labelledby", ids[0]) in ids, path


def test_the_front_page_says_everything_in_words() -> None:
    text = re.sub(r"\s+", " ", "".join(Reader(site(sample.snapshot())["index.html"].body).text))
    for words in (
        "1 server is down",
        "Down",
        "Degraded",
        "Up, sign-in required",
        "Unknown",
        "Not yet probed",
        "since 22 Aug 2026, 14:10 UTC (24 min ago)",
        "98.33%100% covered",
        "Singapore 6,840 ms slow",
        "MCP 2025-06-18 (legacy), 12 tools",
        "http, http_5xx: HTTP 502 from origin",
        "Acme Search: down for 14 m 02 s",
        "No data",
        "uptime = ok / (ok + fail)",
        "Generated 22 Aug 2026, 14:34 UTC (14:34:07 UTC)",
        "less than half the day",
    ):
        assert words in text, words
    assert "All systems operational" not in text
    assert "0%" not in re.findall(r"\b\d[\d.]*%", text)


def test_every_day_has_a_label() -> None:
    page = Reader(site(sample.snapshot())["index.html"].body)
    items = [a for tag, a in page.elements if a.get("role") == "listitem"]
    titles = [tag for tag, _ in page.elements if tag == "title"]
    assert len(items) == 90 * 6
    assert len(titles) == len(items) + 1


def test_a_calm_site_says_so() -> None:
    page = site(sample.calm())["index.html"].body.decode()
    assert "All systems operational" in page
    assert "Open incidents" not in page
    assert "None in the records." in page


def test_an_empty_site_is_a_page_too() -> None:
    pages = site(replace(sample.snapshot(), servers=(), regions={}))
    assert b"No public servers yet" in pages["index.html"].body
    html_of(pages)


def test_an_old_snapshot_warns_without_javascript() -> None:
    assert b"It may be out of date." in site(sample.snapshot(), sample.NOW + 600)["index.html"].body
    assert b"It may be out of date." not in site(sample.snapshot())["index.html"].body


def test_silent_regions_are_named() -> None:
    snap = replace(
        sample.snapshot(), regions={**sample.snapshot().regions, "eu-west-1": sample.MINUTE - 900, "sa-east-1": 0}
    )
    page = " ".join(site(snap)["index.html"].body.decode().split())
    assert "Dublin has not reported since" in page
    assert "São Paulo has not reported yet" in page


def hostile() -> Snapshot:
    snap = sample.snapshot()
    failure = Failure("http", "http_5xx", HOSTILE, 502)
    servers = []
    for view in snap.servers:
        state = view.state.with_(
            server_name=HOSTILE,
            server_version=HOSTILE,
            protocol_version=HOSTILE,
            failure=failure,
            regions=tuple(replace(r, message=HOSTILE) for r in view.state.regions),
        )
        incidents = tuple(replace(i, title=HOSTILE, failure=failure) for i in view.incidents)
        url = "https://evil.example/" + HOSTILE
        servers.append(replace(view, title=HOSTILE, url=url, tags=(HOSTILE,), state=state, incidents=incidents))
    return replace(snap, site_name=HOSTILE, servers=tuple(servers))


def test_hostile_text_stays_text() -> None:
    for path, page in html_of(site(hostile())).items():
        tags = {tag for tag, _ in page.elements}
        assert "img" not in tags, path
        assert [a for tag, a in page.elements if tag == "script"] == [
            a for tag, a in page.elements if tag == "script" and str(a.get("src")).startswith("/static/")
        ]
        assert not any(name.startswith("on") for _, a in page.elements for name in a), path
        assert "49" not in "".join(page.text).split("{{")[0][:200]
        assert "<script>alert(1)</script>" in "".join(page.text), path


@pytest.mark.parametrize("forbidden", ["\u202e", "\x00", "never-shown", "user:pass"])
def test_nothing_renders_what_must_not_be_seen(forbidden: str) -> None:
    for snapshot in (sample.snapshot(), hostile()):
        for page in render_site(snapshot, sample.NOW):
            assert forbidden.encode() not in page.body, page.path


def test_a_site_below_a_path_links_below_it() -> None:
    page = Reader(site(replace(sample.snapshot(), site_url="https://acme.dev/status"))["index.html"].body)
    hrefs = [str(a["href"]) for _, a in page.elements if "href" in a]
    assert all(h.startswith(("/status/", "#", "https://github.com/")) for h in hrefs)


def test_the_same_snapshot_gives_the_same_bytes() -> None:
    assert render_site(sample.snapshot(), sample.NOW) == render_site(sample.snapshot(), sample.NOW)


def test_ages_and_latencies_alone_do_not_rewrite_a_servers_page() -> None:
    snap = sample.snapshot()
    first = snap.servers[0]
    state = first.state.with_(
        regions=tuple(replace(r, latency_ms=1, checked_at=r.checked_at + 60) for r in first.state.regions)
    )
    later = replace(snap, generated_at=sample.NOW + 60, servers=(replace(first, state=state), *snap.servers[1:]))
    before, after = site(snap), site(later, sample.NOW + 60)
    same = {path for path in before if path in after and before[path].signature == after[path].signature}
    assert {path for path in before if before[path].owner} <= same
    assert {"index.html", "status.json", "llms.txt"}.isdisjoint(same)


def test_a_changed_status_rewrites_the_page_of_that_server_only() -> None:
    snap = sample.snapshot()
    first = snap.servers[0]
    changed = replace(first, state=first.state.with_(tools_count=13))
    before, after = site(snap), site(replace(snap, servers=(changed, *snap.servers[1:])))
    moved = {path for path in before if before[path].signature != after[path].signature and before[path].owner}
    assert moved == {"status/acme-search/index.html", "status/acme-search.md"}


def test_the_history_of_a_server_is_a_file_of_its_own_and_not_in_the_snapshot() -> None:
    snap = sample.snapshot()
    latency = {"2026-08-21": {"eu-west-1": Percentiles(1440, 20, 31, 50)}, "2026-08-22": {}}
    known = replace(snap.servers[0], latency_days=latency)
    snap = replace(snap, servers=(known, *snap.servers[1:]))
    served = json.loads(site(snap)[f"status/{known.slug}/history.json"].body)
    assert served["latency_ms"]["2026-08-21"] == {"eu-west-1": {"probes": 1440, "p50": 20, "p95": 31, "p99": 50}}
    assert [day["date"] for day in served["days"]] == [day.date for day in known.days]
    assert len(served["days"]) == 90
    assert Snapshot.from_json(json.loads(json.dumps(snap.to_json()))).servers[0].latency_days == {}
    for view in snap.servers:
        outages = json.loads(site(snap)[f"status/{view.slug}/history.json"].body)["outages"]
        assert [one["id"] for one in outages] == [i.id for i in outages_of(view)]
