"""A dashboard in a browser: made, arranged by keyboard, published, shared, seen by another role, set as home."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from insights.models import Dashboard
from tests.conftest import StartServer
from tests.journeys.history import send_history
from tests.journeys.window import NARROW, WIDE, BrowserWindows
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, create_user
from tests.servers import Server
from tests.teams import create_teams

LIST = "/insights/dashboards/"


@pytest.fixture(scope="module")
def shared_server(start_server: StartServer, request: pytest.FixtureRequest) -> Iterator[Server]:
    with start_server("web", "worker", "beat", named=f"{request.node.name}-dashboards") as server:
        with server.database():
            create_teams()
            for persona in (ADMIN, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER):
                create_user(persona)
        send_history(server)
        yield server


def names(page: Page) -> list[str]:
    listed: list[str] = page.locator("[data-card]").evaluate_all("cards => cards.map((card) => card.dataset.name)")
    return listed


def stored(server: Server) -> Dashboard:
    with server.database():
        return Dashboard.objects.get()


def test_it_is_made_arranged_published_shared_and_seen(shared_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(shared_server, as_=EXECUTIVE)
    page = window.page
    window.go(LIST)
    assert window.grave_barriers() == []
    page.get_by_role("link", name="New dashboard").click()
    page.get_by_role("button", name="Use the template Engineering leader").click()
    expect(page.get_by_role("heading", name="Why are we late?", level=1)).to_be_visible()
    window.wait_until_loaded()
    assert window.grave_barriers() == []
    says, started = page.locator("#dash-says"), names(page)

    first = page.locator("[data-card]").first
    first.focus()
    expect(page.locator("#dash-keys")).to_contain_text(f"{started[0]} selected")
    page.keyboard.press("ArrowRight")
    expect(says).to_have_text(f"{started[0]} is now card 2 of {len(started)}.")
    page.keyboard.press("Shift+ArrowRight")
    expect(says).to_have_text(f"{started[0]} is 4 of 12 columns wide.")
    page.keyboard.press("ArrowDown")
    moved = names(page)
    assert moved.index(started[0]) > 2
    page.keyboard.press("Delete")
    expect(says).to_contain_text(f"{started[0]} is removed")
    expect(page.get_by_role("button", name="Undo")).to_be_enabled()
    page.keyboard.press("Control+z")
    expect(page.locator("[data-card]")).to_have_count(len(started))
    window.wait_until_loaded()
    assert names(page) == moved

    page.locator("[data-card]").first.focus()
    page.keyboard.press("Enter")
    settings = page.get_by_role("dialog")
    settings.get_by_label("Title").fill("Waiting for a review")
    settings.get_by_role("button", name="Save").click()
    expect(page.locator("[data-name='Waiting for a review']")).to_be_visible()

    page.keyboard.press("a")
    page.locator("#dash-add").get_by_role("radio", name="Text").check()
    page.locator("#dash-add textarea").fill("Read it from the left.")
    page.get_by_role("button", name="Add to dashboard").click()
    expect(page.get_by_text("Read it from the left.").first).to_be_visible()

    page.get_by_role("link", name="Share").click()
    page.get_by_role("dialog").get_by_label("Everybody").check()
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.locator(".hw-dash-hint")).to_contain_text("Shared with everybody")
    page.get_by_role("button", name="Publish").click()
    expect(page.locator(".hw-dash-head .hw-tag.good")).to_have_text("Published")
    window.wait_until_loaded()
    assert window.grave_barriers() == []
    window.keep_picture(f"dashboard-light-{WIDE}")
    assert [card["kind"] for card in stored(shared_server).published][-1] == "text"


def test_another_role_sees_it_and_sets_it_as_home(shared_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(shared_server, as_=OTHER_MEMBER, theme="dark", width=NARROW)
    page = window.page
    window.go(LIST)
    assert window.grave_barriers() == []
    page.get_by_role("link", name="Why are we late?").click()
    window.wait_until_loaded()
    expect(page.get_by_role("link", name="Edit")).to_have_count(0)
    assert window.grave_barriers() == []
    window.keep_picture(f"dashboard-dark-{NARROW}")
    page.get_by_role("button", name="Set as home").click()
    window.go("/")
    expect(page).to_have_url(re.compile(rf"{LIST}\d+/"))
    page.get_by_role("button", name="Is your home").click()
    window.go("/")
    expect(page.get_by_role("heading", name="Home", level=1)).to_be_visible()


def test_it_is_arranged_without_a_script(shared_server: Server, windows: BrowserWindows) -> None:
    """Each step is a form, whose answer is the editor again."""
    window = windows.open(shared_server, as_=EXECUTIVE)
    page, dashboard = window.page, stored(shared_server)
    with window.without_answers(re.compile(r"\.js$")):
        page.goto(f"{LIST}{dashboard.pk}/edit/")
        started = names(page)
        page.locator("[data-card] [data-handle]").first.click()
        page.get_by_role("button", name="Move down").first.click()
        page.wait_for_load_state()
        assert names(page) == [started[1], started[0], *started[2:]]
