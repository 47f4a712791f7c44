"""Sprints by push: the worked example of tests/worked/sprints.md, told by a script instead of a tracker."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from integrations.models import Sprint, SprintChange, SprintFigures, WorkItem
from tests.org import Org
from tests.personas import EXECUTIVE, signed_in
from tests.push.test_push import SPRINT, Pusher
from tests.teams import create_teams

pytestmark = pytest.mark.django_db
FIGURES = {
    "sprint.commit": 5,
    "sprint.commit_points": 15,
    "sprint.delivered": 4,
    "sprint.delivered_points": 14,
    "sprint.delivered_vs_planned": 60,
    "sprint.scope_creep": 20,
    "sprint.scope_creep_points": 40,
    "sprint.work_removal_rate": 20,
}


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(datetime(2026, 3, 20, 12, tzinfo=UTC), tick=True):
        yield


def moment(day_and_time: str) -> str:
    return f"2026-{day_and_time.replace(' ', 'T')}:00Z"


def item(
    number: int,
    points: int,
    *sprints: tuple[str, str, bool],
    done: str = "",
    estimates: tuple[tuple[str, float], ...] = (),
) -> dict[str, Any]:
    return {
        "id": f"SHOP-{number}",
        "project": "SHOP",
        "title": "Carts",
        "type": "Story",
        "status_category": "done" if done else "todo",
        "created_at": moment("02-23 09:00"),
        "resolved_at": moment(done) if done else None,
        "transitions": [{"at": moment(done), "from": "To do", "to": "Done", "category": "done"}] if done else [],
        "sprints": [{"at": moment(at), "sprint": sprint, "added": added} for at, sprint, added in sprints],
        "estimates": [
            {"at": moment(at), "estimate": points} for at, points in (("02-23 09:00", float(points)), *estimates)
        ],
    }


PLANNED = ("02-27 15:00", "1", True)
ITEMS = (
    item(1, 3, PLANNED, done="03-04 10:00"),
    item(2, 3, PLANNED, done="03-12 10:00", estimates=(("03-05 10:00", 8.0),)),
    item(3, 5, PLANNED, ("03-13 16:00", "1", False), ("03-13 16:00", "2", True)),
    item(4, 2, PLANNED, ("03-09 10:00", "1", False)),
    item(5, 1, ("03-06 10:00", "1", True), done="03-11 10:00"),
    item(6, 2, ("03-02 15:00", "1", True), done="03-10 10:00"),
)


@pytest.mark.parametrize("order", [("work-items", "sprints"), ("sprints", "work-items")])
def test_pushed_sprints_have_the_figures_of_the_worked_example(org: Org, order: tuple[str, str]) -> None:
    create_teams()
    records: dict[str, tuple[dict[str, Any], ...]] = {"sprints": (SPRINT,), "work-items": ITEMS}
    for kind in order:
        org.push(kind, *records[kind])
    org.own("Web", "platform")
    found = {key: org.metric(key, week="2026-W11", unit="platform").value for key in FIGURES}
    assert found == pytest.approx(FIGURES)
    page = signed_in(EXECUTIVE).get("/insights/planning/").content.decode()
    assert "Sprint 1" in page
    assert "SHOP-3" in page, "carried over"


def test_pushing_again_replaces_the_history_and_deleting_takes_the_sprint_out(org: Org) -> None:
    pusher = Pusher()
    pusher.push("sprints", SPRINT)
    pusher.push("work-items", *ITEMS)
    assert pusher.push("sprints", SPRINT) == [("unchanged", "")]
    assert pusher.push("work-items", *ITEMS) == [("unchanged", "")] * len(ITEMS)
    assert pusher.push("work-items", item(5, 1, done="03-11 10:00")) == [("updated", "")]
    assert not SprintChange.objects.filter(work_item__key="SHOP-5").exists()
    assert SprintFigures.objects.get().items == 5
    assert WorkItem.objects.get(key="SHOP-2").estimate == 8, "the last of its estimates"
    assert pusher.delete("sprints", "1") == 200
    assert not SprintFigures.objects.exists()
    assert pusher.push("sprints", SPRINT) == [("updated", "")]
    assert SprintFigures.objects.get().items == 5


def test_a_planned_sprint_lies_in_the_future_and_one_that_began_does_not() -> None:
    pusher = Pusher()
    soon = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    later = (datetime.now(UTC) + timedelta(days=17)).isoformat()
    planned = {"id": "2", "board": "Web", "name": "Sprint 2", "state": "planned", "starts_at": soon, "ends_at": later}
    assert pusher.push("sprints", planned) == [("created", "")]
    assert (
        pusher.push("sprints", {"id": "3", "board": "Web", "name": "Sprint 3", "state": "Planned"})[0][0] == "created"
    )
    assert not SprintFigures.objects.exists()
    refused = {
        "starts_at: A sprint that is active has begun.": {"state": "active"},
        "starts_at: A sprint that is closed has begun.": {"state": "closed", "closed_at": "2026-03-13T16:00:00Z"},
        "ends_at: It lies before starts_at.": {"ends_at": "2026-03-01T09:00:00Z"},
    }
    for words, fields in refused.items():
        [(status, problem)] = pusher.push("sprints", planned | {"id": "4"} | fields)
        assert (status, problem.startswith(words)) == ("rejected", True), problem
    without_close = {name: value for name, value in SPRINT.items() if name != "closed_at"}
    [(status, problem)] = pusher.push("sprints", without_close)
    assert (status, problem) == ("rejected", "closed_at: A closed sprint needs closed_at.")
    assert Sprint.objects.count() == 2
    active = without_close | {"state": "active", "ends_at": later}
    assert pusher.push("sprints", active) == [("created", "")]
    assert SprintFigures.objects.get().closed_at is None
