"""The demo's people files say what its people's sessions and commits show."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest

from demo.plan.organisation import CHANGES, people_files
from demo.plan.people import CHECKOUT, PEOPLE, SEARCH
from demo.plan.repositories import REPOSITORIES
from demo.plan.seats import seats_file
from demo.plan.stories import AWAY_WEEKS, IDLE, LEAVER, LEFT_WEEKS_BEFORE_END, Flavour
from demo.plan.year import DemoYear
from integrations.models import SeatAssignment, SeatPlan
from integrations.telemetry.seats.csv_import import import_seats
from tests.demo import flavours
from tests.demo.planned import PlannedFigures

YEAR = DemoYear(seed=1, flavour=Flavour.STORIES, anchor=datetime(2026, 11, 20, 9, 0, tzinfo=UTC))
AWAY_WEEKS_BORDERS = (AWAY_WEEKS.first, AWAY_WEEKS.last)
QUIET = DemoYear(seed=1, flavour=Flavour.QUIET, anchor=YEAR.anchor)


@pytest.fixture(scope="module", params=flavours.STORIES)
def planned(request: pytest.FixtureRequest) -> PlannedFigures:
    return PlannedFigures(DemoYear(seed=1, flavour=request.param, anchor=YEAR.anchor))


def test_everybody_who_works_stands_in_the_first_file() -> None:
    rows = {row["email"]: row for row in _rows(people_files(YEAR)[0].content)}
    for person in PEOPLE:
        row = rows[person.email]
        assert (row["full_name"], row["team"], row["time_zone"]) == (person.full_name, person.team, person.time_zone)
    assert all(row["manager_email"] in rows for row in rows.values() if row["manager_email"])
    assert [row["full_name"] for row in rows.values() if not row["manager_email"]] == ["Erin Executive"]


def test_later_files_say_what_changed_and_when() -> None:
    first, *later = people_files(YEAR)
    days = {YEAR.first_day_of(weeks) for weeks in (*AWAY_WEEKS_BORDERS, LEFT_WEEKS_BEFORE_END)}
    assert {file.effective for file in later} == days | {YEAR.first_day_of(change.weeks) for change in CHANGES}
    effective = [file.effective for file in later if file.effective is not None]
    assert len(effective) == len(later)
    assert effective == sorted(effective)
    assert first.effective is None
    by_day = {file.effective: {row["full_name"]: row for row in _rows(file.content)} for file in later}
    assert by_day[YEAR.first_day_of(20)]["Juniper Sample"]["team"] == SEARCH
    tooling = by_day[YEAR.first_day_of(10)]
    assert {row["department"] for row in tooling.values()} == {"Storefront"}
    assert len(tooling) == sum(person.team == "Tooling" for person in PEOPLE)


def test_whoever_leaves_has_an_end_and_whoever_returns_a_start() -> None:
    by_day = {file.effective: {row["full_name"]: row for row in _rows(file.content)} for file in people_files(YEAR)}
    left, back = (YEAR.first_day_of(weeks) for weeks in AWAY_WEEKS_BORDERS)
    assert by_day[left]["Hazel Fictus"]["end"] == left.isoformat()
    assert (by_day[back]["Hazel Fictus"]["start"], by_day[back]["Hazel Fictus"]["end"]) == (back.isoformat(), "")
    gone = YEAR.first_day_of(LEFT_WEEKS_BEFORE_END)
    assert by_day[gone]["Linden Example"]["end"] == gone.isoformat()


def test_a_small_demos_files_tell_of_its_own_people_alone() -> None:
    small = DemoYear(seed=1, flavour=Flavour.SMALL_STORIES, anchor=YEAR.anchor)
    working = {person.email for person in small.people}
    elsewhere = {person.email for person in PEOPLE} - working
    first, *later = ({row["email"]: row for row in _rows(file.content)} for file in people_files(small))
    assert working <= first.keys()
    for rows in (first, *later):
        assert not rows.keys() & elsewhere
        assert {row["manager_email"] for row in rows.values() if row["manager_email"]} <= first.keys()
    assert {person.team for person in small.people} == {person.team for person in PEOPLE}


def test_nobody_leaves_the_quiet_organisation() -> None:
    assert not any(row["end"] for file in people_files(QUIET) for row in _rows(file.content))


def test_a_moved_person_commits_to_the_new_teams_repository(planned: PlannedFigures) -> None:
    of_team = {repository.name: repository.team for repository in REPOSITORIES}
    moved_on = planned.year.first_day_of(20)
    own = [commit for commit in planned.commits if commit.person.full_name == "Juniper Sample"]
    before = {of_team[commit.repository.name] for commit in own if commit.at.date() < moved_on}
    after = {of_team[commit.repository.name] for commit in own if commit.at.date() >= moved_on}
    assert CHECKOUT in before
    assert SEARCH not in before
    assert SEARCH in after
    assert CHECKOUT not in after


def test_nobody_commits_while_away(planned: PlannedFigures) -> None:
    away = planned.year.away()
    assert len(away) == 2
    for commit in planned.commits:
        days = away.get(commit.person.email)
        assert days is None or commit.at.date() not in days, commit


def _rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


@pytest.mark.django_db
def test_whoever_came_to_the_introduction_has_a_seat() -> None:
    imported = import_seats(seats_file(YEAR))
    assert imported.applied, imported.errors
    assert not import_seats(seats_file(YEAR)).added
    held = SeatAssignment.objects.filter(plan__agent="claude_code", during__contains=YEAR.last_day)
    emails = set(held.values_list("identity__value", flat=True))
    assert emails == {person.email for person in PEOPLE if person.took_up} - LEAVER
    assert emails >= IDLE
    [plan] = SeatPlan.objects.filter(agent="claude_code")
    assert plan.seats is not None
    assert plan.seats > held.count()
