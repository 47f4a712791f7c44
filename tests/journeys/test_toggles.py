"""A toggle of the AI and the delivery page swaps its card: the page stays where it is, and so does the focus."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.conftest import StartServer
from tests.journeys.history import send_history, wait_until_copied
from tests.journeys.test_delivery import push_records
from tests.journeys.window import (
    HEIGHT,
    MOST_PIXELS,
    NARROW,
    THEMES_AND_WIDTHS,
    WIDE,
    BrowserWindow,
    BrowserWindows,
    Theme,
)
from tests.pages import every_tab
from tests.patience import PATIENCE_SECONDS
from tests.personas import ADMIN
from tests.servers import Server

AI, DELIVERY = "/insights/ai/", "/insights/delivery/"
PAGES = [page.path for page in (*every_tab.AI, *every_tab.DELIVERY)]
METRICS = [f"/insights/metrics/{key}/" for key in ("pr.cycle_time", "ai.spend", "dora.change_failure_rate")]
OTHER_OPTIONS = "main a[data-pick]:not([aria-current]), .hw-filter a[data-pick]:not([aria-current])"

PLACE = "link => [scrollY, link.getBoundingClientRect().top].map(Math.round)"
# When the click comes: to click a link that is being replaced, the test's own mouse scrolls first.
NOTE_PLACE_AT_CLICK = f"""
    const note = (click) => (window.placeAtClick = ({PLACE})(click.target.closest("a")));
    document.addEventListener("click", note, {{ capture: true, once: true }});
"""


@pytest.fixture(scope="module")
def server(start_server: StartServer, request: pytest.FixtureRequest) -> Iterator[Server]:
    """An installation with sessions, pull requests and deployments."""
    with start_server("web", "worker", "beat", named=f"{request.node.name}-toggles") as server:
        send_history(server)
        push_records(server)
        wait_until_copied(server)
        yield server


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("address", PAGES)
def test_a_toggle_leaves_scroll_position_and_focus(
    server: Server, windows: BrowserWindows, address: str, width: int
) -> None:
    window = windows.open(server, as_=ADMIN, width=width)
    page = window.page
    window.go(address)
    page.evaluate("window.isSamePage = true")
    options = page.locator(OTHER_OPTIONS).evaluate_all("links => links.map(link => link.id)")
    assert options
    moved = {}
    for option in options:
        before, after = toggled(window, option)
        # Data that arrives meanwhile may change what is above; then the browser scrolls to hold the toggle in place.
        if before[0] != after[0] and before[1] != after[1]:
            moved[option] = (before, after)
    assert moved == {}
    assert page.evaluate("window.isSamePage"), "no toggle opened a page"


def toggled(window: BrowserWindow, option: str) -> tuple[list[int], list[int]]:
    """The scroll position and the toggle's place on the screen, at the click and afterwards."""
    link = window.page.locator(f"[id='{option}']")
    link.evaluate("link => link.scrollIntoView({ block: 'center' })")
    window.page.wait_for_function("() => new Promise(done => requestAnimationFrame(() => done(true)))")
    window.page.evaluate(f"() => {{ {NOTE_PLACE_AT_CLICK} }}")
    link.click()
    window.page.wait_for_url(lambda url: option.removeprefix("pick-").partition("-")[0] in url or "range=" in url)
    window.wait_until_loaded()
    expect(link).to_have_attribute("aria-current", "true")
    expect(link).to_be_focused()
    return window.page.evaluate("placeAtClick"), link.evaluate(f"link => ({PLACE})(link)")


class NewData:
    """Data that arrives while a page is open: the test announces it, and answers what the page asks for then."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._is_new = False
        self._held: list[Route] = []
        page.route("**/insights/pulse/", self._beat)
        page.route(lambda url: "/insights/ai/adoption/" in url, self._hold)

    def announce(self) -> None:
        self._is_new = True

    def next_request(self, *, address: str, of: str = "fetch") -> Route:
        """A script's request for an address with that end; of a toggle's, `of` is the xhr."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            for route in self._held:
                if route.request.url.endswith(address) and route.request.resource_type == of:
                    self._held.remove(route)
                    return route
            self._page.wait_for_timeout(50)
        raise AssertionError(f"{address} was not asked for, but {[route.request.url for route in self._held]}")

    def _beat(self, route: Route) -> None:
        if self._is_new:
            self._is_new = False
            route.fulfill(status=204, headers={"ETag": '"new"'})
        else:
            route.fulfill(status=304)

    def _hold(self, route: Route) -> None:
        is_chart = "/charts/" in route.request.url or "/parts/" in route.request.url
        if is_chart or route.request.resource_type not in ("fetch", "xhr"):
            route.fallback()
        else:
            self._held.append(route)


def answer_with_another_state(route: Route) -> None:
    """The page as it is when a chart of it has got, or lost, its figures."""
    answer = route.fetch()
    route.fulfill(response=answer, body=answer.text().replace('data-chart-state="value"', 'data-chart-state="stale"'))


