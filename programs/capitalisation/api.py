"""/api/v1/capitalisation/: initiatives with their evidence, and periods, with the permissions of their pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.bodies import body
from core.api.model_serializers import ReadSerializer
from core.api.operations import CSV_ANSWERS, CsvNegotiation, operation
from core.api.resources import Documents, ListCreate, ReadChange, changes_of
from insights.api.program_view import ProgramView
from programs.budgets.services.fields import MonthField
from programs.capitalisation.queries import (
    EVIDENCE,
    EvidenceFilters,
    PeriodFilters,
    check_reader,
    visible_evidence,
    visible_period,
)
from programs.capitalisation.services.csv_files import evidence_rows, period_file
from programs.capitalisation.services.document import ALL, ELIGIBLE, LISTED, WHOLE, Figure, Row, Shown, shown_to
from programs.capitalisation.services.eligibility import eligibility
from programs.capitalisation.services.reporting import current_names, report_of
from programs.capitalisation.services.writing import (
    TERMS,
    EvidenceAddSerializer,
    EvidenceWriteSerializer,
    PeriodWriteSerializer,
    add_evidence,
    add_period,
    approve_period,
    change_evidence,
    change_period,
    freeze_period,
    remove_evidence,
    remove_period,
)
from programs.models import CapitalisationPeriod, InitiativeEvidence


class FinanceView(ProgramView):
    """Restricts a view to finance, executives and admins."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        check_reader(self.access)


class EvidenceSerializer(ReadSerializer[InitiativeEvidence]):
    reference = serializers.SerializerMethodField(help_text="The initiative's key or project; empty for a label.")
    eligible_from = serializers.SerializerMethodField(help_text="Null: a criterion is not met.")

    class Meta:
        model = InitiativeEvidence
        fields = ("id", "kind", "name", "reference", *EVIDENCE, "eligible_from", "version")

    def get_reference(self, evidence: InitiativeEvidence) -> str:
        name = current_names([evidence]).get(evidence.pk)
        return name.reference if name else ""

    def get_eligible_from(self, evidence: InitiativeEvidence) -> str | None:
        start = eligibility(evidence).start
        return start.isoformat() if start else None


class Initiatives(FinanceView, ListCreate, ReadChange):
    operations = {
        "list": ("v1_capitalisation_initiatives", "Initiatives with their evidence."),
        "csv": ("v1_capitalisation_initiatives_csv", "The initiatives as a CSV file."),
        "create": ("v1_capitalisation_initiative_add", "Add an initiative."),
        "retrieve": ("v1_capitalisation_initiative", "One initiative."),
        "partial_update": ("v1_capitalisation_initiative_change", "Change what is named."),
        "destroy": ("v1_capitalisation_initiative_remove", "Remove an initiative; frozen periods keep it."),
    }
    plural = "initiatives"
    filters = EvidenceFilters
    serializer = EvidenceSerializer
    write_serializer = EvidenceAddSerializer
    changes = changes_of(EvidenceWriteSerializer)
    find = staticmethod(visible_evidence)
    add = staticmethod(add_evidence)
    change = staticmethod(change_evidence)
    remove = staticmethod(remove_evidence)
    file_rows = staticmethod(evidence_rows)


class SumsSerializer(serializers.Serializer[object]):
    hours = serializers.FloatField(allow_null=True, help_text="Null where it is of few people.")
    eligible_hours = serializers.FloatField(allow_null=True)
    people = serializers.IntegerField(allow_null=True)
    ai_spend = serializers.FloatField(allow_null=True, help_text="US dollars.")
    eligible_ai_spend = serializers.FloatField(allow_null=True)
    eligible_cost = serializers.FloatField(
        allow_null=True, help_text="In the period's currency; null without rates, too."
    )


