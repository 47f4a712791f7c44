"""Set a budget by hand, meet its refusals, change it, and look at charge-back, in every look."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.conftest import StartServer
from tests.journeys.window import NARROW, BrowserWindows
from tests.personas import ADMIN, MEMBER
from tests.servers import Server

LIST = "/insights/ai/budgets/"


@pytest.fixture(scope="module")
def budget_server(start_server: StartServer, request: pytest.FixtureRequest) -> Iterator[Server]:
    with start_server("web", named=f"{request.node.name}-budgets") as server:
        yield server


def test_a_budget_is_set_and_changed(budget_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(budget_server, as_=ADMIN)
    page = window.page
    window.go(LIST)
    assert window.grave_barriers() == []
    page.get_by_role("link", name="Set a budget").first.click()
    window.wait_until_loaded()
    assert window.grave_barriers() == []
    page.get_by_label("Amount a month").fill("500")
    page.get_by_label("Owner").fill("nobody@example.com")
    with window.refused():
        page.get_by_role("button", name="Set the budget").click()
        window.wait_until_loaded()
    expect(page.get_by_role("alert")).to_contain_text("Nobody with the address")
    page.get_by_label("Owner").fill("")
    page.get_by_role("button", name="Set the budget").click()
    window.wait_until_loaded()
    expect(page.get_by_role("table")).to_contain_text("$500")
    page.get_by_role("link", name="Change").click()
    window.wait_until_loaded()
    assert window.grave_barriers() == []
    page.get_by_label("Amount a month").fill("700")
    page.get_by_role("button", name="Save").click()
    window.wait_until_loaded()
    expect(page.get_by_role("table")).to_contain_text("$700")
    window.go("/insights/ai/charge-back/")
    expect(page.locator("main")).to_contain_text("No cost centre is chosen")
    assert window.grave_barriers() == []


def test_the_pages_fit_a_narrow_dark_window(budget_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(budget_server, as_=ADMIN, theme="dark", width=NARROW)
    for name, address in (("list", LIST), ("new", f"{LIST}new/"), ("charge-back", "/insights/ai/charge-back/")):
        window.go(address)
        window.keep_picture(f"budgets-{name}-dark-{NARROW}")
        assert window.grave_barriers() == [], name
        assert not window.overflows(), name
    reader = windows.open(budget_server, as_=MEMBER)
    reader.go(LIST)
    expect(reader.page.get_by_role("link", name="Set a budget")).to_have_count(0)
