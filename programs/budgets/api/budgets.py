"""/api/v1/budgets/ and /api/v1/charge-back.csv, with the permissions of their pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.bodies import changed_version, sent_object
from core.api.errors import ErrorsSerializer
from core.api.model_serializers import ReadSerializer
from core.api.operations import CSV_ANSWERS, answer_change, operation
from core.csv_export import csv_response
from orgtree.access.access import Access
from programs.budgets.queries.budgets import budgets_of
from programs.budgets.services.alerting import contacts_of
from programs.budgets.services.charge_back import charge_back, chosen_agent, csv_rows, file_name, needed_attribute
from programs.budgets.services.fields import WRITTEN, BudgetWriteSerializer, DollarsField, MonthField
from programs.budgets.services.months import requested_month, requested_months, this_month, written
from programs.budgets.services.outlook import BudgetState, Outlook, outlooks
from programs.budgets.services.writing import add_budget, change_budget, remove_budget
from programs.models import Budget
from programs.requests.program_view import CsvView, ProgramView
from programs.teams.fields import LedUnitField, OwnerField

MONTH = OpenApiParameter("month", str, description="2026-11; by default this one.")
UNIT = OpenApiParameter("unit", str, description="Slug: its budgets, and those of units below it.")


class BudgetSerializer(ReadSerializer[Budget]):
    unit = LedUnitField("Budgets", source="budget.unit", help_text="Slug; null: the whole organisation.")
    amount = DollarsField(source="budget.amount")
    first_month = MonthField(source="budget.first_month")
    last_month = MonthField(source="budget.last_month", allow_null=True)
    owner = OwnerField(source="budget.owner", help_text="E-mail address; null: nobody.")
    month = MonthField(help_text="The month of the figures.")
    spent = serializers.FloatField(allow_null=True, help_text="US dollars; null where it is withheld.")
    reason = serializers.CharField(source="spend.spent.reason", allow_null=True, help_text="Why there is no spend.")
    forecast = serializers.FloatField(source="spend.forecast.value", default=None, allow_null=True)
    forecast_low = serializers.FloatField(source="spend.forecast.interval.low", default=None, allow_null=True)
    forecast_high = serializers.FloatField(source="spend.forecast.interval.high", default=None, allow_null=True)
    unpriced_tokens = serializers.FloatField(
        source="spend.unpriced.value", allow_null=True, help_text="Tokens of models without a price: in no sum."
    )
    state = serializers.ChoiceField(choices=[state.value for state in BudgetState])
    contacts = serializers.SerializerMethodField(help_text="Names: its owner, and the unit's managers.")

    class Meta:
        model = Budget
        of = "budget"
        fields = (
            *("id", *WRITTEN, "version", "month", "spent", "reason", "forecast", "forecast_low", "forecast_high"),
            *("unpriced_tokens", "state", "contacts"),
        )

    def get_contacts(self, outlook: Outlook) -> list[str]:
        names: list[str] = self.context["contacts"].get(outlook.budget.pk, [])
        return names


class BudgetsSerializer(serializers.Serializer[object]):
    month = serializers.CharField()
    budgets = BudgetSerializer(many=True)


class BudgetPatchSerializer(BudgetWriteSerializer):
    """Fields to change; omitted fields keep their value."""

    version = serializers.IntegerField(help_text="The version that the change is based on.")

    class Meta(BudgetWriteSerializer.Meta):
        fields = (*WRITTEN, "version")


class BudgetConflictSerializer(ErrorsSerializer):
    """Somebody changed it in the meantime; nothing was stored."""

    stored = BudgetSerializer()


class BudgetsView(ProgramView):
    @operation("v1_budgets", BudgetsSerializer, parameters=[MONTH, UNIT])
    def get(self, request: Request) -> Response:
        """The budgets of a month that one may see, with spend and forecast."""
        access, month = self.access, requested_month(request.query_params.dict())
        unit = request.query_params.get("unit", "").replace("\x00", "")
        listed = list(budgets_of(month, access.visibility, unit=unit))
        return Response({"month": written(month), "budgets": _documents(listed, month, access)})

    @operation("v1_budget_add", {201: BudgetSerializer}, request=BudgetWriteSerializer)
    def post(self, request: Request) -> Response:
        """Set a budget."""
        added = add_budget(self.access, sent_object(request))
        return Response(_today(added, self.access), status=status.HTTP_201_CREATED)


class BudgetView(ProgramView):
    @operation("v1_budget", BudgetSerializer, parameters=[MONTH])
    def get(self, request: Request, pk: int) -> Response:
        """One budget, with the figures of a month."""
        [document] = _documents([_visible(pk, self.access)], requested_month(request.query_params.dict()), self.access)
        return Response(document)

    @operation(
        "v1_budget_change", {200: BudgetSerializer, 409: BudgetConflictSerializer}, request=BudgetPatchSerializer
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Change what is named."""
        budget = _visible(pk, self.access)
        given, version = changed_version(request)
        return answer_change(
            lambda: change_budget(self.access, budget, given, of_version=version),
            lambda changed: _today(changed, self.access),
        )

    @operation("v1_budget_remove", {204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Remove one that was written by mistake, with its alerts; others end with their last month."""
        remove_budget(self.access, _visible(pk, self.access))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ChargeBackCsvView(CsvView):
    @operation(
        "v1_charge_back_csv",
        CSV_ANSWERS,
        parameters=[
            OpenApiParameter("agent", str, description="Only this agent; default: all."),
            OpenApiParameter(
                "attribute", str, description="An attribute of people; default: the cost centre of the settings."
            ),
            OpenApiParameter("from", str, description="First month, 2026-10; by default the last one."),
            OpenApiParameter("to", str, description="Last month, inclusive; by default this one."),
            OpenApiParameter("unit", str, description="Slug; default: the whole organisation."),
        ],
        errors={},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Spend by cost centre and month; the rows of a month add up to its total."""
        access, params = self.access, request.query_params.dict()
        attribute, unit = needed_attribute(params.get("attribute", "")), params.get("unit", "").replace("\x00", "")
        agent = chosen_agent(params.get("agent", ""))
        charged = charge_back(access, attribute, requested_months(params), unit or None, agent)
        return csv_response(file_name(charged), csv_rows(charged))


def _visible(pk: int, access: Access) -> Budget:
    """Raises Http404 for one that the viewer may not see, too."""
    seen = Budget.objects.within(access.visibility).select_related("unit", "owner")
    return get_object_or_404(seen, pk=pk)


def _today(budget: Budget, access: Access) -> dict[str, Any]:
    [document] = _documents([budget], this_month(), access)
    return document


def _documents(budgets: Sequence[Budget], month: date, access: Access) -> list[dict[str, Any]]:
    contacts = contacts_of(budgets) if access.is_of_account else {}
    context = {"access": access, "contacts": contacts}
    found = outlooks(budgets, month, access)
    return [dict(BudgetSerializer(outlook, context=context).data) for outlook in found]  # type: ignore[arg-type]  # its `of`
