"""The search by keyboard: Ctrl+K, a few letters, Enter."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.conftest import StartServer
from tests.journeys.history import send_history
from tests.journeys.window import THEMES_AND_WIDTHS, BrowserWindow, BrowserWindows, Theme
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, Persona
from tests.programs.tickets import ticket
from tests.servers import Server
from tests.teams import create_teams

DELIVERY = "/insights/delivery/?range=26w&granularity=month"


@pytest.fixture(scope="module")
def searched_server(start_server: StartServer, request: pytest.FixtureRequest) -> Iterator[Server]:
    with start_server("web", "worker", "beat", named=f"{request.node.name}-search") as server:
        with server.database():
            create_teams()
            ticket(MANAGER, title="Flaky checks keep Platform waiting")
            ticket(EXECUTIVE, title="Flaky checks keep Search waiting", unit="search", owner="grace@example.com")
        send_history(server)
        yield server


def search(window: BrowserWindow, text: str) -> Page:
    page = window.page
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog", name="Search")).to_be_visible()
    field = page.get_by_role("combobox", name="Search")
    expect(field).to_be_focused()
    field.press_sequentially(text)
    return page


def arrived(page: Page, text: str) -> None:
    expect(page.locator(f"#palette-results > [data-of='{text}']")).to_be_visible()


@pytest.mark.parametrize("persona", [ADMIN, EXECUTIVE, MANAGER, MEMBER], ids=lambda persona: persona.name)
def test_a_metric_a_unit_and_a_ticket_open_from_the_keyboard(
    searched_server: Server, windows: BrowserWindows, persona: Persona
) -> None:
    window = windows.open(searched_server, as_=persona)
    window.go(DELIVERY)
    page = search(window, "cache hit rate")
    page.keyboard.press("Enter")  # before the answer is there
    page.wait_for_url(re.compile(r"/insights/metrics/ai\.cache_hit_rate/\?.*range=26w"))
    window.wait_until_loaded()

    page = search(window, "platform")
    arrived(page, "platform")
    expect(page.get_by_role("option", selected=True)).to_contain_text("Platform")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/insights/ai/\?unit=platform&range=26w"))
    window.wait_until_loaded()

    page = search(window, "checks platform waiting")
    arrived(page, "checks platform waiting")
    options = page.get_by_role("option")
    expect(options.filter(has_text="Search waiting")).to_have_count(0)
    expect(page.get_by_role("option", selected=True)).to_contain_text("Flaky checks keep Platform waiting")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/programs/tickets/\d+/"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Flaky checks keep Platform waiting")


def test_the_keys_move_through_the_list(searched_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(searched_server, as_=EXECUTIVE)
    window.go(DELIVERY)
    before = window.page.evaluate("document.activeElement.tagName")
    page = search(window, "checks")
    arrived(page, "checks")
    field, options = page.get_by_role("combobox", name="Search"), page.get_by_role("option")
    number = options.count()
    assert number > 3

    def chosen() -> int:
        expect(page.locator("#palette-results [aria-selected=true]")).to_have_count(1)
        selected = field.get_attribute("aria-activedescendant")
        assert page.locator("#palette-results [aria-selected=true]").get_attribute("id") == selected
        return [options.nth(place).get_attribute("id") for place in range(number)].index(selected)

    assert chosen() == 0
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert chosen() == 2
    page.keyboard.press("ArrowUp")
    assert chosen() == 1
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert chosen() == number - 1
    expect(page.locator("#palette-status")).to_contain_text("results")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Search")).to_be_hidden()
    expect(page.locator("#palette-text")).not_to_be_focused()
    assert page.evaluate("document.activeElement.tagName") == before
    assert page.url.endswith(DELIVERY)


def test_values_come_after_the_list_and_move_nothing(searched_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(searched_server, as_=EXECUTIVE)
    window.go(DELIVERY)
    page = search(window, "sessions")
    arrived(page, "sessions")
    page.keyboard.press("ArrowDown")
    chosen = page.get_by_role("option", selected=True).get_attribute("id")
    value = page.locator('[id="value-of-ai.sessions"]')
    expect(value).to_have_text(re.compile("^Hidden: fewer than 5 people"))
    expect(page.locator("#search-scope")).to_contain_text("Whole organisation")
    assert page.get_by_role("option", selected=True).get_attribute("id") == chosen
    expect(page.get_by_role("combobox", name="Search")).to_be_focused()
    window.go("/search/?q=sessions")
    expect(value).to_have_text(re.compile("^Hidden: fewer than 5 people"))


def test_a_new_tab_and_no_hits_and_nothing_typed(searched_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(searched_server, as_=EXECUTIVE)
    window.go("/insights/ai/?unit=search")
    page = window.page
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Search", exact=False).first.click()
    arrived(page, "")
    groups = page.locator("#palette-results [role=group]")
    expect(groups.first).to_have_attribute("aria-labelledby", "palette-group-1")
    expect(page.locator("#palette-group-1")).to_have_text("Recent units")
    field = page.get_by_role("combobox", name="Search")
    field.fill("xqzw")
    arrived(page, "xqzw")
    expect(page.locator("#palette-results")).to_contain_text("Nothing matches “xqzw”.")
    expect(field).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Search")).to_be_visible()
    field.fill("roadmap")
    arrived(page, "roadmap")
    with page.context.expect_page() as opened:
        page.keyboard.press("Control+Enter")
    assert "/programs/roadmap/" in opened.value.url
    expect(page.get_by_role("dialog", name="Search")).to_be_visible()


def test_enter_waits_for_the_answer_to_what_is_typed(searched_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(searched_server, as_=EXECUTIVE)
    window.go(DELIVERY)
    held: list[Route] = []
    window.page.route(re.compile(r"/search/\?"), lambda route: route.continue_() if held else held.append(route))
    page = search(window, "cache hit rate")
    page.wait_for_timeout(300)  # the palette waits 120 ms for more letters
    page.keyboard.press("Enter")
    with page.expect_navigation(url=re.compile(r"/insights/metrics/ai\.cache_hit_rate/")):
        held[0].continue_()  # the answer to the empty text comes first


def test_a_search_that_does_not_answer_opens_as_a_page(searched_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(searched_server, as_=EXECUTIVE)
    window.go(DELIVERY)
    with window.without_answers(re.compile(r"/search/\?")):
        page = search(window, "flaky checks")
        expect(page.get_by_role("dialog", name="Search").get_by_role("alert")).to_be_visible()
        page.wait_for_timeout(300)  # until no letter asks any more
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/search/\?q=flaky\+checks"))


@pytest.mark.parametrize(("theme", "width"), THEMES_AND_WIDTHS)
def test_the_palette_and_the_page_keep_nobody_out(
    searched_server: Server, windows: BrowserWindows, theme: Theme, width: int
) -> None:
    window = windows.open(searched_server, as_=EXECUTIVE, theme=theme, width=width)
    window.go(DELIVERY)
    for text in ("", "checks", "xqzw"):
        page = search(window, text)
        arrived(page, text)
        window.keep_picture(f"palette-{text or 'empty'}-{theme}-{width}")
        assert window.grave_barriers() == []
        assert not window.overflows()
        page.keyboard.press("Escape")
    for name, address in {"search": "/search/?q=checks", "docs": "/docs/", "doc": "/docs/access/"}.items():
        window.go(address)
        window.keep_picture(f"{name}-{theme}-{width}")
        assert window.grave_barriers() == [], name
        assert not window.overflows(), name
