"""What a person gets: any width, any colour scheme, with and without JavaScript, with a keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import SiteServer
from tests.unit.status import sample

pytestmark = pytest.mark.browser

CONTRAST = (Path(__file__).parent / "contrast.js").read_text().partition("\n")[2]

OUTLINE = "(({outlineStyle, outlineWidth}) => outlineStyle + outlineWidth)(getComputedStyle(document.activeElement))"


def paths(server: SiteServer) -> list[str]:
    return [path.removesuffix("index.html") for path in server.pages if path.endswith("/index.html")] + ["", "nowhere"]


@pytest.mark.parametrize("width", [320, 360, 390, 768, 1280])
@pytest.mark.parametrize("which", ["busy", "warned", "maintained"])
def test_no_page_scrolls_sideways(request: pytest.FixtureRequest, open_tab: Any, which: str, width: int) -> None:
    server: SiteServer = request.getfixturevalue(which)
    tab = open_tab(server.url, width=width)
    for path in paths(server):
        tab.page.goto(f"{server.url}/{path}")
        for details in tab.page.query_selector_all("details"):
            details.evaluate("e => e.open = true")
        over = tab.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert over <= 0, f"/{path} is {over} px too wide"


def test_nothing_is_complained_of_and_nothing_fetched_elsewhere(busy: SiteServer, open_tab: Any) -> None:
    tab = open_tab(busy.url)
    for path in paths(busy):
        tab.page.goto(f"{busy.url}/{path}")
        tab.page.wait_for_load_state("networkidle")
    # The browser itself notes the 404 that this test asks for.
    assert [c for c in tab.complaints if "404" not in c] == []
    assert {url for url in tab.requests if not url.startswith(busy.url)} == set()
    assert any(url.endswith(".css") for url in tab.requests)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("which", ["busy", "warned", "maintained", "calm"])
def test_contrast_is_aa_everywhere(request: pytest.FixtureRequest, open_tab: Any, scheme: str, which: str) -> None:
    server: SiteServer = request.getfixturevalue(which)
    tab = open_tab(server.url, scheme=scheme, now=sample.NOW + 3600)
    for path in paths(server):
        tab.page.goto(f"{server.url}/{path}")
        for details in tab.page.query_selector_all("details"):
            details.evaluate("e => e.open = true")
        found = tab.page.evaluate(CONTRAST)
        assert found["seen"] > 20
        assert found["bad"] == [], f"/{path}"


def test_dark_is_dark_and_light_is_light(busy: SiteServer, open_tab: Any) -> None:
    background = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    assert min(open_tab(busy.url).page.evaluate(background)) > 230
    assert max(open_tab(busy.url, scheme="dark").page.evaluate(background)) < 30


def test_it_reads_without_javascript(busy: SiteServer, open_tab: Any) -> None:
    tab = open_tab(busy.url, javascript=False)
    text = tab.page.inner_text("body")
    for words in (
        "1 server is down",
        "Acme Search",
        "99.96%",
        "Generated 22 Aug 2026, 14:34 UTC",
        "How uptime is counted",
    ):
        assert words in text
    assert not tab.page.is_visible("#stale")
    tab.page.click("footer summary")
    assert tab.page.is_visible("text=coverage = (ok + fail) / rounds that were due")


@pytest.mark.parametrize(("age_s", "warned"), [(20, False), (299, False), (301, True), (4000, True), (86400, True)])
def test_an_old_page_says_so(busy: SiteServer, open_tab: Any, age_s: int, warned: bool) -> None:
    tab = open_tab(busy.url, now=sample.NOW + age_s)
    assert tab.page.is_visible("#stale") == warned
    if warned:
        minutes = age_s // 60
        size = f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"
        assert f"This page is {size} old" in tab.page.inner_text("#stale")


def test_a_page_left_open_grows_old(busy: SiteServer, open_tab: Any) -> None:
    tab = open_tab(busy.url)
    assert not tab.page.is_visible("#stale")
    fresh = tab.page.context.new_page()
    fresh.clock.install(time=sample.NOW)
    fresh.goto(busy.url)
    assert not fresh.is_visible("#stale")
    fresh.clock.fast_forward(6 * 60 * 1000)
    assert "This page is 6 minutes old" in fresh.inner_text("#stale")


def test_a_closed_incident_never_grows_old(busy: SiteServer, open_tab: Any) -> None:
    closed = sample.snapshot().servers[0].incidents[0]
    tab = open_tab(f"{busy.url}/incidents/{closed.id}/", now=sample.NOW + 30 * 86400)
    assert not tab.page.is_visible("#stale")


def test_a_keyboard_reaches_everything_and_sees_where_it_is(busy: SiteServer, open_tab: Any) -> None:
    page = open_tab(busy.url).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        name = page.evaluate("document.activeElement.href || document.activeElement.tagName")
        outline = page.evaluate(OUTLINE)
        assert outline == "solid3px", name
        reached.add(name)
    assert "SUMMARY" in reached
    for view in sample.snapshot().servers:
        assert f"{busy.url}/status/{view.slug}/" in reached


def test_a_status_is_a_word_and_a_shape_never_only_a_colour(busy: SiteServer, open_tab: Any) -> None:
    page = open_tab(busy.url).page
    shown = page.eval_on_selector_all(
        ".server .now .status", "all => all.map(e => [e.innerText.trim(), e.querySelector('svg').innerHTML])"
    )
    assert [word for word, _ in shown] == [
        "Not yet probed",
        "Degraded",
        "Down",
        "Up",
        "Up, sign-in required",
        "Unknown",
    ]
    assert len({shape for _, shape in shown}) == 6


def test_what_a_screen_reader_is_told(busy: SiteServer, open_tab: Any) -> None:
    tree = open_tab(busy.url).page.locator("body").aria_snapshot()
    for line in (
        'heading "1 server is down" [level=1]',
        'heading "Servers" [level=2]',
        'link "Acme Search"',
        'list "Acme Search. Last 90 days: 1 day with failed rounds"',
        "22 Aug 2026: 97.25% uptime (24 of 874 rounds failed)",
        "Down from",
    ):
        assert line in tree, line


@pytest.mark.parametrize("width", [390, 1280])
def test_the_bars_fill_their_row_and_can_be_told_apart(busy: SiteServer, open_tab: Any, width: int) -> None:
    page = open_tab(busy.url, width=width).page
    days = page.locator(".days").first
    box = days.bounding_box()
    row = page.locator(".server").first.bounding_box()
    assert box is not None
    assert row is not None
    assert box["width"] > row["width"] - 60
    assert box["height"] >= 40
    colors = page.eval_on_selector_all(".days rect", "all => [...new Set(all.map(e => getComputedStyle(e).fill))]")
    assert len(colors) >= 5


def test_links_lead_to_pages(busy: SiteServer, open_tab: Any) -> None:
    page = open_tab(busy.url).page
    page.click(".server h3 a >> text=Acme Files")
    assert page.url == f"{busy.url}/status/acme-files/"
    assert "Acme Files: down" in page.inner_text("h1")
    page.click(".incident a >> nth=1")
    assert "/incidents/inc_" in page.url
    assert "Acme Files: down for 4 h 00 m" in page.inner_text("h1")
    page.click(".brand")
    assert page.url == f"{busy.url}/"


def test_an_incident_is_read_from_the_front_page_to_its_notes(warned: SiteServer, open_tab: Any) -> None:
    page = open_tab(warned.url, width=390).page
    assert page.inner_text("h1") == "1 server is down"
    assert page.locator("section[aria-labelledby=warnings-title] .incident").count() == 4
    page.click("section[aria-labelledby=open-title] a >> text=Acme Files")
    assert "Acme Files: down, still open" in page.inner_text("h1")
    shown = page.eval_on_selector_all(".timeline li b", "all => all.map(e => e.innerText)")
    assert shown == ["Note", "Changed", "Acknowledged", "Goes up and down", "Confirmed", "First failing round"]
    page.goto(warned.url)
    page.click("text=Certificate ends soon")
    assert "Not counted as time down." in page.inner_text("main")


def test_a_calm_site_is_calm(calm: SiteServer, open_tab: Any) -> None:
    page = open_tab(calm.url).page
    assert page.inner_text("h1") == "All systems operational"
    assert page.title() == "All systems operational · Acme MCP status"
    assert page.locator(".incident").count() == 0


def test_maintenance_says_until_when_and_what_is_to_come(maintained: SiteServer, open_tab: Any) -> None:
    page = open_tab(maintained.url, width=390).page
    assert "maintenance until 22 Aug 2026, 16:34 UTC" in page.inner_text("article[aria-labelledby=s-acme-files]")
    shown = page.inner_text("section[aria-labelledby=maintenance]")
    assert shown.index("In progress") < shown.index("Scheduled")
    assert "New <disks>" in shown
    page.click("#s-acme-files a")
    assert "Maintenance until 22 Aug 2026, 16:34 UTC." in page.inner_text(".banner")
    assert page.locator("section[aria-labelledby=maintenance] article").count() == 4
