"""Allocation and capacity in a browser: a manager sets target shares and sees the gap; a member of a team of four sees
no figures of its capacity, and why.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from insights.query.windows import local_today
from tests.conftest import StartServer
from tests.delivery.allocation.test_measuring import measured
from tests.journeys.window import NARROW, BrowserWindows
from tests.personas import MANAGER, OTHER_MEMBER, create_user
from tests.servers import Server
from tests.teams import IN_SEARCH, OTHERS_IN_PLATFORM, create_teams, join

FOUR_IN_SEARCH = (*IN_SEARCH, "joan", "mary")


def items(people: Sequence[str], kind: str, first: int) -> list[dict[str, Any]]:
    """An item of the type for each, in progress for four weeks."""
    began = local_today() - timedelta(days=28)
    moved = {"at": f"{began}T09:00:00Z", "from": "To do", "to": "Doing", "category": "in_progress"}
    return [
        {
            **{"id": f"SHOP-{number}", "project": "SHOP", "title": "A part", "type": kind},
            **{"status_category": "in_progress", "created_at": f"{began}T08:00:00Z"},
            **{"assignee": f"{person}@example.com", "transitions": [moved]},
        }
        for number, person in enumerate(people, start=first)
    ]


@pytest.fixture(scope="module")
def working_server(start_server: StartServer, request: pytest.FixtureRequest) -> Iterator[Server]:
    """Each of six people of Platform works on a feature and a bug, and each of four of Search on a bug."""
    platform = ("ada", *OTHERS_IN_PLATFORM)
    with start_server("web", named=f"{request.node.name}-working") as server:
        with server.database():
            teams = create_teams()
            join(teams.search, teams.engineering, *FOUR_IN_SEARCH[len(IN_SEARCH) :])
            for persona in (MANAGER, OTHER_MEMBER):
                create_user(persona)
        work = [*items(platform, "feature", 1), *items(platform, "bug", 11), *items(FOUR_IN_SEARCH, "bug", 21)]
        server.pipeline().post("/ingest/v1/work-items/", json={"records": work}).raise_for_status()
        with server.database():
            measured()
        yield server


def test_a_manager_sets_target_shares_and_sees_the_gap(working_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(working_server, as_=MANAGER)
    page = window.page
    window.go("/insights/allocation/?unit=platform")
    page.get_by_role("link", name="Set targets").click()
    page.get_by_label("New features").fill("70")
    page.get_by_role("button", name="Save").click()
    window.wait_until_loaded()
    expect(page.locator("main")).to_contain_text("−20 points")
    expect(page.locator("main")).to_contain_text("The share of New features is 20 points below its target of 70%.")
    chart = page.locator("#chart-target_over_time")
    expect(chart).to_contain_text("New features over time, against its target")
    assert window.grave_barriers() == []
    window.keep_picture("allocation-gap-light")
    narrow = windows.open(working_server, as_=MANAGER, theme="dark", width=NARROW)
    narrow.go("/insights/allocation/?unit=platform")
    narrow.keep_picture(f"allocation-gap-dark-{NARROW}")
    assert not narrow.overflows()


def test_a_member_of_a_team_of_four_sees_no_capacity_and_why(working_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(working_server, as_=OTHER_MEMBER)
    window.go("/insights/capacity/?unit=search")
    window.wait_until_loaded()
    main = window.page.locator("main")
    expect(main).to_contain_text("fewer than 5 people")
    expect(main).to_contain_text("Shown for groups of at least 5 people, never for one person.")
    expect(window.page.locator(".hw-val:not(.none):not(.hidden-value)")).to_have_count(0)
    window.keep_picture("capacity-of-four-light")
