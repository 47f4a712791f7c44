"""Planning in a browser: why work was carried over, when an epic ships, and what a business review says is late."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from playwright.sync_api import expect

from insights.query.windows import local_today
from integrations.connectors.base import ResourceDraft
from integrations.connectors.drafts import (
    ProvidedParts,
    SprintChangeDraft,
    SprintDraft,
    TransitionDraft,
    ValueChangeDraft,
    Who,
    WorkItemDraft,
)
from integrations.delivery.ownership.find import find_owned, find_unit
from integrations.delivery.ownership.give import own
from integrations.enums import ItemField, ResourceKind, SprintState, StatusCategory
from integrations.intake.places import store_resource
from integrations.intake.store_drafts import store_drafts
from orgtree.models import Attribute, Person, PersonAttribute
from tests.conftest import StartServer
from tests.forecasts.work import PROJECT, REFUNDS, Board, know, working_day_after, working_days_before
from tests.journeys.window import MOST_PIXELS, NARROW, WIDE, BrowserWindows
from tests.personas import EXECUTIVE, MANAGER, MEMBER, create_user
from tests.programs.qbrs import review
from tests.servers import Server
from tests.teams import create_teams

ADA, BEN = Who(email="ada@example.com"), Who(email="hedy@example.com")


@pytest.fixture(scope="module")
def planned_server(start_server: StartServer, request: pytest.FixtureRequest) -> Iterator[Server]:
    """Platform's last sprint left three of five items, and its epic misses its planned day; ada is product manager."""
    with start_server("web", named=f"{request.node.name}-planning") as server:
        with server.database(), transaction.atomic():
            create_teams()
            know("ada", "hedy", "grace")
            for persona in (EXECUTIVE, MANAGER, MEMBER):
                create_user(persona)
            role = Attribute.objects.get_or_create(slug="role", defaults={"name": "Role"})[0]
            PersonAttribute.objects.create(
                person=Person.objects.get(email="ada@example.com"),
                attribute=role,
                value="Product Manager",
                during=DateRange(date(2020, 1, 1), None),
            )
            today, board = local_today(), Board()
            refunds = board.epic("SHOP-900", REFUNDS, due_on=working_day_after(today, 7))
            board.items(refunds, done=working_days_before(today, 40), todo=10, created=today - timedelta(days=90))
            store_sprint(board, today)
            own(find_owned("12"), find_unit("platform"), start=None, end=None)
            review(day=today)
        yield server


def store_sprint(board: Board, today: date) -> None:
    start = today - timedelta(days=today.weekday() + 21)  # a Monday

    def at(days: int) -> datetime:
        return datetime.combine(start + timedelta(days=days), time(10), UTC)

    def item(key: str, title: str, *, entered: int = -2, done: int | None = None, was: str = "") -> WorkItemDraft:
        moves = [TransitionDraft(at=at(done), from_status="To Do", to_status="Done")] if done is not None else []
        change = ValueChangeDraft(at=at(3), field=ItemField.ESTIMATE, before=was, after="8", by=BEN)
        return WorkItemDraft(
            external_id=key,
            key=key,
            title=title,
            project=PROJECT,
            native_type="Story",
            native_status="Done" if moves else "To Do",
            status_category=StatusCategory.DONE if moves else StatusCategory.TODO,
            first_category=StatusCategory.TODO,
            created_at=at(-5),
            updated_at=at(5),
            estimate=8.0,
            assignee=ADA,
            transitions=ProvidedParts(moves),
            value_changes=ProvidedParts([change] if was else []),
            sprint_changes=ProvidedParts([SprintChangeDraft(at=at(entered), sprint="7", added=True, by=BEN)]),
        )

    with transaction.atomic():
        store_resource(board.connection, ResourceDraft(ResourceKind.BOARD, "12", "Platform board"))
        stored = store_drafts(
            board.connection,
            [
                item("SHOP-801", "Show the fee", done=2),
                item("SHOP-802", "Refund by card", done=8),
                item("SHOP-803", "Refund by voucher", was="3"),
                item("SHOP-804", "Refund a part"),
                item("SHOP-805", "Refund twice", entered=6),
                SprintDraft(
                    external_id="7",
                    board="12",
                    name="Platform sprint 7",
                    state=SprintState.CLOSED,
                    native_state="closed",
                    starts_at=at(0),
                    ends_at=at(11),
                    completed_at=at(11),
                ),
            ],
        )
    assert not stored.unplaced


def test_three_people_find_why_when_and_what_is_late(planned_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(planned_server, as_=MANAGER)
    page = window.page
    window.go("/insights/planning/?unit=platform")
    carried = page.get_by_role("region", name="Carried over")
    expect(carried.locator("tbody tr")).to_have_count(3)
    expect(carried.locator("tr", has_text="SHOP-803")).to_contain_text("Re-estimated 3 → 8")
    expect(carried.locator("tr", has_text="SHOP-804")).to_contain_text("Not started")
    expect(carried.locator("tr", has_text="SHOP-805")).to_contain_text("Added on")
    assert window.grave_barriers() == []

    window = windows.open(planned_server, as_=MEMBER)
    page = window.page
    window.go("/?home=page")
    expect(page.locator("main h2").first).to_have_text("Planning")
    window.wait_until_loaded()
    assert window.grave_barriers() == []
    page.get_by_role("link", name=REFUNDS).click()
    expect(page.locator(".hw-odds .chosen")).to_contain_text(_day(working_day_after(local_today(), 10)))
    expect(page.locator("#forecast .hw-banner")).to_contain_text("Planned for")
    page.get_by_label("Items, added or cut").fill("-5")
    page.get_by_label("Items, added or cut").press("Tab")
    expect(page.locator("#forecast .changed")).to_contain_text("5 working days sooner")
    assert window.grave_barriers() == []
    window.keep_picture(f"initiative-light-{WIDE}")

    window = windows.open(planned_server, as_=EXECUTIVE, theme="dark", width=NARROW)
    page = window.page
    window.go("/programs/qbr/")
    page.locator("main table a").first.click()
    page.get_by_role("link", name="Open the delivery risks").click()
    expect(page.locator("#risks-title")).to_be_in_viewport()
    expect(page.locator(".hw-risks")).to_contain_text(
        f"{REFUNDS}: planned for {_day(working_day_after(local_today(), 7))}"
    )
    assert window.grave_barriers() == []
    window.go("/insights/planning/")
    window.wait_until_loaded()
    assert page.evaluate("document.documentElement.scrollHeight") <= MOST_PIXELS[NARROW]


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
