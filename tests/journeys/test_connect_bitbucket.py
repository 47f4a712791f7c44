"""An admin connects Bitbucket from nothing: an address from the browser, an access token, a missing scope."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from demo.providers import faults
from demo.providers.bitbucket_server import BitbucketServer
from demo.providers.faults import Answer, Fault
from tests.demo.small_history import small_history
from tests.journeys.test_connect_github import press_test, row
from tests.journeys.window import WIDE, BrowserWindows
from tests.personas import ADMIN
from tests.servers import Server

TOKEN = "bitbucket-first"
DETAIL = {"required": ["read:pipeline:bitbucket"], "granted": ["read:repository:bitbucket"]}
REFUSED = Answer.of({"type": "error", "error": {"message": "Missing scopes.", "detail": DETAIL}}, status=403)


@pytest.fixture
def bitbucket() -> Iterator[BitbucketServer]:
    with BitbucketServer(small_history(), token=TOKEN) as server:
        yield server


def test_connecting_bitbucket(empty_server: Server, bitbucket: BitbucketServer, windows: BrowserWindows) -> None:
    window = windows.open(empty_server, as_=ADMIN)
    page = window.page
    window.go("/admin/integrations/connection/add/")
    page.get_by_role("link", name="Bitbucket Cloud").click()
    expect(page.get_by_text("read:pullrequest:bitbucket").first).to_be_visible()
    page.get_by_label("Name").fill("Bitbucket of Acme")
    page.get_by_label("Base URL").fill(bitbucket.url)
    page.get_by_label("Workspace").fill("acme")
    page.get_by_label("Token:", exact=True).fill("mistyped")
    press_test(page)
    expect(page.locator("#tested li.bad")).to_contain_text("Bitbucket Cloud refused the token")
    bitbucket.faults = [Fault(faults.instead(REFUSED), path="/pipelines/", times=None)]
    page.get_by_label("Token:", exact=True).fill(TOKEN)
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#tested li.bad")).to_contain_text("lacks the scope read:pipeline:bitbucket")
    bitbucket.faults = []
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#tested")).to_contain_text("Environments")
    expect(page.locator("#tested li.bad")).to_have_count(0)
    assert window.grave_barriers() == []
    window.keep_picture(f"connect-bitbucket-light-{WIDE}")
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
    expect(row(card, "Deployments")).to_contain_text("3")
    window.keep_picture(f"integrations-bitbucket-light-{WIDE}")
