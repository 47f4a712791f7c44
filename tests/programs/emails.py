"""The language of e-mail tests: a configured mail server, accounts without quiet hours, and the sent mails."""

from __future__ import annotations

from collections import Counter
from datetime import date, time, timedelta
from typing import Any

import time_machine
from django.contrib.auth.models import User
from django.utils import timezone

from insights.query.windows import local_today
from orgtree.models import Person
from programs.models import OutgoingEmail, QuietHours
from programs.reminders.services.sending import send_waiting
from tests.personas import MEMBER, create_user
from tests.programs.mail_server import MailServer, Taken
from tests.programs.reminders import PEOPLE, agree_on_objectives, open_accounts
from tests.teams import Teams, create_teams

NO_QUIET_HOURS = {"begins": time(0), "ends": time(0)}


def use(server: MailServer, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.DEFAULT_FROM_EMAIL = "headway@example.com"
    settings.BASE_URL = "https://headway.example.com"


def teams_with_readers() -> Teams:
    """Everybody may be written to at any hour, and nobody is told that their team lacks an objective."""
    made = create_teams()
    open_accounts()
    never_quiet()
    agree_on_objectives(made, local_today(), date(2026, 3, 1))
    return made


def never_quiet() -> None:
    QuietHours.objects.bulk_create(QuietHours(account=create_user(person), **NO_QUIET_HOURS) for person in PEOPLE)


def address(persona: Any, given: str) -> None:
    """The account is written to at that address; it stays the person's."""
    account = create_user(persona)
    Person.objects.filter(email=persona.email).update(user=account)
    User.objects.filter(pk=account.pk).update(email=given)


def send_after(minutes: int) -> Counter[str]:
    with time_machine.travel(timezone.now() + timedelta(minutes=minutes), tick=True):
        return Counter(send_waiting())


def only_email() -> OutgoingEmail:
    return OutgoingEmail.objects.get()


def to_ada(server: MailServer) -> list[Taken]:
    return [mail for mail in server.taken() if mail.to == MEMBER.email]


def subject(mail: Taken) -> str:
    return str(mail.content["Subject"]).strip()
