"""/api/v1/meetings/series/: schedules, with the permissions of their pages."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.paging import page_parameters, requested_slice
from core.api.parameters import only
from orgtree.access.access import Access, access_of
from programs.meetings.api.documents import (
    MeetingSeriesConflictSerializer,
    MeetingSeriesSerializer,
    SeriesListSerializer,
    SeriesPatchSerializer,
    series_documents,
)
from programs.meetings.services.fields import SeriesWriteSerializer
from programs.meetings.services.writing import change_series, schedule
from programs.models import MeetingSeries
from programs.requests.fields import changed_version, sent_object
from programs.requests.program_view import ERRORS, ProgramView, answer_change
from programs.requests.visible import check_is_of_account


class MeetingSeriesListView(ProgramView):
    @extend_schema(
        operation_id="v1_meeting_series_list",
        parameters=[*page_parameters("Series")],
        responses={200: SeriesListSerializer, **ERRORS},
    )
    def get(self, request: Request) -> Response:
        """The schedules that one may change."""
        only(request, "page", "size")
        access, page = access_of(request.user), requested_slice(request)
        check_is_of_account(access)
        series = MeetingSeries.objects.within(access.visibility).select_related("unit").order_by("pk")
        listed = list(series.prefetch_related("participants")[page])
        return Response({"total": series.count(), "series": series_documents(listed, access)})

    @extend_schema(
        operation_id="v1_meeting_series_add",
        request=SeriesWriteSerializer,
        responses={201: MeetingSeriesSerializer, **ERRORS},
    )
    def post(self, request: Request) -> Response:
        """Schedule meetings: those of half a year are made at once, and participants invited."""
        access = access_of(request.user)
        added = schedule(access, sent_object(request))
        return Response(_document(added, access), status=status.HTTP_201_CREATED)


class MeetingSeriesView(ProgramView):
    @extend_schema(operation_id="v1_meeting_series", responses={200: MeetingSeriesSerializer, **ERRORS})
    def get(self, request: Request, pk: int) -> Response:
        """One schedule."""
        access = access_of(request.user)
        return Response(_document(_visible_series(pk, access), access))

    @extend_schema(
        operation_id="v1_meeting_series_change",
        request=SeriesPatchSerializer,
        responses={200: MeetingSeriesSerializer, 409: MeetingSeriesConflictSerializer, **ERRORS},
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Change what is named; coming meetings follow, and participants are notified.  `ends_on` ends it."""
        access = access_of(request.user)
        series = _visible_series(pk, access)
        given, version = changed_version(request)
        return answer_change(
            lambda: change_series(access, series, given, of_version=version),
            lambda changed: _document(changed, access),
        )


def _visible_series(pk: int, access: Access) -> MeetingSeries:
    """Raises NotFound for one that the viewer may not change, too."""
    check_is_of_account(access)
    series = MeetingSeries.objects.within(access.visibility).select_related("unit").filter(pk=pk).first()
    if series is None:
        raise NotFound
    return series


def _document(series: MeetingSeries, access: Access) -> dict[str, Any]:
    return series_documents([series], access)[0]
