"""/api/v1/allocation-rules/ and /api/v1/allocation-targets/, with the permissions of their pages."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

from django.contrib.auth.models import User
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.bodies import sent_object
from core.api.model_serializers import Named, ReadSerializer
from core.api.operations import operation
from core.api.resources import ListCreate, ReadChange, changes_of
from core.write_errors import FieldError, MayNotWriteError
from insights.api.program_view import ProgramView
from insights.query.windows import quarter_name
from integrations.delivery.allocation.targets import own_targets, set_targets, targets_in_force
from integrations.models import AllocationRule, InvestmentCategory
from programs.allocation.pages import requested_quarter, requested_unit
from programs.allocation.queries import WRITTEN, RuleFilters, rule_rows, visible_rule
from programs.allocation.writing import RULES, RuleWriteSerializer, add_rule, change_rule, remove_rule
from programs.requests.visible import account_of
from programs.teams.fields import LedUnitField


class RuleSerializer(ReadSerializer[AllocationRule]):
    category = Named("name", help_text="Name of the investment category.")
    unit = LedUnitField(RULES, help_text="Slug; null: the whole organisation.")

    class Meta:
        model = AllocationRule
        fields = ("id", *WRITTEN, "version", "changed_at")


class AllocationRules(ProgramView, ListCreate, ReadChange):
    operations = {
        "list": ("v1_allocation_rules", "Rules that assign work to investment categories."),
        "csv": ("v1_allocation_rules_csv", "The rules as a CSV file."),
        "create": ("v1_allocation_rule_add", "Add a rule."),
        "retrieve": ("v1_allocation_rule", "One rule."),
        "partial_update": ("v1_allocation_rule_change", "Change what is named."),
        "destroy": ("v1_allocation_rule_remove", "Remove a rule; its work goes to the next one that matches."),
    }
    plural = "rules"
    filters = RuleFilters
    serializer = RuleSerializer
    write_serializer = RuleWriteSerializer
    changes = changes_of(RuleWriteSerializer)
    find = staticmethod(visible_rule)
    add = staticmethod(add_rule)
    change = staticmethod(change_rule)
    remove = staticmethod(remove_rule)
    file_rows = staticmethod(rule_rows)


class TargetSharesSerializer(serializers.Serializer[object]):
    quarter = serializers.CharField(help_text="Such as 2026-Q4.")
    unit = serializers.CharField(allow_null=True, help_text="Slug; null: the whole organisation.")
    inherited_from = serializers.CharField(
        allow_null=True, help_text="Name of the unit whose targets hold where this one has none."
    )
    shares = serializers.DictField(
        child=serializers.FloatField(), help_text="Percent by category; a category without a target is left out."
    )


class TargetSharesWriteSerializer(serializers.Serializer[object]):
    shares = serializers.DictField(child=serializers.FloatField(), help_text="Percent by category: replaces all.")


PARAMETERS = [
    OpenApiParameter("unit", str, description="Slug; default: the whole organisation."),
    OpenApiParameter("quarter", str, description="A day of the quarter, 2026-10-01; default: the current one."),
]


class AllocationTargetsView(ProgramView):
    @operation("v1_allocation_targets", TargetSharesSerializer, parameters=PARAMETERS)
    def get(self, request: Request) -> Response:
        """Get the target shares in force for a unit and quarter."""
        return self._answer(request)

    @operation(
        "v1_allocation_targets_set",
        TargetSharesSerializer,
        request=TargetSharesWriteSerializer,
        parameters=PARAMETERS,
    )
    def put(self, request: Request) -> Response:
        """Set the target shares of a unit and quarter."""
        account_of(self.access)
        params = request.query_params.dict()
        unit = requested_unit(params.get("unit", ""), self.access)
        quarter = requested_quarter(params.get("quarter", ""))
        if not self.access.visibility.leads(unit.pk if unit else None):
            raise MayNotWriteError("Targets are set by managers of the unit, executives and admins.")
        shares = _shares(sent_object(request).get("shares"))
        set_targets(unit, quarter, shares, by=cast(User, self.access.viewer))
        return self._answer(request)

    def _answer(self, request: Request) -> Response:
        params = request.query_params.dict()
        unit = requested_unit(params.get("unit", ""), self.access)
        quarter = requested_quarter(params.get("quarter", ""))
        targets, names = targets_in_force(unit, quarter), dict(InvestmentCategory.objects.values_list("pk", "name"))
        is_own = bool(own_targets(unit, quarter)) or not targets.shares
        inherited = targets.unit.name if targets.unit else "Whole organisation"
        return Response(
            {
                "quarter": quarter_name(quarter),
                "unit": unit.slug if unit else None,
                "inherited_from": None if is_own else inherited,
                "shares": {names[pk]: float(share) for pk, share in targets.shares.items()},
            }
        )


def _shares(given: Any) -> dict[int, Decimal | None]:
    """Shares by category.  Raises FieldError."""
    if not isinstance(given, dict):
        raise FieldError("shares", "It must be an object: percent by category.")
    known = {name.lower(): pk for pk, name in InvestmentCategory.objects.values_list("pk", "name")}
    shares: dict[int, Decimal | None] = {}
    for name, share in given.items():
        if str(name).lower() not in known:
            raise FieldError("shares", f"There is no category “{str(name)[:80]}”.")
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 100:
            raise FieldError("shares", f"{name}: it must be a number from 0 to 100.")
        shares[known[str(name).lower()]] = round(Decimal(str(share)), 1)
    return shares
