"""The delivery page and the unit comparison in a browser, with pushed records."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Route, expect

from tests.conftest import StartServer
from tests.journeys.history import wait_until_copied
from tests.journeys.window import NARROW, WIDE, BrowserWindows
from tests.pages.delivering import records
from tests.patience import wait_until
from tests.personas import ADMIN
from tests.servers import Server

DELIVERY, COMPARE = "/insights/delivery/", "/insights/compare/"
LEAD_TIME = f"{DELIVERY}lead-time/"


@pytest.fixture(scope="module")
def shop(start_server: StartServer, request: pytest.FixtureRequest) -> Iterator[Server]:
    """Six changes, each reviewed and deployed; the first deployment failed."""
    with start_server("web", "worker", "beat", named=f"{request.node.name}-shop") as server:
        push_records(server)
        wait_until_copied(server)
        yield server


@pytest.fixture
def quiet_shop(start_server: StartServer, request: pytest.FixtureRequest) -> Iterator[Server]:
    """The same shop before it pushed anything."""
    with start_server("web", "worker", "beat", named=request.node.name) as server:
        _ = server.ingest_token
        yield server


def push_records(server: Server) -> None:
    for kind, of_kind in records().items():
        server.pipeline().post(f"/ingest/v1/{kind}/", json={"records": of_kind}).raise_for_status()


def test_the_page_tells_where_lead_time_goes_and_keeps_nobody_out(shop: Server, windows: BrowserWindows) -> None:
    window = windows.open(shop, as_=ADMIN)
    window.go(DELIVERY)
    page = window.page
    expect(page.locator("[data-tile='dora.lead_time'] .hw-val").first).to_contain_text("10.5")  # once it is counted
    expect(page.locator("#stages-now")).to_contain_text("Pickup is the bottleneck: 38% of lead time")
    window.keep_picture(f"delivery-overview-light-{WIDE}")
    assert window.grave_barriers() == []
    page.get_by_role("navigation", name="Parts of this page").get_by_role("link", name="Lead time").click()
    expect(page.locator("#slowest")).to_contain_text("Change 1")
    page.locator("#chart-stages").get_by_role("button", name="as a table").click()
    expect(page.locator("#chart-stages table")).to_contain_text("Pickup")
    window.keep_picture(f"delivery-light-{WIDE}")
    assert window.grave_barriers() == []


def test_what_arrives_while_the_page_loads_comes_into_it(quiet_shop: Server, windows: BrowserWindows) -> None:
    """Its script begins to ask for news after the figures it was made with have become old."""
    window = windows.open(quiet_shop, as_=ADMIN)
    page = window.page
    colleague = quiet_shop.browse(as_=ADMIN)

    def come_late(script: Route) -> None:
        push_records(quiet_shop)
        wait_until(lambda: "10.5" in colleague.get(DELIVERY).text, what="lead time is counted")
        script.continue_()

    page.route("**/live*.js", come_late)
    page.goto(LEAD_TIME)
    expect(page.locator("#stages-now")).to_contain_text("10.5")
    page.locator("#chart-stages").get_by_role("button", name="as a table").click()
    expect(page.locator("#chart-stages table")).to_contain_text("Pickup")


def test_a_chart_stays_a_table_when_its_page_learns_of_new_facts(shop: Server, windows: BrowserWindows) -> None:
    window = windows.open(shop, as_=ADMIN)
    window.go(f"{DELIVERY}efficiency/")
    page = window.page
    card = page.locator("[data-chart-card]").first
    button = card.get_by_role("button", name="as a table")
    button.click()
    expect(card.get_by_role("table")).to_be_visible()
    with page.expect_response("**/charts/**"):
        page.evaluate("document.dispatchEvent(new CustomEvent('headway:facts'))")
    expect(card.get_by_role("table")).to_be_visible()
    button.click()
    expect(card.get_by_role("table")).not_to_be_visible()


def test_another_statistic_and_another_spread_are_a_click_away(shop: Server, windows: BrowserWindows) -> None:
    window = windows.open(shop, as_=ADMIN)
    window.go(DELIVERY)
    page = window.page
    page.get_by_role("group", name="Durations are shown as").get_by_role("link", name="P90").click()
    window.wait_until_loaded()
    expect(page.locator('[data-tile="dora.lead_time"]')).to_contain_text("Lead time for changes, p90")
    page.get_by_role("navigation", name="Parts of this page").get_by_role("link", name="Lead time").click()
    page.locator("#chart-spread").get_by_role("link", name="Cycle time").click()
    window.wait_until_loaded()
    expect(page.locator("#chart-spread")).to_contain_text("Cycle time distribution")
    expect(page).to_have_url(f"{shop.url}{LEAD_TIME}?range=12w&statistic=p90&spread=pr.cycle_time")


def test_the_slowest_pull_request_opens(shop: Server, windows: BrowserWindows) -> None:
    window = windows.open(shop, as_=ADMIN)
    window.go(LEAD_TIME)
    window.page.locator("#slowest").get_by_role("link", name="Change 1").click()
    window.wait_until_loaded()
    expect(window.page.get_by_role("heading", level=1)).to_contain_text("Change 1")


@pytest.mark.parametrize("address", [DELIVERY, COMPARE], ids=["delivery", "compare"])
def test_it_fits_a_narrow_dark_window(shop: Server, windows: BrowserWindows, address: str) -> None:
    window = windows.open(shop, as_=ADMIN, theme="dark", width=NARROW)
    window.go(address)
    window.keep_picture(f"{address.split('/')[2]}-full-dark-{NARROW}")
    assert not window.overflows()


def test_metrics_of_a_comparison_are_chosen_from_a_menu(shop: Server, windows: BrowserWindows) -> None:
    window = windows.open(shop, as_=ADMIN)
    window.go(COMPARE)
    page = window.page
    page.locator("#metrics-menu summary").click()
    menu = page.locator("#metrics-menu form")
    menu.get_by_label("Pull request size").uncheck()
    menu.get_by_role("combobox", name="Add a metric").fill("cycle time")
    menu.get_by_role("option", name="Cycle time", exact=True).click()
    assert window.grave_barriers() == []
    menu.get_by_role("button", name="Compare").click()
    window.wait_until_loaded()
    assert "pr.cycle_time" in page.url
    assert "pr.size" not in page.url
    assert window.grave_barriers() == []
