"""Benchmarks in a browser: set one from a suggestion, see it on charts, and follow a focus metric's chain."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.conftest import StartServer
from tests.journeys.window import NARROW, WIDE, BrowserWindows
from tests.pages.delivering import day_before, merged
from tests.personas import EXECUTIVE, MANAGER, MEMBER, create_user
from tests.programs.agreements import PICKUP, PLATFORM
from tests.servers import Server
from tests.teams import create_teams

PAGE = f"/programs/benchmarks/{PICKUP}/?unit=platform"
EDIT = f"/programs/benchmarks/{PICKUP}/edit/?unit=platform"


@pytest.fixture(scope="module")
def reviewing_server(start_server: StartServer, request: pytest.FixtureRequest) -> Iterator[Server]:
    """Platform's six people merged 60 changes in ten weeks, each reviewed four hours later and a few more."""
    with start_server("web", "worker", "beat", named=f"{request.node.name}-benchmarks") as server:
        with server.database():
            create_teams()
            for persona in (EXECUTIVE, MANAGER, MEMBER):
                create_user(persona)
        changes = [
            merged(week * 10 + place, day_before(7 * week + 1), author=name, waits=float(week % 4))
            for week in range(10)
            for place, name in enumerate(PLATFORM, start=1)
        ]
        server.pipeline().post("/ingest/v1/pull-requests/", json={"records": changes}).raise_for_status()
        yield server


def test_a_manager_agrees_on_what_is_suggested(reviewing_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(reviewing_server, as_=MANAGER)
    page = window.page
    window.go("/programs/benchmarks/?unit=platform&show=hygiene")
    assert window.grave_barriers() == []
    page.get_by_role("link", name="Set the benchmark of Pickup time").click()
    window.wait_until_loaded()
    expect(page.locator(".hw-suggestions")).to_contain_text("A first review within two days.")
    assert window.grave_barriers() == []
    page.get_by_role("textbox", name="Why").fill("Nobody waits for long.")
    page.get_by_label("Target", exact=True).fill("soon")
    with window.refused():
        page.get_by_role("button", name="Set benchmark").click()
    expect(page.get_by_role("alert")).to_contain_text("a duration with its unit, like 40 h")
    page.get_by_label("Target", exact=True).fill("2 h")
    page.get_by_role("button", name="Use suggestion: Ready-made target").click()
    window.wait_until_loaded()
    expect(page.get_by_label("Threshold", exact=True)).to_have_value("2 days")
    expect(page.get_by_label("Target", exact=True)).to_have_value("2 h")
    expect(page.get_by_role("textbox", name="Why")).to_have_value("Nobody waits for long.")
    page.get_by_role("button", name="Set benchmark").click()
    window.wait_until_loaded()
    expect(page.get_by_role("status")).to_contain_text("Benchmark set for Platform")
    expect(page.get_by_role("region", name="Threshold", exact=True)).to_contain_text("2.0 days")
    expect(page.get_by_role("region", name="Value", exact=True)).to_contain_text("95% interval")
    assert window.grave_barriers() == []
    window.keep_picture(f"program-benchmark-light-{WIDE}")
    drawn = page.request.get(f"/insights/metrics/{PICKUP}/charts/trend/?unit=platform").text()
    assert {line["role"] for line in json.loads(drawn)["benchmarks"]} >= {"threshold", "target"}
    window.go(f"/insights/metrics/{PICKUP}/?unit=platform")
    expect(page.get_by_role("link", name="Threshold 2.0 days")).to_be_visible()


def test_a_team_begins_with_a_starter_set_and_chooses_one_focus(
    reviewing_server: Server, windows: BrowserWindows
) -> None:
    window = windows.open(reviewing_server, as_=MANAGER)
    page = window.page
    window.go("/programs/focus/?unit=platform")
    page.get_by_role("button", name="Use starter set Review hygiene").click()
    window.wait_until_loaded()
    expect(page.get_by_role("region", name="Key indicators").first).to_contain_text("Pull request size")
    page.locator(".hw-head").get_by_role("link", name="Change").click()
    window.wait_until_loaded()
    metric = page.get_by_role("combobox", name="Focus metric")
    metric.fill("waiting pickup")
    expect(page.get_by_role("option")).to_have_count(0)
    metric.fill("pickup time")
    metric.press("Enter")
    expect(metric).to_have_value(re.compile("^Pickup time"))
    expect(page.locator("select[name=metric]")).to_have_value(PICKUP)
    page.get_by_label("Why").fill("First this.")
    page.get_by_role("button", name="Save").click()
    window.wait_until_loaded()
    expect(page.get_by_role("region", name="Focus metric")).to_contain_text("Pickup time")
    expect(page.get_by_role("region", name="Focus metric").locator(".hw-chain")).to_be_visible()
    assert window.grave_barriers() == []


def test_what_a_member_sees_in_a_narrow_dark_window(reviewing_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(reviewing_server, as_=MEMBER, theme="dark", width=NARROW)
    for name, address in (("list", "/programs/benchmarks/?show=all"), ("one", PAGE), ("focus", "/programs/focus/")):
        window.go(address)
        assert window.grave_barriers() == [], address
        assert not window.overflows(), address
        expect(window.page.get_by_role("button", name="Withdraw benchmark")).to_have_count(0)
        window.keep_picture(f"program-benchmarks-{name}-dark-{NARROW}")
    assert window.page.request.get(EDIT).status == 403
