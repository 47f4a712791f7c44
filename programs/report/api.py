"""/api/v1/report/: reading and freezing the executive report of a unit and a quarter, with the permissions of
its page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.bodies import body
from core.api.model_serializers import BodySerializer, Text
from core.api.operations import operation
from core.page_links import url_with
from insights.api.program_view import ProgramView
from insights.query import windows
from insights.query.query import Scope
from orgtree.access.access import Access
from programs.report.links import Links
from programs.report.queries import ReportChoice, chosen_report, document_of
from programs.report.services.document import Point, Recommendation, ReportDocument, Sentence
from programs.report.services.freezing import freeze_report

UNIT = OpenApiParameter("unit", str, description="Slug; by default the whole organisation.")
QUARTER = OpenApiParameter("quarter", str, description="2026-Q3; by default the latest that is over.")
REVISION = OpenApiParameter(
    "revision", str, description="Number of a frozen one, or live; by default the newest frozen one, else live figures."
)


class ReportFactSerializer(serializers.Serializer[object]):
    """A number, a name or a day in a text that comes from the data."""

    text = serializers.CharField(help_text="The words in the text.")
    value = serializers.FloatField(allow_null=True, help_text="The number before rounding; null for names and days.")
    sources = serializers.ListField(
        child=serializers.CharField(),
        help_text="metric:KEY:now, metric:KEY:before, stage:NAME, weeks:KEY, finding:ID, …",
    )
    how = serializers.CharField(help_text="The computation where it is more than the value of its source.")
    link = serializers.CharField(help_text="The page that opens it; empty: none.")


class ReportPointSerializer(serializers.Serializer[object]):
    """One point of the report."""

    key = serializers.CharField()
    unit = serializers.CharField(allow_null=True, help_text="Slug, where it is about a unit of its own.")
    judgement = serializers.CharField(help_text="better, worse, steady, or empty.")
    figure = serializers.CharField(help_text="The number beside it; may be empty.")
    title = serializers.CharField()
    text = serializers.CharField()
    consequence = serializers.CharField(
        help_text="Consequence for customers, cost or dates; may be empty where nothing changed."
    )
    facts = ReportFactSerializer(many=True)


class ReportRecommendationSerializer(ReportPointSerializer):
    """A change to try, with its expected effect."""

    effect = serializers.CharField(help_text="Expected change of deployment frequency, with its 95 % interval.")
    effort = serializers.CharField(help_text="small, medium or large.")
    effort_why = serializers.CharField()
    evidence = serializers.CharField()
    capacity = serializers.CharField()
    constraints = serializers.CharField()
    metric = serializers.CharField(help_text="Key of the metric that is to change.")


class ExecutiveReportSerializer(serializers.Serializer[object]):
    """The report as the caller may see it."""

    unit = serializers.CharField(allow_null=True, help_text="Slug; null: the whole organisation.")
    quarter = serializers.CharField()
    revision = serializers.IntegerField(help_text="0: live figures.")
    frozen_at = serializers.DateTimeField(allow_null=True)
    sha256 = serializers.CharField(help_text="SHA-256 of the frozen document; empty for live figures.")
    headline = serializers.CharField()
    highlights = ReportPointSerializer(many=True)
    delivery = ReportPointSerializer(many=True)
    bottlenecks = ReportPointSerializer(many=True)
    warnings = ReportPointSerializer(many=True)
    recommended = serializers.CharField(help_text="Sum of the recommendations, or why there are none.")
    recommendations = ReportRecommendationSerializer(many=True)
    examined = serializers.ListField(
        child=serializers.CharField(), help_text="Levers that were examined and are not recommended."
    )
    caveats = ReportPointSerializer(many=True)
    hidden = serializers.IntegerField(help_text="Points that rest on figures hidden from the caller.")
    link = serializers.CharField(help_text="The report's page.")


class ReportFreezeSerializer(BodySerializer):
    unit = Text(required=False, help_text="Slug; by default the whole organisation.")
    quarter = Text(required=False, help_text="2026-Q3; by default the latest that is over.")
    after = serializers.IntegerField(
        required=False,
        default=0,
        min_value=0,
        max_value=999,
        help_text="Number of the newest revision that you know, 0 for none: sent twice, it freezes once.",
    )


class ReportApi(ProgramView):
    @operation("v1_report", ExecutiveReportSerializer, parameters=(UNIT, QUARTER, REVISION))
    def get(self, request: Request) -> Response:
        """Get the executive report of a quarter: highlights, delivery in words, bottlenecks, early warnings and two
        recommendations, each with its facts and their links.
        """
        given = request.query_params
        scope = Scope(unit=given.get("unit") or None)
        quarter, revision = given.get("quarter", ""), given.get("revision", "")
        choice = chosen_report(scope, quarter, self.access, windows.local_today(), revision=revision)
        return Response(_document(choice, self.access))


class ReportFreezeApi(ProgramView):
    @operation("v1_report_freeze", {201: ExecutiveReportSerializer}, request=ReportFreezeSerializer)
    def post(self, request: Request) -> Response:
        """Freeze the current report of a quarter as its next revision."""
        given = body(request, ReportFreezeSerializer)
        today = windows.local_today()
        scope, quarter = Scope(unit=given.get("unit") or None), given.get("quarter", "")
        choice = chosen_report(scope, quarter, self.access, today)
        freeze_report(self.access, choice.unit, choice.quarter, after=min(given["after"], choice.newest))
        return Response(
            _document(chosen_report(scope, quarter, self.access, today), self.access), status.HTTP_201_CREATED
        )


def _document(choice: ReportChoice, access: Access) -> dict[str, Any]:
    document = document_of(choice, access, windows.local_today())
    links = Links(document, choice.unit)
    return {
        "unit": document.unit.slug if document.unit else None,
        "quarter": document.quarter.name,
        "revision": document.revision,
        "frozen_at": document.frozen_at,
        "sha256": document.sha256,
        "headline": str(document.headline),
        "recommended": str(document.recommended),
        "examined": [str(one) for one in document.examined],
        "hidden": document.hidden,
        "link": settings.BASE_URL + url_with(reverse("report"), choice.parameters),
        **{section: _points(getattr(document, section), links) for section in ReportDocument.SECTIONS},
    }


def _points(points: Sequence[Point], links: Links) -> list[dict[str, Any]]:
    return [_point(point, links) for point in points]


def _point(point: Point, links: Links) -> dict[str, Any]:
    facts = [part for _, sentence in point.sentences for part in sentence.parts() if not isinstance(part, str)]
    values = {one.name: getattr(point, one.name) for one in fields(point)}
    return {
        "key": point.key,
        "unit": point.unit.slug if point.unit else None,
        "judgement": point.judgement,
        **{name: str(value) for name, value in values.items() if isinstance(value, Sentence)},
        **({"effort": point.effort, "metric": point.metric} if isinstance(point, Recommendation) else {}),
        "facts": [
            {
                "text": fact.text,
                "value": fact.value,
                "sources": [*fact.sources],
                "how": fact.how,
                "link": links.of_whole(fact),
            }
            for fact in facts
        ],
    }
