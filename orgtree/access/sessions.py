"""Being signed in: ending it everywhere at once."""

from __future__ import annotations

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone

SESSIONS_READ_TOGETHER = 1_000


def sign_out_everywhere(user: User) -> int:
    """End every session of the account, on all devices; how many there were.  API tokens go on.

    A session does not say whose it is in a column, so all that have not expired are read: a rare act, and some tens
    of thousands of them take seconds.
    """
    ending = [
        session.session_key
        for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator(SESSIONS_READ_TOGETHER)
        if session.get_decoded().get(SESSION_KEY) == str(user.pk)
    ]
    return Session.objects.filter(session_key__in=ending).delete()[0]
