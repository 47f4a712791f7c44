"""An admin connects Jira from nothing, chooses the field of story points, and replaces a revoked token."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from demo.providers.jira_server import JiraServer
from tests.demo.small_history import small_history
from tests.journeys.test_connect_github import press_test, row, settings
from tests.journeys.window import NARROW, WIDE, BrowserWindow, BrowserWindows
from tests.personas import ADMIN
from tests.servers import Server

EMAIL, FIRST, SECOND = "reader@example.com", "first_token", "second_token"


@pytest.fixture
def jira() -> Iterator[JiraServer]:
    with JiraServer(small_history(), email=EMAIL, token=FIRST) as server:
        yield server


def test_connecting_jira_and_choosing_its_story_points(
    empty_server: Server, jira: JiraServer, windows: BrowserWindows
) -> None:
    window = windows.open(empty_server, as_=ADMIN)
    page = window.page
    window.go("/admin/integrations/connection/add/")
    page.get_by_role("link", name="Jira").click()
    page.get_by_label("Name").fill("Jira of Acme")
    page.get_by_label("Base URL").fill(jira.url)
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Token:", exact=True).fill("mistyped")
    press_test(page)
    expect(page.locator("#tested li.bad")).to_contain_text("Jira refused the token")
    page.get_by_label("Token:", exact=True).fill(FIRST)
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#tested")).to_contain_text("Story points from Story Points: 3, 2 in 2 issues")
    expect(page.locator("#tested li.bad")).to_have_count(0)
    assert window.grave_barriers() == []
    window.keep_picture(f"connect-jira-light-{WIDE}")
    page.get_by_role("button", name="Connect", exact=True).click()

    expect(page.get_by_role("link", name="SHOP · shop", exact=True)).to_be_visible()
    page.get_by_label("Sync all that match").fill("SHOP*")
    expect(page.locator("#matches")).to_contain_text("2 of 2 match")
    page.get_by_role("button", name="Save the rules").click()
    expect(page.get_by_text("2 of 2 synced")).to_be_visible()

    page.locator(".hw-tabs").get_by_role("link", name="Fields").click()
    assert window.grave_barriers() == []
    page.get_by_role("checkbox", name="Story points from Story Points").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The fields are saved")).to_be_visible()
    expect(page.locator(".hw-fields .hw-mark")).to_have_text("custom")
    window.keep_picture(f"connection-fields-light-{WIDE}")

    window.go("/integrations/")
    card = page.locator(".hw-connections > li")
    expect(card).to_contain_text("Up to date")
    expect(row(card, "Work items")).to_contain_text("2")

    jira.give(EMAIL, SECOND)
    settings(page)
    page.get_by_role("button", name="Sync now").click()
    window.go("/integrations/")
    expect(card.get_by_role("alert")).to_contain_text("Jira refused the token")
    window.keep_picture("jira-refused")
    settings(page)
    page.get_by_label("Token:", exact=True).fill(SECOND)
    press_test(page)
    expect(page.locator("#tested li.bad")).to_have_count(0)
    page.get_by_role("button", name="Save").click()
    window.go("/integrations/")
    expect(card).to_contain_text("Up to date")
    expect(card.get_by_role("alert")).to_have_count(0)
    it_is_readable_in_the_dark_and_on_a_phone(windows.open(empty_server, as_=ADMIN, theme="dark", width=NARROW))


def it_is_readable_in_the_dark_and_on_a_phone(window: BrowserWindow) -> None:
    settings(window.page)
    for tab in ("Settings", "Fields", "Value mappings"):
        window.page.locator(".hw-tabs").get_by_role("link", name=tab).click()
        window.wait_until_loaded()
        assert window.grave_barriers() == [], tab
        assert not window.overflows(), tab
        window.keep_picture(f"jira-{tab.lower()}-dark-{NARROW}")
