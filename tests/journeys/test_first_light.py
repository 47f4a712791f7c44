"""From an empty installation to the first metrics, and how to use them."""

from __future__ import annotations

import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from bench.in_browser import pages_in_browser
from tests.journeys.window import HEIGHT, MOST_PIXELS, NARROW, WIDE, BrowserWindows
from tests.otlp import LogEvent, logs_request
from tests.pages import every_tab
from tests.personas import ADMIN, MEMBER
from tests.servers import Server

FOCUS_IS_IN_PANEL_OR_NOWHERE = """
    document.activeElement === document.body || document.getElementById("panel").contains(document.activeElement)
"""


def send_first_event(server: Server) -> None:
    """Send the event of a coding agent's first answered request."""
    request = logs_request(
        MEMBER.email,
        str(uuid.uuid4()),
        [
            LogEvent(
                "api_request",
                datetime.now(UTC) - timedelta(seconds=2),
                {
                    "model": "claude-sonnet-4-5",
                    "request_id": f"req_{uuid.uuid4().hex}",
                    "input_tokens": 1000,
                    "output_tokens": 234,
                },
            )
        ],
    )
    headers = {"Content-Type": "application/x-protobuf"}
    server.agent().post("/v1/logs", content=request.SerializeToString(), headers=headers).raise_for_status()


def test_the_first_event_turns_the_page_green_and_fills_the_tiles(
    empty_server: Server, windows: BrowserWindows
) -> None:
    window = windows.open(empty_server)
    page = window.page
    page.goto("/insights/ai/")
    expect(page).to_have_url(re.compile(r"/accounts/login/\?next=/insights/ai/"))
    window.keep_picture("sign-in")
    window.sign_in(MEMBER)

    window.go("/insights/ai/")
    expect(page.get_by_role("heading", name="Connect your first agent")).to_be_visible()
    expect(page.locator("#arrival")).to_contain_text("Waiting for the first event")
    expect(page.locator("pre").first).to_contain_text("OTEL_EXPORTER_OTLP_ENDPOINT")
    expect(page.locator("pre").first).to_contain_text(empty_server.url)
    assert window.grave_barriers() == []
    window.keep_picture("empty")

    send_first_event(empty_server)
    expect(page.locator("#arrival[data-arrived=true]")).to_be_visible()
    window.keep_picture("arrived")
    page.get_by_role("link", name="Open AI insights").click()
    expect(page.locator("[data-tile='ai.active_developers'] .hw-val").first).to_contain_text("1")
    expect(page.locator("[data-tile='ai.spend'] .hw-val").first).to_contain_text("$0.01")
    window.wait_until_loaded()
    window.keep_picture("first-figures")


def test_no_tab_of_a_young_installation_is_longer_than_agreed(empty_server: Server, windows: BrowserWindows) -> None:
    """With the facts of one session: most cards have nothing to show, and say so."""
    window = windows.open(empty_server, as_=ADMIN)
    send_first_event(empty_server)
    window.go("/insights/ai/")
    expect(window.page.get_by_role("heading", name="AI insights", level=1)).to_be_visible()
    heights = {}
    for address in ("/", *(page.path for page in (*every_tab.AI, *every_tab.DELIVERY))):
        window.go(address)
        for width in (WIDE, NARROW):
            window.page.set_viewport_size({"width": width, "height": HEIGHT})
            heights[address, width] = window.height()
    assert {page: height for page, height in heights.items() if height > MOST_PIXELS[page[1]]} == {}, heights


