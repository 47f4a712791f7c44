"""The scripts of the pages, in a real Chromium: charts, side panel, theme, navigation, copying.

The components page holds every component in every state, so one page tells it all.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import StartServer
from tests.journeys.window import NARROW, WIDE, BrowserWindow, BrowserWindows, Theme
from tests.personas import ADMIN
from tests.servers import Server

pytestmark = pytest.mark.browser
COMPONENTS = "/setup/components/"
BROKEN = "**/setup/components/chart/broken/"


@pytest.fixture(scope="module")
def web_server(start_server: StartServer) -> Iterator[Server]:
    with start_server("web", named="look") as server:
        yield server


@pytest.fixture
def components(web_server: Server, windows: BrowserWindows) -> BrowserWindow:
    return opened(web_server, windows)


def opened(server: Server, windows: BrowserWindows, *, theme: Theme = "light", width: int = WIDE) -> BrowserWindow:
    window = windows.open(server, as_=ADMIN, theme=theme, width=width)
    # One chart of the page fails on purpose; the journey would count that as a complaint.
    window.page.route(BROKEN, lambda route: route.fulfill(json={"detail": "It took too long."}, status=200))
    window.page.goto(COMPONENTS)
    wait_for_charts(window.page)
    return window


def wait_for_charts(page: Page) -> None:
    """The policy forbids evaluating text, which Playwright's own waiting for an expression does."""
    expect(page.locator("[data-plot][data-state=loading]")).to_have_count(0)


def test_the_components_of_a_wide_light_window(components: BrowserWindow, subtests: pytest.Subtests) -> None:
    """In one window, for the page takes seconds to draw: none of these leaves a trace on what the next one uses."""
    components.keep_picture(f"components-light-{WIDE}")
    for check in (
        keeps_nobody_out_and_fits,
        the_table_view_has_the_figures_of_the_chart,
        a_donut_says_so_many_of_so_many,
        a_legend_entry_hides_its_series,
        a_comparison_draws_two_lines_and_others_on_demand,
        the_panel_takes_the_focus_and_gives_it_back,
        copying_says_that_it_was_done,
    ):
        with subtests.test(check.__name__):
            check(components)


def test_the_components_of_a_narrow_dark_window(
    web_server: Server, windows: BrowserWindows, subtests: pytest.Subtests
) -> None:
    window = opened(web_server, windows, theme="dark", width=NARROW)
    window.keep_picture(f"components-dark-{NARROW}")
    for check in (keeps_nobody_out_and_fits, the_navigation_opens_and_closes, paper_is_light):
        with subtests.test(check.__name__):
            check(window)


def keeps_nobody_out_and_fits(window: BrowserWindow) -> None:
    assert window.grave_barriers(of_components=True) == []
    assert not window.overflows()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_sign_in_and_errors_keep_nobody_out(web_server: Server, windows: BrowserWindows, theme: Theme) -> None:
    window = windows.open(web_server, theme=theme)
    window.page.goto("/accounts/login/")
    window.keep_picture(f"sign-in-{theme}")
    assert window.grave_barriers(of_components=True) == []


def the_table_view_has_the_figures_of_the_chart(components: BrowserWindow) -> None:
    card = components.page.locator("#chart-agents")
    toggle = card.get_by_role("button", name="Show Active users by agent as a table")
    toggle.click()
    table = card.get_by_role("table", name="Active users by agent")
    expect(table.get_by_role("columnheader", name="Claude Code")).to_be_visible()
    expect(table.get_by_role("row", name="6 Jul")).to_contain_text("31.0%")
    expect(card.locator("canvas")).to_be_hidden()
    toggle.click()
    expect(card.locator("canvas")).to_be_visible()


def a_donut_says_so_many_of_so_many(components: BrowserWindow) -> None:
    card = components.page.locator("#chart-adoption")
    expect(card.locator("[data-chart-centre]")).to_contain_text("148/186")
    expect(card.locator("[data-chart-list] li").first).to_contain_text("80%")


def a_legend_entry_hides_its_series(components: BrowserWindow) -> None:
    entry = components.page.locator("#chart-spend").get_by_role("button", name="Cursor")
    entry.click()
    expect(entry).to_have_attribute("aria-pressed", "false")


