"""Tells people of their meetings: invitations and changes at once, reminders by the schedule."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

from django.utils import timezone

from insights.query import windows
from programs.meetings.queries import notices
from programs.meetings.queries.notices import NOTICE_COLUMNS
from programs.meetings.services.records import EVERYTHING, records_of
from programs.models import Meeting, MeetingSeries, MessageKind, Notice
from programs.reminders.services.planning import plan_alone

UNSIGNED_FOR = timedelta(days=60)  # after a meeting; what is not signed by then is left


def tell_of_changes(series: MeetingSeries) -> int:
    """In the transaction that changes its meetings; returns the number of new notices."""
    return plan_alone(
        notices.of_changes(windows.local_today(), timezone.now(), series=series.pk), columns=NOTICE_COLUMNS
    )


def remind_of_meetings(*, now: datetime | None = None) -> int:
    """What is due now, for everybody; returns the number of new notices."""
    at, today = now or timezone.now(), windows.local_today()
    statements = (
        notices.of_changes(today, at),
        notices.of_coming_meetings(today, at),
        notices.of_unsigned(today, _signers(at)),
    )
    return sum(plan_alone(statement, now, columns=NOTICE_COLUMNS) for statement in statements)


def _signers(now: datetime) -> Sequence[tuple[int, int, date]]:
    ended = Meeting.objects.planned().filter(ends_at__lte=now, ends_at__gt=now - UNSIGNED_FOR)
    meetings = list(ended.select_related("series__unit").prefetch_related("participants"))
    by_id = {meeting.pk: meeting for meeting in meetings}
    return [
        (pk, person, by_id[pk].local_day)
        for pk, record in records_of(meetings, EVERYTHING).items()
        if not record.is_signed
        for person in record.signers or _invited(by_id[pk])
    ]


def _invited(meeting: Meeting) -> Collection[int]:
    return [participant.person_id for participant in meeting.participants.all() if participant.removed_at is None]


def settled_meeting_notices(sent: Sequence[Notice]) -> Collection[int]:
    """Ids of those that need not be sent any more.  Notices come with meeting and series."""
    of_meetings = [(notice, notice.meeting) for notice in sent if notice.meeting is not None]
    if not of_meetings:
        return ()
    replaced = _replaced([notice for notice, _ in of_meetings])
    unsigned = [meeting for notice, meeting in of_meetings if notice.kind == MessageKind.MEETING_UNSIGNED]
    signed = {pk for pk, record in records_of(unsigned, EVERYTHING).items() if record.is_signed}
    return {
        notice.pk for notice, meeting in of_meetings if notice.pk in replaced or _is_settled(notice, meeting, signed)
    }


def _is_settled(notice: Notice, meeting: Meeting, signed: Collection[int]) -> bool:
    if notice.kind == MessageKind.MEETING_UNSIGNED:
        return meeting.is_cancelled or meeting.pk in signed
    if meeting.starts_at <= timezone.now():
        return True
    return notice.kind == MessageKind.MEETING_SOON and (meeting.is_cancelled or meeting.local_day != notice.day)


def _replaced(of_meetings: Sequence[Notice]) -> Collection[int]:
    """Those of invitations and cancellations that a later one of the same meeting replaces."""
    kinds = (MessageKind.MEETING_INVITATION, MessageKind.MEETING_CANCELLED)
    sent_before = Notice.objects.filter(
        kind__in=kinds,
        account__in={notice.account_id for notice in of_meetings},
        meeting__in={notice.meeting_id for notice in of_meetings},
    )
    newest: dict[tuple[int, int | None], int] = {}
    for pk, account, meeting in sent_before.order_by("number", "pk").values_list("pk", "account", "meeting"):
        newest[account, meeting] = pk
    return {
        notice.pk
        for notice in of_meetings
        if notice.kind in kinds and newest.get((notice.account_id, notice.meeting_id)) != notice.pk
    }
