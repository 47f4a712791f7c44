"""The first hour: from an empty installation to a first dashboard, without a shell and without docs."""

from __future__ import annotations

import re

from playwright.sync_api import FilePayload, Page, expect

from demo.providers.github_access import Token
from demo.providers.github_server import GitHubServer
from tests.demo.small_history import small_history
from tests.journeys.test_connect_github import FIRST, enter, press_test
from tests.journeys.test_first_light import send_first_event
from tests.journeys.window import NARROW, WIDE, BrowserWindow, BrowserWindows
from tests.personas import ADMIN
from tests.servers import Server

ROWS = ("Name,E-mail,Reports to", "Lena Example,lena@example.com,", "Idris Example,idris@example.com,lena@example.com")
PEOPLE: FilePayload = {"name": "people.csv", "mimeType": "text/csv", "buffer": "\n".join(ROWS).encode()}


def test_six_steps_lead_to_a_first_dashboard(empty_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(empty_server, as_=ADMIN)
    page = window.page
    window.go("/")
    expect(page.get_by_role("heading", name="Set up Headway")).to_be_visible()
    assert done(page) == []
    assert window.grave_barriers() == []
    window.keep_picture(f"start-light-{WIDE}")

    page.get_by_role("link", name="Connect an agent").last.click()
    expect(page.get_by_text("Guided start, step 1 of 6")).to_be_visible()
    send_first_event(empty_server)
    page.get_by_role("link", name="Add people", exact=True).click()  # the bar follows by itself
    assert "agent" in done(page)
    expect(page.locator("[data-tile='ai.sessions']")).to_contain_text("since")

    page.get_by_role("link", name="Import a file").click()
    page.locator("input[type=file]").set_input_files(PEOPLE)
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name=re.compile("Apply|Import|Store")).first.click()
    page.get_by_role("link", name="Build the tree", exact=True).click()
    assert "people" in done(page)

    page.get_by_role("link", name="By manager").click()
    page.get_by_label("Name").fill("Engineering")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Create the tree").click()
    page.get_by_role("link", name="Connect tools", exact=True).click()
    assert "tree" in done(page)

    with GitHubServer(small_history(), tokens=[Token(FIRST, "ada")]) as github:
        connect_a_tool(window, github)

    page.get_by_role("button", name="Skip for now").click()
    expect(page.get_by_role("heading", name="Home", level=1)).to_be_visible()
    page.get_by_role("link", name="Continue").click()
    expect(page.locator("#step-access")).to_have_attribute("aria-current", "step")

    page.locator("#step-access").get_by_role("link", name="Decide").click()
    page.get_by_role("button", name="Keep these rules").click()
    page.get_by_role("link", name="Open your first dashboard", exact=True).click()
    page.get_by_role("button", name="Use the template Team lead").click()
    page.wait_for_url("**/edit/")
    window.go("/setup/")
    assert done(page) == ["agent", "people", "tree", "tools", "access", "dashboard"]  # others have accounts; Lena leads
    assert window.grave_barriers() == []
    narrow(window)


def connect_a_tool(window: BrowserWindow, github: GitHubServer) -> None:
    """GitHub, by its form, until its first repository was read."""
    page = window.page
    page.locator("#step-tools").get_by_role("link", name=re.compile("GitHub")).click()
    page.get_by_role("link", name="GitHub Repositories").click()
    enter(page, name="GitHub of Acme", base_url=github.url, token=FIRST)
    press_test(page)
    page.get_by_role("button", name="Connect", exact=True).click()
    page.get_by_label("Sync all that match").fill("acme/*")
    page.get_by_role("button", name="Save the rules").click()
    expect(page.get_by_text("1 of 1 synced")).to_be_visible()
    window.go("/integrations/")
    expect(page.locator(".hw-connections > li")).to_contain_text("Up to date")  # the page follows by itself
    window.go("/setup/")
    assert "tools" in done(page)


def done(page: Page) -> list[str]:
    expect(page.locator(".hw-start-steps")).to_be_visible()
    steps = page.locator(".hw-start-steps > li.done").evaluate_all("steps => steps.map(step => step.id)")
    return [step.removeprefix("step-") for step in steps]


def narrow(window: BrowserWindow) -> None:
    height = window.page.viewport_size
    assert height
    window.page.set_viewport_size({"width": NARROW, "height": height["height"]})
    assert not window.overflows()
    window.keep_picture(f"start-light-{NARROW}")
