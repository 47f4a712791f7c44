"""Letters over a real SMTP server: what they say, who is left out, what is refused, and that each is sent once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from orgtree.models import Employment, Person
from programs.models import Channel, Delivery, Letter, Muted, Notice, QuietHours, TicketState
from programs.services.reminders import email, outbox
from programs.services.reminders.sending import send_waiting, take_turn
from programs.services.reminders.telling import plan_reminders
from programs.services.reminders.unsubscribing import read_token
from programs.services.tickets.commenting import comment_on_ticket
from programs.services.tickets.writing import move_ticket
from tests.org import Org
from tests.personas import EXECUTIVE, MANAGER, MEMBER, create_user
from tests.programs.mail_server import MailServer, Taken, mail_server
from tests.programs.reminders import PEOPLE, TODAY, agree_on_objectives, filed, open_accounts, person
from tests.programs.tickets import as_, ticket
from tests.servers import wait_until
from tests.teams import Teams, create_teams

State = Letter.State
NO_QUIET_HOURS = {"begins": time(0), "ends": time(0)}


@pytest.fixture
def server(tmp_path: Path, settings: Any) -> Iterator[MailServer]:
    with mail_server(tmp_path / "mails") as started:
        use(started, settings)
        yield started


def use(server: MailServer, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.DEFAULT_FROM_EMAIL = "headway@example.com"
    settings.BASE_URL = "https://headway.example.com"


@pytest.fixture
def teams(org: Org) -> Teams:
    made = create_teams()
    open_accounts()
    never_quiet()
    agree_on_objectives(made, TODAY, date(2026, 3, 1))
    return made


def never_quiet() -> None:
    QuietHours.objects.bulk_create(QuietHours(account=create_user(each), **NO_QUIET_HOURS) for each in PEOPLE)


def address(persona: Any, given: str) -> None:
    """The account is written to at that address; it stays the person's."""
    account = create_user(persona)
    Person.objects.filter(email=persona.email).update(user=account)
    User.objects.filter(pk=account.pk).update(email=given)


def send_after(minutes: int) -> Counter[str]:
    with time_machine.travel(timezone.now() + timedelta(minutes=minutes), tick=True):
        return Counter(send_waiting())


def only_letter() -> Letter:
    return Letter.objects.get()


def to_ada(server: MailServer) -> list[Taken]:
    return [mail for mail in server.taken() if mail.to == MEMBER.email]


def subject(mail: Taken) -> str:
    return str(mail.content["Subject"]).strip()


def test_a_letter_says_everything_that_is_due_at_once(teams: Teams, server: MailServer) -> None:
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


