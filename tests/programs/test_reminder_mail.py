"""E-mails over a real SMTP server: what they say, who is left out, and quiet hours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from insights.query.windows import local_today
from orgtree.models import Employment
from programs.comments.writing import comment_on
from programs.models import Channel, Delivery, Notice, OptOut, OutgoingEmail, QuietHours, Ticket, TicketState
from programs.reminders.services import outbox
from programs.reminders.services.planning import plan_reminders
from programs.reminders.services.preferences import Link, read_token
from programs.reminders.services.sending import send_waiting
from programs.tickets.services.writing import move_ticket
from tests.org import Org
from tests.pages.delivering import day_before
from tests.personas import MANAGER, MEMBER, create_user
from tests.programs.emails import (
    address,
    only_email,
    subject,
    teams_with_readers,
    to_ada,
    use,
)
from tests.programs.mail_server import MailServer, mail_server
from tests.programs.reminders import filed, person
from tests.programs.tickets import as_, ticket
from tests.teams import Teams

State = OutgoingEmail.State


@pytest.fixture
def server(tmp_path: Path, settings: Any) -> Iterator[MailServer]:
    with mail_server(tmp_path / "mails") as started:
        use(started, settings)
        yield started


@pytest.fixture
def teams(org: Org) -> Teams:
    return teams_with_readers()


def test_one_email_lists_everything_that_is_due(teams: Teams, server: MailServer) -> None:
    filed("A rota for reviews", due=0, unit=teams.platform)
    filed("Ünïcode & <tags>", due=-5, unit=teams.platform)
    plan_reminders()
    assert send_waiting()["sent"] == 2
    [mail] = to_ada(server)
    assert mail.sender == "headway@example.com"
    assert subject(mail) == "5 days overdue: Ünïcode & <tags> and 1 more"
    for text in (mail.text, mail.html):
        assert "A rota for reviews" in text
        assert "5 days overdue" in text
        assert "https://headway.example.com/programs/tickets/" in text
    assert "Ünïcode & <tags>" in mail.text
    assert "Ünïcode &amp; &lt;tags&gt;" in mail.html
    assert "<img" not in mail.html
    assert send_waiting() == {}
    assert len(server.taken()) == 2


def test_an_email_can_be_unsubscribed_from_in_one_click(teams: Teams, server: MailServer) -> None:
    of_ada = filed("A rota", due=0, unit=teams.platform)
    plan_reminders()
    send_waiting()
    [mail] = to_ada(server)
    assert mail.content["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail.content["Auto-Submitted"] == "auto-generated"
    link = str(mail.content["List-Unsubscribe"]).strip().strip("<>")
    assert link in mail.text
    path = link.removeprefix("https://headway.example.com")
    assert path.startswith("/account/notifications/unsubscribe/")
    assert read_token(path.split("/")[-2]) == Link(create_user(MEMBER), Channel.EMAIL)
    program = Client(enforce_csrf_checks=True)  # of the mail provider: no session, no token
    assert program.get(path).status_code == 200
    assert not OptOut.objects.exists(), "a filter that opens links ends nothing"
    answer = program.post(path, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 200
    assert OptOut.objects.get().account == create_user(MEMBER)
    comment_on(as_(MANAGER), of_ada, "And?")
    send_waiting()
    assert len(to_ada(server)) == 1
    assert Notice.objects.filter(account=create_user(MEMBER)).count() == 2, "the inbox has it all the same"
    latest = Notice.objects.filter(account=create_user(MEMBER)).latest("pk")
    assert not Delivery.objects.filter(notice=latest).exists(), (
        "nothing is left to be sent after another change of mind"
    )


@pytest.mark.parametrize("forged", ["x", "WzEsImVtYWlsIl0~x", ""])
def test_a_forged_link_ends_nothing(teams: Teams, forged: str) -> None:
    assert Client().post(f"/account/notifications/unsubscribe/{forged or '~'}/").status_code == 404


def test_a_line_break_in_a_title_begins_no_header(teams: Teams, server: MailServer) -> None:
    filed("A rota\r\nBcc: everybody@example.com", due=0, unit=teams.platform)
    plan_reminders()
    send_waiting()
    [mail] = to_ada(server)
    assert mail.content["Bcc"] is None
    assert subject(mail) == "Due today: A rota Bcc: everybody@example.com"


def test_a_line_of_one_dot_ends_no_message(teams: Teams, server: MailServer) -> None:
    new_ticket = ticket(title="A rota")
    send_waiting()
    comment_on(as_(MANAGER), new_ticket, ".\r\n. @ada@example.com\r\n.")
    send_waiting()
    assert "mentions you" in subject(to_ada(server)[-1])
    assert "\n“. . @ada@example.com .”" in to_ada(server)[-1].text


class TestWhatIsNotSaidAnyMore:
    """Between planning and sending."""

    @pytest.fixture
    def planned(self, teams: Teams, server: MailServer) -> Teams:
        self.ticket = filed("A rota", due=0, unit=teams.platform)
        plan_reminders()
        return teams

    def left_out(self) -> list[str]:
        assert Counter(send_waiting()) == Counter(empty=1)
        assert only_email().state == State.EMPTY
        return list(Delivery.objects.values_list("left_out", flat=True))

    def test_it_was_done(self, planned: Teams, server: MailServer) -> None:
        move_ticket(as_(MANAGER), self.ticket, TicketState.DONE)
        assert self.left_out() == ["It is resolved."]
        assert server.taken() == []

    def test_it_went_to_somebody_else(self, planned: Teams) -> None:
        self.ticket.owner = person("hedy")
        self.ticket.save()
        assert self.left_out() == ["It is resolved."]

    def test_it_may_not_be_seen_any_more(self, planned: Teams) -> None:
        self.ticket.owner, self.ticket.unit = None, planned.search
        self.ticket.save()
        assert self.left_out() == ["They may no longer see it."]

    def test_the_person_left(self, planned: Teams) -> None:
        Employment.objects.create(person=person("ada"), during=(day_before(9), local_today()))
        assert self.left_out() == ["The account is inactive, or its person has left."]

    def test_the_account_was_switched_off(self, planned: Teams) -> None:
        User.objects.filter(username=MEMBER.email).update(is_active=False)
        assert self.left_out() == ["The account is inactive, or its person has left."]

    def test_it_was_read_in_the_app(self, planned: Teams) -> None:
        Notice.objects.update(read_at=timezone.now())
        assert self.left_out() == ["They read it in the app."]

    def test_they_want_no_such_messages(self, planned: Teams) -> None:
        OptOut.objects.create(account=create_user(MEMBER), channel=Channel.EMAIL, kind="ticket_due")
        assert self.left_out() == ["They turned these messages off."]


def test_kinds_that_are_switched_off_are_not_even_planned(teams: Teams, server: MailServer) -> None:
    OptOut.objects.create(account=create_user(MEMBER), channel=Channel.EMAIL, kind="ticket_due")
    filed("A rota", due=0, unit=teams.platform)
    filed("A page", due=2, unit=teams.platform)
    plan_reminders()
    send_waiting()
    [mail] = to_ada(server)
    assert subject(mail) == "Due in 2 days: A page"


def test_without_a_mail_server_nothing_waits_in_the_outbox(teams: Teams, settings: Any) -> None:
    settings.EMAIL_HOST = ""
    filed("A rota", due=0, unit=teams.platform)
    plan_reminders()
    assert Notice.objects.exists()
    assert not Delivery.objects.exists()
    assert send_waiting() == {}


def test_an_account_without_an_address_gets_no_email(teams: Teams, server: MailServer) -> None:
    address(MEMBER, "")
    filed("A rota", due=0, unit=teams.platform)
    plan_reminders()
    assert send_waiting() == {}
    assert Delivery.objects.get().left_out == outbox.NO_ADDRESS


class TestQuietHours:
    @pytest.fixture
    def berlin(self, teams: Teams, server: MailServer) -> None:
        QuietHours.objects.update(begins=time(20), ends=time(8), time_zone="Europe/Berlin")
        filed("A rota", due=0, unit=teams.platform)

    def test_they_delay_and_drop_nothing(self, berlin: None, server: MailServer) -> None:
        """The clock goes forward in the night to the 29th: eight o'clock there comes at six in UTC."""
        evening = datetime(2026, 3, 28, 22, tzinfo=UTC)
        with time_machine.travel(evening, tick=False):
            create_due_today()
            plan_reminders()
            assert send_waiting() == {}
            assert Delivery.objects.get().not_before == datetime(2026, 3, 29, 6, tzinfo=UTC)
        with time_machine.travel(datetime(2026, 3, 29, 5, 59, tzinfo=UTC), tick=False):
            assert send_waiting() == {}
        with time_machine.travel(datetime(2026, 3, 29, 6, 0, tzinfo=UTC), tick=False):
            Notice.objects.update(kind="ticket_overdue")  # the day is over: it would be said no more
            assert send_waiting()["sent"] == 1
        assert len(server.taken()) == 1

    def test_a_second_try_keeps_them_too(self, berlin: None, server: MailServer) -> None:
        address(MEMBER, "later@example.com")
        with time_machine.travel(datetime(2026, 3, 27, 18, 58, tzinfo=UTC), tick=False):
            create_due_today()
            plan_reminders()
            assert send_waiting()["put off"] == 1
        server.set("later")
        with time_machine.travel(datetime(2026, 3, 27, 19, 1, tzinfo=UTC), tick=False):
            assert send_waiting()["quiet"] == 1
        with time_machine.travel(datetime(2026, 3, 28, 7, 1, tzinfo=UTC), tick=False):
            Notice.objects.update(kind="ticket_overdue")
            assert send_waiting()["sent"] == 1


def create_due_today() -> None:
    """The one ticket is due on the day on which the story plays."""
    today = timezone.localdate()
    Ticket.objects.update(starts_on=today, due_on=today)
