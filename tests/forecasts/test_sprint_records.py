"""Back-tests of sprints, by hand: which of their 85 % dates held."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
import time_machine

from insights.forecasts.records import SPRINT
from insights.forecasts.sprint_records import calibration_of_board, record_sprints
from insights.formulas.forecast_calibration import Calibration
from insights.models import ForecastRecord
from integrations.connectors.drafts import ProvidedParts, SprintChangeDraft, SprintDraft
from integrations.enums import Kind, SprintState
from integrations.intake.deleted_records import mark_deleted
from integrations.models import Sprint
from tests.delivery.work_items.tracker import Tracker, at
from tests.org import Org
from tests.personas import EXECUTIVE, signed_in
from tests.teams import create_teams

FIRST = date(2026, 1, 5)  # a Monday
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def board(org: Org) -> Tracker:
    """Seven weeks of Platform: five items each, one done a day.  In the last one a sixth is never done, and a seventh
    removed.
    """
    create_teams()
    tracker = Tracker()
    for week in range(7):
        tracker.tell(*_week(tracker, week))
    tracker.tell(_item(tracker, 6, "never"), _item(tracker, 6, "removed", left=True))
    org.own("12", "platform")
    return tracker


def _week(tracker: Tracker, week: int) -> Iterator[Any]:
    monday = FIRST + timedelta(weeks=week)
    yield from (_item(tracker, week, str(day), done=monday + timedelta(days=day)) for day in range(5))
    yield sprint(week, monday, monday + timedelta(days=4))


def sprint(week: int, start: date, end: date, *, is_open: bool = False) -> SprintDraft:
    closes = at(f"{end:%m-%d} 16:00")
    return SprintDraft(
        external_id=str(week + 1),
        board="12",
        name=f"Platform sprint {week + 1}",
        state=SprintState.ACTIVE if is_open else SprintState.CLOSED,
        native_state="",
        starts_at=at(f"{start:%m-%d} 09:00"),
        ends_at=closes,
        completed_at=None if is_open else closes,
    )


def _item(tracker: Tracker, week: int, name: str, *, done: date | None = None, left: bool = False) -> Any:
    monday = FIRST + timedelta(weeks=week)
    changes = [SprintChangeDraft(at=at(f"{monday:%m-%d} 08:00"), sprint=str(week + 1), added=True)]
    if left:
        thursday = monday + timedelta(days=3)
        changes.append(SprintChangeDraft(at=at(f"{thursday:%m-%d} 08:00"), sprint=str(week + 1), added=False))
    moves = [(f"{done:%m-%d} 10:00", "Done")] if done else []
    return tracker.item(f"SHOP-{week}-{name}", "01-02 09:00", *moves, sprint_changes=ProvidedParts(changes))


def ids() -> list[int]:
    return list(Sprint.objects.values_list("pk", flat=True))


def test_dates_are_held_against_what_became_of_the_work(board: Tracker) -> None:
    """On Tuesday evenings, when commitments are final, three items are left, at one a day: Friday.

    There are twelve finished items, and days, from the third week on.  In the seventh four are left: next Monday, and
    one of them is never done.
    """
    assert record_sprints() == 5
    assert record_sprints() == 0
    records = ForecastRecord.objects.filter(kind=SPRINT).order_by("made_on")
    fridays = [FIRST + timedelta(weeks=week, days=4) for week in range(2, 6)]
    assert [(record.made_on.weekday(), record.remaining) for record in records] == [(1, 3)] * 4 + [(1, 4)]
    assert [record.likely_on for record in records] == [*fridays, FIRST + timedelta(weeks=7)]
    assert [record.finished_on for record in records] == [*fridays, None]
    assert calibration_of_board(ids()) == Calibration(4, 5)


def test_what_is_learned_later_changes_the_records(board: Tracker) -> None:
    record_sprints()
    board.tell(_item(board, 6, "never", done=FIRST + timedelta(weeks=7)))
    assert record_sprints() == 0
    assert calibration_of_board(ids()) == Calibration(5, 5), "the sixth was done on Monday after all"
    mark_deleted(board.connection, Kind.SPRINT, ["7"])
    record_sprints()
    assert calibration_of_board(ids()) == Calibration(4, 4)


def test_the_report_says_how_many_dates_held(board: Tracker) -> None:
    record_sprints()
    page = unescape(signed_in(EXECUTIVE).get("/insights/planning/").content.decode())
    assert "4 of 5 of the 85% dates of this board’s sprints held: too few to say" in page


def test_an_open_sprint_whose_board_is_not_calibrated_says_so(board: Tracker) -> None:
    record_sprints()
    key = ForecastRecord.objects.filter(kind=SPRINT).order_by("made_on").values_list("key", flat=True)[0]
    for number in range(10):
        ForecastRecord.objects.create(
            kind=SPRINT,
            key=key,
            made_on=FIRST - timedelta(days=number),
            likely_on=FIRST,
            remaining=1,
            added=0,
            weekly=5.0,
            finished_on=FIRST + timedelta(days=1),
        )
    monday = FIRST + timedelta(weeks=10)
    board.tell(_item(board, 10, "next"), sprint(10, monday, monday + timedelta(days=11), is_open=True))
    opened = Sprint.objects.get(external_id="11")
    page = unescape(signed_in(EXECUTIVE).get(f"/insights/planning/?sprint={opened.pk}").content.decode())
    assert "Not calibrated for this team: its dates come too early." in page
    assert "4 of 15 of the 85% dates of this board’s sprints held (27%)" in page
