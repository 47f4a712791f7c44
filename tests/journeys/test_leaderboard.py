"""The leaderboard in a browser: sort, search, page, download, and view without access to rows.

Thirty people, so that trial mode has ended and others appear under pseudonyms.
"""

from __future__ import annotations

import csv
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Position, expect

from orgtree.models import Organisation
from tests.confirmed import confirm
from tests.conftest import StartServer
from tests.journeys.history import session, wait_until_copied, wait_until_folded
from tests.journeys.window import NARROW, BrowserWindow, BrowserWindows
from tests.personas import ADMIN, MEMBER
from tests.servers import Server

BOARD = "/insights/ai/leaderboard/"
PEOPLE = ("ada", *(f"developer{number}" for number in range(29)))
PSEUDONYM = re.compile(r"Developer [A-Z2-7]{5}-[A-Z2-7]{5}")


@pytest.fixture(scope="module")
def busy_server(start_server: StartServer, request: pytest.FixtureRequest) -> Iterator[Server]:
    """An installation with two sessions of thirty people each."""
    with start_server("web", "worker", "beat", named=f"{request.node.name}-busy") as server:
        agent, chance = server.agent(), random.Random(7)
        start = datetime.now(UTC) - timedelta(days=9)
        for number, person in enumerate(PEOPLE * 2):
            for path, message in session(f"{person}@example.com", start + timedelta(hours=number), chance):
                headers = {"Content-Type": "application/x-protobuf"}
                agent.post(path, content=message.SerializeToString(), headers=headers).raise_for_status()
        wait_until_folded(server)
        with server.database():
            confirm([f"{person}@example.com" for person in PEOPLE])
            Organisation.objects.update(leaderboard=True)
        wait_until_copied(server)
        yield server


def names(page: Page) -> list[str]:
    return [text.removesuffix("You").strip() for text in page.locator(".hw-leaderboard tbody th").all_inner_texts()]


def column(page: Page, position: int) -> list[str]:
    return page.locator(f".hw-leaderboard tbody td:nth-child({position})").all_inner_texts()


def test_sort_search_turn_the_page_and_download(busy_server: Server, windows: BrowserWindows, tmp_path: Path) -> None:
    window = windows.open(busy_server, as_=MEMBER)
    page = window.page
    window.go(BOARD)
    expect(page.get_by_text("pseudonyms that only you see")).to_be_visible()
    assert len(names(page)) == 25
    assert window.grave_barriers() == []
    assert len({name for name in names(page) if PSEUDONYM.fullmatch(name)}) >= 24
    sort_by(window, "Sessions", "descending")
    sort_by(window, "Tokens Used", "descending")
    tokens = [number(text) for text in column(page, 8)]
    assert tokens == sorted(tokens, reverse=True)
    sort_by(window, "Tokens Used", "ascending")
    first = names(page)
    page.get_by_role("link", name="Next").click()
    window.wait_until_loaded()
    assert len(names(page)) == 5
    assert not {*names(page)} & {*first}
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    saved = tmp_path / "leaderboard.csv"
    download.value.save_as(saved)
    with saved.open(encoding="utf-8-sig", newline="") as lines:
        listed = [row[1] for row in csv.reader(lines)][1:]
    assert listed == [*first, *names(page)]
    page.get_by_role("searchbox", name="Name").fill("ada")
    page.keyboard.press("Enter")
    expect(page.locator(".hw-leaderboard tbody th").first).to_contain_text("Ada")
    expect(page.locator(".hw-leaderboard tr.own")).to_have_count(1)
    page.get_by_role("searchbox", name="Name").fill("developer3")  # the address of one of them
    page.keyboard.press("Enter")
    expect(page.get_by_text("No developer with that name")).to_be_visible()


def test_from_ones_own_row_to_a_session(busy_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(busy_server, as_=MEMBER)
    page = window.page
    window.go("/insights/ai/sessions/")
    assert window.grave_barriers() == []
    window.go(f"{BOARD}?q=ada")
    page.locator(".hw-leaderboard tr.own a[data-panel*='Tokens']").click()
    panel = page.locator("#panel-body")
    panel.locator("tbody a[href*='/insights/ai/sessions/']").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Claude Code session")
    expect(page.locator(".hw-session-timeline")).to_contain_text("output tokens")
    window.keep_picture("session-light-1440")
    assert window.grave_barriers() == []
    own = page.url
    stranger = windows.open(busy_server, as_=ADMIN)
    stranger.go_where_nothing_is(own)


def test_an_admin_sees_nobodys_row(busy_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(busy_server, as_=ADMIN)
    window.go(BOARD)
    expect(window.page.get_by_text("you may see aggregates here")).to_be_visible()
    expect(window.page.get_by_text("30 developers with agent activity")).to_be_visible()
    expect(window.page.locator(".hw-leaderboard")).to_have_count(0)
    window.go("/insights/ai/sessions/")
    expect(window.page.get_by_text("No sessions", exact=True)).to_be_visible()


def test_from_the_bars_of_a_chart_to_its_rows(busy_server: Server, windows: BrowserWindows) -> None:
    """Works by a click on the plot, and by a link in the table view, which the keyboard reaches."""
    window = windows.open(busy_server, as_=MEMBER)
    page = window.page
    window.go("/insights/ai/usage/?person=me")  # so few rows that the panel lists all of them
    card = page.locator("#chart-tokens_by_kind")
    card.get_by_role("button", name="as a table").click()
    link = card.locator("a.hw-drill").first
    figure = link.inner_text().split()[0]  # "157,486 (2 sessions) · 1 developer"
    link.focus()
    page.keyboard.press("Enter")
    panel = page.locator("#panel-body")
    expect(panel).to_contain_text("Token kind:")
    added = [number(text) for text in panel.locator("tbody td.sorted").all_inner_texts()]
    assert sum(added) == number(figure)
    page.keyboard.press("Escape")
    card.get_by_role("button", name="as a table").click()
    canvas = card.locator("canvas")
    canvas.click(position=place_of_a_bar(canvas))
    expect(panel).to_contain_text("Token kind:")


def test_the_pages_keep_nobody_out_and_fit_a_narrow_dark_window(busy_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(busy_server, as_=MEMBER, theme="dark", width=NARROW)
    for name, address in (("leaderboard", BOARD), ("sessions", "/insights/ai/sessions/")):
        window.go(address)
        window.keep_picture(f"{name}-dark-{NARROW}")
        assert not window.overflows(), name
        assert window.grave_barriers() == [], name


def place_of_a_bar(canvas: Locator) -> Position:
    """A position where the pointer shows that something can be opened: some days have no bar."""
    box = canvas.bounding_box()
    assert box is not None
    for x in range(int(box["width"]) - 10, 40, -8):
        place: Position = {"x": x, "y": box["height"] - 40}
        canvas.hover(position=place)
        if canvas.evaluate("canvas => canvas.style.cursor") == "pointer":
            return place
    raise AssertionError("Nothing on the canvas can be opened.")


def sort_by(window: BrowserWindow, label: str, direction: str) -> None:
    window.page.locator(".hw-leaderboard thead a", has_text=label).click()
    window.wait_until_loaded()
    heading = window.page.locator(".hw-leaderboard th", has_text=label).first
    expect(heading).to_have_attribute("aria-sort", direction)


def number(text: str) -> float:
    """12,345, 12.3k or 1.2M."""
    factor = {"k": 1e3, "M": 1e6}.get(text.strip()[-1:], 1)
    return float(text.strip().rstrip("kM").replace(",", "")) * factor
