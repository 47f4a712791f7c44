"""/api/v1/fiscal-calendar/: in which month the organisation's year begins, and its quarters around today."""

from __future__ import annotations

from django.conf import settings
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from insights.api import schema
from insights.query import windows
from orgtree.organisation.fiscal_calendar import first_month
from programs.models import Quarter
from programs.quarters.fiscal_quarters import quarter_of
from programs.requests.program_view import REFUSALS, ProgramView, operation


class CalendarQuarterSerializer(schema.DateRangeSerializer):
    name = serializers.CharField()


class FiscalCalendarSerializer(serializers.Serializer[object]):
    first_month = serializers.IntegerField(help_text="Of the fiscal year, 1 to 12.")
    time_zone = serializers.CharField()
    quarter = CalendarQuarterSerializer()
    following = CalendarQuarterSerializer()


class FiscalCalendarView(ProgramView):
    @operation("v1_fiscal_calendar", FiscalCalendarSerializer, parameters=(), errors=REFUSALS)
    def get(self, request: Request) -> Response:
        """How the fiscal year is divided; an admin says where it begins."""
        quarter = quarter_of(windows.local_today())
        return Response(
            {
                "first_month": first_month(),
                "time_zone": settings.TIME_ZONE,
                "quarter": _document(quarter),
                "following": _document(quarter_of(quarter.end)),
            }
        )


def _document(quarter: Quarter) -> dict[str, object]:
    return {"name": str(quarter), "from": quarter.start, "to": quarter.end}
