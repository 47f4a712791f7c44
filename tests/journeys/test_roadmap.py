"""The roadmap in a browser: filled by keyboard alone, moved by dragging, read by a member."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from programs.models import Objective, RoadmapIntent
from programs.quarters.fiscal_quarters import current_quarter, quarter_of
from tests.conftest import StartServer
from tests.journeys.window import NARROW, WIDE, BrowserWindow, BrowserWindows
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, create_user
from tests.programs.objectives import objective
from tests.servers import Server
from tests.teams import create_teams

ROADMAP = "/programs/roadmap/"
PERSONAS, EXAMPLE = f"{ROADMAP}personas/", f"{ROADMAP}example/"
MOST_TABS = 250


@pytest.fixture(scope="module")
def planning_server(start_server: StartServer, request: pytest.FixtureRequest) -> Iterator[Server]:
    """A shop with two teams, of which Platform has its objective of this quarter."""
    with start_server("web", named=f"{request.node.name}-roadmap") as server:
        with server.database():
            create_teams()
            for persona in (ADMIN, EXECUTIVE, MANAGER, MEMBER):
                create_user(persona)
            objective(title="Reviews begin the same day", is_mandatory=True)
            objective(EXECUTIVE, title="Users find fewer defects", unit=None)
        yield server


def quarters(server: Server) -> list[str]:
    """The names of this quarter and of the three that follow."""
    with server.database():
        quarter, names = current_quarter(), []
        for _ in range(4):
            names.append(str(quarter))
            quarter = quarter_of(quarter.end)
    return names


def tab_to(page: Page, name: str) -> Locator:
    """Move the focus to the element with that name, only with the Tab key."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        focused = page.locator("*:focus")
        if focused.count() and (focused.get_attribute("aria-label") or focused.inner_text()).strip() == name:
            return focused
    raise AssertionError(f"{name} is not reached by Tab")


def add_by_keyboard(window: BrowserWindow, cell: str, title: str) -> None:
    page = window.page
    tab_to(page, f"Add to {cell}")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("heading", name="Add to the roadmap")).to_be_focused()
    page.keyboard.press("Tab")  # the template
    page.keyboard.press("Tab")
    expect(page.get_by_label("Title")).to_be_focused()
    page.keyboard.type(title)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text(f"“{title}” added")
    window.wait_until_loaded()
    expect(page.get_by_role("link", name=title, exact=True)).to_be_focused()


def test_a_manager_fills_the_roadmap_by_keyboard_alone(planning_server: Server, windows: BrowserWindows) -> None:
    now, following, later, last = quarters(planning_server)
    window = windows.open(planning_server, as_=MANAGER)
    page = window.page
    window.go(ROADMAP)
    assert window.grave_barriers() == []
    expect(page.locator(".hw-roadmap-gaps")).to_contain_text("3 gaps")
    for quarter, title in ((following, "Healthy sprints"), (later, "Sooner in production"), (last, "More features")):
        add_by_keyboard(window, f"Platform, {quarter}", title)
    expect(page.locator(".hw-roadmap-gaps")).to_have_count(0)
    says = page.locator("#roadmap-says")
    page.keyboard.press("Shift+ArrowLeft")  # what was added last has the focus
    expect(says).to_have_text(f"“More features” moved to Platform, {later}.")
    expect(page.get_by_role("link", name="More features", exact=True)).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("link", name="Sooner in production", exact=True)).to_be_focused()
    page.keyboard.press("Shift+ArrowRight")
    expect(says).to_have_text(f"“Sooner in production” moved to Platform, {last}.")
    page.keyboard.press("Shift+ArrowRight")
    expect(says).to_contain_text("stays where it is")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("link", name="Healthy sprints", exact=True)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("link", name="Reviews begin the same day", exact=True)).to_be_focused()
    page.keyboard.press("Shift+ArrowRight")
    expect(says).to_have_text(f"“Reviews begin the same day” moved to Platform, {following}.")
    page.keyboard.press("Shift+ArrowLeft")
    expect(says).to_have_text(f"“Reviews begin the same day” moved to Platform, {now}.")
    look_at_the_objective(window)
    move_in_the_panel(window, following, later)
    window.keep_picture(f"program-roadmap-light-{WIDE}")
    with planning_server.database():
        planned = {intent.title: str(intent.quarter) for intent in RoadmapIntent.objects.select_related("quarter")}
        assert str(Objective.objects.select_related("quarter").get(unit__slug="platform").quarter) == now
    assert planned == {"Healthy sprints": later, "More features": later, "Sooner in production": last}


