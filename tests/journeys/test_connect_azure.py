"""An admin connects Azure DevOps from nothing: an address from the browser, a refused token, a rule for incidents."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from demo.providers.azure_server import AzureServer
from tests.demo.small_history import small_history
from tests.journeys.test_connect_github import press_test, row
from tests.journeys.window import WIDE, BrowserWindows
from tests.personas import ADMIN
from tests.servers import Server

TOKEN = "azure-first"


@pytest.fixture
def azure() -> Iterator[AzureServer]:
    with AzureServer(small_history(), token=TOKEN) as server:
        yield server


def test_connecting_azure_devops(empty_server: Server, azure: AzureServer, windows: BrowserWindows) -> None:
    window = windows.open(empty_server, as_=ADMIN)
    page = window.page
    window.go("/admin/integrations/connection/add/")
    page.get_by_role("link", name="Azure DevOps").click()
    expect(page.get_by_text("1 December 2026").first).to_be_visible()
    page.get_by_label("Name").fill("Azure DevOps of Acme")
    page.get_by_label("Base URL").fill(f"{azure.url}/_git/shop/pullrequest/2")
    page.get_by_label("Token:", exact=True).fill("mistyped")
    press_test(page)
    expect(page.locator("#tested li.bad")).to_contain_text("Azure DevOps refused the token")
    page.get_by_label("Token:", exact=True).fill(TOKEN)
    page.get_by_label("Incidents").fill("Bug, severity=1 - Critical")
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#tested")).to_contain_text("Environments")
    expect(page.locator("#tested li.bad")).to_have_count(0)
    assert window.grave_barriers() == []
    window.keep_picture(f"connect-azure-light-{WIDE}")
    page.get_by_role("button", name="Connect", exact=True).click()

    expect(page.get_by_role("link", name="acme/shop")).to_be_visible()
    page.get_by_label("Sync all that match").fill("acme/*")
    expect(page.locator("#matches")).to_contain_text("3 of 3 match")
    page.get_by_role("button", name="Save the rules").click()
    expect(page.get_by_text("3 of 3 synced")).to_be_visible()

    window.go("/integrations/")
    card = page.locator(".hw-connections > li")
    expect(card).to_contain_text("Up to date")
    expect(row(card, "Pull requests")).to_contain_text("5")
    expect(row(card, "Work items")).to_contain_text("2")
    expect(row(card, "Deployments")).to_contain_text("3")
    window.keep_picture(f"integrations-azure-light-{WIDE}")
