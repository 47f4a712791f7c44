"""Builds a tree by hand in a browser: with the mouse, and by keyboard only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.conftest import StartServer
from tests.journeys.window import NARROW, BrowserWindow, BrowserWindows
from tests.personas import ADMIN
from tests.servers import Server


@pytest.fixture(scope="module")
def building_server(start_server: StartServer) -> Iterator[Server]:
    with start_server("web", named="tree-by-hand") as server:
        yield server


def test_units_are_dragged_and_moved_by_keyboard(building_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(building_server, as_=ADMIN)
    page = window.page
    create_tree(window)
    for name in ("Product", "Search", "Payments"):
        add_unit(page, name)
    assert window.grave_barriers() == []

    unit(page, "search").drag_to(unit(page, "product"))
    panel = page.get_by_role("dialog")
    expect(panel.get_by_role("heading", name="Move Search below Product")).to_be_visible()
    expect(panel.get_by_role("heading", name="What moves from")).to_be_visible()
    window.wait_until_loaded()
    assert window.grave_barriers() == []
    window.keep_picture("tree-by-hand-move")
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    assert names_below(page, "product") == []

    unit(page, "search").drag_to(unit(page, "product"))
    panel.get_by_role("button", name="Move Search below Product").click()
    expect(page.get_by_text("Done: Move Search below Product.")).to_be_visible()
    assert names_below(page, "product") == ["Search"]

    unit(page, "engineering").get_by_role("link").focus()
    page.keyboard.press("ArrowDown")
    expect(unit(page, "payments").get_by_role("link")).to_be_focused()
    page.keyboard.press("m")
    panel.get_by_label("Move to").select_option("product")
    panel.get_by_role("button", name="Show what moves").press("Enter")
    panel.get_by_role("button", name="Move Payments below Product").press("Enter")
    expect(page.get_by_text("Done: Move Payments below Product.")).to_be_visible()
    assert names_below(page, "product") == ["Payments", "Search"]

    unit(page, "product").get_by_role("link").press("ArrowLeft")
    expect(unit(page, "search")).to_be_hidden()
    unit(page, "product").get_by_role("link").press("ArrowRight")
    expect(unit(page, "search")).to_be_visible()
    window.keep_picture("tree-by-hand")

    narrow = windows.open(building_server, as_=ADMIN, theme="dark", width=NARROW)
    narrow.go("/orgtree/trees/engineering/?unit=search")
    assert not narrow.overflows()
    assert narrow.grave_barriers() == []
    narrow.keep_picture("tree-by-hand-narrow")


def create_tree(window: BrowserWindow) -> None:
    window.go("/orgtree/trees/new/?kind=hand_built")
    window.page.get_by_label("Name").fill("Engineering")
    window.page.get_by_role("button", name="Preview").click()
    window.page.get_by_role("button", name="Create the tree").click()
    expect(unit(window.page, "engineering")).to_be_visible()


def add_unit(page: Page, name: str) -> None:
    page.get_by_role("link", name="Engineering", exact=True).first.click()
    page.get_by_text("Add a unit below").click()
    page.get_by_label("Name").locator("visible=true").fill(name)
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text(f"{name} is now below Engineering.")).to_be_visible()


def unit(page: Page, slug: str) -> Locator:
    return page.locator(f"[data-unit='{slug}']")


def names_below(page: Page, slug: str) -> list[str]:
    return page.locator(f"li:has(> [data-unit='{slug}']) > ul [data-unit] a").all_inner_texts()
