"""An admin connects ServiceNow from nothing: nobody to sign in as, a mistyped password, hidden rows, then a service."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from demo.providers.servicenow_server import USER, ServiceNowServer
from tests.connectors.pagerduty.test_reading import incident
from tests.connectors.servicenow.test_reading import deployment, with_records
from tests.journeys.test_connect_github import press_test, row
from tests.journeys.window import WIDE, BrowserWindows
from tests.personas import ADMIN
from tests.servers import Server

PASSWORD = "password-of-the-reader"


@pytest.fixture
def servicenow() -> Iterator[ServiceNowServer]:
    history = with_records(replace(incident(1, 2), caused_by=1), deployments=(deployment(1, 1), deployment(2, 9)))
    with ServiceNowServer(history, token=PASSWORD, services={"shop": "Shop"}) as server:
        yield server


def test_connecting_servicenow(empty_server: Server, servicenow: ServiceNowServer, windows: BrowserWindows) -> None:
    window = windows.open(empty_server, as_=ADMIN)
    page = window.page
    window.go("/admin/integrations/connection/add/")
    page.get_by_role("link", name="ServiceNow").click()
    expect(page.get_by_text("sn_incident_read").first).to_be_visible()
    page.get_by_label("Name:", exact=True).fill("ServiceNow of Acme")
    page.get_by_label("Base URL").fill(f"{servicenow.url}/nav_to.do?uri=incident.do")
    page.get_by_label("Password:", exact=True).fill("mistyped")
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_text("Enter a user, or the client of OAuth.").first).to_be_visible()
    page.get_by_label("User:", exact=True).fill(USER)
    page.get_by_label("Password:", exact=True).fill("mistyped")
    press_test(page)
    expect(page.locator("#tested li.bad")).to_contain_text("ServiceNow refused the token")
    page.get_by_label("Password:", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#tested")).to_contain_text("2 of the latest 2 change requests match a rule for deployments")
    expect(page.locator("#tested li.bad")).to_have_count(0)
    assert window.grave_barriers() == []
    window.keep_picture(f"connect-servicenow-light-{WIDE}")
    page.get_by_role("button", name="Connect", exact=True).click()

    expect(page.get_by_text("Shop").first).to_be_visible()
    page.get_by_label("Sync all that match").fill("Sh*")
    page.get_by_role("button", name="Save the rules").click()
    expect(page.get_by_text("1 of 1 synced")).to_be_visible()

    window.go("/integrations/")
    card = page.locator(".hw-connections > li")
    expect(card).to_contain_text("Up to date")
    expect(row(card, "Incidents")).to_contain_text("1")
    window.keep_picture(f"integrations-servicenow-light-{WIDE}")
