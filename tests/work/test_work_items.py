"""Work items: worked examples, each of which can be checked by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

import pytest

from insights.windows import local_today
from integrations.models import FactChange, WorkItemFigures
from tests.work.tracker import DAY, HOUR, Tracker, figure, on, week_of


@pytest.fixture
def tracker(db: None) -> Tracker:
    return Tracker()


class History(NamedTuple):
    """A work item of the week of Monday, 9 March; lead and cycle time in hours, None where it lacks one."""

    name: str
    created: str
    moves: list[tuple[str, str]]
    lead: float
    cycle: float | None
    left_done: int


HISTORIES = [
    History("straight through", "03-09 08:00", [("03-09 10:00", "In progress"), ("03-09 16:00", "Done")], 8, 6, 0),
    History("never in progress", "03-09 08:00", [("03-10 08:00", "Done")], 24, None, 0),
    History(
        "reopened: it ends at its last done",
        "03-09 08:00",
        [
            ("03-09 10:00", "In progress"),
            ("03-09 12:00", "Done"),
            ("03-10 09:00", "In progress"),
            ("03-10 10:00", "Done"),
        ],
        26,
        24,
        1,
    ),
    History(
        "moves within done are none",
        "03-09 08:00",
        [("03-09 10:00", "In progress"), ("03-09 12:00", "Done"), ("03-11 12:00", "Released")],
        4,
        2,
        0,
    ),
    History(
        "moves within progress are none, and being put back does not begin anew",
        "03-09 08:00",
        [
            ("03-09 10:00", "In progress"),
            ("03-09 11:00", "In review"),
            ("03-09 12:00", "To do"),
            ("03-09 14:00", "In progress"),
            ("03-09 18:00", "Done"),
        ],
        10,
        8,
        0,
    ),
    History(
        "two moves in the same minute",
        "03-09 08:00",
        [("03-09 10:00", "In progress"), ("03-09 10:00", "Done")],
        2,
        0,
        0,
    ),
]


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.name)
def test_lead_and_cycle_time(tracker: Tracker, history: History) -> None:
    tracker.tell(tracker.item("SHOP-1", history.created, *history.moves))
    week = week_of("03-09")
    assert figure("issue.lead_time", week).value == history.lead * HOUR
    told = figure("issue.cycle_time", week)
    assert told.value == (None if history.cycle is None else history.cycle * HOUR)
    assert (told.sample_size, told.left_out) == ((0, 1) if history.cycle is None else (1, 0))
    assert WorkItemFigures.objects.get().reopened == history.left_done


def test_an_item_without_transitions_is_done_when_it_was_resolved(tracker: Tracker) -> None:
    tracker.tell(tracker.item("SHOP-1", "03-09 08:00", status="Done", resolved="03-11 08:00"))
    assert figure("issue.lead_time", week_of("03-09")).value == 2 * DAY
    assert figure("issue.cycle_time", week_of("03-09")).left_out == 1


def test_an_item_that_was_done_and_is_open_again_counts_nowhere(tracker: Tracker) -> None:
    moves = [("03-09 10:00", "In progress"), ("03-09 12:00", "Done"), ("03-12 09:00", "To do")]
    tracker.tell(tracker.item("SHOP-1", "03-09 08:00", *moves))
    assert figure("issue.lead_time", week_of("03-09")).value is None


def test_only_the_days_that_changed_are_computed_anew(tracker: Tracker) -> None:
    begun = [("03-04 10:00", "In progress")]
    tracker.tell(tracker.item("SHOP-1", "03-02 08:00", *begun, assignee="ada"))
    FactChange.objects.all().delete()
    tracker.tell(tracker.item("SHOP-1", "03-02 08:00", *begun, assignee="ada"))
    assert not FactChange.objects.exists()
    tracker.tell(tracker.item("SHOP-1", "03-02 08:00", *begun, ("03-10 10:00", "Done"), assignee="ada"))
    (change,) = FactChange.objects.all()
    # It counts as done on the 10th, and from then on stands no more at the end of any day.
    assert (change.family, change.day_from) == ("work_item", on("03-10"))
    assert change.day_to == local_today() + timedelta(days=1)
