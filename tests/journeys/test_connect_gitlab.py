"""An admin connects GitLab from nothing: a mistyped address and token, a group, and what its streams have read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from demo.providers.gitlab_server import GitLabServer
from tests.demo.small_history import small_history
from tests.journeys.test_connect_github import press_test, row, settings
from tests.journeys.window import NARROW, WIDE, BrowserWindows
from tests.personas import ADMIN
from tests.servers import Server

TOKEN = "glpat-first"


@pytest.fixture
def gitlab() -> Iterator[GitLabServer]:
    with GitLabServer(small_history(), token=TOKEN) as server:
        yield server


def test_connecting_gitlab(empty_server: Server, gitlab: GitLabServer, windows: BrowserWindows) -> None:
    window = windows.open(empty_server, as_=ADMIN)
    page = window.page
    window.go("/admin/integrations/connection/add/")
    page.get_by_role("link", name="GitLab").click()
    expect(page.get_by_text("read_api").first).to_be_visible()
    page.get_by_label("Name").fill("GitLab of Acme")
    page.get_by_label("Base URL").fill("http://127.0.0.1:9")
    page.get_by_label("Token:", exact=True).fill("mistyped")
    press_test(page)
    expect(page.locator("#tested li.bad")).to_contain_text("cannot be reached")
    page.get_by_label("Base URL").fill(f"{gitlab.url}/acme/shop/-/merge_requests")
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#tested li.bad")).to_contain_text("This is not GitLab’s API")
    page.get_by_label("Base URL").fill(gitlab.url)
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#tested li.bad")).to_contain_text("GitLab refused the token")
    page.get_by_label("Token:", exact=True).fill(TOKEN)
    page.get_by_label("Groups").fill("acme")
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#tested")).to_contain_text("Projects of acme")
    expect(page.locator("#tested li.bad")).to_have_count(0)
    assert window.grave_barriers() == []
    window.keep_picture(f"connect-gitlab-light-{WIDE}")
    page.get_by_role("button", name="Connect", exact=True).click()

    expect(page.get_by_role("link", name="acme/shop")).to_be_visible()
    page.get_by_label("Sync all that match").fill("acme/*")
    expect(page.locator("#matches")).to_contain_text("1 of 1 match")
    page.get_by_role("button", name="Save the rules").click()
    expect(page.get_by_text("1 of 1 synced")).to_be_visible()

    window.go("/integrations/")
    card = page.locator(".hw-connections > li")
    expect(card).to_contain_text("Up to date")
    expect(row(card, "Pull requests")).to_contain_text("5")
    expect(row(card, "Work items")).to_contain_text("2")
    window.keep_picture(f"integrations-gitlab-light-{WIDE}")

    small = windows.open(empty_server, as_=ADMIN, theme="dark", width=NARROW)
    settings(small.page)
    small.wait_until_loaded()
    assert small.grave_barriers() == []
    assert not small.overflows()
    small.keep_picture(f"gitlab-settings-dark-{NARROW}")