def test_an_open_page_follows_what_arrives(reporting_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(reporting_server, as_=MEMBER)
    window.go("/insights/ai/")
    sessions = window.page.locator("[data-tile='ai.lines_generated'], [data-tile='ai.spend']").first
    before = sessions.inner_text()
    for _ in range(3):
        send_first_event(reporting_server)
    expect(sessions).not_to_have_text(before)


@pytest.mark.soak
def test_the_bench_tells_when_a_page_is_complete(reporting_server: Server, settings: Any) -> None:
    settings.BASE_URL = reporting_server.url
    cookie = reporting_server.session_of(MEMBER)
    with ThreadPoolExecutor(1) as beside_the_browser_of_this_run:
        measure = partial(
            pages_in_browser, cookie, "AI page", first=["/insights/ai/?range=4"], again=["/insights/ai/"], rounds=2
        )
        first, again = beside_the_browser_of_this_run.submit(lambda: [*measure()]).result()
    assert [first.name, again.name] == ["AI page in a browser, first look", "AI page in a browser, again"]
    assert first.value > 0 < again.value


def test_filters_stand_in_the_address(reporting_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(reporting_server, as_=MEMBER)
    page = window.page
    window.go("/insights/ai/")
    spend_of_everything = window.tile("ai.spend")

    page.locator("#range-menu summary").click()
    page.locator("#range-menu").get_by_role("link", name="4 weeks").click()
    expect(page).to_have_url(re.compile(r"[?&]range=4"))
    page.locator("#filters > summary").click()
    page.locator("#facet-model summary").click()
    page.locator("#facet-model").get_by_role("link", name="claude-opus-4-1").click()
    expect(page).to_have_url(re.compile(r"[?&]model=claude-opus-4-1"))
    expect(page).to_have_url(re.compile(r"[?&]range=4"))
    window.wait_until_loaded()
    filtered = window.tile("ai.spend")
    assert filtered != spend_of_everything

    window.go(page.url)  # a shared address shows the same
    assert window.tile("ai.spend") == filtered
    page.get_by_role("link", name="Clear model").or_(page.get_by_role("link", name="Clear 1")).first.click()
    expect(page).not_to_have_url(re.compile(r"model="))


def test_a_menu_opened_before_the_scripts_are_there_fills_itself(
    reporting_server: Server, windows: BrowserWindows
) -> None:
    page = windows.open(reporting_server, as_=MEMBER).page
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/htmx.min*.js", hold)
    page.goto("/insights/ai/", wait_until="commit")
    page.locator("#filters > summary").click()
    page.locator("#facet-model summary").click()
    page.wait_for_function("document.querySelector('#facet-model').open")
    assert held, "the page asks for the script"
    held[0].continue_()
    expect(page.locator("#facet-model").get_by_role("link", name="claude-opus-4-1")).to_be_visible()


def test_a_menu_asks_again_for_what_did_not_come(reporting_server: Server, windows: BrowserWindows) -> None:
    page = windows.open(reporting_server, as_=MEMBER).page
    failed: list[Route] = []

    def fail_once(route: Route) -> None:
        if failed:
            route.continue_()
        else:
            failed.append(route)
            route.abort()

    page.route("**/parts/models/**", fail_once)
    page.goto("/insights/ai/")
    before = list(windows.complaints)
    page.locator("#filters > summary").click()
    page.locator("#facet-model summary").click()
    expect(page.locator("#facet-model").get_by_role("link", name="claude-opus-4-1")).to_be_visible()
    assert failed
    windows.complaints[:] = before  # the request that failed is told of


def test_a_filter_bar_that_folds_moves_nothing_below_it(reporting_server: Server, windows: BrowserWindows) -> None:
    """A press of the mouse that scrolls the page to its top must end on what it began on."""
    window = windows.open(reporting_server, as_=MEMBER)
    window.go("/insights/ai/spend/")
    bar = window.page.locator(".hw-filter")
    place_of_a_card = "scrollY + document.querySelector('[data-chart-card]').getBoundingClientRect().top"
    before = window.page.evaluate(place_of_a_card)
    window.page.evaluate("scrollTo(0, 800)")
    expect(bar).to_have_class(re.compile("is-folded"))
    window.keep_picture("folded")
    assert window.page.evaluate(place_of_a_card) == pytest.approx(before, abs=1)
    wide = window.page.viewport_size
    assert wide
    window.page.set_viewport_size({"width": 600, "height": wide["height"]})
    expect(bar).to_have_css("margin-bottom", "0px")  # narrow windows do not fold it
    window.page.set_viewport_size(wide)
    expect(bar).not_to_have_css("margin-bottom", "0px")
    window.page.evaluate("scrollTo(0, 0)")
    expect(bar).not_to_have_class(re.compile("is-folded"))
    assert window.page.evaluate(place_of_a_card) == pytest.approx(before, abs=1)


def test_a_chart_is_no_wider_than_its_card_while_it_loads(reporting_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(reporting_server, as_=MEMBER)
    window.page.route("**/charts/**", lambda route: None)  # never answered
    window.page.goto("/insights/ai/")
    canvases = window.page.locator("canvas[data-chart]")
    widths = canvases.evaluate_all("all => all.map(canvas => [canvas.offsetWidth, canvas.parentElement.offsetWidth])")
    assert widths
    assert all(canvas <= parent for canvas, parent in widths)


def test_every_number_can_be_opened(reporting_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(reporting_server, as_=MEMBER)
    page = window.page
    window.go("/insights/ai/spend/")
    window.keep_picture(f"ai-light-{WIDE}")
    assert not window.overflows()
    assert window.grave_barriers() == []
    panel = page.locator("dialog#panel")
    opener = page.locator("[data-tile='ai.spend'] a.hw-tile-link").first

    opener.click()
    expect(panel).to_be_visible()
    expect(panel.get_by_role("heading", name="Formula")).to_be_visible()
    window.wait_until_loaded()
    assert window.grave_barriers() == []
    window.keep_picture("how-computed")
    for _ in range(25):  # the keyboard stays inside while the panel is open
        page.keyboard.press("Tab")
        assert page.evaluate(FOCUS_IS_IN_PANEL_OR_NOWHERE)
    page.keyboard.press("Escape")
    expect(panel).not_to_be_visible()
    expect(opener).to_be_focused()

    page.locator("[data-tile='ai.spend']").hover()
    page.locator("[data-tile='ai.spend'] a[title='Show rows']").click()
    expect(panel.locator("table tbody tr").first).to_be_visible()
    window.wait_until_loaded()
    window.keep_picture("rows")
    page.keyboard.press("Escape")
    expect(panel).not_to_be_visible()
    a_chart_is_a_table_and_a_file_too(page)


def a_chart_is_a_table_and_a_file_too(page: Page) -> None:
    card = page.locator("[data-chart-card]").first
    card.locator("[data-chart-table-toggle]").click()
    rows = card.locator("[data-chart-table] table tbody tr")
    expect(rows.first).to_be_visible()

    with page.expect_download() as download:
        card.locator("a[download]").click()
    text = download.value.path().read_text()
    assert len(text.splitlines()) == rows.count() + 1  # and a line of column names


def test_the_page_keeps_nobody_out_and_fits_a_narrow_dark_window(
    reporting_server: Server, windows: BrowserWindows
) -> None:
    window = windows.open(reporting_server, as_=MEMBER, theme="dark", width=NARROW)
    window.go("/insights/ai/")
    window.keep_picture(f"ai-dark-{NARROW}")
    assert not window.overflows()
    assert window.grave_barriers() == []


def test_an_admin_makes_a_token_without_a_shell(reporting_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(reporting_server, as_=ADMIN)
    page = window.page
    window.go("/setup/agents/")
    page.get_by_label("Name of the token").fill("Team laptops")
    page.get_by_role("button", name="Create a token").click()
    token = page.locator("#ingest-token").inner_text()
    expect(page.locator("pre").first).to_contain_text(token)
    window.go("/setup/agents/")
    expect(page.locator("#ingest-token")).to_have_count(0)  # shown once
