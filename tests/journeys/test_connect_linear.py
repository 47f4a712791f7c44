"""An admin connects Linear from nothing: a mistyped key, then a team with its cycles."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from demo.providers.linear_server import LinearServer
from tests.demo.small_history import small_history
from tests.journeys.test_connect_github import press_test, row
from tests.journeys.window import WIDE, BrowserWindows
from tests.personas import ADMIN
from tests.servers import Server

KEY = "lin_api_first"


@pytest.fixture
def linear() -> Iterator[LinearServer]:
    with LinearServer(small_history(), token=KEY) as server:
        yield server


def test_connecting_linear(empty_server: Server, linear: LinearServer, windows: BrowserWindows) -> None:
    window = windows.open(empty_server, as_=ADMIN)
    page = window.page
    window.go("/admin/integrations/connection/add/")
    page.get_by_role("link", name="Linear").click()
    expect(page.get_by_text("Personal API keys").first).to_be_visible()
    page.get_by_label("Name").fill("Linear of Acme")
    page.get_by_label("Base URL").fill(f"{linear.url}/graphql")
    page.get_by_label("Token:", exact=True).fill("lin_api_mistyped")
    press_test(page)
    expect(page.locator("#tested li.bad")).to_contain_text("Linear refused the token")
    page.get_by_label("Token:", exact=True).fill(KEY)
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#tested")).to_contain_text("Initiatives")
    expect(page.locator("#tested li.bad")).to_have_count(0)
    assert window.grave_barriers() == []
    window.keep_picture(f"connect-linear-light-{WIDE}")
    page.get_by_role("button", name="Connect", exact=True).click()

    expect(page.get_by_text("SHOP · shop").first).to_be_visible()
    page.get_by_label("Sync all that match").fill("SHOP*")
    page.get_by_role("button", name="Save the rules").click()
    expect(page.get_by_text("2 of 3 synced")).to_be_visible()

    window.go("/integrations/")
    card = page.locator(".hw-connections > li")
    expect(card).to_contain_text("Up to date")
    expect(row(card, "Work items")).to_contain_text("2")
    window.keep_picture(f"integrations-linear-light-{WIDE}")