class InitiativeSumsSerializer(SumsSerializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    reference = serializers.CharField()
    eligible_from = serializers.DateField(allow_null=True)
    eligible_to = serializers.DateField(allow_null=True, help_text="The first day that is not eligible any more.")


class ReportSerializer(serializers.Serializer[object]):
    initiatives = InitiativeSumsSerializer(many=True)
    listed = SumsSerializer(help_text="All listed initiatives.")
    everything = SumsSerializer(help_text="All people-time, and the AI spend of listed initiatives.")


class PeriodSerializer(ReadSerializer[CapitalisationPeriod]):
    first_month = MonthField(source="start")
    last_month = MonthField()
    sha256 = serializers.SerializerMethodField(help_text="SHA-256 of the frozen document; null until it is frozen.")
    report = serializers.SerializerMethodField(help_text="Its figures; null in lists.")

    class Meta:
        model = CapitalisationPeriod
        fields = ("id", "first_month", "last_month", *TERMS, "state", "approved_at", "sha256", "version", "report")

    def get_sha256(self, period: CapitalisationPeriod) -> str | None:
        return period.document.sha256 if period.document else None

    @extend_schema_field(ReportSerializer(allow_null=True))
    def get_report(self, period: CapitalisationPeriod) -> dict[str, Any] | None:
        return _report(shown_to(self.context["access"], report_of(period))) if self.context.get("whole") else None


class Periods(FinanceView, ListCreate, ReadChange):
    operations = {
        "list": ("v1_capitalisation_periods", "Capitalisation periods, the last one first."),
        "create": ("v1_capitalisation_period_add", "Add a period."),
        "retrieve": ("v1_capitalisation_period", "One period with its figures, as frozen or as they are now."),
        "partial_update": ("v1_capitalisation_period_change", "Change what is named; an approval lapses."),
        "destroy": ("v1_capitalisation_period_remove", "Remove a period that is not frozen."),
    }
    plural = "periods"
    filters = PeriodFilters
    serializer = PeriodSerializer
    write_serializer = PeriodWriteSerializer
    changes = changes_of(PeriodWriteSerializer)
    find = staticmethod(visible_period)
    add = staticmethod(add_period)
    change = staticmethod(change_period)
    remove = staticmethod(remove_period)

    def documents(self, records: Sequence[CapitalisationPeriod]) -> Documents:
        is_one = "pk" in self.kwargs
        context = {"access": self.access, "whole": is_one}
        return [dict(document) for document in PeriodSerializer(records, many=True, context=context).data]

    @operation("v1_capitalisation_period_approve", PeriodSerializer)
    def approve(self, request: Request, pk: int) -> Response:
        """Approve the current figures."""
        period = visible_period(pk, self.access)
        body(request)
        approve_period(self.access, period)
        return self.answer(pk)

    @operation("v1_capitalisation_period_freeze", PeriodSerializer)
    def freeze(self, request: Request, pk: int) -> Response:
        """Freeze the approved figures for good."""
        period = visible_period(pk, self.access)
        body(request)
        freeze_period(self.access, period)
        return self.answer(pk)


class PeriodCsvView(FinanceView):
    content_negotiation_class = CsvNegotiation

    @operation("v1_capitalisation_period_csv", CSV_ANSWERS, errors={})
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """The figures of a period by initiative, month and state of work, as a CSV file."""
        return period_file(visible_period(pk, self.access), self.access)


def _report(shown: Shown) -> dict[str, Any]:
    initiatives = [
        {
            **{name: getattr(one, name) for name in ("id", "name", "reference", "eligible_from", "eligible_to")},
            **_sums(shown, one.id),
        }
        for one in shown.report.initiatives
    ]
    return {"initiatives": initiatives, "listed": _sums(shown, LISTED), "everything": _sums(shown, ALL)}


def _sums(shown: Shown, row: Row) -> dict[str, Any]:
    whole, eligible = shown.days.figure(row, WHOLE), shown.days.figure(row, ELIGIBLE)
    spend, of_eligible = shown.dollars.figure(row, WHOLE), shown.dollars.figure(row, ELIGIBLE)
    cost = shown.cost(row, ELIGIBLE)
    return {
        "hours": None if whole.hidden else round(shown.hours(whole.value), 4),
        "eligible_hours": None if eligible.hidden else round(shown.hours(eligible.value), 4),
        "people": None if whole.hidden else whole.people,
        "ai_spend": _dollars(spend),
        "eligible_ai_spend": _dollars(of_eligible),
        "eligible_cost": None if cost is None else round(cost, 2),
    }


def _dollars(figure: Figure) -> float | None:
    return None if figure.hidden else round(figure.value, 4)
