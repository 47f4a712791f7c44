"""Drill from a metric to a pull request and its links; annotate a chart by keyboard."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.conftest import StartServer
from tests.delivery.linking.delivery import MONDAY, Delivery
from tests.journeys.window import THEMES_AND_WIDTHS, BrowserWindow, BrowserWindows, Theme
from tests.personas import ADMIN, MEMBER
from tests.records.test_pages import tell_the_week
from tests.servers import Server

LEAD_TIME = "/insights/metrics/dora.lead_time/"
A_DAY = re.compile(r"2026-03-\d\d")


class PushedDelivery(Delivery):
    """Pushes records through the API, as of the week before last."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self._program = server.pipeline()
        today = datetime.now(UTC).date()
        self._later = today - timedelta(days=today.weekday() + 14) - MONDAY.date()

    def push(self, kind: str, **record: Any) -> None:
        moved = A_DAY.sub(
            lambda day: (date.fromisoformat(day[0]) + self._later).isoformat(), json.dumps({"records": [record]})
        )
        answer = self._program.post(f"/ingest/v1/{kind}/", content=moved, headers={"Content-Type": "application/json"})
        answer.raise_for_status()
        assert answer.json()["results"][0]["status"] == "created", answer.text


@pytest.fixture(scope="module")
def delivering_server(start_server: StartServer, request: pytest.FixtureRequest) -> Iterator[Server]:
    """An installation that one pull request reached production in, with an incident."""
    with start_server("web", "worker", "beat", named=f"{request.node.name}-delivering") as server:
        tell_the_week(PushedDelivery(server))
        yield server


def follow(window: BrowserWindow, name: str) -> None:
    """Open what is linked to under that name."""
    window.page.locator("ul.hw-linked").get_by_role("link", name=name, exact=True).first.click()
    window.wait_until_loaded()


@pytest.mark.parametrize(("theme", "width"), THEMES_AND_WIDTHS)
def test_from_a_figure_to_the_incident(
    delivering_server: Server, windows: BrowserWindows, theme: Theme, width: int
) -> None:
    window = windows.open(delivering_server, as_=MEMBER, theme=theme, width=width)
    window.go(f"{LEAD_TIME}rows/")
    window.page.get_by_role("link", name="Sell tea").click()
    window.wait_until_loaded()
    for record, linked in (
        ("pull-request", "SHOP-1 Sell tea"),
        ("work-item", "d1 cart"),
        ("deployment", "i1 Cart is empty"),
        ("incident", ""),
    ):
        expect(window.page.get_by_role("heading", name="Timeline")).to_be_visible()
        window.keep_picture(f"{record}-{theme}-{width}")
        assert window.grave_barriers() == [], record
        assert not window.overflows(), record
        if linked:
            follow(window, linked)
    expect(window.page.get_by_role("heading", level=1, name="Cart is empty")).to_be_visible()


@pytest.mark.parametrize(("theme", "width"), THEMES_AND_WIDTHS)
def test_the_page_of_a_metric(delivering_server: Server, windows: BrowserWindows, theme: Theme, width: int) -> None:
    window = windows.open(delivering_server, as_=MEMBER, theme=theme, width=width)
    window.go(LEAD_TIME)
    window.page.get_by_role("heading", name="Metric chain").click()
    expect(window.page.locator(".hw-multiple")).not_to_have_count(0)
    expect(window.page.locator(".hw-greatest").get_by_role("link", name="Sell tea")).to_be_visible()
    window.keep_picture(f"metric-delivery-{theme}-{width}")
    assert window.grave_barriers() == []
    assert not window.overflows()


def test_a_note_is_written_by_keyboard_seen_by_others_and_removed(
    delivering_server: Server, windows: BrowserWindows
) -> None:
    window = windows.open(delivering_server, as_=ADMIN)
    window.go(LEAD_TIME)
    page = window.page
    page.get_by_role("link", name="Add a note to Trend").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("What happened")).to_be_focused()
    page.keyboard.type("Reviewer rota paused")
    assert window.grave_barriers() == []
    window.keep_picture("note-form")
    page.get_by_role("button", name="Add note").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#panel")).not_to_be_visible()
    note = page.locator("#chart-trend").get_by_role("link", name="Reviewer rota paused")
    expect(note).to_be_visible()

    reader = windows.open(delivering_server, as_=MEMBER)
    reader.go(LEAD_TIME)
    seen = reader.page.locator("#chart-trend").get_by_role("link", name="Reviewer rota paused")
    expect(seen).to_be_visible()
    expect(reader.page.get_by_role("link", name="Add a note to Trend")).to_have_count(0)
    reader.go("/insights/annotations/")
    assert reader.grave_barriers() == []

    note.click()
    page.get_by_role("button", name="Remove the note").click()
    expect(page.locator("#panel")).not_to_be_visible()
    expect(note).to_have_count(0)