def a_comparison_draws_two_lines_and_others_on_demand(components: BrowserWindow) -> None:
    card = components.page.locator("#chart-compared")
    legend = card.locator("[data-chart-legend]")
    expect(legend).to_contain_text("Incomplete week")
    entries = legend.get_by_role("button")
    assert entries.all_inner_texts() == ["Claude Code", "Gemini"]
    gemini = entries.filter(has_text="Gemini")
    expect(gemini).to_have_attribute("aria-pressed", "false")
    gemini.click()
    expect(gemini).to_have_attribute("aria-pressed", "true")
    components.keep_picture("comparison")
    card.get_by_role("button", name="Show Cycle time as a table").click()
    rows = card.get_by_role("rowheader")
    expect(rows.first).to_contain_text("incomplete week")
    expect(rows.last).to_contain_text("week to date")
    expect(card.get_by_role("table")).to_contain_text("10.8 days")  # drawn at the edge, whole in the table


def test_a_chart_that_failed_says_why_and_can_be_retried(components: BrowserWindow) -> None:
    page = components.page
    card = page.locator("#chart-empty")
    expect(card).to_contain_text("No data to draw")
    page.route("**/chart/agents/", lambda route: route.fulfill(body="<p>proxy</p>", content_type="text/html"))
    page.reload()
    failed = page.locator("#chart-agents")
    expect(failed.get_by_role("alert")).to_contain_text("Your filters are kept")
    page.unroute("**/chart/agents/")
    failed.get_by_role("button", name="Try again").click()
    expect(failed.locator("[data-plot]")).to_have_attribute("data-state", "ready")


def the_panel_takes_the_focus_and_gives_it_back(components: BrowserWindow) -> None:
    page = components.page
    opener = page.locator("#chart-agents .hw-i")
    opener.press("Enter")
    panel = page.get_by_role("dialog", name="Committed code from AI")
    expect(panel).to_be_visible()
    expect(panel.get_by_role("heading", name="Committed code from AI")).to_be_focused()
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
    components.keep_picture("panel")
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    expect(opener).to_be_focused()


def test_a_panel_that_failed_says_why_and_can_be_retried(components: BrowserWindow, windows: BrowserWindows) -> None:
    page = components.page
    page.route("**/setup/components/panel/", lambda route: route.fulfill(status=503, body="busy"))
    page.locator("#chart-agents .hw-i").click()
    panel = page.locator("#panel")
    expect(panel.get_by_role("alert")).to_contain_text("The server answered 503")
    page.unroute("**/setup/components/panel/")
    panel.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Committed code from AI")).to_be_visible()
    assert all("503" in complaint for complaint in windows.complaints)
    windows.complaints.clear()  # the failure was wanted


def test_a_chosen_theme_stays_and_redraws_the_charts(components: BrowserWindow) -> None:
    page = components.page
    before = page.locator("#chart-trend canvas").screenshot()
    page.locator("nav summary[aria-label=Theme]").click()
    page.get_by_role("button", name="Dark").click()
    root = page.locator("html")
    expect(root).to_have_attribute("data-bs-theme", "dark")
    wait_for_charts(page)
    assert page.locator("#chart-trend canvas").screenshot() != before
    page.goto("/admin/")
    expect(root).to_have_attribute("data-theme", "dark")
    page.locator("summary[aria-label=Theme]").click()
    page.get_by_role("button", name="Automatic").click()
    expect(root).to_have_attribute("data-bs-theme", "light")


def the_navigation_opens_and_closes(window: BrowserWindow) -> None:
    page = window.page
    home = page.get_by_role("navigation", name="Main").get_by_role("link", name="Home")
    expect(home).to_be_hidden()
    opener = page.get_by_role("button", name="Open the navigation")
    opener.click()
    expect(home).to_be_visible()
    page.keyboard.press("Escape")
    expect(home).to_be_hidden()
    expect(opener).to_be_focused()


def copying_says_that_it_was_done(components: BrowserWindow) -> None:
    page = components.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert "CLAUDE_CODE_ENABLE_TELEMETRY" in page.evaluate("navigator.clipboard.readText()")


def paper_is_light(window: BrowserWindow) -> None:
    page = window.page
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    background = page.evaluate("getComputedStyle(document.querySelector('.hw-card')).backgroundColor")
    assert background == "rgb(255, 255, 255)"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
