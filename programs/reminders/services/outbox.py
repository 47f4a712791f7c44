"""The outbox: deliveries that are due become letters, and workers take turns at these.

Each letter is held by one worker for a while.  A worker that is killed before the last step of handing over leaves a
letter that waits, and another one takes it when its time is over.  One that is killed in the last step leaves a letter
of which nobody can know whether it arrived: it is shown as such, and never sent again by itself, for that would be
the second one as often as not.  The notice stands in the app in either case.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from programs.models import Delivery, Letter, Notice
from programs.models.messages import LONGEST_REASON
from programs.reminders.services.channels import Way
from programs.reminders.services.quiet_hours import quiet_of

State = Letter.State
HOLD = timedelta(minutes=5)  # above what one letter may take: ten seconds a step, and two minutes for the last answer
MOST_ATTEMPTS = 12
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=4)  # together some 16 hours of trying
ACCOUNTS_AT_ONCE = 500
KEPT_FOR = timedelta(days=180)
_PUTTING_TOGETHER = 0x4C65_7474  # "Lett": whoever makes letters is alone, so that an account gets one and not two
NO_ADDRESS = "The account has no address there."
CUT_OFF = (
    "The worker that handed it over was stopped before it saw the answer. It may have arrived, so it is not sent again "
    "by itself."
)


class LostLetterError(Exception):
    """Somebody else is at it: nothing of it may be handed over."""


def put_letters_together(ways: Collection[Way], *, now: datetime | None = None) -> int:
    """A letter for each account that something is due for, with all of that; how many.

    Who has quiet hours is asked again when they end.
    """
    at, made = now or timezone.now(), 0
    for way in ways:
        while (made_now := _put_together(way, at)) is not None:
            made += made_now
    return made


def _put_together(way: Way, at: datetime) -> int | None:
    """For some accounts: how many letters.  None where nothing is due, or somebody else is at it."""
    with transaction.atomic():
        due = Delivery.objects.filter(channel=way.word, letter=None, left_out="", not_before__lte=at)
        if not _alone():
            return None
        chosen = list(due.order_by("notice__account").values_list("notice__account").distinct()[:ACCOUNTS_AT_ONCE])
        accounts = User.objects.select_related("quiet_hours").in_bulk([account for (account,) in chosen])
        to_write = _to_write_now(accounts.values(), due, way, at)
        emails = Letter.objects.bulk_create(
            Letter(account_id=account_id, channel=way.word, made_at=at, next_try_at=at) for account_id in to_write
        )
        _enclose(emails, at)
    return len(emails) if chosen else None


def _alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_PUTTING_TOGETHER])
        return bool(cursor.fetchone()[0])


def _to_write_now(accounts: Iterable[User], due: QuerySet[Delivery], way: Way, at: datetime) -> Sequence[int]:
    """The accounts that get a letter now; what is due for the others waits for the end of their quiet hours, or is left
    out where they have no address.  One statement for each such end, however many accounts have it."""
    later: dict[datetime, list[int]] = defaultdict(list)
    now, unreached = [], []
    for account in accounts:
        quiet_until = quiet_of(getattr(account, "quiet_hours", None)).until(at)
        if not way.reaches(account):
            unreached.append(account.pk)
        elif quiet_until is not None:
            later[quiet_until].append(account.pk)
        else:
            now.append(account.pk)
    due.filter(notice__account__in=unreached).update(left_out=NO_ADDRESS)
    for end, account_ids in later.items():
        due.filter(notice__account__in=account_ids).update(not_before=end)
    return now


def _enclose(emails: Sequence[Letter], at: datetime) -> None:
    """Everything that is due for the letters' accounts, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE programs_delivery delivery SET letter_id = letter.id
            FROM programs_notice notice
            JOIN programs_letter letter ON letter.account_id = notice.account_id
            WHERE letter.id = ANY(%(letters)s) AND delivery.notice_id = notice.id
                AND delivery.channel = letter.channel AND delivery.letter_id IS NULL AND delivery.left_out = ''
                AND delivery.not_before <= %(at)s
            """,
            {"letters": [email.pk for email in emails], "at": at},
        )


def claim(ways: Collection[Way], *, now: datetime | None = None) -> Letter | None:
    """The letter that waited longest, held by nobody else; None where none is due."""
    at = now or timezone.now()
    with transaction.atomic():
        free = Letter.objects.filter(Q(held_until=None) | Q(held_until__lte=at))
        waiting = free.filter(state=State.WAITING, next_try_at__lte=at, channel__in=[way.word for way in ways])
        due = waiting.select_for_update(skip_locked=True).order_by("next_try_at", "pk").first()
        if due is None:
            return None
        due.held_by = f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(8)}"
        due.held_until = at + HOLD
        due.attempts += 1
        due.save(update_fields=["held_by", "held_until", "attempts"])
    return Letter.objects.select_related("account__quiet_hours").get(pk=due.pk)


def begin_last_step(email: Letter) -> None:
    """From now on it may have arrived: stored before it is handed over.  Raises LostLetterError."""
    mine = Letter.objects.filter(pk=email.pk, held_by=email.held_by, state=State.WAITING, held_until__gt=timezone.now())
    if not mine.update(state=State.HANDING_OVER, held_until=timezone.now() + HOLD):
        raise LostLetterError


def was_sent(email: Letter) -> None:
    _settle(email, State.SENT, "", sent_at=timezone.now())


def failed(email: Letter, why: str) -> None:
    _settle(email, State.FAILED, why)


def may_have_arrived(email: Letter, why: str) -> None:
    _settle(email, State.UNCERTAIN, why)


def says_nothing(email: Letter) -> None:
    _settle(email, State.EMPTY, "")


def try_again(email: Letter, why: str) -> None:
    """After a pause that doubles; after the last try it failed."""
    if email.attempts >= MOST_ATTEMPTS:
        failed(email, why)
        return
    pause = min(FIRST_PAUSE * 2 ** (email.attempts - 1), LONGEST_PAUSE)
    _settle(email, State.WAITING, why, next_try_at=timezone.now() + pause)


def wait_until(email: Letter, moment: datetime) -> None:
    """Nobody tried: the account has quiet hours."""
    _settle(email, State.WAITING, email.reason, next_try_at=moment, attempts=email.attempts - 1)


def _settle(email: Letter, state: Letter.State, why: str, **more: object) -> None:
    """Only by its holder; what it knows counts, even where its time was over meanwhile."""
    Letter.objects.filter(pk=email.pk, held_by=email.held_by).update(
        state=state, reason=why[:LONGEST_REASON], held_by="", held_until=None, **more
    )


def settle_cut_off(*, now: datetime | None = None) -> int:
    """Letters whose holder was stopped in the last step; how many."""
    cut_off = Letter.objects.filter(state=State.HANDING_OVER, held_until__lte=now or timezone.now())
    return cut_off.update(state=State.UNCERTAIN, reason=CUT_OFF)  # held_by stays: a slow holder may still know better


def send_again(emails: QuerySet[Letter]) -> int:
    """What failed, or may not have arrived, is tried again as the same letter; how many."""
    ended = emails.filter(state__in=[State.FAILED, State.UNCERTAIN])
    return ended.update(
        state=State.WAITING, attempts=0, next_try_at=timezone.now(), held_by="", held_until=None, reason=""
    )


def forget_old_messages(*, now: datetime | None = None) -> int:
    """Notices and letters of which nobody asks any more; how many."""
    before = (now or timezone.now()) - KEPT_FOR
    gone = Letter.objects.filter(made_at__lt=before).exclude(state__in=[State.WAITING, State.HANDING_OVER])
    return gone.delete()[0] + Notice.objects.filter(at__lt=before).delete()[0]
