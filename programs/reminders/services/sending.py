"""Sends the outbox in slices; any number of workers may run one concurrently."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Mapping

from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone
from tenacity import RetryCallState, retry, retry_if_exception_type, stop_after_delay, wait_fixed

from core.locks import Lock
from programs.models import OutgoingEmail
from programs.reminders.services import outbox
from programs.reminders.services.channels import (
    DeferredError,
    RefusedError,
    Session,
    Transport,
    UnansweredError,
    UnreachableError,
)
from programs.reminders.services.email import open_channels
from programs.reminders.services.email_contents import compose
from programs.reminders.services.preferences import quiet_of

logger = logging.getLogger(__name__)

SLICE_SECONDS = 50.0  # the schedule starts another one every minute
SENDING = Lock("sending of e-mails")
OUR_FAULT = "Headway failed to process it; the log has details."
MOST_TIMES_AWAY = 2  # per slice: a server may close a connection after some e-mails; then it is given up


def run_slice() -> Mapping[str, int]:
    """Runs `send_waiting` unless another worker does, so that a slow mail server blocks one thread only."""
    with SENDING.held() as is_ours:
        return send_waiting() if is_ours else {}


def send_waiting() -> Mapping[str, int]:
    """Sends waiting e-mails; returns the number of this slice's e-mails by outcome."""
    became: Counter[str] = Counter()
    became["cut off"] = outbox.settle_cut_off()
    transports = open_channels()
    outbox.compose_emails(transports)
    for transport in transports:
        with transport.session() as session:
            _send_by(transport, session, became)
    return +became


def _send_by(transport: Transport, session: Session, became: Counter[str]) -> None:
    away, ends = 0, time.monotonic() + SLICE_SECONDS
    while time.monotonic() < ends:
        email = outbox.claim_email([transport])
        if email is None:
            return
        word = _send(email, session)
        became[word] += 1
        away += word == "away"
        if away >= MOST_TIMES_AWAY:
            return


def _send(email: OutgoingEmail, session: Session) -> str:
    quiet_until = quiet_of(getattr(email.account, "quiet_hours", None)).until(timezone.now())
    if quiet_until is not None:  # a postponed e-mail comes back at any hour
        outbox.wait_until(email, quiet_until)
        return "quiet"
    last_step = _LastStep(email)
    try:
        content = compose(email)
        if content is None:
            outbox.mark_empty(email)
            return "empty"
        session.hand_over(content, last_step=last_step)
    except outbox.LostClaimError:
        return "lost"
    except DatabaseError:
        raise  # its outcome cannot be stored now either; a later slice finds the e-mail
    except Exception as problem:
        return _note(email, problem, mark_uncertain=last_step.was_taken)
    _was_sent(email)
    return "sent"


class _LastStep:
    def __init__(self, email: OutgoingEmail) -> None:
        self._email, self.was_taken = email, False

    def __call__(self) -> None:
        outbox.begin_last_step(self._email)
        self.was_taken = True


def _note(email: OutgoingEmail, problem: Exception, *, mark_uncertain: bool) -> str:
    """Handles an e-mail that was not accepted; returns its outcome."""
    match problem:
        case RefusedError():
            outbox.failed(email, str(problem))
            return "failed"
        case DeferredError():
            outbox.try_again(email, str(problem))
            return "put off"
        case UnreachableError():
            logger.warning("E-mails wait: %s", problem)
            outbox.try_again(email, str(problem))
            return "away"
        case UnansweredError():
            outbox.mark_uncertain(email, str(problem))
            return "uncertain"
    logger.error("E-mail %s failed in Headway", email.pk, exc_info=problem)  # it must not hold up the others
    if mark_uncertain:
        outbox.mark_uncertain(email, OUR_FAULT)
        return "uncertain"
    outbox.try_again(email, OUR_FAULT)
    return "put off"


def _forget_connection(_: RetryCallState) -> None:
    connection.close()


@retry(
    retry=retry_if_exception_type((OperationalError, InterfaceError)),
    stop=stop_after_delay(60),
    wait=wait_fixed(1),
    before_sleep=_forget_connection,
    reraise=True,
)
def _was_sent(email: OutgoingEmail) -> None:
    """Records that the e-mail was sent; waits for the database if it is restarting, because this must not be lost."""
    outbox.mark_sent(email)
