"""The calendar feed: whose meetings it has, what changes it, and who reads nothing; over HTTP at a real server, too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import httpx
import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from orgtree.models import Employment
from programs.meetings.services.feeds import MOST_READS, renew_feed
from programs.meetings.services.writing import cancel, move
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, Persona, create_user
from tests.programs.calendars import Event, events_in
from tests.programs.meetings import NOW, changed, coming, on, scheduled
from tests.programs.reminders import person
from tests.programs.tickets import as_
from tests.servers import Server
from tests.teams import Teams, create_teams


@pytest.fixture
def teams(db: None) -> Iterator[Teams]:
    with time_machine.travel(NOW, tick=False):
        yield create_teams()


def feed_of(persona: Persona) -> str:
    return f"/calendar/{renew_feed(create_user(persona))}.ics"


def read(address: str, status: int = 200, **headers: str) -> bytes:
    answer = Client(headers=headers).get(address)
    assert answer.status_code == status
    return answer.content


def events(content: bytes) -> list[Event]:
    method, found = events_in(content.decode())
    assert method == "PUBLISH"
    return found


def test_a_feed_has_the_meetings_of_its_person_and_nothing_else(teams: Teams) -> None:
    scheduled(people=("ada", "edith"))
    scheduled(EXECUTIVE, kind="qbr", unit=None, people=("grace", "edith"))
    scheduled(people=("edith",), kind="qbr")
    assert {event["summary"] for event in events(read(feed_of(MEMBER)))} == {"Monthly review, Platform"}
    assert {event["summary"] for event in events(read(feed_of(OTHER_MEMBER)))} == {"Monthly QBR, Whole organisation"}
    assert len(events(read(feed_of(MANAGER)))) == 18
    for sees_all in (EXECUTIVE, ADMIN):
        assert events(read(feed_of(sees_all))) == [], "they see all meetings, and take part in none"
    assert b"ATTENDEE" not in read(feed_of(MANAGER))


def test_moved_and_cancelled_meetings_are_updated(teams: Teams) -> None:
    july, august = coming(scheduled())[:2]
    address = feed_of(MEMBER)
    before = events(read(address))
    at = july.starts_at + timedelta(days=1)
    move(as_(MANAGER), july, at, at + timedelta(hours=1), of_sequence=0)
    cancel(as_(MANAGER), august, "", of_sequence=0)
    after = events(read(address))
    assert [event["uid"] for event in before] == [event["uid"] for event in after]
    assert after[0] == {
        **before[0],
        "sequence": "1",
        "start": "2026-07-08T08:00:00+00:00",
        "end": "2026-07-08T09:00:00+00:00",
    }
    assert after[1] == {**before[1], "sequence": "1", "status": "CANCELLED"}
    assert after[2:] == before[2:]


def test_who_is_taken_off_finds_the_meetings_gone(teams: Teams) -> None:
    series, address = scheduled(), feed_of(MEMBER)
    assert len(events(read(address))) == 6
    changed(series, people=("edith",))
    assert events(read(address)) == []


def test_meetings_of_more_than_a_year_ago_are_gone(teams: Teams) -> None:
    series, address = scheduled(starts_on=date(2026, 6, 2)), feed_of(MEMBER)
    with on("2027-07-01"):
        assert len(events(read(address))) == 7
    with on("2027-09-01"):
        assert len(events(read(address))) == series.meetings.count() - 2


def test_an_unchanged_feed_is_not_sent_again(teams: Teams) -> None:
    series, address = scheduled(), feed_of(MEMBER)
    answer = Client().get(address)
    etag, modified = answer["ETag"], answer["Last-Modified"]
    assert answer["Cache-Control"] == "private, no-cache"
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer["Referrer-Policy"] == "strict-origin"
    for headers in ({"If-None-Match": etag}, {"If-Modified-Since": modified}):
        unchanged = Client(headers=headers).get(address)
        assert (unchanged.status_code, unchanged.content, unchanged["ETag"]) == (304, b"", etag)
    with time_machine.travel("2026-06-15T09:00Z", tick=False):
        changed(series, people=("edith",))
        for headers in ({"If-None-Match": etag}, {"If-Modified-Since": modified}):
            assert Client(headers=headers).get(address).status_code == 200


def test_nobodys_secret_is_404(teams: Teams) -> None:
    scheduled()
    address = feed_of(MEMBER)
    secret = address.removeprefix("/calendar/").removesuffix(".ics")
    for guessed in ("guessed", secret[:-1], secret.swapcase(), "%00", "a" * 5000):
        assert read(f"/calendar/{guessed}.ics", 404)
    read(address)
    feed_of(MEMBER)
    read(address, 404)


def test_who_has_left_or_is_switched_off_reads_nothing_more(teams: Teams) -> None:
    scheduled()
    address, of_manager = feed_of(MEMBER), feed_of(MANAGER)
    Employment.objects.create(person=person("ada"), during=("2020-01-01", "2026-06-15"))
    read(address, 404)
    account = create_user(MANAGER)
    account.is_active = False
    account.save()
    read(of_manager, 404)


def test_a_feed_that_is_read_all_the_time_is_put_off(teams: Teams) -> None:
    scheduled()
    address = feed_of(MEMBER)
    for _ in range(MOST_READS):
        read(address)
    answer = Client().get(address)
    assert (answer.status_code, answer["Retry-After"]) == (429, "60")
    with time_machine.travel("2026-06-15T08:02Z", tick=False):
        read(address)


def test_a_feed_takes_few_queries(teams: Teams, django_assert_max_num_queries: object) -> None:
    for _ in range(3):
        scheduled(kind="qbr")
    address = feed_of(MEMBER)
    read(address)
    with django_assert_max_num_queries(5):  # type: ignore[operator]
        read(address)


def test_a_calendar_program_reads_the_feed_from_a_real_server(server: Server) -> None:
    with server.database():
        create_teams()
        meeting = coming(scheduled())[0]
        address = server.url + feed_of(MEMBER)
    with httpx.Client() as program:
        first = program.get(address)
        assert first.status_code == 200
        [event, *_] = events(first.content)
        assert (event["uid"], event["sequence"]) == (str(meeting.uid), "0")
        assert program.get(address, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
        with server.database():
            at = timezone.now() + timedelta(days=40)
            at = datetime(at.year, at.month, at.day, 12, tzinfo=at.tzinfo)
            move(as_(MANAGER), meeting, at, at + timedelta(hours=1), of_sequence=0)
        again = program.get(address, headers={"If-None-Match": first.headers["ETag"]})
        assert again.status_code == 200
        [moved] = [event for event in events(again.content) if event["uid"] == str(meeting.uid)]
        assert (moved["sequence"], moved["start"]) == ("1", at.isoformat())
        assert program.get(f"{server.url}/calendar/guessed.ics").status_code == 404
    secret = address.rpartition("/")[2].removesuffix(".ics")
    logs = "".join(path.read_text(errors="replace") for path in server.log_dir.rglob("*") if path.is_file())
    assert secret not in logs
