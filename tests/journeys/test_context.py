"""Unit and window travel with every click, for each role."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.conftest import StartServer
from tests.journeys.history import send_history
from tests.journeys.window import BrowserWindow, BrowserWindows
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, Persona
from tests.servers import Server
from tests.teams import create_teams

AI = "/insights/ai/"
# Whom each role asks about: a unit that it chooses, or what it sees by default.
CHOSEN = {ADMIN: "unit=search&", EXECUTIVE: "unit=platform&", MANAGER: "unit=platform&", MEMBER: ""}
CLICKS = (  # in the navigation
    *("Delivery", "Compare units", "Overview", "Objectives", "Roadmap", "Action plans"),
    *("AI costs", "AI readiness", "Home", "AI"),
)


@pytest.fixture(scope="module")
def team_server(start_server: StartServer, request: pytest.FixtureRequest) -> Iterator[Server]:
    with start_server("web", "worker", "beat", named=f"{request.node.name}-teams") as server:
        with server.database():
            create_teams()
        send_history(server)
        yield server


def unit(window: BrowserWindow) -> str:
    return window.page.get_by_role("navigation", name="Unit").locator("[aria-current=true]").inner_text()


@pytest.mark.parametrize("persona", CHOSEN, ids=lambda persona: persona.name)
def test_ten_clicks_keep_unit_and_window(team_server: Server, windows: BrowserWindows, persona: Persona) -> None:
    window = windows.open(team_server, as_=persona)
    page, navigation = window.page, window.page.get_by_role("navigation", name="Main")
    if persona is ADMIN:  # whose home is the guided start until it is left
        window.go("/")
        page.get_by_role("button", name="Skip for now").click()
    window.go(f"{AI}?{CHOSEN[persona]}range=26w&granularity=month")
    chosen = unit(window)
    lost = []
    for entry in CLICKS:
        page.evaluate("for (const fold of document.querySelectorAll('[data-fold]')) fold.open = true")
        navigation.get_by_role("link", name=entry, exact=True).click()
        window.wait_until_loaded()
        if unit(window) != chosen:
            lost.append(f"{entry}: {unit(window)}")
        if page.locator("#range-menu").count() and "26 weeks" not in page.locator("#range-menu summary").inner_text():
            lost.append(f"{entry}: {page.url}")
    assert lost == []
    expect(page.get_by_role("group", name="Granularity").locator("[aria-current=true]")).to_have_text("Month")


def test_a_bare_address_takes_the_context_of_the_session(team_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(team_server, as_=EXECUTIVE)
    page = window.page
    window.go(f"{AI}?unit=platform&range=4w&agent=claude_code")
    for address in ("/insights/delivery/", "/insights/metrics/ai.spend/", "/insights/ai/leaderboard/", AI):
        window.go(address)
        assert unit(window) == "Platform", address
        expect(page.locator("#range-menu summary")).to_contain_text("4 weeks")
    window.go("/")
    assert unit(window) == "Platform"
    page.get_by_role("link", name="Open AI insights").click()
    expect(page.locator("#facet-agent summary")).to_contain_text("Claude Code")
    page.get_by_role("navigation", name="Unit").get_by_role("link", name="Whole organisation").click()
    window.go(AI)
    assert unit(window) == "Whole organisation"


def test_a_page_is_saved_as_a_view_and_opened_again(team_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(team_server, as_=EXECUTIVE)
    page = window.page
    window.go(f"{AI}usage/?unit=platform&range=26w")
    page.locator("#views-menu summary").click()
    page.get_by_role("link", name="Save this view").click()
    panel = page.get_by_role("dialog")
    panel.get_by_label("Title").fill("Usage of half a year")
    assert window.grave_barriers() == []
    panel.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The view “Usage of half a year” is saved.")).to_be_visible()
    window.go("/?unit=search&range=4w")
    page.get_by_role("navigation", name="Saved views").get_by_role("link", name="Usage of half a year").click()
    window.wait_until_loaded()
    assert (unit(window), page.url.partition("?")[0]) == ("Platform", f"{team_server.url}{AI}usage/")
    expect(page.locator("#range-menu summary")).to_contain_text("26 weeks")
    window.go("/insights/views/")
    assert window.grave_barriers() == []
    page.get_by_role("link", name="Rename, share or delete").click()
    panel.get_by_label("Everybody").check()
    panel.get_by_role("button", name="Save").click()
    expect(page.get_by_role("cell", name="Shared with everybody")).to_be_visible()
    page.get_by_role("link", name="Rename, share or delete").click()
    panel.get_by_role("button", name="Delete the view").click()
    expect(page.get_by_text("No saved views yet").first).to_be_visible()