def look_at_the_objective(window: BrowserWindow) -> None:
    page = window.page
    page.keyboard.press("Enter")
    panel = page.get_by_role("dialog")
    expect(panel).to_contain_text("3 of 5 → 4 of 5")
    expect(panel.get_by_role("link", name="Open objective")).to_be_visible()
    window.wait_until_loaded()
    assert window.grave_barriers() == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Reviews begin the same day", exact=True)).to_be_focused()


def move_in_the_panel(window: BrowserWindow, from_: str, to: str) -> None:
    page = window.page
    tab_to(page, f"Move Healthy sprints, Platform, {from_}")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("heading", name="Move Healthy sprints")).to_be_focused()
    window.wait_until_loaded()
    assert window.grave_barriers() == []
    page.keyboard.press("Tab")
    expect(page.get_by_label("Quarter")).to_be_focused()
    page.keyboard.type(to)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text(f"“Healthy sprints” moved to Platform, {to}.")
    window.wait_until_loaded()
    assert window.grave_barriers() == []


def test_an_executive_drags_an_objective_and_sees_what_was_changed_meanwhile(
    planning_server: Server, windows: BrowserWindows
) -> None:
    now, following, *_ = quarters(planning_server)
    window = windows.open(planning_server, as_=EXECUTIVE)
    page = window.page
    window.go(ROADMAP)
    whole = page.locator("tr[data-unit=':organisation']")
    card = whole.locator("[data-card^='objective-']")
    card.drag_to(whole.locator("td").nth(1))
    expect(page.locator("#roadmap-says")).to_have_text(
        f"“Users find fewer defects” moved to Whole organisation, {following}."
    )
    expect(whole.locator("td").nth(1)).to_contain_text("Users find fewer defects")
    with planning_server.database():
        moved = Objective.objects.get(unit=None)
        Objective.objects.filter(pk=moved.pk).update(version=moved.version + 1)
    before = list(windows.complaints)
    card.drag_to(whole.locator("td").nth(0))
    expect(page.locator("#roadmap-problem")).to_contain_text(f"it is now in {following} of Whole organisation")
    expect(page.locator("#roadmap-problem")).to_contain_text(f"You wanted Whole organisation, {now}")
    window.wait_until_loaded()
    assert all("409" in complaint for complaint in windows.complaints[len(before) :])
    windows.complaints[:] = before
    card.drag_to(whole.locator("td").nth(0))
    expect(page.locator("#roadmap-says")).to_contain_text(f"moved to Whole organisation, {now}")
    window.wait_until_loaded()


def test_a_member_reads_and_moves_nothing(planning_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(planning_server, as_=MEMBER)
    page = window.page
    window.go(ROADMAP)
    expect(page.locator(".hw-roadmap")).to_contain_text("Reviews begin the same day")
    for name in ("Move", "Add", "Use template", "Write objective"):
        expect(page.get_by_role("link", name=name)).to_have_count(0)
    assert page.locator("[draggable=true]").count() == 0
    assert window.grave_barriers() == []
    page.get_by_role("link", name="Personas").click()
    window.wait_until_loaded()
    expect(page.locator("tbody tr").first).to_contain_text("Developer")
    page.get_by_role("link", name="Show QA Engineer first").click()
    window.wait_until_loaded()
    expect(page.locator("tbody tr").first).to_contain_text("QA Engineer")
    assert window.grave_barriers() == []


def test_the_roadmaps_keep_nobody_out_and_fit_a_narrow_dark_window(
    planning_server: Server, windows: BrowserWindows
) -> None:
    wide = windows.open(planning_server, as_=ADMIN)
    wide.go(EXAMPLE)  # nobody above did
    assert wide.grave_barriers() == []
    window = windows.open(planning_server, as_=ADMIN, theme="dark", width=NARROW)
    for name, address in (("roadmap", ROADMAP), ("personas", PERSONAS), ("example", EXAMPLE)):
        window.go(address)
        window.keep_picture(f"program-{name}-dark-{NARROW}")
        assert window.grave_barriers() == [], address
        assert not window.overflows(), address
