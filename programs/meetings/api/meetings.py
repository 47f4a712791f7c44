"""/api/v1/meetings/ and the schedules under it, with the permissions of their pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rest_framework.request import Request
from rest_framework.response import Response

from core.api.bodies import body
from core.api.operations import operation
from core.api.resources import Documents, ListCreate, ReadChange, changes_of, conflict_of
from insights.api.program_view import ProgramView
from orgtree.access.access import Access
from programs.meetings.api.documents import (
    MeetingCancelSerializer,
    MeetingMoveSerializer,
    MeetingSerializer,
    MeetingSeriesSerializer,
    meeting_documents,
)
from programs.meetings.queries.meetings import MeetingFilters, SeriesFilters
from programs.meetings.services.fields import CHANGEABLE, SeriesWriteSerializer
from programs.meetings.services.writing import cancel, change_series, move, schedule
from programs.models import Meeting, MeetingSeries
from programs.requests.visible import check_is_of_account, visible_meeting, visible_series

CHANGED = {200: MeetingSerializer, 409: conflict_of(MeetingSerializer)}


class Meetings(ProgramView, ListCreate, ReadChange):
    operations = {
        "list": ("v1_meetings_list", "The meetings that one may see."),
        "retrieve": ("v1_meeting", "One meeting."),
    }
    plural = "meetings"
    filters = MeetingFilters
    serializer = MeetingSerializer
    find = staticmethod(visible_meeting)

    def documents(self, records: Sequence[Meeting]) -> Documents:
        return meeting_documents(records, self.access)

    @operation("v1_meeting_move", CHANGED, request=MeetingMoveSerializer)
    def move(self, request: Request, pk: int) -> Response:
        """Reschedule the meeting and notify participants.  A cancelled meeting is reinstated."""
        meeting, given = self.find(pk, self.access), body(request, MeetingMoveSerializer)
        times = given["starts_at"], given["ends_at"]
        return self._changed(pk, lambda: move(self.access, meeting, *times, of_sequence=given["sequence"]))

    @operation("v1_meeting_cancel", CHANGED, request=MeetingCancelSerializer)
    def cancel(self, request: Request, pk: int) -> Response:
        """Cancel this meeting; participants are notified."""
        meeting, given = self.find(pk, self.access), body(request, MeetingCancelSerializer)
        reason = given.get("reason", "")
        return self._changed(pk, lambda: cancel(self.access, meeting, reason, of_sequence=given["sequence"]))

    def _changed(self, pk: int, change: Callable[[], Meeting]) -> Response:
        return self.changed(pk, change, version="sequence")


def series_of_account(pk: int, access: Access) -> MeetingSeries:
    check_is_of_account(access)
    return visible_series(pk, access)


class Schedules(ProgramView, ListCreate, ReadChange):
    operations = {
        "list": ("v1_meeting_series_list", "The schedules that one may change."),
        "create": (
            "v1_meeting_series_add",
            "Schedule meetings: those of half a year are made at once, and participants invited.",
        ),
        "retrieve": ("v1_meeting_series", "One schedule."),
        "partial_update": (
            "v1_meeting_series_change",
            "Change what is named; coming meetings follow, and participants are notified.  `ends_on` ends it.",
        ),
    }
    plural = "series"
    filters = SeriesFilters
    serializer = MeetingSeriesSerializer
    write_serializer = SeriesWriteSerializer
    changes = changes_of(SeriesWriteSerializer, *CHANGEABLE)
    find = staticmethod(series_of_account)
    add = staticmethod(schedule)
    change = staticmethod(change_series)
