"""What a letter says when it is sent: what was true when it was planned may be settled, or none of the reader's
business any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from django.contrib.auth.models import User

from insights.query import windows
from orgtree.access.access import viewable
from orgtree.access.who_sees import name_of
from orgtree.models import Person
from orgtree.models.sight import Sight
from programs.models import Delivery, Letter, MessageKind, Muted, Notice, Objective
from programs.reminders.services.channels import Written
from programs.reminders.services.words import items_of, told_with

TICKET_DAYS = (MessageKind.DUE_SOON, MessageKind.DUE, MessageKind.OVERDUE, MessageKind.OVERDUE_IN_TEAM)
OF_THE_OWNER = (MessageKind.DUE_SOON, MessageKind.DUE, MessageKind.OVERDUE, MessageKind.ASSIGNED)
MOST_URGENT_FIRST = (
    *(MessageKind.MENTIONED, MessageKind.OVERDUE, MessageKind.DUE, MessageKind.CHECK_IN_DUE, MessageKind.ASSIGNED),
    *(MessageKind.DUE_SOON, MessageKind.OBJECTIVE_MISSING, MessageKind.OVERDUE_IN_TEAM, MessageKind.COMMENTED),
)
NOT_THEIRS = "It is not theirs to see any more."
HAS_LEFT = "The account is switched off, or its person has left."
MUTED = "They want no such messages."
READ = "They read it in the app."
SETTLED = "It is settled."


def write(email: Letter, *, today: date | None = None) -> Written | None:
    """The letter with what is still to be said; None where nothing is.  What is left out is noted with its reason."""
    account, day = email.account, today or windows.local_today()
    deliveries = {enclosed.notice_id: enclosed for enclosed in email.deliveries.all()}
    notices = list(told_with(Notice.objects.filter(pk__in=deliveries)).order_by("at", "pk"))
    reasons = _reasons(account, email, notices, day)
    notices_to_send = sorted((notice for notice in notices if notice.pk not in reasons), key=_urgency)
    for notice_id, delivery in deliveries.items():
        delivery.left_out = reasons.get(notice_id, "")
    Delivery.objects.bulk_update(deliveries.values(), ["left_out"])
    if not notices_to_send:
        return None
    return Written(email.public_id, email.made_at, account, name_of(account), items_of(notices_to_send, today=day))


def _urgency(notice: Notice) -> tuple[int, date, int]:
    """What stands first, and in the subject."""
    return MOST_URGENT_FIRST.index(MessageKind(notice.kind)), notice.day or date.max, notice.pk


def _reasons(account: User, email: Letter, notices: Sequence[Notice], today: date) -> Mapping[int, str]:
    """Why a notice is not said, by its id; those that are said are not among them."""
    sight = viewable(account)
    if not account.is_active or _has_left(sight, today):
        return {notice.pk: HAS_LEFT for notice in notices}
    visible = set(
        Notice.objects.filter(pk__in=[enclosed.pk for enclosed in notices]).within(sight).values_list("pk", flat=True)
    )
    muted = set(Muted.objects.filter(account=account, channel=email.channel).values_list("kind", flat=True))
    open_ones = _objectives_still_open(notices)
    reasons = {}
    for notice in notices:
        if notice.pk not in visible:
            reasons[notice.pk] = NOT_THEIRS
        elif notice.kind in muted or "" in muted:
            reasons[notice.pk] = MUTED
        elif notice.read_at is not None:
            reasons[notice.pk] = READ
        elif not _holds(notice, sight, open_ones, today):
            reasons[notice.pk] = SETTLED
    return reasons


def _has_left(sight: Sight, today: date) -> bool:
    return sight.person_id is not None and not Person.objects.there_on(today).filter(pk=sight.person_id).exists()


def _objectives_still_open(notices: Sequence[Notice]) -> set[int]:
    named = {notice.objective_id for notice in notices if notice.objective_id is not None}
    return set(Objective.objects.open().filter(pk__in=named).values_list("pk", flat=True)) if named else set()


def _holds(notice: Notice, sight: Sight, open_objectives: set[int], today: date) -> bool:
    ticket, objective = notice.ticket, notice.objective
    if ticket is not None and notice.comment_id is None:
        is_standing = ticket.is_standing and (notice.kind not in TICKET_DAYS or ticket.due_on == notice.day)
        is_theirs = notice.kind not in OF_THE_OWNER or ticket.owner_id == sight.person_id
        return is_standing and is_theirs and not _is_past(notice, today)
    if objective is not None:
        is_theirs = objective.owner_id == sight.person_id
        return objective.pk in open_objectives and is_theirs and not _checked_in_since(notice)
    if notice.unit_id is not None:
        return not _has_objective(notice)
    return True


def _is_past(notice: Notice, today: date) -> bool:
    """What is said of a day to come is said no more when the day is here: that has a notice of its own."""
    if notice.day is None:
        return False
    return (notice.kind == MessageKind.DUE_SOON and notice.day <= today) or (
        notice.kind == MessageKind.DUE and notice.day < today
    )


def _checked_in_since(notice: Notice) -> bool:
    objective = notice.objective
    return objective is not None and objective.check_ins.filter(at__gte=notice.at).exists()


def _has_objective(notice: Notice) -> bool:
    agreed = Objective.objects.filter(quarter__start=notice.day) if notice.day else Objective.objects.none()
    return agreed.filter(unit=notice.unit_id, is_mandatory=True, dropped_at=None, published_at__isnull=False).exists()
