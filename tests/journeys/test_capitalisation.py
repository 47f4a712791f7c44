"""Capitalisation in a browser: finance lists an initiative and adds a period, an executive approves it, finance freezes
it and gets the CSV; a member is refused.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from insights.query.windows import local_today, quarter_of
from programs.models import CapitalisationPeriod
from tests.conftest import StartServer
from tests.delivery.allocation.test_measuring import measured
from tests.journeys.window import NARROW, BrowserWindow, BrowserWindows
from tests.personas import EXECUTIVE, FINANCE, MEMBER, create_user
from tests.servers import Server
from tests.teams import OTHERS_IN_PLATFORM, create_teams

LIST, PERIODS = "/insights/capitalisation/", "/insights/capitalisation/periods/"
PLATFORM = ("ada", *OTHERS_IN_PLATFORM)


def last_quarter() -> tuple[date, date]:
    last = quarter_of(quarter_of(local_today()).start - timedelta(days=1))
    return last.start, last.end


def items() -> list[dict[str, Any]]:
    """An epic, and an item of it that each of six people works on since a month before the last quarter."""
    began = last_quarter()[0] - timedelta(days=31)
    epic = {"id": "SHOP-100", "project": "SHOP", "title": "New checkout", "type": "epic", "status_category": "todo"}
    moved = {"at": f"{began}T09:00:00Z", "from": "To do", "to": "Doing", "category": "in_progress"}
    return [
        {**epic, "created_at": f"{began}T08:00:00Z"},
        *(
            {
                **{"id": f"SHOP-{number}", "project": "SHOP", "title": "A part", "type": "feature"},
                **{"status_category": "in_progress", "created_at": f"{began}T08:00:00Z", "parent": "SHOP-100"},
                **{"assignee": f"{person}@example.com", "transitions": [moved]},
            }
            for number, person in enumerate(PLATFORM, start=1)
        ),
    ]


@pytest.fixture(scope="module")
def finance_server(start_server: StartServer, request: pytest.FixtureRequest) -> Iterator[Server]:
    with start_server("web", named=f"{request.node.name}-finance") as server:
        with server.database():
            create_teams()
            for persona in (EXECUTIVE, FINANCE, MEMBER):
                create_user(persona)
        server.pipeline().post("/ingest/v1/work-items/", json={"records": items()}).raise_for_status()
        with server.database():
            measured()
        yield server


def list_new_checkout(window: BrowserWindow) -> None:
    """Add the epic with its evidence, after an address that there is not."""
    page, known = window.page, (last_quarter()[0] - timedelta(days=7)).isoformat()
    window.go(LIST)
    assert window.grave_barriers() == []
    page.get_by_role("link", name="Add an initiative").first.click()
    window.wait_until_loaded()
    assert window.grave_barriers() == []
    page.get_by_label("Initiative", exact=True).fill("SHOP-4711")
    for label in ("Authorised on", "Funded on", "Probable since"):
        page.get_by_label(label).fill(known)
    page.get_by_label("Judged by").fill("Head of Checkout")
    page.get_by_label("Why").fill("The pilot shop runs on it.")
    page.get_by_label("Significant uncertainty").select_option(label="None")
    with window.refused():
        page.get_by_role("button", name="Add the initiative").click()
        window.wait_until_loaded()
    expect(page.get_by_role("alert")).to_contain_text("There is no epic with this key")
    page.get_by_label("Initiative", exact=True).fill("SHOP-100")
    page.get_by_role("button", name="Add the initiative").click()
    window.wait_until_loaded()
    expect(page.get_by_role("table")).to_contain_text("New checkout")
    expect(page.get_by_role("table")).to_contain_text("Eligible")


def test_finance_freezes_a_period_and_gets_the_csv(finance_server: Server, windows: BrowserWindows) -> None:
    window, executive = (windows.open(finance_server, as_=persona) for persona in (FINANCE, EXECUTIVE))
    list_new_checkout(window)
    page = window.page
    window.go(f"{PERIODS}new/")
    assert window.grave_barriers() == []
    page.get_by_role("button", name="Add the period").click()  # the quarter before this one
    window.wait_until_loaded()
    assert window.grave_barriers() == []
    expect(page.get_by_role("link", name="Freeze…")).to_have_count(0)
    address = page.url.removeprefix(finance_server.url)
    executive.go(address)
    executive.page.get_by_role("link", name="Approve…").click()
    executive.wait_until_loaded()
    assert executive.grave_barriers() == []
    executive.page.get_by_role("button", name="Approve the figures").click()
    executive.wait_until_loaded()
    expect(executive.page.locator("main")).to_contain_text("Approved by")
    window.go(address)
    page.get_by_role("link", name="Freeze…").click()
    window.wait_until_loaded()
    expect(page.locator("main")).to_contain_text("Becomes permanent")
    assert window.grave_barriers() == []
    page.get_by_role("button", name="Freeze for good").click()
    window.wait_until_loaded()
    expect(page.locator("main")).to_contain_text("Frozen on")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV for finance").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8-sig"))))
    with finance_server.database():
        [period] = CapitalisationPeriod.objects.select_related("document")
        assert period.document is not None
        digest = hashlib.sha256(period.document.body.encode()).hexdigest()
    assert {row["sha256"] for row in rows} == {digest}
    start, end = last_quarter()
    eligible = [row for row in rows if row["initiative"] == "New checkout" and row["state"] == "Eligible"]
    working = [start + timedelta(days=number) for number in range((end - start).days)]
    days = sum(day.weekday() < 5 for day in working)
    assert sum(float(row["days"]) for row in eligible) == pytest.approx(6 * days)
    assert {row["people"] for row in eligible} == {"6"}


def test_a_member_is_refused(finance_server: Server) -> None:
    answer = finance_server.browse(as_=MEMBER).get(LIST)
    assert answer.status_code == 403
    assert "for finance, executives and admins" in answer.text


def test_the_pages_fit_a_narrow_dark_window(finance_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(finance_server, as_=FINANCE, theme="dark", width=NARROW)
    with finance_server.database():
        period = CapitalisationPeriod.objects.first()
    pages = {
        "list": LIST,
        "new": f"{LIST}new/",
        "periods": PERIODS,
        "period": f"{PERIODS}{period.pk if period else 1}/",
    }
    for name, address in pages.items():
        window.go(address)
        window.keep_picture(f"capitalisation-{name}-dark-{NARROW}")
        assert window.grave_barriers() == [], name
        assert not window.overflows(), name
