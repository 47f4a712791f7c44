"""Work items beside the stories of tests/worked: what settings, assignees and later tellings change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from insights.query.query import Dimension, Window
from insights.query.windows import local_today
from integrations.connectors.drafts import Who
from integrations.delivery.mappings.effective import Subject
from integrations.delivery.mappings.values_seen import values_seen
from integrations.delivery.recompute import recompute_all_figures
from integrations.delivery.set_mapping import set_value_mapping
from integrations.models import FactChange, WorkItemFigures
from orgtree.identities.decisions import assign
from orgtree.models import Identity, Person
from tests.delivery.work_items.tracker import DAY, HOUR, Tracker, answer, by_segment, figure, on, values, week_of
from tests.org import Org
from tests.telemetry.raw_rows import days_cut_in


@pytest.fixture
def tracker(db: None) -> Tracker:
    return Tracker()


def test_only_the_days_that_changed_are_computed_anew(tracker: Tracker) -> None:
    moves = [("03-04 10:00", "In progress")]
    tracker.tell(tracker.item("SHOP-1", "03-02 08:00", *moves, assignee="ada"))
    FactChange.objects.all().delete()
    tracker.tell(tracker.item("SHOP-1", "03-02 08:00", *moves, assignee="ada"))
    assert not FactChange.objects.exists()
    tracker.tell(tracker.item("SHOP-1", "03-02 08:00", *moves, ("03-10 10:00", "Done"), assignee="ada"))
    (change,) = FactChange.objects.all()
    # It counts as done on the 10th, and from then on stands no more at the end of any day.
    assert (change.family, change.day_from) == ("work_item", on("03-10"))
    assert change.day_to == local_today() + timedelta(days=1)


def test_an_admin_says_in_which_statuses_nobody_works(tracker: Tracker) -> None:
    moves = [("03-09 10:00", "In progress"), ("03-09 12:00", "In review"), ("03-09 15:00", "Done")]
    tracker.tell(tracker.item("SHOP-1", "03-09 08:00", *moves))
    assert figure("flow.efficiency", week_of("03-09")).value == 100
    set_value_mapping(tracker.connection, Subject.ACTIVITY, "In review", "waiting")
    assert figure("flow.efficiency", week_of("03-09")).value == 40  # 2 of 5 hours


FINISHED = [("03-09 10:00", "In progress"), ("03-10 10:00", "Done")]


def test_who_filters_by_other_means_its_finer_classes_too(tracker: Tracker) -> None:
    kinds = ("Task", "Tech debt", "Documentation", "Operations", "Story", "Bug")
    tracker.tell(*(tracker.item(f"SHOP-{n}", "03-02 08:00", *FINISHED, type=kind) for n, kind in enumerate(kinds)))
    week = week_of("03-09")
    assert by_segment("issue.lead_time", week, Dimension.WORK_TYPE).keys() == {
        *("other", "tech_debt", "documentation", "operations", "feature", "bug"),
    }
    assert figure("issue.lead_time", week, work_type=("other",)).sample_size == 4
    assert figure("issue.lead_time", week, work_type=("tech_debt",)).sample_size == 1
    assert figure("issue.lead_time", week, work_type=("bug", "other")).sample_size == 5


@pytest.mark.parametrize("subject", ["label", "type", "project", "reporter"])
def test_an_admin_says_which_words_mean_that_customers_found_it(tracker: Tracker, subject: str) -> None:
    word = {"label": "area/eu", "type": "Bug", "project": "acme/shop", "reporter": "kim"}[subject]
    details: dict[str, Any] = {"labels": ("area/eu",), "reporter": Who(login="kim")}
    tracker.tell(tracker.item("SHOP-1", "03-09 08:00", type="Bug", **details))
    assert figure("bug.customer_found", week_of("03-09")).value == 0
    assert set_value_mapping(tracker.connection, Subject.FOUND_BY, word, "customer") == 1
    assert figure("bug.customer_found", week_of("03-09")).value == 1
    assert figure("bug.escaped", week_of("03-09")).value == 1


# How an item ended that was in progress on Monday: (its last status, its resolution, whether it was done).
ENDS = [
    ("Done", "", 1),
    ("Done", "Fixed", 1),
    ("Cancelled", "", 0),
    ("Done", "Won't Do", 0),
    ("Closed", "not_planned", 0),
    ("closed", "completed", 1),
    ("Closed", "Duplicate", 0),
    ("Removed", "", 0),
]


@pytest.mark.parametrize(("status", "resolution", "done"), ENDS)
def test_what_was_dropped_is_no_delivered_work(tracker: Tracker, status: str, resolution: str, done: int) -> None:
    moves = (("03-09 10:00", "In progress"), ("03-10 10:00", status))
    tracker.tell(tracker.item("SHOP-1", "03-02 08:00", *moves, resolution=resolution))
    week = week_of("03-09")
    assert figure("work.features_per_week", week).value == done
    assert figure("work.feature_completion_rate", week_of("03-02", weeks=2)).value == 100 * done
    assert figure("issue.cycle_time", week).value == (DAY if done else None)
    assert [figure(stock, week).value for stock in ("wip.count", "backlog.health")] == [0, None]  # and it is over


def test_what_is_taken_up_again_after_it_was_dropped_was_not_reopened(tracker: Tracker) -> None:
    dropped, again = ("03-03 10:00", "Cancelled"), ("03-09 10:00", "In progress")
    tracker.tell(
        tracker.item("SHOP-1", "03-02 08:00", dropped, again, ("03-10 10:00", "Done"), type="Bug"),
        # Done first, and tidied away afterwards: nothing was delivered in the end, and nothing came back.
        tracker.item("SHOP-2", "03-02 08:00", ("03-09 10:00", "Done"), ("03-10 10:00", "Cancelled"), type="Bug"),
    )
    assert figure("bug.reopen_rate", week_of("03-09")).sample_size == 1
    assert figure("bug.reopen_rate", week_of("03-09")).value == 0
    assert figure("bug.fix_rate", week_of("03-02", weeks=2)).value == 50  # one done, two created


def test_an_admin_says_which_endings_are_no_delivery(tracker: Tracker) -> None:
    week = week_of("03-09")
    tracker.tell(tracker.item("SHOP-1", "03-02 08:00", *FINISHED, resolution="Superseded"))
    assert figure("work.features_per_week", week).value == 1
    assert [seen.word for seen in values_seen(tracker.connection, Subject.ENDING)] == ["Done", "Superseded"]
    assert set_value_mapping(tracker.connection, Subject.ENDING, "Superseded", "dropped") == 1
    assert figure("work.features_per_week", week).value == 0
    set_value_mapping(tracker.connection, Subject.ENDING, "Superseded", None)
    assert figure("work.features_per_week", week).value == 1


def test_nothing_is_no_data_until_a_tracker_is_connected_and_zero_from_then_on(tracker: Tracker) -> None:
    week = week_of("03-09")
    assert figure("bug.escaped", week).value is None
    assert "No work item has been synced or pushed yet" in str(figure("wip.count", week).reason)
    tracker.tell(tracker.item("SHOP-1", "03-03 08:00"))
    for counted in ("bug.escaped", "wip.count", "work.features_per_week"):
        assert figure(counted, week).value == 0
    for share in ("issue.cycle_time", "flow.efficiency", "bug.ratio", "bug.fix_rate", "wip.age"):
        assert figure(share, week).value is None


# Whom an item counts for: (who had it from when on, whose it is); it is done on Wednesday, 11 March, at noon.
ASSIGNED = [
    ([("03-09 10:00", "ada"), ("03-10 10:00", "ben")], "ben"),
    ([("03-09 10:00", "ada"), ("03-12 10:00", "ben")], "ada"),  # who had it when it was done
    ([("03-09 10:00", "ada"), ("03-10 10:00", None)], "ada"),  # nobody's then: the last
    ([("03-12 10:00", "ben")], "ben"),
    ([], None),
]


@pytest.mark.parametrize(("assigned", "owner"), ASSIGNED)
def test_an_item_counts_for_its_assignee_when_done_else_the_last(
    tracker: Tracker, org: Org, assigned: list[tuple[str, str | None]], owner: str | None
) -> None:
    org.tree("Teams")
    for person in ("ada", "ben"):
        org.unit(f"Of {person}", below="teams")
        org.join(person, f"of-{person}")
    emails = [(moment, f"{who}@example.com" if who else None) for moment, who in assigned]
    tracker.tell(tracker.item("SHOP-1", "03-09 08:00", ("03-11 12:00", "Done"), assigned=emails))
    sizes = {unit: figure("issue.lead_time", week_of("03-09"), unit=unit).sample_size for unit in ("of-ada", "of-ben")}
    assert sizes == {"of-ada": int(owner == "ada"), "of-ben": int(owner == "ben")}


def test_it_counts_for_the_unit_in_which_its_assignee_was_then(tracker: Tracker, org: Org) -> None:
    org.tree("Teams")
    for unit in ("red", "blue"):
        org.unit(unit.title(), below="teams")
    org.join("ada", "red")
    org.move("ada", from_="red", to="blue", on="2026-03-11")
    mine: dict[str, Any] = {"assigned": [("03-09 08:00", "ada@example.com")]}
    tracker.tell(
        tracker.item("SHOP-1", "03-09 08:00", ("03-09 09:00", "In progress"), ("03-10 12:00", "Done"), **mine),
        tracker.item("SHOP-2", "03-09 08:00", ("03-09 09:00", "In progress"), ("03-11 12:00", "Done"), **mine),
        tracker.item("SHOP-3", "03-02 08:00", ("03-03 09:00", "In progress"), **mine),
    )
    weeks = Window(on("03-02"), on("03-16"))
    assert values("issue.cycle_time", weeks, unit="red") == [None, 27 * HOUR]
    assert values("issue.cycle_time", weeks, unit="blue") == [None, 51 * HOUR]
    # SHOP-3 stands in red at the end of the first week, and in blue at that of the second; so do the others in neither.
    assert values("wip.count", weeks, unit="red") == [1, 0]
    assert values("wip.count", weeks, unit="blue") == [0, 1]
    assert values("wip.count", weeks, unit="teams") == [1, 1]


def test_an_identity_that_is_somebody_elses_takes_its_items_along(tracker: Tracker, org: Org) -> None:
    org.tree("Teams")
    org.unit("Red", below="teams")
    org.join("ada", "red")
    tracker.tell(tracker.item("SHOP-1", "03-09 08:00", ("03-10 12:00", "Done"), assignee="ada-k"))
    assert figure("issue.lead_time", week_of("03-09"), unit="red").value is None
    FactChange.objects.all().delete()
    assign(Identity.objects.filter(value="ada-k"), Person.objects.get(email="ada@example.com"), by=None)
    assert figure("issue.lead_time", week_of("03-09"), unit="red").value == 28 * HOUR
    days = {(change.day_from, change.day_to) for change in FactChange.objects.filter(family="work_item")}
    assert days == {(on("03-09"), on("03-11"))}  # to do at the end of the 9th, done on the 10th


def test_a_week_with_a_change_of_clocks_has_its_days(tracker: Tracker) -> None:
    """Berlin's clocks go forward in the night to Sunday, 29 March: the week ends at 22:00 UTC instead of 23:00."""
    with days_cut_in("Europe/Berlin"):
        tracker.tell(
            tracker.item("SHOP-1", "03-27 08:00", ("03-28 10:00", "In progress"), ("03-29 21:59", "Done")),
            tracker.item("SHOP-2", "03-27 08:00", ("03-28 10:00", "In progress"), ("03-29 22:01", "Done")),
        )
        weeks = Window(on("03-23"), on("04-06"))
        assert values("issue.cycle_time", weeks) == [(35 * 60 + 59) * 60, (36 * 60 + 1) * 60]
        assert values("wip.count", weeks) == [1, 0]  # SHOP-2 alone stood at the end of the Sunday
        assert values("wip.age", weeks) == [1 * DAY, None]
        done_on = {figures.work_item.key: figures.done_on for figures in WorkItemFigures.objects.all()}
    assert done_on == {"SHOP-1": on("03-29"), "SHOP-2": on("03-30")}
    recompute_all_figures()
    assert set(WorkItemFigures.objects.values_list("done_on", flat=True)) == {on("03-29")}


def test_items_are_split_by_whether_an_agent_had_a_part_in_their_pull_requests(tracker: Tracker) -> None:
    tracker.tell(
        *(tracker.item(key, "03-09 08:00", *FINISHED) for key in ("SHOP-1", "SHOP-2", "SHOP-3")),
        tracker.pull_request(1, "SHOP-1", agent="claude[bot]"),
        tracker.pull_request(2, "SHOP-1"),
        tracker.pull_request(3, "SHOP-2"),
    )
    week = week_of("03-09")
    assert by_segment("bug.ratio", week, Dimension.ASSISTANCE) == {"AI": 0, "Non-AI": 0, "unknown": 0}
    assert figure("issue.cycle_time", week, assistance=("AI",)).sample_size == 1
    by_agent = {
        entry.segment["agent"]: entry.sample_size
        for entry in answer("issue.cycle_time", week, by=Dimension.AGENT).total
    }
    assert by_agent == {"claude_code": 1, "Non-AI": 1, "unknown": 1}
