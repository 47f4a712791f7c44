"""The program in a browser: from a bottleneck to an objective, its tickets and a check-in; closing a quarter; and a
member's view.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.conftest import StartServer
from tests.journeys.window import NARROW, WIDE, BrowserWindow, BrowserWindows
from tests.pages.delivering import day_before, records
from tests.patience import wait_until
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, create_user
from tests.programs.objectives import by_hand, objective
from tests.programs.tickets import ticket
from tests.servers import Server
from tests.teams import create_teams

OBJECTIVES = "/programs/objectives/"
GOAL = "Nobody waits for a review"
TICKETS = ("Two reviewers for each repository", "A rota for the mornings", "Remind after four hours")


@pytest.fixture(scope="module")
def program_server(start_server: StartServer, request: pytest.FixtureRequest) -> Iterator[Server]:
    """A shop with two teams, of which Platform waits for its reviews."""
    with start_server("web", "worker", "beat", named=f"{request.node.name}-program") as server:
        with server.database():
            create_teams()
            for persona in (ADMIN, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER):
                create_user(persona)
        for kind, of_kind in records().items():
            server.pipeline().post(f"/ingest/v1/{kind}/", json={"records": of_kind}).raise_for_status()
        yield server


@pytest.fixture(scope="module")
def server_with_goals(program_server: Server) -> Server:
    """The same with an objective of the whole organisation and one of Search alone, and a ticket of each team."""
    with program_server.database():
        objective(EXECUTIVE, title="One goal for all of us", unit=None)
        objective(EXECUTIVE, title="A goal of Search alone", unit="search", key_results=(by_hand(title="Its measure"),))
        ticket(EXECUTIVE, title="Ada tries the rota")
        ticket(EXECUTIVE, title="Grace mends the index", unit="search", owner="grace@example.com")
    return program_server


def test_a_manager_goes_from_a_bottleneck_to_an_objective_its_tickets_and_a_check_in(
    server_with_goals: Server, windows: BrowserWindows
) -> None:
    window = windows.open(server_with_goals, as_=MANAGER)
    page = window.page
    wait_until(lambda: has_bottleneck(window), what="the pushed records to be linked")
    window.go("/insights/metrics/pr.pickup_time/?unit=platform")
    page.get_by_role("link", name="Set an objective").click()
    window.wait_until_loaded()
    write_the_objective(window)
    for title in TICKETS:
        page.get_by_role("link", name="Create ticket").first.click()
        window.wait_until_loaded()
        file_a_ticket(window, title)
        page.get_by_role("link", name=GOAL).click()
        window.wait_until_loaded()
    plan = page.get_by_role("region", name="Improvement plan")
    for title in TICKETS:
        expect(plan.get_by_role("link", name=title)).to_have_count(1)
    page.get_by_label("At risk").check()
    page.get_by_label("What happened, and what comes next").fill("The rota *begins* on Monday.")
    page.get_by_role("button", name="Check in").click()
    window.wait_until_loaded()
    expect(page.locator("#check-ins")).to_contain_text("The rota begins on Monday.")
    expect(page.get_by_role("region", name="History")).to_contain_text("Created")
    window.keep_picture(f"program-objective-light-{WIDE}")
    assert window.grave_barriers() == []


def has_bottleneck(window: BrowserWindow) -> bool:
    """Whether the page of now says so; an open one of a manager follows new data a quarter of an hour later."""
    window.go("/insights/delivery/?unit=platform")
    return "Pickup is the bottleneck" in window.page.locator("#stages-now").inner_text()


def write_the_objective(window: BrowserWindow) -> None:
    page = window.page
    expect(page.locator("select[name$=metric]").first).to_have_value("pr.pickup_time")
    expect(page.locator("#baseline-0")).to_contain_text("Lower is better")
    page.get_by_label("Objective", exact=True).fill(GOAL)
    page.get_by_label("This is the team’s mandatory objective").check()
    page.get_by_label("Target", exact=True).first.fill("two hours")
    page.get_by_label("Baseline", exact=True).first.fill("6 h")
    assert window.grave_barriers() == []
    refused(window)
    page.get_by_label("Target", exact=True).first.fill("2 h")
    page.get_by_role("button", name="Publish").click()
    window.wait_until_loaded()
    expect(page.get_by_role("heading", level=1)).to_have_text(GOAL)
    expect(page.get_by_role("status")).to_contain_text("published")


def refused(window: BrowserWindow) -> None:
    """An invalid target is reported beside its field, and no input is lost."""
    with window.refused():
        window.page.get_by_role("button", name="Publish").click()
    expect(window.page.locator(".hw-field.wrong")).to_contain_text("a duration with its unit")
    expect(window.page.get_by_label("Objective", exact=True)).to_have_value(GOAL)
    assert window.grave_barriers() == []


def file_a_ticket(window: BrowserWindow, title: str) -> None:
    page = window.page
    page.get_by_label("Opportunity or challenge").fill(title)
    page.get_by_label("Cause").select_option("process")
    page.get_by_label("Owner").fill("ada@example.com")
    page.get_by_label("Due by").fill("2099-12-01")
    page.get_by_role("button", name="Create ticket").dblclick()  # an impatient press files no second one
    window.wait_until_loaded()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def test_a_member_sees_their_goals_and_nothing_that_is_not_theirs(
    server_with_goals: Server, windows: BrowserWindows
) -> None:
    window = windows.open(server_with_goals, as_=MEMBER)
    page = window.page
    window.go(OBJECTIVES)
    listed = page.locator("#objectives")
    expect(listed).to_contain_text("One goal for all of us")
    expect(listed).not_to_contain_text("A goal of Search alone")
    for name in ("New objective", "Close", "Teams without one", "Drafts"):
        expect(page.get_by_role("link", name=name)).to_have_count(0)
    page.get_by_role("link", name="One goal for all of us").click()
    window.wait_until_loaded()
    for name in ("Check in", "Drop objective", "Change", "Create ticket"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
        expect(page.get_by_role("link", name=name, exact=True)).to_have_count(0)
    assert window.grave_barriers() == []
    window.go("/programs/tickets/?mine=1")
    expect(page.locator("#tickets")).to_contain_text("Ada tries the rota")
    window.go("/programs/tickets/?state=all")
    expect(page.locator("#tickets")).to_contain_text("Ada tries the rota")
    expect(page.locator("#tickets")).not_to_contain_text("Grace mends the index")


def test_an_executive_sees_who_lacks_an_objective_and_closes_the_quarter(
    server_with_goals: Server, windows: BrowserWindows
) -> None:
    window = windows.open(server_with_goals, as_=EXECUTIVE)
    page = window.page
    window.go(f"{OBJECTIVES}new/")
    assert window.grave_barriers() == []
    window.go(OBJECTIVES)
    page.get_by_role("link", name="Teams without one").click()
    window.wait_until_loaded()
    expect(page.locator("#objectives")).to_contain_text("Search")
    expect(page.get_by_role("link", name="Set an objective for Search in Engineering")).to_be_visible()
    assert window.grave_barriers() == []
    page.get_by_role("link", name="Alignment").click()
    window.wait_until_loaded()
    assert window.grave_barriers() == []
    page.get_by_role("link", name="Close 20").click()
    window.wait_until_loaded()
    page.get_by_role("article", name="One goal for all of us").get_by_label("Carry over").check()
    page.get_by_label("What the organisation learned").fill("Reviews were the bottleneck.")
    page.get_by_label("Reason for closing anyway").fill("A test can't wait for the end of a quarter.")
    window.keep_picture(f"program-closing-light-{WIDE}")
    assert window.grave_barriers() == []
    page.get_by_role("button", name="Close 20").click()
    window.wait_until_loaded()
    expect(page.locator(".hw-frozen .stamp")).to_contain_text("SHA-256")
    expect(page.locator(".hw-frozen")).to_contain_text("Reviews were the bottleneck.")
    expect(page.get_by_role("article", name="One goal for all of us")).to_contain_text("Carried over")
    window.keep_picture(f"program-quarter-light-{WIDE}")
    assert window.grave_barriers() == []


def test_the_pages_keep_nobody_out_and_fit_a_narrow_dark_window(
    server_with_goals: Server, windows: BrowserWindows
) -> None:
    """Whether the quarter was closed before or not: what is looked at here is there in both."""
    window = windows.open(server_with_goals, as_=EXECUTIVE, theme="dark", width=NARROW)
    for name, address in (
        ("list", OBJECTIVES),
        ("tree", f"{OBJECTIVES}?view=tree"),
        ("begin", f"{OBJECTIVES}new/"),
        ("form", f"{OBJECTIVES}new/?metric=pr.pickup_time&unit=platform"),
    ):
        window.go(address)
        window.keep_picture(f"program-{name}-dark-{NARROW}")
        assert window.grave_barriers() == [], address
        assert not window.overflows(), address
    window.go(OBJECTIVES)
    window.page.get_by_role("link", name="One goal for all of us").click()
    window.wait_until_loaded()
    window.keep_picture(f"program-goal-dark-{NARROW}")
    assert window.grave_barriers() == []
    assert not window.overflows()


def test_a_manager_runs_the_monthly_review_from_the_agenda_to_the_signature(
    server_with_goals: Server, windows: BrowserWindows
) -> None:
    with server_with_goals.database():
        ticket(title="Two reviewers for the shop", starts_on=day_before(80), due_on=day_before(40))
    window = windows.open(server_with_goals, as_=MANAGER)
    page = window.page
    window.go("/programs/reviews/")
    page.get_by_role("button", name="Prepare the review of Platform").click()
    window.wait_until_loaded()
    expect(page.get_by_role("region", name="Overdue tickets")).to_contain_text("Two reviewers for the shop")
    page.get_by_label("Another point").fill("Builds take half an hour")
    page.get_by_role("button", name="Save and add the point").click()
    window.wait_until_loaded()
    for title, decision in (("Two reviewers for the shop", "A second reviewer"), ("Builds take", "Cache the builds")):
        point = page.get_by_role("article").filter(has_text=title)
        point.get_by_label("Notes").fill("We *looked* at it.")
        point.get_by_label("Decision").fill(decision)
        point.get_by_text("Create ticket").first.click()
        point.get_by_label("Owner").fill("ada@example.com")
        point.get_by_role("button", name="Save and create ticket").click()
        window.wait_until_loaded()
        expect(page.get_by_role("article").filter(has_text=title)).to_contain_text(decision)
    page.get_by_label("Ada", exact=True).check()
    window.keep_picture(f"program-review-light-{WIDE}")
    assert window.grave_barriers() == []
    page.get_by_role("button", name="Save and sign…").click()
    window.wait_until_loaded()
    assert window.grave_barriers() == []
    page.get_by_role("button", name="Sign the review").click()
    window.wait_until_loaded()
    expect(page.locator(".hw-signed")).to_contain_text("Signed by")
    member = windows.open(server_with_goals, as_=MEMBER, theme="dark", width=NARROW)
    member.go(page.url)
    expect(member.page.get_by_role("region", name="Overdue tickets")).to_contain_text("A second reviewer")
    member.keep_picture(f"program-review-dark-{NARROW}")
    assert member.grave_barriers() == []
