"""Workers that are killed around sending: nobody gets an e-mail twice, and none is lost without a word."""

from __future__ import annotations

import random
import time as clock
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import time, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from orgtree.models import Person
from programs.models import Channel, Delivery, Notice, OutgoingEmail, QuietHours
from tests.patience import wait_until
from tests.programs.mail_server import MailServer, mail_server
from tests.programs.meetings import coming, scheduled
from tests.programs.reminders import filed
from tests.servers import Server
from tests.teams import create_teams

StartServer = Callable[..., AbstractContextManager[Server]]
State = OutgoingEmail.State
WORKER = ("-m", "tests.programs.email_worker")
EMAILS = 40


@pytest.fixture
def mails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    with mail_server(tmp_path / "mails") as server:
        monkeypatch.setenv("HEADWAY_EMAIL_URL", server.url)  # of the workers
        yield server


def addresses() -> list[str]:
    return [f"p{number}@example.com" for number in range(EMAILS)]


@transaction.atomic
def prepare() -> None:
    """For each of many people a ticket that is due today or an invitation to a meeting, and its way out."""
    teams = create_teams()
    accounts = {address: User.objects.create(username=address, email=address) for address in addresses()}
    for address, account in accounts.items():
        QuietHours.objects.create(account=account, begins=time(0), ends=time(0))
        Person.objects.create(full_name=address, email=address)
    invited = addresses()[::2]
    meeting = coming(scheduled(people=tuple(address.partition("@")[0] for address in invited)))[0]
    for notice in Notice.objects.filter(meeting=meeting):
        Delivery.objects.create(notice=notice, channel=Channel.EMAIL)
    for address in addresses()[1::2]:
        account = accounts[address]
        due = filed(f"Of {address}", due=0, unit=teams.platform, owner=address.partition("@")[0])
        notice = Notice.objects.create(account=account, kind="ticket_due", ticket=due, day=due.due_on)
        Delivery.objects.create(notice=notice, channel=Channel.EMAIL)


def received(mails: MailServer) -> Counter[str]:
    return Counter(mail.to for mail in mails.taken())


def states(server: Server) -> dict[str, str]:
    with server.database():
        return dict(OutgoingEmail.objects.values_list("account__email", "state"))


def holders_time_is_over(server: Server) -> None:
    with server.database():
        OutgoingEmail.objects.exclude(held_until=None).update(held_until=timezone.now() - timedelta(seconds=1))


def finish(server: Server) -> None:
    """Whoever was killed holds nothing any more; one worker does what is left."""
    holders_time_is_over(server)
    server.run("last", *WORKER, "once")
    wait_until(lambda: server.processes["last"].poll() is not None, what="the last worker is done")


@pytest.mark.parametrize(
    ("seed", "most_kills"), [(1, 2), *(pytest.param(seed, 6, marks=pytest.mark.soak) for seed in range(2, 20))]
)
def test_killed_at_any_moment_nobody_gets_two(
    start_server: StartServer, mails: MailServer, seed: int, most_kills: int
) -> None:
    """Two workers, of which one after the other is killed and begun again.  What the server took is taken once; what it
    didn't take is either sent later or shown as uncertain, and that only where the worker was in its last step."""
    chance = random.Random(seed)
    mails.set("slow", 0.02)
    mails.set("slow-after", 0.05)
    with start_server(named=f"letters-killed-{seed}") as server:
        with server.database():
            prepare()
        kills = 0
        for name in ("first", "second"):
            server.run(name, *WORKER)
        while len(received(mails)) < EMAILS - 5 and kills < most_kills:
            have = len(received(mails))
            wait_until(
                lambda have=have: len(received(mails)) > min(have + 2, EMAILS - 6),  # type: ignore[misc]
                what="e-mails go out",
            )
            clock.sleep(chance.random() * 0.15)
            victim = chance.choice(["first", "second"])
            server.kill(victim)
            kills += 1
            if chance.random() < 0.5:
                holders_time_is_over(server)
            server.run(victim, *WORKER)
        for name in ("first", "second"):
            server.kill(name)
        finish(server)
        became, sent = states(server), received(mails)
    assert kills
    assert set(sent.values()) == {1}
    assert set(became) == set(addresses())
    assert set(became.values()) <= {State.SENT, State.UNCERTAIN}
    never_sent = set(addresses()) - set(sent)
    assert {became[address] for address in never_sent} <= {State.UNCERTAIN}
    assert list(became.values()).count(State.UNCERTAIN) <= kills + 2


def test_killed_after_the_message_and_before_the_answer(start_server: StartServer, mails: MailServer) -> None:
    """The server has it; the worker never heard so.  It is not sent again, and stands in the list of an admin."""
    mails.set("slow-after", 60)
    with start_server(named="letters-killed-after") as server:
        with server.database():
            prepare()
        server.run("worker", *WORKER)
        wait_until(lambda: received(mails), what="a letter is with the server")
        server.kill("worker")
        [first] = received(mails)
        assert states(server)[first] == State.HANDING_OVER
        mails.set("slow-after", 0)
        finish(server)
        became = states(server)
        sent = received(mails)
    assert sent == Counter(addresses())
    assert became.pop(first) == State.UNCERTAIN
    assert set(became.values()) == {State.SENT}


def test_killed_before_the_message_it_is_sent_later(start_server: StartServer, mails: MailServer) -> None:
    mails.set("slow", 60)  # the worker waits for the answer to the recipient's address
    with start_server(named="letters-killed-before") as server:
        with server.database():
            prepare()
        server.run("worker", *WORKER)
        wait_until(mails.was_called, what="the worker hands a letter over")
        with server.database():
            assert OutgoingEmail.objects.exclude(held_by="").exists()
        server.kill("worker")
        mails.set("slow", 0)
        finish(server)
        assert set(states(server).values()) == {State.SENT}
        assert received(mails) == Counter(addresses())
