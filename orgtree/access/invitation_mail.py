"""Sends invitations by e-mail if a mail server is configured; the admin sees the link in any case."""

from __future__ import annotations

import logging

from django.conf import settings
from django.core.mail import send_mail

from orgtree.access.who_sees import name_of
from orgtree.models import Invitation

logger = logging.getLogger(__name__)


def can_send_mail() -> bool:
    """Whether a mail server is configured."""
    return bool(settings.EMAIL_HOST)


def send_invitation(invitation: Invitation, url: str) -> bool:
    """Whether it was sent.  Failures are logged: the link is shown anyway."""
    if not can_send_mail():
        return False
    inviter = name_of(invitation.invited_by) if invitation.invited_by else "An admin"
    try:
        send_mail(
            "You are invited to Headway",
            f"{inviter} invites you to Headway.\n\nCreate your account here; the link works once, until "
            f"{invitation.expires_at:%d %B %Y}:\n{url}\n",
            None,
            [invitation.email],
        )
    except OSError as problem:  # smtplib's errors are such
        logger.warning("An invitation could not be sent by mail: %s", type(problem).__name__)
        return False
    return True
