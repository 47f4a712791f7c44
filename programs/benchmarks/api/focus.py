"""/api/v1/focus/: a unit's focus, its earlier versions, and starter sets."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.bodies import body, changed_version
from core.api.model_serializers import BodySerializer, Choice, Text, WholeNumber
from core.api.operations import answer_change, operation
from insights.api.program_view import ProgramView
from programs.benchmarks.api.benchmarks import UNIT, requested_unit
from programs.benchmarks.api.documents import (
    FocusChooseSerializer,
    FocusConflictSerializer,
    FocusSerializer,
    NearestFocusSerializer,
    focus_document,
    focus_documents,
)
from programs.benchmarks.queries.benchmarks import focus_above, focus_versions, newest_focus
from programs.benchmarks.services.focusing import STARTER_SETS, begin_with, set_focus


class FocusBeginSerializer(BodySerializer):
    unit = Text(required=False, allow_null=True, allow_blank=True)
    set = Choice(choices=list(STARTER_SETS))
    number = WholeNumber(help_text="Number of the version that they replace; 0 if there is none.")


class FocusVersionsSerializer(serializers.Serializer[object]):
    unit = serializers.CharField(allow_null=True)
    versions = FocusSerializer(many=True, help_text="The latest first.")


class FocusView(ProgramView):
    @operation("v1_focus", NearestFocusSerializer, parameters=[UNIT])
    def get(self, request: Request) -> Response:
        """Get a unit's focus (its focus metric and key indicators), or that of the nearest unit above that has one."""
        unit = requested_unit(request, self.access)
        newest = newest_focus(unit.pk if unit else None)
        above = focus_above(unit.pk) if unit is not None and not (newest and newest.metric) else None
        nearest = focus_document(above, above.unit.slug if above.unit else None) if above else None
        return Response({**focus_document(newest, unit.slug if unit else None), "above": nearest})

    @operation("v1_focus_choose", {200: FocusSerializer, 409: FocusConflictSerializer}, request=FocusChooseSerializer)
    def put(self, request: Request) -> Response:
        """Replace the unit's focus."""
        given, of_number = changed_version(request, "number")
        return answer_change(
            lambda: set_focus(self.access, given, of_number=of_number),
            lambda stored: focus_document(stored, given.get("unit") or None),
            version="number",
        )


class FocusVersionsView(ProgramView):
    @operation("v1_focus_versions", FocusVersionsSerializer, parameters=[UNIT])
    def get(self, request: Request) -> Response:
        """List the focus versions of a unit, with authors and reasons."""
        unit = requested_unit(request, self.access)
        slug = unit.slug if unit else None
        return Response({"unit": slug, "versions": focus_documents(focus_versions(unit.pk if unit else None), slug)})


class FocusBeginView(ProgramView):
    @operation("v1_focus_begin", {200: FocusSerializer, 409: FocusConflictSerializer}, request=FocusBeginSerializer)
    def post(self, request: Request) -> Response:
        """Replace the key indicators with those of a starter set; the focus metric stays."""
        given, access = body(request, FocusBeginSerializer), self.access
        unit = given.get("unit", "")
        return answer_change(
            lambda: begin_with(access, given["set"], unit, of_number=given["number"]),
            lambda stored: focus_document(stored, unit or None),
            version="number",
        )
