"""The business review of a meeting: where it is, and who signs it off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.urls import reverse

from orgtree.models.visibility import Visibility
from programs.meetings.services.records import MeetingRecord
from programs.models import Meeting, MeetingKind, Qbr, QbrState


def qbrs_of_meetings(meetings: Sequence[Meeting], visibility: Visibility) -> Mapping[int, MeetingRecord]:
    """By meeting id; of one that nobody has drafted yet, the list, for those who lead the unit."""
    about = [meeting for meeting in meetings if meeting.series.kind == MeetingKind.QBR]
    seen = Qbr.objects.within(visibility).filter(start__in={meeting.period_start for meeting in about})
    qbrs = {(qbr.unit_id, qbr.start, qbr.end): qbr for qbr in seen.select_related("unit")}
    found = {}
    for meeting in about:
        unit = meeting.series.unit
        qbr = qbrs.get((meeting.series.unit_id, meeting.period_start, meeting.period_end))
        if qbr is None and not visibility.leads(meeting.series.unit_id):
            continue
        found[meeting.pk] = MeetingRecord(
            title=f"QBR: {qbr}" if qbr else "QBR",
            url=reverse("qbr", args=[qbr.pk]) if qbr else reverse("qbrs"),
            is_signed=qbr is not None and qbr.state == QbrState.SIGNED,
            signers=frozenset([unit.leader_id] if unit and unit.leader_id else []),
        )
    return found
