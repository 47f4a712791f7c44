"""/api/v1/fiscal-calendar/: the month in which the fiscal year starts, and the quarters around today."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.operations import REFUSALS, operation
from insights.api import schema
from insights.api.program_view import ProgramView
from insights.query import windows
from orgtree.organisation.fiscal_calendar import first_month
from programs.quarters.fiscal_quarters import quarter_of


class CalendarQuarterSerializer(schema.DateRangeSerializer):
    name = serializers.CharField(source="*")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        fields["from"].source, fields["to"].source = "start", "end"
        return fields


class FiscalCalendarSerializer(serializers.Serializer[object]):
    first_month = serializers.IntegerField(help_text="First month of the fiscal year, 1 to 12.")
    time_zone = serializers.CharField()
    quarter = CalendarQuarterSerializer()
    following = CalendarQuarterSerializer()


class FiscalCalendarView(ProgramView):
    @operation("v1_fiscal_calendar", FiscalCalendarSerializer, parameters=(), errors=REFUSALS)
    def get(self, request: Request) -> Response:
        """List the fiscal quarters; an admin sets the month in which the fiscal year starts."""
        quarter = quarter_of(windows.local_today())
        return Response(
            {
                "first_month": first_month(),
                "time_zone": settings.TIME_ZONE,
                "quarter": CalendarQuarterSerializer(quarter).data,
                "following": CalendarQuarterSerializer(quarter_of(quarter.end)).data,
            }
        )
