"""Composes e-mails when they are sent: planned notices may no longer apply, or no longer be visible to the reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from django.contrib.auth.models import User

from insights.query import windows
from orgtree.access.access import viewable
from orgtree.access.who_sees import name_of
from orgtree.models import Person
from orgtree.models.visibility import Visibility
from programs.models import Delivery, MessageKind, Notice, OptOut, OutgoingEmail
from programs.models.messages import INVITATIONS
from programs.reminders.queries.notices import ended_among
from programs.reminders.services.channels import CalendarObject, EmailContent, calendar_objects, settled_among
from programs.reminders.services.labels import items_of, with_related

MOST_URGENT_FIRST = (
    *(MessageKind.POLICY, MessageKind.BUDGET_SPENT, MessageKind.BUDGET_FORECAST, MessageKind.SILENCE),
    MessageKind.ALERT,
    *(MessageKind.MENTIONED, MessageKind.OVERDUE, MessageKind.DUE, MessageKind.CHECK_IN_DUE, MessageKind.ASSIGNED),
    *(MessageKind.MEETING_SOON, MessageKind.MEETING_UNSIGNED, MessageKind.DUE_SOON, MessageKind.OBJECTIVE_MISSING),
    *(
        MessageKind.OVERDUE_IN_TEAM,
        MessageKind.COMMENTED,
        MessageKind.AGREEMENT_BROKEN,
        MessageKind.DIGEST,
        *INVITATIONS,
    ),
)
# Stored with the delivery.
NOT_THEIRS = "They may no longer see it."
HAS_LEFT = "The account is inactive, or its person has left."
OPTED_OUT = "They turned these messages off."
READ = "They read it in the app."
SETTLED = "It is resolved."


def compose(email: OutgoingEmail) -> EmailContent | None:
    """The e-mail with its notices that still apply; None without any.  Stores the reason for each one left out."""
    account, today = email.account, windows.local_today()
    deliveries = {enclosed.notice_id: enclosed for enclosed in email.deliveries.all()}
    notices = list(with_related(Notice.objects.filter(pk__in=deliveries)).order_by("at", "pk"))
    reasons = _reasons(account, email, notices, today)
    notices_to_send = sorted((notice for notice in notices if notice.pk not in reasons), key=_urgency)
    for notice_id, delivery in deliveries.items():
        delivery.left_out = reasons.get(notice_id, "")
    Delivery.objects.bulk_update(deliveries.values(), ["left_out"])
    if not notices_to_send:
        return None
    items = items_of(notices_to_send)
    digest = notices_to_send[0].digest  # always on its own
    return EmailContent(
        public_id=email.public_id,
        made_at=email.made_at,
        account=account,
        name=name_of(account),
        items=items,
        calendar=_calendar_object(notices_to_send),
        digest=digest.document if digest else None,
    )


def _calendar_object(notices: Sequence[Notice]) -> CalendarObject | None:
    """The calendar object of an e-mail with a single notice, because calendar programs read only one."""
    if len(notices) > 1:
        return None
    found = (calendar_object(notices[0]) for calendar_object in calendar_objects)
    return next((made for made in found if made is not None), None)


def _urgency(notice: Notice) -> tuple[int, date, int]:
    """The sort key of a notice; the most urgent one comes first and is in the subject."""
    return MOST_URGENT_FIRST.index(MessageKind(notice.kind)), notice.day or date.max, notice.pk


def _reasons(account: User, email: OutgoingEmail, notices: Sequence[Notice], today: date) -> Mapping[int, str]:
    """The reason for each notice that is left out, by id."""
    visibility = viewable(account)
    if not account.is_active or _has_left(visibility, today):
        return {notice.pk: HAS_LEFT for notice in notices}
    among = Notice.objects.filter(pk__in=[enclosed.pk for enclosed in notices])
    visible = set(among.within(visibility).values_list("pk", flat=True))
    opted_out = set(OptOut.objects.filter(account=account, channel=email.channel).values_list("kind", flat=True))
    ended = ended_among(among, today) | settled_among(notices)
    reasons = {}
    for notice in notices:
        if notice.pk not in visible:
            reasons[notice.pk] = NOT_THEIRS
        elif notice.kind in opted_out or "" in opted_out:
            reasons[notice.pk] = OPTED_OUT
        elif notice.pk in ended:
            reasons[notice.pk] = SETTLED
        elif notice.read_at is not None and notice.kind not in INVITATIONS:  # calendars do not read the inbox
            reasons[notice.pk] = READ
    return reasons


def _has_left(visibility: Visibility, today: date) -> bool:
    return (
        visibility.person_id is not None and not Person.objects.there_on(today).filter(pk=visibility.person_id).exists()
    )
