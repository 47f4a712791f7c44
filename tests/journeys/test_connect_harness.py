"""An admin connects Harness from nothing: the address of a page, a mistyped token, then a project."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from demo.providers.harness_server import HarnessServer
from tests.demo.small_history import small_history
from tests.journeys.test_connect_github import press_test, row
from tests.journeys.window import WIDE, BrowserWindows
from tests.personas import ADMIN
from tests.servers import Server

TOKEN = "sat.acme.1234.first"


@pytest.fixture
def harness() -> Iterator[HarnessServer]:
    with HarnessServer(small_history(), token=TOKEN) as server:
        yield server


def test_connecting_harness(empty_server: Server, harness: HarnessServer, windows: BrowserWindows) -> None:
    window = windows.open(empty_server, as_=ADMIN)
    page = window.page
    window.go("/admin/integrations/connection/add/")
    page.get_by_role("link", name="Harness").click()
    expect(page.get_by_text("core_pipeline_view").first).to_be_visible()
    page.get_by_label("Name").fill("Harness of Acme")
    page.get_by_label("Base URL").fill(f"{harness.url}/ng/#/account/acme/cd/orgs/default/projects/acme/pipelines")
    page.get_by_label("API token").fill("sat.acme.1234.mistyped")
    press_test(page)
    expect(page.locator("#tested li.bad")).to_contain_text("Harness refused the token")
    page.get_by_label("API token").fill(TOKEN)
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#tested")).to_contain_text("Environments")
    expect(page.locator("#tested li.bad")).to_have_count(0)
    assert window.grave_barriers() == []
    window.keep_picture(f"connect-harness-light-{WIDE}")
    page.get_by_role("button", name="Connect", exact=True).click()

    expect(page.get_by_text("default/Acme").first).to_be_visible()
    page.get_by_label("Sync all that match").fill("default/*")
    page.get_by_role("button", name="Save the rules").click()
    expect(page.get_by_text("1 of 1 synced")).to_be_visible()

    window.go("/integrations/")
    card = page.locator(".hw-connections > li")
    expect(card).to_contain_text("Up to date")
    expect(row(card, "Pipeline runs")).to_contain_text("1 of 1")
    expect(card).to_contain_text("acme/shop")  # no other connection knows the repository, and the runs wait for it
    window.keep_picture(f"integrations-harness-light-{WIDE}")
