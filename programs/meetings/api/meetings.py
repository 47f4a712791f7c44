"""/api/v1/meetings/ and the schedules below it, with the permissions of their pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.bodies import body, changed_version, sent_object
from core.api.operations import answer_change, operation
from core.api.paging import page_parameters, requested_slice
from core.list_filters import filter_parameters
from orgtree.access.access import Access
from programs.meetings.api.documents import (
    MeetingCancelSerializer,
    MeetingConflictSerializer,
    MeetingMoveSerializer,
    MeetingSerializer,
    MeetingSeriesConflictSerializer,
    MeetingSeriesSerializer,
    MeetingsSerializer,
    SeriesListSerializer,
    SeriesPatchSerializer,
    meeting_documents,
    series_documents,
)
from programs.meetings.queries.meetings import MeetingFilters
from programs.meetings.services.fields import SeriesWriteSerializer
from programs.meetings.services.writing import cancel, change_series, move, schedule
from programs.models import Meeting, MeetingSeries
from programs.requests.program_view import ProgramView
from programs.requests.visible import check_is_of_account, visible_meeting, visible_series


class MeetingsView(ProgramView):
    @operation(
        "v1_meetings_list",
        MeetingsSerializer,
        parameters=[*filter_parameters(MeetingFilters), *page_parameters("Meetings")],
    )
    def get(self, request: Request) -> Response:
        """The meetings that one may see."""
        access, page = self.access, requested_slice(request)
        meetings = MeetingFilters(request.query_params, access.visibility).qs
        return Response({"total": meetings.count(), "meetings": meeting_documents(list(meetings[page]), access)})


class MeetingView(ProgramView):
    @operation("v1_meeting", MeetingSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """One meeting."""
        return Response(_document(visible_meeting(pk, self.access), self.access))


class MeetingMoveView(ProgramView):
    @operation(
        "v1_meeting_move", {200: MeetingSerializer, 409: MeetingConflictSerializer}, request=MeetingMoveSerializer
    )
    def post(self, request: Request, pk: int) -> Response:
        """Reschedule the meeting and notify participants.  A cancelled meeting is reinstated."""
        meeting = visible_meeting(pk, self.access)
        given = body(request, MeetingMoveSerializer)
        times = given["starts_at"], given["ends_at"]
        return _changed(self.access, lambda: move(self.access, meeting, *times, of_sequence=given["sequence"]))


class MeetingCancelView(ProgramView):
    @operation(
        "v1_meeting_cancel", {200: MeetingSerializer, 409: MeetingConflictSerializer}, request=MeetingCancelSerializer
    )
    def post(self, request: Request, pk: int) -> Response:
        """Cancel this one; participants are notified."""
        meeting = visible_meeting(pk, self.access)
        given = body(request, MeetingCancelSerializer)
        return _changed(
            self.access, lambda: cancel(self.access, meeting, given.get("reason", ""), of_sequence=given["sequence"])
        )


def _changed(access: Access, write: Callable[[], Meeting]) -> Response:
    return answer_change(write, lambda changed: _document(changed, access), version="sequence")


def _document(meeting: Meeting, access: Access) -> dict[str, Any]:
    return meeting_documents([meeting], access)[0]


class MeetingSeriesListView(ProgramView):
    @operation("v1_meeting_series_list", SeriesListSerializer, parameters=page_parameters("Series"))
    def get(self, request: Request) -> Response:
        """The schedules that one may change."""
        access, page = self.access, requested_slice(request)
        check_is_of_account(access)
        series = MeetingSeries.objects.within(access.visibility).select_related("unit").order_by("pk")
        listed = list(series.prefetch_related("participants")[page])
        return Response({"total": series.count(), "series": series_documents(listed, access)})

    @operation("v1_meeting_series_add", {201: MeetingSeriesSerializer}, request=SeriesWriteSerializer)
    def post(self, request: Request) -> Response:
        """Schedule meetings: those of half a year are made at once, and participants invited."""
        added = schedule(self.access, sent_object(request))
        return Response(_series_document(added, self.access), status=status.HTTP_201_CREATED)


class MeetingSeriesView(ProgramView):
    @operation("v1_meeting_series", MeetingSeriesSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """One schedule."""
        return Response(_series_document(_series(pk, self.access), self.access))

    @operation(
        "v1_meeting_series_change",
        {200: MeetingSeriesSerializer, 409: MeetingSeriesConflictSerializer},
        request=SeriesPatchSerializer,
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Change what is named; coming meetings follow, and participants are notified.  `ends_on` ends it."""
        series = _series(pk, self.access)
        given, version = changed_version(request)
        return answer_change(
            lambda: change_series(self.access, series, given, of_version=version),
            lambda changed: _series_document(changed, self.access),
        )


def _series(pk: int, access: Access) -> MeetingSeries:
    check_is_of_account(access)
    return visible_series(pk, access)


def _series_document(series: MeetingSeries, access: Access) -> dict[str, Any]:
    return series_documents([series], access)[0]