def open_adoption(server: Server, windows: BrowserWindows) -> tuple[BrowserWindow, NewData]:
    window = windows.open(server, as_=ADMIN)
    window.go("/insights/ai/adoption/")
    window.page.evaluate("window.isSamePage = true")
    return window, NewData(window.page)


def choose(window: BrowserWindow, data: NewData, group: str) -> None:
    """Toggle the denominator of adoption."""
    link = window.page.locator(f"#pick-developers-{group}")
    link.click()
    data.next_request(address=f"developers={group}", of="xhr").continue_()
    expect(link).to_have_attribute("aria-current", "true")
    expect(link).to_be_focused()


def test_new_data_takes_no_choice_and_no_focus(server: Server, windows: BrowserWindows) -> None:
    window, data = open_adoption(server, windows)
    everybody, card = window.page.locator("#pick-developers-everybody"), window.page.locator("#chart-adoption")
    data.announce()
    before_choice = data.next_request(address="/adoption/")
    choose(window, data, "everybody")
    answer_with_another_state(before_choice)  # too late: the reader has chosen something else
    answer_with_another_state(data.next_request(address="developers=everybody"))
    expect(card).to_have_attribute("data-chart-state", "stale")
    expect(everybody).to_have_attribute("aria-current", "true")
    expect(everybody).to_be_focused()
    choose(window, data, "licensed")
    assert window.page.evaluate("window.isSamePage"), "what new data brought is a toggle, too"


def test_new_data_loses_no_toggle_that_is_under_way(server: Server, windows: BrowserWindows) -> None:
    window, data = open_adoption(server, windows)
    by_type = window.page.locator("#pick-code-file_type")
    data.announce()
    before_choice = data.next_request(address="/adoption/")
    by_type.click()
    toggle = data.next_request(address="code=file_type", of="xhr")
    with window.page.expect_request_finished(lambda request: request == before_choice.request):
        answer_with_another_state(before_choice)
    toggle.continue_()
    expect(by_type).to_have_attribute("aria-current", "true")
    expect(by_type).to_be_focused()


@pytest.mark.parametrize(("theme", "width"), THEMES_AND_WIDTHS)
def test_no_tab_is_longer_than_agreed_or_keeps_anybody_out(
    server: Server, windows: BrowserWindows, theme: Theme, width: int
) -> None:
    window = windows.open(server, as_=ADMIN, theme=theme, width=width)
    heights, barriers = {}, {}
    for address in ("/", *PAGES, *METRICS):
        window.go(address)
        window.keep_picture(f"tab{address.replace('/', '-')}{width}")
        heights[address], barriers[address] = window.height(), window.grave_barriers()
        assert not window.overflows(), address
    assert {address: height for address, height in heights.items() if height > MOST_PIXELS[width]} == {}, heights
    assert {address: found for address, found in barriers.items() if found} == {}


def test_the_overview_of_ai_stands_on_one_screen(server: Server, windows: BrowserWindows) -> None:
    """The whole page, once the trial and its banner are over."""
    window = windows.open(server, as_=ADMIN)
    window.go("/insights/ai/")
    banner = window.page.evaluate("document.querySelector('.hw-banner.across').getBoundingClientRect().height")
    assert window.height() - banner <= HEIGHT


def test_an_address_from_before_the_tabs_leads_to_one(server: Server, windows: BrowserWindows) -> None:
    window = windows.open(server, as_=ADMIN)
    for old, tab in (("?range=4w#leaderboard", "developers"), ("#money", "spend"), ("#usage", "usage")):
        window.page.goto(f"{AI}{old}")
        window.page.wait_for_url(re.compile(f"{AI}{tab}/"))
    window.page.goto(f"{DELIVERY}?range=4w#quality")
    window.page.wait_for_url(re.compile("/quality/.*range=4w"))


def test_toggles_add_up_and_back_and_forward_work(server: Server, windows: BrowserWindows) -> None:
    window = windows.open(server, as_=ADMIN)
    page = window.page
    window.go(DELIVERY)
    toggled(window, "pick-granularity-month")
    toggled(window, "pick-statistic-mean")
    assert "granularity=month" in page.url
    assert "statistic=mean" in page.url
    with page.expect_event("load"):  # pages that one goes back to are read anew
        page.go_back()
    window.wait_until_loaded()
    assert "statistic" not in page.url
    expect(page.locator("#pick-statistic-median")).to_have_attribute("aria-current", "true")
    with page.expect_event("load"):
        page.go_forward()
    window.wait_until_loaded()
    expect(page.locator("#pick-statistic-mean")).to_have_attribute("aria-current", "true")
    # what was not swapped keeps the choice, too
    page.locator("#range-menu summary").click()
    page.get_by_role("link", name="4 weeks").click()
    window.wait_until_loaded()
    assert "statistic=mean" in page.url
    assert "granularity=month" in page.url


def test_without_a_script_a_toggle_is_a_link(server: Server) -> None:
    page = server.browse(as_=ADMIN).get(f"{DELIVERY}?granularity=month").text
    assert 'id="pick-statistic-mean"' in page
    assert "granularity=month&amp;statistic=mean" in page
