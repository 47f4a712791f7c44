"""Sends e-mail through the configured mail server.

An SMTP server owns a message once it has received the line with the single dot (RFC 5321, 6.1), and its answer confirms
that.  Before that line, everything can be retried without sending anything twice.  A client that misses the answer
cannot know whether the message was accepted.  So the dialogue is conducted step by step here: the caller records that
the last step begins, and an e-mail with an unknown outcome is never resent automatically.
"""

from __future__ import annotations

import re
import smtplib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from email.utils import format_datetime
from typing import ClassVar
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend as SmtpBackend
from django.core.mail.message import sanitize_address
from django.template.loader import render_to_string
from django.urls import reverse

from orgtree.access.invitations import can_send_mail
from programs.models import Channel, MessageKind
from programs.reminders.services.channels import (
    DeferredError,
    EmailContent,
    Item,
    RefusedError,
    Transport,
    UnansweredError,
    UnreachableError,
)
from programs.reminders.services.preferences import unsubscribe_token

# RFC 5321 (4.5.3.2.6) allows a server ten minutes; waiting that long would block a worker, and giving up early sends
# nothing twice here, because the e-mail is then shown as possibly delivered.
SECONDS_FOR_THE_LAST_ANSWER = 120
LISTED = 50  # items of an e-mail; the rest is in the app
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")  # excludes local names, which a mail server would complete with its own host
DOT_AT_LINE_START = re.compile(rb"(?m)^\.")


class Email:
    word: ClassVar[Channel] = Channel.EMAIL

    def is_open(self) -> bool:
        return can_send_mail()

    def reaches(self, account: User) -> bool:
        return bool(account.email)

    @contextmanager
    def session(self) -> Iterator[EmailSession]:
        session = EmailSession()
        try:
            yield session
        finally:
            session.close()


class EmailSession:
    """One connection to the mail server, opened when the first e-mail is handed over, and again after it was lost."""

    def __init__(self) -> None:
        self._backend: BaseEmailBackend = get_connection()

    def hand_over(self, email: EmailContent, *, last_step: Callable[[], None]) -> None:
        message = as_mail(email)
        if isinstance(self._backend, SmtpBackend):
            self._speak(self._backend, message, last_step)
            return
        last_step()
        try:
            self._backend.send_messages([message])
        except Exception as problem:
            raise UnansweredError(_problem_text(problem)) from problem

    def close(self) -> None:
        """Closes the connection; one that is already gone is no error."""
        self._backend.close()

    def _speak(self, backend: SmtpBackend, message: EmailMultiAlternatives, last_step: Callable[[], None]) -> None:
        try:
            backend.open()
        except (OSError, smtplib.SMTPException) as problem:
            raise UnreachableError(f"The mail server can't be reached: {_problem_text(problem)}") from problem
        smtp: smtplib.SMTP | None = backend.connection
        if smtp is None:
            raise UnreachableError("The mail server can't be reached.")
        try:
            _envelope(smtp, message)
            content = message.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]  # as Django's backend does
            _expect(*smtp.docmd("DATA"), expected=354)
            last_step()
            _content(smtp, content)
        except (smtplib.SMTPServerDisconnected, OSError) as problem:
            self._lose(backend)
            raise UnreachableError(f"The connection to the mail server broke: {_problem_text(problem)}") from problem
        except (RefusedError, DeferredError):
            self._begin_again(backend, smtp)
            raise
        except BaseException:
            self._lose(backend)  # in whatever state the dialogue is
            raise

    def _begin_again(self, backend: SmtpBackend, smtp: smtplib.SMTP) -> None:
        try:
            smtp.rset()
        except (OSError, smtplib.SMTPException):
            self._lose(backend)

    def _lose(self, backend: SmtpBackend) -> None:
        """Drops the connection, so that the next e-mail opens a new one."""
        if backend.connection is not None:
            backend.connection.close()
        backend.connection = None


