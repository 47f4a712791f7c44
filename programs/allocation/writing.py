"""Adds, changes and removes allocation rules: managers for their units, executives and admins for all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Now
from rest_framework import serializers

from core.api.model_serializers import NEEDED, WriteSerializer, validated
from core.edit_conflicts import take_fields
from core.write_errors import FieldError, MayNotWriteError
from integrations.models import AllocationRule, InvestmentCategory
from integrations.models.allocation import LONGEST_TERM
from orgtree.access.access import Access
from programs.allocation.queries import WRITTEN
from programs.requests.model_fields import NamedField
from programs.requests.visible import account_of
from programs.teams.fields import LedUnitField

RULES = "Allocation rules"
MOST_TERMS = 200


class CategoryField(NamedField):
    """A category, given by its name."""

    default_error_messages = {"required": NEEDED, "null": NEEDED}

    def find(self, name: str) -> InvestmentCategory:
        found = InvestmentCategory.objects.filter(name__iexact=name).first() if "\x00" not in name else None
        if found is None:
            names = ", ".join(InvestmentCategory.objects.values_list("name", flat=True))
            raise serializers.ValidationError(f"One of: {names}.")
        return found

    def name_of(self, value: InvestmentCategory) -> str:
        return value.name


def _terms(help_text: str) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_TERM),
        required=False,
        max_length=MOST_TERMS,
        help_text=help_text,
    )


class RuleWriteSerializer(WriteSerializer[AllocationRule]):
    """Create: category is required.  Update: omitted fields keep their value."""

    category = CategoryField(required=True, help_text="Name of an investment category.")
    unit = LedUnitField(RULES, help_text="Slug; null: the whole organisation.")
    types = _terms("Types of work items, such as bug or Spike.")
    labels = _terms("Labels of work items.")
    epics = _terms("Keys of epics or other parents.")
    projects = _terms("Projects, by key or name.")
    components = _terms("Components of work items, by name.")
    repositories = _terms("Repositories; * stands for any text.")
    paths = _terms("Folders, at most three deep; * stands for any text.")

    class Meta:
        model = AllocationRule
        fields: tuple[str, ...] = WRITTEN


def rule_fields(access: Access, given: Mapping[str, Any], rule: AllocationRule | None = None) -> dict[str, Any]:
    """The checked fields.  Raises FieldError, MayNotWriteError."""
    context = {"access": access}
    return validated(RuleWriteSerializer(rule, data=given, partial=rule is not None, context=context))


def checked_rule(access: Access, given: Mapping[str, Any], rule: AllocationRule | None = None) -> AllocationRule:
    """An unsaved rule with these fields, for a preview.  Raises FieldError, MayNotWriteError."""
    fields = rule_fields(access, given, rule)
    draft = rule or AllocationRule()
    for name, value in fields.items():
        setattr(draft, name, value)
    _clean(draft)
    return draft


@transaction.atomic
def add_rule(access: Access, given: Mapping[str, Any]) -> AllocationRule:
    """Adds a rule; `given` has the fields of the API.  Raises FieldError, MayNotWriteError."""
    account_of(access)
    rule = checked_rule(access, given)
    rule.save()
    return rule


@transaction.atomic
def change_rule(access: Access, rule: AllocationRule, given: Mapping[str, Any], *, of_version: int) -> AllocationRule:
    """Change the rule.  Raises FieldError, MayNotWriteError, and ConflictError if it changed since `of_version`."""
    check_may_write(access, rule)
    stored = AllocationRule.objects.select_for_update(of=("self",)).get(pk=rule.pk)
    fields = rule_fields(access, given, stored)
    if take_fields(stored, fields, of_version, "Somebody changed this rule in the meantime."):
        _clean(stored)
        stored.changed_at = Now()
        stored.save()
        stored.refresh_from_db()
    return stored


def remove_rule(access: Access, rule: AllocationRule) -> None:
    check_may_write(access, rule)
    rule.delete()


def check_may_write(access: Access, rule: AllocationRule) -> None:
    account_of(access)
    if not access.visibility.leads(rule.unit_id):
        whose = f"{rule.unit.name} are changed by its managers," if rule.unit else "the whole organisation by"
        raise MayNotWriteError(f"The rules of {whose} executives and admins.")


def _clean(rule: AllocationRule) -> None:
    try:
        rule.clean()
    except ValidationError as problem:
        [(name, messages)] = problem.message_dict.items()
        raise FieldError(name, " ".join(messages)) from None


def given_terms(text: str) -> list[str]:
    """The values of a condition as people type them, separated by commas or line breaks."""
    return [value for part in text.replace("\n", ",").split(",") if (value := part.strip())]
