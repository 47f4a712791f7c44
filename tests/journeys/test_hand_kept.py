"""Use a template, enter values by keyboard and by the push API, import a file, and see them on the metric's page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from tests.conftest import StartServer
from tests.journeys.window import NARROW, BrowserWindow, BrowserWindows
from tests.personas import ADMIN, MEMBER
from tests.servers import Server

LIST = "/insights/hand-kept/"
DOWNTIME = f"{LIST}downtime/"
METRIC = "/insights/metrics/hand.downtime/"


@pytest.fixture(scope="module")
def keeping_server(start_server: StartServer, request: pytest.FixtureRequest) -> Iterator[Server]:
    with start_server("web", named=f"{request.node.name}-keeping") as server:
        yield server


def enter(window: BrowserWindow, value: str) -> None:
    """Enter a value by keyboard, for the whole organisation and today."""
    window.page.get_by_label("Value", exact=True).focus()
    window.page.keyboard.type(value)
    window.page.keyboard.press("Tab")
    window.page.keyboard.type("Payment provider")
    window.page.keyboard.press("Enter")
    window.wait_until_loaded()


def test_from_a_template_to_a_figure(keeping_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(keeping_server, as_=ADMIN)
    page = window.page
    window.go(LIST)
    assert window.grave_barriers() == []
    page.get_by_role("link", name="Use template Downtime").click()
    window.wait_until_loaded()
    assert window.grave_barriers() == []
    page.get_by_role("button", name="Create metric").click()
    window.wait_until_loaded()
    with window.refused():
        enter(window, "many")
    expect(page.get_by_role("alert")).to_contain_text("like 40 h, 3 days or 20 min")
    page.get_by_label("Value", exact=True).fill("")
    page.get_by_label("Note").fill("")
    enter(window, "90 min")
    expect(page.get_by_role("table", name="Values of Downtime")).to_contain_text("Payment provider")
    assert window.grave_barriers() == []

    today = f"{datetime.now(UTC).date()}"
    record = {"key": "hand.downtime", "date": today, "value": 7200}
    refused = keeping_server.pipeline().post("/ingest/v1/metrics/", json={"records": [record]})
    assert refused.json()["results"][0]["status"] == "rejected"
    answer = keeping_server.pipeline_for_all_records().post("/ingest/v1/metrics/", json={"records": [record]})
    assert answer.json()["results"][0]["status"] == "updated"
    window.go(METRIC)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Entered by hand")
    expect(page.locator("main")).to_contain_text("2.0 h")
    assert window.grave_barriers() == []
    page.get_by_role("link", name="Show the rows").first.click()
    expect(page.locator("#panel")).to_contain_text("Push API, token")
    window.go(f"{DOWNTIME}history/")
    expect(page.locator("main")).to_contain_text("Payment provider")
    assert window.grave_barriers() == []

    window.go(f"{LIST}import/")
    text = f"key,date,value\nhand.downtime,{today},45 min\n"
    page.get_by_label("CSV file").set_input_files(
        {"name": "values.csv", "mimeType": "text/csv", "buffer": text.encode()}
    )
    page.get_by_role("button", name="Preview").click()
    window.wait_until_loaded()
    expect(page.get_by_role("table", name="Rows of the file")).to_contain_text("Replaces 2.0 h")
    assert window.grave_barriers() == []
    page.get_by_role("button", name="Import 1 value").click()
    window.wait_until_loaded()
    window.go(METRIC)
    expect(page.locator("main")).to_contain_text("45")


def test_the_pages_fit_a_narrow_dark_window(keeping_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(keeping_server, as_=ADMIN, theme="dark", width=NARROW)
    for name, address in (
        ("list", LIST),
        ("new", f"{LIST}new/?template=risk"),
        ("import", f"{LIST}import/"),
        ("values", DOWNTIME),
        ("history", f"{DOWNTIME}history/"),
        ("metric", METRIC),
    ):
        window.go(address)
        window.keep_picture(f"hand-kept-{name}-dark-{NARROW}")
        assert window.grave_barriers() == [], name
        assert not window.overflows(), name
    reader = windows.open(keeping_server, as_=MEMBER)
    reader.go(LIST)
    expect(reader.page.get_by_role("link", name="New metric")).to_have_count(0)
