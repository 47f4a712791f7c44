"""Editable fields of an intent, shared by the form, the API and drag and drop."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from rest_framework import serializers

from core.api.model_serializers import WriteSerializer, validated
from core.write_errors import FieldError
from insights.query import windows
from orgtree.access.access import Access
from programs.models import ObjectiveTemplate, Quarter, RoadmapIntent
from programs.objectives.services.fields import TemplateField
from programs.quarters.fiscal_quarters import QUARTERS_AHEAD, QuarterField, quarters_from
from programs.requests.fields import day
from programs.teams.fields import LedUnitField

THINGS = "Roadmaps"
WRITTEN = ("unit", "quarter", "title", "template")


class PlannedQuarterField(QuarterField):
    """A quarter that is not closed, at most four quarters ahead."""

    def day_of(self, name: str) -> date:
        today = windows.local_today()
        day_planned = day("quarter", name) or today
        last = quarters_from(Quarter.objects.all(), today, QUARTERS_AHEAD + 1)[-1]
        if day_planned >= last.end:
            raise serializers.ValidationError(f"A roadmap reaches to {last}: choose an earlier quarter.")
        if day_planned < today and not Quarter.objects.filter(start__lte=day_planned, end__gt=day_planned).exists():
            raise serializers.ValidationError("This quarter is over: choose a later one.")
        return day_planned


class IntentWriteSerializer(WriteSerializer[RoadmapIntent]):
    """Create: a title or a template is required.  Update: version is required; omitted fields keep their value."""

    unit = LedUnitField(THINGS, help_text="Slug; default: the whole organisation.")
    quarter = PlannedQuarterField(help_text="Any date in the quarter; default: the current one.")
    template = TemplateField(help_text="Slug of an objective template.")

    class Meta:
        model = RoadmapIntent
        fields: tuple[str, ...] = WRITTEN
        extra_kwargs = {"title": {"required": False, "allow_blank": True, "help_text": "Empty: the template's name."}}
        validators: tuple[object, ...] = ()  # the database enforces uniqueness

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        known = self.instance
        if "title" in attrs or known is None:
            slug = attrs.get("template", known.template if known else "")
            name = ObjectiveTemplate.objects.filter(slug=slug).values_list("name", flat=True).first() if slug else ""
            attrs["title"] = attrs.get("title", "").strip() or name
        if attrs.get("title") in ("", None) and (known is None or "title" in attrs):
            raise FieldError("title", "Choose a template, or enter what to improve.")
        return attrs


def intent_fields(access: Access, given: Mapping[str, Any], intent: RoadmapIntent | None = None) -> dict[str, Any]:
    """The checked fields in the model's terms; for a stored intent only those that were given.

    Raises FieldError, MayNotWriteError.
    """
    return validated(IntentWriteSerializer(intent, data=given, partial=intent is not None, context={"access": access}))
