"""Series and their meetings: made ahead, changed, moved, cancelled, ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.utils import timezone

from core.write_errors import ConflictError, FieldError, MayNotWriteError
from orgtree.models import Employment, Person, UnitPlace
from programs.meetings.queries.meetings import meeting_about, next_meeting
from programs.meetings.services.planning import make_meetings_ahead
from programs.meetings.services.writing import cancel, change_series, end_series, move
from programs.models import MeetingKind, MeetingSeries, OnHoliday, Rule, Weekday
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, create_user
from tests.programs.meetings import NOW, changed, coming, day, days, on, scheduled
from tests.programs.tickets import as_
from tests.teams import Teams, create_teams

pytestmark = pytest.mark.django_db
FIRST_TUESDAYS = ["2026-07-07", "2026-08-04", "2026-09-01", "2026-10-06", "2026-11-03", "2026-12-01"]


@pytest.fixture(autouse=True)
def teams() -> Iterator[Teams]:
    with time_machine.travel(NOW, tick=False):
        yield create_teams()


def test_half_a_year_of_meetings_is_there_at_once() -> None:
    stored = scheduled()
    assert days(stored) == FIRST_TUESDAYS
    first = coming(stored)[0]
    assert (first.starts_at, first.ends_at) == (
        datetime(2026, 7, 7, 8, tzinfo=UTC),
        datetime(2026, 7, 7, 9, tzinfo=UTC),
    )
    assert (first.period_start, first.period_end) == (day("2026-06-01"), day("2026-07-01"))
    assert {person.person.full_name for person in first.participants.select_related("person")} == {"Ada", "Edith"}


def test_further_meetings_are_created_once_as_time_goes_on() -> None:
    stored = scheduled()
    with on("2026-07-08"):
        make_meetings_ahead()
        assert days(stored) == [*FIRST_TUESDAYS[1:], "2027-01-05"]
        assert coming(stored)[-1].participants.count() == 2
        make_meetings_ahead()
        assert stored.meetings.count() == 7


def test_what_was_not_made_while_nothing_ran_is_made_later_but_none_in_the_past() -> None:
    stored = scheduled()
    with on("2027-03-15"):
        make_meetings_ahead()
        assert days(stored)[0] == "2027-04-06"
        assert stored.meetings.filter(starts_at__lte=timezone.now()).count() == 6


def test_a_new_series_may_begin_with_meetings_that_were_held() -> None:
    stored = scheduled(starts_on=day("2026-04-01"))
    assert [str(meeting.local_day) for meeting in stored.meetings.all()][:3] == [
        "2026-04-07",
        "2026-05-05",
        "2026-06-02",
    ]


def test_a_changed_rule_moves_coming_meetings_which_stay_the_same_to_calendars() -> None:
    stored = scheduled()
    before = {meeting.period_start: meeting.uid for meeting in coming(stored)}
    changed(stored, weekday=Weekday.WEDNESDAY, begins="14:00")
    assert days(stored)[:2] == ["2026-07-01", "2026-08-05"]
    assert {meeting.period_start: meeting.uid for meeting in coming(stored)} == before
    assert {meeting.sequence for meeting in coming(stored)} == {1}


def test_from_the_31st_to_the_first_tuesday_a_month_keeps_its_meeting() -> None:
    stored = scheduled(rule=Rule.DAY, day=31)
    june = coming(stored)[0]
    assert (str(june.local_day), str(june.period_start)) == ("2026-06-30", "2026-06-01")
    changed(stored, rule=Rule.WEEKDAY)
    june.refresh_from_db()
    assert (str(june.local_day), june.sequence) == ("2026-07-07", 1)


def test_a_change_of_nothing_changes_nothing() -> None:
    stored = scheduled()
    assert changed(stored).version == 1
    assert {meeting.sequence for meeting in coming(stored)} == {0}


def test_past_meetings_stay_as_they_were() -> None:
    stored = scheduled()
    with on("2026-08-10"):
        changed(stored, weekday=Weekday.FRIDAY, people=("edith", "hedy"))
        july, august, *_ = stored.meetings.all()
        assert (str(july.local_day), str(august.local_day)) == ("2026-07-07", "2026-08-04")
        assert {row.person.full_name for row in july.participants.invited()} == {"Ada", "Edith"}
        assert {row.person.full_name for row in coming(stored)[0].participants.invited()} == {"Edith", "Hedy"}


def test_a_meeting_that_was_moved_by_hand_stays_where_it_is_when_the_rule_changes() -> None:
    stored = scheduled()
    july, august = coming(stored)[:2]
    at = datetime(2026, 7, 9, 12, tzinfo=UTC)
    moved = move(as_(MANAGER), july, at, at + timedelta(hours=2), of_sequence=0)
    cancel(as_(MANAGER), august, "Everybody is away.", of_sequence=0)
    changed(stored, weekday=Weekday.MONDAY)
    july.refresh_from_db()
    august.refresh_from_db()
    assert (july.starts_at, july.sequence) == (at, 1)
    assert (august.state, august.cancelled_why) == ("cancelled", "Everybody is away.")
    assert moved.is_exception


def test_a_cancelled_meeting_can_be_held_after_all() -> None:
    meeting = coming(scheduled())[0]
    cancel(as_(MANAGER), meeting, "", of_sequence=0)
    again = move(as_(MANAGER), meeting, meeting.starts_at, meeting.ends_at, of_sequence=1)
    assert (again.state, again.sequence) == ("planned", 2)


def test_a_series_that_ends_has_no_further_meetings_and_keeps_the_past() -> None:
    stored = scheduled()
    with on("2026-08-10"):
        end_series(as_(MANAGER), stored)
        assert days(stored) == []
        assert stored.meetings.filter(state="planned").count() == 2
        make_meetings_ahead()
        assert stored.meetings.count() == 6
        changed(stored, ends_on=None)
        assert days(stored) == [*FIRST_TUESDAYS[2:], "2027-01-05", "2027-02-02"]
        assert coming(stored)[0].sequence == 2


def test_a_series_that_has_not_started_ends_without_a_meeting() -> None:
    stored = scheduled(starts_on=day("2026-08-01"))
    assert end_series(as_(MANAGER), stored).ends_on == day("2026-06-14")
    assert days(stored) == []


def test_a_holiday_can_be_skipped_and_moved_instead_later() -> None:
    """1 January 2027 is a Friday."""
    with on("2026-08-01"):
        stored = scheduled(weekday=Weekday.FRIDAY, country="DE", on_holiday=OnHoliday.SKIP)
        assert days(stored) == ["2026-08-07", "2026-09-04", "2026-10-02", "2026-11-06", "2026-12-04"]
        changed(stored, on_holiday=OnHoliday.MOVE)
        assert days(stored)[-1] == "2027-01-04"
        changed(stored, on_holiday=OnHoliday.SKIP)
        assert days(stored)[-1] == "2026-12-04"
        assert stored.meetings.get(state="cancelled").cancelled_why == "New Year's Day"


def test_a_unit_that_is_in_no_org_tree_any_more_gets_no_further_meetings(teams: Teams) -> None:
    stored = scheduled()
    UnitPlace.objects.filter(unit=teams.platform).delete()
    with on("2026-07-08"):
        make_meetings_ahead()
        assert days(stored) == FIRST_TUESDAYS[1:]


def test_the_next_meeting_and_the_one_about_a_month(teams: Teams) -> None:
    stored = scheduled()
    july, august = coming(stored)[:2]
    assert next_meeting(MeetingKind.REVIEW, teams.platform, timezone.now()) == july
    cancel(as_(MANAGER), july, "", of_sequence=0)
    assert next_meeting(MeetingKind.REVIEW, teams.platform, timezone.now()) == august
    assert next_meeting(MeetingKind.QBR, teams.platform, timezone.now()) is None
    assert meeting_about(MeetingKind.REVIEW, teams.platform, day("2026-07-01"), day("2026-08-01")) == august
    assert meeting_about(MeetingKind.REVIEW, None, day("2026-07-01"), day("2026-08-01")) is None


WRONG: Sequence[tuple[dict[str, Any], str, str]] = [
    ({"day": 32, "rule": Rule.DAY}, "day", "31"),
    ({"day": None, "rule": Rule.DAY}, "day", "Needed"),
    ({"place": None}, "place", "Needed"),
    ({"place": 5}, "place", "One of"),
    ({"weekday": 7}, "weekday", "One of"),
    ({"rule": Rule.QUARTER_WEEK, "week": 2}, "rule", "monthly"),
    ({"unit": None}, "unit", "unit"),
    ({"every_months": 0}, "every_months", "1"),
    ({"minutes": 0}, "minutes", "5"),
    ({"time_zone": "Europe/Atlantis"}, "time_zone", "Atlantis"),
    ({"time_zone": "../etc/passwd"}, "time_zone", "There is no"),
    ({"country": "XX"}, "country", "XX"),
    ({"country": "DE", "subdivision": "ZZ"}, "subdivision", "Known: BB"),
    ({"subdivision": "BY"}, "subdivision", "Known: none"),
    ({"starts_on": day("1026-06-01")}, "starts_on", "2000"),
    ({"starts_on": day("2025-06-01")}, "starts_on", "year ago"),
    ({"starts_on": day("9026-06-01")}, "starts_on", "2100"),
    ({"ends_on": day("2026-06-01")}, "ends_on", "before"),
    ({"location": "x" * 201}, "location", "200"),
]


def test_what_no_series_can_be_is_named(subtests: pytest.Subtests) -> None:
    for fields, field, words in WRONG:
        with subtests.test(fields=fields):
            with pytest.raises(FieldError) as problem:
                scheduled(EXECUTIVE, **fields)
            assert problem.value.field == field
            assert words in problem.value.message
            assert not MeetingSeries.objects.exists()


def test_participants_are_people_who_are_here() -> None:
    Employment.objects.create(person=Person.objects.get(email="hedy@example.com"), during=("2020-01-01", "2026-06-01"))
    for people, words in ((("hedy",), "Hedy has left"), (("nobody",), "nobody@example.com"), (("a\x00",), "NUL")):
        with pytest.raises(FieldError, match=words) as problem:
            scheduled(people=people)
        assert problem.value.field.startswith("participants")
    with pytest.raises(FieldError, match="200"):
        scheduled(people=tuple(f"p{number}" for number in range(201)))
    assert [who.full_name for who in scheduled(people=("ADA", "ada")).participants.all()] == ["Ada"]


def test_who_left_stays_among_the_participants_of_a_series() -> None:
    stored = scheduled()
    Employment.objects.create(person=Person.objects.get(email="ada@example.com"), during=("2020-01-01", "2026-06-15"))
    assert changed(stored, begins="11:00").version == 2


def test_managers_schedule_for_their_units_and_executives_and_admins_for_all(teams: Teams) -> None:
    scheduled(MANAGER)
    for persona in (EXECUTIVE, ADMIN):
        scheduled(persona, kind=MeetingKind.QBR, unit=None)
        scheduled(persona, unit=teams.search)
    for persona, unit in ((MANAGER, teams.search), (MANAGER, None), (MEMBER, teams.platform), (MEMBER, teams.search)):
        with pytest.raises((MayNotWriteError, FieldError)):
            scheduled(persona, kind=MeetingKind.QBR, unit=unit)


def test_who_may_not_schedule_may_not_change_either() -> None:
    stored = scheduled()
    meeting = coming(stored)[0]
    for refused in (
        lambda: changed(stored, MEMBER, begins="11:00"),
        lambda: end_series(as_(MEMBER), stored),
        lambda: cancel(as_(MEMBER), meeting, "", of_sequence=0),
        lambda: move(as_(MEMBER), meeting, meeting.starts_at, meeting.ends_at, of_sequence=0),
    ):
        with pytest.raises(MayNotWriteError):
            refused()


def test_a_change_of_an_older_version_is_refused_and_nothing_is_stored() -> None:
    stored = scheduled()
    changed(stored, begins="11:00")
    with pytest.raises(ConflictError):
        change_series(as_(MANAGER), stored, {"begins": "12:00"}, of_version=1)
    meeting = coming(stored)[0]
    assert meeting.starts_at.astimezone(UTC).hour == 9
    with pytest.raises(ConflictError):
        cancel(as_(MANAGER), meeting, "", of_sequence=0)


def test_a_meeting_moves_to_a_time_that_is_to_come_and_ends_after_it_begins() -> None:
    meeting = coming(scheduled())[0]
    past, later = timezone.now() - timedelta(hours=1), timezone.now() + timedelta(hours=1)
    for starts_at, ends_at, field in (
        (past, later, "starts_at"),
        (later, later, "ends_at"),
        (later, later + timedelta(hours=13), "ends_at"),
        (datetime(2100, 1, 2, tzinfo=UTC), datetime(2100, 1, 3, tzinfo=UTC), "starts_at"),
    ):
        with pytest.raises(FieldError) as problem:
            move(as_(MANAGER), meeting, starts_at, ends_at, of_sequence=0)
        assert problem.value.field == field


def test_history_says_who_did_it() -> None:
    stored = scheduled()
    cancel(as_(MANAGER), coming(stored)[0], "", of_sequence=0)
    event = apps.get_model("programs", "MeetingEvent")._default_manager.filter(state="cancelled").get()
    assert event.pgh_context.metadata["user"] == create_user(MANAGER).pk
