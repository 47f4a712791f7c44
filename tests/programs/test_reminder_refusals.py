"""E-mails that a real SMTP server refuses, and many workers at one outbox: sent once, or known why not."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from orgtree.models import Person
from programs.models import OutgoingEmail, QuietHours
from programs.reminders.services import email, outbox
from programs.reminders.services.planning import plan_reminders
from programs.reminders.services.sending import run_slice, send_waiting
from tests.org import Org
from tests.patience import wait_until
from tests.personas import EXECUTIVE, MANAGER, MEMBER, create_user
from tests.programs.emails import (
    NO_QUIET_HOURS,
    address,
    never_quiet,
    only_email,
    send_after,
    teams_with_readers,
    use,
)
from tests.programs.mail_server import MailServer, mail_server
from tests.programs.reminders import filed, open_accounts
from tests.teams import Teams, create_teams

State = OutgoingEmail.State


@pytest.fixture
def server(tmp_path: Path, settings: Any) -> Iterator[MailServer]:
    with mail_server(tmp_path / "mails") as started:
        use(started, settings)
        yield started


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    """A few minutes before midnight what is due today would be over before it is tried again."""
    with time_machine.travel(timezone.localtime().replace(hour=12, minute=0)):
        yield


@pytest.fixture
def teams(org: Org) -> Teams:
    return teams_with_readers()


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
            ("no address at all", "is not an e-mail address"),
            ("@example.com", "is not an e-mail address"),
            ("ädä@example.com", "outside of ASCII"),
        ],
    )
    def test_for_good(self, teams: Teams, server: MailServer, given: str, why: str) -> None:
        self.plan(teams, given)
        assert Counter(send_waiting()) == Counter(failed=1)
        assert only_email().state == State.FAILED
        assert why in only_email().reason
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
        """It is tried again as the same e-mail, after pauses that grow."""
        self.plan(teams, "later@example.com")
        assert Counter(send_waiting()) == Counter({"put off": 1})
        assert "451" in only_email().reason
        assert send_after(0) == Counter()
        assert send_after(2) == Counter({"put off": 1})
        server.set("later")
        assert send_after(3) == Counter()
        assert send_after(5) == Counter(sent=1)
        [mail] = server.taken()
        assert str(only_email().public_id) in mail.content["Message-ID"]

    def test_for_now_and_for_ever(self, teams: Teams, server: MailServer) -> None:
        address(MANAGER, "later@example.com")
        filed("A rota", due=-1, unit=teams.platform, owner="edith")
        plan_reminders()
        send_waiting()
        tries = 1
        while only_email().state == State.WAITING:
            tries += 1
            send_after(300 * tries)
        assert tries == outbox.MOST_ATTEMPTS
        assert only_email().state == State.FAILED
        assert outbox.send_again(OutgoingEmail.objects.all()) == 1
        server.set("later")
        assert Counter(send_waiting()) == Counter(sent=1)

    def test_without_an_answer_it_is_not_sent_again_by_itself(self, teams: Teams, server: MailServer) -> None:
        self.plan(teams, "hangup@example.com")
        filed("Of Grace", due=0, unit=teams.search, owner="grace")
        plan_reminders()
        assert Counter(send_waiting()) == Counter(uncertain=1, sent=1)
        outgoing = OutgoingEmail.objects.get(account=create_user(MEMBER))
        assert outgoing.state == State.UNCERTAIN
        assert "didn't say whether" in outgoing.reason
        assert send_after(900) == Counter()
        assert len(server.taken()) == 2

    def test_a_server_that_is_away_is_waited_for(self, teams: Teams, server: MailServer, settings: Any) -> None:
        self.plan(teams, "ada@example.com")
        settings.EMAIL_PORT = 1
        assert Counter(send_waiting()) == Counter(away=1)
        assert "can't be reached" in only_email().reason
        settings.EMAIL_PORT = server.port
        assert send_after(2) == Counter(sent=1)

    def test_a_server_without_encryption_gets_no_password(
        self, teams: Teams, server: MailServer, settings: Any
    ) -> None:
        settings.EMAIL_USE_TLS, settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = True, "u", "p"
        self.plan(teams, "ada@example.com")
        assert Counter(send_waiting()) == Counter(away=1)
        assert server.taken() == []


def test_a_retry_after_an_internal_error_sends_the_same_email(
    teams: Teams, server: MailServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    filed("A rota", due=0, unit=teams.platform)
    plan_reminders()
    with monkeypatch.context() as broken:
        broken.setattr(email, "as_mail", lambda outgoing: 1 / 0)
        assert Counter(send_waiting()) == Counter({"put off": 1})
    assert "failed in Headway" in caplog.text
    assert send_after(2) == Counter(sent=1)


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_send_every_email_once(tmp_path: Path, settings: Any) -> None:
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
    assert set(OutgoingEmail.objects.values_list("state", flat=True)) == {State.SENT}
    assert {outgoing.deliveries.count() for outgoing in OutgoingEmail.objects.all()} == {2}


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
        messages: list[Any] = []

        def work() -> None:
            messages.append(run_slice())
            connection.close()

        first = threading.Thread(target=work)
        first.start()
        wait_until(lambda: OutgoingEmail.objects.exclude(held_by="").exists(), what="the first is at it")
        assert run_slice() == {}
        first.join()
        assert messages[0]["sent"]
        server.set("slow", 0)
        filed("A page", due=0, unit=teams.platform)
        plan_reminders()
        assert run_slice()["sent"] == 1, "the turn was given back"


def test_a_holder_that_was_too_slow_hands_nothing_over(teams: Teams, server: MailServer) -> None:
    filed("A rota", due=0, unit=teams.platform)
    plan_reminders()
    outbox.compose_emails([email.Email()])
    slow = outbox.claim_email([email.Email()])
    assert slow is not None
    assert outbox.claim_email([email.Email()]) is None
    OutgoingEmail.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    assert Counter(send_waiting()) == Counter(sent=1)
    with pytest.raises(outbox.LostClaimError):
        outbox.begin_last_step(slow)
    outbox.failed(slow, "It thinks so.")
    assert only_email().state == State.SENT


def test_an_executive_without_a_person_gets_emails_too(teams: Teams, server: MailServer) -> None:
    filed("Nobody's", due=-1, owner=None)
    plan_reminders()
    send_waiting()
    [mail] = [message for message in server.taken() if message.to == EXECUTIVE.email]
    assert "1 day overdue: Nobody's" in mail.text