def _envelope(smtp: smtplib.SMTP, message: EmailMultiAlternatives) -> None:
    encoding = message.encoding or settings.DEFAULT_CHARSET
    try:
        sender = sanitize_address(message.from_email, encoding)
        [address] = message.recipients()
        if not ADDRESS.fullmatch(address):
            raise RefusedError(f"“{address}” is not an e-mail address.")
        if not address.rpartition("@")[0].isascii():  # only SMTPUTF8 carries these, which few servers support
            raise RefusedError(f"“{address}” has characters outside of ASCII before its @.")
        recipient = sanitize_address(address, encoding)
    except (ValueError, UnicodeError) as problem:
        raise RefusedError(f"The address can't be written to: {_problem_text(problem)}") from problem
    smtp.ehlo_or_helo_if_needed()
    code, reply = smtp.mail(sender)
    if code != 250:  # a problem with the sender affects every e-mail, and is fixed in the configuration
        raise UnreachableError(f"The mail server refuses the sender: {_answer(code, reply)}")
    code, reply = smtp.rcpt(recipient)
    if code != 251:
        _expect(code, reply, expected=250)


def _content(smtp: smtplib.SMTP, content: bytes) -> None:
    """Sends the text and the line that ends it, and reads the answer."""
    try:
        if smtp.sock is not None:
            smtp.sock.settimeout(SECONDS_FOR_THE_LAST_ANSWER)
        smtp.send(DOT_AT_LINE_START.sub(b"..", content.rstrip(b"\r\n")) + b"\r\n.\r\n")
        code, reply = smtp.getreply()
        if smtp.sock is not None:
            smtp.sock.settimeout(settings.EMAIL_TIMEOUT)
    except (OSError, smtplib.SMTPException) as problem:
        smtp.close()
        raise UnansweredError(
            f"The mail server didn't say whether it took the message: {_problem_text(problem)}"
        ) from problem
    _expect(code, reply, expected=250)


def _expect(code: int, reply: bytes, *, expected: int) -> None:
    if code == expected:
        return
    answer = _answer(code, reply)
    if code == 421:  # the server closes the connection: RFC 5321, 3.8
        raise UnreachableError(f"The mail server closes the connection: {answer}")
    if 500 <= code < 600:
        raise RefusedError(f"The mail server refuses it: {answer}")
    raise DeferredError(f"The mail server doesn't take it now: {answer}")


def _answer(code: int, reply: bytes) -> str:
    return f"{code} {reply.decode('utf-8', 'replace')}".replace("\n", " ")


def _problem_text(problem: BaseException) -> str:
    return " ".join(str(problem).split()) or type(problem).__name__


def as_mail(message: EmailContent) -> EmailMultiAlternatives:
    """A plain text with an equivalent HTML part; without images or anything that tracks reading."""
    kind = MessageKind.DIGEST.value if message.digest else ""
    token = unsubscribe_token(message.account, Channel.EMAIL, kind)
    unsubscribe = settings.BASE_URL + reverse("unsubscribe", args=[token])
    context = {
        "email": message,
        "items": message.items[:LISTED],
        "more": max(0, len(message.items) - LISTED),
        "base_url": settings.BASE_URL,
        "inbox_url": settings.BASE_URL + reverse("inbox"),
        "notifications_url": settings.BASE_URL + reverse("notifications"),
        "unsubscribe_url": unsubscribe,
    }
    headers = {
        "Message-ID": message_id(message),
        "Date": format_datetime(message.made_at),
        "Auto-Submitted": "auto-generated",  # RFC 3834: no out-of-office replies
        "List-Unsubscribe": f"<{unsubscribe}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",  # RFC 8058
    }
    mail = EmailMultiAlternatives(
        subject_of(message.items),
        render_to_string("programs/emails/email.txt", context),
        to=[message.account.email],
        headers=headers,
    )
    mail.attach_alternative(render_to_string("programs/emails/email.html", context), "text/html")
    if message.calendar is not None:
        # Calendar programs act on the alternative part (RFC 6047); where there is no such program, people open the
        # file.
        method, content = message.calendar.method, message.calendar.content
        mail.attach_alternative(content.decode(), f"text/calendar; method={method}")
        mail.attach("meeting.ics", content, "application/ics")
    return mail


def message_id(message: EmailContent) -> str:
    """The Message-ID: the same for each attempt, so that servers and mail programs can drop duplicates."""
    return f"<{message.public_id}@{urlsplit(settings.BASE_URL).hostname or 'localhost'}>"


def subject_of(items: Sequence[Item]) -> str:
    """The subject as a single line, because a line break in a title would begin another header."""
    first = items[0]
    more = f" and {len(items) - 1} more" if len(items) > 1 else ""
    return " ".join(f"{first.label}: {first.title}{more}".split())


def transports() -> Sequence[Transport]:
    return (Email(),)


def open_channels() -> Sequence[Transport]:
    return [transport for transport in transports() if transport.is_open()]
