"""Key results of an initiative: how many of its items are done, and by when, by the initiative's own forecast."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from html import unescape
from typing import Any

import pytest
import time_machine
from django.urls import reverse

from core.write_errors import FieldError
from integrations.models import WorkItem
from programs.closing.services.closing import close_quarter
from programs.key_results.queries import KeyResultProgress
from programs.key_results.services.measuring import measure_objectives
from programs.models import KeyResult, Objective, ObjectiveStatus
from programs.objectives.queries.objectives import progress_of
from programs.objectives.services.check_ins import check_in
from tests.delivery.work_items.tracker import Tracker
from tests.org import Org
from tests.personas import EXECUTIVE, MANAGER, MEMBER, signed_in
from tests.programs.objective_pages import form_of
from tests.programs.objectives import draft, objective, rows_of
from tests.programs.test_key_results_of_items import MONDAY, NOW, PLATFORM, working_days
from tests.programs.tickets import as_
from tests.teams import create_teams

EPIC = "SHOP-900"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_august(org: Org) -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        create_teams()
        yield


def epic(done: list[date], to_do: int) -> str:
    """An epic with an item that is done on each of these days, and others; its name as it is stored."""
    tracker = Tracker()
    tracker.tell(tracker.item(EPIC, "06-01 09:00", type="Epic", title="Checkout"))
    moves = [(f"{day:%m-%d} 10:00", "Done") for day in done]
    tracker.tell(
        *(
            tracker.item(
                f"SHOP-{number}",
                "07-01 09:00",
                *([move] if move else []),
                parent_key=EPIC,
                assigned=[("07-01 09:00", f"{PLATFORM[number % len(PLATFORM)]}@example.com")],
            )
            for number, move in enumerate([*moves, *[None] * to_do])
        )
    )
    return f"epic:{WorkItem.objects.get(key=EPIC).pk}"


def steady() -> str:
    """66 of 100 items are done, two a working day."""
    return epic([day for day in working_days(MONDAY) for _ in range(2)], 34)


def result(target: float, unit: str = "%", **fields: Any) -> dict[str, Any]:
    return {"title": "Checkout", "initiative": EPIC, "unit_of_measure": unit, "target": target, **fields}


def measured(record: Objective, persona: Any = EXECUTIVE) -> tuple[KeyResultProgress, ...]:
    (progress,) = progress_of([record], as_(persona), today=NOW.date())
    return progress.key_results


def test_a_steady_epic_by_hand() -> None:
    """66 of 100 are done, two a day: 80 in 7 working days, 100 in 17, of the 29 that are left."""
    stored = steady()
    record = objective(key_results=(result(80), result(100), result(90, "items"), result(60)))
    share, whole, number, met = measured(record)
    assert {row.initiative for row in KeyResult.objects.all()} == {stored}
    assert (share.value, share.baseline) == (66, 0)
    assert share.progress == pytest.approx(66 / 80)
    assert share.forecast is not None
    assert whole.forecast is not None
    assert number.forecast is not None
    assert (share.forecast.date_50, share.forecast.date_85) == (date(2026, 8, 31),) * 2
    assert (whole.forecast.date_85, whole.forecast.odds) == (date(2026, 9, 14), 1.0)
    assert (number.value, number.forecast.date_85) == (66, date(2026, 9, 7))
    assert (whole.forecast.value, number.forecast.value) == (100, 100), "there are no more"
    assert share.standing == ObjectiveStatus.ON_TRACK
    assert met.forecast is not None
    assert met.forecast.date_50 is None, "reached already"

    page = unescape(signed_in(EXECUTIVE).get(f"/programs/objectives/{record.pk}/").content.decode())
    assert "14 Sep 2026 (50%), 14 Sep 2026 (85%), 14 Sep 2026 (95%)" in page
    assert "Share of the items of an initiative that are done" in page
    where = f"{reverse('initiative')}?kind=epic&of={stored.partition(':')[2]}"
    assert where in page
    assert signed_in(EXECUTIVE).get(where).status_code == 200


def test_the_api_writes_and_answers_it() -> None:
    stored = steady()
    client = signed_in(MANAGER)
    written = draft(key_results=[result(80)])
    answer = client.post("/api/v1/objectives/", written, content_type="application/json")
    assert answer.status_code == 201, answer.content
    (shown,) = answer.json()["key_results"]
    assert (shown["initiative"], shown["metric"], shown["unit_of_measure"], shown["better"]) == (
        *(stored, None),
        *("%", "higher"),
    )
    assert shown["forecast"]["date_85"] == "2026-08-31"
    assert [point["value"] for point in shown["points"]][-1] == 60, "at the end of Sunday, 16 August"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"initiative": "SHOP-4711"}, "initiative"),
        ({"initiative": "epic:4711"}, "initiative"),
        ({"initiative": "/insights/planning/initiative/?kind=sprint&of=1"}, "initiative"),
        ({"metric": "issue.completed"}, "initiative"),
        ({"unit_of_measure": "points"}, "unit_of_measure"),
        ({"better": "lower"}, "better"),
        ({"statistic": "median"}, "statistic"),
        ({"target": 120}, "target"),
        ({"target": 0}, "target"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(fields: dict[str, Any], field: str) -> None:
    steady()
    answer = signed_in(MANAGER).post(
        "/api/v1/objectives/", draft(key_results=[result(**{"target": 80, **fields})]), content_type="application/json"
    )
    assert answer.status_code == 400
    assert f"key_results.0.{field}" in answer.content.decode()
    assert not Objective.objects.exists()


@pytest.mark.parametrize("typed", ["shop-900", "the address of its page"])
def test_the_form_takes_an_epics_key_or_its_address(typed: str) -> None:
    stored = steady()
    if " " in typed:
        typed = f"https://headway.example.com/insights/planning/initiative/?kind=epic&of={stored.partition(':')[2]}"
    client = signed_in(MANAGER)
    client.post(
        reverse("objective_new"), form_of({"initiative": typed, "target": "80%"}, {"initiative": typed, "target": "90"})
    )
    share, number = KeyResult.objects.order_by("position")
    assert (share.initiative, share.unit_of_measure, share.target) == (stored, "%", 80)
    assert (number.initiative, number.unit_of_measure, number.target) == (stored, "items", 90)
    named = "Initiative" if "/" in typed else "SHOP-900"
    assert (share.title, number.title) == (f"{named}: 80% done", f"{named}: 90 items done")
    page = client.get(reverse("objective_edit", args=[Objective.objects.get().pk])).content.decode()
    assert f'value="{stored}"' in page


def test_a_form_that_is_sent_as_it_came_changes_nothing() -> None:
    steady()
    record = objective(key_results=(result(80),))
    assert rows_of(record)[0]["initiative"].startswith("epic:")
    assert rows_of(record)[0]["unit_of_measure"] == "%"


def test_no_value_is_entered_by_hand() -> None:
    steady()
    record = objective(key_results=(result(80),))
    with pytest.raises(FieldError, match="read from its initiative"):
        check_in(as_(MANAGER), record, confidence="high", note="", key_result=record.key_results.get().pk, value=90.0)


def test_an_epic_that_is_gone_is_said_so() -> None:
    steady()
    record = objective(key_results=(result(80),))
    WorkItem.objects.filter(key=EPIC).update(deleted_at=NOW)
    measure_objectives(today=NOW.date())
    (shown,) = measured(record)
    assert (shown.value, shown.reason) == (None, "This initiative no longer exists.")


def test_too_little_history_is_said() -> None:
    epic(working_days(date(2026, 8, 12)), 20)
    (shown,) = measured(objective(key_results=(result(80),)))
    assert shown.forecast is None
    assert shown.no_forecast == "Too little history: 6 of 10 finished items."
    assert shown.value == pytest.approx(100 * 6 / 26)


def test_scope_that_is_added_lowers_the_share_and_not_the_number() -> None:
    steady()
    record = objective(key_results=(result(80), result(90, "items")))
    tracker = Tracker.known()
    tracker.tell(*(tracker.item(f"SHOP-{500 + n}", "08-19 09:00", parent_key=EPIC) for n in range(10)))
    measure_objectives(today=NOW.date())
    share, number = measured(record)
    assert (share.value, number.value) == (60, 66)


def test_whoever_the_objective_concerns_sees_its_value() -> None:
    """It says how far an epic is, as the tracker does, and nothing of a person."""
    steady()
    (shown,) = measured(objective(key_results=(result(80),)), MEMBER)
    assert (shown.value, shown.withheld) == (66, False)


def test_a_closed_quarter_keeps_the_value() -> None:
    steady()
    record = objective(key_results=(result(80),))
    with time_machine.travel(datetime(2026, 10, 2, 12, tzinfo=UTC), tick=False):
        close_quarter(as_(EXECUTIVE), record.quarter, decisions={record.pk: Objective.CarryOver.CARRY})
        kept = KeyResult.objects.get(objective=record)
        carried = KeyResult.objects.exclude(objective=record).get()
    assert kept.final_value == 66
    assert (carried.initiative, carried.baseline) == (kept.initiative, 66)
