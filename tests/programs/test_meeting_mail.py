"""Invitations over a real SMTP server, read by two parsers that know nothing of each other; and reminders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from orgtree.models import Employment
from orgtree.models.visibility import Visibility
from programs.meetings.services import records
from programs.meetings.services.planning import make_meetings_ahead
from programs.meetings.services.records import MeetingRecord
from programs.meetings.services.writing import cancel, end_series, move
from programs.models import Delivery, Meeting, MessageKind, Notice, OptOut, OutgoingEmail, QuietHours
from programs.reminders.services.inbox import read_notices
from programs.reminders.services.sending import send_waiting
from tests.personas import MANAGER, MEMBER, create_user
from tests.programs.calendars import Event, events_in
from tests.programs.emails import never_quiet, to_ada, use
from tests.programs.mail_server import MailServer, Taken, mail_server
from tests.programs.meetings import NOW, changed, coming, notices, on, scheduled
from tests.programs.reminders import open_accounts, person
from tests.programs.tickets import as_
from tests.teams import Teams, create_teams

pytestmark = pytest.mark.django_db
JULY, AUGUST, SEPTEMBER = "2026-07-07", "2026-08-04", "2026-09-01"


@pytest.fixture
def server(tmp_path: Path, settings: Any) -> Iterator[MailServer]:
    with mail_server(tmp_path / "mails") as started:
        use(started, settings)
        yield started


@pytest.fixture(autouse=True)
def teams() -> Iterator[Teams]:
    with time_machine.travel(NOW, tick=True):
        made = create_teams()
        open_accounts()
        never_quiet()
        yield made


def sent_to_ada(server: MailServer) -> list[Taken]:
    """The mails received since the last call."""
    send_waiting()
    came = sorted(to_ada(server), key=lambda mail: str(mail.content["Message-ID"]))
    new = [mail for mail in came if str(mail.content["Message-ID"]) not in _seen]
    _seen.update(str(mail.content["Message-ID"]) for mail in new)
    return new


_seen: set[str] = set()


def event_in(mail: Taken) -> Event:
    """The one event of the e-mail, with the method."""
    [part] = [part for part in mail.content.walk() if part.get_content_type() == "text/calendar"]
    text = content_of(part).decode().replace("\r\n", "\n").replace("\n", "\r\n")
    assert text.encode().rstrip() == file_in(mail).rstrip(), "part and file differ"
    method, [event] = events_in(text)
    assert part.get_param("method") == method
    return {"method": method, **event}


def file_in(mail: Taken) -> bytes:
    [file] = [part for part in mail.content.walk() if part.get_filename() == "meeting.ics"]
    return content_of(file)


def content_of(part: Any) -> bytes:
    content: bytes = part.get_payload(decode=True)
    return content


def test_an_invitation_for_every_meeting_of_the_next_two_months(server: MailServer) -> None:
    stored = scheduled()
    mails = sent_to_ada(server)
    events = sorted((event_in(mail) for mail in mails), key=lambda event: event["start"])
    july, august = coming(stored)[:2]
    assert events[0] == {
        "method": "REQUEST",
        "uid": str(july.uid),
        "sequence": "0",
        "status": "CONFIRMED",
        "summary": "Monthly review, Platform",
        "start": "2026-07-07T08:00:00+00:00",
        "end": "2026-07-07T09:00:00+00:00",
        "location": "",
        "organizer": "mailto:headway@example.com",
        "attendees": "mailto:ada@example.com, mailto:edith@example.com",
    }
    assert [event["uid"] for event in events] == [str(july.uid), str(august.uid)]
    assert {str(mail.content["Subject"]) for mail in mails} == {"Invitation: Monthly review, Platform"}
    assert "Tue 7 Jul 2026, 10:00–11:00 (Europe/Berlin)" in "".join(mail.text for mail in mails)
    assert sent_to_ada(server) == []


def test_later_meetings_are_invited_to_when_they_come_near(server: MailServer) -> None:
    scheduled()
    sent_to_ada(server)
    assert notices(plan=True) == []
    with on("2026-07-08"):
        make_meetings_ahead()
        assert notices(plan=True) == [
            ("ada", "invitation", SEPTEMBER, 0),
            ("edith", "invitation", SEPTEMBER, 0),
            ("edith", "unsigned", "2026-07-07", 0),  # who leads Platform, and has prepared no review
        ]
        [mail] = sent_to_ada(server)
        assert event_in(mail)["start"] == "2026-09-01T08:00:00+00:00"


def test_an_update_and_a_cancellation_are_recognised(server: MailServer) -> None:
    july = coming(scheduled())[0]
    before = {event["uid"]: event for event in map(event_in, sent_to_ada(server))}[str(july.uid)]
    at = datetime(2026, 7, 9, 12, tzinfo=UTC)
    moved = move(as_(MANAGER), july, at, at + timedelta(hours=2), of_sequence=0)
    [mail] = sent_to_ada(server)
    update = event_in(mail)
    assert update == {
        **before,
        "sequence": "1",
        "start": "2026-07-09T12:00:00+00:00",
        "end": "2026-07-09T14:00:00+00:00",
    }
    assert str(mail.content["Subject"]) == "Invitation, updated: Monthly review, Platform"
    cancel(as_(MANAGER), moved, "Holiday season — nobody is here.", of_sequence=1)
    [mail] = sent_to_ada(server)
    assert event_in(mail) == {
        **update,
        "method": "CANCEL",
        "sequence": "2",
        "status": "CANCELLED",
        "attendees": "mailto:ada@example.com",
    }
    assert str(mail.content["Subject"]) == "Cancelled: Monthly review, Platform"
    assert "Holiday season — nobody is here." in mail.text


def test_a_changed_rule_updates_what_was_invited_to_and_nothing_else(server: MailServer) -> None:
    stored = scheduled()
    sent_to_ada(server)
    changed(stored, begins="15:00")
    assert {(event["start"], event["sequence"]) for event in map(event_in, sent_to_ada(server))} == {
        ("2026-07-07T13:00:00+00:00", "1"),
        ("2026-08-04T13:00:00+00:00", "1"),
    }


def test_the_end_of_a_series_cancels_what_was_invited_to(server: MailServer) -> None:
    stored = scheduled()
    sent_to_ada(server)
    end_series(as_(MANAGER), stored)
    assert {event_in(mail)["method"] for mail in sent_to_ada(server)} == {"CANCEL"}
    assert {notice.kind for notice in Notice.objects.filter(number=1)} == {"meeting_cancelled"}


def test_removed_participants_are_notified_and_the_others_are_not(server: MailServer) -> None:
    stored = scheduled(people=("ada", "edith"))
    sent_to_ada(server)
    changed(stored, people=("edith", "grace"))
    assert {(event["method"], event["sequence"]) for event in map(event_in, sent_to_ada(server))} == {("CANCEL", "1")}
    updates = [notice for notice in notices() if notice[3] == 1]
    assert updates == [
        ("ada", "cancelled", JULY, 1),
        ("ada", "cancelled", AUGUST, 1),
        ("grace", "invitation", JULY, 1),
        ("grace", "invitation", AUGUST, 1),
    ]
    changed(stored, people=("ada", "edith"))
    assert {(event["method"], event["sequence"]) for event in map(event_in, sent_to_ada(server))} == {("REQUEST", "2")}
    assert not [notice for notice in notices() if notice[0] == "edith" and notice[3]]


def test_who_has_left_gets_nothing_more(server: MailServer) -> None:
    july = coming(scheduled())[0]
    sent_to_ada(server)
    Employment.objects.create(person=person("ada"), during=("2020-01-01", "2026-06-15"))
    at = july.starts_at + timedelta(hours=1)
    move(as_(MANAGER), july, at, at + timedelta(hours=1), of_sequence=0)
    assert sent_to_ada(server) == []
    assert {notice[0] for notice in notices() if notice[3] == 1} == {"edith"}


def test_who_leaves_before_the_mail_goes_out_gets_none(server: MailServer) -> None:
    scheduled()
    Employment.objects.create(person=person("ada"), during=("2020-01-01", "2026-06-15"))
    assert sent_to_ada(server) == []
    assert OutgoingEmail.objects.filter(account=create_user(MEMBER), state="empty").count() == 2


def test_what_changes_before_the_mail_goes_out_is_sent_as_it_is_then(server: MailServer) -> None:
    stored = scheduled()
    changed(stored, begins="15:00")
    assert {event_in(mail)["sequence"] for mail in sent_to_ada(server)} == {"1"}
    assert OutgoingEmail.objects.filter(account=create_user(MEMBER), state="empty").count() == 2


def test_invitations_can_be_switched_off(server: MailServer) -> None:
    OptOut.objects.create(account=create_user(MEMBER), channel="email", kind=MessageKind.MEETING_INVITATION)
    scheduled()
    assert sent_to_ada(server) == []
    assert ("ada", "invitation", JULY, 0) in notices(), "the inbox has it"


def test_an_invitation_that_was_read_in_the_app_still_reaches_the_calendar(server: MailServer) -> None:
    scheduled()
    read_notices(as_(MEMBER))
    assert len(sent_to_ada(server)) == 2


def test_quiet_hours_put_invitations_off(server: MailServer) -> None:
    QuietHours.objects.filter(account=create_user(MEMBER)).update(begins=time(7), ends=time(12))
    scheduled()
    assert sent_to_ada(server) == []
    with time_machine.travel("2026-06-15T12:01Z", tick=True):
        assert len(sent_to_ada(server)) == 2


def test_other_notices_share_a_mail_that_invitations_do_not(server: MailServer) -> None:
    scheduled()
    with on("2026-07-06"):
        assert ("ada", "soon", JULY, 0) in notices(plan=True)
        mails = sent_to_ada(server)
        assert sorted(str(mail.content["Subject"]) for mail in mails) == [
            "Invitation: Monthly review, Platform",  # of July, not sent before
            "Invitation: Monthly review, Platform",
            "Invitation: Monthly review, Platform",
            "Meeting: Monthly review, Platform",
        ]
    assert not Delivery.objects.filter(email=None)


def test_a_reminder_comes_once_within_a_day_before_and_again_when_the_day_changes(server: MailServer) -> None:
    july = coming(scheduled())[0]
    sent_to_ada(server)
    with on("2026-07-05"):
        assert [notice for notice in notices(plan=True) if notice[1] == "soon"] == []
    with on("2026-07-06"):
        assert ("ada", "soon", JULY, 0) in notices(plan=True)
        assert notices(plan=True) == []
        at = july.starts_at + timedelta(days=2)
        move(as_(MANAGER), july, at, at + timedelta(hours=1), of_sequence=0)
        assert notices(plan=True) == []
    with on("2026-07-08"):
        assert ("ada", "soon", "2026-07-09", 0) in [notice for notice in notices(plan=True) if notice[1] == "soon"]


def test_what_is_not_signed_off_is_reminded_of_until_it_is(server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    stored, signed = scheduled(), set[int]()

    def reviews(meetings: Sequence[Meeting], _: Visibility) -> Mapping[int, MeetingRecord]:
        signers = frozenset({person("edith").pk})
        return {
            meeting.pk: MeetingRecord("Review of June", "/programs/reviews/1/", meeting.pk in signed, signers)
            for meeting in meetings
            if meeting.series_id == stored.pk
        }

    monkeypatch.setattr(records, "meeting_records", [reviews])
    with on(JULY):
        notices(plan=True)
        assert [notice for notice in notices() if notice[1] == "unsigned"] == []
    with on("2026-07-08"):
        assert [notice for notice in notices(plan=True) if notice[1] == "unsigned"] == [("edith", "unsigned", JULY, 0)]
        assert notices(plan=True) == []
    with on("2026-07-15"):
        assert [notice for notice in notices(plan=True) if notice[1] == "unsigned"] == [("edith", "unsigned", JULY, 1)]
        signed.add(stored.meetings.all()[0].pk)
        send_waiting()
        assert "Not signed off: Monthly review, Platform" not in {
            str(mail.content["Subject"]) for mail in server.taken()
        }
    with on("2026-07-22"):
        assert [notice for notice in notices(plan=True) if notice[1] == "unsigned"] == []


def test_names_and_places_survive_folding_and_quoting(server: MailServer, settings: Any) -> None:
    settings.DEFAULT_FROM_EMAIL = 'Headway of "Übung; Söhne, Co." <headway@example.com>'
    ada = person("ada")
    ada.full_name = 'Ada "the; first" Lovelace, Gräfin von und zu Ümläut-Überlingen\r\nATTENDEE:mailto:x@example.com'
    ada.save()
    where = "Raum „Größe“; 3. Stock, links\\hinten 🚀 — " + "sehr lang " * 14
    stored = scheduled(location=where.strip())
    mail = next(mail for mail in sent_to_ada(server))
    event = event_in(mail)
    assert event["location"] == where.strip()
    assert event["attendees"] == "mailto:ada@example.com, mailto:edith@example.com"
    lines = file_in(mail).split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert not [line for line in lines if b"\n" in line]
    assert stored.location == where.strip()


def test_without_a_mail_server_the_inbox_alone_has_it(settings: Any) -> None:
    scheduled()
    assert len(notices()) == 4
    assert not Delivery.objects.exists()
    assert timezone.now() < coming(scheduled(kind="qbr"))[0].starts_at