def test_a_letter_can_be_ended_in_one_click(teams: Teams, server: MailServer) -> None:
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
    assert read_token(path.split("/")[-2]) == (create_user(MEMBER), Channel.EMAIL)
    program = Client(enforce_csrf_checks=True)  # of the mail provider: no session, no token
    assert program.get(path).status_code == 200
    assert not Muted.objects.exists(), "a filter that opens links ends nothing"
    answer = program.post(path, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 200
    assert Muted.objects.get().account == create_user(MEMBER)
    comment_on_ticket(as_(MANAGER), of_ada, "And?")
    send_waiting()
    assert len(to_ada(server)) == 1
    assert Notice.objects.filter(account=create_user(MEMBER)).count() == 2, "the inbox has it all the same"


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
    said = ticket(title="A rota")
    send_waiting()
    comment_on_ticket(as_(MANAGER), said, ".\r\n. @ada@example.com\r\n.")
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
        assert only_letter().state == State.EMPTY
        return list(Delivery.objects.values_list("left_out", flat=True))

    def test_it_was_done(self, planned: Teams, server: MailServer) -> None:
        move_ticket(as_(MANAGER), self.ticket, TicketState.DONE)
        assert self.left_out() == ["It is settled."]
        assert server.taken() == []

    def test_it_went_to_somebody_else(self, planned: Teams) -> None:
        self.ticket.owner = person("hedy")
        self.ticket.save()
        assert self.left_out() == ["It is settled."]

    def test_it_may_not_be_seen_any_more(self, planned: Teams) -> None:
        self.ticket.owner, self.ticket.unit = None, planned.search
        self.ticket.save()
        assert self.left_out() == ["It is not theirs to see any more."]

    def test_the_person_left(self, planned: Teams) -> None:
        Employment.objects.create(person=person("ada"), during=(TODAY - timedelta(days=9), TODAY))
        assert self.left_out() == ["The account is switched off, or its person has left."]

    def test_the_account_was_switched_off(self, planned: Teams) -> None:
        User.objects.filter(username=MEMBER.email).update(is_active=False)
        assert self.left_out() == ["The account is switched off, or its person has left."]

    def test_it_was_read_in_the_app(self, planned: Teams) -> None:
        Notice.objects.update(read_at=timezone.now())
        assert self.left_out() == ["They read it in the app."]

    def test_they_want_no_such_messages(self, planned: Teams) -> None:
        Muted.objects.create(account=create_user(MEMBER), channel=Channel.EMAIL, kind="ticket_due")
        assert self.left_out() == ["They want no such messages."]


def test_kinds_that_are_switched_off_are_not_even_planned(teams: Teams, server: MailServer) -> None:
    Muted.objects.create(account=create_user(MEMBER), channel=Channel.EMAIL, kind="ticket_due")
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


def test_an_account_without_an_address_gets_no_letter(teams: Teams, server: MailServer) -> None:
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
    from programs.models import Ticket

    today = timezone.localdate()
    Ticket.objects.update(starts_on=today, due_on=today)


class TestTheServerSaysNo:
    def plan(self, teams: Teams, given: str) -> None:
        address(MEMBER, given)
        filed("A rota", due=0, unit=teams.platform)
        plan_reminders()

    @pytest.mark.parametrize(
        ("given", "why"),
        [
            ("nobody@example.com", "550 5.1.1 No such mailbox"),
            ("spam@example.com", "554 5.7.1 This looks like spam"),
            ("no address at all", "is no e-mail address"),
            ("@example.com", "is no e-mail address"),
            ("ädä@example.com", "outside of ASCII"),
        ],
    )
    def test_for_good(self, teams: Teams, server: MailServer, given: str, why: str) -> None:
        self.plan(teams, given)
        assert Counter(send_waiting()) == Counter(failed=1)
        assert only_letter().state == State.FAILED
        assert why in only_letter().reason
        assert send_after(500) == Counter()

    def test_one_bad_address_holds_nobody_up(self, teams: Teams, server: MailServer) -> None:
        self.plan(teams, "nobody@example.com")
        for number in range(3):
            filed(f"T{number}", due=-1, unit=teams.platform, owner="edith")
        filed("Of Grace", due=0, unit=teams.search, owner="grace")
        plan_reminders()
        assert Counter(send_waiting()) == Counter(failed=1, sent=2)
        assert {mail.to for mail in server.taken()} == {"edith@example.com", "grace@example.com"}

    def test_for_now(self, teams: Teams, server: MailServer) -> None:
        """It is tried again as the same letter, after pauses that grow."""
        self.plan(teams, "later@example.com")
        assert Counter(send_waiting()) == Counter({"put off": 1})
        assert "451" in only_letter().reason
        assert send_after(0) == Counter()
        assert send_after(2) == Counter({"put off": 1})
        server.set("later")
        assert send_after(3) == Counter()
        assert send_after(5) == Counter(sent=1)
        [mail] = server.taken()
        assert str(only_letter().public_id) in mail.content["Message-ID"]

    def test_for_now_and_for_ever(self, teams: Teams, server: MailServer) -> None:
        address(MANAGER, "later@example.com")
        filed("A rota", due=-1, unit=teams.platform, owner="edith")
        plan_reminders()
        send_waiting()
        tries = 1
        while only_letter().state == State.WAITING:
            tries += 1
            send_after(300 * tries)
        assert tries == outbox.MOST_ATTEMPTS
        assert only_letter().state == State.FAILED
        assert outbox.send_again(Letter.objects.all()) == 1
        server.set("later")
        assert Counter(send_waiting()) == Counter(sent=1)

    def test_without_an_answer_it_is_not_sent_again_by_itself(self, teams: Teams, server: MailServer) -> None:
        self.plan(teams, "hangup@example.com")
        filed("Of Grace", due=0, unit=teams.search, owner="grace")
        plan_reminders()
        assert Counter(send_waiting()) == Counter(uncertain=1, sent=1)
        letter = Letter.objects.get(account=create_user(MEMBER))
        assert letter.state == State.UNCERTAIN
        assert "didn't say whether" in letter.reason
        assert send_after(900) == Counter()
        assert len(server.taken()) == 2

    def test_a_server_that_is_away_is_waited_for(self, teams: Teams, server: MailServer, settings: Any) -> None:
        self.plan(teams, "ada@example.com")
        settings.EMAIL_PORT = 1
        assert Counter(send_waiting()) == Counter(away=1)
        assert "can't be reached" in only_letter().reason
        settings.EMAIL_PORT = server.port
        assert send_after(2) == Counter(sent=1)

    def test_a_server_without_encryption_gets_no_password(
        self, teams: Teams, server: MailServer, settings: Any
    ) -> None:
        settings.EMAIL_USE_TLS, settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = True, "u", "p"
        self.plan(teams, "ada@example.com")
        assert Counter(send_waiting()) == Counter(away=1)
        assert server.taken() == []


def test_a_second_try_after_a_fault_of_ours_is_the_same_letter(
    teams: Teams, server: MailServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    filed("A rota", due=0, unit=teams.platform)
    plan_reminders()
    with monkeypatch.context() as broken:
        broken.setattr(email, "as_mail", lambda letter: 1 / 0)
        assert Counter(send_waiting()) == Counter({"put off": 1})
    assert "fault of ours" in caplog.text
    assert send_after(2) == Counter(sent=1)


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_send_each_letter_once(tmp_path: Path, settings: Any) -> None:
    with transaction.atomic():
        teams = create_teams()
    accounts = [
        User.objects.create(username=f"p{number}@example.com", email=f"p{number}@example.com") for number in range(40)
    ]
    QuietHours.objects.bulk_create(QuietHours(account=account, **NO_QUIET_HOURS) for account in accounts)
    for account in accounts:
        Person.objects.create(full_name=account.username, email=account.email)
        for title in ("A", "B"):
            filed(title, due=0, unit=teams.platform, owner=account.username.partition("@")[0])
    with mail_server(tmp_path / "mails") as server:
        use(server, settings)
        plan_reminders()
        together, became = threading.Barrier(4), Counter[str]()

        def work() -> None:
            together.wait()
            for _ in range(3):
                became.update(send_waiting())
            connection.close()

        workers = [threading.Thread(target=work) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        sent = Counter(mail.to for mail in server.taken())
    assert sent == Counter(account.email for account in accounts)
    assert became["sent"] == 40
    assert set(Letter.objects.values_list("state", flat=True)) == {State.SENT}
    assert {letter.deliveries.count() for letter in Letter.objects.all()} == {2}


@pytest.mark.django_db(transaction=True)
def test_a_slow_mail_server_holds_one_turn_and_no_more(tmp_path: Path, settings: Any) -> None:
    with transaction.atomic():
        teams = create_teams()
    open_accounts()
    never_quiet()
    filed("A rota", due=0, unit=teams.platform)
    with mail_server(tmp_path / "mails") as server:
        use(server, settings)
        plan_reminders()
        server.set("slow", 3)
        taken: list[Any] = []

        def work() -> None:
            taken.append(take_turn())
            connection.close()

        first = threading.Thread(target=work)
        first.start()
        wait_until(lambda: Letter.objects.exclude(held_by="").exists(), within_seconds=30, what="the first is at it")
        assert take_turn() == {}
        first.join()
        assert taken[0]["sent"]
        server.set("slow", 0)
        filed("A page", due=0, unit=teams.platform)
        plan_reminders()
        assert take_turn()["sent"] == 1, "the turn was given back"


def test_a_holder_that_was_too_slow_hands_nothing_over(teams: Teams, server: MailServer) -> None:
    filed("A rota", due=0, unit=teams.platform)
    plan_reminders()
    outbox.put_letters_together([email.Email()])
    slow = outbox.claim([email.Email()])
    assert slow is not None
    assert outbox.claim([email.Email()]) is None
    Letter.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    assert Counter(send_waiting()) == Counter(sent=1)
    with pytest.raises(outbox.LostLetterError):
        outbox.begin_last_step(slow)
    outbox.failed(slow, "It thinks so.")
    assert only_letter().state == State.SENT


def test_an_executive_who_is_nobody_gets_letters_too(teams: Teams, server: MailServer) -> None:
    filed("Nobody's", due=-1, owner=None)
    plan_reminders()
    send_waiting()
    [mail] = [each for each in server.taken() if each.to == EXECUTIVE.email]
    assert "1 day overdue: Nobody's" in mail.text
