"""Work items: worked examples, each of which can be checked by hand."""

from __future__ import annotations

import pytest

from integrations.models import WorkItemFigures
from tests.work.tracker import DAY, HOUR, Tracker, figure, week_of


@pytest.fixture
def tracker(db: None) -> Tracker:
    return Tracker()


# (what it is, created, moves, lead time in hours, cycle time in hours, how often it left done); the week is that of
# Monday, 9 March.  None: the item lacks it.
HISTORIES = [
    ("straight through", "03-09 08:00", [("03-09 10:00", "In progress"), ("03-09 16:00", "Done")], 8, 6, 0),
    ("never in progress", "03-09 08:00", [("03-10 08:00", "Done")], 24, None, 0),
    (
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
    (
        "moves within done are none",
        "03-09 08:00",
        [("03-09 10:00", "In progress"), ("03-09 12:00", "Done"), ("03-11 12:00", "Released")],
        4,
        2,
        0,
    ),
    (
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
    (
        "two moves in the same minute",
        "03-09 08:00",
        [("03-09 10:00", "In progress"), ("03-09 10:00", "Done")],
        2,
        0,
        0,
    ),
]


@pytest.mark.parametrize(("name", "created", "moves", "lead", "cycle", "reopened"), HISTORIES)
def test_lead_and_cycle_time(
    tracker: Tracker,
    name: str,
    created: str,
    moves: list[tuple[str, str]],
    lead: float,
    cycle: float | None,
    reopened: int,
) -> None:
    tracker.tell(tracker.item("SHOP-1", created, *moves, title=name))
    week = week_of("03-09")
    assert figure("issue.lead_time", week).value == lead * HOUR
    told = figure("issue.cycle_time", week)
    assert told.value == (None if cycle is None else cycle * HOUR)
    assert (told.sample_size, told.left_out) == ((1, 0) if cycle is not None else (0, 1))
    assert WorkItemFigures.objects.get().reopened == reopened


def test_an_item_without_transitions_is_done_when_it_was_resolved(tracker: Tracker) -> None:
    tracker.tell(tracker.item("SHOP-1", "03-09 08:00", status="Done", resolved="03-11 08:00"))
    assert figure("issue.lead_time", week_of("03-09")).value == 2 * DAY
    assert figure("issue.cycle_time", week_of("03-09")).left_out == 1


def test_an_item_that_was_done_and_is_open_again_counts_nowhere(tracker: Tracker) -> None:
    moves = [("03-09 10:00", "In progress"), ("03-09 12:00", "Done"), ("03-12 09:00", "To do")]
    tracker.tell(tracker.item("SHOP-1", "03-09 08:00", *moves))
    assert figure("issue.lead_time", week_of("03-09")).value is None
