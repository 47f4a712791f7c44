"""/api/v1/findings/: findings of the nights, and the decisions on them."""

from __future__ import annotations

from collections.abc import Sequence

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.bodies import sent_object
from core.api.operations import operation
from core.api.resources import Documents, ListCreate
from core.list_filters import ViewerFilters
from core.write_errors import FieldError
from insights.api.program_view import ProgramView
from insights.findings.deciding import ACTS, decide, find_finding
from insights.findings.words import names_behind, worded
from insights.models import Finding
from insights.models.findings import FindingState, Verdict
from orgtree.access.access import Access


class FindingSerializer(serializers.Serializer[object]):
    """A change or a difference that is more than chance, with its words."""

    id = serializers.IntegerField()
    detector = serializers.CharField()
    metric = serializers.CharField(help_text="Key.")
    unit = serializers.CharField(allow_null=True, help_text="Slug; null: the organisation.")
    state = serializers.ChoiceField(choices=FindingState.choices)
    title = serializers.CharField()
    detail = serializers.CharField()
    cost = serializers.CharField(help_text="Hours of waiting a month; empty where the metric is no wait.")
    another_reading = serializers.CharField()
    to_try = serializers.CharField()
    since = serializers.DateField(help_text="First day of the change, or of the weeks that are compared.")
    before = serializers.FloatField(help_text="Before the change, or in comparable teams.")
    after = serializers.FloatField()
    difference_low = serializers.FloatField(help_text="95 % interval of after − before.")
    difference_high = serializers.FloatField()
    chance = serializers.FloatField(help_text="Probability of as clear a result by chance, in this check alone.")
    sample = serializers.IntegerField()
    compared_with = serializers.ListField(child=serializers.CharField(), help_text="Slugs of comparable units.")
    found_on = serializers.DateField()
    ended_on = serializers.DateField(allow_null=True)
    verdict = serializers.ChoiceField(choices=["", *Verdict.values])
    reason = serializers.CharField()


class FindingDecisionSerializer(serializers.Serializer[object]):
    act = serializers.ChoiceField(choices=ACTS)
    reason = serializers.CharField(required=False, help_text="Required to dismiss one, or to call it wrong.")


class FindingFilters(ViewerFilters):
    state = django_filters.ChoiceFilter(choices=FindingState.choices)
    unit = django_filters.CharFilter(field_name="unit__slug", help_text="Slug.")

    def visible(self, access: Access) -> QuerySet[Finding]:
        return Finding.objects.within(access.visibility).select_related("unit").order_by("-found_on", "chance", "pk")


class Findings(ProgramView, ListCreate):
    operations = {"list": ("v1_findings_list", "The findings that the viewer may see, the newest first.")}
    plural = "findings"
    filters = FindingFilters
    serializer = FindingSerializer
    find = staticmethod(find_finding)

    def documents(self, records: Sequence[Finding]) -> Documents:
        names = names_behind(records)
        return [
            {
                "id": one.pk,
                "detector": one.detector,
                "metric": one.metric,
                "unit": one.unit.slug if one.unit else None,
                "state": one.state,
                "title": words.title,
                "detail": words.detail,
                "cost": words.cost,
                "another_reading": words.reading,
                "to_try": words.to_try,
                "since": one.since,
                "before": one.before,
                "after": one.after,
                "difference_low": one.low,
                "difference_high": one.high,
                "chance": one.chance,
                "sample": one.sample,
                "compared_with": one.compared_with,
                "found_on": one.found_on,
                "ended_on": one.ended_on,
                "verdict": one.verdict,
                "reason": one.reason,
            }
            for one in records
            if (words := worded(one, names))
        ]

    @operation("v1_finding", FindingSerializer)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One finding."""
        return self.answer(pk)

    @operation("v1_finding_decide", FindingSerializer, request=FindingDecisionSerializer)
    def decide(self, request: Request, pk: int) -> Response:
        """Acknowledge or dismiss a finding, or say what it was worth.

        A dismissed finding stays away until its change is another.
        """
        finding = self.find(pk, self.access)
        given = sent_object(request)
        act, reason = given.get("act", ""), given.get("reason", "")
        if not isinstance(act, str) or not isinstance(reason, str):
            raise FieldError("act", "Both act and reason are texts.")
        decide(self.access, finding, act=act, reason=reason)
        return self.answer(pk)
