"""The outbox: due deliveries become e-mails, which workers claim one at a time.

A worker holds an e-mail for a limited time.  If it is killed before the last step of handing over, another worker takes
the e-mail after that time.  If it is killed in the last step, the e-mail may or may not have arrived: it is marked as
uncertain and never resent automatically, because that could be a duplicate.  The notice is in the app in either case.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from core import sql
from core.locks import Lock
from core.queue import Backoff, claim, new_holder
from programs.models import Delivery, Digest, Notice, OutgoingEmail
from programs.models.messages import ALONE, LONGEST_REASON
from programs.reminders.services.channels import Transport
from programs.reminders.services.preferences import quiet_of

State = OutgoingEmail.State
HOLD = timedelta(minutes=5)  # longer than one e-mail may take: ten seconds a step, and two minutes for the last answer
MOST_ATTEMPTS = 12
RETRIES = Backoff(timedelta(minutes=1), longest=timedelta(hours=4))  # about 16 hours of attempts in total
ACCOUNTS_AT_ONCE = 500
KEPT_FOR = timedelta(days=180)
COMPOSING = Lock("composing of e-mails")  # one composer at a time, so that an account gets one e-mail instead of two
NO_ADDRESS = "The account has no address for this channel."
CUT_OFF = (
    "The worker stopped before it received the mail server's answer. The e-mail may have arrived, so Headway does not "
    "resend it automatically."
)


class LostClaimError(Exception):
    """Raised if another worker holds the e-mail: it must not be handed over."""


def compose_emails(transports: Collection[Transport], *, now: datetime | None = None) -> int:
    """Creates one e-mail per account with everything that is due for it, and one for each notice that is sent alone.

    Returns their number.  Accounts in quiet hours are tried again when these end.
    """
    at, made = now or timezone.now(), 0
    for transport in transports:
        while (made_now := _compose(transport, at)) is not None:
            made += made_now
    return made


def _compose(transport: Transport, at: datetime) -> int | None:
    """Creates e-mails for some accounts; returns their number, or None if nothing is due or another worker is
    doing it.
    """
    with transaction.atomic():
        due = Delivery.objects.filter(channel=transport.word, email=None, left_out="", not_before__lte=at)
        if not COMPOSING.try_hold():
            return None
        chosen = list(due.order_by("notice__account").values_list("notice__account").distinct()[:ACCOUNTS_AT_ONCE])
        accounts = User.objects.select_related("quiet_hours").in_bulk([account for (account,) in chosen])
        now = due.filter(notice__account__in=_to_write_now(accounts.values(), due, transport, at))
        alone = list(now.filter(notice__kind__in=ALONE).select_related("notice"))
        going_alone = _create([delivery.notice.account_id for delivery in alone], transport, at)
        for delivery, email in zip(alone, going_alone, strict=True):
            delivery.email = email
        Delivery.objects.bulk_update(alone, ["email"])
        others = _create(now.order_by().values_list("notice__account", flat=True).distinct(), transport, at)
        _enclose(others, at)
    return len(going_alone) + len(others) if chosen else None


def _create(accounts: Iterable[int], transport: Transport, at: datetime) -> list[OutgoingEmail]:
    return OutgoingEmail.objects.bulk_create(
        OutgoingEmail(account_id=account_id, channel=transport.word, made_at=at, next_try_at=at)
        for account_id in accounts
    )


def _to_write_now(
    accounts: Iterable[User], due: QuerySet[Delivery], transport: Transport, at: datetime
) -> Sequence[int]:
    """The accounts that get an e-mail now.  Deliveries of the others wait until their quiet hours end, or are left out
    if the account has no address.  One statement per such end, however many accounts share it.
    """
    later: dict[datetime, list[int]] = defaultdict(list)
    now, unreached = [], []
    for account in accounts:
        quiet_until = quiet_of(getattr(account, "quiet_hours", None)).until(at)
        if not transport.reaches(account):
            unreached.append(account.pk)
        elif quiet_until is not None:
            later[quiet_until].append(account.pk)
        else:
            now.append(account.pk)
    due.filter(notice__account__in=unreached).update(left_out=NO_ADDRESS)
    for end, account_ids in later.items():
        due.filter(notice__account__in=account_ids).update(not_before=end)
    return now


def _enclose(emails: Sequence[OutgoingEmail], at: datetime) -> None:
    """Adds everything that is due for the e-mails' accounts, in one statement."""
    sql.execute(
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


def claim_email(transports: Collection[Transport]) -> OutgoingEmail | None:
    """Claims the e-mail that has waited longest; None if none is due."""
    at = timezone.now()
    with transaction.atomic():
        free = OutgoingEmail.objects.filter(Q(held_until=None) | Q(held_until__lte=at))
        waiting = free.filter(
            state=State.WAITING, next_try_at__lte=at, channel__in=[transport.word for transport in transports]
        )
        claimed = claim(waiting.order_by("next_try_at", "pk"), 1)
        if not claimed:
            return None
        due = claimed[0]
        due.held_by = new_holder()
        due.held_until = at + HOLD
        due.attempts += 1
        due.save(update_fields=["held_by", "held_until", "attempts"])
    return OutgoingEmail.objects.select_related("account__quiet_hours").get(pk=due.pk)


def begin_last_step(email: OutgoingEmail) -> None:
    """Records, before handing over, that it may arrive from now on.  Raises LostClaimError."""
    mine = OutgoingEmail.objects.filter(
        pk=email.pk, held_by=email.held_by, state=State.WAITING, held_until__gt=timezone.now()
    )
    if not mine.update(state=State.HANDING_OVER, held_until=timezone.now() + HOLD):
        raise LostClaimError


def mark_sent(email: OutgoingEmail) -> None:
    _settle(email, State.SENT, "", sent_at=timezone.now())


def failed(email: OutgoingEmail, why: str) -> None:
    _settle(email, State.FAILED, why)


def mark_uncertain(email: OutgoingEmail, why: str) -> None:
    _settle(email, State.UNCERTAIN, why)


def mark_empty(email: OutgoingEmail) -> None:
    _settle(email, State.EMPTY, "")


def try_again(email: OutgoingEmail, why: str) -> None:
    """Retries after a pause that doubles; fails after the last attempt."""
    if email.attempts >= MOST_ATTEMPTS:
        failed(email, why)
        return
    _settle(email, State.WAITING, why, next_try_at=timezone.now() + RETRIES.wait(email.attempts - 1))


def wait_until(email: OutgoingEmail, moment: datetime) -> None:
    """Puts the e-mail off because the account has quiet hours; that is no attempt."""
    _settle(email, State.WAITING, email.reason, next_try_at=moment, attempts=email.attempts - 1)


def _settle(email: OutgoingEmail, state: OutgoingEmail.State, why: str, **more: object) -> None:
    """Records the outcome, only for the holder of the e-mail, even if its lease has expired meanwhile."""
    OutgoingEmail.objects.filter(pk=email.pk, held_by=email.held_by).update(
        state=state, reason=why[:LONGEST_REASON], held_by="", held_until=None, **more
    )


def settle_cut_off() -> int:
    """Marks e-mails whose worker was stopped in the last step as uncertain; returns their number."""
    cut_off = OutgoingEmail.objects.filter(state=State.HANDING_OVER, held_until__lte=timezone.now())
    return cut_off.update(state=State.UNCERTAIN, reason=CUT_OFF)  # held_by stays: a slow holder may know the outcome


def send_again(emails: QuerySet[OutgoingEmail]) -> int:
    """Resends failed and uncertain e-mails with the same Message-ID; returns their number."""
    ended = emails.filter(state__in=[State.FAILED, State.UNCERTAIN])
    return ended.update(
        state=State.WAITING, attempts=0, next_try_at=timezone.now(), held_by="", held_until=None, reason=""
    )


def forget_old_messages(*, now: datetime | None = None) -> int:
    """Deletes old notices, digests and e-mails; returns their number."""
    before = (now or timezone.now()) - KEPT_FOR
    gone = OutgoingEmail.objects.filter(made_at__lt=before).exclude(state__in=[State.WAITING, State.HANDING_OVER])
    old = (gone, Notice.objects.filter(at__lt=before), Digest.objects.filter(made_at__lt=before))
    return sum(records.delete()[0] for records in old)
