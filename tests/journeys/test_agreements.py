"""A manager changes a working agreement in a browser: sees what it would make of the last quarter, and saves it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from django.db import transaction
from playwright.sync_api import expect

from insights.query.windows import local_today, quarter_name, quarter_of
from integrations.delivery.agreements.agree import agree
from integrations.delivery.ownership.find import find_owned, find_unit
from integrations.delivery.ownership.give import own
from tests.conftest import StartServer
from tests.delivery.linking.delivery import push
from tests.journeys.window import NARROW, WIDE, BrowserWindows
from tests.personas import EXECUTIVE, MANAGER, MEMBER, create_user
from tests.servers import Server
from tests.teams import OTHERS_IN_PLATFORM, create_teams

LIST, CHANGE = "/programs/agreements/?unit=platform", "/programs/agreements/platform/"


def last_quarter() -> date:
    return quarter_of(quarter_of(local_today()).start - timedelta(days=1)).start


@pytest.fixture(scope="module")
def agreeing_server(start_server: StartServer, request: pytest.FixtureRequest) -> Iterator[Server]:
    """Six people of Platform each merged a pull request of 100, 200 … 600 lines in the last quarter."""
    with start_server("web", named=f"{request.node.name}-agreements") as server:
        with server.database(), transaction.atomic():
            teams = create_teams()
            for persona in (EXECUTIVE, MANAGER, MEMBER):
                create_user(persona)
            for number, person in enumerate(("ada", *OTHERS_IN_PLATFORM), start=1):
                day = (last_quarter() + timedelta(days=10 + number)).isoformat()
                record = {
                    **{"id": f"shop#{number}", "repository": "acme/shop", "number": number, "state": "merged"},
                    **{"author": f"{person}@example.com", "additions": 100 * number, "deletions": 0},
                    **{"created_at": f"{day}T08:00:00Z", "merged_at": f"{day}T18:00:00Z"},
                }
                push(("pull-requests", record))
            own(find_owned("acme/shop"), find_unit("platform"), start=None, end=None)
            agree(teams.engineering, {"review_hours": 24})
        yield server


def test_a_manager_sees_the_preview_and_saves(agreeing_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(agreeing_server, as_=MANAGER, width=WIDE)
    page = window.page
    window.go(LIST)
    terms = page.get_by_role("table", name="Terms in force today for Platform")
    expect(terms.locator("tr", has_text="First review within")).to_contain_text("Inherited from Engineering")
    assert window.grave_barriers() == []
    page.get_by_role("link", name="Change the agreement").click()
    window.wait_until_loaded()
    page.get_by_label("Largest pull request (lines)").fill("400")
    page.get_by_role("button", name="Preview").click()
    window.wait_until_loaded()
    quarter = quarter_name(last_quarter())
    preview = page.get_by_role("region", name=f"Preview: Platform with these terms, in {quarter}")
    expect(preview.locator("tr", has_text="Larger than agreed")).to_contain_text("33.3%")
    expect(preview).to_contain_text("Nothing is saved yet")
    assert window.grave_barriers() == []
    window.keep_picture("agreement-preview-light-wide")
    window.go(LIST)
    expect(terms.locator("tr", has_text="Largest pull request")).to_contain_text("Nothing agreed")
    window.go(CHANGE)
    page.get_by_label("Largest pull request (lines)").fill("400")
    page.get_by_label("Labels of hotfixes").fill("hotfix, urgent")
    page.get_by_role("button", name="Save").click()
    window.wait_until_loaded()
    expect(page.locator("main")).to_contain_text("Agreement saved.")
    expect(terms.locator("tr", has_text="Largest pull request")).to_contain_text("This unit")
    expect(page.get_by_role("region", name="History")).to_contain_text("Edith")
    window.keep_picture("agreements-light-wide")


def test_the_pages_fit_a_narrow_dark_window_and_members_read(agreeing_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(agreeing_server, as_=MANAGER, theme="dark", width=NARROW)
    for name, address in (("list", "/programs/agreements/"), ("unit", LIST), ("form", CHANGE)):
        window.go(address)
        window.keep_picture(f"agreements-{name}-dark-{NARROW}")
        assert window.grave_barriers() == [], name
        assert not window.overflows(), name
    window.page.get_by_label("Largest pull request (lines)").fill("300")
    window.page.get_by_role("button", name="Preview").click()
    window.wait_until_loaded()
    window.keep_picture(f"agreements-preview-dark-{NARROW}")
    assert not window.overflows()
    reader = windows.open(agreeing_server, as_=MEMBER)
    reader.go(LIST)
    expect(reader.page.get_by_role("link", name="Change the agreement")).to_have_count(0)
    reader.keep_picture("agreements-member-light")
