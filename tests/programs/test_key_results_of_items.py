"""Key results that count finished items: the days by which they are reached, by hand, and as each viewer sees them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
import time_machine

from insights.catalogue.registry import metrics
from programs.key_results.queries import KeyResultProgress
from programs.key_results.services.items import counts_items
from programs.models import Objective, ObjectiveStatus
from programs.objectives.queries.objectives import progress_of
from tests.delivery.work_items.tracker import Tracker
from tests.org import Org
from tests.personas import EXECUTIVE, MEMBER, signed_in
from tests.programs.objectives import objective
from tests.programs.tickets import as_
from tests.teams import OTHERS_IN_PLATFORM, create_teams

NOW = datetime(2026, 8, 20, 12, tzinfo=UTC)  # a Thursday
MONDAY = date(2026, 7, 6)
PLATFORM = ("ada", *OTHERS_IN_PLATFORM)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_august(org: Org) -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        create_teams()
        yield


def finish(days: Sequence[date]) -> None:
    """An item is done on each of these days, by Platform's people in turn."""
    tracker = Tracker()
    tracker.tell(
        *(
            tracker.item(
                f"SHOP-{number}",
                "07-01 09:00",
                (f"{day:%m-%d} 10:00", "Done"),
                assigned=[("07-01 09:00", f"{PLATFORM[number % len(PLATFORM)]}@example.com")],
            )
            for number, day in enumerate(days)
        )
    )


def working_days(since: date) -> list[date]:
    """Until yesterday."""
    days = [since + timedelta(days=number) for number in range((NOW.date() - since).days)]
    return [day for day in days if day.weekday() < 5]


def items(target: float) -> dict[str, Any]:
    return {
        "title": "Items are finished",
        "metric": "issue.completed",
        "better": "higher",
        "baseline": 0.0,
        "target": target,
    }


def measured(record: Objective, persona: Any = EXECUTIVE) -> tuple[KeyResultProgress, ...]:
    (progress,) = progress_of([record], as_(persona), today=NOW.date())
    return progress.key_results


def test_a_steady_pace_by_hand() -> None:
    """Two items on each of 33 working days are 66; 34 more take 17 days, 134 more take 67, and 29 are left."""
    finish([day for day in working_days(MONDAY) for _ in range(2)])
    record = objective(key_results=(items(100), items(200), items(60)))
    near, far, met = measured(record)
    assert near.value == 66
    assert near.forecast is not None
    assert (near.forecast.value, near.forecast.low, near.forecast.high) == (124, 124, 124)
    assert (near.forecast.date_50, near.forecast.date_85, near.forecast.date_95) == (date(2026, 9, 14),) * 3
    assert near.forecast.odds == 1.0
    assert near.forecast.reached_on == date(2026, 9, 14)
    assert near.standing == ObjectiveStatus.ON_TRACK
    assert far.forecast is not None
    assert (far.forecast.date_85, far.forecast.odds, far.forecast.reached_on) == (date(2026, 11, 23), 0.0, None)
    assert far.standing == ObjectiveStatus.OFF_TRACK
    assert met.forecast is not None
    assert (met.forecast.date_50, met.forecast.odds) == (None, None), "reached already"

    page = unescape(signed_in(EXECUTIVE).get(f"/programs/objectives/{record.pk}/").content.decode())
    assert "14 Sep 2026 (50%), 14 Sep 2026 (85%), 14 Sep 2026 (95%)" in page
    assert "100% likely by the quarter’s end" in page
    assert "0% likely by the quarter’s end" in page
    document = signed_in(EXECUTIVE).get(f"/api/v1/objectives/{record.pk}/").json()
    assert document["key_results"][0]["forecast"]["date_85"] == "2026-09-14"
    assert document["key_results"][1]["forecast"]["odds"] == 0.0


def test_weeks_that_vary_make_dates_that_differ() -> None:
    done = [MONDAY + timedelta(days=number) for number in range(45) for _ in range((number * 7) % 5)]
    finish(done)
    (shown,) = measured(objective(key_results=(items(len(done) + 60.0),)))
    assert shown.forecast is not None
    assert shown.forecast.low < shown.forecast.value < shown.forecast.high
    days = [shown.forecast.date_50, shown.forecast.date_85, shown.forecast.date_95]
    assert None not in days
    assert days[0] < days[2]  # type: ignore[operator]  # none is None
    assert days == sorted(days)  # type: ignore[type-var]


def test_too_little_history_is_said() -> None:
    finish(working_days(date(2026, 8, 12)))
    (shown,) = measured(objective(key_results=(items(100),)))
    assert shown.forecast is None
    assert shown.no_forecast == "Too little history: 6 of 10 finished items."


def test_dates_are_withheld_with_the_figures() -> None:
    finish(working_days(MONDAY))
    above = objective(EXECUTIVE, unit="engineering", key_results=(items(100),))
    assert measured(above)[0].forecast is not None
    (shown,) = measured(above, MEMBER)
    assert (shown.forecast, shown.withheld) == (None, True)


def test_which_metrics_count_finished_items() -> None:
    assert {metric.key for metric in metrics() if counts_items(metric)} == {"issue.completed", "work.delivered"}
