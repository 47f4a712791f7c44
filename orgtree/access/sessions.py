"""End all sessions of an account."""

from __future__ import annotations

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone

SESSIONS_READ_TOGETHER = 1_000


def sign_out_everywhere(user: User) -> int:
    """End every session of the account and return their number.  API tokens stay valid.

    Sessions have no user column, so all unexpired ones are decoded: rare, and seconds for some tens of thousands.
    """
    ending = [
        session.session_key
        for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator(SESSIONS_READ_TOGETHER)
        if session.get_decoded().get(SESSION_KEY) == str(user.pk)
    ]
    return Session.objects.filter(session_key__in=ending).delete()[0]
