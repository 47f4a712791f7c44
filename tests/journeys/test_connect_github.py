"""An admin connects GitHub, picks resources to sync, watches progress, and replaces a revoked token."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from demo.providers.github_access import Token
from demo.providers.github_server import GitHubServer
from tests.demo.small_history import small_history
from tests.journeys.window import NARROW, WIDE, BrowserWindow, BrowserWindows
from tests.personas import ADMIN, MEMBER
from tests.servers import Server

FIRST, SECOND = "github_pat_first", "github_pat_second"


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    with GitHubServer(small_history(), tokens=[Token(FIRST, "ada")]) as server:
        yield server


def test_connecting_github_and_mending_its_token(
    empty_server: Server, github: GitHubServer, windows: BrowserWindows
) -> None:
    window = windows.open(empty_server, as_=ADMIN)
    page = window.page
    window.go("/integrations/")
    expect(page.get_by_text("No provider is connected yet")).to_be_visible()
    assert window.grave_barriers() == []
    page.get_by_role("link", name="Connect", exact=True).click()
    page.get_by_role("link", name="GitHub Repositories").click()

    enter(page, name="GitHub of Acme", base_url=github.url, token=FIRST)
    expect(page.get_by_text("Pull requests: read", exact=True)).to_be_visible()
    press_test(page)
    expect(page.locator("#tested li.bad")).to_have_count(0)
    expect(page.locator("#tested")).to_contain_text("Pull requests and reviews")
    assert window.grave_barriers() == []
    window.keep_picture("connect-github")
    page.get_by_role("button", name="Connect", exact=True).click()

    expect(page.get_by_role("link", name="acme/shop")).to_be_visible()
    page.get_by_label("Sync all that match").fill("acme/*")
    expect(page.locator("#matches")).to_contain_text("1 of 1 match")
    assert window.grave_barriers() == []
    window.keep_picture("pick-resources")
    page.get_by_role("button", name="Save the rules").click()
    expect(page.get_by_text("1 of 1 synced")).to_be_visible()

    window.go("/integrations/")
    card = page.locator(".hw-connections > li")
    expect(card).to_contain_text("Up to date")  # the page follows by itself
    expect(row(card, "Pull requests")).to_contain_text("5")
    expect(page.locator(".hw-needs")).to_contain_text("Work items are read")
    assert window.grave_barriers() == []
    window.keep_picture(f"integrations-light-{WIDE}")

    github.access.revoke(FIRST)
    settings(page)
    page.get_by_role("button", name="Sync now").click()
    window.go("/integrations/")
    expect(card.get_by_role("alert")).to_contain_text("GitHub refused the token")
    expect(card.get_by_role("alert")).to_contain_text("Enter a new one")
    window.keep_picture("integrations-refused")

    github.access.give(Token(SECOND, "ada"))
    settings(page)
    expect(page.get_by_label("Token:", exact=True)).to_have_value("")
    page.get_by_label("Token:", exact=True).fill(SECOND)
    press_test(page)
    expect(page.locator("#tested li.bad")).to_have_count(0)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("is saved")).to_be_visible()
    window.go("/integrations/")
    expect(card).to_contain_text("Up to date")
    expect(card.get_by_role("alert")).to_have_count(0)

    every_page_of_the_connection_opens(window)
    others_see_names_and_freshness(windows, empty_server)


def every_page_of_the_connection_opens(window: BrowserWindow) -> None:
    settings(window.page)
    for tab in ("Value mappings", "Webhook", "History", "Quarantine", "Not placed", "Remove"):
        window.page.locator(".hw-tabs").get_by_role("link", name=tab).click()
        window.wait_until_loaded()
        assert window.grave_barriers() == [], tab
        window.keep_picture(f"connection-{tab.lower()}")


def others_see_names_and_freshness(windows: BrowserWindows, server: Server) -> None:
    theirs = windows.open(server, as_=MEMBER, theme="dark", width=NARROW)
    theirs.go("/integrations/")
    expect(theirs.page.locator(".hw-connections")).to_contain_text("GitHub of Acme")
    expect(theirs.page.get_by_text("Quota")).to_have_count(0)
    expect(theirs.page.get_by_role("link", name="Set up")).to_have_count(0)
    assert not theirs.overflows()
    assert theirs.grave_barriers() == []
    theirs.keep_picture(f"integrations-dark-{NARROW}")


def enter(page: Page, *, name: str, base_url: str, token: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Base URL").fill(base_url)
    page.get_by_label("Token:", exact=True).fill(token)


def press_test(page: Page) -> None:
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#tested li.good, #tested li.bad").first).to_be_visible()


def settings(page: Page) -> None:
    page.goto("/integrations/")
    page.get_by_role("link", name="Set up").first.click()


def row(card: Locator, name: str) -> Locator:
    return card.get_by_role("row").filter(has=card.page.get_by_role("rowheader", name=name))
