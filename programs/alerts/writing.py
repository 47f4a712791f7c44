"""Adds, changes and removes an account's alert rules, on units whose figures the account may see."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

from django.db import transaction

from core.api.model_serializers import Amount, WriteSerializer, validated
from core.edit_conflicts import take_fields
from core.locks import Lock
from core.write_errors import FieldError
from insights.catalogue.registry import find
from insights.ui import wording
from orgtree.access.access import Access
from programs.benchmarks.services.fields import GREATEST, OfferedMetricField
from programs.models import AlertRule
from programs.requests.visible import account_of
from programs.teams.fields import SeenUnitField

WRITTEN = ("metric", "unit", "days", "is_above", "limit", "margin")
DAYS = (7, 14, 28, 91)
MOST_RULES = 50  # per account
WRITING = Lock("writing of alert rules")


class AlertRuleWriteSerializer(WriteSerializer[AlertRule]):
    """Create: metric and limit are required."""

    metric = OfferedMetricField(required=True, help_text="Key of a metric that has one figure.")
    unit = SeenUnitField(help_text="Slug; null: the whole organisation.")
    limit = Amount(help_text="In the metric's unit of measure.")
    margin = Amount(
        required=False,
        default=0.0,
        help_text="The distance by which the value must come back before the rule fires again.",
    )

    class Meta:
        model = AlertRule
        fields: tuple[str, ...] = WRITTEN
        extra_kwargs = {
            "days": {"help_text": "Length of the window that ends yesterday: 7 to 91."},
            "is_above": {"help_text": "Fires above the limit; false: below it."},
        }
        validators: tuple[Any, ...] = ()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        rule = copy(self.instance) if isinstance(self.instance, AlertRule) else AlertRule()
        for name, value in attrs.items():
            setattr(rule, name, value)
        for name in ("limit", "margin"):
            if not 0 <= getattr(rule, name) <= GREATEST:
                raise FieldError(name, "It must be a number from 0 on.")
        if not rule.is_above and rule.limit == 0:
            raise FieldError("limit", "No value is below 0: this rule would never fire.")
        return attrs


def add_rule(access: Access, given: Mapping[str, Any]) -> AlertRule:
    """Add an alert rule for the viewer's account.  Raises FieldError, MayNotWriteError."""
    account = account_of(access)
    fields = validated(AlertRuleWriteSerializer(data=given, context={"access": access}))
    with transaction.atomic():
        WRITING.hold()
        rule = AlertRule(**fields, account=account)
        if AlertRule.objects.filter(account=account).count() >= MOST_RULES:
            raise FieldError("metric", f"You have {MOST_RULES} rules. Remove one first.")
        _check_alone(rule)
        rule.save()
    return rule


def change_rule(access: Access, rule: AlertRule, given: Mapping[str, Any], *, of_version: int) -> AlertRule:
    """Changes and re-arms the rule: it fires if the value is beyond the new limit.

    Raises FieldError, and ConflictError if the rule has changed since `of_version`.
    """
    with transaction.atomic():
        WRITING.hold()
        stored = AlertRule.objects.select_for_update(of=("self",)).get(pk=rule.pk)
        fields = validated(
            AlertRuleWriteSerializer(stored, data=given, partial=True, context={"access": access}),
        )
        if take_fields(stored, fields, of_version, "You changed this rule in another window in the meantime."):
            _check_alone(stored)
            stored.firing_since = None
            stored.save()
    return stored


def remove_rule(_access: Access, rule: AlertRule) -> None:
    """Deletes the rule and its notices."""
    AlertRule.objects.filter(pk=rule.pk).delete()


def _check_alone(rule: AlertRule) -> None:
    """Rejects a rule that differs only in its limit from another rule of the account.  Raises FieldError."""
    same = AlertRule.objects.filter(
        account=rule.account, metric=rule.metric, unit=rule.unit, days=rule.days, is_above=rule.is_above
    ).exclude(pk=rule.pk)
    if other := same.first():
        metric = find(rule.metric)
        limit = wording.reading(other.limit, metric.unit) if metric else other.limit
        raise FieldError("limit", f"You have a rule like this with the limit {limit}: change that one.")
