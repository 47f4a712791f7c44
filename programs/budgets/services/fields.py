"""Editable fields of a budget, shared by the form and the API."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from datetime import date
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.model_serializers import NEEDED, WriteSerializer, validated
from core.write_errors import FieldError
from orgtree.access.access import Access
from programs.budgets.queries.months import read_month, written
from programs.models import Budget
from programs.models.budgets import LARGEST_BUDGET
from programs.teams.fields import LedUnitField, OwnerField

WRITTEN = ("unit", "agent", "amount", "first_month", "last_month", "owner", "forecast_percent", "spent_percent")


@extend_schema_field(str)
class MonthField(serializers.Field[Any, Any, Any, Any]):
    """A month, written as 2026-11."""

    default_error_messages = {"required": NEEDED, "null": NEEDED}

    def to_internal_value(self, data: Any) -> date:
        if not isinstance(data, str):
            raise serializers.ValidationError("It must be a text such as 2026-11.")
        try:
            return read_month("", data)
        except FieldError as problem:
            raise serializers.ValidationError(problem.message) from None

    def to_representation(self, value: date) -> str:
        return written(value)


class DollarsField(serializers.DecimalField):
    """US dollars, to the cent."""

    default_error_messages = {"required": NEEDED, "null": NEEDED, "invalid": "It must be a number."}

    def __init__(self, **kwargs: Any) -> None:
        limits = {"max_digits": 11, "decimal_places": 2, "max_value": LARGEST_BUDGET, "min_value": Decimal("0.01")}
        super().__init__(**{**limits, "coerce_to_string": False, **kwargs})

    def to_internal_value(self, data: Any) -> Decimal:
        if isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


class BudgetWriteSerializer(WriteSerializer[Budget]):
    """Create: amount and first_month are required.  Update: omitted fields keep their value."""

    unit = LedUnitField("Budgets", help_text="Slug; null: the whole organisation.")
    owner = OwnerField(help_text="E-mail address; null: nobody.")
    amount = DollarsField(help_text="US dollars a month.")
    first_month = MonthField(help_text="Such as 2026-11.")
    last_month = MonthField(required=False, allow_null=True, help_text="Null: no end.")

    class Meta:
        model = Budget
        fields: tuple[str, ...] = WRITTEN

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        budget = copy(self.instance) if isinstance(self.instance, Budget) else Budget()
        for name, value in attrs.items():
            setattr(budget, name, value)
        if budget.last_month is not None and budget.last_month < budget.first_month:
            raise FieldError("last_month", "It ends before it begins.")
        return attrs


def budget_fields(access: Access, given: Mapping[str, Any], budget: Budget | None = None) -> dict[str, Any]:
    """The checked fields in the model's terms; for a stored budget only those that were given.

    Raises FieldError, MayNotWriteError.
    """
    context = {"access": access}
    return validated(BudgetWriteSerializer(budget, data=given, partial=budget is not None, context=context))
