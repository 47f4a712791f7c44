"""Ownership in a browser: confirm proposals in bulk and by keyboard, change an owner from a day on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Locator, Page, expect

from orgtree.models import Person, TreeKind, Unit
from orgtree.trees.trees import create_tree
from orgtree.trees.units import add_unit, move_person
from tests.conftest import StartServer
from tests.journeys.window import NARROW, BrowserWindows
from tests.personas import ADMIN, MEMBER
from tests.servers import Server

PAGE = "/integrations/ownership/"
AUTHORS = {"acme/api": "grace", "acme/shop": "ada", "acme/web": "ada"}


@pytest.fixture(scope="module")
def owning_server(start_server: StartServer) -> Iterator[Server]:
    """Two teams of one person each, and three repositories in which one of them merges."""
    with start_server("web", named="ownership") as server:
        with server.database():
            root = Unit.objects.get(tree=create_tree("Teams", TreeKind.HAND_BUILT))
            for name, team in (("ada", "Platform"), ("grace", "Search")):
                person = Person.objects.create(full_name=name.title(), email=f"{name}@example.com")
                move_person(person, add_unit(root, team))
        at = datetime.now(UTC).isoformat()
        records = [
            {
                "id": repository,
                "repository": repository,
                "number": 1,
                "author": f"{author}@example.com",
                "created_at": at,
                "merged_at": at,
                "state": "merged",
            }
            for repository, author in AUTHORS.items()
        ]
        server.pipeline().post("/ingest/v1/pull-requests/", json={"records": records}).raise_for_status()
        yield server


def test_owners_are_confirmed_and_changed(owning_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(owning_server, as_=ADMIN)
    page = window.page
    window.go("/integrations/")
    page.get_by_role("link", name="Set owners in Teams").click()
    expect(page.get_by_role("heading", name="Ownership")).to_be_visible()
    expect(row(page, "acme/shop")).to_contain_text("the only merge in the last 90 days by members of Platform")
    assert window.grave_barriers() == []
    window.keep_picture("ownership-proposals")

    page.get_by_role("button", name="Confirm that Search owns acme/api").press("Enter")
    expect(page.get_by_text("acme/api has a new owner.")).to_be_visible()
    page.get_by_label("All shown").press("Space")
    page.get_by_role("button", name="Confirm proposals").press("Enter")
    expect(page.get_by_text("2 of them have new owners.")).to_be_visible()
    expect(page.get_by_text("Everything of that kind and name has an owner.")).to_be_visible()

    page.get_by_role("link", name="Show everything").click()
    row(page, "acme/web").get_by_role("checkbox").check()
    page.get_by_label("Unit", exact=True).select_option("search")
    page.get_by_label("from", exact=True).fill("2026-03-09")
    page.get_by_role("button", name="Assign", exact=True).click()
    expect(page.get_by_text("acme/web is owned by Search from 9 March 2026 on.")).to_be_visible()
    expect(row(page, "acme/web")).to_contain_text("since 9 Mar 2026")
    assert window.grave_barriers() == []
    window.keep_picture("ownership")

    narrow = windows.open(owning_server, as_=ADMIN, theme="dark", width=NARROW)
    narrow.go(PAGE)
    assert not narrow.overflows()
    assert narrow.grave_barriers() == []
    narrow.keep_picture("ownership-narrow")

    member = windows.open(owning_server, as_=MEMBER)
    member.go(PAGE)
    expect(row(member.page, "acme/shop")).to_contain_text("Platform")
    expect(member.page.get_by_role("checkbox")).to_have_count(0)
    assert member.grave_barriers() == []


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=name))
