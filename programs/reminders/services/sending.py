"""Emptying the outbox: one turn of one worker.  Any number of them may take turns at once."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Mapping

from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone
from tenacity import RetryCallState, retry, retry_if_exception_type, stop_after_delay, wait_fixed

from programs.models import Letter
from programs.reminders.services import outbox
from programs.reminders.services.channels import AwayError, PutOffError, RefusedError, Session, UnansweredError, Way
from programs.reminders.services.letters import write
from programs.reminders.services.quiet_hours import quiet_of
from programs.reminders.services.ways import open_channels

logger = logging.getLogger(__name__)

TURN_SECONDS = 50.0  # the schedule begins another one every minute
_SENDING = 0x5365_6E64  # "Send": whose turn it is
OUR_FAULT = "Headway failed on it; its log says more."
MOST_TIMES_AWAY = 2  # in a turn: a server may close a connection after so many letters; one that is away stays away


def take_turn() -> Mapping[str, int]:
    """`send_waiting`, unless somebody is at it: a mail server that is slow holds one thread of all workers, and not
    one more with each minute."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_SENDING])
        if not cursor.fetchone()[0]:
            return {}
    try:
        return send_waiting()
    finally:
        with connection.cursor() as cursor:  # of a lost connection the database let go by itself
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_SENDING])


def send_waiting() -> Mapping[str, int]:
    """What became of the letters of this turn, by a word for it."""
    became: Counter[str] = Counter()
    became["cut off"] = outbox.settle_cut_off()
    ways = open_channels()
    outbox.put_letters_together(ways)
    for way in ways:
        with way.session() as session:
            _send_by(way, session, became)
    return +became


def _send_by(way: Way, session: Session, became: Counter[str]) -> None:
    away, ends = 0, time.monotonic() + TURN_SECONDS
    while time.monotonic() < ends:
        email = outbox.claim([way])
        if email is None:
            return
        word = _send(email, session)
        became[word] += 1
        away += word == "away"
        if away >= MOST_TIMES_AWAY:
            return


def _send(email: Letter, session: Session) -> str:
    quiet_until = quiet_of(getattr(email.account, "quiet_hours", None)).until(timezone.now())
    if quiet_until is not None:  # a letter that was put off comes back at whatever hour
        outbox.wait_until(email, quiet_until)
        return "quiet"
    last_step = _LastStep(email)
    try:
        written = write(email)
        if written is None:
            outbox.says_nothing(email)
            return "empty"
        session.hand_over(written, last_step=last_step)
    except outbox.LostLetterError:
        return "lost"
    except DatabaseError:
        raise  # what became of it can't be stored now either; a later turn finds the letter
    except Exception as problem:
        return _note(email, problem, may_have_arrived=last_step.was_taken)
    _was_sent(email)
    return "sent"


class _LastStep:
    def __init__(self, email: Letter) -> None:
        self._letter, self.was_taken = email, False

    def __call__(self) -> None:
        outbox.begin_last_step(self._letter)
        self.was_taken = True


def _note(email: Letter, problem: Exception, *, may_have_arrived: bool) -> str:
    """What is to become of a letter that wasn't taken; one word for it."""
    match problem:
        case RefusedError():
            outbox.failed(email, str(problem))
            return "failed"
        case PutOffError():
            outbox.try_again(email, str(problem))
            return "put off"
        case AwayError():
            logger.warning("Letters wait: %s", problem)
            outbox.try_again(email, str(problem))
            return "away"
        case UnansweredError():
            outbox.may_have_arrived(email, str(problem))
            return "uncertain"
    logger.error("Letter %s met a fault of ours", email.pk, exc_info=problem)  # it must not hold up the others
    if may_have_arrived:
        outbox.may_have_arrived(email, OUR_FAULT)
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
def _was_sent(email: Letter) -> None:
    """It can't be sent another time: a database that is restarted at this moment is waited for."""
    outbox.was_sent(email)
