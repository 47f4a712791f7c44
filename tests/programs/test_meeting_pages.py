"""Pages of meetings: who sees what, forms, conflicts, and the calendar feed's page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils.html import escape

from orgtree.models import Employment
from orgtree.models.visibility import Visibility
from programs.meetings.services import records
from programs.meetings.services.records import MeetingRecord
from programs.meetings.services.writing import cancel
from programs.models import CalendarFeed, Meeting, MeetingSeries
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, Persona, create_user, signed_in
from tests.programs.meetings import NOW, changed, coming, day, days, on, scheduled
from tests.programs.reminders import person
from tests.programs.tickets import as_
from tests.teams import Teams, create_teams

pytestmark = pytest.mark.django_db
LIST = "/programs/meetings/"
FORM: dict[str, Any] = {
    "kind": "review", "unit": "platform", "rule": "weekday", "place": "1", "weekday": "1", "day": "", "week": "",
    "every_months": "1", "begins": "10:00", "minutes": "60", "time_zone": "Europe/Berlin", "location": "Room 4",
    "country": "DE", "subdivision": "BE", "on_holiday": "move", "starts_on": "2026-06-15", "ends_on": "",
    "participants": "ada@example.com\r\nedith@example.com",
}  # fmt: skip


@pytest.fixture(autouse=True)
def teams() -> Iterator[Teams]:
    with time_machine.travel(NOW, tick=False):
        yield create_teams()


def page(persona: Persona, address: str, status: int = 200, **params: str) -> str:
    answer = signed_in(persona).get(address, params)
    assert answer.status_code == status, answer.content.decode()[:2000]
    return answer.content.decode()


def url(meeting: Meeting) -> str:
    return f"{LIST}{meeting.pk}/"


def posted(persona: Persona, address: str, status: int = 302, **fields: Any) -> str:
    answer = signed_in(persona).post(address, fields)
    assert answer.status_code == status, answer.content.decode()[:3000]
    return answer.content.decode()


def test_a_manager_schedules_by_the_form_and_is_shown_the_dates() -> None:
    assert "Schedule meetings" in page(MANAGER, f"{LIST}series/new/", unit="platform")
    posted(MANAGER, f"{LIST}series/new/", **FORM)
    [series] = MeetingSeries.objects.all()
    assert days(series)[0] == "2026-07-07"
    shown = page(MANAGER, f"{LIST}series/{series.pk}/")
    assert "First Tuesday of the month, 10:00–11:00 (Europe/Berlin)" in shown
    assert "On a public holiday of Germany (BE) the meeting is moved to the next working day." in shown
    assert "Tue 7 Jul 2026, 10:00–11:00" in shown
    listed = page(MANAGER, LIST)
    assert "Monthly review, Platform" in listed
    assert "June 2026" in listed


def test_the_form_begins_with_the_unit_and_its_leader() -> None:
    shown = page(EXECUTIVE, f"{LIST}series/new/", unit="platform")
    assert "edith@example.com" in shown
    assert '<option value="platform" selected>' in shown


WRONG: Sequence[tuple[dict[str, str], str]] = [
    ({"participants": "nobody@example.com"}, "Nobody with the address nobody@example.com"),
    ({"time_zone": "Mars/Olympus"}, "There is no time zone"),
    ({"rule": "day"}, "Needed for this rule."),
    ({"unit": ":organisation", "kind": "review"}, "A review is a unit"),
    ({"unit": "search"}, "Select a valid choice"),
    ({"rule": "day", "day": "32"}, "31"),
    ({"subdivision": "ZZ"}, "Known: BB"),
    ({"begins": "25:00"}, "Enter a valid time"),
    ({"ends_on": "2026-01-01"}, "It ends before its first day."),
    ({"starts_on": "2026-02-30"}, "Enter a valid date"),
]


def test_what_cannot_be_is_said_beside_the_form_and_nothing_is_stored(subtests: pytest.Subtests) -> None:
    for fields, words in WRONG:
        with subtests.test(fields=fields):
            persona = EXECUTIVE if fields.get("unit") == ":organisation" else MANAGER
            assert escape(words) in posted(persona, f"{LIST}series/new/", 400, **{**FORM, **fields})
            assert not MeetingSeries.objects.exists()


def test_a_series_changes_and_whoever_was_slower_sees_both_versions() -> None:
    series = scheduled()
    edit = f"{LIST}series/{series.pk}/edit/"
    assert 'value="1"' in page(MANAGER, edit)
    mine = {name: value for name, value in FORM.items() if name not in ("kind", "unit")}
    posted(MANAGER, edit, **{**mine, "begins": "11:00", "version": "1"})
    shown = posted(MANAGER, edit, 409, **{**mine, "begins": "12:00", "version": "1"})
    assert "Edit conflict" in shown
    assert '<td class="text">11:00</td><td class="text">12:00</td>' in shown
    assert MeetingSeries.objects.get().begins.hour == 11
    posted(MANAGER, edit, **{**mine, "begins": "12:00", "version": "2"})
    assert MeetingSeries.objects.get().begins.hour == 12


def test_a_person_without_an_address_stays_when_the_form_is_saved() -> None:
    series = scheduled()
    nameless = person("hedy")
    series.participants.add(nameless)
    type(nameless).objects.filter(pk=nameless.pk).update(email=None)
    mine = {name: value for name, value in FORM.items() if name not in ("kind", "unit")}
    posted(MANAGER, f"{LIST}series/{series.pk}/edit/", **{**mine, "version": "1"})
    assert nameless in series.participants.all()


def test_one_meeting_is_moved_and_another_cancelled() -> None:
    july, august = coming(scheduled())[:2]
    posted(MANAGER, f"{url(july)}move/", day="2026-07-09", begins="14:00", minutes="90", sequence="0")
    july.refresh_from_db()
    assert (str(july.local_day), july.starts_at.astimezone(UTC).hour) == ("2026-07-09", 12)
    assert "Moved from 7 Jul 2026" in page(MANAGER, url(july))
    posted(MANAGER, f"{url(august)}cancel/", reason="Everybody is <away>.", sequence="0")
    shown = page(MANAGER, url(august))
    assert "Everybody is &lt;away&gt;." in shown
    assert "Reinstate this meeting" in shown


@pytest.mark.parametrize(
    ("action", "fields", "status"),
    [
        ("move", {"day": "2026-06-01", "begins": "10:00", "minutes": "60", "sequence": "0"}, 400),
        ("move", {"day": "2026-07-09", "begins": "10:00", "minutes": "6000", "sequence": "0"}, 400),
        ("move", {"day": "2026-07-09", "begins": "10:00", "minutes": "60", "sequence": "7"}, 409),
        ("move", {"day": "2026-07-09", "begins": "10:00", "minutes": "60", "sequence": "9" * 40}, 409),
        ("cancel", {"reason": "x" * 201, "sequence": "0"}, 400),
        ("cancel", {"reason": "", "sequence": "-1"}, 409),
        ("cancel", {"reason": "\x00", "sequence": "0"}, 400),
        ("cancel", {}, 409),
    ],
)
def test_what_no_meeting_can_be_changes_nothing(action: str, fields: dict[str, str], status: int) -> None:
    july = coming(scheduled())[0]
    assert 'role="alert"' in posted(MANAGER, f"{url(july)}{action}/", status, **fields)
    july.refresh_from_db()
    assert july.sequence == 0


def test_who_sees_which_meeting(teams: Teams) -> None:
    of_platform = coming(scheduled(people=("edith",), location="Room 4"))[0]
    of_search = coming(scheduled(EXECUTIVE, unit=teams.search, people=("hedy", "edith")))[0]
    of_all = coming(scheduled(EXECUTIVE, kind="qbr", unit=None, people=("grace",)))[0]
    sees = {
        persona.name: [signed_in(persona).get(url(meeting)).status_code for meeting in (of_platform, of_search, of_all)]
        for persona in (MEMBER, OTHER_MEMBER, MANAGER, EXECUTIVE, ADMIN)
    }
    assert sees == {
        "ada": [200, 404, 404],  # a member of Platform
        "grace": [404, 200, 200],  # of Search, and a participant of the last
        "edith": [200, 200, 404],  # manages Platform, takes part in Search's
        "mary": [200, 200, 200],
        "admin": [200, 200, 200],
    }
    assert "Monthly review, Platform" in page(MEMBER, LIST)
    assert "Monthly review, Search" not in page(MEMBER, LIST)


def test_members_see_title_and_time_and_participants_see_one_another() -> None:
    meeting = coming(scheduled(people=("edith", "hedy"), location="Room 4"))[0]
    shown = page(MEMBER, url(meeting))
    assert "Tue 7 Jul 2026, 10:00–11:00" in shown
    for hidden in ("Hedy", "Room 4", "Move this meeting", "Cancel this meeting"):
        assert hidden not in shown
        assert hidden in page(MANAGER, url(meeting))
    changed(meeting.series, people=("edith", "hedy", "ada"))
    shown = page(MEMBER, url(meeting))
    assert "Hedy" in shown
    assert "Move this meeting" not in shown


def test_who_may_not_change_gets_403_and_who_may_not_see_404() -> None:
    series = scheduled()
    july = coming(series)[0]
    posted(MEMBER, f"{url(july)}cancel/", 403, sequence="0")
    posted(MEMBER, f"{url(july)}move/", 403, day="2026-07-09", begins="10:00", minutes="60", sequence="0")
    posted(OTHER_MEMBER, f"{url(july)}cancel/", 404, sequence="0")
    for address in ("", "edit/"):
        page(MEMBER, f"{LIST}series/{series.pk}/{address}", 404)
    posted(MEMBER, f"{LIST}series/{series.pk}/end/", 404)
    page(MEMBER, f"{LIST}series/new/", 403)
    assert "No schedules" in page(MEMBER, f"{LIST}series/")


def test_a_participant_who_left_is_shown_as_left() -> None:
    series = scheduled(people=("ada", "edith", "frances"))
    create_user(MEMBER)
    Employment.objects.create(person=person("ada"), during=("2020-01-01", "2026-06-15"))
    for shown in (page(MANAGER, url(coming(series)[0])), page(MANAGER, f"{LIST}series/{series.pk}/")):
        assert 'Ada <span class="hw-tag watch">has left</span>' in shown
        assert 'Frances <span class="hw-tag watch">no account, not invited</span>' in shown
        assert "Edith</li>" in shown


def test_a_series_is_ended_from_its_page() -> None:
    series = scheduled()
    posted(MANAGER, f"{LIST}series/{series.pk}/end/")
    shown = page(MANAGER, f"{LIST}series/{series.pk}/")
    assert "End the schedule" not in shown
    assert days(series) == []


def test_skipped_and_moved_days_say_which_holiday() -> None:
    with on("2026-10-20"):
        series = scheduled(weekday=4, country="DE", on_holiday="skip")
        shown = page(MANAGER, f"{LIST}series/{series.pk}/")
        assert "1 Jan 2027" in shown
        assert "New Year&#x27;s Day" in shown
        changed(series, on_holiday="move")
        assert "Moved from 1 Jan 2027" in page(MANAGER, f"{LIST}series/{series.pk}/")


def test_lists_are_narrowed_by_unit_kind_time_and_to_ones_own(teams: Teams) -> None:
    scheduled(people=("edith",))
    scheduled(EXECUTIVE, unit=teams.search, people=("edith",))
    scheduled(EXECUTIVE, kind="qbr", unit=teams.engineering)
    listed = page(EXECUTIVE, LIST, unit="search")
    assert "review, Search" in listed
    assert "review, Platform" not in listed
    listed = page(EXECUTIVE, LIST, kind="qbr", unit="engineering")
    assert "QBR, Engineering" in listed
    assert "review, " not in listed
    assert "review, Search" in page(MANAGER, LIST, mine="yes", unit="platform")
    assert "No meetings match these filters." in page(MEMBER, LIST, kind="qbr")
    assert "No past meetings" in page(MEMBER, LIST, when="past")
    for params in ({"when": "never"}, {"kind": "party"}, {"mine": "no"}, {"page": "x"}):
        page(MEMBER, LIST, 400, **params)
    page(MEMBER, LIST, 404, unit="nowhere")


def test_past_meetings_stand_with_the_latest_first() -> None:
    scheduled(starts_on=day("2026-04-01"))
    listed = page(MANAGER, LIST, when="past")
    assert listed.index("2 Jun 2026") < listed.index("5 May 2026") < listed.index("7 Apr 2026")


def test_a_meeting_leads_to_its_record(monkeypatch: pytest.MonkeyPatch) -> None:
    july = coming(scheduled())[0]
    assert "Review of Platform, June 2026" in page(MANAGER, url(july))

    def reviews(meetings: Sequence[Meeting], visibility: Visibility) -> Mapping[int, MeetingRecord]:
        if not visibility.leads_any:
            return {}
        return {meeting.pk: MeetingRecord("Review of June", "/programs/reviews/1/", True) for meeting in meetings}

    monkeypatch.setattr(records, "meeting_records", [reviews])
    for address in (url(july), LIST):
        assert '<a href="/programs/reviews/1/">Review of June</a>' in page(MANAGER, address)
        assert "Signed off" in page(MANAGER, address)
        assert "/programs/reviews/1/" not in page(MEMBER, address)


def test_lists_take_few_queries(teams: Teams, django_assert_max_num_queries: Any) -> None:
    for unit in (teams.platform, teams.search, teams.engineering):
        scheduled(EXECUTIVE, unit=unit)
        scheduled(EXECUTIVE, unit=unit, kind="qbr")
    page(EXECUTIVE, LIST)
    client = signed_in(EXECUTIVE)
    for address in (LIST, f"{LIST}series/"):
        client.get(address)
        with django_assert_max_num_queries(15):
            client.get(address)


def test_the_calendar_file_of_a_meeting_names_nobody() -> None:
    meeting = coming(scheduled())[0]
    answer = signed_in(MEMBER).get(f"{url(meeting)}meeting.ics")
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert f"UID:{meeting.uid}".encode() in answer.content
    assert b"ATTENDEE" not in answer.content


def test_a_feed_is_made_shown_once_renewed_and_revoked() -> None:
    client = signed_in(MEMBER)
    assert "Create an address" in client.get("/account/calendar-feed/").content.decode()
    made = client.post("/account/calendar-feed/", {"renew": "1"}).content.decode()
    address = made.split('id="feed-address">')[1].split("<")[0]
    path = address.removeprefix("http://127.0.0.1:8000")
    secret = path.removeprefix("/calendar/").removesuffix(".ics")
    assert len(secret) >= 43
    assert secret not in client.get("/account/calendar-feed/").content.decode()
    assert secret.encode() not in bytes(CalendarFeed.objects.get().digest)
    assert Client().get(path).status_code == 200
    client.post("/account/calendar-feed/", {"renew": "1"})
    assert Client().get(path).status_code == 404
    client.post("/account/calendar-feed/", {"revoke": "1"})
    assert not CalendarFeed.objects.exists()
    assert "/account/calendar-feed/" in client.get("/accounts/me/").content.decode()


def test_admins_keep_series_in_admin() -> None:
    client, base = signed_in(ADMIN), "/admin/programs/meetingseries/"
    fields = {**FORM, "unit": "", "kind": "qbr", "participants": str(person("ada").pk)}
    answer = client.post(f"{base}add/", fields)
    assert answer.status_code == 302, answer.content.decode()[:3000]
    [series] = MeetingSeries.objects.all()
    assert (series.title, days(series)[0]) == ("Monthly QBR, Whole organisation", "2026-07-07")
    answer = client.post(f"{base}{series.pk}/change/", {**fields, "begins": "15:00"})
    assert answer.status_code == 302, answer.content.decode()[:3000]
    assert coming(series)[0].starts_at.astimezone(UTC).hour == 13
    answer = client.post(f"{base}{series.pk}/change/", {**fields, "subdivision": "ZZ"})
    assert "Known: BB" in answer.content.decode()
    client.post(base, {"action": "end", "_selected_action": [str(series.pk)]})
    assert days(series) == []
    assert client.post(f"{base}{series.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.get(base).status_code == 200


def test_a_cancelled_meeting_is_marked_in_the_list() -> None:
    cancel(as_(MANAGER), coming(scheduled())[0], "", of_sequence=0)
    assert 'class="hw-tag bad">Cancelled' in page(MANAGER, LIST)
