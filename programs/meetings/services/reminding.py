"""Notifies people of their meetings: invitations and changes at once, reminders on schedule.

The statements select who is to be notified; programs/reminders/services/planning.py stores the notices.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

from django.utils import timezone

from insights.query import windows
from programs.meetings.services.records import EVERYTHING, records_of
from programs.models import Meeting, MeetingSeries, MessageKind, Notice
from programs.reminders.queries import recipients
from programs.reminders.queries.notices import DAYS_BETWEEN_REMINDERS, Statement
from programs.reminders.services.planning import plan_alone

UNSIGNED_FOR = timedelta(days=60)  # after a meeting; after that, reminders to sign stop
NOTICE_COLUMNS = "account_id, kind, meeting_id, day, number"
# There is one e-mail per meeting, as calendars require it; half a year of them at once would be a flood.
INVITED_AHEAD = timedelta(days=62)
REMINDED_AHEAD = timedelta(hours=24)


def tell_of_changes(series: MeetingSeries) -> int:
    """Stores notices about changed meetings, in the transaction that changes them; returns their number."""
    return plan_alone(of_changes(windows.local_today(), timezone.now(), series=series.pk), columns=NOTICE_COLUMNS)


def remind_of_meetings() -> int:
    """Stores the notices that are due now; returns their number."""
    at, today = timezone.now(), windows.local_today()
    statements = (
        of_changes(today, at),
        of_coming_meetings(today, at),
        of_unsigned(today, _signers(at)),
    )
    return sum(plan_alone(statement, at, columns=NOTICE_COLUMNS) for statement in statements)


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
    """Ids of the notices that no longer need to be sent.  Notices come with meeting and series."""
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
    """The ids of notices replaced by a later invitation or cancellation of the same meeting."""
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


def of_changes(today: date, now: datetime, *, series: int | None = None) -> Statement:
    """Tells participants what changed about a coming meeting: invited, moved, cancelled, or no longer taking part.

    The number is the meeting's sequence.  The last notice to each participant is compared with the present state, so
    that anything missed is made up for.
    """
    return (
        f"""
        WITH {recipients.ACCOUNTS_OF_PEOPLE}, state AS (
            SELECT account_of.account_id, meeting.id AS meeting_id, meeting.sequence, meeting.starts_at,
                CASE WHEN meeting.state = 'planned' AND participant.removed_at IS NULL THEN %(invited)s
                    ELSE %(cancelled)s END AS kind,
                greatest(meeting.moved_in, participant.changed_in) AS changed_in
            FROM programs_meeting meeting
            JOIN programs_meetingparticipant participant ON participant.meeting_id = meeting.id
            JOIN account_of ON account_of.person_id = participant.person_id
            WHERE meeting.starts_at > %(now)s AND (%(series)s::bigint IS NULL OR meeting.series_id = %(series)s)
        ), latest AS (
            SELECT DISTINCT ON (notice.account_id, notice.meeting_id)
                notice.account_id, notice.meeting_id, notice.kind, notice.number
            FROM programs_notice notice JOIN state USING (account_id, meeting_id)
            WHERE notice.kind IN (%(invited)s, %(cancelled)s)
            ORDER BY notice.account_id, notice.meeting_id, notice.number DESC, notice.id DESC
        )
        SELECT state.account_id, state.kind, state.meeting_id, NULL::date AS day, state.sequence AS number
        FROM state LEFT JOIN latest USING (account_id, meeting_id)
        WHERE CASE
            WHEN state.kind = %(cancelled)s THEN latest.kind = %(invited)s
            WHEN latest.kind = %(invited)s THEN latest.number < state.changed_in
            ELSE state.starts_at <= %(soon)s
        END
        """,  # noqa: S608 — put together from texts of this package; values are passed apart
        {
            **recipients.of_everybody(today),
            "invited": MessageKind.MEETING_INVITATION.value,
            "cancelled": MessageKind.MEETING_CANCELLED.value,
            "now": now,
            "soon": now + INVITED_AHEAD,
            "series": series,
        },
    )


def of_coming_meetings(today: date, now: datetime) -> Statement:
    """Reminds participants of meetings that begin within a day; again if the meeting moves to another day."""
    return (
        f"""
        WITH {recipients.ACCOUNTS_OF_PEOPLE}
        SELECT account_of.account_id, %(soon)s AS kind, meeting.id AS meeting_id,
            (meeting.starts_at AT TIME ZONE series.time_zone)::date AS day, 0 AS number
        FROM programs_meeting meeting
        JOIN programs_meetingseries series ON series.id = meeting.series_id
        JOIN programs_meetingparticipant participant
            ON participant.meeting_id = meeting.id AND participant.removed_at IS NULL
        JOIN account_of ON account_of.person_id = participant.person_id
        WHERE meeting.state = 'planned' AND meeting.starts_at > %(now)s AND meeting.starts_at <= %(until)s
        """,  # noqa: S608 — as above
        {
            **recipients.of_everybody(today),
            "soon": MessageKind.MEETING_SOON.value,
            "now": now,
            "until": now + REMINDED_AHEAD,
        },
    )


def of_unsigned(today: date, signers: Collection[tuple[int, int, date]]) -> Statement:
    """Reminds signers of an unsigned record on the day after its meeting, and weekly from then on.

    `signers` holds ids of meeting and person, and the day of the meeting.
    """
    return (
        f"""
        WITH {recipients.ACCOUNTS_OF_PEOPLE}
        SELECT DISTINCT account_of.account_id, %(unsigned)s AS kind, signer.meeting_id, signer.day,
            (%(today)s - signer.day - 1) / %(every)s AS number
        FROM unnest(%(meetings)s::bigint[], %(signers)s::bigint[], %(days)s::date[])
            AS signer(meeting_id, person_id, day)
        JOIN account_of USING (person_id)
        WHERE signer.day < %(today)s
        """,  # noqa: S608 — as above
        {
            **recipients.of_people([person for _, person, _ in signers], today),
            "unsigned": MessageKind.MEETING_UNSIGNED.value,
            "meetings": [meeting for meeting, _, _ in signers],
            "signers": [person for _, person, _ in signers],
            "days": [day for _, _, day in signers],
            "every": DAYS_BETWEEN_REMINDERS,
        },
    )
