"""/api/v1/budgets/ and /api/v1/charge-back.csv, with the permissions of their pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.model_serializers import ReadSerializer
from core.api.operations import CSV_ANSWERS, CsvNegotiation, operation
from core.api.resources import Documents, ListCreate, ReadChange, changes_of
from core.csv_export import csv_response
from core.list_filters import filter_parameters
from insights.api.program_view import ProgramView
from programs.budgets.queries.budgets import BudgetFilters, visible_budget
from programs.budgets.queries.months import requested_month, requested_months, written
from programs.budgets.services.alerting import contacts_of
from programs.budgets.services.charge_back import charge_back, chosen_agent, csv_rows, file_name, needed_attribute
from programs.budgets.services.fields import WRITTEN, BudgetWriteSerializer, DollarsField, MonthField
from programs.budgets.services.outlook import BudgetState, Outlook, outlooks
from programs.budgets.services.writing import add_budget, change_budget, remove_budget
from programs.models import Budget
from programs.teams.fields import LedUnitField, OwnerField

MONTH = OpenApiParameter("month", str, description="2026-11; by default this one.")


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


@extend_schema_serializer(many=False)
class BudgetsSerializer(serializers.Serializer[object]):
    month = serializers.CharField()
    budgets = BudgetSerializer(many=True)


class Budgets(ProgramView, ListCreate, ReadChange):
    operations = {
        "create": ("v1_budget_add", "Set a budget."),
        "partial_update": ("v1_budget_change", "Change what is named."),
        "destroy": (
            "v1_budget_remove",
            "Remove one that was written by mistake, with its alerts; others end with their last month.",
        ),
    }
    plural = "budgets"
    filters = BudgetFilters
    serializer = BudgetSerializer
    write_serializer = BudgetWriteSerializer
    changes = changes_of(BudgetWriteSerializer)
    find = staticmethod(visible_budget)
    add = staticmethod(add_budget)
    change = staticmethod(change_budget)
    remove = staticmethod(remove_budget)

    @property
    def month(self) -> date:
        """The month of the figures, including those in the response to a change."""
        return requested_month(self.request.query_params.dict())

    def documents(self, records: Sequence[Budget]) -> Documents:
        contacts = contacts_of(records) if self.access.is_of_account else {}
        context = {"access": self.access, "contacts": contacts}
        found = outlooks(records, self.month, self.access)
        return [dict(BudgetSerializer(outlook, context=context).data) for outlook in found]  # type: ignore[arg-type]  # its `of`

    @operation("v1_budgets", BudgetsSerializer, parameters=filter_parameters(BudgetFilters))
    def list(self, request: Request) -> Response:
        """List the budgets of a month that the viewer may see, with spend and forecast."""
        return Response({"month": written(self.month), "budgets": self.documents([*self.narrowed().qs])})

    @operation("v1_budget", BudgetSerializer, parameters=[MONTH])
    def retrieve(self, request: Request, pk: int) -> Response:
        """Get one budget, with the figures of a month."""
        return self.answer(pk)


class ChargeBackCsvView(ProgramView):
    content_negotiation_class = CsvNegotiation

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
        """Spend by cost centre and month, as a CSV file; the rows of a month add up to its total."""
        access, params = self.access, request.query_params.dict()
        attribute, unit = needed_attribute(params.get("attribute", "")), params.get("unit", "").replace("\x00", "")
        agent = chosen_agent(params.get("agent", ""))
        charged = charge_back(access, attribute, requested_months(params), unit or None, agent)
        return csv_response(file_name(charged), csv_rows(charged))
